/*
 * What every fuzz target of a document asks: what was read can be written, reads again, and is
 * written as the same bytes.
 */
#ifndef FUZZ_DOC_H
#define FUZZ_DOC_H

#include <stdlib.h>
#include <string.h>

#include "lsuit/bytes.h"
#include "lsuit/err.h"

#define FUZZ_ROOM 16384

#define MUST(cond)   \
    do {             \
        if (!(cond)) \
            abort(); \
    } while (0)

typedef enum lsuit_err (*fuzz_rewrite)(struct lsuit_bytes doc, uint8_t *buf, size_t cap,
                                       struct lsuit_bytes *out);

static inline void fuzz_doc(const uint8_t *data, size_t size, fuzz_rewrite read_only,
                            fuzz_rewrite rewrite)
{
    static uint8_t once_buf[FUZZ_ROOM], twice_buf[FUZZ_ROOM];
    struct lsuit_bytes doc = { data, size }, once, twice;

    if (size > FUZZ_ROOM / 2 || read_only(doc, NULL, 0, NULL) != LSUIT_OK)
        return;
    MUST(rewrite(doc, once_buf, sizeof once_buf, &once) == LSUIT_OK);
    MUST(rewrite(once, twice_buf, sizeof twice_buf, &twice) == LSUIT_OK);
    MUST(once.len == twice.len && memcmp(once.ptr, twice.ptr, once.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
