/* Addresses. */
#include "http/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const uint8_t MAPPED[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

struct http_address address_of(const struct sockaddr *sa)
{
    struct http_address a = { { 0 } };

    if (sa != NULL && sa->sa_family == AF_INET) {
        memcpy(a.bytes, MAPPED, sizeof MAPPED);
        memcpy(a.bytes + 12, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
    } else if (sa != NULL && sa->sa_family == AF_INET6) {
        memcpy(a.bytes, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
    }
    return a;
}

bool address_parse(const char *text, size_t n, struct http_address *address_out)
{
    char host[INET6_ADDRSTRLEN + 8];
    struct http_address a = { { 0 } };
    char *end;

    if (n >= sizeof host)
        return false;
    memcpy(host, text, n);
    host[n] = '\0';
    if (host[0] == '[') {
        end = strchr(host, ']');
        if (end == NULL)
            return false;
        *end = '\0';
        memmove(host, host + 1, strlen(host));
    } else {
        end = strchr(host, ':');
        if (end != NULL && strchr(end + 1, ':') == NULL)
            *end = '\0'; /* IPv4 and a port */
    }
    if (inet_pton(AF_INET6, host, a.bytes) != 1) {
        memcpy(a.bytes, MAPPED, sizeof MAPPED);
        if (inet_pton(AF_INET, host, a.bytes + 12) != 1)
            return false;
    }
    *address_out = a;
    return true;
}

/* Read one address or prefix of n characters. */
static bool prefix_parse(const char *text, size_t n, struct prefix *prefix_out)
{
    const char *slash = memchr(text, '/', n);
    size_t host = slash != NULL ? (size_t)(slash - text) : n;
    bool v4 = memchr(text, ':', host) == NULL;
    unsigned most = v4 ? 32 : 128;
    unsigned bits = most;

    if (!address_parse(text, host, &prefix_out->address))
        return false;
    if (slash != NULL) {
        if (host + 1 == n)
            return false;
        bits = 0;
        for (const char *p = slash + 1; p < text + n; p++) {
            if (*p < '0' || *p > '9' || bits > most)
                return false;
            bits = bits * 10 + (unsigned)(*p - '0');
        }
    }
    if (bits > most)
        return false;
    prefix_out->bits = v4 ? bits + 96 : bits;
    return true;
}

bool proxies_parse(const char *text, struct proxies *proxies_out)
{
    static const char BLANKS[] = ", \t";

    proxies_out->count = 0;
    if (text == NULL)
        return true;
    for (const char *p = text + strspn(text, BLANKS); *p != '\0'; p += strspn(p, BLANKS)) {
        size_t n = strcspn(p, BLANKS);

        if (proxies_out->count == PROXIES_MAX ||
            !prefix_parse(p, n, &proxies_out->prefix[proxies_out->count]))
            return false;
        proxies_out->count++;
        p += n;
    }
    return true;
}

bool proxies_has(const struct proxies *proxies, const struct http_address *address)
{
    for (unsigned i = 0; i < proxies->count; i++) {
        const struct prefix *p = &proxies->prefix[i];
        unsigned whole = p->bits / 8;
        uint8_t mask = (uint8_t)(0xff00 >> p->bits % 8);

        if (memcmp(p->address.bytes, address->bytes, whole) != 0)
            continue;
        if (mask == 0 || ((p->address.bytes[whole] ^ address->bytes[whole]) & mask) == 0)
            return true;
    }
    return false;
}

bool address_split(const char *text, char host_out[256], unsigned *port_out)
{
    const char *colon = strrchr(text, ':');
    size_t n = colon != NULL ? (size_t)(colon - text) : 0;
    unsigned port = 0;

    if (colon == NULL || colon[1] == '\0' || strlen(colon + 1) > 5)
        return false;
    for (const char *p = colon + 1; *p != '\0'; p++) {
        if (*p < '0' || *p > '9')
            return false;
        port = port * 10 + (unsigned)(*p - '0');
    }
    if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
        text++;
        n -= 2;
    } else if (memchr(text, ':', n) != NULL) {
        return false; /* IPv6 needs brackets */
    } else if (n == 1 && text[0] == '*') {
        n = 0;
    } else if (n == 0) {
        return false;
    }
    if (port > 65535 || n >= 256)
        return false;
    memcpy(host_out, text, n);
    host_out[n] = '\0';
    *port_out = port;
    return true;
}

/* Open, bind and listen on one address. Yields the descriptor, or -1 with errno. */
static int listen_on(const struct addrinfo *ai)
{
    static const int ON = 1;
    static const int OFF = 0;
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &ON, sizeof ON);
    if (ai->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &OFF, sizeof OFF);
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, 1024) < 0) {
        int why = errno;

        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

static unsigned port_of(int fd)
{
    struct sockaddr_storage sa = { 0 };
    socklen_t n = sizeof sa;

    if (getsockname(fd, (struct sockaddr *)&sa, &n) < 0)
        return 0;
    if (sa.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&sa)->sin6_port);
    return ntohs(((struct sockaddr_in *)&sa)->sin_port);
}

enum err address_listen(const char *text, int *fd_out, unsigned *port_out)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
    struct addrinfo *list = NULL;
    char host[256];
    char service[8];
    unsigned port;
    int fd = -1;
    int rc;

    if (!address_split(text, host, &port))
        return FAIL(ERR_CONFIG, "not host:port: %s", text);
    snprintf(service, sizeof service, "%u", port);
    /* "*" is IPv6 with IPv4 mapped into it, or IPv4 alone where there is no IPv6. */
    rc = getaddrinfo(host[0] != '\0' ? host : "::", service, &hints, &list);
    if (rc != 0)
        return FAIL(ERR_CONFIG, "listen on %s: %s", text, gai_strerror(rc));
    for (const struct addrinfo *ai = list; ai != NULL && fd < 0; ai = ai->ai_next)
        fd = listen_on(ai);
    freeaddrinfo(list);
    list = NULL;
    if (fd < 0 && host[0] == '\0' && getaddrinfo("0.0.0.0", service, &hints, &list) == 0) {
        fd = listen_on(list);
        freeaddrinfo(list);
    }
    if (fd < 0)
        return FAIL(ERR_IO, "listen on %s: %s", text, strerror(errno));
    *fd_out = fd;
    *port_out = port_of(fd);
    return ERR_OK;
}
