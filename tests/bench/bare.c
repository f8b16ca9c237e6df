/*
 * The least that libmicrohttpd can do for a check-in: take the body, answer with fixed bytes. The
 * reference that lapeld's cost is divided by, set up as lapeld's device listener is.
 *
 *   bare THREADS [CERT KEY]     prints its port, serves until SIGTERM
 */
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_PER_CONNECTION 8192
#define ANSWER_LEN 60 /* about what a check-in answered *nothing* gets */

static char answer[ANSWER_LEN];

static enum MHD_Result handle(void *cls, struct MHD_Connection *c, const char *url,
                              const char *method, const char *version, const char *body,
                              size_t *body_n, void **state)
{
    struct MHD_Response *r;
    enum MHD_Result ok;

    (void)cls;
    (void)url;
    (void)method;
    (void)version;
    (void)body;
    if (*state == NULL) {
        *state = answer;
        return MHD_YES;
    }
    if (*body_n > 0) {
        *body_n = 0;
        return MHD_YES;
    }
    r = MHD_create_response_from_buffer(sizeof answer, answer, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(r, "Content-Type", "application/cbor");
    ok = MHD_queue_response(c, 200, r);
    MHD_destroy_response(r);
    return ok;
}

static char *slurp(const char *path)
{
    static char text[2][16384];
    static unsigned at;
    FILE *f = fopen(path, "r");
    size_t n;

    at = (at + 1) % 2;
    if (f == NULL) {
        perror(path);
        exit(2);
    }
    n = fread(text[at], 1, sizeof text[at] - 1, f);
    text[at][n] = '\0';
    fclose(f);
    return text[at];
}

int main(int argc, char **argv)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD;
    unsigned threads = argc > 1 ? (unsigned)atoi(argv[1]) : 0;
    const union MHD_DaemonInfo *info;
    struct MHD_Daemon *d;
    sigset_t stop;
    int sig;

    if (threads == 0 || (argc != 2 && argc != 4)) {
        fputs("usage: bare THREADS [CERT KEY]\n", stderr);
        return 2;
    }
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    if (argc == 4)
        d = MHD_start_daemon(flags | MHD_USE_TLS, 0, NULL, NULL, handle, NULL,
                             MHD_OPTION_THREAD_POOL_SIZE, threads,
                             MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_PER_CONNECTION,
                             MHD_OPTION_HTTPS_MEM_CERT, slurp(argv[2]), MHD_OPTION_HTTPS_MEM_KEY,
                             slurp(argv[3]), MHD_OPTION_END);
    else
        d = MHD_start_daemon(flags, 0, NULL, NULL, handle, NULL, MHD_OPTION_THREAD_POOL_SIZE,
                             threads, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                             (size_t)MEMORY_PER_CONNECTION, MHD_OPTION_END);
    info = d != NULL ? MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    if (info == NULL) {
        fputs("bare: does not start\n", stderr);
        return 1;
    }
    printf("%u\n", info->port);
    fflush(stdout);
    sigwait(&stop, &sig);
    MHD_stop_daemon(d);
    return 0;
}
