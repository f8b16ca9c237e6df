/* Credentials of the operator interface, single settings, and the audit. */
#ifndef STORE_CREDENTIAL_H
#define STORE_CREDENTIAL_H

#include "store/db.h"

enum role { ROLE_NONE, ROLE_VIEWER, ROLE_PUBLISHER, ROLE_OPERATOR, ROLE_ADMIN };
enum { CREDENTIAL_NAME = 65, CREDENTIAL_PRODUCTS = 64 * 65 + 2 };

struct credential {
    int32_t id;
    char name[CREDENTIAL_NAME];
    enum role role;
    char products[CREDENTIAL_PRODUCTS]; /* " lamp plug "; empty: all */
    uint8_t digest[32];
    int64_t created_ms, expires_ms, revoked_ms; /* 0: never, not */
};

enum err credential_by_digest(struct db *db, const uint8_t digest[32],
                              struct credential *credential_out);
enum err credential_by_id(struct db *db, int32_t id, struct credential *credential_out);
/* Is a credential of this name in use? */
enum err credential_name_used(struct db *db, const char *name, bool *used_out);
/* Gets the next id. */
enum err credential_add(struct db *db, struct credential *credential);
enum err credential_revoke(struct db *db, int32_t id, int64_t now_ms);
enum err credential_list(struct db *db, int32_t after, int limit,
                         bool (*each)(void *ctx, const struct credential *c), void *ctx);
/* Admins that are neither revoked nor expired. */
enum err credential_admins(struct db *db, int64_t now_ms, int64_t *count_out);

/* Settings. ERR_NOT_FOUND; a value longer than the room is ERR_DB. */
enum err setting_get(struct db *db, const char *name, void *value_out, size_t size, size_t *n_out);
enum err setting_put(struct db *db, const char *name, const void *value, size_t n);

enum { AUDIT_ACT = 32, AUDIT_TARGET = 160, AUDIT_DETAIL = 512 };
struct audit {
    int32_t id;
    int64_t at_ms;
    int32_t credential; /* 0: the server itself */
    char who[CREDENTIAL_NAME];
    char act[AUDIT_ACT];
    char target[AUDIT_TARGET];
    char detail[AUDIT_DETAIL];
    uint8_t hash[32];
};
/* The last row; ERR_NOT_FOUND when there is none. */
enum err audit_last(struct db *db, struct audit *audit_out);
enum err audit_put(struct db *db, const struct audit *audit);
enum err audit_list(struct db *db, int32_t after, int limit,
                    bool (*each)(void *ctx, const struct audit *a), void *ctx);

#endif
