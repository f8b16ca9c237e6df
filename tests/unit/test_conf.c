/* The configuration file: what is refused, with which words, and that nothing is applied then. */
#include "check.h"

#include "base/conf.h"

#include <fcntl.h>
#include <unistd.h>

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* clang-format off */
static const struct {
    const char *name, *text;
    const char *wrong; /* a part of what is said; NULL: it is good */
} FILES[] = {
    { "file: empty",              "",                                        NULL },
    { "file: comments",           "; one\n# two\n\n",                        NULL },
    { "file: a keyword",          "data_dir = /x\n",                         NULL },
    { "file: a section",          "[device]\nlisten = 127.0.0.1:1\n",        NULL },
    { "file: no last line break", "data_dir = /x",                           NULL },
    { "file: unknown keyword",    "data_dir = /x\nnonsense = 1\n",           ":2: unknown keyword: nonsense" },
    { "file: unknown in section", "[device]\n\nlisen = a:1\n",               ":3: unknown keyword: device.lisen" },
    { "file: unknown section",    "[devices]\nlisten = a:1\n",               ":2: unknown keyword: devices.listen" },
    { "file: twice",              "data_dir = /x\ndata_dir = /y\n",          ":2: data_dir was set in line 1 already" },
    { "file: no value",           "data_dir = /x\ndata_dir\n",               ":2: neither" },
    { "file: broken section",     "[device\nlisten = a:1\n",                 ":1: neither" },
    { "file: number is a word",   "[device]\nthreads = many\n",              ":2: device.threads: not a number: many" },
    { "file: number negative",    "[device]\nthreads = -1\n",                ":2: device.threads: not a number" },
    { "file: number too small",   "[device]\nthreads = 0\n",                 ":2: device.threads: out of its limits" },
    { "file: number too large",   "[device]\nthreads = 65\n",                ":2: device.threads: out of its limits" },
    { "file: number huge",        "[device]\nthreads = 99999999999999999999\n", ":2: device.threads: too large" },
    { "file: time without unit",  "[limits]\nheader_timeout = 10\n",         ":2: limits.header_timeout: not a time" },
    { "file: time",               "[limits]\nheader_timeout = 2m\n",         NULL },
    { "file: size",               "ballast = 2GiB\n",                   NULL },
    { "file: size with GB",       "ballast = 2GB\n",                    ":1: ballast: not a size" },
    { "file: size overflows",     "ballast = 9000000000000GiB\n",       ":1: ballast: too large" },
    { "file: flag",               "allow_test_keys = yes\n",                 NULL },
    { "file: flag is a word",     "allow_test_keys = true\n",                ":1: allow_test_keys: not yes or no" },
    { "file: choice",             "log_level = debug\n",                     NULL },
    { "file: choice unknown",     "log_level = loud\n",                      ":1: log_level: not one of its values" },
    { "file: URL",                "public_url = https://u.example\n",        NULL },
    { "file: URL without scheme", "public_url = u.example\n",                ":1: public_url: not a URL" },
    { "file: longest line",       "data_dir = /" X50 X50 X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n", NULL },
    { "file: line too long",      "\ndata_dir = /" X50 X50 X50 X50 "\nlog_level = debug\n", ":2: line longer than" },
};

static const struct { const char *name, *set[3]; const char *wrong; } WHOLES[] = {
    { "whole: defaults",                  { NULL },                                        NULL },
    { "whole: set",                       { "device.listen=127.0.0.1:1" },                 NULL },
    { "whole: set without a value",       { "device.listen" },                             "not NAME=VALUE" },
    { "whole: set the unknown",           { "x=1" },                                       "unknown keyword: x" },
    { "whole: not host:port",             { "device.listen=8443" },                        "device.listen: not host:port" },
    { "whole: port too large",            { "public.listen=*:70000" },                     "public.listen: not host:port" },
    { "whole: certificate without key",   { "device.cert=/c" },                            "device.cert and device.key" },
    { "whole: both",                      { "device.cert=/c", "device.key=/k" },           NULL },
    { "whole: no listener",               { "device.listen=", "operator.listen=" },        "no listener" },
    { "whole: tokens in clear",           { "operator.listen=*:1", "operator.tls=off" },   "operator.tls" },
    { "whole: tokens in clear, not by auto", { "operator.listen=*:1" },                    NULL },
    { "whole: tokens in clear, by proxy", { "operator.listen=*:1", "operator.tls=off", "trusted_proxies=10.0.0.1" }, NULL },
};
/* clang-format on */

static char path[] = "/tmp/test_conf.XXXXXX";

static void write_file(const char *text)
{
    FILE *f = fopen(path, "we");

    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
        abort();
}

static bool says(const char *wrong)
{
    bool held = strstr(err_detail(), wrong) != NULL;

    if (!held)
        printf("     said: %s\n", err_detail());
    return held;
}

static void test_files(void)
{
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        struct conf c;

        check_case(FILES[i].name);
        write_file(FILES[i].text);
        conf_init(&c);
        err_clear();
        if (FILES[i].wrong == NULL) {
            CHECK_INT(conf_load(&c, path), ERR_OK);
        } else {
            CHECK_INT(conf_load(&c, path), ERR_CONFIG);
            CHECK(says(path));
            CHECK(says(FILES[i].wrong));
            CHECK_STR(c.data_dir, "/var/lib/lapel"); /* nothing was applied */
        }
        conf_fini(&c);
    }
}

static void test_wholes(void)
{
    for (size_t i = 0; i < sizeof WHOLES / sizeof *WHOLES; i++) {
        struct conf c;
        enum err e = ERR_OK;

        check_case(WHOLES[i].name);
        conf_init(&c);
        err_clear();
        for (int k = 0; k < 3 && WHOLES[i].set[k] != NULL && e == ERR_OK; k++)
            e = conf_set(&c, WHOLES[i].set[k]);
        if (e == ERR_OK)
            e = conf_check(&c);
        CHECK_INT(e, WHOLES[i].wrong == NULL ? ERR_OK : ERR_CONFIG);
        CHECK(WHOLES[i].wrong == NULL || says(WHOLES[i].wrong));
        conf_fini(&c);
    }
}

static void test_both(void)
{
    struct conf c;
    struct conf again;
    FILE *f;

    check_case("both: the command line wins over the file, before and after");
    write_file("data_dir = /file\nlog_level = debug\n");
    conf_init(&c);
    CHECK_INT(conf_set(&c, "data_dir=/line"), ERR_OK);
    CHECK_INT(conf_load(&c, path), ERR_OK);
    CHECK_STR(c.data_dir, "/line");
    CHECK_INT(c.log_level, 3);

    check_case("print: what is printed reads back the same");
    CHECK_INT(conf_set(&c, "limits.header_timeout=1500ms"), ERR_OK);
    f = fopen(path, "we");
    if (f != NULL) {
        conf_print(&c, f, true);
        fclose(f);
    }
    conf_init(&again);
    CHECK_INT(conf_load(&again, path), ERR_OK);
    CHECK_STR(again.data_dir, "/line");
    CHECK_INT(again.header_timeout, 1500);
    CHECK_INT(again.ballast, c.ballast);
    CHECK_INT(again.device.connections, c.device.connections);
    CHECK_STR(again.operator_.listen, c.operator_.listen);
    conf_fini(&again);
    conf_fini(&c);

    check_case("tls: auto is off on loopback only");
    CHECK(!conf_uses_tls(
        &(struct conf_listen){ .listen = (char[]){ "127.0.0.1:1" }, .tls = CONF_TLS_AUTO }));
    CHECK(!conf_uses_tls(
        &(struct conf_listen){ .listen = (char[]){ "[::1]:1" }, .tls = CONF_TLS_AUTO }));
    CHECK(
        conf_uses_tls(&(struct conf_listen){ .listen = (char[]){ "*:1" }, .tls = CONF_TLS_AUTO }));
    CHECK(conf_uses_tls(
        &(struct conf_listen){ .listen = (char[]){ "127.0.0.1:1" }, .tls = CONF_TLS_ON }));
}

int main(void)
{
    int fd = mkstemp(path);

    if (fd < 0)
        return 1;
    close(fd);
    test_files();
    test_wholes();
    test_both();
    unlink(path);
    return check_done();
}
