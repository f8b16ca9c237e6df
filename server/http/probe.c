/* A health check over loopback, in clear or over TLS. */
#include "http/probe.h"

#include "http/address.h"
#include "http/tls.h"

#include "base/log.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PROBE_S = 5 };

static const char REQUEST[] =
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/* Find "operator http://host:port". */
static enum err read_endpoint(const char *data_dir, char host_out[256], unsigned *port_out,
                              bool *tls_out)
{
    char path[512];
    char line[320];
    enum err e = ERR_NOT_FOUND;
    FILE *f;

    snprintf(path, sizeof path, "%s/endpoints", data_dir);
    f = fopen(path, "re");
    if (f == NULL) {
        LOG_ERROR("%s: %s", path, strerror(errno));
        return ERR_NOT_FOUND;
    }
    while (e != ERR_OK && fgets(line, sizeof line, f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        *tls_out = strncmp(line, "operator https://", 17) == 0;
        if ((*tls_out || strncmp(line, "operator http://", 16) == 0) &&
            address_split(line + (*tls_out ? 17 : 16), host_out, port_out))
            e = ERR_OK;
    }
    fclose(f);
    if (e != ERR_OK)
        LOG_ERROR("%s names no operator listener", path);
    return e;
}

static enum err dial(const char *host, unsigned port, int *fd_out)
{
    static const struct timeval LIMIT = { .tv_sec = PROBE_S };
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;
    char service[8];
    int fd = -1;

    snprintf(service, sizeof service, "%u", port);
    if (getaddrinfo(host, service, &hints, &list) != 0)
        return FAIL(ERR_IO, "no address for %s", host);
    fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &LIMIT, sizeof LIMIT);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &LIMIT, sizeof LIMIT);
    }
    if (fd < 0 || connect(fd, list->ai_addr, list->ai_addrlen) < 0) {
        enum err e = FAIL(ERR_IO, "connect to %s:%u: %s", host, port, strerror(errno));

        freeaddrinfo(list);
        if (fd >= 0)
            close(fd);
        return e;
    }
    freeaddrinfo(list);
    *fd_out = fd;
    return ERR_OK;
}

static enum err ask_in_clear(int fd, char *answer_out, size_t room)
{
    size_t used = 0;

    if (send(fd, REQUEST, strlen(REQUEST), MSG_NOSIGNAL) < 0)
        return FAIL(ERR_IO, "send: %s", strerror(errno));
    while (used + 1 < room) {
        ssize_t n = recv(fd, answer_out + used, room - 1 - used, 0);

        if (n <= 0)
            break;
        used += (size_t)n;
    }
    answer_out[used] = '\0';
    return ERR_OK;
}

enum err probe(const char *data_dir)
{
    char answer[256] = "";
    char host[256];
    unsigned port;
    bool tls;
    int fd = -1;
    enum err e = read_endpoint(data_dir, host, &port, &tls);

    if (e == ERR_OK)
        e = dial(host, port, &fd);
    if (e == ERR_OK)
        e = tls ? tls_probe(fd, REQUEST, answer, sizeof answer)
                : ask_in_clear(fd, answer, sizeof answer);
    if (e == ERR_OK && strncmp(answer, "HTTP/1.1 200 ", 13) != 0) {
        answer[strcspn(answer, "\r\n")] = '\0';
        e = FAIL(ERR_INTERNAL, "not well: %s", answer[0] != '\0' ? answer : "no answer");
    }
    if (fd >= 0)
        close(fd);
    return e;
}
