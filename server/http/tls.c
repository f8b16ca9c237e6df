/* TLS sessions: certificates, tickets and the size of records. */
#include "http/tls.h"

#include "base/clock.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

const char TLS_PRIORITIES[] = "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+ECDHE-ECDSA:+ECDHE-RSA"
                              ":+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:+AEAD"
                              ":+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1"
                              ":+SIGN-ECDSA-SHA256:+SIGN-ECDSA-SHA384:+SIGN-ECDSA-SHA512"
                              ":+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SECP384R1-SHA384"
                              ":+SIGN-EDDSA-ED25519"
                              ":+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-PSS-RSAE-SHA384"
                              ":+SIGN-RSA-SHA256:+SIGN-RSA-SHA384:+SIGN-RSA-SHA512"
                              ":+COMP-NULL:+CTYPE-X509";

enum {
    CHAIN_MAX = 8,
    TICKET_LIFE_S = 24 * 3600,
    TICKET_KEY_MS = 7 * 24 * 3600 * 1000,
    RETIRED_MS = 10 * 60 * 1000, /* longer than any handshake may take */
};

struct certificate {
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned length;
    gnutls_privkey_t key;
    struct certificate *next; /* of those retired */
    int64_t retired_ms;
};

struct tls {
    _Atomic(struct certificate *) current;
    pthread_mutex_t lock; /* of what follows */
    struct certificate *retired;
    gnutls_datum_t ticket_key;
    int64_t ticket_key_ms;
};

/*
 * What a session's descriptor leads to. libmicrohttpd keeps the session's own pointer for itself.
 * A slot belongs to the one connection that has the descriptor, and to its worker thread.
 */
struct slot {
    struct tls *tls;
    uint16_t record_size; /* asked by the client, 0 when not */
    bool greeted;         /* the handshake is over */
    gnutls_session_t session;
    void (*wait)(void *ctx);
    void *ctx;
};

static struct slot *slots;
static size_t slot_count;

enum err tls_init(size_t descriptors)
{
    int rc = gnutls_global_init();

    if (rc < 0)
        return FAIL(ERR_TLS, "gnutls_global_init: %s", gnutls_strerror(rc));
    if (slots != NULL)
        return ERR_OK;
    slots = calloc(descriptors, sizeof *slots);
    if (slots == NULL)
        return FAIL(ERR_MEMORY, "%zu descriptors", descriptors);
    slot_count = descriptors;
    return ERR_OK;
}

/* The slot of a session, NULL when there is none. */
static struct slot *slot_of(gnutls_session_t session)
{
    int fd = gnutls_transport_get_int(session);

    return fd >= 0 && (size_t)fd < slot_count ? &slots[fd] : NULL;
}

/* --- Certificates --- */

static void certificate_free(struct certificate *c)
{
    if (c == NULL)
        return;
    for (unsigned i = 0; i < c->length; i++)
        gnutls_pcert_deinit(&c->chain[i]);
    if (c->key != NULL)
        gnutls_privkey_deinit(c->key);
    free(c);
}

/* Does the private key belong to the public one? */
static bool is_pair(gnutls_privkey_t key, gnutls_pubkey_t certified)
{
    gnutls_pubkey_t own = NULL;
    uint8_t id[2][64];
    size_t n[2] = { sizeof id[0], sizeof id[1] };
    bool same = false;

    if (gnutls_pubkey_init(&own) < 0)
        return false;
    if (gnutls_pubkey_import_privkey(own, key, 0, 0) >= 0 &&
        gnutls_pubkey_get_key_id(own, GNUTLS_KEYID_USE_SHA256, id[0], &n[0]) >= 0 &&
        gnutls_pubkey_get_key_id(certified, GNUTLS_KEYID_USE_SHA256, id[1], &n[1]) >= 0)
        same = n[0] == n[1] && memcmp(id[0], id[1], n[0]) == 0;
    gnutls_pubkey_deinit(own);
    return same;
}

static enum err certificate_load(const char *cert_file, const char *key_file,
                                 struct certificate **cert_out)
{
    struct certificate *c = calloc(1, sizeof *c);
    gnutls_datum_t pem = { 0 };
    unsigned length = CHAIN_MAX;
    enum err e = ERR_OK;
    int rc;

    if (c == NULL)
        return FAIL(ERR_MEMORY, "a certificate");
    rc = gnutls_pcert_list_import_x509_file(c->chain, &length, cert_file, GNUTLS_X509_FMT_PEM, NULL,
                                            NULL, 0);
    if (rc < 0) {
        e = FAIL(ERR_TLS, "certificate %s: %s", cert_file, gnutls_strerror(rc));
        goto out;
    }
    c->length = length;
    rc = gnutls_load_file(key_file, &pem);
    if (rc >= 0)
        rc = gnutls_privkey_init(&c->key);
    if (rc >= 0)
        rc = gnutls_privkey_import_x509_raw(c->key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (rc < 0) {
        e = FAIL(ERR_TLS, "key %s: %s", key_file, gnutls_strerror(rc));
        goto out;
    }
    if (!is_pair(c->key, c->chain[0].pubkey)) {
        e = FAIL(ERR_TLS, "%s is not the key of %s", key_file, cert_file);
        goto out;
    }
    *cert_out = c;
    c = NULL; /* the caller's */
out:
    if (pem.data != NULL)
        explicit_bzero(pem.data, pem.size);
    gnutls_free(pem.data);
    certificate_free(c);
    return e;
}

/* Called by GnuTLS in each handshake. The memory stays ours. */
static int retrieve(gnutls_session_t session, const gnutls_datum_t *ca_names, int ca_count,
                    const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
                    gnutls_pcert_st **chain_out, unsigned *length_out, gnutls_privkey_t *key_out)
{
    struct slot *s = slot_of(session);
    struct certificate *c = s != NULL && s->tls != NULL ? atomic_load(&s->tls->current) : NULL;

    (void)ca_names;
    (void)ca_count;
    (void)algorithms;
    (void)algorithm_count;
    if (c == NULL)
        return -1;
    *chain_out = c->chain;
    *length_out = c->length;
    *key_out = c->key;
    return 0;
}

void *tls_certificate_callback(void)
{
    gnutls_certificate_retrieve_function2 *f = retrieve;
    void *p;

    memcpy(&p, &f, sizeof p);
    return p;
}

/* --- Listeners --- */

enum err tls_new(const char *cert_file, const char *key_file, struct tls **tls_out)
{
    struct certificate *c = NULL;
    struct tls *tls = calloc(1, sizeof *tls);
    enum err e;
    int rc;

    if (tls == NULL)
        return FAIL(ERR_MEMORY, "TLS");
    e = certificate_load(cert_file, key_file, &c);
    if (e != ERR_OK) {
        free(tls);
        return e;
    }
    rc = gnutls_session_ticket_key_generate(&tls->ticket_key);
    if (rc < 0) {
        certificate_free(c);
        free(tls);
        return FAIL(ERR_TLS, "ticket key: %s", gnutls_strerror(rc));
    }
    tls->ticket_key_ms = clock_mono_ms();
    pthread_mutex_init(&tls->lock, NULL);
    atomic_store(&tls->current, c);
    *tls_out = tls;
    return ERR_OK;
}

static void free_ticket_key(gnutls_datum_t *key)
{
    if (key->data != NULL)
        explicit_bzero(key->data, key->size);
    gnutls_free(key->data);
}

void tls_free(struct tls *tls)
{
    if (tls == NULL)
        return;
    for (struct certificate *c = tls->retired; c != NULL;) {
        struct certificate *next = c->next;

        certificate_free(c);
        c = next;
    }
    certificate_free(atomic_load(&tls->current));
    free_ticket_key(&tls->ticket_key);
    pthread_mutex_destroy(&tls->lock);
    free(tls);
}

/* Free those that no handshake can hold any more. Under the lock. */
static void free_retired(struct tls *tls, int64_t now_ms)
{
    struct certificate **p = &tls->retired;

    while (*p != NULL) {
        struct certificate *c = *p;

        if (now_ms - c->retired_ms < RETIRED_MS) {
            p = &c->next;
            continue;
        }
        *p = c->next;
        certificate_free(c);
    }
}

enum err tls_reload(struct tls *tls, const char *cert_file, const char *key_file)
{
    struct certificate *c = NULL;
    enum err e = certificate_load(cert_file, key_file, &c);
    int64_t now_ms = clock_mono_ms();

    if (e != ERR_OK)
        return e;
    pthread_mutex_lock(&tls->lock);
    free_retired(tls, now_ms);
    c = atomic_exchange(&tls->current, c);
    c->retired_ms = now_ms;
    c->next = tls->retired;
    tls->retired = c;
    pthread_mutex_unlock(&tls->lock);
    return ERR_OK;
}

void tls_rotate(struct tls *tls, int64_t now_ms)
{
    gnutls_datum_t key = { 0 };

    pthread_mutex_lock(&tls->lock);
    if (now_ms - tls->ticket_key_ms >= TICKET_KEY_MS &&
        gnutls_session_ticket_key_generate(&key) >= 0) {
        free_ticket_key(&tls->ticket_key);
        tls->ticket_key = key;
        tls->ticket_key_ms = now_ms;
    }
    pthread_mutex_unlock(&tls->lock);
}

/* --- Sessions --- */

enum { EXT_MAX_FRAGMENT_LENGTH = 1, EXT_RECORD_SIZE_LIMIT = 28 };

/* Called for each extension of a ClientHello. */
static int note_extension(void *ctx, unsigned id, const unsigned char *data, unsigned size)
{
    uint16_t *asked = ctx;

    /* record_size_limit, which GnuTLS follows by itself, wins over the older one (RFC 8449, 5). */
    if (id == EXT_RECORD_SIZE_LIMIT)
        *asked = UINT16_MAX;
    if (id == EXT_MAX_FRAGMENT_LENGTH && size == 1 && data[0] >= 1 && data[0] <= 4 && *asked == 0)
        *asked = (uint16_t)(256u << data[0]);
    return 0;
}

static int on_client_hello(gnutls_session_t session, unsigned type, unsigned when,
                           unsigned incoming, const gnutls_datum_t *message)
{
    struct slot *s = slot_of(session);
    uint16_t asked = 0;

    (void)type;
    (void)when;
    (void)incoming;
    if (s == NULL)
        return 0;
    gnutls_ext_raw_parse(&asked, note_extension, message, GNUTLS_EXT_RAW_FLAG_TLS_CLIENT_HELLO);
    s->record_size = asked == UINT16_MAX ? 0 : asked;
    return 0;
}

/* Read for GnuTLS, as it would by itself, and tell when a handshake has nothing to read. */
static ssize_t pull(gnutls_transport_ptr_t transport, void *bytes_out, size_t n)
{
    int fd = (int)(intptr_t)transport;
    struct slot *s = &slots[fd];
    ssize_t got = recv(fd, bytes_out, n, 0);

    if (got >= 0 || errno != EAGAIN || s->greeted)
        return got;
    s->greeted = gnutls_handshake_get_last_in(s->session) == GNUTLS_HANDSHAKE_FINISHED;
    if (!s->greeted)
        s->wait(s->ctx);
    errno = EAGAIN;
    return -1;
}

void tls_started(struct tls *tls, void *session, int fd, void (*wait)(void *ctx), void *ctx)
{
    gnutls_session_t s = session;

    if (fd < 0 || (size_t)fd >= slot_count)
        return; /* no certificate, so the handshake fails */
    slots[fd] = (struct slot){ .tls = tls, .session = s, .wait = wait, .ctx = ctx };
    gnutls_transport_set_pull_function(s, pull);
    pthread_mutex_lock(&tls->lock);
    gnutls_session_ticket_enable_server(s, &tls->ticket_key);
    pthread_mutex_unlock(&tls->lock);
    gnutls_db_set_cache_expiration(s, TICKET_LIFE_S);
    gnutls_handshake_set_hook_function(s, GNUTLS_HANDSHAKE_CLIENT_HELLO, GNUTLS_HOOK_POST,
                                       on_client_hello);
}

void tls_ready(void *session, int fd)
{
    /* In the hook itself this would be refused, and GnuTLS 3.7 forgets it for TLS 1.2. */
    if (fd < 0 || (size_t)fd >= slot_count)
        return;
    slots[fd].greeted = true;
    if (slots[fd].record_size != 0)
        gnutls_record_set_max_size((gnutls_session_t)session, slots[fd].record_size);
}

/* --- The client of the health check --- */

enum err tls_probe(int fd, const char *request, char *answer_out, size_t room)
{
    gnutls_certificate_credentials_t cred = NULL;
    gnutls_session_t s = NULL;
    size_t used = 0;
    ssize_t n = 0;
    int rc = gnutls_certificate_allocate_credentials(&cred);

    if (rc >= 0)
        rc = gnutls_init(&s, GNUTLS_CLIENT);
    if (rc >= 0)
        rc = gnutls_set_default_priority(s);
    if (rc >= 0)
        rc = gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, cred);
    if (rc >= 0) {
        gnutls_transport_set_int(s, fd);
        do
            rc = gnutls_handshake(s);
        while (rc < 0 && !gnutls_error_is_fatal(rc) && rc != GNUTLS_E_AGAIN);
    }
    if (rc >= 0 && gnutls_record_send(s, request, strlen(request)) < 0)
        rc = GNUTLS_E_PUSH_ERROR;
    /* A session ticket comes first and reads as GNUTLS_E_AGAIN; so does a timeout of the socket. */
    for (int tries = 0; rc >= 0 && tries < 4 && used + 1 < room;) {
        n = gnutls_record_recv(s, answer_out + used, room - 1 - used);
        if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
            tries++;
        else if (n <= 0)
            break;
        else
            used += (size_t)n;
    }
    answer_out[used] = '\0';
    if (s != NULL)
        gnutls_deinit(s);
    if (cred != NULL)
        gnutls_certificate_free_credentials(cred);
    return rc < 0 ? FAIL(ERR_TLS, "probe: %s", gnutls_strerror(rc)) : ERR_OK;
}
