#include "trust/online.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/log.h"

#include <psa/crypto.h>
#include <stdlib.h>
#include <string.h>

enum { KID = 8 };

struct online {
    psa_key_id_t key;
    uint8_t point[LSUIT_P256_POINT_LEN];
    uint8_t id[TRUST_KEY_ID];
};

static psa_key_attributes_t attributes(psa_key_usage_t usage)
{
    psa_key_attributes_t a = PSA_KEY_ATTRIBUTES_INIT;

    psa_set_key_type(&a, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
    psa_set_key_bits(&a, 256);
    psa_set_key_usage_flags(&a, usage);
    psa_set_key_algorithm(&a, PSA_ALG_DETERMINISTIC_ECDSA(PSA_ALG_SHA_256));
    return a;
}

/* A new key; its bytes leave PSA once, for the file. */
static enum err generate(const char *path)
{
    psa_key_attributes_t a = attributes(PSA_KEY_USAGE_EXPORT);
    uint8_t secret[PEM_KEY], point[LSUIT_P256_POINT_LEN];
    char text[PEM_TEXT];
    psa_key_id_t key = 0;
    size_t n = 0;
    enum err e = ERR_OK;

    if (psa_generate_key(&a, &key) != PSA_SUCCESS ||
        psa_export_key(key, secret, sizeof secret, &n) != PSA_SUCCESS || n != sizeof secret ||
        psa_export_public_key(key, point, sizeof point, &n) != PSA_SUCCESS)
        e = FAIL(ERR_INTERNAL, "no new online key");
    (void)psa_destroy_key(key);
    if (e == ERR_OK) {
        pem_private_write(secret, point, text);
        e = file_put(path, text, strlen(text), 0600);
    }
    if (e == ERR_OK)
        LOG_INFO("made the online key %s; its public half belongs into the trust set", path);
    bytes_wipe(secret, sizeof secret);
    bytes_wipe(text, sizeof text);
    return e;
}

static enum err import(struct online *o, const char *path, const char *text, size_t text_n)
{
    psa_key_attributes_t a = attributes(PSA_KEY_USAGE_SIGN_HASH);
    uint8_t secret[PEM_KEY];
    size_t n = 0;

    if (pem_private_read(text, text_n, secret) != ERR_OK)
        return FAIL(ERR_CONFIG, "%s: no P-256 private key in PEM", path);
    if (psa_import_key(&a, secret, sizeof secret, &o->key) != PSA_SUCCESS ||
        psa_export_public_key(o->key, o->point, sizeof o->point, &n) != PSA_SUCCESS) {
        bytes_wipe(secret, sizeof secret);
        return FAIL(ERR_CONFIG, "%s: not a usable P-256 key", path);
    }
    bytes_wipe(secret, sizeof secret);
    return trust_key_id(o->point, o->id);
}

enum err online_open(const char *path, struct online **online_out)
{
    struct online *o = calloc(1, sizeof *o);
    char text[2048];
    size_t n = 0;
    enum err e;

    if (o == NULL)
        return FAIL(ERR_MEMORY, "online key");
    trust_keys_lock();
    e = file_get_secret(path, text, sizeof text, &n);
    if (e == ERR_NOT_FOUND) {
        e = generate(path);
        if (e == ERR_OK)
            e = file_get_secret(path, text, sizeof text, &n);
    }
    if (e == ERR_OK)
        e = import(o, path, text, n);
    trust_keys_unlock();
    bytes_wipe(text, sizeof text);
    if (e != ERR_OK) {
        online_close(o);
        return e;
    }
    *online_out = o;
    return ERR_OK;
}

void online_close(struct online *o)
{
    if (o == NULL)
        return;
    trust_keys_lock();
    (void)psa_destroy_key(o->key);
    trust_keys_unlock();
    free(o);
}

const uint8_t *online_key_id(const struct online *o)
{
    return o->id;
}

void online_public(const struct online *o, char pem_out[PEM_TEXT])
{
    pem_public_write(o->point, pem_out);
}

enum err online_sign(struct online *o, enum lsuit_doc kind, struct lsuit_bytes payload,
                     uint8_t *buf, size_t cap, struct lsuit_bytes *doc_out)
{
    struct lsuit_bytes kid = { o->id, KID };
    struct lsuit_bytes none = { 0 };
    enum lsuit_err le;

    trust_keys_lock();
    le = lsuit_doc_sign(kind, none, payload, &lsuit_crypto_psa, o->key, kid, buf, cap, doc_out);
    trust_keys_unlock();
    return le == LSUIT_OK ? ERR_OK : FAIL(ERR_INTERNAL, "online signature: %s", lsuit_err_name(le));
}

enum err keyed_hash(const uint8_t key[KEYED_HASH], struct lsuit_bytes bytes,
                    uint8_t hash_out[KEYED_HASH])
{
    psa_key_attributes_t a = PSA_KEY_ATTRIBUTES_INIT;
    psa_key_id_t id = 0;
    size_t n = 0;
    bool good;

    psa_set_key_type(&a, PSA_KEY_TYPE_HMAC);
    psa_set_key_usage_flags(&a, PSA_KEY_USAGE_SIGN_MESSAGE);
    psa_set_key_algorithm(&a, PSA_ALG_HMAC(PSA_ALG_SHA_256));
    trust_keys_lock();
    good = psa_import_key(&a, key, KEYED_HASH, &id) == PSA_SUCCESS &&
           psa_mac_compute(id, PSA_ALG_HMAC(PSA_ALG_SHA_256), bytes.ptr, bytes.len, hash_out,
                           KEYED_HASH, &n) == PSA_SUCCESS &&
           n == KEYED_HASH;
    (void)psa_destroy_key(id);
    trust_keys_unlock();
    return good ? ERR_OK : FAIL(ERR_INTERNAL, "no HMAC");
}
