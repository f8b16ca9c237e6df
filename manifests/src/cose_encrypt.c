/*
 * Structures of COSE_Encrypt that are never sent: around a protected header all bytes are fixed.
 */
#include "cose_encrypt.h"

#include "lsuit/cbor.h"

static struct lsuit_bytes wrap(const void *before, size_t before_n, struct lsuit_bytes protected_,
                               const void *after, size_t after_n, uint8_t *buf, size_t cap)
{
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(buf, cap);
    struct lsuit_bytes doc = { NULL, 0 };

    lsuit_put_item(&w, (struct lsuit_bytes){ before, before_n });
    lsuit_put_bstr(&w, protected_);
    lsuit_put_item(&w, (struct lsuit_bytes){ after, after_n });
    (void)lsuit_put_finish(&w, &doc);
    return doc;
}

struct lsuit_bytes lsuit_kdf_context(struct lsuit_bytes protected_,
                                     uint8_t buf[LSUIT_KDF_CONTEXT_MAX])
{
    /* [ A128KW, [ null, null, null ], [ null, null, null ], [ 128, protected, other ] ] */
    static const uint8_t BEFORE[] = { 0x84, 0x22, 0x83, 0xf6, 0xf6, 0xf6, 0x83,
                                      0xf6, 0xf6, 0xf6, 0x83, 0x18, 0x80 };
    static const char AFTER[] = "\x57"
                                "SUIT Payload Encryption";

    return wrap(BEFORE, sizeof BEFORE, protected_, AFTER, sizeof AFTER - 1, buf,
                LSUIT_KDF_CONTEXT_MAX);
}

struct lsuit_bytes lsuit_enc_structure(struct lsuit_bytes protected_,
                                       uint8_t buf[LSUIT_ENC_STRUCTURE_MAX])
{
    /* [ "Encrypt", protected, h'' ] */
    return wrap("\x83\x67"
                "Encrypt",
                9, protected_, "\x40", 1, buf, LSUIT_ENC_STRUCTURE_MAX);
}
