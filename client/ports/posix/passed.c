#include "passed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "file.h"

#define NAME "passed"

int64_t passed_read(int state_fd)
{
    char text[24] = "";
    ssize_t n = file_read(state_fd, NAME, text, sizeof text - 1);
    long long at_s = n > 0 ? strtoll(text, NULL, 10) : 0;

    return at_s > 0 ? at_s : 0;
}

bool passed_write(int state_fd, int64_t at_s)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%" PRId64 "\n", at_s);

    return file_replace(state_fd, NAME, text, (size_t)n, 0640);
}
