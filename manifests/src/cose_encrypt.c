/*
 * Structures of COSE_Encrypt that are never sent.
 */
#include "cose_encrypt.h"

#include "lsuit/cbor.h"
#include "lsuit/crypto.h"

static struct lsuit_bytes finish(const struct lsuit_cbor_writer *w)
{
    struct lsuit_bytes doc = { NULL, 0 };

    (void)lsuit_put_finish(w, &doc);
    return doc;
}

struct lsuit_bytes lsuit_kdf_context(struct lsuit_bytes protected_,
                                     uint8_t buf[LSUIT_KDF_CONTEXT_MAX])
{
    static const uint8_t OTHER[] = "SUIT Payload Encryption";
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(buf, LSUIT_KDF_CONTEXT_MAX);

    lsuit_put_array(&w, 4);
    lsuit_put_int(&w, LSUIT_ALG_A128KW);
    for (int party = 0; party < 2; party++) {
        lsuit_put_array(&w, 3);
        for (int i = 0; i < 3; i++)
            lsuit_put_null(&w);
    }
    lsuit_put_array(&w, 3);
    lsuit_put_uint(&w, 8 * LSUIT_AES_LEN);
    lsuit_put_bstr(&w, protected_);
    lsuit_put_bstr(&w, (struct lsuit_bytes){ OTHER, sizeof OTHER - 1 });
    return finish(&w);
}

struct lsuit_bytes lsuit_enc_structure(struct lsuit_bytes protected_,
                                       uint8_t buf[LSUIT_ENC_STRUCTURE_MAX])
{
    struct lsuit_cbor_writer w = lsuit_cbor_writer_init(buf, LSUIT_ENC_STRUCTURE_MAX);

    lsuit_put_array(&w, 3);
    lsuit_put_text(&w, "Encrypt");
    lsuit_put_bstr(&w, protected_);
    lsuit_put_bstr(&w, (struct lsuit_bytes){ NULL, 0 });
    return finish(&w);
}
