#include "sys.h"

#include <errno.h>
#include <string.h>
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

/* "Nov 24 2026", the compiler's; with SOURCE_DATE_EPOCH it is that day, and builds are the same. */
int64_t sys_built_s(void)
{
    static const char MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    static const char DATE[] = __DATE__;
    char month[4] = { DATE[0], DATE[1], DATE[2], '\0' };
    struct tm tm = { 0 };

    tm.tm_year = (DATE[7] - '0') * 1000 + (DATE[8] - '0') * 100 + (DATE[9] - '0') * 10 +
                 (DATE[10] - '0') - 1900;
    tm.tm_mon = (int)(strstr(MONTHS, month) - MONTHS) / 3;
    tm.tm_mday = (DATE[4] == ' ' ? 0 : DATE[4] - '0') * 10 + (DATE[5] - '0');
    return (int64_t)timegm(&tm) - 86400; /* wherever it was built, that day had begun by then */
}

int64_t sys_epoch_s(void)
{
    time_t now = time(NULL);

    return now >= (time_t)sys_built_s() ? (int64_t)now : 0;
}
