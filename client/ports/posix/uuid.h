/*
 * UUIDs of vendor, class and device (draft-ietf-suit-manifest-37, 8.4.8.2; RFC 9562).
 */
#ifndef AGENT_UUID_H
#define AGENT_UUID_H

#include <stdbool.h>
#include <stdint.h>

/* 32 hex digits, or with dashes 8-4-4-4-12; nothing around them. */
bool uuid_parse(const char *text, uint8_t uuid_out[16]);

/* `out` holds 37 bytes. */
void uuid_print(const uint8_t uuid[16], char *out);

/* UUIDv5 (RFC 9562, 5.5) of a name; NULL namespace is the one for DNS names. */
bool uuid_v5(const uint8_t *name_space, const char *name, uint8_t uuid_out[16]);

#endif
