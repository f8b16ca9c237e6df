#include "sys.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

uint64_t sys_now_ms(void)
{
    struct timespec ts = { 0 };

#ifdef CLOCK_BOOTTIME
    (void)clock_gettime(CLOCK_BOOTTIME, &ts);
#else
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
#endif
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

int sys_random(uint8_t *buf, size_t n)
{
    while (n > 0) {
        ssize_t got = getrandom(buf, n, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        buf += got;
        n -= (size_t)got;
    }
    return 1;
}

int64_t sys_epoch_s(void)
{
    time_t now = time(NULL);

    return now >= SYS_CLOCK_PLAUSIBLE ? (int64_t)now : 0;
}
