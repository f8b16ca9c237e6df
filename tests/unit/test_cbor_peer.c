/*
 * Our cursor against libcbor, which is far less strict: whatever ours accepts, libcbor accepts too,
 * reads to the same end and writes again as the same bytes. The documents are made and damaged at
 * random, the same in each run.
 */
#include <cbor.h>

#include "check.h"
#include "lsuit/cbor.h"

static uint64_t state = 0x243f6a8885a308d3u;

static uint32_t random_below(uint32_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % n;
}

static uint64_t random_number(void)
{
    static const uint8_t BITS[] = { 4, 5, 8, 9, 16, 17, 32, 33, 62 };
    uint64_t wide = (uint64_t)random_below(UINT32_MAX) << 32 | random_below(UINT32_MAX);

    return wide & ((UINT64_C(1) << BITS[random_below(sizeof BITS)]) - 1);
}

/* One random item; maps have one pair, or small numbers as keys in ascending order. */
static void put_random(struct lsuit_cbor_writer *w, int depth)
{
    static const char *const TEXTS[] = {
        "", "a", "key", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"
    };
    static const uint8_t BYTES[300];
    uint32_t n = random_below(4);

    switch (random_below(depth > 0 ? 8 : 5)) {
    case 0:
        lsuit_put_uint(w, random_number());
        break;
    case 1:
        lsuit_put_int(w, -1 - (int64_t)random_number());
        break;
    case 2:
        lsuit_put_bstr(w, (struct lsuit_bytes){ BYTES, random_below(2) ? n : random_below(300) });
        break;
    case 3:
        lsuit_put_text(w, TEXTS[random_below(sizeof TEXTS / sizeof *TEXTS)]);
        break;
    case 4:
        if (random_below(3) == 0)
            lsuit_put_null(w);
        else
            lsuit_put_bool(w, random_below(2) != 0);
        break;
    case 5:
        lsuit_put_array(w, n);
        while (n-- > 0)
            put_random(w, depth - 1);
        break;
    case 6:
        lsuit_put_map(w, n);
        for (uint32_t i = 0; i < n; i++) {
            lsuit_put_uint(w, i * 20 + random_below(20));
            put_random(w, depth - 1);
        }
        break;
    default:
        lsuit_put_tag(w, 1000 + random_number());
        put_random(w, depth - 1);
    }
}

static bool ours_accepts(struct lsuit_bytes doc)
{
    struct lsuit_cbor c = lsuit_cbor_open(doc);

    (void)lsuit_cbor_item(&c);
    return lsuit_cbor_finish(&c) == LSUIT_OK;
}

/* libcbor reads the whole and writes the same bytes. */
static bool theirs_agrees(struct lsuit_bytes doc)
{
    struct cbor_load_result result = { 0 };
    cbor_item_t *item = cbor_load(doc.ptr, doc.len, &result);
    unsigned char *again = NULL;
    size_t size = 0, n;
    bool same;

    if (item == NULL)
        return false;
    n = cbor_serialize_alloc(item, &again, &size);
    same = result.read == doc.len && n == doc.len && memcmp(again, doc.ptr, n) == 0;
    free(again);
    cbor_decref(&item);
    return same;
}

/* libcbor 0.8 refuses tags 6 to 20, which we leave to the reader: nothing to compare then. */
static bool may_hold_such_a_tag(struct lsuit_bytes doc)
{
    for (size_t i = 0; i < doc.len; i++) {
        if (doc.ptr[i] >= 0xc6 && doc.ptr[i] <= 0xd4)
            return true;
    }
    return false;
}

int main(void)
{
    static uint8_t buf[8192];
    int whole = 0, damaged = 0;

    check_case("random documents and damaged ones");
    for (int i = 0; i < 20000; i++) {
        struct lsuit_cbor_writer w = lsuit_cbor_writer_init(buf, sizeof buf);
        struct lsuit_bytes doc = { NULL, 0 };

        put_random(&w, 5);
        if (lsuit_put_finish(&w, &doc) != LSUIT_OK)
            continue;
        if (!CHECK(ours_accepts(doc)) || !CHECK(theirs_agrees(doc)))
            check_print_hex("doc ", doc.ptr, doc.len);
        whole++;
        for (int j = 0; j < 8; j++) {
            size_t at = random_below((uint32_t)doc.len);
            uint8_t was = buf[at];

            buf[at] = (uint8_t)random_below(256);
            if (ours_accepts(doc) && !may_hold_such_a_tag(doc)) {
                damaged++;
                if (!CHECK(theirs_agrees(doc)))
                    check_print_hex("doc ", doc.ptr, doc.len);
            }
            buf[at] = was;
        }
    }

    check_case("enough of both were tried");
    CHECK(whole > 15000);
    CHECK(damaged > 5000);
    return check_done();
}
