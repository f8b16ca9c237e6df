/*
 * The core's records as files in state_dir: `record0` and `record1` of the journal, `trust0` and
 * `trust1` of the trust set.
 *
 *   (1) A record is replaced as a whole: after a cut it holds the old bytes or the new ones.
 *   (2) nv_write answers 1 only when the bytes and the name are on the medium.
 */
#ifndef AGENT_NV_H
#define AGENT_NV_H

#include <stddef.h>
#include <stdint.h>

/* As struct lapel_nv says. A record that was never written reads as 0xff. */
int nv_read(int state_fd, uint8_t record, size_t offset, uint8_t *buf, size_t n);
int nv_write(int state_fd, uint8_t record, const uint8_t *buf, size_t n);

/* As struct lapel_trust_store says. */
int nv_trust_read(int state_fd, uint8_t record, size_t offset, uint8_t *buf, size_t n);
int nv_trust_write(int state_fd, uint8_t record, const uint8_t *buf, size_t n);

#endif
