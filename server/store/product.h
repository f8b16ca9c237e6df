/* Products, and the support periods that were published for them. */
#ifndef STORE_PRODUCT_H
#define STORE_PRODUCT_H

#include "store/db.h"

enum {
    PRODUCT_NAME = 64,
    PRODUCT_TEXT = 256,
    PRODUCT_MODEL = 65,
    PRODUCT_COMPONENTS = 640,
    SUPPORT_RATIONALE = 2001
};

struct product {
    int32_t id;
    char name[PRODUCT_NAME];
    char vendor_domain[PRODUCT_TEXT];
    char vendor_name[PRODUCT_TEXT];
    char model[PRODUCT_MODEL];
    uint8_t vendor_id[16];
    uint8_t class_id[16];
    char contact[PRODUCT_TEXT];
    char support_url[PRODUCT_TEXT]; /* empty: made from the public URL */
    bool allow_anonymous;
    bool payload_in_clear;
    int32_t poll_s;
    char components[PRODUCT_COMPONENTS]; /* a JSON array */
    int64_t created_ms, changed_ms;
};

/* ERR_NOT_FOUND, ERR_DB */
enum err product_by_name(struct db *db, const char *name, struct product *product_out);
enum err product_by_id(struct db *db, int32_t id, struct product *product_out);
enum err product_by_model(struct db *db, const char *model, struct product *product_out);

/* Write all columns; an id of 0 gets the next one, which is set. ERR_CONFLICT name or model taken */
enum err product_put(struct db *db, struct product *product);

/* Up to `limit` products whose name comes after `after`, in order. `each` says false to end. */
enum err product_list(struct db *db, const char *after, int limit,
                      bool (*each)(void *ctx, const struct product *p), void *ctx);

enum err product_count(struct db *db, int64_t *count_out);
/* Does it have a release? */
enum err product_is_fixed(struct db *db, int32_t product, bool *fixed_out);

/* A statement that was published. Months count from year 0: year * 12 + month - 1. */
struct support {
    char kind[16];
    int32_t end_month;
    char rationale[SUPPORT_RATIONALE];
    int64_t published_ms;
};
enum err support_add(struct db *db, int32_t product, const struct support *support);
/* The newest. ERR_NOT_FOUND */
enum err support_last(struct db *db, int32_t product, struct support *support_out);
enum err support_list(struct db *db, int32_t product,
                      bool (*each)(void *ctx, const struct support *s), void *ctx);

#endif
