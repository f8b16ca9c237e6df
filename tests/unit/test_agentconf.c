/* The agent's configuration: each keyword with good and bad values; what is wrong is named. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "doc.h"
#include "ports/posix/conf.h"
#include "ports/posix/crypto.h"

static char folder[] = "/tmp/test_agentconf.XXXXXX";
static char path[64];

/* What every row has unless it says otherwise. `@` is the folder. */
#define WHOLE                            \
    "server = https://updates.example\n" \
    "product = lamp\n"                   \
    "model = L-1\n"                      \
    "release_keys = @/key.pem\n"         \
    "vendor_domain = example.com\n"
#define LINE_190 \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
#define HEX_63 "123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF"

/* clang-format off */
static const struct {
    const char *name;
    const char *text; /* over WHOLE, a line "-keyword" takes one away */
    const char *want; /* NULL: accepted; else in the reason */
} ROWS[] = {
    { "whole",                      "", NULL },
    { "comment and blank lines",    "# a comment\n\n; another\n", NULL },
    { "no server",                  "-server\n", "server: must be given" },
    { "no product",                 "-product\n", "product: must be given" },
    { "no model",                   "-model\n", "model: must be given" },
    { "no release_keys",            "-release_keys\n", "release_keys: must be given" },
    { "no vendor",                  "-vendor_domain\n", "vendor_domain: must be given" },
    { "unknown keyword",            "colour = red\n", "6: colour: no such keyword" },
    { "dash in the file",           "first-check = 1s\n", "6: first-check: no such keyword" },
    { "twice",                      "product = lamp\n", "6: product: given twice" },
    { "no value",                   "hardware\n", "6: not \"keyword = value\"" },
    { "empty value",                "hardware =\n", "6: hardware: 0 bytes" },
    { "unknown section",            "[colours]\nred = 1\n", "7: colours: no such section" },
    { "line of 198 bytes",          "version=" LINE_190 "\n", "6: version: 190 bytes" },
    { "line too long",              "version=" LINE_190 "0\n", "6: longer than 198 bytes" },
    { "value on two lines",         "hardware = a\n b\n", "7: begins with a space" },
    { "server: no scheme",          "-server\nserver = updates.example\n", "server: must begin with https://" },
    { "server: other scheme",       "-server\nserver = ftp://a\n", "server: must begin with https://" },
    { "server: path",               "-server\nserver = https://a/b\n", "server: only https://host" },
    { "server: user",               "-server\nserver = https://u@a\n", "server: only https://host" },
    { "server: no host",            "-server\nserver = https://:80\n", "server: no host name" },
    { "server: port 0",             "-server\nserver = https://a:0\n", "server: port: 1 to 65535" },
    { "server: port 65536",         "-server\nserver = https://a:65536\n", "server: port: 1 to 65535" },
    { "server: port text",          "-server\nserver = https://a:x\n", "server: port: 1 to 65535" },
    { "server: port 65535, slash",  "-server\nserver = https://a:65535/\n", NULL },
    { "server: IPv6",               "-server\nserver = https://[::1]:8443\n", NULL },
    { "server: IPv6, no end",       "-server\nserver = https://[::1\n", "server: no address" },
    { "server: clear",              "-server\nserver = http://a\n", "server: http:// sends credentials in clear" },
    { "server: clear, fallback",    "server_fallback = http://a\n", "server: http:// sends credentials in clear" },
    { "server: clear, switch",      "-server\nserver = http://a\nclear_credentials = i-know\n", NULL },
    { "clear_credentials: yes",     "clear_credentials = yes\n", "clear_credentials: the only value is i-know" },
    { "allow_clear: maybe",         "allow_clear = maybe\n", "6: allow_clear: yes or no" },
    { "allow_clear: yes",           "allow_clear = yes\n", NULL },
    { "allow_test_keys: 1",         "allow_test_keys = 1\n", "allow_test_keys: yes or no" },
    { "product: 65 bytes",          "-product\nproduct = 01234567890123456789012345678901234567890123456789012345678901234\n", "product: 65 bytes; 1 to 64" },
    { "model: not UTF-8",           "-model\nmodel = \xc3(\n", "model: not printable UTF-8" },
    { "model: overlong UTF-8",      "-model\nmodel = \xc0\xaf\n", "model: not printable UTF-8" },
    { "model: control character",   "-model\nmodel = a\x1b[2J\n", "model: not printable UTF-8" },
    { "model: umlaut",              "-model\nmodel = L\xc3\xa4mp\n", NULL },
    { "hardware: 33 bytes",         "hardware = 012345678901234567890123456789012\n", "hardware: 33 bytes; 1 to 32" },
    { "device_id: 65 bytes",        "device_id = 01234567890123456789012345678901234567890123456789012345678901234\n", "device_id: 65 bytes" },
    { "language: a blank",          "language = de AT\n", "language: only letters" },
    { "vendor_id: short",           "-vendor_domain\nvendor_id = 1234\n", "vendor_id: not a UUID" },
    { "vendor_id: not hex",         "-vendor_domain\nvendor_id = gfbff0d1-9375-5685-968c-48ce8b15ae17\n", "vendor_id: not a UUID" },
    { "vendor_id without class_id", "-vendor_domain\nvendor_id = cfbff0d1-9375-5685-968c-48ce8b15ae17\n", "vendor_domain: must be given, or vendor_id and class_id" },
    { "vendor_id and domain",       "vendor_id = cfbff0d1-9375-5685-968c-48ce8b15ae17\n", "vendor_domain: and vendor_id" },
    { "vendor_id and class_id",     "-vendor_domain\nvendor_id = cfbff0d1-9375-5685-968c-48ce8b15ae17\nclass_id = cfbff0d1-9375-5685-968c-48ce8b15ae17\n", NULL },
    { "class_id: long",             "class_id = cfbff0d1-9375-5685-968c-48ce8b15ae1700\n", "class_id: not a UUID" },
    { "device_uuid: text",          "device_uuid = me\n", "device_uuid: not a UUID" },
    { "period: number",             "period = 60\n", "period: not a duration" },
    { "period: negative",           "period = -1s\n", "period: not a duration" },
    { "period: too short",          "period = 29s\n", "period: out of range" },
    { "period: too long",           "period = 8d\n", "period: out of range" },
    { "period: huge",               "period = 99999999999999999999h\n", "period: not a duration" },
    { "period: two units",          "period = 1h30m\n", NULL },
    { "first_check: 0",             "first_check = 0\n", "first_check: out of range" },
    { "first_check: unit unknown",  "first_check = 1w\n", "first_check: not a duration" },
    { "hook_timeout: 0",            "hook_timeout = 0\n", "hook_timeout: out of range" },
    { "hook_wait: text",            "hook_wait = soon\n", "hook_wait: not a duration" },
    { "boot_timeout: 2h",           "boot_timeout = 2h\n", "boot_timeout: out of range" },
    { "connect_timeout: 1ms",       "connect_timeout = 1ms\n", "connect_timeout: out of range" },
    { "slot_size: text",            "slot_size = big\n", "slot_size: not a size" },
    { "slot_size: wraps",           "slot_size = 18014398509481985K\n", "slot_size: not a size" },
    { "slot_size: 0",               "slot_size = 0\n", "slot_size: out of range" },
    { "slot_size: 64M",             "slot_size = 64M\n", NULL },
    { "factory_sequence: -1",       "factory_sequence = -1\n", "factory_sequence: not a number" },
    { "factory_sequence: 2^63",     "factory_sequence = 9223372036854775808\n", "factory_sequence: out of range" },
    { "trial_starts: 0",            "trial_starts = 0\n", "trial_starts: out of range" },
    { "trial_starts: 11",           "trial_starts = 11\n", "trial_starts: out of range" },
    { "token_next_file alone",      "token_next_file = @/none\n", "token_file: must be given with token_next_file" },
    { "anonymous_fallback: maybe",  "anonymous_fallback = maybe\n", "6: anonymous_fallback: yes or no" },
    { "server_key: short",          "server_key = 00ff\n", "6: server_key: not 64 hex digits" },
    { "server_key: no hex",         "server_key = g" HEX_63 "\n", "6: server_key: not 64 hex digits" },
    { "server_key: and next",       "server_key = 0" HEX_63 "\nserver_key_next = 1" HEX_63 "\n", NULL },
    { "server_key: only next",      "server_key_next = 0" HEX_63 "\n", "server_key: must be given with server_key_next" },
    { "max_fragment: 1000",         "max_fragment = 1000\n", "max_fragment: 512, 1024, 2048 or 4096" },
    { "max_fragment: 8192",         "max_fragment = 8192\n", "max_fragment: out of range" },
    { "max_fragment: 1024",         "max_fragment = 1024\n", NULL },
    { "socket_group: a blank",      "socket_group = a b\n", "socket_group: only letters" },
    { "support_url: no scheme",     "support_url = example.com/x\n", "support_url: must begin with https://" },
    { "support_url: path",          "support_url = https://example.com/support/L-1\n", NULL },
    { "token without device_id",    "token_file = @/token\n", "device_id: must be given with token_file" },
    { "token",                      "token_file = @/token\ndevice_id = d\n", NULL },
    { "token: absent",              "token_file = @/none\ndevice_id = d\n", "token_file: @/none: No such file" },
    { "token: for others (5.4-1)",  "token_file = @/open\ndevice_id = d\n", "token_file: @/open: not for its owner only" },
    { "token: short",               "token_file = @/short\ndevice_id = d\n", "token_file: @/short: not 43 base64url" },
    { "token: a folder",            "token_file = @/keys\ndevice_id = d\n", "token_file: @/keys: " },
    { "keys: absent",               "-release_keys\nrelease_keys = @/none\n", "release_keys: @/none: No such file" },
    { "keys: a folder of two",      "-release_keys\nrelease_keys = @/keys\n", NULL },
    { "keys: an empty folder",      "-release_keys\nrelease_keys = @/empty\n", "release_keys: no *.pem file" },
    { "keys: private",              "-release_keys\nrelease_keys = @/private.pem\n", "release_keys: @/private.pem: a private key" },
    { "keys: another curve",        "-release_keys\nrelease_keys = @/other.pem\n", "not the base64 of a P-256" },
    { "keys: off the curve",        "-release_keys\nrelease_keys = @/off.pem\n", "not on the curve" },
    { "keys: stray bits",           "-release_keys\nrelease_keys = @/stray.pem\n", "not the base64" },
    { "keys: text around",          "-release_keys\nrelease_keys = @/text.pem\n", "text that is not" },
    { "keys: cut off",              "-release_keys\nrelease_keys = @/cut.pem\n", "no \"END PUBLIC KEY\"" },
    { "keys: writable by others",   "-release_keys\nrelease_keys = @/shared.pem\n", "others may write it" },
    { "keys: a test key",           "-release_keys\nrelease_keys = @/test.pem\n", "release_keys: a published test key" },
    { "keys: a test key, allowed",  "-release_keys\nrelease_keys = @/test.pem\nallow_test_keys = yes\n", NULL },
    { "keys: one for two roles",    "online_keys = @/key.pem\n", "online_keys: a release key must not" },
    { "keys: online",               "online_keys = @/second.pem\n", NULL },
    { "trust set: without keys",    "-release_keys\ntrust_set = @/set.trust\n", NULL },
    { "trust set: none there",      "trust_set = @/none.trust\n", "trust_set: @/none.trust: No such file" },
    { "trust set: something else",  "trust_set = @/key.pem\n", "not a trust set" },
    { "trust set: cut off",         "trust_set = @/cut.trust\n", "not a trust set" },
    { "trust set: writable by others", "trust_set = @/shared.trust\n", "others may write it" },
    { "neither keys nor trust set", "-release_keys\n", "release_keys: must be given, or trust_set" },
    { "component: hex",             "[components]\napp = hex:00\nradio = radio/fw\n", NULL },
    { "component: half a byte",     "[components]\napp = hex:0\n", "7: app: not a component identifier" },
    { "component: empty segment",   "[components]\napp = a//b\n", "7: app: not a component identifier" },
    { "component: name with slash", "[components]\na/b = hex:00\n", "7: a/b: a component's name" },
    { "component: name of dots",    "[components]\n.. = hex:00\n", "7: ..: a component's name" },
    { "component: same name",       "[components]\na = hex:00\na = hex:01\n", "8: a: given twice" },
    { "component: same id",         "[components]\na = hex:00\nb = hex:00\n", "8: b: another component" },
    { "component: five",            "[components]\na = 1\nb = 2\nc = 3\nd = 4\ne = 5\n", "11: e: more than 4" },
    { "component: too long",        "[components]\na = 0123456789012345678901234567890123456789012345678901234567890123\n", "7: a: not a component identifier" },
};

/* Arguments go over the file, and are judged alike. */
static const struct {
    const char *name, *key, *value, *want;
} ARGS[] = {
    { "argument: goes over",     "first-check", "7s",   NULL },
    { "argument: underscore",    "first_check", "7s",   NULL },
    { "argument: bad value",     "first-check", "soon", "first_check: not a duration" },
    { "argument: unknown",       "colour",      "red",  "colour: no such keyword" },
    { "argument: out of range",  "period",      "1s",   "period: out of range" },
};

static const struct {
    const char *text;
    bool ok;
    uint64_t want;
} DURATIONS[] = {
    { "0", true, 0 },            { "250ms", true, 250 },       { "45s", true, 45000 },
    { "2h", true, 7200000 },     { "1d12h", true, 129600000 }, { "366d", true, 31622400000 },
    { "367d", false, 0 },        { "", false, 0 },             { "h", false, 0 },
    { "2", false, 0 },           { "2 h", false, 0 },          { "+2h", false, 0 },
    { "1.5h", false, 0 },        { "2hours", false, 0 },       { "1h ", false, 0 },
};
/* clang-format on */

#define PEM(body) "-----BEGIN PUBLIC KEY-----\n" body "-----END PUBLIC KEY-----\n"
#define HEAD "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE"
/* Two points made for this test; their private halves are gone. */
#define KEY_1                                 \
    PEM(HEAD "HhJg3oXq9dqspoX1XGg2g9SB0YxR\n" \
             "xPiGfsUSbJrgAb5VYr6x+pGvNE7J0DnOjEtMQatLfYFOZxt4on7hvbmCJw==\n")
#define KEY_2                                 \
    PEM(HEAD "gFl3+W5NdQffZJvqQtkU3JRY2gH7\n" \
             "SfaV0+3wA2oqCzCB/ePVCFtTUxpQ3CSV7KGGHZBMIPUAlfFxdC4PjyMKPA==\n")
/* The published key of the drafts' examples. */
#define KEY_TEST                              \
    PEM(HEAD "hJaBGq4LqqvSYVcYnuzaJr6qi/Eb\n" \
             "bz/m4rVlnIXbwK07HypLbAmBMcCjbazR14vTgdzfsJwFLbM5kdtzOLSolg==\n")

static void put_bytes(const char *name, const void *bytes, size_t n, mode_t mode)
{
    char at[128];
    int fd = -1;

    snprintf(at, sizeof at, "%s/%s", folder, name);
    fd = open(at, O_WRONLY | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0 && write(fd, bytes, n) == (ssize_t)n && fchmod(fd, mode) == 0);
    close(fd);
}

static void put_trust_sets(void)
{
    static uint8_t buf[DOC_ROOM];
    struct lsuit_bytes doc = doc_example("trust-1-signed", buf, sizeof buf);

    put_bytes("set.trust", doc.ptr, doc.len, 0644);
    put_bytes("shared.trust", doc.ptr, doc.len, 0666);
    put_bytes("cut.trust", doc.ptr, doc.len - 1, 0644);
}

static void put_file(const char *name, const char *text, mode_t mode)
{
    char at[128];
    int fd = -1;

    snprintf(at, sizeof at, "%s/%s", folder, name);
    fd = open(at, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    CHECK_INT(chmod(at, mode), 0);
}

/* `@` becomes the folder. */
static void expand(const char *from, char *to, size_t n)
{
    size_t at = 0;

    for (; *from != '\0' && at + sizeof folder < n; from++)
        at += (size_t)snprintf(to + at, n - at, *from == '@' ? "%s" : "%.1s",
                               *from == '@' ? folder : from);
    to[at] = '\0';
}

/* WHOLE without the lines that the row takes away, then the row's own. */
static void compose(const char *row, char *text_out, size_t n)
{
    char text[2048] = WHOLE;

    while (row[0] == '-') {
        size_t len = strcspn(row, "\n");
        char *line = text;

        while (strncmp(line, row + 1, len - 1) != 0 || line[len - 1] != ' ')
            line = strchr(line, '\n') + 1;
        memmove(line, strchr(line, '\n') + 1, strlen(strchr(line, '\n') + 1) + 1);
        row += len + 1;
    }
    strncat(text, row, sizeof text - strlen(text) - 1);
    expand(text, text_out, n);
}

static void set_up(void)
{
    char at[128];

    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/agent.conf", folder);
    for (size_t i = 0; i < 2; i++) {
        snprintf(at, sizeof at, "%s/%s", folder, i == 0 ? "keys" : "empty");
        CHECK_INT(mkdir(at, 0700), 0);
    }
    put_file("token", "0123456789012345678901234567890123456789_-A\n", 0600);
    put_file("open", "0123456789012345678901234567890123456789_-A\n", 0640);
    put_file("short", "0123456789\n", 0600);
    put_trust_sets();
    put_file("key.pem", KEY_1, 0644);
    put_file("second.pem", KEY_2, 0644);
    put_file("shared.pem", KEY_1, 0666);
    put_file("keys/a.pem", KEY_1, 0644);
    put_file("keys/b.pem", KEY_2, 0644);
    put_file("keys/readme.txt", "not a key", 0644);
    put_file("test.pem", KEY_TEST, 0644);
    put_file("private.pem",
             "-----BEGIN EC PRIV"
             "ATE KEY-----\n",
             0600);
    put_file("text.pem", "my key:\n" KEY_1, 0644);
    put_file("cut.pem", "-----BEGIN PUBLIC KEY-----\n" HEAD "\n", 0644);
    put_file("off.pem",
             PEM(HEAD "HhJg3oXq9dqspoX1XGg2g9SB0YxR\n"
                      "xPiGfsUSbJrgAb5VYr6x+pGvNE7J0DnOjEtMQatLfYFOZxt4on7hvbmCKw==\n"),
             0644);
    put_file("stray.pem",
             PEM(HEAD "HhJg3oXq9dqspoX1XGg2g9SB0YxR\n"
                      "xPiGfsUSbJrgAb5VYr6x+pGvNE7J0DnOjEtMQatLfYFOZxt4on7hvbmCJx==\n"),
             0644);
    put_file("other.pem", /* secp256k1 */
             PEM("MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEq9QiwkApmPjaS267CKFv6tohn9afyDmo\n"
                 "hQ6o8pyBYuRcB0MVSG2RkdVT/z9j4qn9tWJ6YjNuIFfS0ZrZR6nVtw==\n"),
             0644);
}

static void test_rows(void)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct conf c = { .product = "kept" };
        char text[4096];
        char why[400] = "";
        char want[200];
        bool ok = false;

        check_case(ROWS[i].name);
        compose(ROWS[i].text, text, sizeof text);
        put_file("agent.conf", text, 0600);
        ok = conf_load(path, NULL, 0, &c, why, sizeof why);
        if (ROWS[i].want == NULL) {
            if (!CHECK(ok))
                printf("     why: %s\n", why);
            continue;
        }
        expand(ROWS[i].want, want, sizeof want);
        CHECK(!ok);
        if (!CHECK(strstr(why, want) != NULL))
            printf("     why: %s, want: %s\n", why, want);
    }
}

static void test_args(void)
{
    char text[2048];

    compose("first_check = 5s\n", text, sizeof text);
    put_file("agent.conf", text, 0600);
    for (size_t i = 0; i < sizeof ARGS / sizeof *ARGS; i++) {
        struct conf_arg arg = { ARGS[i].key, ARGS[i].value };
        struct conf c = { .first_check_ms = 1 };
        char why[400] = "";

        check_case(ARGS[i].name);
        CHECK_INT(conf_load(path, &arg, 1, &c, why, sizeof why), ARGS[i].want == NULL);
        CHECK_UINT(c.first_check_ms, ARGS[i].want == NULL ? 7000 : 1); /* unchanged on failure */
        CHECK(ARGS[i].want == NULL || strstr(why, ARGS[i].want) != NULL);
    }
}

static void test_values(void)
{
    static const uint8_t ID[] = { 0x82, 0x42, 'a', 'p', 0x41, 0x07 };
    struct conf c;
    char text[2048];
    char why[400];
    uint64_t ms = 0;

    check_case("values: what is derived and what is the default");
    compose("[components]\nmain = ap/hex:07\n", text, sizeof text);
    put_file("agent.conf", text, 0600);
    CHECK(conf_load(path, NULL, 0, &c, why, sizeof why));
    CHECK_UINT(c.component_n, 1);
    CHECK_BYTES(c.component[0].id, c.component[0].id_n, ID, sizeof ID);
    CHECK_STR(c.slots_dir, c.state_dir);
    CHECK_STR(c.socket, "/var/lib/lapel-agent/control");
    CHECK(c.vendor_id.set && c.class_id.set);
    CHECK_BYTES(c.vendor_id.bytes, 4, "\xcf\xbf\xf0\xd1", 4); /* uuid5(DNS, "example.com") */

    check_case("values: a file with a NUL byte, none, too large");
    CHECK(!conf_load("/nonexistent/agent.conf", NULL, 0, &c, why, sizeof why));
    CHECK(strstr(why, "/nonexistent/agent.conf: No such file") != NULL);
    CHECK_INT(truncate(path, 300), 0);
    CHECK(!conf_load(path, NULL, 0, &c, why, sizeof why));
    CHECK(strstr(why, "a NUL byte") != NULL);
    CHECK_INT(truncate(path, 40000), 0);
    CHECK(!conf_load(path, NULL, 0, &c, why, sizeof why));
    CHECK(strstr(why, "File too large") != NULL);

    for (size_t i = 0; i < sizeof DURATIONS / sizeof *DURATIONS; i++) {
        char name[64];
        snprintf(name, sizeof name, "duration: \"%s\"", DURATIONS[i].text);
        check_case(name);
        CHECK_INT(conf_duration(DURATIONS[i].text, &ms), DURATIONS[i].ok);
        if (DURATIONS[i].ok)
            CHECK_UINT(ms, DURATIONS[i].want);
    }
}

int main(void)
{
    char command[64];

    check_case("set up");
    CHECK(crypto_open());
    set_up();
    test_rows();
    test_args();
    test_values();
    check_case("tidy up");
    snprintf(command, sizeof command, "rm -rf %s", folder);
    CHECK_INT(system(command), 0);
    return check_done();
}
