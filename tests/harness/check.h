/*
 * Table tests in C: a line for each failing case, "N passed, N failed" at the end.
 *
 *     for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
 *         check_case(ROWS[i].name);
 *         CHECK_INT(decide(&ROWS[i].in), ROWS[i].want);
 *     }
 *     return check_done();
 *
 * A case passes when it made at least one check and all of them held, so a case that asserts
 * nothing is a failure. Include it from one file of a program: the counters stand here.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    char name[160]; /* of the case at work, empty before the first */
    int checks;     /* made in it */
    int broken;     /* of these */
    int passed;     /* cases */
    int failed;
} check_state;

/* End the case at work, if there is one, and count it. */
static inline void check_end(void)
{
    if (check_state.name[0] == '\0')
        return;
    if (check_state.checks == 0)
        printf("FAIL %s: the case checks nothing\n", check_state.name);
    if (check_state.checks > 0 && check_state.broken == 0)
        check_state.passed++;
    else
        check_state.failed++;
    check_state.name[0] = '\0';
}

/* Start a case. The name is copied. */
static inline void check_case(const char *name)
{
    check_end();
    snprintf(check_state.name, sizeof check_state.name, "%s", name);
    check_state.checks = 0;
    check_state.broken = 0;
}

/* Count one check; true when it held. A check outside a case makes a case of its own. */
static inline bool check_that(bool held, const char *file, int line, const char *what)
{
    if (check_state.name[0] == '\0')
        check_case("(no case)");
    check_state.checks++;
    if (!held) {
        check_state.broken++;
        printf("FAIL %s: %s:%d: %s", check_state.name, file, line, what);
    }
    return held;
}

static inline bool check_int(int64_t got, int64_t want, const char *file, int line,
                             const char *what)
{
    bool held = check_that(got == want, file, line, what);

    if (!held)
        printf(" is %lld, want %lld\n", (long long)got, (long long)want);
    return held;
}

static inline bool check_uint(uint64_t got, uint64_t want, const char *file, int line,
                              const char *what)
{
    bool held = check_that(got == want, file, line, what);

    if (!held)
        printf(" is %llu, want %llu\n", (unsigned long long)got, (unsigned long long)want);
    return held;
}

static inline bool check_str(const char *got, const char *want, const char *file, int line,
                             const char *what)
{
    bool same = got == want || (got != NULL && want != NULL && strcmp(got, want) == 0);
    bool held = check_that(same, file, line, what);

    if (!held)
        printf(" is \"%s\", want \"%s\"\n", got != NULL ? got : "(null)",
               want != NULL ? want : "(null)");
    return held;
}

static inline void check_print_hex(const char *label, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;

    printf("     %s (%zu) ", label, n);
    for (size_t i = 0; i < n && i < 256; i++)
        printf("%02x", p[i]);
    printf("%s\n", n > 256 ? "..." : "");
}

static inline bool check_bytes(const void *got, size_t got_n, const void *want, size_t want_n,
                               const char *file, int line, const char *what)
{
    bool same = got_n == want_n && (got_n == 0 || memcmp(got, want, got_n) == 0);
    bool held = check_that(same, file, line, what);

    if (!held) {
        printf(" differs\n");
        check_print_hex("got ", got, got_n);
        check_print_hex("want", want, want_n);
    }
    return held;
}

/* Each yields whether it held, for `if (!CHECK(p != NULL)) continue;`. */
#define CHECK(cond) \
    (check_that((cond), __FILE__, __LINE__, #cond) ? true : (printf(" does not hold\n"), false))
#define CHECK_INT(got, want) check_int((got), (want), __FILE__, __LINE__, #got)
#define CHECK_UINT(got, want) check_uint((got), (want), __FILE__, __LINE__, #got)
#define CHECK_STR(got, want) check_str((got), (want), __FILE__, __LINE__, #got)
#define CHECK_BYTES(got, got_n, want, want_n) \
    check_bytes((got), (got_n), (want), (want_n), __FILE__, __LINE__, #got)

/*
 * Read hexadecimal digits, blanks skipped, so that a table can hold bytes as text.
 * Returns how many bytes stand in out; ends the program when the text is no hex or too long,
 * for then the table is wrong.
 */
static inline size_t check_hex(const char *text, uint8_t *out, size_t size)
{
    size_t n = 0;
    int high = -1;

    for (const char *p = text; *p != '\0'; p++) {
        static const char DIGITS[] = "0123456789abcdef0123456789ABCDEF";
        const char *d = strchr(DIGITS, *p);

        if (*p == ' ' || *p == '\n')
            continue;
        if (d == NULL || n == size) {
            printf("FAIL %s: bad hex in the table: %s\n", check_state.name, text);
            exit(1);
        }
        int digit = (int)((d - DIGITS) % 16);
        if (high < 0) {
            high = digit;
        } else {
            out[n++] = (uint8_t)(high * 16 + digit);
            high = -1;
        }
    }
    if (high >= 0) {
        printf("FAIL %s: half a byte in the table: %s\n", check_state.name, text);
        exit(1);
    }
    return n;
}

/* Print the closing line. Returns the exit code of the program. */
static inline int check_done(void)
{
    check_end();
    printf("%d passed, %d failed\n", check_state.passed, check_state.failed);
    return check_state.failed == 0 && check_state.passed > 0 ? 0 : 1;
}

#endif
