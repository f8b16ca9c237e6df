#include "control.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "file.h"
#include "log.h"
#include "sys.h"

#define REQUEST_MS 5000   /* for a request to come in whole */
#define OUTCOME_MS 120000 /* for an outcome; then the asker is sent to `status` */
#define GROUPS_MAX 256

static bool address(const char *path, struct sockaddr_un *sun_out)
{
    *sun_out = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof sun_out->sun_path)
        return false;
    memcpy(sun_out->sun_path, path, strlen(path) + 1);
    return true;
}

static bool open_failed(struct control *c, const char *what)
{
    log_text(LOG_LEVEL_ERROR, "socket: %s: %s: %s", c->socket, what, strerror(errno));
    control_fini(c);
    return false;
}

bool control_open(struct control *c, const struct conf *conf)
{
    struct sockaddr_un sun;
    struct stat st;
    struct group *g = NULL;
    mode_t mask = 0;
    int rc = 0;

    memset(c, 0, sizeof *c);
    memcpy(c->socket, conf->socket, sizeof c->socket);
    c->listen_fd = -1;
    for (size_t i = 0; i < CONTROL_PLACES; i++)
        c->place[i].fd = c->place[i].passed[0] = c->place[i].passed[1] = -1;
    if (conf->socket_group[0] != '\0') {
        /* cppcheck-suppress getgrnamCalled ; before any other thread */
        g = getgrnam(conf->socket_group);
        if (g == NULL) {
            log_text(LOG_LEVEL_ERROR, "socket_group: %s: no such group", conf->socket_group);
            return false;
        }
        c->group = g->gr_gid;
        c->has_group = true;
    }
    if (!address(conf->socket, &sun)) {
        errno = ENAMETOOLONG;
        return open_failed(c, "path");
    }
    /* We hold the state lock: a socket that is left over belongs to nobody. */
    if (lstat(conf->socket, &st) == 0 && S_ISSOCK(st.st_mode))
        (void)unlink(conf->socket);
    c->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->listen_fd < 0)
        return open_failed(c, "socket");
    mask = umask(0117); /* 0660 from the first moment on */
    rc = bind(c->listen_fd, (const struct sockaddr *)&sun, sizeof sun);
    (void)umask(mask);
    if (rc < 0)
        return open_failed(c, "bind");
    if (c->has_group && chown(conf->socket, (uid_t)-1, c->group) < 0)
        return open_failed(c, "chown");
    if (listen(c->listen_fd, CONTROL_PLACES) < 0)
        return open_failed(c, "listen");
    return true;
}

static void place_free(struct control_place *p)
{
    for (int i = 0; i < 2; i++) {
        if (p->passed[i] >= 0)
            close(p->passed[i]);
        p->passed[i] = -1;
    }
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
    p->n = 0;
    p->waits = false;
}

void control_fini(struct control *c)
{
    for (size_t i = 0; i < CONTROL_PLACES; i++)
        place_free(&c->place[i]);
    if (c->listen_fd >= 0) {
        close(c->listen_fd);
        (void)unlink(c->socket);
    }
    c->listen_fd = -1;
}

/* (2) */
static bool may_ask(const struct control *c, int fd, uid_t *uid_out)
{
    struct ucred cred = { 0 };
    socklen_t n = sizeof cred;
    gid_t groups[GROUPS_MAX];

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) < 0)
        return false;
    *uid_out = cred.uid;
    if (cred.uid == 0 || cred.uid == geteuid())
        return true;
    if (!c->has_group)
        return false;
    if (cred.gid == c->group)
        return true;
#ifdef SO_PEERGROUPS
    n = sizeof groups;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &n) == 0)
        for (size_t i = 0; i < n / sizeof groups[0]; i++)
            if (groups[i] == c->group)
                return true;
#endif
    return false;
}

static void take_connections(struct control *c)
{
    for (size_t i = 0; i < CONTROL_PLACES; i++) {
        struct control_place *p = &c->place[i];

        if (p->fd >= 0)
            continue;
        /* cppcheck-suppress nullPointer ; accept(2) allows it: nobody asks for the address */
        p->fd = accept4(c->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (p->fd < 0)
            return;
        p->deadline_ms = sys_now_ms() + REQUEST_MS;
        if (!may_ask(c, p->fd, &p->uid)) {
            log_event(LOG_LEVEL_WARNING, "socket-refused",
                      json_pack("{s:I}", "uid", (json_int_t)p->uid));
            place_free(p);
        }
    }
}

static void answer(struct control_place *p, json_t *text)
{
    char *dump = json_dumps(text, JSON_COMPACT);
    size_t n = dump != NULL ? strlen(dump) : 0;

    json_decref(text);
    if (dump != NULL) {
        dump[n] = '\n';
        /* One send: an answer is far smaller than a socket's buffer, and a peer that doesn't read
         * loses it. */
        (void)!send(p->fd, dump, n + 1, MSG_NOSIGNAL);
    }
    free(dump);
    place_free(p);
}

/* Files may come with any part of the line; only the first two are kept. */
static void keep_files(struct control_place *p, struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < n; i++) {
            int fd = -1;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (i < 2 && p->passed[i] < 0)
                p->passed[i] = fd;
            else
                close(fd);
        }
    }
}

/* Receive once. 1 a whole line is there, 0 not yet, -1 the place is of no more use. */
static int receive(struct control_place *p)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(4 * sizeof(int))];
    } control;
    struct iovec iov = { p->line + p->n, sizeof p->line - p->n };
    struct msghdr m = { .msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = control.bytes,
                        .msg_controllen = sizeof control.bytes };
    ssize_t n = recvmsg(p->fd, &m, MSG_CMSG_CLOEXEC);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    keep_files(p, &m);
    if (n == 0)
        return -1;
    p->n += (size_t)n;
    if (memchr(p->line, '\n', p->n) != NULL)
        return 1;
    return p->n < sizeof p->line ? 0 : -1;
}

static void take_request(struct control_place *p, struct agent *a)
{
    struct verb_asker asker = { .daemon = true,
                                .by = control_actor(p->uid),
                                .envelope_fd = p->passed[0],
                                .folder_fd = p->passed[1] };
    size_t n = (size_t)((char *)memchr(p->line, '\n', p->n) - p->line);
    json_t *request = json_loadb(p->line, n, JSON_REJECT_DUPLICATES, NULL);
    json_t *done = NULL;

    if (!json_is_object(request))
        done = json_pack("{s:b, s:s}", "ok", 0, "why", "not a JSON object");
    else
        done = verb_do(a, request, &asker, &p->wait);
    json_decref(request);
    if (done != NULL) {
        answer(p, done);
        return;
    }
    p->waits = true;
    p->deadline_ms = sys_now_ms() + OUTCOME_MS;
}

static bool hung_up(int fd)
{
    struct pollfd pfd = { .fd = fd };

    return poll(&pfd, 1, 0) > 0;
}

static void serve_place(struct control_place *p, struct agent *a, uint64_t now)
{
    int rc = 0;

    if (p->waits) {
        json_t *done = verb_look(a, &p->wait);
        if (done == NULL && hung_up(p->fd)) {
            place_free(p);
            return;
        }
        if (done == NULL && now >= p->deadline_ms)
            done = json_pack("{s:b, s:s}", "ok", 0, "why", "still under way; see `status`");
        if (done != NULL)
            answer(p, done);
        return;
    }
    rc = receive(p);
    if (rc > 0)
        take_request(p, a);
    else if (rc < 0 || now >= p->deadline_ms)
        place_free(p);
}

void control_serve(struct control *c, struct agent *a)
{
    uint64_t now = sys_now_ms();

    for (size_t i = 0; i < CONTROL_PLACES; i++)
        if (c->place[i].fd >= 0)
            serve_place(&c->place[i], a, now);
    take_connections(c);
}

size_t control_poll(const struct control *c, struct pollfd *pfd_out)
{
    size_t n = 0;
    bool room = false;

    for (size_t i = 0; i < CONTROL_PLACES; i++) {
        room = room || c->place[i].fd < 0;
        if (c->place[i].fd >= 0) /* who waits for an outcome may hang up */
            pfd_out[n++] =
                (struct pollfd){ .fd = c->place[i].fd, .events = c->place[i].waits ? 0 : POLLIN };
    }
    if (room) /* else the kernel's queue holds them, and poll would spin */
        pfd_out[n++] = (struct pollfd){ .fd = c->listen_fd, .events = POLLIN };
    return n;
}

uint32_t control_wait_ms(const struct control *c)
{
    uint64_t now = sys_now_ms();
    uint64_t first = UINT64_MAX;

    for (size_t i = 0; i < CONTROL_PLACES; i++)
        if (c->place[i].fd >= 0 && c->place[i].deadline_ms < first)
            first = c->place[i].deadline_ms;
    if (first == UINT64_MAX)
        return UINT32_MAX;
    return first > now ? (uint32_t)(first - now) : 0;
}

enum lapel_actor control_actor(uid_t uid)
{
    return uid == 0 ? LAPEL_BY_ADMIN : LAPEL_BY_USER;
}

/* --- the other side ------------------------------------------------------------------------- */

static json_t *trouble(const char *what)
{
    char why[200];

    (void)snprintf(why, sizeof why, "socket: %s: %s", what, strerror(errno));
    return json_pack("{s:b, s:s}", "ok", 0, "why", why);
}

static bool send_request(int fd, const char *line, size_t n, int envelope_fd, int folder_fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control = { 0 };
    struct iovec iov = { (char *)line, n };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
    int fds[2] = { envelope_fd, folder_fd };

    if (envelope_fd >= 0) {
        m.msg_control = control.bytes;
        m.msg_controllen = sizeof control.bytes;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fds);
        memcpy(CMSG_DATA(c), fds, sizeof fds);
    }
    return sendmsg(fd, &m, MSG_NOSIGNAL) == (ssize_t)n;
}

static json_t *read_answer(int fd)
{
    char text[65536];
    size_t have = 0;
    json_t *done = NULL;

    while (have < sizeof text) {
        ssize_t n = read(fd, text + have, sizeof text - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        have += (size_t)n;
    }
    done = json_loadb(text, have, JSON_REJECT_DUPLICATES, NULL);
    if (done == NULL)
        errno = have == 0 ? EPERM : EPROTO; /* an end without a word is the door shut */
    return done;
}

json_t *control_ask(const struct conf *conf, const json_t *request, int envelope_fd, int folder_fd,
                    bool *absent_out)
{
    struct sockaddr_un sun;
    char *dump = NULL;
    json_t *done = NULL;
    size_t n = 0;
    int fd = -1;

    *absent_out = false;
    if (!address(conf->socket, &sun)) {
        errno = ENAMETOOLONG;
        return trouble(conf->socket);
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return trouble("socket");
    if (connect(fd, (const struct sockaddr *)&sun, sizeof sun) < 0) {
        *absent_out = errno == ENOENT || errno == ECONNREFUSED;
        done = *absent_out ? NULL : trouble(conf->socket);
        close(fd);
        return done;
    }
    dump = json_dumps(request, JSON_COMPACT);
    n = dump != NULL ? strlen(dump) : 0;
    if (dump != NULL) {
        dump[n] = '\n';
        if (send_request(fd, dump, n + 1, envelope_fd, folder_fd))
            done = read_answer(fd);
    }
    if (done == NULL)
        done = trouble("no answer");
    free(dump);
    close(fd);
    return done;
}
