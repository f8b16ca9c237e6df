/*
 * Trust set: writing, for tools.
 */
#include "doc_io.h"
#include "lsuit/cose.h"
#include "lsuit/trust.h"

static void write_key(struct lsuit_out *out, const struct lsuit_key *key)
{
    struct lsuit_out_mark mark = lsuit_out_map(out);

    lsuit_out_need(out, key->material);
    lsuit_out_uint(out, LSUIT_KEY_TYPE, (uint64_t)key->type, 1, DOC_ENUM_MAX);
    lsuit_out_bytes(out, LSUIT_KEY_MATERIAL, key->material, 1, 128);
    lsuit_out_bytes(out, LSUIT_KEY_KID, key->kid, 1, LSUIT_KID_MAX);
    lsuit_out_leave(out, mark);
}

static void write_role(struct lsuit_out *out, const struct lsuit_role *role)
{
    struct lsuit_out_mark mark = lsuit_out_map(out);

    lsuit_out_uint(out, LSUIT_ROLE_ROLE, role->role, 1, DOC_ENUM_MAX);
    lsuit_out_array(out, LSUIT_ROLE_KEYS, role->keys_n, LSUIT_TRUST_KEYS);
    for (uint32_t i = 0; i < role->keys_n && out->w.err == LSUIT_OK; i++)
        write_key(out, &role->keys[i]);
    lsuit_out_uint(out, LSUIT_ROLE_THRESHOLD, role->threshold, 1, LSUIT_TRUST_KEYS);
    lsuit_out_bytes(out, LSUIT_ROLE_VENDOR_ID, role->vendor_id, LSUIT_UUID_LEN, LSUIT_UUID_LEN);
    lsuit_out_bytes(out, LSUIT_ROLE_CLASS_ID, role->class_id, LSUIT_UUID_LEN, LSUIT_UUID_LEN);
    lsuit_out_leave(out, mark);
}

static void write_anchor(struct lsuit_out *out, const struct lsuit_anchor *anchor)
{
    struct lsuit_out_mark mark = lsuit_out_map(out);

    lsuit_out_need(out, anchor->bytes);
    lsuit_out_uint(out, LSUIT_ANCHOR_KIND, anchor->kind, 1, DOC_ENUM_MAX);
    lsuit_out_bytes(out, LSUIT_ANCHOR_BYTES, anchor->bytes, 1, LSUIT_TRUST_MAX);
    lsuit_out_uint(out, LSUIT_ANCHOR_USE, anchor->use, 1, DOC_ENUM_MAX);
    lsuit_out_leave(out, mark);
}

static void write_urls(struct lsuit_out *out, const struct lsuit_trust_parts *parts)
{
    if (parts->urls_n == 0)
        return;
    lsuit_out_array(out, LSUIT_TRUST_URL_LIST, parts->urls_n, LSUIT_TRUST_URLS);
    for (uint32_t i = 0; i < parts->urls_n && out->w.err == LSUIT_OK; i++)
        lsuit_put_tstr(&out->w, parts->urls[i]);
}

enum lsuit_err lsuit_trust_write(const struct lsuit_trust_parts *parts, uint8_t *buf, size_t cap,
                                 struct lsuit_bytes *payload_out)
{
    struct lsuit_out out = lsuit_out_init(buf, cap);
    struct lsuit_out_mark mark = lsuit_out_map(&out);
    struct lsuit_bytes payload;
    struct lsuit_trust back;
    enum lsuit_err e;

    lsuit_out_version(&out);
    lsuit_out_uint(&out, LSUIT_TRUST_VERSION, parts->version, 1, UINT32_MAX);
    lsuit_out_array(&out, LSUIT_TRUST_ROLE_LIST, parts->roles_n, LSUIT_TRUST_ROLES);
    for (uint32_t i = 0; i < parts->roles_n && out.w.err == LSUIT_OK; i++)
        write_role(&out, &parts->roles[i]);
    if (parts->anchors_n > 0)
        lsuit_out_array(&out, LSUIT_TRUST_ANCHOR_LIST, parts->anchors_n, LSUIT_TRUST_ANCHORS);
    for (uint32_t i = 0; i < parts->anchors_n && out.w.err == LSUIT_OK; i++)
        write_anchor(&out, &parts->anchors[i]);
    write_urls(&out, parts);
    lsuit_out_nonzero(&out, LSUIT_TRUST_ISSUED, parts->issued_s, LSUIT_NUMBER_MAX);
    lsuit_out_leave(&out, mark);

    e = lsuit_put_finish(&out.w, &payload);
    if (e == LSUIT_OK)
        e = lsuit_trust_read(payload, &back, NULL);
    if (e == LSUIT_OK)
        *payload_out = payload;
    return e;
}

enum lsuit_err lsuit_trust_tbs(int32_t alg, struct lsuit_bytes payload, uint8_t *buf, size_t cap,
                               struct lsuit_bytes *tbs_out)
{
    struct lsuit_bytes none = { NULL, 0 }, aad;
    uint8_t room[LSUIT_AAD_BARE];
    enum lsuit_err e = lsuit_doc_aad(LSUIT_DOC_TRUST, none, room, sizeof room, &aad);

    return e != LSUIT_OK ? e : lsuit_cose_tbs(alg, aad, payload, buf, cap, tbs_out);
}

enum lsuit_err lsuit_trust_doc_write(struct lsuit_bytes payload,
                                     const struct lsuit_bytes *signatures, uint32_t signatures_n,
                                     uint8_t *buf, size_t cap, struct lsuit_bytes *doc_out)
{
    struct lsuit_out out = lsuit_out_init(buf, cap);
    struct lsuit_out_mark mark = lsuit_out_map(&out);
    struct lsuit_bytes doc;
    enum lsuit_err e;

    lsuit_out_version(&out);
    lsuit_out_need(&out, payload);
    lsuit_out_bytes(&out, LSUIT_TRUST_DOC_PAYLOAD, payload, 1, LSUIT_TRUST_MAX);
    lsuit_out_array(&out, LSUIT_TRUST_DOC_SIGNATURES, signatures_n, LSUIT_TRUST_SIGNATURES);
    for (uint32_t i = 0; i < signatures_n && out.w.err == LSUIT_OK; i++) {
        lsuit_out_need(&out, signatures[i]);
        lsuit_put_bstr(&out.w, signatures[i]);
    }
    lsuit_out_leave(&out, mark);

    e = lsuit_put_finish(&out.w, &doc);
    if (e == LSUIT_OK && doc.len > LSUIT_TRUST_MAX)
        e = LSUIT_ERR_LIMIT;
    if (e == LSUIT_OK)
        *doc_out = doc;
    return e;
}
