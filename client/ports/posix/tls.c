#include "tls.h"

#include <errno.h>
#include <mbedtls/error.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "lapel_port.h"

#define YEAR_10000_S 253402300800 /* no certificate lasts until then */

struct tls {
    struct tls_rules rules;
    mbedtls_ssl_config conf;
    mbedtls_ssl_context ssl;
    mbedtls_x509_crt ca;
    mbedtls_ssl_session session;
    bool has_session, begun, done, offered, fresh_certificate;
    uint32_t doubts;        /* of the chain above the server's certificate */
    bool vouched;           /* a key in it is pinned */
    mbedtls_x509_time ends; /* the server's certificate that was believed last; year 0: none was */
    char origin[300];       /* host:port that the session belongs to */
    char now[300];          /* and the one of this connection */
    int fd;
    bool wants_write;
    char why[256];
};

/* clang-format off */
static const int SUITES[] = {
#if defined(MBEDTLS_SSL_PROTO_TLS1_3) && MBEDTLS_VERSION_NUMBER >= 0x03000000
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
    MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
#endif
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    0
};
/* clang-format on */

static int random_psa(void *ctx, unsigned char *out, size_t n)
{
    (void)ctx;
    return psa_generate_random(out, n) == PSA_SUCCESS ? 0 : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static void explain(struct tls *t, const char *what, int rc)
{
    char text[160];
    uint32_t flags = mbedtls_ssl_get_verify_result(&t->ssl);
    int n = 0;

    mbedtls_strerror(rc, text, sizeof text);
    n = snprintf(t->why, sizeof t->why, "%s: %s", what, text);
    if (rc == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED && flags != 0 && flags != UINT32_MAX && n > 0 &&
        (size_t)n < sizeof t->why)
        (void)mbedtls_x509_crt_verify_info(t->why + n, sizeof t->why - (size_t)n, ": ", flags);
    for (char *p = t->why; *p != '\0'; p++)
        if (*p == '\n')
            *p = ' ';
}

static bool is_pinned(const struct tls *t, const mbedtls_x509_crt *crt)
{
    uint8_t digest[32];
    size_t n = 0;

    if (psa_hash_compute(PSA_ALG_SHA_256, crt->pk_raw.p, crt->pk_raw.len, digest, sizeof digest,
                         &n) != PSA_SUCCESS)
        return false;
    for (size_t i = 0; i < t->rules.pin_n; i++)
        if (memcmp(t->rules.pin[i], digest, sizeof digest) == 0)
            return true;
    return false;
}

/* Had it ended at that time? */
static bool ended_by(const mbedtls_x509_time *end, int64_t epoch_s)
{
    time_t at = (time_t)epoch_s;
    struct tm tm = { 0 };

    (void)gmtime_r(&at, &tm);
    const int then[] = { tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                         tm.tm_hour,        tm.tm_min,     tm.tm_sec };
    const int ends[] = { end->year, end->mon, end->day, end->hour, end->min, end->sec };

    for (size_t i = 0; i < sizeof then / sizeof then[0]; i++)
        if (then[i] != ends[i])
            return then[i] > ends[i];
    return false;
}

/*
 * A device without a battery for its clock starts in 1970: "not yet valid" then says nothing about
 * the certificate, and its end is held against a time that has passed for certain. What has
 * expired by a clock that is ahead stays refused, and so do name and chain.
 */
static void judge_dates(const struct tls *t, const mbedtls_x509_crt *crt, uint32_t *flags)
{
    if (time(NULL) >= (time_t)t->rules.floor_s)
        return;
    *flags &= ~(uint32_t)(MBEDTLS_X509_BADCERT_FUTURE | MBEDTLS_X509_BADCRL_FUTURE);
    if (ended_by(&crt->valid_to, t->rules.floor_s))
        *flags |= MBEDTLS_X509_BADCERT_EXPIRED;
}

/* Called for each certificate of the chain, the server's own last, at depth 0: there is judged. That
 * each one signed the next was checked before, also where nobody vouches for the first. */
static int verify(void *ctx, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
    struct tls *t = ctx;

    t->fresh_certificate = true;
    judge_dates(t, crt, flags);
    t->doubts |= *flags;
    *flags = 0;
    if (depth > 0)
        t->vouched = t->vouched || is_pinned(t, crt);
    else if (!is_pinned(t, crt))
        *flags = t->doubts & ~(t->vouched ? (uint32_t)MBEDTLS_X509_BADCERT_NOT_TRUSTED : 0);
    if (depth == 0 && *flags == 0)
        t->ends = crt->valid_to;
    return 0;
}

bool tls_rise(struct tls *t, int64_t at_s)
{
    if (at_s <= t->rules.floor_s || at_s >= YEAR_10000_S || t->ends.year == 0 ||
        ended_by(&t->ends, at_s))
        return false;
    t->rules.floor_s = at_s;
    return true;
}

static int set_fragment(struct tls *t)
{
    uint64_t n = t->rules.max_fragment;

#ifdef MBEDTLS_SSL_MAX_FRAGMENT_LENGTH
    unsigned char code = n == 512    ? MBEDTLS_SSL_MAX_FRAG_LEN_512
                         : n == 1024 ? MBEDTLS_SSL_MAX_FRAG_LEN_1024
                         : n == 2048 ? MBEDTLS_SSL_MAX_FRAG_LEN_2048
                                     : MBEDTLS_SSL_MAX_FRAG_LEN_4096;
    if (n == 0)
        return 0;
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    /* The library refuses a TLS 1.3 server that answers this extension, as GnuTLS does. */
    mbedtls_ssl_conf_max_tls_version(&t->conf, MBEDTLS_SSL_VERSION_TLS1_2);
#endif
    return mbedtls_ssl_conf_max_frag_len(&t->conf, code);
#else
    (void)t;
    return n == 0 ? 0 : MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE;
#endif
}

static void set_rules(struct tls *t)
{
    mbedtls_ssl_conf_authmode(&t->conf, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_ca_chain(&t->conf, &t->ca, NULL);
    mbedtls_ssl_conf_verify(&t->conf, verify, t);
    mbedtls_ssl_conf_rng(&t->conf, random_psa, NULL);
    mbedtls_ssl_conf_ciphersuites(&t->conf, SUITES);
#if MBEDTLS_VERSION_NUMBER < 0x03000000
    mbedtls_ssl_conf_min_version(&t->conf, MBEDTLS_SSL_MAJOR_VERSION_3,
                                 MBEDTLS_SSL_MINOR_VERSION_3); /* 3.3 is TLS 1.2; 3.x has no less */
#endif
#ifdef MBEDTLS_SSL_RENEGOTIATION
    mbedtls_ssl_conf_renegotiation(&t->conf, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
#ifdef MBEDTLS_SSL_SESSION_TICKETS
    mbedtls_ssl_conf_session_tickets(&t->conf, MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
#endif
#ifdef MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
        &t->conf, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
}

static bool read_authorities(struct tls *t)
{
    const struct tls_rules *r = &t->rules;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < r->authority_n; i++)
        rc = mbedtls_x509_crt_parse_der(&t->ca, r->authority[i].ptr, r->authority[i].n);
    if (rc != 0) {
        explain(t, "an authority of the trust set", rc);
        return false;
    }
    if (r->ca_file == NULL)
        return true;
    /* Above 0 some certificates of the file were not understood: common in system bundles. */
    rc = mbedtls_x509_crt_parse_file(&t->ca, r->ca_file);
    if (rc >= 0 && t->ca.raw.len > 0)
        return true;
    explain(t, r->ca_file, rc < 0 ? rc : MBEDTLS_ERR_X509_INVALID_FORMAT);
    return false;
}

struct tls *tls_new(const struct tls_rules *rules, char *why, size_t why_n)
{
    struct tls *t = calloc(1, sizeof *t);
    int rc = 0;

    if (t == NULL)
        return NULL;
    mbedtls_ssl_config_init(&t->conf);
    mbedtls_ssl_init(&t->ssl);
    mbedtls_x509_crt_init(&t->ca);
    mbedtls_ssl_session_init(&t->session);
    t->fd = -1;
    t->rules = *rules;
    if (!read_authorities(t))
        goto fail;
    rc = mbedtls_ssl_config_defaults(&t->conf, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                     MBEDTLS_SSL_PRESET_DEFAULT);
    if (rc == 0)
        rc = set_fragment(t);
    if (rc != 0) {
        explain(t, "TLS", rc);
        goto fail;
    }
    set_rules(t);
    return t;
fail:
    (void)snprintf(why, why_n, "%s", t->why);
    tls_free(t);
    return NULL;
}

void tls_free(struct tls *t)
{
    if (t == NULL)
        return;
    mbedtls_ssl_free(&t->ssl);
    mbedtls_ssl_config_free(&t->conf);
    mbedtls_x509_crt_free(&t->ca);
    mbedtls_ssl_session_free(&t->session);
    free(t);
}

static int socket_send(void *ctx, const unsigned char *buf, size_t n)
{
    struct tls *t = ctx;
    ssize_t done = send(t->fd, buf, n, MSG_NOSIGNAL);

    if (done < 0)
        return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_WRITE
                                                 : MBEDTLS_ERR_SSL_CONN_EOF;
    return (int)done;
}

static int socket_recv(void *ctx, unsigned char *buf, size_t n)
{
    struct tls *t = ctx;
    ssize_t done = recv(t->fd, buf, n, 0);

    if (done < 0)
        return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_READ
                                                 : MBEDTLS_ERR_SSL_CONN_EOF;
    return (int)done;
}

int tls_begin(struct tls *t, int fd, const char *host, uint16_t port)
{
    int rc = 0;

    tls_end(t);
    t->fd = fd;
    t->done = t->wants_write = t->fresh_certificate = t->vouched = false;
    t->doubts = 0;
    (void)snprintf(t->now, sizeof t->now, "%s:%u", host, (unsigned)port);
    rc = mbedtls_ssl_setup(&t->ssl, &t->conf);
    t->begun = rc == 0;
    if (rc == 0)
        rc = mbedtls_ssl_set_hostname(&t->ssl, host);
    t->offered = rc == 0 && t->has_session && strcmp(t->origin, t->now) == 0;
    /* A session that can't be offered is no reason to fail: the full handshake follows. */
    if (t->offered && mbedtls_ssl_set_session(&t->ssl, &t->session) != 0)
        t->offered = false;
    if (rc != 0) {
        explain(t, "TLS set-up", rc);
        return LAPEL_NET_FAIL;
    }
    mbedtls_ssl_set_bio(&t->ssl, t, socket_send, socket_recv, NULL);
    return 1;
}

static void keep_session(struct tls *t)
{
    mbedtls_ssl_session_free(&t->session);
    mbedtls_ssl_session_init(&t->session);
    t->has_session = mbedtls_ssl_get_session(&t->ssl, &t->session) == 0;
    memcpy(t->origin, t->now, sizeof t->origin);
}

static void forget_session(struct tls *t)
{
    mbedtls_ssl_session_free(&t->session);
    mbedtls_ssl_session_init(&t->session);
    t->has_session = false;
}

/* 0 for "try again", else the port's error. */
static int settle(struct tls *t, const char *what, int rc)
{
    if (rc == MBEDTLS_ERR_SSL_WANT_READ || rc == MBEDTLS_ERR_SSL_WANT_WRITE) {
        t->wants_write = rc == MBEDTLS_ERR_SSL_WANT_WRITE;
        return 0;
    }
#ifdef MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED
    if (rc == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) {
        keep_session(t);
        t->wants_write = false;
        return 0;
    }
#endif
    explain(t, what, rc);
    if (rc == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
        return LAPEL_NET_CLOSED;
    return rc == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED ? LAPEL_NET_TRUST : LAPEL_NET_FAIL;
}

int tls_handshake(struct tls *t)
{
    int rc = mbedtls_ssl_handshake(&t->ssl);

    if (rc == 0) {
        t->done = true;
        if (strcmp(mbedtls_ssl_get_version(&t->ssl), "TLSv1.2") == 0)
            keep_session(t); /* in 1.3 tickets come later, by themselves */
        return 1;
    }
    int answer = settle(t, "TLS handshake", rc);
    if (answer < 0 && t->offered)
        forget_session(t); /* in case it was the reason */
    return answer;
}

int tls_send(struct tls *t, const uint8_t *buf, size_t n)
{
    int rc = mbedtls_ssl_write(&t->ssl, buf, n);

    return rc > 0 ? rc : settle(t, "TLS send", rc);
}

int tls_recv(struct tls *t, uint8_t *buf, size_t n)
{
    int rc = mbedtls_ssl_read(&t->ssl, buf, n);

    if (rc > 0)
        return rc;
    /* The end of the stream without TLS's own goodbye may be somebody's cut: an error. */
    return settle(t, "TLS receive", rc == 0 ? MBEDTLS_ERR_SSL_CONN_EOF : rc);
}

void tls_end(struct tls *t)
{
    if (t->done)
        (void)mbedtls_ssl_close_notify(&t->ssl);
    if (t->begun) {
        mbedtls_ssl_free(&t->ssl);
        mbedtls_ssl_init(&t->ssl);
    }
    t->begun = t->done = false;
    t->fd = -1;
}

bool tls_waits_for_write(const struct tls *t)
{
    return t->wants_write;
}

const char *tls_suite(const struct tls *t)
{
    return mbedtls_ssl_get_ciphersuite(&t->ssl);
}

bool tls_resumed(const struct tls *t)
{
    return t->offered && !t->fresh_certificate;
}

const char *tls_why(const struct tls *t)
{
    return t->why;
}
