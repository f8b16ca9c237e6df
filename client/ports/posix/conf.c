#include "conf.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "lsuit/cbor.h"
#include "lsuit/uuid.h"

/* inih cuts longer lines in two without a word. */
#define LINE_MAX_BYTES 198
#define FILE_MAX_BYTES 32768

enum kind { TEXT, WORD, URL, PATH, UUID, DIGEST, BOOL, TIME, SIZE, NUMBER };

struct keyword {
    const char *name;
    enum kind kind;
    size_t at;            /* in struct conf */
    uint64_t least, most; /* bytes of a text, otherwise the value */
    const char *help;
};

#define AT(member) offsetof(struct conf, member)
#define CAP(member) (sizeof(((struct conf *)0)->member) - 1)
#define DAY_MS 86400000u

/* clang-format off */
static const struct keyword KEYWORDS[] = {
  { "server",            URL,    AT(server),             1, CAP(server),             "https://host[:port] of the update server" },
  { "server_fallback",   URL,    AT(server_fallback),    1, CAP(server_fallback),    "a second one, tried when the first stays silent" },
  { "product",           TEXT,   AT(product),            1, CAP(product),            "product name at the server" },
  { "model",             TEXT,   AT(model),              1, CAP(model),              "model designation, as on the support page" },
  { "hardware",          TEXT,   AT(hardware),           1, CAP(hardware),           "hardware revision" },
  { "device_id",         TEXT,   AT(device_id),          1, CAP(device_id),          "this device; none checks in anonymously" },
  { "version",           TEXT,   AT(version),            1, CAP(version),            "version of the factory image, for people" },
  { "language",          WORD,   AT(language),           2, CAP(language),           "tag of the language for texts, such as de" },
  { "support_url",       URL,    AT(support_url),        1, CAP(support_url),        "support page of the model" },
  { "token_file",        PATH,   AT(token_file),         1, CAP(token_file),         "file with the device's token, for its owner only" },
  { "token_next_file",   PATH,   AT(token_next_file),    1, CAP(token_next_file),    "the same of a second token, for when the first is refused" },
  { "anonymous_fallback", BOOL,  AT(anonymous_fallback), 0, 1,                       "check in without a name where each token is refused" },
  { "ca_file",           PATH,   AT(ca_file),            1, CAP(ca_file),            "PEM file of the authorities that vouch for the server" },
  { "server_key",        DIGEST, AT(server_key[0]),      0, 0,                       "SHA-256 of the server's public key, instead of ca_file" },
  { "server_key_next",   DIGEST, AT(server_key[1]),      0, 0,                       "and of the key that it will have next" },
  { "release_keys",      PATH,   AT(release_keys_path),  1, CAP(release_keys_path),  "PEM file or folder: who may sign releases" },
  { "online_keys",       PATH,   AT(online_keys_path),   1, CAP(online_keys_path),   "PEM file or folder: who may sign statements" },
  { "trust_set",         PATH,   AT(trust_path),         1, CAP(trust_path),         "the factory's trust set, made by `lapel trust`; then release_keys may be left out" },
  { "seal_key",          PATH,   AT(seal_key),           1, CAP(seal_key),           "file with this device's own key, made when absent; state_dir/seal.key" },
  { "allow_test_keys",   BOOL,   AT(allow_test_keys),    0, 1,                       "accept published test keys as release keys" },
  { "vendor_domain",     WORD,   AT(vendor_domain),      3, CAP(vendor_domain),      "gives vendor_id and class_id (UUIDv5)" },
  { "vendor_id",         UUID,   AT(vendor_id),          0, 0,                       "vendor identifier, instead of vendor_domain" },
  { "class_id",          UUID,   AT(class_id),           0, 0,                       "class identifier, instead of vendor_domain" },
  { "device_uuid",       UUID,   AT(device_uuid),        0, 0,                       "identifier for manifests made for one device" },
  { "state_dir",         PATH,   AT(state_dir),          1, CAP(state_dir),          "folder of the agent's own records" },
  { "slots_dir",         PATH,   AT(slots_dir),          1, CAP(slots_dir),          "folder of the slots; state_dir when not given" },
  { "slot_size",         SIZE,   AT(slot_size),          1, UINT64_C(1) << 40,       "largest image, for instance 64M" },
  { "factory_sequence",  NUMBER, AT(factory_sequence),   0, INT64_MAX,               "sequence number of the factory image" },
  { "socket",            PATH,   AT(socket),             1, CAP(socket),             "Unix socket of the local commands" },
  { "socket_group",      WORD,   AT(socket_group),       1, CAP(socket_group),       "group that may use the socket" },
  { "event_log",         PATH,   AT(event_log),          1, CAP(event_log),          "file that gets each event as a JSON line" },
  { "user_data",         PATH,   AT(user_data),          1, CAP(user_data),          "folder that a factory reset empties" },
  { "first_check",       TIME,   AT(first_check_ms),     1, DAY_MS,                  "first check after start comes within this" },
  { "period",            TIME,   AT(period_ms),          30000, 7 * DAY_MS,          "time between checks until the server says otherwise" },
  { "hooks_dir",         PATH,   AT(hooks_dir),          1, CAP(hooks_dir),          "folder of the executables gate, event, health, reset" },
  { "hook_timeout",      TIME,   AT(hook_timeout_ms),    10, 3600000,                "a hook that runs longer is killed" },
  { "hook_wait",         TIME,   AT(hook_wait_ms),       10, DAY_MS,                 "ask a gate again after this when it said wait" },
  { "boot_command",      PATH,   AT(boot_command),       1, CAP(boot_command),       "starts the product; %slot and %dir are filled in" },
  { "boot_timeout",      TIME,   AT(boot_timeout_ms),    10, 3600000,                "a boot command that runs longer has failed" },
  { "trial_starts",      NUMBER, AT(trial_starts),       1, 10,                      "starts that an unconfirmed image gets" },
  { "reboot",            PATH,   AT(reboot),             1, CAP(reboot),             "exec, exit (code 75), or a command" },
  { "connect_timeout",   TIME,   AT(connect_timeout_ms), 100, 600000,                "give up on one address of the server" },
  { "max_fragment",      NUMBER, AT(max_fragment),       512, 4096,                  "TLS record size to ask for: 512, 1024, 2048, 4096" },
  { "cdn",               BOOL,   AT(cdn),                0, 1,                       "the server is files (lapel site export --channel): statements, no check-ins" },
  { "allow_clear",       BOOL,   AT(allow_clear),        0, 1,                       "payloads may travel without TLS" },
  { "clear_credentials", WORD,   AT(clear_credentials),  1, CAP(clear_credentials),  "i-know: talk to a server without TLS (tests only)" },
};
/* clang-format on */
#define KEYWORDS_N (sizeof KEYWORDS / sizeof KEYWORDS[0])

/* What is collected before anything is believed. */
struct reader {
    struct conf *c;
    bool seen[KEYWORDS_N];
    char why[200];
};

static bool wrong(struct reader *r, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static bool wrong(struct reader *r, const char *name, const char *fmt, ...)
{
    va_list ap;
    int n = snprintf(r->why, sizeof r->why, "%.40s: ", name);

    va_start(ap, fmt);
    (void)vsnprintf(r->why + n, sizeof r->why - (size_t)n, fmt, ap);
    va_end(ap);
    return false;
}

static struct lsuit_bytes bytes_of(const char *text)
{
    return (struct lsuit_bytes){ (const uint8_t *)text, strlen(text) };
}

static const struct keyword *find_keyword(const char *name)
{
    for (size_t i = 0; i < KEYWORDS_N; i++) {
        const char *a = KEYWORDS[i].name;
        const char *b = name;

        while (*a != '\0' && (*a == *b || (*a == '_' && *b == '-'))) {
            a++;
            b++;
        }
        if (*a == '\0' && *b == '\0')
            return &KEYWORDS[i];
    }
    return NULL;
}

bool conf_knows(const char *name)
{
    return find_keyword(name) != NULL;
}

void conf_print_keywords(void)
{
    for (size_t i = 0; i < KEYWORDS_N; i++)
        printf("  %-18s %s\n", KEYWORDS[i].name, KEYWORDS[i].help);
}

/* Digits only, no sign, no space; `end_out` is where they stop. */
static bool number_parse(const char *text, uint64_t *value_out, const char **end_out)
{
    uint64_t v = 0;

    if (!isdigit((unsigned char)text[0]))
        return false;
    for (; isdigit((unsigned char)*text); text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        if (v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *value_out = v;
    *end_out = text;
    return true;
}

bool conf_duration(const char *text, uint64_t *ms_out)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } UNITS[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", DAY_MS } };
    uint64_t sum = 0;

    if (strcmp(text, "0") == 0) {
        *ms_out = 0;
        return true;
    }
    do {
        uint64_t n = 0;
        uint64_t unit = 0;

        if (!number_parse(text, &n, &text) || n > 366 * (uint64_t)DAY_MS)
            return false;
        for (size_t i = 0; i < sizeof UNITS / sizeof UNITS[0] && unit == 0; i++) {
            size_t len = strlen(UNITS[i].unit);
            if (strncmp(text, UNITS[i].unit, len) == 0 && !isalpha((unsigned char)text[len])) {
                unit = UNITS[i].ms;
                text += len;
            }
        }
        if (unit == 0)
            return false;
        sum += n * unit; /* both are small enough: < 2^35 * 2^27 */
        if (sum > 366 * (uint64_t)DAY_MS)
            return false;
    } while (*text != '\0');
    *ms_out = sum;
    return true;
}

static bool size_parse(const char *text, uint64_t *value_out)
{
    const char *end = NULL;
    uint64_t v = 0;
    unsigned shift = 0;

    if (!number_parse(text, &v, &end))
        return false;
    if (*end != '\0') {
        shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;
        if (shift == 0 || end[1] != '\0' || v > UINT64_MAX >> shift)
            return false;
    }
    *value_out = v << shift;
    return true;
}

/* Texts go into logs, JSON and CBOR: valid UTF-8 without control characters. */
static bool is_clean_utf8(const char *s)
{
    const unsigned char *p = (const unsigned char *)s;

    while (*p != '\0') {
        unsigned more = 0;
        uint32_t v = *p;

        if (*p < 0x20 || *p == 0x7f)
            return false;
        if (*p >= 0x80) {
            more = *p >= 0xf0 ? 3 : *p >= 0xe0 ? 2 : 1;
            v = *p & (0x3fu >> more);
            if (*p < 0xc2 || *p > 0xf4)
                return false;
        }
        p++;
        for (unsigned i = 0; i < more; i++, p++) {
            if ((*p & 0xc0) != 0x80)
                return false;
            v = v << 6 | (*p & 0x3fu);
        }
        if ((more == 2 && v < 0x800) || (more == 3 && (v < 0x10000 || v > 0x10ffff)) ||
            (v >= 0xd800 && v <= 0xdfff))
            return false;
    }
    return true;
}

static bool is_word(const char *s)
{
    for (; *s != '\0'; s++)
        if (!isalnum((unsigned char)*s) && strchr("._-", *s) == NULL)
            return false;
    return true;
}

/* scheme://host[:port]; a support page may have a path, a server not. Copies without a '/' at
 * the end. */
static const char *url_wrong(const char *url, bool path_ok)
{
    const char *host = NULL;
    const char *end = NULL;

    if (strncmp(url, "https://", 8) == 0)
        host = url + 8;
    else if (strncmp(url, "http://", 7) == 0)
        host = url + 7;
    else
        return "must begin with https://";
    if (host[0] == '[') {
        end = host + 1 + strspn(host + 1, "0123456789abcdefABCDEF:.");
        if (*end != ']' || end == host + 1)
            return "no address between the brackets";
        end++;
    } else {
        end = host;
        while (isalnum((unsigned char)*end) || *end == '.' || *end == '-')
            end++;
        if (end == host)
            return "no host name";
    }
    if (*end == ':') {
        uint64_t port = 0;
        if (!number_parse(end + 1, &port, &end) || port < 1 || port > 65535)
            return "port: 1 to 65535";
    }
    if (*end == '\0' || (*end == '/' && (path_ok || end[1] == '\0')))
        return NULL;
    return "only https://host or https://host:port";
}

static bool set_text(struct reader *r, const struct keyword *k, const char *value)
{
    char *to = (char *)r->c + k->at;
    size_t n = strlen(value);
    bool is_server = strncmp(k->name, "server", 6) == 0;

    if (n < k->least || n > k->most)
        return wrong(r, k->name, "%zu bytes; %llu to %llu are possible", n,
                     (unsigned long long)k->least, (unsigned long long)k->most);
    if (!is_clean_utf8(value))
        return wrong(r, k->name, "not printable UTF-8");
    if (k->kind == WORD && !is_word(value))
        return wrong(r, k->name, "only letters, digits and . _ -");
    if (k->kind == URL && url_wrong(value, !is_server) != NULL)
        return wrong(r, k->name, "%s", url_wrong(value, !is_server));
    memcpy(to, value, n + 1);
    if (is_server && to[n - 1] == '/')
        to[n - 1] = '\0';
    return true;
}

static bool set_number(struct reader *r, const struct keyword *k, const char *value)
{
    uint64_t v = 0;
    const char *end = "";
    bool ok = k->kind == TIME   ? conf_duration(value, &v)
              : k->kind == SIZE ? size_parse(value, &v)
                                : number_parse(value, &v, &end) && *end == '\0';

    if (!ok)
        return wrong(r, k->name, "not a %s",
                     k->kind == TIME   ? "duration such as 30s, 2h or 1h30m"
                     : k->kind == SIZE ? "size such as 512K or 64M"
                                       : "number");
    if (v < k->least || v > k->most)
        return wrong(r, k->name, "out of range; %llu to %llu%s are possible",
                     (unsigned long long)k->least, (unsigned long long)k->most,
                     k->kind == TIME ? " ms" : "");
    memcpy((char *)r->c + k->at, &v, sizeof v);
    return true;
}

/* Exactly n bytes in hex. */
static bool hex_parse(const char *text, size_t digits, uint8_t *bytes_out, size_t n)
{
    if (digits != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        const char pair[3] = { text[2 * i], text[2 * i + 1], '\0' };
        if (!isxdigit((unsigned char)pair[0]) || !isxdigit((unsigned char)pair[1]))
            return false;
        bytes_out[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return true;
}

static bool set_value(struct reader *r, const struct keyword *k, const char *value)
{
    switch (k->kind) {
    case BOOL: {
        bool *to = (bool *)(void *)((char *)r->c + k->at);
        if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
            return wrong(r, k->name, "yes or no");
        *to = value[0] == 'y';
        return true;
    }
    case UUID: {
        struct conf_uuid *to = (struct conf_uuid *)(void *)((char *)r->c + k->at);
        if (lsuit_uuid_parse(bytes_of(value), to->bytes) != LSUIT_OK)
            return wrong(r, k->name, "not a UUID (8-4-4-4-12 hex digits)");
        to->set = true;
        return true;
    }
    case DIGEST: {
        struct conf_digest *to = (struct conf_digest *)(void *)((char *)r->c + k->at);
        if (!hex_parse(value, strlen(value), to->bytes, sizeof to->bytes))
            return wrong(r, k->name, "not 64 hex digits");
        to->set = true;
        return true;
    }
    case TIME:
    case SIZE:
    case NUMBER:
        return set_number(r, k, value);
    case TEXT:
    case WORD:
    case URL:
    case PATH:
        break;
    }
    return set_text(r, k, value);
}

/* One segment of a component identifier: text, or hex after "hex:". */
static bool put_segment(struct lsuit_cbor_writer *w, const char *s, size_t n)
{
    uint8_t bytes[CONF_ID_MAX];
    size_t len = 0;

    if (n >= 4 && memcmp(s, "hex:", 4) == 0) {
        len = (n - 4) / 2;
        if (len > sizeof bytes || !hex_parse(s + 4, n - 4, bytes, len))
            return false;
    } else {
        if (n > sizeof bytes)
            return false;
        memcpy(bytes, s, n);
        len = n;
    }
    if (len == 0)
        return false;
    lsuit_put_bstr(w, (struct lsuit_bytes){ bytes, len });
    return true;
}

static bool component_id(const char *value, struct conf_component *c)
{
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(c->id, sizeof c->id);
    struct lsuit_bytes doc = { 0 };
    uint32_t segments = 1;

    for (const char *p = value; *p != '\0'; p++)
        segments += *p == '/';
    lsuit_put_array(&w, segments);
    for (uint32_t i = 0; i < segments; i++) {
        size_t n = strcspn(value, "/");
        if (!put_segment(&w, value, n))
            return false;
        value += n + 1;
    }
    if (lsuit_put_finish(&w, &doc) != LSUIT_OK)
        return false;
    c->id_n = doc.len;
    return true;
}

static bool set_component(struct reader *r, const char *name, const char *value)
{
    struct conf *c = r->c;
    struct conf_component *to = &c->component[c->component_n];
    size_t n = strlen(name);

    if (c->component_n == CONF_COMPONENTS_MAX)
        return wrong(r, name, "more than %d components", CONF_COMPONENTS_MAX);
    /* The name becomes a file's name: nothing in it may lead out of the slot. */
    if (n == 0 || n >= sizeof to->name || !is_word(name) || name[0] == '.')
        return wrong(r, name, "a component's name has 1 to 32 letters, digits, . _ -");
    for (size_t i = 0; i < c->component_n; i++)
        if (strcmp(c->component[i].name, name) == 0)
            return wrong(r, name, "given twice");
    memcpy(to->name, name, n + 1);
    if (!component_id(value, to))
        return wrong(r, name, "not a component identifier (text/text or hex:00)");
    for (size_t i = 0; i < c->component_n; i++)
        if (c->component[i].id_n == to->id_n && memcmp(c->component[i].id, to->id, to->id_n) == 0)
            return wrong(r, name, "another component has this identifier");
    c->component_n++;
    return true;
}

static int ini_take(void *user, const char *section, const char *name, const char *value)
{
    struct reader *r = user;
    const struct keyword *k = NULL;

    if (r->why[0] != '\0')
        return 0;
    if (strcmp(section, "components") == 0)
        return set_component(r, name, value);
    if (section[0] != '\0')
        return wrong(r, section, "no such section; there is [components]");
    k = find_keyword(name);
    if (k == NULL || strcmp(k->name, name) != 0)
        return wrong(r, name, "no such keyword");
    if (r->seen[k - KEYWORDS])
        return wrong(r, name, "given twice");
    r->seen[k - KEYWORDS] = true;
    return set_value(r, k, value);
}

/* What inih would take apart or pass over in silence. 0, or the number of the bad line. */
static int bad_line(const char *text, size_t n, const char **why_out)
{
    int line = 1;
    size_t begin = 0;

    for (size_t i = 0; i <= n; i++) {
        if (i < n && text[i] == '\0') {
            *why_out = "a NUL byte";
            return line;
        }
        if (i < n && text[i] != '\n')
            continue;
        if (i - begin > LINE_MAX_BYTES) {
            *why_out = "longer than 198 bytes";
            return line;
        }
        if (i > begin && (text[begin] == ' ' || text[begin] == '\t')) {
            size_t k = begin;
            while (k < i && isspace((unsigned char)text[k]))
                k++;
            if (k < i && text[k] != '#' && text[k] != ';') {
                *why_out = "begins with a space; a value has one line";
                return line;
            }
        }
        line++;
        begin = i + 1;
    }
    return 0;
}

static bool read_file(const char *path, struct reader *r, char *why, size_t why_n)
{
    char *text = malloc(FILE_MAX_BYTES + 1);
    const char *reason = NULL;
    bool ok = false;
    ssize_t n = 0;
    int line = 0;

    if (text == NULL)
        return false;
    n = file_read(AT_FDCWD, path, text, FILE_MAX_BYTES);
    if (n < 0) {
        (void)snprintf(why, why_n, "%s: %s", path, strerror(errno));
        goto out;
    }
    text[n] = '\0';
    line = bad_line(text, (size_t)n, &reason);
    if (line == 0) {
        line = ini_parse_string(text, ini_take, r);
        reason = r->why[0] != '\0' ? r->why : "not \"keyword = value\"";
    }
    if (line != 0)
        (void)snprintf(why, why_n, "%s:%d: %s", path, line, reason);
    ok = line == 0;
out:
    free(text);
    return ok;
}

static bool defaults_fill(struct reader *r)
{
    struct conf *c = r->c;

    if (c->slots_dir[0] == '\0')
        memcpy(c->slots_dir, c->state_dir, sizeof c->slots_dir);
    if (c->socket[0] == '\0' &&
        snprintf(c->socket, sizeof c->socket, "%s/control", c->state_dir) >= (int)sizeof c->socket)
        return wrong(r, "socket", "state_dir is too long for a Unix socket; name a shorter path");
    if (c->seal_key[0] == '\0' && snprintf(c->seal_key, sizeof c->seal_key, "%s/seal.key",
                                           c->state_dir) >= (int)sizeof c->seal_key)
        return wrong(r, "seal_key", "state_dir is too long; name a shorter path");
    if (c->component_n == 0) /* one image, named as in the templates of manifests/ */
        return set_component(r, "main", "main");
    return true;
}

/* Rules that need more than one keyword. */
static bool whole_check(struct reader *r)
{
    struct conf *c = r->c;
    bool clear =
        strncmp(c->server, "http:", 5) == 0 || strncmp(c->server_fallback, "http:", 5) == 0;

    if (c->product[0] == '\0')
        return wrong(r, "product", "must be given");
    if (c->model[0] == '\0')
        return wrong(r, "model", "must be given");
    if (c->server[0] == '\0')
        return wrong(r, "server", "must be given");
    if (c->release_keys_path[0] == '\0' && c->trust_path[0] == '\0')
        return wrong(r, "release_keys", "must be given, or trust_set");
    if (c->token_file[0] != '\0' && c->device_id[0] == '\0')
        return wrong(r, "device_id", "must be given with token_file");
    if (c->token_next_file[0] != '\0' && c->token_file[0] == '\0')
        return wrong(r, "token_file", "must be given with token_next_file");
    if (c->vendor_domain[0] == '\0' && (!c->vendor_id.set || !c->class_id.set))
        return wrong(r, "vendor_domain", "must be given, or vendor_id and class_id");
    if (c->vendor_domain[0] != '\0' && (c->vendor_id.set || c->class_id.set))
        return wrong(r, "vendor_domain", "and vendor_id or class_id exclude each other");
    if (c->clear_credentials[0] != '\0' && strcmp(c->clear_credentials, "i-know") != 0)
        return wrong(r, "clear_credentials", "the only value is i-know");
    if (c->cdn && c->online_keys_path[0] == '\0' && c->trust_path[0] == '\0')
        return wrong(r, "online_keys", "or trust_set must be given with cdn");
    if (clear && c->clear_credentials[0] == '\0' && !(c->cdn && c->allow_clear))
        return wrong(r, "server", "http:// sends credentials in clear (see clear_credentials)");
    if (c->server_key[1].set && !c->server_key[0].set)
        return wrong(r, "server_key", "must be given with server_key_next");
    if (c->max_fragment != 0 && (c->max_fragment & (c->max_fragment - 1)) != 0)
        return wrong(r, "max_fragment", "512, 1024, 2048 or 4096");
    return true;
}

static bool ids_derive(struct reader *r)
{
    struct conf *c = r->c;

    if (c->vendor_domain[0] == '\0')
        return true;
    if (lsuit_uuid_vendor(bytes_of(c->vendor_domain), c->vendor_id.bytes) != LSUIT_OK ||
        lsuit_uuid_class(c->vendor_id.bytes, bytes_of(c->model), c->class_id.bytes) != LSUIT_OK)
        return wrong(r, "vendor_domain", "this build of the crypto library has no SHA-1");
    c->vendor_id.set = c->class_id.set = true;
    return true;
}

bool conf_read(const char *path, const struct conf_arg *args, size_t args_n, struct conf *c_out,
               char *why, size_t why_n)
{
    struct conf *c = calloc(1, sizeof *c);
    struct reader *r = calloc(1, sizeof *r);
    bool ok = false;

    if (c == NULL || r == NULL)
        goto out;
    *c = (struct conf){ .state_dir = "/var/lib/lapel-agent",
                        .ca_file = "/etc/ssl/certs/ca-certificates.crt",
                        .slot_size = 64 << 20,
                        .hook_timeout_ms = 30000,
                        .hook_wait_ms = 60000,
                        .boot_timeout_ms = 30000,
                        .trial_starts = 1,
                        .connect_timeout_ms = 10000,
                        .reboot = "exit" };
    r->c = c;
    if (path != NULL) {
        if (snprintf(c->path, sizeof c->path, "%s", path) >= (int)sizeof c->path) {
            (void)snprintf(why, why_n, "%.40s...: the path is too long", path);
            goto out;
        }
        if (!read_file(path, r, why, why_n))
            goto out;
    }
    ok = true;
    for (size_t i = 0; i < args_n && ok; i++)
        ok = find_keyword(args[i].name) != NULL
                 ? set_value(r, find_keyword(args[i].name), args[i].value)
                 : wrong(r, args[i].name, "no such keyword");
    ok = ok && defaults_fill(r) && whole_check(r) && ids_derive(r);
    if (ok)
        *c_out = *c;
    else
        (void)snprintf(why, why_n, "%s%s%s", path != NULL ? path : "", path != NULL ? ": " : "",
                       r->why);
out:
    free(c);
    free(r);
    return ok;
}

static bool read_token(const char *keyword, const char *path, char *token_out, char *why,
                       size_t why_n)
{
    static const char ALPHABET[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char text[CONF_TOKEN_LEN + 3] = "";
    const char *wrong = NULL;
    ssize_t n = 0;

    if (path[0] == '\0')
        return true;
    if (file_others(AT_FDCWD, path) > 0) { /* provision 5.4-1 */
        wrong = "not for its owner only (mode 0600)";
    } else {
        n = file_read(AT_FDCWD, path, text, sizeof text - 1);
        if (n < 0)
            wrong = strerror(errno);
        if (n > CONF_TOKEN_LEN && text[n - 1] == '\n')
            n--;
        if (wrong == NULL && (n != CONF_TOKEN_LEN || strspn(text, ALPHABET) != CONF_TOKEN_LEN))
            wrong = "not 43 base64url characters";
    }
    if (wrong != NULL) {
        (void)snprintf(why, why_n, "%s: %s: %s", keyword, path, wrong);
        return false;
    }
    memcpy(token_out, text, CONF_TOKEN_LEN);
    token_out[CONF_TOKEN_LEN] = '\0';
    return true;
}

bool conf_read_token(struct conf *c, char *why, size_t why_n)
{
    return read_token("token_file", c->token_file, c->token, why, why_n) &&
           read_token("token_next_file", c->token_next_file, c->token_next, why, why_n);
}

void conf_free(struct conf *c)
{
    if (c == NULL)
        return;
    explicit_bzero(c->token, sizeof c->token);
    explicit_bzero(c->token_next, sizeof c->token_next);
    free(c);
}

/* The factory's trust set, which must not be others' to change. */
static const char *read_trust(struct conf *c)
{
    struct lsuit_bytes doc = { c->trust, 0 };
    struct lsuit_trust_doc parts;
    struct lsuit_trust set;
    ssize_t n = file_read(AT_FDCWD, c->trust_path, c->trust, sizeof c->trust);
    int others = file_others(AT_FDCWD, c->trust_path);

    if (n == FILE_TOO_BIG)
        return "larger than 2048 bytes";
    if (n < 0 || others < 0)
        return strerror(errno);
    if ((others & FILE_OTHERS_WRITE) != 0)
        return "others may write it, or a stranger owns it";
    doc.len = c->trust_n = (size_t)n;
    if (lsuit_trust_doc_read(doc, &parts, NULL) != LSUIT_OK ||
        lsuit_trust_read(parts.payload, &set, NULL) != LSUIT_OK)
        return "not a trust set";
    if (!c->allow_test_keys && lsuit_trust_has_published(&set))
        return "it names a published test key: anybody can sign with it (see allow_test_keys)";
    return NULL;
}

bool conf_read_keys(struct conf *c, char *why, size_t why_n)
{
    char reason[200] = "";
    const char *wrong = c->trust_path[0] != '\0' ? read_trust(c) : NULL;

    if (wrong != NULL) {
        (void)snprintf(why, why_n, "trust_set: %s: %s", c->trust_path, wrong);
        return false;
    }
    if (c->release_keys_path[0] != '\0' &&
        !key_load(c->release_keys_path, &c->release_keys, reason, sizeof reason)) {
        (void)snprintf(why, why_n, "release_keys: %s", reason);
        return false;
    }
    if (c->online_keys_path[0] != '\0' &&
        !key_load(c->online_keys_path, &c->online_keys, reason, sizeof reason)) {
        (void)snprintf(why, why_n, "online_keys: %s", reason);
        return false;
    }
    if (!c->allow_test_keys &&
        (key_find_test(&c->release_keys) >= 0 || key_find_test(&c->online_keys) >= 0)) {
        (void)snprintf(why, why_n,
                       "release_keys: a published test key: anybody can sign with it "
                       "(see allow_test_keys)");
        return false;
    }
    /* A key has one role: what signs statements all day must not be able to sign a release. */
    for (size_t i = 0; i < c->release_keys.n; i++)
        for (size_t k = 0; k < c->online_keys.n; k++)
            if (memcmp(c->release_keys.point[i], c->online_keys.point[k], LSUIT_P256_POINT_LEN) ==
                0) {
                (void)snprintf(why, why_n, "online_keys: a release key must not be an online key");
                return false;
            }
    return true;
}

bool conf_load(const char *path, const struct conf_arg *args, size_t args_n, struct conf *c_out,
               char *why, size_t why_n)
{
    return conf_read(path, args, args_n, c_out, why, why_n) && conf_read_token(c_out, why, why_n) &&
           conf_read_keys(c_out, why, why_n);
}
