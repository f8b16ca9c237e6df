/*
 * Check-ins by many devices at a server on the loopback, in one of three ways:
 *
 *   load PORT keep     CREDENTIALS REQUESTS [CA]   one connection for each of the workers
 *   load PORT full     CREDENTIALS REQUESTS CA     a new TLS connection for each check-in
 *   load PORT resumed  CREDENTIALS REQUESTS CA     the same, resuming the worker's last session
 *
 * CREDENTIALS has lines of "id,token". Each request is that of the next device. Prints one JSON
 * object. Exit 1 when any answer was not 200.
 */
#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lsuit/checkin.h"

#define WORKERS 32
#define REQUEST_MAX 1024

enum way { KEEP, FULL, RESUMED };

struct device {
    char id[32];
    char token[44];
};

static struct device *devices;
static size_t devices_n;
static unsigned port;
static enum way way;
static unsigned long requests;
static gnutls_certificate_credentials_t trust;
static bool tls;
static atomic_ulong next_request, failed, resumed, handshakes;

struct link {
    int fd;
    gnutls_session_t session;
    gnutls_datum_t ticket;
};

static void die(const char *what)
{
    perror(what);
    exit(2);
}

static void link_open(struct link *l)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int one = 1, e;

    l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (l->fd < 0 || connect(l->fd, (struct sockaddr *)&to, sizeof to) < 0)
        die("connect");
    setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!tls)
        return;
    gnutls_init(&l->session, GNUTLS_CLIENT);
    gnutls_priority_set_direct(l->session, "NORMAL:-VERS-ALL:+VERS-TLS1.2", NULL);
    gnutls_credentials_set(l->session, GNUTLS_CRD_CERTIFICATE, trust);
    gnutls_server_name_set(l->session, GNUTLS_NAME_DNS, "localhost", 9);
    gnutls_session_set_verify_cert(l->session, "localhost", 0);
    gnutls_transport_set_int(l->session, l->fd);
    if (way == RESUMED && l->ticket.data != NULL)
        gnutls_session_set_data(l->session, l->ticket.data, l->ticket.size);
    do
        e = gnutls_handshake(l->session);
    while (e < 0 && !gnutls_error_is_fatal(e));
    if (e < 0) {
        fprintf(stderr, "load: handshake: %s\n", gnutls_strerror(e));
        exit(2);
    }
    handshakes++;
    if (gnutls_session_is_resumed(l->session))
        resumed++;
}

static void link_close(struct link *l)
{
    if (l->session != NULL) {
        if (way == RESUMED) {
            gnutls_free(l->ticket.data);
            gnutls_session_get_data2(l->session, &l->ticket);
        }
        gnutls_bye(l->session, GNUTLS_SHUT_WR);
        gnutls_deinit(l->session);
        l->session = NULL;
    }
    close(l->fd);
    l->fd = -1;
}

static bool link_send(struct link *l, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t sent = tls ? gnutls_record_send(l->session, p, n) : send(l->fd, p, n, 0);

        if (sent <= 0)
            return false;
        p += sent;
        n -= (size_t)sent;
    }
    return true;
}

/* One answer with Content-Length; its status. 0 when it broke off. */
static int link_answer(struct link *l)
{
    char buf[4096];
    size_t n = 0;

    for (;;) {
        ssize_t got = tls ? gnutls_record_recv(l->session, buf + n, sizeof buf - 1 - n)
                          : recv(l->fd, buf + n, sizeof buf - 1 - n, 0);
        const char *end, *length;

        if (got <= 0)
            return 0;
        n += (size_t)got;
        buf[n] = '\0';
        end = strstr(buf, "\r\n\r\n");
        length = strcasestr(buf, "Content-Length: ");
        if (end != NULL && length != NULL &&
            n >= (size_t)(end - buf) + 4 + (size_t)atoi(length + 16))
            return atoi(buf + 9);
    }
}

static size_t make_request(const struct device *d, char *out)
{
    static const uint8_t VENDOR[16] = { 0xcf, 0xbf, 0xf0, 0xd1, 0x93, 0x75, 0x56, 0x85,
                                        0x96, 0x8c, 0x48, 0xce, 0x8b, 0x15, 0xae, 0x17 };
    static const uint8_t CLASS[16] = { 0xe8, 0x55, 0x9f, 0x7d, 0xac, 0x6c, 0x5a, 0x7e,
                                       0x91, 0x75, 0x10, 0x09, 0x74, 0x3b, 0x8f, 0x54 };
    struct lsuit_checkin in = { 0 };
    uint8_t body[256];
    struct lsuit_bytes doc;
    int n;

    in.product = (struct lsuit_bytes){ (const uint8_t *)"lamp", 4 };
    in.model = (struct lsuit_bytes){ (const uint8_t *)"EL-100", 6 };
    in.device_id = (struct lsuit_bytes){ (const uint8_t *)d->id, strlen(d->id) };
    in.running_n = 1;
    in.running[0].space.vendor_id = (struct lsuit_bytes){ VENDOR, 16 };
    in.running[0].space.class_id = (struct lsuit_bytes){ CLASS, 16 };
    in.running[0].state = LSUIT_RUNNING_CONFIRMED;
    if (lsuit_checkin_write(&in, body, sizeof body, &doc) != LSUIT_OK)
        exit(2);
    n = snprintf(out, REQUEST_MAX,
                 "POST /v1/checkin HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
                 "Content-Type: application/cbor\r\nContent-Length: %zu\r\n\r\n",
                 d->token, doc.len);
    memcpy(out + n, doc.ptr, doc.len);
    return (size_t)n + doc.len;
}

static void *work(void *ctx)
{
    struct link l = { .fd = -1 };
    char request[REQUEST_MAX];
    unsigned long i;

    (void)ctx;
    while ((i = next_request++) < requests) {
        size_t n = make_request(&devices[i % devices_n], request);

        if (l.fd < 0)
            link_open(&l);
        if (!link_send(&l, request, n) || link_answer(&l) != 200)
            failed++;
        if (way != KEEP)
            link_close(&l);
    }
    if (l.fd >= 0)
        link_close(&l);
    gnutls_free(l.ticket.data);
    return NULL;
}

static void read_devices(const char *path)
{
    FILE *f = fopen(path, "r");
    size_t cap = 0;
    struct device d;

    if (f == NULL)
        die(path);
    while (fscanf(f, "%31[^,],%43s\n", d.id, d.token) == 2) {
        if (devices_n == cap) {
            cap = cap == 0 ? 1024 : 2 * cap;
            devices = realloc(devices, cap * sizeof *devices);
            if (devices == NULL)
                die("memory");
        }
        devices[devices_n++] = d;
    }
    fclose(f);
    if (devices_n == 0) {
        fprintf(stderr, "load: %s: no device\n", path);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    pthread_t worker[WORKERS];
    struct timespec from, to;
    double seconds;

    if (argc < 5 || argc > 6) {
        fputs("usage: load PORT keep|full|resumed CREDENTIALS REQUESTS [CA]\n", stderr);
        return 2;
    }
    port = (unsigned)atoi(argv[1]);
    way = strcmp(argv[2], "keep") == 0 ? KEEP : strcmp(argv[2], "full") == 0 ? FULL : RESUMED;
    read_devices(argv[3]);
    requests = strtoul(argv[4], NULL, 10);
    tls = argc == 6;
    gnutls_certificate_allocate_credentials(&trust);
    if (tls && gnutls_certificate_set_x509_trust_file(trust, argv[5], GNUTLS_X509_FMT_PEM) < 1) {
        fprintf(stderr, "load: %s: no certificate\n", argv[5]);
        return 2;
    }
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (size_t i = 0; i < WORKERS; i++)
        if (pthread_create(&worker[i], NULL, work, NULL) != 0)
            die("thread");
    for (size_t i = 0; i < WORKERS; i++)
        pthread_join(worker[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &to);
    seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    printf("{\"requests\": %lu, \"failed\": %lu, \"handshakes\": %lu, \"resumed\": %lu, "
           "\"seconds\": %.3f, \"per_second\": %.1f}\n",
           requests, (unsigned long)failed, (unsigned long)handshakes, (unsigned long)resumed,
           seconds, (double)requests / seconds);
    gnutls_certificate_free_credentials(trust);
    free(devices);
    return failed == 0 ? 0 : 1;
}
