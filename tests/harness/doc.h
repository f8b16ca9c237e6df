/*
 * Documents in tests: the worked examples, and changing one pair of one map.
 *
 * Maps are numbered in the order in which their heads stand in the document, 0 the outermost.
 */
#ifndef HARNESS_DOC_H
#define HARNESS_DOC_H

#include "check.h"
#include "lsuit/bytes.h"
#include "lsuit/err.h"

#define DOC_ROOM 8192

/* Read manifests/examples/<name>.hex into buf; ends the program when it can't. */
static inline struct lsuit_bytes doc_example(const char *name, uint8_t *buf, size_t cap)
{
    char path[256], text[2 * DOC_ROOM] = "", line[512];
    FILE *f;

    snprintf(path, sizeof path, "manifests/examples/%s.hex", name);
    f = fopen(path, "r");
    if (f == NULL) {
        printf("FAIL %s: cannot be read\n", path);
        exit(1);
    }
    while (fgets(line, sizeof line, f) != NULL) {
        if (line[0] != '#' && strlen(text) + strlen(line) < sizeof text)
            strcat(text, line);
    }
    fclose(f);
    return (struct lsuit_bytes){ buf, check_hex(text, buf, cap) };
}

/* --- a walk over valid CBOR, to find a pair --- */

struct doc_walk {
    const uint8_t *p, *end;
    int map; /* number of the next map */
    /* wanted */
    int want_map;
    int64_t want_key;
    /* found */
    const uint8_t *head;  /* of the map */
    const uint8_t *body;  /* its first key */
    const uint8_t *pair;  /* the pair with the key, or where it belongs */
    const uint8_t *after; /* behind that pair; equal to pair when there is none */
    uint64_t pairs;
};

static inline uint64_t doc_head(struct doc_walk *w, uint8_t *major)
{
    uint8_t info = *w->p & 0x1f;
    size_t n = info < 24 ? 0 : (size_t)1 << (info - 24);
    uint64_t v = info;

    *major = *w->p++ >> 5;
    if (n > 0)
        v = 0;
    for (; n > 0; n--)
        v = v << 8 | *w->p++;
    return v;
}

static inline void doc_walk_item(struct doc_walk *w);

static inline void doc_walk_map(struct doc_walk *w, const uint8_t *head, uint64_t pairs)
{
    bool mine = w->map++ == w->want_map;

    if (mine) {
        w->head = head;
        w->body = w->p;
        w->pairs = pairs;
    }
    for (uint64_t i = 0; i < pairs; i++) {
        const uint8_t *at = w->p;
        uint8_t major = 0;
        uint64_t v = doc_head(w, &major);
        int64_t key = major == 1 ? -1 - (int64_t)v : (int64_t)v;
        /* encoded order: 0, 1, 2 ... then -1, -2 ... */
        bool before = (key < 0) == (w->want_key < 0) ? llabs(key) < llabs(w->want_key) : key >= 0;

        doc_walk_item(w);
        if (mine && key == w->want_key) {
            w->pair = at;
            w->after = w->p;
        } else if (mine && w->pair == NULL && !before) {
            w->pair = w->after = at;
        }
    }
    if (mine && w->pair == NULL)
        w->pair = w->after = w->p;
}

static inline void doc_walk_item(struct doc_walk *w)
{
    const uint8_t *head = w->p;
    uint8_t major = 0;
    uint64_t v = doc_head(w, &major);

    if (major == 2 || major == 3)
        w->p += v;
    else if (major == 4)
        for (; v > 0; v--)
            doc_walk_item(w);
    else if (major == 5)
        doc_walk_map(w, head, v);
    else if (major == 6)
        doc_walk_item(w);
}

static inline int doc_maps(struct lsuit_bytes doc)
{
    struct doc_walk w = { .p = doc.ptr, .end = doc.ptr + doc.len, .want_map = -1 };

    doc_walk_item(&w);
    return w.map;
}

static inline size_t doc_put_head(uint8_t *out, uint8_t major, uint64_t v)
{
    size_t n = v < 24 ? 0 : v < 256 ? 1 : v < 65536 ? 2 : v <= UINT32_MAX ? 4 : 8;

    out[0] = (uint8_t)(major << 5 | (n == 0 ? (int)v : 24 + (n > 1) + (n > 2) + (n > 4)));
    for (size_t i = n; i > 0; i--, v >>= 8)
        out[i] = (uint8_t)v;
    return 1 + n;
}

/*
 * Set the value of a key, put the pair in at its place, or, with an empty value, take it out.
 *
 *   value  encoded
 *   out    room for doc.len + value.len + 16 bytes
 */
static inline struct lsuit_bytes doc_edit(struct lsuit_bytes doc, int map, int64_t key,
                                          struct lsuit_bytes value, uint8_t *out)
{
    struct doc_walk w = {
        .p = doc.ptr, .end = doc.ptr + doc.len, .want_map = map, .want_key = key
    };
    size_t n;

    doc_walk_item(&w);
    if (w.head == NULL || (value.len == 0 && w.pair == w.after)) {
        printf("FAIL %s: map %d has no key %lld to take out\n", check_state.name, map,
               (long long)key);
        exit(1);
    }
    n = (size_t)(w.head - doc.ptr);
    memcpy(out, doc.ptr, n);
    n += doc_put_head(out + n, 5, w.pairs + (w.pair == w.after) - (value.len == 0));
    memcpy(out + n, w.body, (size_t)(w.pair - w.body));
    n += (size_t)(w.pair - w.body);
    if (value.len > 0) {
        n += doc_put_head(out + n, key < 0 ? 1 : 0, (uint64_t)(key < 0 ? -1 - key : key));
        memcpy(out + n, value.ptr, value.len);
        n += value.len;
    }
    memcpy(out + n, w.after, (size_t)(doc.ptr + doc.len - w.after));
    n += (size_t)(doc.ptr + doc.len - w.after);
    return (struct lsuit_bytes){ out, n };
}

/* --- what holds for every document --- */

/* Read a document and write what was read. */
typedef enum lsuit_err (*doc_rewrite)(struct lsuit_bytes doc, uint8_t *buf, size_t cap,
                                      struct lsuit_bytes *doc_out, struct lsuit_fault *fault);

/* A copy of exactly the right size, so that ASan sees one byte too many. */
static inline enum lsuit_err doc_rewrite_exact(doc_rewrite rewrite, struct lsuit_bytes doc,
                                               uint8_t *buf, size_t cap, struct lsuit_bytes *out,
                                               struct lsuit_fault *fault)
{
    uint8_t *copy = malloc(doc.len + (doc.len == 0));
    enum lsuit_err e;

    memcpy(copy, doc.ptr, doc.len);
    e = rewrite((struct lsuit_bytes){ copy, doc.len }, buf, cap, out, fault);
    free(copy);
    return e;
}

static inline void doc_check_same(const char *name, struct lsuit_bytes doc, doc_rewrite rewrite)
{
    static uint8_t buf[DOC_ROOM];
    struct lsuit_bytes out = { NULL, 0 };

    check_case(name);
    if (CHECK_INT(doc_rewrite_exact(rewrite, doc, buf, sizeof buf, &out, NULL), LSUIT_OK))
        CHECK_BYTES(out.ptr, out.len, doc.ptr, doc.len);
}

/* A later version puts unknown keys into each map: the values stay the same. */
static inline void doc_check_growth(const char *name, struct lsuit_bytes doc, int maps,
                                    doc_rewrite rewrite)
{
    static const uint8_t NESTED[] = { 0xa1, 0x20, 0x82, 0x40, 0xf5 }; /* {-1: [h'', true]} */
    static const int64_t KEYS[] = { 24, 63, 64, 200, 70000, INT64_C(1) << 40, INT64_MAX };
    static uint8_t edited[DOC_ROOM], buf[DOC_ROOM];
    char title[160];

    snprintf(title, sizeof title, "%s has %d maps", name, maps);
    check_case(title);
    CHECK_INT(doc_maps(doc), maps);
    for (int m = 0; m < maps; m++) {
        snprintf(title, sizeof title, "%s: unknown keys in map %d are skipped", name, m);
        check_case(title);
        for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
            struct lsuit_bytes value = { NESTED, sizeof NESTED }, out = { NULL, 0 };
            struct lsuit_bytes grown = doc_edit(doc, m, KEYS[i], value, edited);

            if (CHECK_INT(doc_rewrite_exact(rewrite, grown, buf, sizeof buf, &out, NULL), LSUIT_OK))
                CHECK_BYTES(out.ptr, out.len, doc.ptr, doc.len);
        }
        snprintf(title, sizeof title, "%s: a key below 0 in map %d refuses it", name, m);
        check_case(title);
        for (int64_t key = -1; key > -1000000; key *= 300) {
            static const uint8_t TRUE[] = { 0xf5 };
            struct lsuit_fault fault = { 0 };
            struct lsuit_bytes value = { TRUE, 1 }, out = { NULL, 0 };
            struct lsuit_bytes grown = doc_edit(doc, m, key, value, edited);

            CHECK_INT(doc_rewrite_exact(rewrite, grown, buf, sizeof buf, &out, &fault),
                      LSUIT_ERR_REFUSED);
            CHECK_INT(fault.err, LSUIT_ERR_REFUSED);
            CHECK_INT(fault.code, key);
            CHECK(out.ptr == NULL);
        }
    }
}

/* Every beginning of it is refused, and so is a byte too many. */
static inline void doc_check_cut(const char *name, struct lsuit_bytes doc, doc_rewrite rewrite)
{
    static uint8_t buf[DOC_ROOM], longer[DOC_ROOM];
    struct lsuit_bytes out = { NULL, 0 };
    char title[160];

    snprintf(title, sizeof title, "%s cut anywhere is refused", name);
    check_case(title);
    for (size_t n = 0; n < doc.len; n++)
        CHECK(doc_rewrite_exact(rewrite, (struct lsuit_bytes){ doc.ptr, n }, buf, sizeof buf, &out,
                                NULL) != LSUIT_OK);
    memcpy(longer, doc.ptr, doc.len);
    longer[doc.len] = 0;
    CHECK_INT(doc_rewrite_exact(rewrite, (struct lsuit_bytes){ longer, doc.len + 1 }, buf,
                                sizeof buf, &out, NULL),
              LSUIT_ERR_CBOR);
    CHECK(out.ptr == NULL);
}

/* A buffer that is too small is an error, and nothing is written behind it. */
static inline void doc_check_room(const char *name, struct lsuit_bytes doc, doc_rewrite rewrite)
{
    char title[160];

    snprintf(title, sizeof title, "%s is not written into less room", name);
    check_case(title);
    for (size_t cap = 0; cap < doc.len; cap++) {
        struct lsuit_bytes out = { NULL, 0 };
        uint8_t *buf = malloc(cap + (cap == 0));

        CHECK_INT(rewrite(doc, buf, cap, &out, NULL), LSUIT_ERR_SPACE);
        CHECK(out.ptr == NULL);
        free(buf);
    }
}

static inline void doc_check_all(const char *name, struct lsuit_bytes doc, int maps,
                                 doc_rewrite rewrite)
{
    doc_check_same(name, doc, rewrite);
    doc_check_growth(name, doc, maps, rewrite);
    doc_check_cut(name, doc, rewrite);
    doc_check_room(name, doc, rewrite);
}

/* One changed pair and the verdict. An empty value takes the pair out. */
struct doc_case {
    const char *name;
    int map;
    int64_t key;
    const char *value; /* hex */
    enum lsuit_err want;
    const char *what; /* the key that the fault names; NULL: not looked at */
};

static inline void doc_check_cases(struct lsuit_bytes doc, const struct doc_case *cases, size_t n,
                                   doc_rewrite rewrite)
{
    static uint8_t edited[DOC_ROOM], value[DOC_ROOM / 2], buf[DOC_ROOM];

    for (size_t i = 0; i < n; i++) {
        struct lsuit_bytes v = { value, check_hex(cases[i].value, value, sizeof value) };
        struct lsuit_bytes out = { NULL, 0 }, changed;
        struct lsuit_fault fault = { 0 };

        check_case(cases[i].name);
        changed = doc_edit(doc, cases[i].map, cases[i].key, v, edited);
        CHECK_INT(doc_rewrite_exact(rewrite, changed, buf, sizeof buf, &out, &fault),
                  cases[i].want);
        CHECK_INT(fault.err, cases[i].want);
        if (cases[i].what != NULL)
            CHECK_STR(fault.what, cases[i].what);
    }
}

#endif
