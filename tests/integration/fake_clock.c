/* A clock that says what FAKE_CLOCK says, seconds since 1970: time() for LD_PRELOAD. */
#include <stdlib.h>
#include <time.h>

time_t time(time_t *at)
{
    const char *text = getenv("FAKE_CLOCK");
    time_t now = text != NULL ? (time_t)strtoll(text, NULL, 10) : 0;

    if (at != NULL)
        *at = now;
    return now;
}
