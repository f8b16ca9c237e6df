/* Where to listen, whom to trust as a proxy, and the registry's memory of halts. */
#include "check.h"

#include "http/address.h"
#include "http/conn.h"

#include <sys/socket.h>
#include <unistd.h>

/* clang-format off */
static const struct { const char *name, *text; bool good; const char *host; unsigned port; } SPLITS[] = {
    { "split: IPv4",             "127.0.0.1:80",  true,  "127.0.0.1", 80 },
    { "split: a name",           "localhost:0",   true,  "localhost", 0 },
    { "split: IPv6",             "[::1]:65535",   true,  "::1", 65535 },
    { "split: everywhere",       "*:8443",        true,  "", 8443 },
    { "split: port too large",   "a:65536",       false, "", 0 },
    { "split: port far too large", "a:4294967376", false, "", 0 },
    { "split: no port",          "127.0.0.1",     false, "", 0 },
    { "split: empty port",       "127.0.0.1:",    false, "", 0 },
    { "split: port is a word",   "127.0.0.1:http", false, "", 0 },
    { "split: no host",          ":80",           false, "", 0 },
    { "split: IPv6 without brackets", "::1:80",   false, "", 0 },
};

static const struct { const char *name, *list, *address; bool good, has; } PROXIES[] = {
    { "proxy: empty list",         "",                    "10.0.0.1",     true,  false },
    { "proxy: no list",            NULL,                  "10.0.0.1",     true,  false },
    { "proxy: the address",        "10.0.0.1",            "10.0.0.1",     true,  true },
    { "proxy: another",            "10.0.0.1",            "10.0.0.2",     true,  false },
    { "proxy: in the prefix",      "10.0.0.0/8",          "10.255.0.1",   true,  true },
    { "proxy: not in the prefix",  "10.0.0.0/8",          "11.0.0.1",     true,  false },
    { "proxy: odd bits, in",       "172.16.0.0/12",       "172.31.0.1",   true,  true },
    { "proxy: odd bits, out",      "172.16.0.0/12",       "172.32.0.1",   true,  false },
    { "proxy: everybody",          "0.0.0.0/0",           "1.2.3.4",      true,  true },
    { "proxy: IPv4 is not IPv6",   "0.0.0.0/0",           "::1",          true,  false },
    { "proxy: IPv6",               "fd00::/8",            "fd12::1",      true,  true },
    { "proxy: IPv6 whole",         "::1/128",             "::1",          true,  true },
    { "proxy: second in the list", "10.0.0.1, ::1",       "::1",          true,  true },
    { "proxy: with a port",        "10.0.0.1",            "10.0.0.1:443", true,  true },
    { "proxy: IPv6 with a port",   "::1",                 "[::1]:443",    true,  true },
    { "proxy: a name",             "proxy.example",       "10.0.0.1",     false, false },
    { "proxy: too many bits",      "10.0.0.0/33",         "10.0.0.1",     false, false },
    { "proxy: far too many bits",  "10.0.0.0/4294967297", "10.0.0.1",     false, false },
    { "proxy: no bits",            "10.0.0.0/",           "10.0.0.1",     false, false },
    { "proxy: negative bits",      "10.0.0.0/-1",         "10.0.0.1",     false, false },
};
/* clang-format on */

/* A connection with a socket of its own; the other end shows whether it was shut down. */
static int add(struct registry *r, struct conn *c)
{
    int pair[2];

    *c = (struct conn){ 0 };
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) < 0)
        abort();
    c->fd = pair[0];
    registry_add(r, c);
    return pair[1];
}

static bool is_shut(int other)
{
    char byte;

    return recv(other, &byte, 1, 0) == 0;
}

static void test_registry(void)
{
    struct registry r;
    struct conn a;
    struct conn b;
    int other_a;
    int other_b;

    registry_init(&r);
    other_a = add(&r, &a);
    other_b = add(&r, &b);

    check_case("halt: hits its tag and no other");
    CHECK(registry_tag(&r, &a, 7, 0));
    CHECK(registry_tag(&r, &b, 8, 0));
    CHECK_UINT(registry_kill(&r, 7), 1);
    CHECK(is_shut(other_a));
    CHECK(!is_shut(other_b));

    check_case("halt: a reply that comes after it is dropped");
    CHECK(!registry_tag(&r, &a, 7, 0));

    check_case("halt: a request that began after it is not");
    CHECK(registry_tag(&r, &a, 7, 1));

    check_case("halt: more than can be remembered drop it too");
    for (int i = 0; i < KILL_LOG + 1; i++)
        registry_kill(&r, 1000 + i);
    CHECK(!registry_tag(&r, &a, 9, 0));
    CHECK(registry_tag(&r, &a, 9, atomic_load(&r.kills)));

    check_case("deadline: not before, not after it was met, not without one");
    atomic_store(&b.deadline_ms, 100);
    CHECK_UINT(registry_expire(&r, 99), 0);
    CHECK(!is_shut(other_b));
    CHECK_UINT(registry_expire(&r, 100), 1);
    CHECK(is_shut(other_b));
    CHECK_UINT(registry_expire(&r, 200), 0);

    check_case("registry: from both ends of the list");
    registry_remove(&r, &a);
    CHECK(r.first == &b);
    registry_add(&r, &a);
    registry_remove(&r, &a);
    registry_remove(&r, &b);
    CHECK(r.first == NULL);
    close(a.fd);
    close(b.fd);
    close(other_a);
    close(other_b);
    registry_fini(&r);
}

int main(void)
{
    for (size_t i = 0; i < sizeof SPLITS / sizeof *SPLITS; i++) {
        char host[256] = "";
        unsigned port = 0;

        check_case(SPLITS[i].name);
        CHECK_INT(address_split(SPLITS[i].text, host, &port), SPLITS[i].good);
        if (SPLITS[i].good) {
            CHECK_STR(host, SPLITS[i].host);
            CHECK_UINT(port, SPLITS[i].port);
        }
    }
    for (size_t i = 0; i < sizeof PROXIES / sizeof *PROXIES; i++) {
        struct proxies p;
        struct http_address a;

        check_case(PROXIES[i].name);
        CHECK(address_parse(PROXIES[i].address, strlen(PROXIES[i].address), &a));
        CHECK_INT(proxies_parse(PROXIES[i].list, &p), PROXIES[i].good);
        if (PROXIES[i].good)
            CHECK_INT(proxies_has(&p, &a), PROXIES[i].has);
    }
    test_registry();
    return check_done();
}
