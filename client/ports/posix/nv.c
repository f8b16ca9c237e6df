#include "nv.h"

#include <string.h>

#include "file.h"
#include "lapel_port.h"

static const char *const NAME[2] = { "record0", "record1" };

int nv_read(int state_fd, uint8_t record, size_t offset, uint8_t *buf, size_t n)
{
    uint8_t whole[LAPEL_RECORD_SIZE];
    ssize_t have = 0;

    if (record > 1 || offset > sizeof whole || n > sizeof whole - offset)
        return -1;
    memset(whole, 0xff, sizeof whole);
    have = file_read(state_fd, NAME[record], whole, sizeof whole);
    if (have == FILE_FAIL)
        return -1;
    memcpy(buf, whole + offset,
           n); /* too large or too short a file fails the record's own checksum */
    return 1;
}

int nv_write(int state_fd, uint8_t record, const uint8_t *buf, size_t n)
{
    if (record > 1 || n > LAPEL_RECORD_SIZE)
        return -1;
    return file_replace(state_fd, NAME[record], buf, n, 0640) ? 1 : -1;
}
