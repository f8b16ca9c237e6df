/*
 * TLS for the listeners. The two files tls.c and ca.c are the only ones that see GnuTLS.
 *
 *   (1) TLS 1.2 and 1.3, suites with forward secrecy and authenticated encryption, nothing else.
 *   (2) A certificate that is read again serves new handshakes; open connections keep theirs.
 *   (3) No record is larger than the client asked for (RFC 6066, 4; RFC 8449).
 *   (4) A ticket is good for a day; what opens tickets is replaced each week and never written
 *       down (RFC 9325, 3.4).
 */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct tls;

/* What MHD's priority option takes. Static. */
extern const char TLS_PRIORITIES[];

/*
 * Prepare for descriptors below `descriptors`. Called once, before the first tls_new; again is fine.
 * ERR_TLS, ERR_MEMORY: logged
 */
enum err tls_init(size_t descriptors);

/*
 * One listener's certificate and ticket key. tls_free only when no handshake can run any more.
 * ERR_TLS: a file can't be read, or the key is not the certificate's; logged
 */
enum err tls_new(const char *cert_file, const char *key_file, struct tls **tls_out);
void tls_free(struct tls *tls);

/* Read the files again. On error the certificate in use stays. */
enum err tls_reload(struct tls *tls, const char *cert_file, const char *key_file);

/* Replace the ticket key when it is older than a week. */
void tls_rotate(struct tls *tls, int64_t now_ms);

/*
 * A connection was accepted, no byte of it read. `session` is a gnutls_session_t.
 *
 *   wait  called with ctx, from inside the handshake, when it needs bytes that are not there. It
 *         must see that the handshake goes on only when the socket is readable: libmicrohttpd by
 *         itself (0.9.75, 1.0.1, with epoll) tries again at once, and burns a core meanwhile
 */
void tls_started(struct tls *tls, void *session, int fd, void (*wait)(void *ctx), void *ctx);

/* The handshake is over. Called before the first reply. */
void tls_ready(void *session, int fd);

/* The value for MHD's certificate callback option. */
void *tls_certificate_callback(void);

/* --- ca.c: the server's own certificates --- */

enum { TLS_NAMES = 16 };

/* Host names and addresses that a certificate must be good for. */
struct tls_names {
    char name[TLS_NAMES][256];
    unsigned count;
};
void tls_names_add(struct tls_names *names, const char *name);

/*
 * See that data_dir holds ca.pem, ca.key, server.pem and server.key: makes what is missing, and the
 * server certificate anew when two thirds of its life are over or a name is missing. Keys have mode
 * 0600. Where ca.key was taken away, the server certificate stays as it is.
 *
 *   now_ms  the wall clock
 *
 * ERR_TLS, ERR_IO: logged
 */
enum err ca_ensure(const char *data_dir, const struct tls_names *names, int64_t now_ms);

/* --- A client, for the health check only --- */

/*
 * Shake hands on a connected socket, send a request and read up to room - 1 bytes of the answer.
 * The server is not authenticated: nothing secret is sent, and the answer is only looked at.
 */
enum err tls_probe(int fd, const char *request, char *answer_out, size_t room);

#endif
