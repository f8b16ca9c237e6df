/*
 * The ends of every range in lapel's own documents, for readers and writers both.
 *
 *   at both ends       it is read, and written again as the same bytes
 *   one beyond either  it is refused, and the caller's struct stays as it was
 *   one beyond either, put into the struct: nothing is written
 */
#include "doc.h"

#include "lsuit/checkin.h"
#include "lsuit/crypto.h"
#include "lsuit/receipt.h"
#include "lsuit/report.h"
#include "lsuit/statement.h"

#include <psa/crypto.h>
#include <stddef.h>

#define N(table) (sizeof(table) / sizeof *(table))

union any {
    struct lsuit_checkin checkin;
    struct lsuit_capability capability;
    struct lsuit_answer answer;
    struct lsuit_report report;
    struct lsuit_receipt receipt;
    struct lsuit_statement statement;
};

enum kind { CHECKIN, CAPABILITY, ANSWER, REPORT, RECEIPT, STATEMENT, KINDS };

static enum lsuit_err read_any(enum kind kind, struct lsuit_bytes doc, union any *a)
{
    switch (kind) {
    case CHECKIN:
        return lsuit_checkin_read(doc, &a->checkin, NULL);
    case CAPABILITY:
        return lsuit_capability_read(doc, &a->capability, NULL);
    case ANSWER:
        return lsuit_answer_read(doc, &a->answer, NULL);
    case REPORT:
        return lsuit_report_read(doc, &a->report, NULL);
    case RECEIPT:
        return lsuit_receipt_read(doc, &a->receipt, NULL);
    default:
        return lsuit_statement_read(doc, &a->statement, NULL);
    }
}

static enum lsuit_err write_any(enum kind kind, const union any *a, uint8_t *buf, size_t cap,
                                struct lsuit_bytes *out)
{
    switch (kind) {
    case CHECKIN:
        return lsuit_checkin_write(&a->checkin, buf, cap, out);
    case CAPABILITY:
        return lsuit_capability_write(&a->capability, buf, cap, out);
    case ANSWER:
        return lsuit_answer_write(&a->answer, buf, cap, out);
    case REPORT:
        return lsuit_report_write(&a->report, buf, cap, out);
    case RECEIPT:
        return lsuit_receipt_write(&a->receipt, buf, cap, out);
    default:
        return lsuit_statement_write(&a->statement, buf, cap, out);
    }
}

static const char *const EXAMPLES[KINDS] = {
    [CHECKIN] = "checkin-full", [CAPABILITY] = "capability", [ANSWER] = "answer-full",
    [REPORT] = "report",        [RECEIPT] = "receipt",       [STATEMENT] = "statement",
};

/* A member: number, bytes or text. Lengths are the values of bytes and text. */
enum type { U32, U64, BYTES, TEXT };
enum rule {
    PLAIN,
    ABSENT, /* 0 is read as absent, and not written */
    LATER   /* numbers of later versions are read, and not written */
};
struct row {
    enum kind kind;
    int map; /* as doc.h counts them */
    int64_t key;
    enum type type;
    uint64_t min, max;
    size_t at; /* offset of the member */
    enum rule rule;
};

#define AT(type, member) offsetof(struct lsuit_##type, member)
#define ENUM 255 /* numbers of later versions are passed on up to here */

/* clang-format off */
static const struct row ROWS[] = {
    { CHECKIN, 0, LSUIT_CHECKIN_PRODUCT,          TEXT,  1, 64,  AT(checkin, product), PLAIN },
    { CHECKIN, 0, LSUIT_CHECKIN_DEVICE_ID,        TEXT,  1, 64,  AT(checkin, device_id), PLAIN },
    { CHECKIN, 0, LSUIT_CHECKIN_MODEL,            TEXT,  1, 64,  AT(checkin, model), PLAIN },
    { CHECKIN, 0, LSUIT_CHECKIN_HW_REVISION,      TEXT,  0, 32,  AT(checkin, hw_revision), PLAIN },
    { CHECKIN, 1, LSUIT_RUNNING_SEQUENCE,         U64,   0, INT64_MAX, AT(checkin, running[0].sequence), PLAIN },
    { CHECKIN, 1, LSUIT_RUNNING_DIGEST,           BYTES, 32, 32, AT(checkin, running[0].digest), PLAIN },
    { CHECKIN, 1, LSUIT_RUNNING_STATE,            U32,   1, ENUM, AT(checkin, running[0].state), PLAIN },
    { CHECKIN, 3, LSUIT_ATTEMPT_ID,               BYTES, 8, 8,   AT(checkin, attempt.id), PLAIN },
    { CHECKIN, 3, LSUIT_ATTEMPT_STAGE,            U32,   0, ENUM, AT(checkin, attempt.stage), PLAIN },
    { CHECKIN, 3, LSUIT_ATTEMPT_CLASS,            U32,   0, ENUM, AT(checkin, attempt.class_), PLAIN },
    { CHECKIN, 3, LSUIT_ATTEMPT_OFFSET,           U64,   0, INT64_MAX, AT(checkin, attempt.offset), PLAIN },
    { CHECKIN, 3, LSUIT_ATTEMPT_SEQUENCE,         U64,   0, INT64_MAX, AT(checkin, attempt.sequence), PLAIN },
    { CHECKIN, 3, LSUIT_ATTEMPT_DIGEST,           BYTES, 32, 32, AT(checkin, attempt.digest), PLAIN },
    { CHECKIN, 3, LSUIT_ATTEMPT_REASON,           BYTES, 1, 2048, AT(checkin, attempt.reason), PLAIN },
    { CHECKIN, 0, LSUIT_CHECKIN_TRUST_VERSION,    U32,   1, UINT32_MAX, AT(checkin, trust_version), ABSENT },
    { CHECKIN, 0, LSUIT_CHECKIN_SECURITY_COUNTER, U64,   0, INT64_MAX, AT(checkin, security_counter), PLAIN },
    { CHECKIN, 0, LSUIT_CHECKIN_BOOT_COUNTER,     U64,   0, INT64_MAX, AT(checkin, boot_counter), PLAIN },
    { CHECKIN, 5, LSUIT_EVENT_CLASS,              U32,   1, ENUM, AT(checkin, events[0].class_), PLAIN },
    { CHECKIN, 5, LSUIT_EVENT_COUNT,              U32,   1, UINT32_MAX, AT(checkin, events[0].count), PLAIN },
    { CHECKIN, 5, LSUIT_EVENT_LAST,               U32,   0, UINT32_MAX, AT(checkin, events[0].last_s), PLAIN },
    { CHECKIN, 7, LSUIT_FAULT_KIND,               U32,   0, ENUM, AT(checkin, fault.kind), PLAIN },
    { CHECKIN, 7, LSUIT_FAULT_WHERE,              U64,   1, UINT64_MAX, AT(checkin, fault.where), ABSENT },
    { CHECKIN, 7, LSUIT_FAULT_SEQUENCE,           U64,   0, INT64_MAX, AT(checkin, fault.sequence), PLAIN },
    { CHECKIN, 7, LSUIT_FAULT_DETAIL,             BYTES, 1, 64,  AT(checkin, fault.detail), PLAIN },
    { CHECKIN, 8, LSUIT_USER_AUTO_SECURITY,       U32,   1, ENUM, AT(checkin, user.auto_security), ABSENT },
    { CHECKIN, 8, LSUIT_USER_AUTO_FEATURE,        U32,   1, ENUM, AT(checkin, user.auto_feature), ABSENT },
    { CHECKIN, 8, LSUIT_USER_NOTIFICATIONS,       U32,   1, ENUM, AT(checkin, user.notifications), ABSENT },
    { CHECKIN, 8, LSUIT_USER_POSTPONED,           U32,   1, UINT32_MAX, AT(checkin, user.postponed_s), ABSENT },
    { CHECKIN, 8, LSUIT_USER_WAITING,             U32,   1, ENUM, AT(checkin, user.waiting), ABSENT },
    { CHECKIN, 0, LSUIT_CHECKIN_NONCE,            BYTES, 8, 32,  AT(checkin, nonce), PLAIN },
    { CHECKIN, 0, LSUIT_CHECKIN_COUNTER,          U64,   0, INT64_MAX, AT(checkin, counter), PLAIN },
    { CHECKIN, 0, LSUIT_CHECKIN_VIA,              TEXT,  1, 64,  AT(checkin, via), PLAIN },
    { CHECKIN, 0, LSUIT_CHECKIN_CHANNEL,          TEXT,  1, 32,  AT(checkin, channel), PLAIN },
    { CHECKIN, 0, LSUIT_CHECKIN_ATTESTATION,      BYTES, 1, 512, AT(checkin, attestation), PLAIN },
    { CHECKIN, 0, LSUIT_CHECKIN_LANGUAGE,         TEXT,  1, 35,  AT(checkin, language), PLAIN },

    { CAPABILITY, 0, LSUIT_CAPABILITY_ENVELOPE_MAX, U32, 2048, UINT32_MAX, AT(capability, envelope_max), PLAIN },
    { CAPABILITY, 0, LSUIT_CAPABILITY_COMPONENTS, U32,   1, UINT32_MAX, AT(capability, components), PLAIN },
    { CAPABILITY, 0, LSUIT_CAPABILITY_PAYLOAD_MAX, U64,  1, INT64_MAX, AT(capability, payload_max), ABSENT },
    { CAPABILITY, 0, LSUIT_CAPABILITY_CLIENT_VERSION, TEXT, 1, 64, AT(capability, client_version), PLAIN },

    { ANSWER, 1, LSUIT_VERDICT_VERDICT,           U32,   0, 3,   AT(answer, verdicts[0].verdict), LATER },
    { ANSWER, 1, LSUIT_VERDICT_SEQUENCE,          U64,   0, INT64_MAX, AT(answer, verdicts[0].sequence), PLAIN },
    { ANSWER, 1, LSUIT_VERDICT_DIGEST,            BYTES, 32, 32, AT(answer, verdicts[0].digest), PLAIN },
    { ANSWER, 0, LSUIT_ANSWER_SUPPORT_END,        U32,   200001, 999912, AT(answer, support_end), PLAIN },
    { ANSWER, 0, LSUIT_ANSWER_SUPPORT_URL,        TEXT,  1, 200, AT(answer, support_url), PLAIN },
    { ANSWER, 0, LSUIT_ANSWER_TRUST_VERSION,      U32,   1, UINT32_MAX, AT(answer, trust_version), ABSENT },
    { ANSWER, 0, LSUIT_ANSWER_STATEMENT,          BYTES, 1, 2048, AT(answer, statement), PLAIN },
    { ANSWER, 0, LSUIT_ANSWER_ERASE_NONCE,        BYTES, 8, 32,  AT(answer, erase_nonce), PLAIN },
    { ANSWER, 0, LSUIT_ANSWER_TOKEN,              TEXT,  43, 43, AT(answer, token), PLAIN },
    { ANSWER, 0, LSUIT_ANSWER_TIME,               U64,   0, INT64_MAX, AT(answer, time_s), PLAIN },

    { REPORT, 0, LSUIT_REPORT_PRODUCT,            TEXT,  1, 64,  AT(report, product), PLAIN },
    { REPORT, 0, LSUIT_REPORT_DEVICE_ID,          TEXT,  1, 64,  AT(report, device_id), PLAIN },
    { REPORT, 0, LSUIT_REPORT_SUIT_REPORT,        BYTES, 1, 2048, AT(report, suit_report), PLAIN },
    { REPORT, 0, LSUIT_REPORT_NONCE,              BYTES, 8, 32,  AT(report, nonce), PLAIN },
    { REPORT, 0, LSUIT_REPORT_COUNTER,            U64,   0, INT64_MAX, AT(report, counter), PLAIN },

    { RECEIPT, 0, LSUIT_RECEIPT_PRODUCT,          TEXT,  1, 64,  AT(receipt, product), PLAIN },
    { RECEIPT, 0, LSUIT_RECEIPT_DEVICE_ID,        TEXT,  1, 64,  AT(receipt, device_id), PLAIN },
    { RECEIPT, 0, LSUIT_RECEIPT_WHEN,             U64,   0, INT64_MAX, AT(receipt, when_s), PLAIN },
    { RECEIPT, 0, LSUIT_RECEIPT_BACKUPS,          U64,   0, INT64_MAX, AT(receipt, backups_s), PLAIN },
    { RECEIPT, 0, LSUIT_RECEIPT_NONCE,            BYTES, 8, 32,  AT(receipt, nonce), PLAIN },

    { STATEMENT, 0, LSUIT_STATEMENT_NUMBER,       U64,   1, INT64_MAX, AT(statement, number), PLAIN },
    { STATEMENT, 0, LSUIT_STATEMENT_HIGHEST,      U64,   0, INT64_MAX, AT(statement, highest), PLAIN },
    { STATEMENT, 1, LSUIT_RELEASE_SEQUENCE,       U64,   1, INT64_MAX, AT(statement, releases[0].sequence), PLAIN },
    { STATEMENT, 1, LSUIT_RELEASE_DIGEST,         BYTES, 32, 32, AT(statement, releases[0].digest), PLAIN },
    { STATEMENT, 1, LSUIT_RELEASE_STATE,          U32,   1, 4,   AT(statement, releases[0].state), LATER },
    { STATEMENT, 2, LSUIT_RELEASE_SALT,           BYTES, 16, 16, AT(statement, releases[1].salt), PLAIN },
    { STATEMENT, 2, LSUIT_RELEASE_THRESHOLD,      U64,   0, UINT64_MAX, AT(statement, releases[1].threshold), PLAIN },
    { STATEMENT, 0, LSUIT_STATEMENT_ISSUED,       U64,   0, INT64_MAX, AT(statement, issued_s), PLAIN },
    { STATEMENT, 0, LSUIT_STATEMENT_MAX_AGE,      U32,   0, UINT32_MAX, AT(statement, max_age_s), PLAIN },
    { STATEMENT, 0, LSUIT_STATEMENT_STALE_AFTER,  U32,   1, UINT32_MAX, AT(statement, stale_after_s), PLAIN },
    { STATEMENT, 0, LSUIT_STATEMENT_NONCE,        BYTES, 8, 32,  AT(statement, nonce), PLAIN },
    { STATEMENT, 0, LSUIT_STATEMENT_LOG_ROOT,     BYTES, 32, 32, AT(statement, log_root), PLAIN },
    { STATEMENT, 0, LSUIT_STATEMENT_LOG_SIZE,     U64,   0, INT64_MAX, AT(statement, log_size), PLAIN },
};
/* clang-format on */

static uint8_t letters[4096]; /* 'a', for the content of bytes and text */

/* The member's value as CBOR. */
static struct lsuit_bytes encode(const struct row *row, uint64_t v, uint8_t *buf)
{
    static const uint8_t MAJOR[] = { [U32] = 0, [U64] = 0, [BYTES] = 2, [TEXT] = 3 };
    size_t n = doc_put_head(buf, MAJOR[row->type], v);

    if (row->type == BYTES || row->type == TEXT) {
        memcpy(buf + n, letters, (size_t)v);
        n += (size_t)v;
    }
    return (struct lsuit_bytes){ buf, n };
}

static void put_member(const struct row *row, uint64_t v, union any *a)
{
    uint8_t *member = (uint8_t *)a + row->at;
    uint32_t narrow = (uint32_t)v;
    struct lsuit_bytes bytes = { letters, (size_t)v };

    if (row->type == U32)
        memcpy(member, &narrow, sizeof narrow);
    else if (row->type == U64)
        memcpy(member, &v, sizeof v);
    else
        memcpy(member, &bytes, sizeof bytes);
}

/* The example with this value; exactly as long as it is, so that ASan sees a byte too many. */
static struct lsuit_bytes with(const struct row *row, struct lsuit_bytes doc, uint64_t v)
{
    static uint8_t value[DOC_ROOM / 2], edited[DOC_ROOM];

    return doc_edit(doc, row->map, row->key, encode(row, v, value), edited);
}

static void is_taken(const struct row *row, struct lsuit_bytes doc, uint64_t v)
{
    static uint8_t again[DOC_ROOM];
    static union any a;
    struct lsuit_bytes changed = with(row, doc, v), out = { NULL, 0 };

    if (CHECK_INT(read_any(row->kind, changed, &a), LSUIT_OK) &&
        CHECK_INT(write_any(row->kind, &a, again, sizeof again, &out), LSUIT_OK))
        CHECK_BYTES(out.ptr, out.len, changed.ptr, changed.len);
}

static void is_refused(const struct row *row, struct lsuit_bytes doc, uint64_t v)
{
    static union any a, before;

    memset(&before, 0xa5, sizeof before);
    memcpy(&a, &before, sizeof a);
    CHECK(read_any(row->kind, with(row, doc, v), &a) != LSUIT_OK);
    CHECK(memcmp(&a, &before, sizeof a) == 0);
}

static void is_not_written(const struct row *row, struct lsuit_bytes doc, uint64_t v)
{
    static uint8_t buf[DOC_ROOM];
    static union any a;
    struct lsuit_bytes out = { NULL, 0 };

    CHECK_INT(read_any(row->kind, doc, &a), LSUIT_OK);
    put_member(row, v, &a);
    CHECK(write_any(row->kind, &a, buf, sizeof buf, &out) != LSUIT_OK);
    CHECK(out.ptr == NULL);
}

static void is_left_out(const struct row *row, struct lsuit_bytes doc)
{
    static uint8_t again[DOC_ROOM], without[DOC_ROOM];
    static union any a;
    struct lsuit_bytes out = { NULL, 0 }, nothing = { NULL, 0 }, want;

    CHECK_INT(read_any(row->kind, with(row, doc, 0), &a), LSUIT_OK);
    CHECK_INT(write_any(row->kind, &a, again, sizeof again, &out), LSUIT_OK);
    want = doc_edit(doc, row->map, row->key, nothing, without);
    CHECK_BYTES(out.ptr, out.len, want.ptr, want.len);
}

static void check_row(const struct row *row, struct lsuit_bytes doc)
{
    uint64_t most = row->type == U32 ? UINT32_MAX : UINT64_MAX;

    is_taken(row, doc, row->min);
    is_taken(row, doc, row->max);
    if (row->rule == ABSENT) {
        is_left_out(row, doc);
    } else if (row->min > 0) {
        is_refused(row, doc, row->min - 1);
        is_not_written(row, doc, row->min - 1);
    }
    if (row->max < most) {
        if (row->rule != LATER)
            is_refused(row, doc, row->max + 1);
        is_not_written(row, doc, row->max + 1);
    }
}

int main(void)
{
    static uint8_t room[KINDS][DOC_ROOM];
    struct lsuit_bytes docs[KINDS];

    if (psa_crypto_init() != PSA_SUCCESS)
        return 1;
    memset(letters, 'a', sizeof letters);
    for (size_t i = 0; i < KINDS; i++)
        docs[i] = doc_example(EXAMPLES[i], room[i], sizeof room[i]);
    for (size_t i = 0; i < N(ROWS); i++) {
        char name[64];

        snprintf(name, sizeof name, "%s, map %d, key %d", EXAMPLES[ROWS[i].kind], ROWS[i].map,
                 (int)ROWS[i].key);
        check_case(name);
        check_row(&ROWS[i], docs[ROWS[i].kind]);
    }
    return check_done();
}
