/*
 * The reader and the writer of a statement.
 */
#include "doc.h"

#include "lsuit/statement.h"

static enum lsuit_err read_only(struct lsuit_bytes doc, uint8_t *buf, size_t cap,
                                struct lsuit_bytes *out)
{
    struct lsuit_fault fault;
    struct lsuit_statement v;

    (void)buf;
    (void)cap;
    (void)out;
    return lsuit_statement_read(doc, &v, &fault);
}

static enum lsuit_err rewrite(struct lsuit_bytes doc, uint8_t *buf, size_t cap,
                              struct lsuit_bytes *out)
{
    struct lsuit_statement v;
    enum lsuit_err e = lsuit_statement_read(doc, &v, NULL);

    return e != LSUIT_OK ? e : lsuit_statement_write(&v, buf, cap, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_doc(data, size, read_only, rewrite);
    return 0;
}
