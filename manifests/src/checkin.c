/*
 * Check-in: what a device says about itself.
 */
#include "lsuit/checkin.h"

#include "doc_io.h"

/* --- reading --- */

static void read_running(struct lsuit_in *in, struct lsuit_running *r)
{
    struct lsuit_in_at up = lsuit_in_map(in, LSUIT_MAP_RUNNING);

    while (lsuit_in_next(in)) {
        switch (in->key) {
        case LSUIT_SPACE_VENDOR_ID:
        case LSUIT_SPACE_CLASS_ID:
        case LSUIT_SPACE_COMPONENT_ID:
            lsuit_in_space_key(in, &r->space);
            break;
        case LSUIT_RUNNING_SEQUENCE:
            r->sequence = lsuit_in_uint(in, 0, LSUIT_SEQUENCE_MAX);
            break;
        case LSUIT_RUNNING_DIGEST:
            r->digest = lsuit_in_bytes(in, LSUIT_SHA256_LEN, LSUIT_SHA256_LEN);
            break;
        case LSUIT_RUNNING_STATE:
            r->state = lsuit_in_uint32(in, 1, DOC_ENUM_MAX);
            break;
        default:
            lsuit_in_unknown(in);
        }
    }
    if (in->c.err == LSUIT_OK && r->sequence != 0 && r->digest.ptr == NULL)
        lsuit_in_fail_key(in, LSUIT_RUNNING_DIGEST, LSUIT_ERR_CBOR, TEXT("missing"));
    lsuit_in_leave(
        in, up, DOC_SPACE_NEEDED | DOC_KEY(LSUIT_RUNNING_SEQUENCE) | DOC_KEY(LSUIT_RUNNING_STATE));
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

static void read_all_running(struct lsuit_in *in, struct lsuit_checkin *ci)
{
    lsuit_in_array(in, LSUIT_MAX_SPACES);
    while (lsuit_cbor_next(&in->c)) {
        read_running(in, &ci->running[ci->running_n]);
        if (in->c.err == LSUIT_OK && space_repeats(ci->running, ci->running_n))
            lsuit_in_fail(in, LSUIT_ERR_RANGE, TEXT("the same space twice"));
        ci->running_n++;
    }
    if (in->c.err == LSUIT_OK && ci->running_n == 0)
        lsuit_in_fail(in, LSUIT_ERR_RANGE, TEXT("no entry"));
}

static void read_user(struct lsuit_in *in, struct lsuit_user *user)
{
    struct lsuit_in_at up = lsuit_in_map(in, LSUIT_MAP_USER);

    while (lsuit_in_next(in)) {
        switch (in->key) {
        case LSUIT_USER_AUTO_SECURITY:
            user->auto_security = lsuit_in_uint32(in, 0, DOC_ENUM_MAX);
            break;
        case LSUIT_USER_AUTO_FEATURE:
            user->auto_feature = lsuit_in_uint32(in, 0, DOC_ENUM_MAX);
            break;
        case LSUIT_USER_NOTIFICATIONS:
            user->notifications = lsuit_in_uint32(in, 0, DOC_ENUM_MAX);
            break;
        case LSUIT_USER_POSTPONED:
            user->postponed_s = lsuit_in_uint32(in, 0, UINT32_MAX);
            break;
        case LSUIT_USER_WAITING:
            user->waiting = lsuit_in_uint32(in, 0, DOC_ENUM_MAX);
            break;
        case LSUIT_USER_REFUSED:
            user->refused = lsuit_cbor_bool(&in->c);
            break;
        default:
            lsuit_in_unknown(in);
        }
    }
    lsuit_in_leave(in, up, 0);
}

/* Keys 5 to 14: the state of the device. */
static void read_state(struct lsuit_in *in, struct lsuit_checkin *ci)
{
    switch (in->key) {
    case LSUIT_CHECKIN_RUNNING:
        read_all_running(in, ci);
        break;
    case LSUIT_CHECKIN_ATTEMPT:
        lsuit_in_attempt(in, &ci->attempt);
        ci->has_attempt = true;
        break;
    case LSUIT_CHECKIN_TRUST_VERSION:
        ci->trust_version = lsuit_in_uint32(in, 0, UINT32_MAX);
        break;
    case LSUIT_CHECKIN_SECURITY_COUNTER:
        ci->security_counter = lsuit_in_uint(in, 0, LSUIT_NUMBER_MAX);
        ci->has_security_counter = true;
        break;
    case LSUIT_CHECKIN_BOOT_COUNTER:
        ci->boot_counter = lsuit_in_uint(in, 0, LSUIT_NUMBER_MAX);
        ci->has_boot_counter = true;
        break;
    case LSUIT_CHECKIN_CAPABILITY: {
        const uint8_t *at = in->c.p;
        struct lsuit_capability unused;

        lsuit_in_capability(in, &unused);
        ci->capability = (struct lsuit_bytes){ at, (size_t)(in->c.p - at) };
        break;
    }
    case LSUIT_CHECKIN_CAPABILITY_DIGEST:
        ci->capability_digest = lsuit_in_bytes(in, LSUIT_SHA256_LEN, LSUIT_SHA256_LEN);
        if (in->c.err == LSUIT_OK && ci->capability.ptr != NULL)
            lsuit_in_fail(in, LSUIT_ERR_RANGE, TEXT("capability and its digest"));
        break;
    case LSUIT_CHECKIN_EVENTS:
        ci->events_n = lsuit_in_events(in, ci->events);
        break;
    case LSUIT_CHECKIN_FAULT:
        lsuit_in_fault_record(in, &ci->fault);
        ci->has_fault = true;
        break;
    default:
        read_user(in, &ci->user);
        ci->has_user = true;
    }
}

/* Keys 15 to 23: proofs and options. */
static void read_option(struct lsuit_in *in, struct lsuit_checkin *ci)
{
    switch (in->key) {
    case LSUIT_CHECKIN_NONCE:
        ci->nonce = lsuit_in_bytes(in, LSUIT_NONCE_MIN, LSUIT_NONCE_MAX);
        break;
    case LSUIT_CHECKIN_COUNTER:
        ci->counter = lsuit_in_uint(in, 0, LSUIT_NUMBER_MAX);
        ci->has_counter = true;
        break;
    case LSUIT_CHECKIN_VIA:
        ci->via = lsuit_in_text(in, 1, LSUIT_NAME_MAX);
        break;
    case LSUIT_CHECKIN_TIME_ZONE: {
        int64_t minutes = lsuit_cbor_int(&in->c);

        if (minutes < -LSUIT_TIME_ZONE_MAX || minutes > LSUIT_TIME_ZONE_MAX)
            lsuit_in_fail(in, LSUIT_ERR_RANGE, TEXT("number out of range"));
        ci->time_zone_min = (int32_t)minutes;
        ci->has_time_zone = true;
        break;
    }
    case LSUIT_CHECKIN_CHANNEL:
        ci->channel = lsuit_in_text(in, 1, LSUIT_CHANNEL_MAX);
        break;
    case LSUIT_CHECKIN_DEVICE_KEY:
        ci->device_key = lsuit_in_bytes(in, LSUIT_P256_POINT_LEN, LSUIT_P256_POINT_LEN);
        break;
    case LSUIT_CHECKIN_ATTESTATION:
        ci->attestation = lsuit_in_bytes(in, 1, LSUIT_ATTESTATION_MAX);
        break;
    case LSUIT_CHECKIN_ERASE:
        ci->erase = lsuit_cbor_bool(&in->c);
        break;
    default:
        ci->language = lsuit_in_text(in, 1, LSUIT_LANGUAGE_MAX);
    }
}

static void read_checkin(struct lsuit_in *in, struct lsuit_checkin *ci)
{
    struct lsuit_in_at up = lsuit_in_map(in, LSUIT_MAP_CHECKIN);

    while (lsuit_in_next(in)) {
        switch (in->key) {
        case LSUIT_CHECKIN_VERSION:
            lsuit_in_version(in);
            break;
        case LSUIT_CHECKIN_PRODUCT:
            ci->product = lsuit_in_text(in, 1, LSUIT_NAME_MAX);
            break;
        case LSUIT_CHECKIN_DEVICE_ID:
            ci->device_id = lsuit_in_text(in, 1, LSUIT_NAME_MAX);
            break;
        case LSUIT_CHECKIN_MODEL:
            ci->model = lsuit_in_text(in, 1, LSUIT_NAME_MAX);
            break;
        case LSUIT_CHECKIN_HW_REVISION:
            ci->hw_revision = lsuit_in_text(in, 0, LSUIT_HW_REVISION_MAX);
            break;
        default:
            if (in->key >= LSUIT_CHECKIN_RUNNING && in->key <= LSUIT_CHECKIN_USER)
                read_state(in, ci);
            else if (in->key >= LSUIT_CHECKIN_NONCE && in->key <= LSUIT_CHECKIN_LANGUAGE)
                read_option(in, ci);
            else
                lsuit_in_unknown(in);
        }
    }
    lsuit_in_leave(in, up,
                   DOC_KEY(LSUIT_CHECKIN_VERSION) | DOC_KEY(LSUIT_CHECKIN_PRODUCT) |
                       DOC_KEY(LSUIT_CHECKIN_MODEL) | DOC_KEY(LSUIT_CHECKIN_RUNNING));
}

enum lsuit_err lsuit_checkin_read(struct lsuit_bytes doc, struct lsuit_checkin *checkin_out,
                                  struct lsuit_fault *fault)
{
    struct lsuit_in in = lsuit_in_open(doc);
    struct lsuit_checkin ci = { 0 };
    enum lsuit_err e;

    read_checkin(&in, &ci);
    e = lsuit_in_close(&in, fault);
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

static void write_running(struct lsuit_out *out, const struct lsuit_checkin *ci)
{
    if (ci->running_n == 0)
        lsuit_out_fail(out, LSUIT_ERR_RANGE);
    lsuit_out_array(out, LSUIT_CHECKIN_RUNNING, ci->running_n, LSUIT_MAX_SPACES);
    for (uint32_t i = 0; i < ci->running_n && out->w.err == LSUIT_OK; i++) {
        const struct lsuit_running *r = &ci->running[i];
        struct lsuit_out_mark mark = lsuit_out_map(out);

        if (space_repeats(ci->running, i))
            lsuit_out_fail(out, LSUIT_ERR_RANGE);
        if (r->sequence != 0)
            lsuit_out_need(out, r->digest);
        lsuit_out_space(out, &r->space);
        lsuit_out_uint(out, LSUIT_RUNNING_SEQUENCE, r->sequence, 0, LSUIT_SEQUENCE_MAX);
        lsuit_out_bytes(out, LSUIT_RUNNING_DIGEST, r->digest, LSUIT_SHA256_LEN, LSUIT_SHA256_LEN);
        lsuit_out_uint(out, LSUIT_RUNNING_STATE, r->state, 1, DOC_ENUM_MAX);
        lsuit_out_leave(out, mark);
    }
}

static void write_user(struct lsuit_out *out, const struct lsuit_user *user)
{
    struct lsuit_out_mark mark;

    lsuit_out_key(out, LSUIT_CHECKIN_USER);
    mark = lsuit_out_map(out);
    lsuit_out_nonzero(out, LSUIT_USER_AUTO_SECURITY, user->auto_security, DOC_ENUM_MAX);
    lsuit_out_nonzero(out, LSUIT_USER_AUTO_FEATURE, user->auto_feature, DOC_ENUM_MAX);
    lsuit_out_nonzero(out, LSUIT_USER_NOTIFICATIONS, user->notifications, DOC_ENUM_MAX);
    lsuit_out_nonzero(out, LSUIT_USER_POSTPONED, user->postponed_s, UINT32_MAX);
    lsuit_out_nonzero(out, LSUIT_USER_WAITING, user->waiting, DOC_ENUM_MAX);
    lsuit_out_true(out, LSUIT_USER_REFUSED, user->refused);
    lsuit_out_leave(out, mark);
}

static void write_state(struct lsuit_out *out, const struct lsuit_checkin *ci)
{
    write_running(out, ci);
    if (ci->has_attempt)
        lsuit_out_attempt(out, LSUIT_CHECKIN_ATTEMPT, &ci->attempt);
    lsuit_out_nonzero(out, LSUIT_CHECKIN_TRUST_VERSION, ci->trust_version, UINT32_MAX);
    if (ci->has_security_counter)
        lsuit_out_uint(out, LSUIT_CHECKIN_SECURITY_COUNTER, ci->security_counter, 0,
                       LSUIT_NUMBER_MAX);
    if (ci->has_boot_counter)
        lsuit_out_uint(out, LSUIT_CHECKIN_BOOT_COUNTER, ci->boot_counter, 0, LSUIT_NUMBER_MAX);
    if (ci->capability.ptr != NULL && ci->capability_digest.ptr != NULL)
        lsuit_out_fail(out, LSUIT_ERR_RANGE);
    lsuit_out_item(out, LSUIT_CHECKIN_CAPABILITY, ci->capability);
    lsuit_out_bytes(out, LSUIT_CHECKIN_CAPABILITY_DIGEST, ci->capability_digest, LSUIT_SHA256_LEN,
                    LSUIT_SHA256_LEN);
    lsuit_out_events(out, LSUIT_CHECKIN_EVENTS, ci->events, ci->events_n);
    if (ci->has_fault)
        lsuit_out_fault_record(out, LSUIT_CHECKIN_FAULT, &ci->fault);
    if (ci->has_user)
        write_user(out, &ci->user);
}

static void write_options(struct lsuit_out *out, const struct lsuit_checkin *ci)
{
    lsuit_out_bytes(out, LSUIT_CHECKIN_NONCE, ci->nonce, LSUIT_NONCE_MIN, LSUIT_NONCE_MAX);
    if (ci->has_counter)
        lsuit_out_uint(out, LSUIT_CHECKIN_COUNTER, ci->counter, 0, LSUIT_NUMBER_MAX);
    lsuit_out_text(out, LSUIT_CHECKIN_VIA, ci->via, 1, LSUIT_NAME_MAX);
    if (ci->has_time_zone) {
        if (ci->time_zone_min < -LSUIT_TIME_ZONE_MAX || ci->time_zone_min > LSUIT_TIME_ZONE_MAX)
            lsuit_out_fail(out, LSUIT_ERR_RANGE);
        lsuit_out_key(out, LSUIT_CHECKIN_TIME_ZONE);
        lsuit_put_int(&out->w, ci->time_zone_min);
    }
    lsuit_out_text(out, LSUIT_CHECKIN_CHANNEL, ci->channel, 1, LSUIT_CHANNEL_MAX);
    lsuit_out_bytes(out, LSUIT_CHECKIN_DEVICE_KEY, ci->device_key, LSUIT_P256_POINT_LEN,
                    LSUIT_P256_POINT_LEN);
    lsuit_out_bytes(out, LSUIT_CHECKIN_ATTESTATION, ci->attestation, 1, LSUIT_ATTESTATION_MAX);
    lsuit_out_true(out, LSUIT_CHECKIN_ERASE, ci->erase);
    lsuit_out_text(out, LSUIT_CHECKIN_LANGUAGE, ci->language, 1, LSUIT_LANGUAGE_MAX);
}

enum lsuit_err lsuit_checkin_write(const struct lsuit_checkin *checkin, uint8_t *buf, size_t cap,
                                   struct lsuit_bytes *doc_out)
{
    struct lsuit_out out = lsuit_out_init(buf, cap);
    struct lsuit_out_mark mark = lsuit_out_map(&out);

    lsuit_out_version(&out);
    lsuit_out_need(&out, checkin->product);
    lsuit_out_need(&out, checkin->model);
    lsuit_out_text(&out, LSUIT_CHECKIN_PRODUCT, checkin->product, 1, LSUIT_NAME_MAX);
    lsuit_out_text(&out, LSUIT_CHECKIN_DEVICE_ID, checkin->device_id, 1, LSUIT_NAME_MAX);
    lsuit_out_text(&out, LSUIT_CHECKIN_MODEL, checkin->model, 1, LSUIT_NAME_MAX);
    lsuit_out_text(&out, LSUIT_CHECKIN_HW_REVISION, checkin->hw_revision, 0, LSUIT_HW_REVISION_MAX);
    write_state(&out, checkin);
    write_options(&out, checkin);
    lsuit_out_leave(&out, mark);
    return lsuit_put_finish(&out.w, doc_out);
}
