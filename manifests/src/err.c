/*
 * Errors: their names, and the reasons of a SUIT report that stand for them.
 */
#include "lsuit/err.h"

struct row {
    const char *name;
    int reason; /* draft-ietf-suit-report-18, SUIT_Report_Reasons */
};

/* clang-format off */
static const struct row ROWS[] = {
    [LSUIT_OK]                 = { "ok", 0 },
    [LSUIT_ERR_CBOR]           = { "cbor-parse", 1 },
    [LSUIT_ERR_COSE]           = { "cose-unsupported", 2 },
    [LSUIT_ERR_ALG]            = { "algorithm-unsupported", 3 },
    [LSUIT_ERR_UNAUTHORISED]   = { "unauthorised", 4 },
    [LSUIT_ERR_COMMAND]        = { "command-unsupported", 5 },
    [LSUIT_ERR_COMPONENT]      = { "component-unsupported", 6 },
    [LSUIT_ERR_COMPONENT_AUTH] = { "component-unauthorised", 7 },
    [LSUIT_ERR_PARAMETER]      = { "parameter-unsupported", 8 },
    [LSUIT_ERR_SEVERED]        = { "severed-absent", 9 },
    [LSUIT_ERR_CONDITION]      = { "condition-failed", 10 },
    [LSUIT_ERR_OPERATION]      = { "operation-failed", 11 },
    [LSUIT_ERR_ROLLBACK]       = { "rollback", 4 },
    [LSUIT_ERR_CONFLICT]       = { "sequence-conflict", 4 },
    [LSUIT_ERR_LIMIT]          = { "limit-exceeded", 11 },
    [LSUIT_ERR_SPACE]          = { "no-space", 11 },
    [LSUIT_ERR_RANGE]          = { "out-of-range", 1 },
    [LSUIT_ERR_REFUSED]        = { "refused-unknown-key", 1 },
    [LSUIT_ERR_CRYPTO]         = { "crypto-failed", 11 },
    [LSUIT_ERR_USAGE]          = { "usage", 11 },
};
/* clang-format on */

static const struct row *find(enum lsuit_err err)
{
    size_t i = (size_t)err;

    return i < sizeof ROWS / sizeof ROWS[0] ? &ROWS[i] : &ROWS[LSUIT_ERR_USAGE];
}

const char *lsuit_err_name(enum lsuit_err err)
{
    return find(err)->name;
}

int lsuit_err_reason(enum lsuit_err err)
{
    return find(err)->reason;
}
