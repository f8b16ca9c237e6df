/*
 * The server's own certificate authority, for those who bring no certificate.
 *
 *   file         mode  what
 *   ca.key       0600  P-256, made once; may be taken away and kept offline
 *   ca.pem       0644  30 years; what devices are given as their anchor
 *   server.key   0600  P-256, made anew with each certificate
 *   server.pem   0644  397 days, made anew when two thirds are over; holds the CA after it
 *
 * A file appears whole, by rename, or not at all.
 */
#include "http/tls.h"

#include "base/bytes.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DAY_S = 24 * 3600, CA_DAYS = 30 * 365 + 7, SERVER_DAYS = 397 };

struct pair {
    gnutls_x509_crt_t cert;
    gnutls_x509_privkey_t key;
};

void tls_names_add(struct tls_names *names, const char *name)
{
    for (unsigned i = 0; i < names->count; i++) {
        if (strcasecmp(names->name[i], name) == 0)
            return;
    }
    if (name[0] == '\0' || names->count == TLS_NAMES || strlen(name) >= sizeof names->name[0])
        return;
    snprintf(names->name[names->count++], sizeof names->name[0], "%s", name);
}

static void pair_fini(struct pair *p)
{
    if (p->cert != NULL)
        gnutls_x509_crt_deinit(p->cert);
    if (p->key != NULL)
        gnutls_x509_privkey_deinit(p->key);
    *p = (struct pair){ 0 };
}

static enum err fail_tls(const char *what, int rc)
{
    return FAIL(ERR_TLS, "%s: %s", what, gnutls_strerror(rc));
}

/* --- Files --- */

static enum err write_file(int dir, const char *name, const void *bytes, size_t n, mode_t mode)
{
    char tmp[64];
    enum err e = ERR_OK;
    int fd;

    snprintf(tmp, sizeof tmp, "%s.tmp", name);
    unlinkat(dir, tmp, 0); /* left by a crash; its mode could be another */
    fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return FAIL(ERR_IO, "create %s: %s", tmp, strerror(errno));
    if (fchmod(fd, mode) < 0 || write(fd, bytes, n) != (ssize_t)n || fsync(fd) < 0 ||
        renameat(dir, tmp, dir, name) < 0 || fsync(dir) < 0)
        e = FAIL(ERR_IO, "write %s: %s", name, strerror(errno));
    close(fd);
    return e;
}

/* Read a small file. ERR_NOT_FOUND when it isn't there. Free data_out->data with gnutls_free. */
static enum err read_file(int dir, const char *name, gnutls_datum_t *data_out)
{
    enum { ROOM = 64 * 1024 };
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0 && errno == ENOENT)
        return ERR_NOT_FOUND;
    if (fd < 0)
        return FAIL(ERR_IO, "open %s: %s", name, strerror(errno));
    data_out->data = gnutls_malloc(ROOM);
    n = data_out->data != NULL ? read(fd, data_out->data, ROOM) : -1;
    close(fd);
    if (n < 0) {
        gnutls_free(data_out->data);
        data_out->data = NULL;
        return FAIL(ERR_IO, "read %s: %s", name, strerror(errno));
    }
    data_out->size = (unsigned)n;
    return ERR_OK;
}

static enum err write_key(int dir, const char *name, gnutls_x509_privkey_t key)
{
    gnutls_datum_t pem = { 0 };
    int rc =
        gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem);
    enum err e;

    if (rc < 0)
        return fail_tls(name, rc);
    e = write_file(dir, name, pem.data, pem.size, 0600);
    explicit_bzero(pem.data, pem.size);
    gnutls_free(pem.data);
    return e;
}

/* Write one certificate, and its issuer after it when not NULL. */
static enum err write_cert(int dir, const char *name, gnutls_x509_crt_t cert,
                           gnutls_x509_crt_t issuer)
{
    gnutls_datum_t pem[2] = { { 0 }, { 0 } };
    unsigned char *text = NULL;
    int rc = gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &pem[0]);
    enum err e;

    if (rc >= 0 && issuer != NULL)
        rc = gnutls_x509_crt_export2(issuer, GNUTLS_X509_FMT_PEM, &pem[1]);
    if (rc >= 0)
        text = malloc(pem[0].size + pem[1].size + 1);
    if (text == NULL) {
        e = rc < 0 ? fail_tls(name, rc) : FAIL(ERR_MEMORY, "%s", name);
    } else {
        memcpy(text, pem[0].data, pem[0].size);
        if (pem[1].size > 0)
            memcpy(text + pem[0].size, pem[1].data, pem[1].size);
        e = write_file(dir, name, text, pem[0].size + pem[1].size, 0644);
    }
    free(text);
    gnutls_free(pem[0].data);
    gnutls_free(pem[1].data);
    return e;
}

static enum err load_cert(int dir, const char *name, gnutls_x509_crt_t *cert_out)
{
    gnutls_datum_t pem = { 0 };
    gnutls_x509_crt_t cert = NULL;
    enum err e = read_file(dir, name, &pem);
    int rc;

    if (e != ERR_OK)
        return e;
    rc = gnutls_x509_crt_init(&cert);
    if (rc >= 0)
        rc = gnutls_x509_crt_import(cert, &pem, GNUTLS_X509_FMT_PEM);
    gnutls_free(pem.data);
    if (rc < 0) {
        if (cert != NULL)
            gnutls_x509_crt_deinit(cert);
        return fail_tls(name, rc);
    }
    *cert_out = cert;
    return ERR_OK;
}

static enum err load_key(int dir, const char *name, gnutls_x509_privkey_t *key_out)
{
    gnutls_datum_t pem = { 0 };
    gnutls_x509_privkey_t key = NULL;
    enum err e = read_file(dir, name, &pem);
    int rc;

    if (e != ERR_OK)
        return e;
    rc = gnutls_x509_privkey_init(&key);
    if (rc >= 0)
        rc = gnutls_x509_privkey_import2(key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
    explicit_bzero(pem.data, pem.size);
    gnutls_free(pem.data);
    if (rc < 0) {
        if (key != NULL)
            gnutls_x509_privkey_deinit(key);
        return fail_tls(name, rc);
    }
    *key_out = key;
    return ERR_OK;
}

/* --- Certificates --- */

/* Fill what both kinds have: a new key, version, serial number, dates, key identifier. */
static int begin_cert(struct pair *p, int64_t now_ms, int days)
{
    uint8_t serial[16];
    uint8_t id[64];
    size_t id_size = sizeof id;
    time_t from = (time_t)(now_ms / 1000) - DAY_S; /* for devices whose clock is behind */
    int rc;

    bytes_random(serial, sizeof serial);
    serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40); /* positive, always 16 bytes */
    rc = gnutls_x509_privkey_init(&p->key);
    if (rc >= 0)
        rc = gnutls_x509_privkey_generate(p->key, GNUTLS_PK_ECDSA,
                                          GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    if (rc >= 0)
        rc = gnutls_x509_crt_init(&p->cert);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_version(p->cert, 3);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_serial(p->cert, serial, sizeof serial);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_activation_time(p->cert, from);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_expiration_time(p->cert, from + (time_t)days * DAY_S);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_key(p->cert, p->key);
    if (rc >= 0)
        rc = gnutls_x509_privkey_get_key_id(p->key, GNUTLS_KEYID_USE_SHA1, id, &id_size);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_subject_key_id(p->cert, id, id_size);
    return rc;
}

static enum err make_ca(int dir, int64_t now_ms, struct pair *ca)
{
    char name[40];
    char hex[BYTES_HEX_LENGTH(4) + 1];
    uint8_t random[4];
    int rc = begin_cert(ca, now_ms, CA_DAYS);
    enum err e;

    bytes_random(random, sizeof random);
    bytes_to_hex(random, sizeof random, hex);
    snprintf(name, sizeof name, "lapel CA %s", hex); /* two servers, two names */
    if (rc >= 0)
        rc = gnutls_x509_crt_set_dn_by_oid(ca->cert, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                           (unsigned)strlen(name));
    if (rc >= 0)
        rc = gnutls_x509_crt_set_basic_constraints(ca->cert, 1, 0);
    if (rc >= 0)
        rc =
            gnutls_x509_crt_set_key_usage(ca->cert, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
    if (rc >= 0)
        rc = gnutls_x509_crt_sign2(ca->cert, ca->cert, ca->key, GNUTLS_DIG_SHA256, 0);
    if (rc < 0)
        return fail_tls("make the CA", rc);
    /* The key first: a certificate without its key could never be used. */
    e = write_key(dir, "ca.key", ca->key);
    return e == ERR_OK ? write_cert(dir, "ca.pem", ca->cert, NULL) : e;
}

static int add_name(gnutls_x509_crt_t cert, const char *name)
{
    unsigned char ip[16];

    if (inet_pton(AF_INET, name, ip) == 1)
        return gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_IPADDRESS, ip, 4,
                                                    GNUTLS_FSAN_APPEND);
    if (inet_pton(AF_INET6, name, ip) == 1)
        return gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_IPADDRESS, ip, 16,
                                                    GNUTLS_FSAN_APPEND);
    return gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_DNSNAME, name,
                                                (unsigned)strlen(name), GNUTLS_FSAN_APPEND);
}

static enum err make_server(int dir, const struct pair *ca, const struct tls_names *names,
                            int64_t now_ms)
{
    struct pair p = { 0 };
    uint8_t id[64];
    size_t id_size = sizeof id;
    int rc = begin_cert(&p, now_ms, SERVER_DAYS);
    enum err e = ERR_OK;

    if (rc >= 0)
        rc = gnutls_x509_crt_set_dn_by_oid(p.cert, GNUTLS_OID_X520_COMMON_NAME, 0, "lapeld",
                                           (unsigned)strlen("lapeld"));
    for (unsigned i = 0; i < names->count && rc >= 0; i++)
        rc = add_name(p.cert, names->name[i]);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_basic_constraints(p.cert, 0, -1);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_key_usage(p.cert, GNUTLS_KEY_DIGITAL_SIGNATURE);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_key_purpose_oid(p.cert, GNUTLS_KP_TLS_WWW_SERVER, 0);
    if (rc >= 0)
        rc = gnutls_x509_crt_get_subject_key_id(ca->cert, id, &id_size, NULL);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_authority_key_id(p.cert, id, id_size);
    if (rc >= 0)
        rc = gnutls_x509_crt_sign2(p.cert, ca->cert, ca->key, GNUTLS_DIG_SHA256, 0);
    if (rc < 0)
        e = fail_tls("make the server certificate", rc);
    /* The certificate goes away first, so that a crash between the two leaves no false pair. */
    if (e == ERR_OK && unlinkat(dir, "server.pem", 0) < 0 && errno != ENOENT)
        e = FAIL(ERR_IO, "remove server.pem: %s", strerror(errno));
    if (e == ERR_OK)
        e = write_key(dir, "server.key", p.key);
    if (e == ERR_OK)
        e = write_cert(dir, "server.pem", p.cert, ca->cert);
    pair_fini(&p);
    return e;
}

/* Must the server certificate be made anew? */
static bool is_due(int dir, gnutls_x509_crt_t ca, const struct tls_names *names, int64_t now_ms)
{
    gnutls_x509_crt_t cert = NULL;
    bool due = false;

    if (load_cert(dir, "server.pem", &cert) != ERR_OK ||
        faccessat(dir, "server.key", R_OK, 0) < 0) {
        due = true;
    } else {
        time_t from = gnutls_x509_crt_get_activation_time(cert);
        time_t to = gnutls_x509_crt_get_expiration_time(cert);

        due = (time_t)(now_ms / 1000) >= from + (to - from) / 3 * 2 ||
              gnutls_x509_crt_check_issuer(cert, ca) == 0;
        for (unsigned i = 0; i < names->count; i++)
            due = due || gnutls_x509_crt_check_hostname(cert, names->name[i]) == 0;
    }
    if (cert != NULL)
        gnutls_x509_crt_deinit(cert);
    return due;
}

/* Load the CA, or make one when there is none. The key may be missing. */
static enum err load_ca(int dir, int64_t now_ms, struct pair *ca, bool *made_out)
{
    enum err e = load_cert(dir, "ca.pem", &ca->cert);

    *made_out = false;
    if (e == ERR_NOT_FOUND) {
        *made_out = true;
        return make_ca(dir, now_ms, ca);
    }
    if (e != ERR_OK)
        return e;
    e = load_key(dir, "ca.key", &ca->key);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err ca_ensure(const char *data_dir, const struct tls_names *names, int64_t now_ms)
{
    struct pair ca = { 0 };
    bool made = false;
    int dir = open(data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err e;

    if (dir < 0)
        return FAIL(ERR_IO, "open %s: %s", data_dir, strerror(errno));
    e = load_ca(dir, now_ms, &ca, &made);
    if (e != ERR_OK || !is_due(dir, ca.cert, names, now_ms))
        goto out;
    if (ca.key == NULL) {
        if (faccessat(dir, "server.pem", R_OK, 0) < 0)
            e = FAIL(ERR_TLS, "no certificate, and no ca.key in %s to make one", data_dir);
        else
            LOG_WARN("the server certificate should be renewed, but %s/ca.key is not there",
                     data_dir);
        goto out;
    }
    e = make_server(dir, &ca, names, now_ms);
    if (e == ERR_OK && made)
        LOG_INFO("made a private CA; devices need its certificate: %s/ca.pem", data_dir);
    if (e == ERR_OK)
        LOG_INFO("made a server certificate, good for %d days: %s/server.pem", SERVER_DAYS,
                 data_dir);
out:
    pair_fini(&ca);
    close(dir);
    return e;
}
