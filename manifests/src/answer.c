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

static void read_verdict(struct lsuit_in *in, struct lsuit_verdict *v)
{
    struct lsuit_in_at up = lsuit_in_map(in, LSUIT_MAP_VERDICT);

    while (lsuit_in_next(in)) {
        switch (in->key) {
        case LSUIT_SPACE_VENDOR_ID:
        case LSUIT_SPACE_CLASS_ID:
        case LSUIT_SPACE_COMPONENT_ID:
            lsuit_in_space_key(in, &v->space);
            break;
        case LSUIT_VERDICT_VERDICT:
            v->verdict = lsuit_in_uint32(in, 0, DOC_ENUM_MAX);
            if (v->verdict > LSUIT_WITHDRAW)
                v->verdict = LSUIT_NOTHING;
            break;
        case LSUIT_VERDICT_SEQUENCE:
            v->sequence = lsuit_in_uint(in, 0, LSUIT_SEQUENCE_MAX);
            v->has_sequence = true;
            break;
        case LSUIT_VERDICT_DIGEST:
            v->digest = lsuit_in_bytes(in, LSUIT_SHA256_LEN, LSUIT_SHA256_LEN);
            break;
        case LSUIT_VERDICT_SIZE:
            v->size = lsuit_in_uint32(in, 1, UINT32_MAX);
            break;
        default:
            lsuit_in_unknown(in);
        }
    }
    lsuit_in_leave(in, up, needed(v->verdict));
}

static void read_verdicts(struct lsuit_in *in, struct lsuit_answer *answer)
{
    lsuit_in_array(in, LSUIT_MAX_SPACES);
    while (lsuit_cbor_next(&in->c)) {
        read_verdict(in, &answer->verdicts[answer->verdicts_n]);
        if (in->c.err == LSUIT_OK && space_repeats(answer->verdicts, answer->verdicts_n))
            lsuit_in_fail(in, LSUIT_ERR_RANGE, TEXT("the same space twice"));
        answer->verdicts_n++;
    }
    if (in->c.err == LSUIT_OK && offers(answer) > 1)
        lsuit_in_fail(in, LSUIT_ERR_RANGE, TEXT("more than one offer"));
}

static void read_answer(struct lsuit_in *in, struct lsuit_answer *a)
{
    struct lsuit_in_at up = lsuit_in_map(in, LSUIT_MAP_ANSWER);

    while (lsuit_in_next(in)) {
        switch (in->key) {
        case LSUIT_ANSWER_VERSION:
            lsuit_in_version(in);
            break;
        case LSUIT_ANSWER_VERDICTS:
            read_verdicts(in, a);
            break;
        case LSUIT_ANSWER_NEXT_POLL:
            a->next_poll_s = lsuit_in_poll(in);
            break;
        case LSUIT_ANSWER_SUPPORT_END:
            a->support_end = lsuit_in_month(in);
            break;
        case LSUIT_ANSWER_SUPPORT_URL:
            a->support_url = lsuit_in_text(in, 1, LSUIT_URL_MAX);
            break;
        case LSUIT_ANSWER_TRUST_VERSION:
            a->trust_version = lsuit_in_uint32(in, 0, UINT32_MAX);
            break;
        case LSUIT_ANSWER_STATEMENT:
            a->statement = lsuit_in_bytes(in, 1, LSUIT_STATEMENT_MAX);
            break;
        case LSUIT_ANSWER_ERASE_NONCE:
            a->erase_nonce = lsuit_in_bytes(in, LSUIT_NONCE_MIN, LSUIT_NONCE_MAX);
            break;
        case LSUIT_ANSWER_TOKEN:
            a->token = lsuit_in_text(in, LSUIT_TOKEN_LEN, LSUIT_TOKEN_LEN);
            if (in->c.err == LSUIT_OK && !lsuit_token_ok(a->token))
                lsuit_in_fail(in, LSUIT_ERR_RANGE, TEXT("not base64url"));
            break;
        case LSUIT_ANSWER_CAPABILITY:
            a->capability = lsuit_cbor_bool(&in->c);
            break;
        case LSUIT_ANSWER_TIME:
            a->time_s = lsuit_in_uint(in, 0, LSUIT_NUMBER_MAX);
            a->has_time = true;
            break;
        default:
            lsuit_in_unknown(in);
        }
    }
    lsuit_in_leave(in, up, DOC_KEY(LSUIT_ANSWER_VERSION) | DOC_KEY(LSUIT_ANSWER_NEXT_POLL));
}

enum lsuit_err lsuit_answer_read(struct lsuit_bytes doc, struct lsuit_answer *answer_out,
                                 struct lsuit_fault *fault)
{
    struct lsuit_in in = lsuit_in_open(doc);
    struct lsuit_answer a = { 0 };
    enum lsuit_err e;

    read_answer(&in, &a);
    e = lsuit_in_close(&in, fault);
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

static void write_verdict(struct lsuit_out *out, const struct lsuit_verdict *v)
{
    struct lsuit_out_mark mark = lsuit_out_map(out);
    bool named = v->verdict == LSUIT_OFFER || v->verdict == LSUIT_WITHDRAW;

    if ((named && (!v->has_sequence || v->digest.ptr == NULL)) ||
        (v->verdict == LSUIT_OFFER && v->size == 0))
        lsuit_out_fail(out, LSUIT_ERR_RANGE);
    lsuit_out_space(out, &v->space);
    lsuit_out_uint(out, LSUIT_VERDICT_VERDICT, v->verdict, 0, LSUIT_WITHDRAW);
    if (v->has_sequence)
        lsuit_out_uint(out, LSUIT_VERDICT_SEQUENCE, v->sequence, 0, LSUIT_SEQUENCE_MAX);
    lsuit_out_bytes(out, LSUIT_VERDICT_DIGEST, v->digest, LSUIT_SHA256_LEN, LSUIT_SHA256_LEN);
    lsuit_out_nonzero(out, LSUIT_VERDICT_SIZE, v->size, UINT32_MAX);
    lsuit_out_leave(out, mark);
}

static void write_verdicts(struct lsuit_out *out, const struct lsuit_answer *answer)
{
    if (answer->verdicts_n == 0)
        return;
    lsuit_out_array(out, LSUIT_ANSWER_VERDICTS, answer->verdicts_n, LSUIT_MAX_SPACES);
    for (uint32_t i = 0; i < answer->verdicts_n && out->w.err == LSUIT_OK; i++) {
        if (space_repeats(answer->verdicts, i))
            lsuit_out_fail(out, LSUIT_ERR_RANGE);
        write_verdict(out, &answer->verdicts[i]);
    }
    if (out->w.err == LSUIT_OK && offers(answer) > 1)
        lsuit_out_fail(out, LSUIT_ERR_RANGE);
}

enum lsuit_err lsuit_answer_write(const struct lsuit_answer *answer, uint8_t *buf, size_t cap,
                                  struct lsuit_bytes *doc_out)
{
    struct lsuit_out out = lsuit_out_init(buf, cap);
    struct lsuit_out_mark mark = lsuit_out_map(&out);

    lsuit_out_version(&out);
    write_verdicts(&out, answer);
    lsuit_out_uint(&out, LSUIT_ANSWER_NEXT_POLL, answer->next_poll_s, LSUIT_POLL_MIN_S,
                   LSUIT_POLL_MAX_S);
    if (answer->support_end != 0)
        lsuit_out_month(&out, LSUIT_ANSWER_SUPPORT_END, answer->support_end);
    lsuit_out_text(&out, LSUIT_ANSWER_SUPPORT_URL, answer->support_url, 1, LSUIT_URL_MAX);
    lsuit_out_nonzero(&out, LSUIT_ANSWER_TRUST_VERSION, answer->trust_version, UINT32_MAX);
    lsuit_out_bytes(&out, LSUIT_ANSWER_STATEMENT, answer->statement, 1, LSUIT_STATEMENT_MAX);
    lsuit_out_bytes(&out, LSUIT_ANSWER_ERASE_NONCE, answer->erase_nonce, LSUIT_NONCE_MIN,
                    LSUIT_NONCE_MAX);
    if (answer->token.ptr != NULL && !lsuit_token_ok(answer->token))
        lsuit_out_fail(&out, LSUIT_ERR_RANGE);
    lsuit_out_text(&out, LSUIT_ANSWER_TOKEN, answer->token, LSUIT_TOKEN_LEN, LSUIT_TOKEN_LEN);
    lsuit_out_true(&out, LSUIT_ANSWER_CAPABILITY, answer->capability);
    if (answer->has_time)
        lsuit_out_uint(&out, LSUIT_ANSWER_TIME, answer->time_s, 0, LSUIT_NUMBER_MAX);
    lsuit_out_leave(&out, mark);
    return lsuit_put_finish(&out.w, doc_out);
}
