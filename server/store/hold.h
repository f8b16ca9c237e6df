/* Holds: which devices wait, and why. */
#ifndef STORE_HOLD_H
#define STORE_HOLD_H

#include "base/state.h"
#include "store/db.h"

enum { HOLD_VALUE = 33, HOLD_REASON = 256 };

struct hold {
    int32_t id, product;
    int32_t release; /* 0: every release of the product */
    enum hold_attribute attribute;
    char value[HOLD_VALUE];
    char reason[HOLD_REASON];
    int64_t created_ms;
    int64_t removed_ms; /* 0: it holds */
};

/* "hw_revision", and back. False: there is no attribute of this name. */
const char *hold_attribute_name(enum hold_attribute attribute);
bool hold_attribute_find(const char *name, enum hold_attribute *attribute_out);

/* Gets the next id. */
enum err hold_add(struct db *db, struct hold *hold);
/* One that was removed too. ERR_NOT_FOUND, ERR_DB */
enum err hold_by_id(struct db *db, int32_t id, struct hold *hold_out);
enum err hold_remove(struct db *db, int32_t id, int64_t now_ms);
/* Those that hold, by product and id; product 0: of all. `each` says false to end. */
enum err hold_list(struct db *db, int32_t product, int32_t after,
                   bool (*each)(void *ctx, const struct hold *hold), void *ctx);

#endif
