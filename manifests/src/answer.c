/*
 * Answer: what the server tells a device that checked in.
 */
#include "lsuit/checkin.h"
#include "lsuit/statement.h"

#include "doc_io.h"

static bool space_repeats(const struct lsuit_verdict *verdicts, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (lsuit_space_equal(&verdicts[i].space, &verdicts[n].space))
            return true;
    }
    return false;
}

static uint32_t offers(const struct lsuit_answer *answer)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < answer->verdicts_n; i++)
        n += answer->verdicts[i].verdict == LSUIT_OFFER;
    return n;
}

/* --- reading --- */

/* Which keys a verdict must have. */
static uint64_t needed(uint32_t verdict)
{
    uint64_t keys = DOC_SPACE_NEEDED | DOC_KEY(LSUIT_VERDICT_VERDICT);

    if (verdict == LSUIT_OFFER || verdict == LSUIT_WITHDRAW)
        keys |= DOC_KEY(LSUIT_VERDICT_SEQUENCE) | DOC_KEY(LSUIT_VERDICT_DIGEST);
    if (verdict == LSUIT_OFFER)
        keys |= DOC_KEY(LSUIT_VERDICT_SIZE);
    return keys;
}

static void read_verdict(struct doc_in *in, struct lsuit_verdict *v)
{
    struct doc_at up = doc_map(in, LSUIT_MAP_VERDICT);

    while (doc_next(in)) {
        switch (in->key) {
        case LSUIT_SPACE_VENDOR_ID:
        case LSUIT_SPACE_CLASS_ID:
        case LSUIT_SPACE_COMPONENT_ID:
            doc_space_key(in, &v->space);
            break;
        case LSUIT_VERDICT_VERDICT:
            v->verdict = doc_uint32(in, 0, DOC_ENUM_MAX);
            if (v->verdict > LSUIT_WITHDRAW)
                v->verdict = LSUIT_NOTHING;
            break;
        case LSUIT_VERDICT_SEQUENCE:
            v->sequence = doc_uint(in, 0, LSUIT_SEQUENCE_MAX);
            v->has_sequence = true;
            break;
        case LSUIT_VERDICT_DIGEST:
            v->digest = doc_bytes(in, LSUIT_SHA256_LEN, LSUIT_SHA256_LEN);
            break;
        case LSUIT_VERDICT_SIZE:
            v->size = doc_uint32(in, 1, UINT32_MAX);
            break;
        default:
            doc_unknown(in);
        }
    }
    doc_leave(in, up, needed(v->verdict));
}

static void read_verdicts(struct doc_in *in, struct lsuit_answer *answer)
{
    doc_array(in, LSUIT_MAX_SPACES);
    while (lsuit_cbor_next(&in->c)) {
        read_verdict(in, &answer->verdicts[answer->verdicts_n]);
        if (in->c.err == LSUIT_OK && space_repeats(answer->verdicts, answer->verdicts_n))
            doc_fail(in, LSUIT_ERR_RANGE, "the same space twice");
        answer->verdicts_n++;
    }
    if (in->c.err == LSUIT_OK && offers(answer) > 1)
        doc_fail(in, LSUIT_ERR_RANGE, "more than one offer");
}

static void read_answer(struct doc_in *in, struct lsuit_answer *a)
{
    struct doc_at up = doc_map(in, LSUIT_MAP_ANSWER);

    while (doc_next(in)) {
        switch (in->key) {
        case LSUIT_ANSWER_VERSION:
            doc_version(in);
            break;
        case LSUIT_ANSWER_VERDICTS:
            read_verdicts(in, a);
            break;
        case LSUIT_ANSWER_NEXT_POLL:
            a->next_poll_s = doc_poll(in);
            break;
        case LSUIT_ANSWER_SUPPORT_END:
            a->support_end = doc_month(in);
            break;
        case LSUIT_ANSWER_SUPPORT_URL:
            a->support_url = doc_text(in, 1, LSUIT_URL_MAX);
            break;
        case LSUIT_ANSWER_TRUST_VERSION:
            a->trust_version = doc_uint32(in, 0, UINT32_MAX);
            break;
        case LSUIT_ANSWER_STATEMENT:
            a->statement = doc_bytes(in, 1, LSUIT_STATEMENT_MAX);
            break;
        case LSUIT_ANSWER_ERASE_NONCE:
            a->erase_nonce = doc_bytes(in, LSUIT_NONCE_MIN, LSUIT_NONCE_MAX);
            break;
        case LSUIT_ANSWER_TOKEN:
            a->token = doc_text(in, LSUIT_TOKEN_LEN, LSUIT_TOKEN_LEN);
            if (in->c.err == LSUIT_OK && !doc_token_ok(a->token))
                doc_fail(in, LSUIT_ERR_RANGE, "not base64url");
            break;
        case LSUIT_ANSWER_CAPABILITY:
            a->capability = lsuit_cbor_bool(&in->c);
            break;
        case LSUIT_ANSWER_TIME:
            a->time_s = doc_uint(in, 0, LSUIT_NUMBER_MAX);
            a->has_time = true;
            break;
        default:
            doc_unknown(in);
        }
    }
    doc_leave(in, up, DOC_KEY(LSUIT_ANSWER_VERSION) | DOC_KEY(LSUIT_ANSWER_NEXT_POLL));
}

enum lsuit_err lsuit_answer_read(struct lsuit_bytes doc, struct lsuit_answer *answer_out,
                                 struct lsuit_fault *fault)
{
    struct doc_in in = doc_open(doc);
    struct lsuit_answer a = { 0 };
    enum lsuit_err e;

    read_answer(&in, &a);
    e = doc_close(&in, fault);
    if (e == LSUIT_OK)
        *answer_out = a;
    return e;
}

const struct lsuit_verdict *lsuit_answer_verdict(const struct lsuit_answer *answer,
                                                 const struct lsuit_space *space)
{
    for (uint32_t i = 0; i < answer->verdicts_n; i++) {
        if (lsuit_space_equal(&answer->verdicts[i].space, space))
            return &answer->verdicts[i];
    }
    return NULL;
}

/* --- writing --- */

static void write_verdict(struct doc_out *out, const struct lsuit_verdict *v)
{
    struct doc_mark mark = doc_out_map(out);
    bool named = v->verdict == LSUIT_OFFER || v->verdict == LSUIT_WITHDRAW;

    if ((named && (!v->has_sequence || v->digest.ptr == NULL)) ||
        (v->verdict == LSUIT_OFFER && v->size == 0))
        doc_out_fail(out, LSUIT_ERR_RANGE);
    doc_out_space(out, &v->space);
    doc_out_uint(out, LSUIT_VERDICT_VERDICT, v->verdict, 0, LSUIT_WITHDRAW);
    if (v->has_sequence)
        doc_out_uint(out, LSUIT_VERDICT_SEQUENCE, v->sequence, 0, LSUIT_SEQUENCE_MAX);
    doc_out_bytes(out, LSUIT_VERDICT_DIGEST, v->digest, LSUIT_SHA256_LEN, LSUIT_SHA256_LEN);
    doc_out_nonzero(out, LSUIT_VERDICT_SIZE, v->size, UINT32_MAX);
    doc_out_leave(out, mark);
}

static void write_verdicts(struct doc_out *out, const struct lsuit_answer *answer)
{
    if (answer->verdicts_n == 0)
        return;
    doc_out_array(out, LSUIT_ANSWER_VERDICTS, answer->verdicts_n, LSUIT_MAX_SPACES);
    for (uint32_t i = 0; i < answer->verdicts_n && out->w.err == LSUIT_OK; i++) {
        if (space_repeats(answer->verdicts, i))
            doc_out_fail(out, LSUIT_ERR_RANGE);
        write_verdict(out, &answer->verdicts[i]);
    }
    if (out->w.err == LSUIT_OK && offers(answer) > 1)
        doc_out_fail(out, LSUIT_ERR_RANGE);
}

enum lsuit_err lsuit_answer_write(const struct lsuit_answer *answer, uint8_t *buf, size_t cap,
                                  struct lsuit_bytes *doc_out)
{
    struct doc_out out = doc_out_init(buf, cap);
    struct doc_mark mark = doc_out_map(&out);

    doc_out_version(&out);
    write_verdicts(&out, answer);
    doc_out_uint(&out, LSUIT_ANSWER_NEXT_POLL, answer->next_poll_s, LSUIT_POLL_MIN_S,
                 LSUIT_POLL_MAX_S);
    if (answer->support_end != 0)
        doc_out_month(&out, LSUIT_ANSWER_SUPPORT_END, answer->support_end);
    doc_out_text(&out, LSUIT_ANSWER_SUPPORT_URL, answer->support_url, 1, LSUIT_URL_MAX);
    doc_out_nonzero(&out, LSUIT_ANSWER_TRUST_VERSION, answer->trust_version, UINT32_MAX);
    doc_out_bytes(&out, LSUIT_ANSWER_STATEMENT, answer->statement, 1, LSUIT_STATEMENT_MAX);
    doc_out_bytes(&out, LSUIT_ANSWER_ERASE_NONCE, answer->erase_nonce, LSUIT_NONCE_MIN,
                  LSUIT_NONCE_MAX);
    if (answer->token.ptr != NULL && !doc_token_ok(answer->token))
        doc_out_fail(&out, LSUIT_ERR_RANGE);
    doc_out_text(&out, LSUIT_ANSWER_TOKEN, answer->token, LSUIT_TOKEN_LEN, LSUIT_TOKEN_LEN);
    doc_out_true(&out, LSUIT_ANSWER_CAPABILITY, answer->capability);
    if (answer->has_time)
        doc_out_uint(&out, LSUIT_ANSWER_TIME, answer->time_s, 0, LSUIT_NUMBER_MAX);
    doc_out_leave(&out, mark);
    return lsuit_put_finish(&out.w, doc_out);
}
