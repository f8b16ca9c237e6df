/*
 * The port's network: one connection, never blocking, TLS by tls.h.
 */
#ifndef AGENT_NET_H
#define AGENT_NET_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "tls.h"

struct addrinfo;
struct lsuit_trust;
struct resolve;

enum net_phase { NET_IDLE, NET_RESOLVING, NET_CONNECTING, NET_HANDSHAKE, NET_OPEN };

struct net {
    const struct conf *conf; /* borrowed */
    struct tls *tls;         /* NULL when no server speaks TLS */
    enum net_phase phase;
    bool secure; /* this connection has TLS */
    int fd;
    struct resolve *resolve;
    struct addrinfo *list;
    const struct addrinfo *at;
    uint64_t give_up_ms; /* on this address, CLOCK_MONOTONIC */
    short wants;         /* poll events that the last answer 0 waits for, 0 none */
    bool refused_said;   /* the refusal to go in clear is in the log */
    int64_t floor_s;     /* as tls.h says */
};

/* Whom the configuration believes. */
void net_rules(const struct conf *conf, struct tls_rules *rules_out);

/*
 * From the next connection on believe whom this set says, as lapel_trust_store.use. What TLS makes
 * of it is logged when it is no good; then no connection over TLS succeeds.
 */
void net_trust(struct net *net, const struct lsuit_trust *set, bool factory);

/* `floor_s` as tls.h says, 0: the day of the build. False with a reason. */
bool net_open(struct net *net, const struct conf *conf, int64_t floor_s, char *why, size_t why_n);
void net_fini(struct net *net);

/* As tls_rise; kept over net_trust. */
bool net_rise(struct net *net, int64_t at_s);

/* As struct lapel_net says. */
int net_connect(struct net *net, const char *host, uint16_t port, bool tls);
int net_send(struct net *net, const uint8_t *buf, size_t n);
int net_recv(struct net *net, uint8_t *buf, size_t n);
void net_close(struct net *net);
bool net_up(const struct net *net);

/*
 * What the main loop should wait for besides time. Forget before a step, ask after it: a
 * connection that the core didn't touch in the step must not wake it for ever. True when there is
 * something.
 */
void net_forget(struct net *net);
bool net_poll(const struct net *net, struct pollfd *pfd_out);

#endif
