/*
 * Check-in: what a device says about itself.
 */
#include "lsuit/checkin.h"

#include "doc_io.h"

/* --- reading --- */

static void read_running(struct doc_in *in, struct lsuit_running *r)
{
    struct doc_at up = doc_map(in, LSUIT_MAP_RUNNING);

    while (doc_next(in)) {
        switch (in->key) {
        case LSUIT_SPACE_VENDOR_ID:
        case LSUIT_SPACE_CLASS_ID:
        case LSUIT_SPACE_COMPONENT_ID:
            doc_space_key(in, &r->space);
            break;
        case LSUIT_RUNNING_SEQUENCE:
            r->sequence = doc_uint(in, 0, LSUIT_SEQUENCE_MAX);
            break;
        case LSUIT_RUNNING_DIGEST:
            r->digest = doc_bytes(in, LSUIT_SHA256_LEN, LSUIT_SHA256_LEN);
            break;
        case LSUIT_RUNNING_STATE:
            r->state = doc_uint32(in, 1, DOC_ENUM_MAX);
            break;
        default:
            doc_unknown(in);
        }
    }
    if (in->c.err == LSUIT_OK && r->sequence != 0 && r->digest.ptr == NULL)
        doc_fail_key(in, LSUIT_RUNNING_DIGEST, LSUIT_ERR_CBOR, "missing");
    doc_leave(in, up,
              DOC_SPACE_NEEDED | DOC_KEY(LSUIT_RUNNING_SEQUENCE) | DOC_KEY(LSUIT_RUNNING_STATE));
}

/* Whether entry n has the space of one before it. */
static bool space_repeats(const struct lsuit_running *running, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (lsuit_space_equal(&running[i].space, &running[n].space))
            return true;
    }
    return false;
}

static void read_all_running(struct doc_in *in, struct lsuit_checkin *ci)
{
    doc_array(in, LSUIT_MAX_SPACES);
    while (lsuit_cbor_next(&in->c)) {
        read_running(in, &ci->running[ci->running_n]);
        if (in->c.err == LSUIT_OK && space_repeats(ci->running, ci->running_n))
            doc_fail(in, LSUIT_ERR_RANGE, "the same space twice");
        ci->running_n++;
    }
    if (in->c.err == LSUIT_OK && ci->running_n == 0)
        doc_fail(in, LSUIT_ERR_RANGE, "no entry");
}

static void read_user(struct doc_in *in, struct lsuit_user *user)
{
    struct doc_at up = doc_map(in, LSUIT_MAP_USER);

    while (doc_next(in)) {
        switch (in->key) {
        case LSUIT_USER_AUTO_SECURITY:
            user->auto_security = doc_uint32(in, 0, DOC_ENUM_MAX);
            break;
        case LSUIT_USER_AUTO_FEATURE:
            user->auto_feature = doc_uint32(in, 0, DOC_ENUM_MAX);
            break;
        case LSUIT_USER_NOTIFICATIONS:
            user->notifications = doc_uint32(in, 0, DOC_ENUM_MAX);
            break;
        case LSUIT_USER_POSTPONED:
            user->postponed_s = doc_uint32(in, 0, UINT32_MAX);
            break;
        case LSUIT_USER_WAITING:
            user->waiting = doc_uint32(in, 0, DOC_ENUM_MAX);
            break;
        case LSUIT_USER_REFUSED:
            user->refused = lsuit_cbor_bool(&in->c);
            break;
        default:
            doc_unknown(in);
        }
    }
    doc_leave(in, up, 0);
}

/* Keys 5 to 14: the state of the device. */
static void read_state(struct doc_in *in, struct lsuit_checkin *ci)
{
    switch (in->key) {
    case LSUIT_CHECKIN_RUNNING:
        read_all_running(in, ci);
        break;
    case LSUIT_CHECKIN_ATTEMPT:
        doc_attempt(in, &ci->attempt);
        ci->has_attempt = true;
        break;
    case LSUIT_CHECKIN_TRUST_VERSION:
        ci->trust_version = doc_uint32(in, 0, UINT32_MAX);
        break;
    case LSUIT_CHECKIN_SECURITY_COUNTER:
        ci->security_counter = doc_uint(in, 0, LSUIT_NUMBER_MAX);
        ci->has_security_counter = true;
        break;
    case LSUIT_CHECKIN_BOOT_COUNTER:
        ci->boot_counter = doc_uint(in, 0, LSUIT_NUMBER_MAX);
        ci->has_boot_counter = true;
        break;
    case LSUIT_CHECKIN_CAPABILITY: {
        const uint8_t *at = in->c.p;
        struct lsuit_capability unused;

        doc_capability(in, &unused);
        ci->capability = (struct lsuit_bytes){ at, (size_t)(in->c.p - at) };
        break;
    }
    case LSUIT_CHECKIN_CAPABILITY_DIGEST:
        ci->capability_digest = doc_bytes(in, LSUIT_SHA256_LEN, LSUIT_SHA256_LEN);
        if (in->c.err == LSUIT_OK && ci->capability.ptr != NULL)
            doc_fail(in, LSUIT_ERR_RANGE, "capability and its digest");
        break;
    case LSUIT_CHECKIN_EVENTS:
        ci->events_n = doc_events(in, ci->events);
        break;
    case LSUIT_CHECKIN_FAULT:
        doc_fault_record(in, &ci->fault);
        ci->has_fault = true;
        break;
    default:
        read_user(in, &ci->user);
        ci->has_user = true;
    }
}

/* Keys 15 to 23: proofs and options. */
static void read_option(struct doc_in *in, struct lsuit_checkin *ci)
{
    switch (in->key) {
    case LSUIT_CHECKIN_NONCE:
        ci->nonce = doc_bytes(in, LSUIT_NONCE_MIN, LSUIT_NONCE_MAX);
        break;
    case LSUIT_CHECKIN_COUNTER:
        ci->counter = doc_uint(in, 0, LSUIT_NUMBER_MAX);
        ci->has_counter = true;
        break;
    case LSUIT_CHECKIN_VIA:
        ci->via = doc_text(in, 1, LSUIT_NAME_MAX);
        break;
    case LSUIT_CHECKIN_TIME_ZONE: {
        int64_t minutes = lsuit_cbor_int(&in->c);

        if (minutes < -LSUIT_TIME_ZONE_MAX || minutes > LSUIT_TIME_ZONE_MAX)
            doc_fail(in, LSUIT_ERR_RANGE, "number out of range");
        ci->time_zone_min = (int32_t)minutes;
        ci->has_time_zone = true;
        break;
    }
    case LSUIT_CHECKIN_CHANNEL:
        ci->channel = doc_text(in, 1, LSUIT_CHANNEL_MAX);
        break;
    case LSUIT_CHECKIN_DEVICE_KEY:
        ci->device_key = doc_bytes(in, LSUIT_P256_POINT_LEN, LSUIT_P256_POINT_LEN);
        break;
    case LSUIT_CHECKIN_ATTESTATION:
        ci->attestation = doc_bytes(in, 1, LSUIT_ATTESTATION_MAX);
        break;
    case LSUIT_CHECKIN_ERASE:
        ci->erase = lsuit_cbor_bool(&in->c);
        break;
    default:
        ci->language = doc_text(in, 1, LSUIT_LANGUAGE_MAX);
    }
}

static void read_checkin(struct doc_in *in, struct lsuit_checkin *ci)
{
    struct doc_at up = doc_map(in, LSUIT_MAP_CHECKIN);

    while (doc_next(in)) {
        switch (in->key) {
        case LSUIT_CHECKIN_VERSION:
            doc_version(in);
            break;
        case LSUIT_CHECKIN_PRODUCT:
            ci->product = doc_text(in, 1, LSUIT_NAME_MAX);
            break;
        case LSUIT_CHECKIN_DEVICE_ID:
            ci->device_id = doc_text(in, 1, LSUIT_NAME_MAX);
            break;
        case LSUIT_CHECKIN_MODEL:
            ci->model = doc_text(in, 1, LSUIT_NAME_MAX);
            break;
        case LSUIT_CHECKIN_HW_REVISION:
            ci->hw_revision = doc_text(in, 0, LSUIT_HW_REVISION_MAX);
            break;
        default:
            if (in->key >= LSUIT_CHECKIN_RUNNING && in->key <= LSUIT_CHECKIN_USER)
                read_state(in, ci);
            else if (in->key >= LSUIT_CHECKIN_NONCE && in->key <= LSUIT_CHECKIN_LANGUAGE)
                read_option(in, ci);
            else
                doc_unknown(in);
        }
    }
    doc_leave(in, up,
              DOC_KEY(LSUIT_CHECKIN_VERSION) | DOC_KEY(LSUIT_CHECKIN_PRODUCT) |
                  DOC_KEY(LSUIT_CHECKIN_MODEL) | DOC_KEY(LSUIT_CHECKIN_RUNNING));
}

enum lsuit_err lsuit_checkin_read(struct lsuit_bytes doc, struct lsuit_checkin *checkin_out,
                                  struct lsuit_fault *fault)
{
    struct doc_in in = doc_open(doc);
    struct lsuit_checkin ci = { 0 };
    enum lsuit_err e;

    read_checkin(&in, &ci);
    e = doc_close(&in, fault);
    if (e == LSUIT_OK)
        *checkin_out = ci;
    return e;
}

bool lsuit_checkin_confirmed(const struct lsuit_checkin *checkin, const struct lsuit_space *space,
                             uint64_t sequence, struct lsuit_bytes digest)
{
    for (uint32_t i = 0; i < checkin->running_n; i++) {
        const struct lsuit_running *r = &checkin->running[i];

        if (lsuit_space_equal(&r->space, space))
            return r->state == LSUIT_RUNNING_CONFIRMED && r->sequence == sequence &&
                   digest.ptr != NULL && lsuit_bytes_compare(r->digest, digest) == 0;
    }
    return false;
}

/* --- writing --- */

static void write_running(struct doc_out *out, const struct lsuit_checkin *ci)
{
    if (ci->running_n == 0)
        doc_out_fail(out, LSUIT_ERR_RANGE);
    doc_out_array(out, LSUIT_CHECKIN_RUNNING, ci->running_n, LSUIT_MAX_SPACES);
    for (uint32_t i = 0; i < ci->running_n && out->w.err == LSUIT_OK; i++) {
        const struct lsuit_running *r = &ci->running[i];
        struct doc_mark mark = doc_out_map(out);

        if (space_repeats(ci->running, i))
            doc_out_fail(out, LSUIT_ERR_RANGE);
        if (r->sequence != 0)
            doc_out_need(out, r->digest);
        doc_out_space(out, &r->space);
        doc_out_uint(out, LSUIT_RUNNING_SEQUENCE, r->sequence, 0, LSUIT_SEQUENCE_MAX);
        doc_out_bytes(out, LSUIT_RUNNING_DIGEST, r->digest, LSUIT_SHA256_LEN, LSUIT_SHA256_LEN);
        doc_out_uint(out, LSUIT_RUNNING_STATE, r->state, 1, DOC_ENUM_MAX);
        doc_out_leave(out, mark);
    }
}

static void write_user(struct doc_out *out, const struct lsuit_user *user)
{
    struct doc_mark mark;

    doc_out_key(out, LSUIT_CHECKIN_USER);
    mark = doc_out_map(out);
    doc_out_nonzero(out, LSUIT_USER_AUTO_SECURITY, user->auto_security, DOC_ENUM_MAX);
    doc_out_nonzero(out, LSUIT_USER_AUTO_FEATURE, user->auto_feature, DOC_ENUM_MAX);
    doc_out_nonzero(out, LSUIT_USER_NOTIFICATIONS, user->notifications, DOC_ENUM_MAX);
    doc_out_nonzero(out, LSUIT_USER_POSTPONED, user->postponed_s, UINT32_MAX);
    doc_out_nonzero(out, LSUIT_USER_WAITING, user->waiting, DOC_ENUM_MAX);
    doc_out_true(out, LSUIT_USER_REFUSED, user->refused);
    doc_out_leave(out, mark);
}

static void write_state(struct doc_out *out, const struct lsuit_checkin *ci)
{
    write_running(out, ci);
    if (ci->has_attempt)
        doc_out_attempt(out, LSUIT_CHECKIN_ATTEMPT, &ci->attempt);
    doc_out_nonzero(out, LSUIT_CHECKIN_TRUST_VERSION, ci->trust_version, UINT32_MAX);
    if (ci->has_security_counter)
        doc_out_uint(out, LSUIT_CHECKIN_SECURITY_COUNTER, ci->security_counter, 0,
                     LSUIT_NUMBER_MAX);
    if (ci->has_boot_counter)
        doc_out_uint(out, LSUIT_CHECKIN_BOOT_COUNTER, ci->boot_counter, 0, LSUIT_NUMBER_MAX);
    if (ci->capability.ptr != NULL && ci->capability_digest.ptr != NULL)
        doc_out_fail(out, LSUIT_ERR_RANGE);
    doc_out_item(out, LSUIT_CHECKIN_CAPABILITY, ci->capability);
    doc_out_bytes(out, LSUIT_CHECKIN_CAPABILITY_DIGEST, ci->capability_digest, LSUIT_SHA256_LEN,
                  LSUIT_SHA256_LEN);
    doc_out_events(out, LSUIT_CHECKIN_EVENTS, ci->events, ci->events_n);
    if (ci->has_fault)
        doc_out_fault_record(out, LSUIT_CHECKIN_FAULT, &ci->fault);
    if (ci->has_user)
        write_user(out, &ci->user);
}

static void write_options(struct doc_out *out, const struct lsuit_checkin *ci)
{
    doc_out_bytes(out, LSUIT_CHECKIN_NONCE, ci->nonce, LSUIT_NONCE_MIN, LSUIT_NONCE_MAX);
    if (ci->has_counter)
        doc_out_uint(out, LSUIT_CHECKIN_COUNTER, ci->counter, 0, LSUIT_NUMBER_MAX);
    doc_out_text(out, LSUIT_CHECKIN_VIA, ci->via, 1, LSUIT_NAME_MAX);
    if (ci->has_time_zone) {
        if (ci->time_zone_min < -LSUIT_TIME_ZONE_MAX || ci->time_zone_min > LSUIT_TIME_ZONE_MAX)
            doc_out_fail(out, LSUIT_ERR_RANGE);
        doc_out_key(out, LSUIT_CHECKIN_TIME_ZONE);
        lsuit_put_int(&out->w, ci->time_zone_min);
    }
    doc_out_text(out, LSUIT_CHECKIN_CHANNEL, ci->channel, 1, LSUIT_CHANNEL_MAX);
    doc_out_bytes(out, LSUIT_CHECKIN_DEVICE_KEY, ci->device_key, LSUIT_P256_POINT_LEN,
                  LSUIT_P256_POINT_LEN);
    doc_out_bytes(out, LSUIT_CHECKIN_ATTESTATION, ci->attestation, 1, LSUIT_ATTESTATION_MAX);
    doc_out_true(out, LSUIT_CHECKIN_ERASE, ci->erase);
    doc_out_text(out, LSUIT_CHECKIN_LANGUAGE, ci->language, 1, LSUIT_LANGUAGE_MAX);
}

enum lsuit_err lsuit_checkin_write(const struct lsuit_checkin *checkin, uint8_t *buf, size_t cap,
                                   struct lsuit_bytes *doc_out)
{
    struct doc_out out = doc_out_init(buf, cap);
    struct doc_mark mark = doc_out_map(&out);

    doc_out_version(&out);
    doc_out_need(&out, checkin->product);
    doc_out_need(&out, checkin->model);
    doc_out_text(&out, LSUIT_CHECKIN_PRODUCT, checkin->product, 1, LSUIT_NAME_MAX);
    doc_out_text(&out, LSUIT_CHECKIN_DEVICE_ID, checkin->device_id, 1, LSUIT_NAME_MAX);
    doc_out_text(&out, LSUIT_CHECKIN_MODEL, checkin->model, 1, LSUIT_NAME_MAX);
    doc_out_text(&out, LSUIT_CHECKIN_HW_REVISION, checkin->hw_revision, 0, LSUIT_HW_REVISION_MAX);
    write_state(&out, checkin);
    write_options(&out, checkin);
    doc_out_leave(&out, mark);
    return lsuit_put_finish(&out.w, doc_out);
}
