/* Trust sets: every step that was ever published, for ever. */
#ifndef STORE_TRUST_H
#define STORE_TRUST_H

#include "lsuit/trust.h"
#include "store/db.h"

struct trust_set {
    uint32_t version;
    uint8_t document[LSUIT_TRUST_MAX];
    size_t document_n;
    uint8_t hash[32]; /* SHA-256 of the document */
    int64_t created_ms;
};

/* ERR_NOT_FOUND, ERR_DB */
enum err trust_set_get(struct db *db, uint32_t version, struct trust_set *set_out);
enum err trust_set_newest(struct db *db, struct trust_set *set_out);

/* ERR_CONFLICT: there is one of this version */
enum err trust_set_add(struct db *db, const struct trust_set *set);

/* Those above `after`, in order. `each` says false to end. */
enum err trust_set_list(struct db *db, uint32_t after, int limit,
                        bool (*each)(void *ctx, const struct trust_set *set), void *ctx);

#endif
