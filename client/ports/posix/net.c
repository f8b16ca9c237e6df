#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lapel_port.h"
#include "log.h"
#include "lsuit/trust.h"
#include "resolve.h"
#include "sys.h"

void net_rules(const struct conf *conf, struct tls_rules *rules_out)
{
    *rules_out = (struct tls_rules){ .ca_file = conf->server_key[0].set ? NULL : conf->ca_file,
                                     .max_fragment = conf->max_fragment,
                                     .floor_s = sys_built_s() };
    for (size_t i = 0; i < 2; i++)
        if (conf->server_key[i].set)
            memcpy(rules_out->pin[rules_out->pin_n++], conf->server_key[i].bytes, 32);
}

static void add_anchor(struct tls_rules *rules, const struct lsuit_anchor *a)
{
    if (a->kind == LSUIT_ANCHOR_CERTIFICATE && rules->authority_n < TLS_AUTHORITIES_MAX)
        rules->authority[rules->authority_n++] = (struct tls_der){ a->bytes.ptr, a->bytes.len };
    if (a->kind == LSUIT_ANCHOR_SPKI && rules->pin_n < TLS_PINS_MAX)
        memcpy(rules->pin[rules->pin_n++], a->bytes.ptr, 32);
}

void net_trust(struct net *net, const struct lsuit_trust *set, bool factory)
{
    char why[300] = "no memory";
    struct lsuit_anchor anchor;
    struct tls_rules rules;

    if (set->version == 0)
        return; /* what net_open settled holds */
    net_rules(net->conf, &rules);
    rules.floor_s = net->floor_s;
    if (!factory && set->anchors_n > 0) {
        rules.ca_file = NULL;
        rules.pin_n = 0;
    }
    for (uint32_t i = 0; lsuit_trust_anchor_at(set, i, &anchor); i++)
        add_anchor(&rules, &anchor);
    net_close(net);
    tls_free(net->tls);
    net->tls = tls_new(&rules, why, sizeof why);
    if (net->tls == NULL)
        log_text(LOG_LEVEL_ERROR, "trust set %u: %s", (unsigned)set->version, why);
}

bool net_open(struct net *net, const struct conf *conf, int64_t floor_s, char *why, size_t why_n)
{
    struct tls_rules rules;

    net_rules(conf, &rules);
    if (floor_s > rules.floor_s)
        rules.floor_s = floor_s;
    *net = (struct net){ .conf = conf, .fd = -1, .floor_s = rules.floor_s };
    if (strncmp(conf->server, "http:", 5) == 0 &&
        (conf->server_fallback[0] == '\0' || strncmp(conf->server_fallback, "http:", 5) == 0))
        return true;
    net->tls = tls_new(&rules, why, why_n);
    return net->tls != NULL;
}

bool net_rise(struct net *net, int64_t at_s)
{
    if (net->tls == NULL || !tls_rise(net->tls, at_s))
        return false;
    net->floor_s = at_s;
    return true;
}

void net_fini(struct net *net)
{
    net_close(net);
    tls_free(net->tls);
    net->tls = NULL;
}

void net_close(struct net *net)
{
    if (net->tls != NULL)
        tls_end(net->tls);
    if (net->fd >= 0)
        close(net->fd);
    resolve_end(net->resolve);
    if (net->list != NULL)
        freeaddrinfo(net->list);
    net->fd = -1;
    net->resolve = NULL;
    net->list = NULL;
    net->at = NULL;
    net->phase = NET_IDLE;
    net->wants = 0;
}

static int fail(struct net *net, int answer, const char *host, const char *why)
{
    log_event(LOG_LEVEL_WARNING, answer == LAPEL_NET_TRUST ? "net-trust" : "net-fail",
              json_pack("{s:s, s:s}", "host", host, "why", why));
    net_close(net);
    return answer;
}

/* 1 connected or on the way, 0 this address is of no use. */
static int try_address(struct net *net)
{
    int one = 1;

    net->fd = socket(net->at->ai_family, net->at->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                     net->at->ai_protocol);
    if (net->fd < 0)
        return 0;
    (void)setsockopt(net->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    net->give_up_ms = sys_now_ms() + net->conf->connect_timeout_ms;
    if (connect(net->fd, net->at->ai_addr, net->at->ai_addrlen) == 0 || errno == EINPROGRESS)
        return 1;
    return 0;
}

static int next_address(struct net *net, const char *host, int error)
{
    if (net->fd >= 0)
        close(net->fd);
    net->fd = -1;
    for (net->at = net->at->ai_next; net->at != NULL; net->at = net->at->ai_next) {
        if (try_address(net)) {
            net->phase = NET_CONNECTING;
            net->wants = POLLOUT;
            return 0;
        }
        error = errno;
        if (net->fd >= 0)
            close(net->fd);
        net->fd = -1;
    }
    return fail(net, LAPEL_NET_FAIL, host, strerror(error));
}

static int go_resolving(struct net *net, const char *host)
{
    int rc = resolve_poll(net->resolve, &net->list);

    if (rc == 0) {
        net->wants = POLLIN;
        return 0;
    }
    if (rc < 0)
        return fail(net, LAPEL_NET_FAIL, host, "name not found");
    resolve_end(net->resolve);
    net->resolve = NULL;
    net->at = net->list;
    net->phase = NET_CONNECTING;
    return try_address(net) ? 1 : next_address(net, host, errno);
}

static int go_connecting(struct net *net, const char *host, uint16_t port)
{
    struct pollfd p = { .fd = net->fd, .events = POLLOUT };
    int error = 0;
    socklen_t n = sizeof error;

    if (poll(&p, 1, 0) == 0) {
        if (sys_now_ms() >= net->give_up_ms)
            return next_address(net, host, ETIMEDOUT);
        net->wants = POLLOUT;
        return 0;
    }
    if (getsockopt(net->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
        error = errno;
    if (error != 0)
        return next_address(net, host, error);
    net->phase = net->secure ? NET_HANDSHAKE : NET_OPEN;
    if (net->secure && tls_begin(net->tls, net->fd, host, port) < 0)
        return fail(net, LAPEL_NET_FAIL, host, tls_why(net->tls));
    return 1;
}

static int go_handshake(struct net *net, const char *host)
{
    int rc = tls_handshake(net->tls);

    if (rc < 0)
        return fail(net, rc == LAPEL_NET_CLOSED ? LAPEL_NET_FAIL : rc, host, tls_why(net->tls));
    if (rc == 0) {
        net->wants = tls_waits_for_write(net->tls) ? POLLOUT : POLLIN;
        return 0;
    }
    log_event(LOG_LEVEL_INFO, "tls",
              json_pack("{s:s, s:s, s:b}", "host", host, "suite", tls_suite(net->tls), "resumed",
                        (int)tls_resumed(net->tls)));
    net->phase = NET_OPEN;
    return 1;
}

/* Provisions 5.5-6 and -7: credentials never travel in clear unless the switch named for it is
 * set. The core asks for a connection in clear only where its own configuration allows it; this
 * is the second lock on the same door. */
static bool clear_allowed(struct net *net, const char *host)
{
    if (net->conf->allow_clear || net->conf->clear_credentials[0] != '\0')
        return true;
    if (!net->refused_said)
        log_event(LOG_LEVEL_ERROR, "net-clear-refused", json_pack("{s:s}", "host", host));
    net->refused_said = true;
    return false;
}

int net_connect(struct net *net, const char *host, uint16_t port, bool tls)
{
    if (net->phase == NET_IDLE) {
        if (!tls && !clear_allowed(net, host))
            return LAPEL_NET_FAIL;
        if (tls && net->tls == NULL)
            return fail(net, LAPEL_NET_FAIL, host, "no TLS without a https:// server");
        net->secure = tls;
        net->resolve = resolve_begin(host, port);
        if (net->resolve == NULL)
            return fail(net, LAPEL_NET_FAIL, host, "no memory for the resolver");
        net->phase = NET_RESOLVING;
    }
    while (net->phase != NET_OPEN) {
        int rc = net->phase == NET_RESOLVING    ? go_resolving(net, host)
                 : net->phase == NET_CONNECTING ? go_connecting(net, host, port)
                                                : go_handshake(net, host);
        if (rc <= 0)
            return rc;
    }
    net->wants = 0;
    return 1;
}

int net_send(struct net *net, const uint8_t *buf, size_t n)
{
    ssize_t done = 0;

    if (net->phase != NET_OPEN)
        return LAPEL_NET_FAIL;
    if (net->secure) {
        int rc = tls_send(net->tls, buf, n);
        if (rc == 0)
            net->wants = tls_waits_for_write(net->tls) ? POLLOUT : POLLIN;
        return rc;
    }
    done = send(net->fd, buf, n, MSG_NOSIGNAL);
    if (done > 0)
        return (int)done;
    if (done < 0 && errno != EAGAIN && errno != EINTR)
        return LAPEL_NET_FAIL;
    net->wants = POLLOUT;
    return 0;
}

int net_recv(struct net *net, uint8_t *buf, size_t n)
{
    ssize_t got = 0;

    if (net->phase != NET_OPEN)
        return LAPEL_NET_FAIL;
    if (net->secure) {
        int rc = tls_recv(net->tls, buf, n);
        if (rc == 0)
            net->wants = tls_waits_for_write(net->tls) ? POLLOUT : POLLIN;
        return rc;
    }
    got = recv(net->fd, buf, n, 0);
    if (got > 0)
        return (int)got;
    if (got == 0)
        return LAPEL_NET_CLOSED;
    if (errno != EAGAIN && errno != EINTR)
        return LAPEL_NET_FAIL;
    net->wants = POLLIN;
    return 0;
}

static bool is_loopback_server(const struct conf *conf)
{
    const char *host = strstr(conf->server, "://");

    host = host != NULL ? host + 3 : "";
    return strncmp(host, "127.", 4) == 0 || strncmp(host, "localhost", 9) == 0 ||
           strncmp(host, "[::1]", 5) == 0;
}

static bool is_routable(const struct ifaddrs *i)
{
    if (i->ifa_addr == NULL || (i->ifa_flags & IFF_LOOPBACK) ||
        (i->ifa_flags & (IFF_UP | IFF_RUNNING)) != (IFF_UP | IFF_RUNNING))
        return false;
    if (i->ifa_addr->sa_family == AF_INET)
        return true;
    if (i->ifa_addr->sa_family != AF_INET6)
        return false;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)i->ifa_addr;
    return !IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr);
}

bool net_up(const struct net *net)
{
    struct ifaddrs *all = NULL;
    bool up = false;

    if (is_loopback_server(net->conf))
        return true;
    if (getifaddrs(&all) < 0)
        return true; /* can't tell: then the trial's deadline must run, or it never ends */
    for (const struct ifaddrs *i = all; i != NULL && !up; i = i->ifa_next)
        up = is_routable(i);
    freeifaddrs(all);
    return up;
}

void net_forget(struct net *net)
{
    net->wants = 0;
}

bool net_poll(const struct net *net, struct pollfd *pfd_out)
{
    int fd =
        net->phase == NET_RESOLVING && net->resolve != NULL ? resolve_fd(net->resolve) : net->fd;

    if (net->wants == 0 || fd < 0)
        return false;
    *pfd_out = (struct pollfd){ .fd = fd, .events = net->wants };
    return true;
}
