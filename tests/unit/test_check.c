/* The helpers of check.h, where they can be seen from inside. The rest is in lint/harness.sh. */
#include "check.h"

/* clang-format off */
static const struct {
    const char *name, *text;
    size_t n;
    uint8_t want[4];
} HEX[] = {
    { "hex: nothing",      "",          0, { 0 } },
    { "hex: one byte",     "a1",        1, { 0xa1 } },
    { "hex: upper case",   "FF0a",      2, { 0xff, 0x0a } },
    { "hex: blanks",       "01 02\n03", 3, { 1, 2, 3 } },
    { "hex: fills it all", "01020304",  4, { 1, 2, 3, 4 } },
};
/* clang-format on */

int main(void)
{
    for (size_t i = 0; i < sizeof HEX / sizeof *HEX; i++) {
        uint8_t out[4];
        size_t n = check_hex(HEX[i].text, out, sizeof out);

        check_case(HEX[i].name);
        CHECK_BYTES(out, n, HEX[i].want, HEX[i].n);
    }
    return check_done();
}
