/*
 * The local door: a Unix socket (0660) where each connection sends one JSON line and gets one.
 *
 *   (1) Nothing listens on a network.
 *   (2) The peer is root, our own user, or a member of socket_group; the kernel says who it is.
 *   (3) A peer that is slow or silent costs a place for a while, nothing else; lines are bounded.
 */
#ifndef AGENT_CONTROL_H
#define AGENT_CONTROL_H

#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "verb.h"

#define CONTROL_LINE_MAX 4096
#define CONTROL_PLACES 8

struct control_place {
    int fd; /* -1: free */
    uid_t uid;
    char line[CONTROL_LINE_MAX];
    size_t n;
    int passed[2]; /* files that came along, -1 none */
    bool waits;    /* for an outcome */
    struct verb_wait wait;
    uint64_t deadline_ms;
};

struct control {
    char socket[sizeof((struct conf *)0)->socket]; /* its path; a reload keeps it */
    int listen_fd;
    gid_t group;
    bool has_group;
    struct control_place place[CONTROL_PLACES];
};

/* Logs what is wrong. */
bool control_open(struct control *c, const struct conf *conf);
void control_fini(struct control *c);

/* Fill in what to wait for; at most CONTROL_PLACES + 1. */
size_t control_poll(const struct control *c, struct pollfd *pfd_out);

/* After poll: take connections, requests, and give answers that are due. */
void control_serve(struct control *c, struct agent *a);

/* Milliseconds until the next deadline, UINT32_MAX for none. */
uint32_t control_wait_ms(const struct control *c);

/*
 * The other side. Send a request (with two files, or -1) to the daemon and wait for the answer.
 *
 * NULL with *absent_out true when no daemon runs; otherwise an answer, also for what went wrong.
 */
json_t *control_ask(const struct conf *conf, const json_t *request, int envelope_fd, int folder_fd,
                    bool *absent_out);

/* Who asks, by user id: root is the administrator. */
enum lapel_actor control_actor(uid_t uid);

#endif
