#include "nv.h"

#include <string.h>

#include "file.h"
#include "lapel_port.h"

static const char *const NAME[2] = { "record0", "record1" };
static const char *const TRUST_NAME[2] = { "trust0", "trust1" };

/* Too large or too short a file fails the record's own proof. */
static int read_record(int state_fd, const char *name, size_t size, size_t offset, uint8_t *buf,
                       size_t n)
{
    uint8_t whole[LAPEL_TRUST_SIZE];

    if (offset > size || n > size - offset)
        return -1;
    memset(whole, 0xff, sizeof whole);
    if (file_read(state_fd, name, whole, size) == FILE_FAIL)
        return -1;
    memcpy(buf, whole + offset, n);
    return 1;
}

_Static_assert(LAPEL_RECORD_SIZE <= LAPEL_TRUST_SIZE, "one buffer for both");

int nv_read(int state_fd, uint8_t record, size_t offset, uint8_t *buf, size_t n)
{
    return record > 1 ? -1 : read_record(state_fd, NAME[record], LAPEL_RECORD_SIZE, offset, buf, n);
}

int nv_write(int state_fd, uint8_t record, const uint8_t *buf, size_t n)
{
    if (record > 1 || n > LAPEL_RECORD_SIZE)
        return -1;
    return file_replace(state_fd, NAME[record], buf, n, 0640) ? 1 : -1;
}

int nv_trust_read(int state_fd, uint8_t record, size_t offset, uint8_t *buf, size_t n)
{
    return record > 1 ? -1
                      : read_record(state_fd, TRUST_NAME[record], LAPEL_TRUST_SIZE, offset, buf, n);
}

int nv_trust_write(int state_fd, uint8_t record, const uint8_t *buf, size_t n)
{
    if (record > 1 || n > LAPEL_TRUST_SIZE)
        return -1;
    return file_replace(state_fd, TRUST_NAME[record], buf, n, 0640) ? 1 : -1;
}
