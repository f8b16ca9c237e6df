/*
 * TLS over a socket that doesn't block: the one file that knows the TLS library.
 *
 *   (1) The server's certificate must chain to one of the given authorities, or to a certificate
 *       whose key is pinned, carry the host's name, and be within its dates; or its own key must be
 *       one of those that are pinned, and then nothing else counts. There is no switch that turns
 *       this off.
 *   (2) TLS 1.2 or 1.3, ephemeral key exchange, AEAD ciphers.
 *   (3) A session is resumed only with the same host and port, in the same process.
 *   (4) While the clock is wrong for certain (it stands before `floor_s`), a certificate that begins
 *       later is taken, and one that ended before `floor_s` is not.
 *   (5) `floor_s` never rises above the end of a certificate that is believed: a server whose clock is
 *       ahead can't lock out the one that it has next.
 *
 * Answers follow lapel_port.h: above 0 done, 0 try again, below 0 LAPEL_NET_....
 */
#ifndef AGENT_TLS_H
#define AGENT_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls;

#define TLS_PINS_MAX 8
#define TLS_AUTHORITIES_MAX 4

struct tls_der {
    const uint8_t *ptr;
    size_t n;
};

/* Whom to believe. Copied by tls_new. */
struct tls_rules {
    const char *ca_file;                           /* PEM of the authorities; NULL: none */
    struct tls_der authority[TLS_AUTHORITIES_MAX]; /* more of them; borrowed during tls_new */
    size_t authority_n;
    uint8_t pin[TLS_PINS_MAX][32]; /* SHA-256 of a SubjectPublicKeyInfo */
    size_t pin_n;
    uint64_t max_fragment; /* record size to ask for: 512, 1024, 2048, 4096, 0 none */
    int64_t floor_s;       /* a time that has passed, seconds since 1970 */
};

/* NULL with a reason in `why`. psa_crypto_init comes first. */
struct tls *tls_new(const struct tls_rules *rules, char *why, size_t why_n);
void tls_free(struct tls *t);

/*
 * The server that was believed last says that it is this late, seconds since 1970. False: `floor_s`
 * stays, for it is not later, or that server's certificate had ended by then (5).
 */
bool tls_rise(struct tls *t, int64_t at_s);

/* Begin on a connected socket, which stays the caller's. 1 or LAPEL_NET_FAIL. */
int tls_begin(struct tls *t, int fd, const char *host, uint16_t port);
int tls_handshake(struct tls *t);
int tls_send(struct tls *t, const uint8_t *buf, size_t n);
int tls_recv(struct tls *t, uint8_t *buf, size_t n);
/* Say goodbye once, without waiting, and forget the connection but not the session. */
void tls_end(struct tls *t);

/* The last answer was 0: because the socket can't be written (true) or has nothing to read? */
bool tls_waits_for_write(const struct tls *t);

/* After a handshake: "TLSv1.2 ... ", and whether the session was resumed. */
const char *tls_suite(const struct tls *t);
bool tls_resumed(const struct tls *t);

/* The reason for the last error, for the log. Valid until the next call. */
const char *tls_why(const struct tls *t);

#endif
