/* The table of keywords, and reading values by it. */
#include "base/conf.h"

#include "base/log.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum kind { TEXT, PATH, URL, FLAG, NUMBER, TIME, SIZE, CHOICE };

#define KIB(n) ((int64_t)(n) << 10)
#define MIB(n) ((int64_t)(n) << 20)
#define GIB(n) ((int64_t)(n) << 30)
#define SECONDS(n) ((int64_t)(n)*1000)
#define AT(field) offsetof(struct conf, field)

static const char *const LEVELS[] = { "error", "warn", "info", "debug", NULL };
static const char *const TLS[] = { "off", "on", "auto", NULL };

/* clang-format off */
static const struct keyword {
    const char *name; /* section, a dot, and the name in it; or the name alone */
    enum kind kind;
    size_t at;
    const char *initial;
    int64_t least, most;       /* of a number, in its unit: bytes, milliseconds */
    const char *const *choice;
    const char *help;
} KEYWORDS[] = {
  { "data_dir",               PATH,   AT(data_dir), "/var/lib/lapel", 0, 0, NULL, "database, payloads, own certificates" },
  { "public_url",             URL,    AT(public_url), "", 0, 0, NULL, "how devices reach this server; its host goes into the own certificate" },
  { "trusted_proxies",        TEXT,   AT(trusted_proxies), "", 0, 0, NULL, "addresses or prefixes whose X-Forwarded-For and -Proto are believed" },
  { "log_level",              CHOICE, AT(log_level), "info", 0, 0, LEVELS, "error, warn, info or debug" },
  { "trust_dir",              PATH,   AT(trust_dir), "", 0, 0, NULL, "public keys (*.pem) of those who sign releases; data_dir/anchors when empty" },
  { "allow_test_keys",        FLAG,   AT(allow_test_keys), "no", 0, 0, NULL, "accept signatures by keys that everybody knows; for tests only" },
  { "ballast",                SIZE,   AT(ballast), "16MiB", 0, GIB(16), NULL, "space kept back, so that a halt works on a full disk" },
  { "online_key",             PATH,   AT(online_key), "", 0, 0, NULL, "private key (PEM, 0600) that signs statements and receipts; made in data_dir when empty" },
  { "backup_keep",            TIME,   AT(backup_keep), "30d", 0, SECONDS(10 * 365 * 86400ll), NULL, "how long you keep backups; erase receipts promise it" },
  { "max_pending",            NUMBER, AT(max_pending), "10000", 1, 1000000, NULL, "changes that wait for the disk before devices are told to come later" },

  { "statement.max_age",      TIME,   AT(statement_max_age), "60s", SECONDS(1), SECONDS(86400), NULL, "how long a statement serves, in a cache too; so late may a halt be there" },
  { "statement.stale_after",  TIME,   AT(statement_stale_after), "0s", 0, SECONDS(366 * 86400ll), NULL, "devices without a fresh one for so long say so; 0 is 7 days or three polls" },

  { "device.listen",          TEXT,   AT(device.listen), "*:8443", 0, 0, NULL, "for devices; empty is off" },
  { "device.tls",             CHOICE, AT(device.tls), "on", 0, 0, TLS, "on, off (only behind a proxy), or auto (off on loopback)" },
  { "device.cert",            PATH,   AT(device.cert), "", 0, 0, NULL, "certificate chain, PEM; of the own CA when empty" },
  { "device.key",             PATH,   AT(device.key), "", 0, 0, NULL, "its private key, PEM" },
  { "device.threads",         NUMBER, AT(device.threads), "2", 1, 64, NULL, "worker threads" },
  { "device.connections",     NUMBER, AT(device.connections), "8192", 8, 100000, NULL, "connections at a time" },

  { "operator.listen",        TEXT,   AT(operator_.listen), "127.0.0.1:8444", 0, 0, NULL, "for operators, publishers and the dashboard" },
  { "operator.tls",           CHOICE, AT(operator_.tls), "auto", 0, 0, TLS, "as above" },
  { "operator.cert",          PATH,   AT(operator_.cert), "", 0, 0, NULL, "as above" },
  { "operator.key",           PATH,   AT(operator_.key), "", 0, 0, NULL, "as above" },
  { "operator.threads",       NUMBER, AT(operator_.threads), "2", 1, 64, NULL, "worker threads" },
  { "operator.connections",   NUMBER, AT(operator_.connections), "256", 8, 100000, NULL, "connections at a time" },

  { "public.listen",          TEXT,   AT(public_.listen), "", 0, 0, NULL, "for everybody: support pages; empty is off" },
  { "public.tls",             CHOICE, AT(public_.tls), "auto", 0, 0, TLS, "as above" },
  { "public.cert",            PATH,   AT(public_.cert), "", 0, 0, NULL, "as above; browsers don't know the own CA" },
  { "public.key",             PATH,   AT(public_.key), "", 0, 0, NULL, "as above" },
  { "public.threads",         NUMBER, AT(public_.threads), "1", 1, 64, NULL, "worker threads" },
  { "public.connections",     NUMBER, AT(public_.connections), "1024", 8, 100000, NULL, "connections at a time" },

  { "limits.header_timeout",  TIME,   AT(header_timeout), "10s", 100, SECONDS(600), NULL, "from connecting to the last header, handshake included" },
  { "limits.body_timeout",    TIME,   AT(body_timeout), "30s", 100, SECONDS(3600), NULL, "for a body, and what min_rate adds" },
  { "limits.response_timeout",TIME,   AT(response_timeout), "30s", 100, SECONDS(3600), NULL, "for a reply, and what min_rate adds" },
  { "limits.idle_timeout",    TIME,   AT(idle_timeout), "60s", 1000, SECONDS(3600), NULL, "between two requests" },
  { "limits.checkins",        NUMBER, AT(checkins), "0", 0, 1000000, NULL, "check-ins a second; more are sent away for a while, but never a device on trial; 0 is no limit" },
  { "limits.min_rate",        SIZE,   AT(min_rate), "1KiB", 1, GIB(1), NULL, "bytes a second that a body or reply must keep up" },
};
/* clang-format on */

enum { KEYWORDS_N = sizeof KEYWORDS / sizeof *KEYWORDS, TEXT_MAX_ = 400 };
_Static_assert(KEYWORDS_N <= 64, "struct conf has a bit for each row");

/* --- Values --- */

static void *field_of(struct conf *c, const struct keyword *k)
{
    return (char *)c + k->at;
}

static const void *const_field_of(const struct conf *c, const struct keyword *k)
{
    return (const char *)c + k->at;
}

static bool is_text(const struct keyword *k)
{
    return k->kind == TEXT || k->kind == PATH || k->kind == URL;
}

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit TIMES[] = { { "ms", 1 },          { "s", 1000 },         { "m", 60000 },
                                     { "h", 3600 * 1000 }, { "d", 86400 * 1000 }, { NULL, 0 } };
static const struct unit SIZES[] = { { "B", 1 },        { "", 1 },         { "KiB", KIB(1) },
                                     { "MiB", MIB(1) }, { "GiB", GIB(1) }, { NULL, 0 } };
static const struct unit NONE[] = { { "", 1 }, { NULL, 0 } };

static const struct unit *units_of(const struct keyword *k)
{
    return k->kind == TIME ? TIMES : k->kind == SIZE ? SIZES : NONE;
}

/* Read digits and a unit. NULL is all well, else what is wrong. */
static const char *read_number(const struct keyword *k, const char *text, int64_t *n_out)
{
    const struct unit *u = units_of(k);
    int64_t n = 0;
    const char *p = text;

    for (; *p >= '0' && *p <= '9'; p++) {
        if (n > (INT64_MAX - 9) / 10)
            return "too large";
        n = n * 10 + (*p - '0');
    }
    while (u->name != NULL && strcmp(u->name, p) != 0)
        u++;
    if (p == text || u->name == NULL)
        return k->kind == TIME   ? "not a time such as 30s, 10m or 2h"
               : k->kind == SIZE ? "not a size such as 64KiB or 2GiB"
                                 : "not a number";
    if (n > INT64_MAX / u->factor)
        return "too large";
    n *= u->factor;
    if (n < k->least || n > k->most)
        return "out of its limits";
    *n_out = n;
    return NULL;
}

static const char *read_choice(const struct keyword *k, const char *text, int64_t *n_out)
{
    for (int i = 0; k->choice[i] != NULL; i++) {
        if (strcmp(k->choice[i], text) == 0) {
            *n_out = i;
            return NULL;
        }
    }
    return "not one of its values";
}

static const char *read_flag(const char *text, bool *flag_out)
{
    *flag_out = strcmp(text, "yes") == 0;
    return *flag_out || strcmp(text, "no") == 0 ? NULL : "not yes or no";
}

static const char *read_text(const struct keyword *k, const char *text, char **text_out)
{
    char *copy;

    if (strlen(text) > TEXT_MAX_)
        return "too long";
    for (const char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return "has a control character";
    }
    if (k->kind == URL && text[0] != '\0' && strncmp(text, "https://", 8) != 0 &&
        strncmp(text, "http://", 7) != 0)
        return "not a URL that starts with https:// or http://";
    copy = strdup(text);
    if (copy == NULL)
        return "no memory";
    free(*text_out);
    *text_out = copy;
    return NULL;
}

/* Set a field. NULL is all well, else what is wrong; the field is unchanged then. */
static const char *assign(struct conf *c, const struct keyword *k, const char *value)
{
    void *field = field_of(c, k);

    switch (k->kind) {
    case FLAG:
        return read_flag(value, field);
    case CHOICE:
        return read_choice(k, value, field);
    case NUMBER:
    case TIME:
    case SIZE:
        return read_number(k, value, field);
    case TEXT:
    case PATH:
    case URL:
        break;
    }
    return read_text(k, value, field);
}

void conf_init(struct conf *c)
{
    memset(c, 0, sizeof *c);
    for (int i = 0; i < KEYWORDS_N; i++) {
        const char *wrong = assign(c, &KEYWORDS[i], KEYWORDS[i].initial);

        if (wrong != NULL) {
            LOG_ERROR("default of %s: %s", KEYWORDS[i].name, wrong);
            abort();
        }
    }
}

void conf_fini(struct conf *c)
{
    for (int i = 0; i < KEYWORDS_N; i++) {
        if (is_text(&KEYWORDS[i])) {
            char **text = field_of(c, &KEYWORDS[i]);

            free(*text);
            *text = NULL;
        }
    }
}

static int find(const char *name)
{
    for (int i = 0; i < KEYWORDS_N; i++) {
        if (strcmp(KEYWORDS[i].name, name) == 0)
            return i;
    }
    return -1;
}

enum err conf_set(struct conf *c, const char *assignment)
{
    const char *equals = strchr(assignment, '=');
    char name[64];
    const char *wrong;
    int i;

    if (equals == NULL || (size_t)(equals - assignment) >= sizeof name)
        return FAIL(ERR_CONFIG, "not NAME=VALUE: %s", assignment);
    memcpy(name, assignment, (size_t)(equals - assignment));
    name[equals - assignment] = '\0';
    i = find(name);
    if (i < 0)
        return FAIL_FIELD(ERR_CONFIG, name, "unknown keyword: %s", name);
    wrong = assign(c, &KEYWORDS[i], equals + 1);
    if (wrong != NULL)
        return FAIL_FIELD(ERR_CONFIG, name, "%s: %s: %s", name, wrong, equals + 1);
    c->given |= UINT64_C(1) << i;
    return ERR_OK;
}

/* --- The file --- */

/* What was read so far. Nothing goes into the struct before the whole file is read. */
struct reading {
    FILE *file;
    const char *name;
    int line;
    int wrong_line; /* 0: nothing was wrong so far */
    char wrong[200];
    uint64_t seen;
    char *value[KEYWORDS_N];
    int value_line[KEYWORDS_N];
};

/* Keep what is wrong first. */
static void note(struct reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(struct reading *r, const char *format, ...)
{
    va_list ap;

    if (r->wrong_line != 0)
        return;
    r->wrong_line = r->line;
    va_start(ap, format);
    vsnprintf(r->wrong, sizeof r->wrong, format, ap);
    va_end(ap);
}

/* Read a line for inih, which would cut a long one in two and take both for lines. */
static char *next_line(char *text, int room, void *ctx)
{
    struct reading *r = ctx;
    size_t n;

    if (r->wrong_line != 0 || fgets(text, room, r->file) == NULL)
        return NULL;
    r->line++;
    n = strlen(text);
    if (n + 1 >= (size_t)room && text[n - 1] != '\n') {
        note(r, "line longer than %d characters", room - 2);
        return NULL;
    }
    return text;
}

static int on_value(void *ctx, const char *section, const char *name, const char *value)
{
    struct reading *r = ctx;
    char full[128];
    int i;

    snprintf(full, sizeof full, "%s%s%s", section, section[0] != '\0' ? "." : "", name);
    i = find(full);
    if (i < 0) {
        note(r, "unknown keyword: %s", full);
        return 1;
    }
    if (r->seen >> i & 1) {
        note(r, "%s was set in line %d already", full, r->value_line[i]);
        return 1;
    }
    r->seen |= UINT64_C(1) << i;
    r->value_line[i] = r->line;
    r->value[i] = strdup(value);
    if (r->value[i] == NULL)
        note(r, "no memory");
    return 1;
}

/* A second struct is filled, so that the first is unchanged when a value is wrong. */
static enum err apply(struct conf *c, struct reading *r)
{
    struct conf trial;
    enum err e = ERR_OK;

    conf_init(&trial);
    for (int i = 0; i < KEYWORDS_N && e == ERR_OK; i++) {
        const char *wrong = r->value[i] != NULL ? assign(&trial, &KEYWORDS[i], r->value[i]) : NULL;

        if (wrong != NULL)
            e = FAIL_FIELD(ERR_CONFIG, KEYWORDS[i].name, "%s:%d: %s: %s: %s", r->name,
                           r->value_line[i], KEYWORDS[i].name, wrong, r->value[i]);
    }
    for (int i = 0; i < KEYWORDS_N && e == ERR_OK; i++) {
        if (r->value[i] != NULL && !(c->given >> i & 1) &&
            assign(c, &KEYWORDS[i], r->value[i]) != NULL)
            e = FAIL(ERR_MEMORY, "%s", KEYWORDS[i].name);
    }
    conf_fini(&trial);
    return e;
}

enum err conf_load(struct conf *c, const char *file)
{
    struct reading r = { .name = file };
    enum err e;
    int bad;

    r.file = fopen(file, "re");
    if (r.file == NULL)
        return FAIL(ERR_CONFIG, "%s: %s", file, strerror(errno));
    bad = ini_parse_stream(next_line, &r, on_value, &r);
    if (bad > 0 && (r.wrong_line == 0 || bad < r.wrong_line))
        e = FAIL(ERR_CONFIG, "%s:%d: neither [section] nor name = value", file, bad);
    else if (r.wrong_line != 0)
        e = FAIL(ERR_CONFIG, "%s:%d: %s", file, r.wrong_line, r.wrong);
    else if (bad != 0 || ferror(r.file))
        e = FAIL(ERR_CONFIG, "%s: can't be read", file);
    else
        e = apply(c, &r);
    fclose(r.file);
    for (int i = 0; i < KEYWORDS_N; i++)
        free(r.value[i]);
    return e;
}

/* --- The whole --- */

/* The host of "host:port" is a loopback address. */
static bool on_loopback(const char *listen)
{
    return strncmp(listen, "127.", 4) == 0 || strncmp(listen, "localhost:", 10) == 0 ||
           strncmp(listen, "[::1]:", 6) == 0;
}

bool conf_uses_tls(const struct conf_listen *l)
{
    return l->tls == CONF_TLS_ON || (l->tls == CONF_TLS_AUTO && !on_loopback(l->listen));
}

/* "host:port" with a port up to 65535; whether the host exists shows when it is listened on. */
static bool is_host_port(const char *listen)
{
    const char *colon = strrchr(listen, ':');
    int port = 0;

    if (colon == NULL || colon == listen || colon[1] == '\0')
        return false;
    for (const char *p = colon + 1; *p != '\0'; p++) {
        if (*p < '0' || *p > '9' || port > 65535)
            return false;
        port = port * 10 + (*p - '0');
    }
    return port <= 65535;
}

static enum err check_listen(const struct conf_listen *l, const char *section)
{
    if (l->listen[0] == '\0')
        return ERR_OK;
    if (!is_host_port(l->listen))
        return FAIL(ERR_CONFIG, "%s.listen: not host:port: %s", section, l->listen);
    if ((l->cert[0] == '\0') != (l->key[0] == '\0'))
        return FAIL(ERR_CONFIG, "%s.cert and %s.key: one needs the other", section, section);
    if (l->threads > l->connections)
        return FAIL(ERR_CONFIG, "%s.threads: more than %s.connections", section, section);
    return ERR_OK;
}

enum err conf_check(const struct conf *c)
{
    enum err e = check_listen(&c->device, "device");

    if (e == ERR_OK)
        e = check_listen(&c->operator_, "operator");
    if (e == ERR_OK)
        e = check_listen(&c->public_, "public");
    if (e == ERR_OK && c->data_dir[0] == '\0')
        e = FAIL(ERR_CONFIG, "data_dir: empty");
    if (e == ERR_OK && c->device.listen[0] == '\0' && c->operator_.listen[0] == '\0' &&
        c->public_.listen[0] == '\0')
        e = FAIL(ERR_CONFIG,
                 "no listener: device.listen, operator.listen and public.listen are empty");
    if (e == ERR_OK && c->operator_.listen[0] != '\0' && !conf_uses_tls(&c->operator_) &&
        !on_loopback(c->operator_.listen) && c->trusted_proxies[0] == '\0')
        e = FAIL(ERR_CONFIG,
                 "operator.tls: off on %s would send tokens in clear; only on loopback, "
                 "or with trusted_proxies",
                 c->operator_.listen);
    return e;
}

static void print_number(const struct keyword *k, int64_t n, FILE *out)
{
    const struct unit *best = units_of(k);

    for (const struct unit *u = best; u->name != NULL; u++) {
        if (n != 0 && n % u->factor == 0 && u->factor >= best->factor)
            best = u;
    }
    fprintf(out, "%lld%s", (long long)(n / best->factor), best->name);
}

static void print_value(const struct conf *c, const struct keyword *k, FILE *out)
{
    const void *field = const_field_of(c, k);

    if (is_text(k))
        fputs(*(char *const *)field, out);
    else if (k->kind == FLAG)
        fputs(*(const bool *)field ? "yes" : "no", out);
    else if (k->kind == CHOICE)
        fputs(k->choice[*(const int64_t *)field], out);
    else
        print_number(k, *(const int64_t *)field, out);
}

void conf_print(const struct conf *c, FILE *out, bool help)
{
    char section[32] = "";

    for (int i = 0; i < KEYWORDS_N; i++) {
        const struct keyword *k = &KEYWORDS[i];
        const char *dot = strchr(k->name, '.');
        size_t n = dot != NULL ? (size_t)(dot - k->name) : 0;

        if (strlen(section) != n || strncmp(section, k->name, n) != 0) {
            snprintf(section, sizeof section, "%.*s", (int)n, k->name);
            fprintf(out, "\n[%s]\n", section);
        }
        if (help)
            fprintf(out, "; %s\n", k->help);
        fprintf(out, "%s = ", dot != NULL ? dot + 1 : k->name);
        print_value(c, k, out);
        fputc('\n', out);
    }
}
