/* Devices: who they are, what they say, what they get. */
#ifndef ENGINE_DEVICE_H
#define ENGINE_DEVICE_H

#include "decide/explain.h"
#include "engine/engine.h"
#include "lsuit/checkin.h"
#include "lsuit/report.h"
#include "store/device.h"
#include "store/status.h"

/* Who asks, on the device interface. */
struct asker {
    int32_t device; /* 0: anonymous */
    int32_t product;
    int slot;           /* of its token */
    uint8_t digest[32]; /* of its token */
    uint64_t body;
    uint32_t snapshot;
};

/* Find the device of a token's digest. ERR_UNAUTHORIZED: nobody's, or it was revoked */
enum err device_authenticate(struct engine *engine, const uint8_t digest[32],
                             struct asker *asker_out);

/* One device to add. token_out stays empty where the maker brings the digest. */
struct device_new {
    char name[DEVICE_NAME];
    bool has_digest;
    uint8_t digest[32];
    char token[TOKEN_TEXT];
};
/* All or none. `index_out` tells which one failed. ERR_CONFLICT */
enum err device_enrol(struct engine *engine, struct db *db, const struct actor *actor,
                      int64_t now_ms, const struct product *product, struct device_new *list,
                      size_t n, size_t *index_out);
/* A second token; the one in use stays good until the new one is used. */
enum err device_rotate(struct engine *engine, struct db *db, const struct actor *actor,
                       int64_t now_ms, const struct product *product, struct device_new *which);
enum err device_block(struct engine *engine, struct db *db, const struct actor *actor,
                      int64_t now_ms, const struct product *product, const char *name);
enum err device_erase(struct engine *engine, struct db *db, const struct actor *actor,
                      int64_t now_ms, const struct product *product, const char *name);
/*
 * The same, as somebody at the device asked for: with the nonce of an answer before.
 *
 *   receipt_out  signed; room for LSUIT_RECEIPT_MAX
 *
 * ERR_UNAUTHORIZED  anonymous, or revoked meanwhile
 * ERR_INVALID       not the nonce, used already, or older than ten minutes    field Lapel-Erase
 */
enum err device_erase_self(struct engine *engine, struct db *db, const struct asker *asker,
                           struct lsuit_bytes nonce, int64_t now_ms, uint8_t *receipt_out,
                           size_t *n_out);

/*
 * What would be said to a device that checks in now as it last did, of each release in each of
 * its spaces, and why. Nothing is stored.
 */
struct explained {
    const struct running *space; /* what it said */
    const struct snap_release *release;
    enum explain_word word;
    enum work_state work;
    const struct hold *hold; /* the first that keeps it back; NULL: none does */
};
enum err device_explain(struct engine *engine, struct db *db, const struct device *device,
                        void (*each)(void *ctx, const struct explained *x), void *ctx);
const char *explain_text(enum explain_word word);
/* "offered", "wait", "withdraw" or "nothing": what it is told of this release. */
const char *explain_verdict(enum explain_word word);

/*
 * A check-in. First device_checkin_quick, which may answer from memory; then device_checkin with
 * write false, in a reader; when it says that something must be written, again with write true in
 * the writer, which decides anew.
 */
struct checkin {
    struct asker asker;
    struct lsuit_bytes body;
    int64_t now_ms;
    bool in_trial;   /* set: must not be shed */
    int32_t offered; /* set: the release that the answer offers; 0: none */
    uint8_t answer[LSUIT_ANSWER_MAX];
    size_t answer_n;
    struct statement statement; /* of the pass that read; n 0: none */
};
bool device_checkin_quick(struct engine *engine, struct checkin *c);
/*
 * ERR_MALFORMED     not a check-in
 * ERR_INVALID       another device's, or another product's
 * ERR_UNAUTHORIZED  anonymous where the product wants tokens; revoked meanwhile
 */
enum err device_checkin(struct engine *engine, struct db *db, struct checkin *c, bool write,
                        bool *must_write_out);

/* A report; the same again is fine. As device_checkin. */
enum err device_report(struct engine *engine, struct db *db, const struct asker *asker,
                       struct lsuit_bytes body, int64_t now_ms, bool write, bool *must_write_out);

/*
 * May it have these bytes?
 *
 *   in_clear      the request came without TLS from elsewhere
 *   release_out   whose bytes they are
 *   starts_out    the device was offered them and fetches for the first time: tell the writer
 *
 * ERR_NOT_FOUND  not offered to it      ERR_GONE  halted or withdrawn
 */
enum err device_grant(struct engine *engine, struct db *db, const struct asker *asker,
                      const uint8_t digest[32], bool manifest, bool in_clear, int32_t *release_out,
                      bool *starts_out);
/* The device has its first byte. */
enum err device_fetches(struct engine *engine, struct db *db, int32_t device, int32_t release,
                        int64_t now_ms);

#endif
