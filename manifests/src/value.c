/*
 * What stands in the byte strings of some parameters: see value.h.
 */
#include "value.h"

#include <string.h>

#define TAG_COSE_ENCRYPT 96
#define TAG_EPOCH 1
#define TAG_UUID 37
#define PERMISSIONS_MAX 0x3fff /* bits 0 to 13 */
#define FILE_TYPE_MAX 3        /* regular, directory, symbolic link */

enum {
    META_DEFAULT_PERMISSIONS = 1,
    META_USER_PERMISSIONS = 2,
    META_GROUP_PERMISSIONS = 3,
    META_ROLE_PERMISSIONS = 4,
    META_FILE_TYPE = 5,
    META_MODIFICATION_TIME = 6,
    META_CREATION_TIME = 7,
    META_CREATOR = 8
};

bool lsuit_value_lapel_uri(struct lsuit_bytes uri)
{
    static const char PREFIX[] = "../payloads/";
    const size_t n = sizeof PREFIX - 1;

    if (uri.len > 1 && uri.ptr[0] == '#')
        return true;
    if (uri.len != n + 64 || memcmp(uri.ptr, PREFIX, n) != 0)
        return false;
    for (size_t i = n; i < uri.len; i++) {
        uint8_t ch = uri.ptr[i];

        if ((ch < '0' || ch > '9') && (ch < 'a' || ch > 'f'))
            return false;
    }
    return true;
}

#if LSUIT_WITH_UPDATE_MANAGEMENT

static void version_take(struct lsuit_cbor *c)
{
    if (lsuit_cbor_array(c) == 0 || lsuit_cbor_peek(c) != LSUIT_CBOR_UINT)
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    while (lsuit_cbor_next(c))
        (void)lsuit_cbor_int(c);
}

/* [comparison, version] */
static void comparison_take(struct lsuit_cbor *c)
{
    uint64_t type;

    if (lsuit_cbor_array(c) != 2)
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    type = lsuit_cbor_uint(c);
    if (type < 1 || type > 5)
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    version_take(c);
    (void)lsuit_cbor_next(c);
}

/* [device, [+ comparison]] */
static void other_device_take(struct lsuit_cbor *c)
{
    if (lsuit_cbor_array(c) != 2)
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    (void)lsuit_cbor_bstr(c);
    if (lsuit_cbor_array(c) == 0)
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    while (lsuit_cbor_next(c))
        comparison_take(c);
    (void)lsuit_cbor_next(c);
}

static void wait_info_take(struct lsuit_cbor *c)
{
    int32_t event = 0;

    if (lsuit_cbor_map(c) == 0)
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    while (lsuit_cbor_next_code(c, &event)) {
        if (event < LSUIT_WAIT_AUTHORIZATION || event > LSUIT_WAIT_DAY_OF_WEEK_UTC)
            lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
        else if (event == LSUIT_WAIT_OTHER_DEVICE)
            other_device_take(c);
        else if (event > LSUIT_WAIT_OTHER_DEVICE)
            (void)lsuit_cbor_uint_max(c, INT64_MAX);
        else
            (void)lsuit_cbor_int(c);
    }
}

/* A UUID under its tag, bytes, text, or a number. */
static void actor_take(struct lsuit_cbor *c)
{
    switch (lsuit_cbor_peek(c)) {
    case LSUIT_CBOR_TAG:
        if (lsuit_cbor_tag(c) != TAG_UUID)
            lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
        (void)lsuit_cbor_bstr_n(c, 16);
        break;
    case LSUIT_CBOR_BSTR:
        (void)lsuit_cbor_bstr(c);
        break;
    case LSUIT_CBOR_TSTR:
        (void)lsuit_cbor_tstr(c);
        break;
    default:
        (void)lsuit_cbor_int(c);
    }
}

static void permissions_take(struct lsuit_cbor *c)
{
    if (lsuit_cbor_map(c) == 0)
        lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
    while (lsuit_cbor_next_any_key(c)) {
        actor_take(c);
        (void)lsuit_cbor_uint_max(c, PERMISSIONS_MAX);
    }
}

static void metadata_take(struct lsuit_cbor *c)
{
    int32_t key = 0;

    (void)lsuit_cbor_map(c);
    while (lsuit_cbor_next_code(c, &key)) {
        switch (key) {
        case META_DEFAULT_PERMISSIONS:
            (void)lsuit_cbor_uint_max(c, PERMISSIONS_MAX);
            break;
        case META_USER_PERMISSIONS:
        case META_GROUP_PERMISSIONS:
        case META_ROLE_PERMISSIONS:
            permissions_take(c);
            break;
        case META_FILE_TYPE:
            if (lsuit_cbor_uint_max(c, FILE_TYPE_MAX) == 0)
                lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
            break;
        case META_MODIFICATION_TIME:
        case META_CREATION_TIME:
            if (lsuit_cbor_tag(c) != TAG_EPOCH)
                lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
            (void)lsuit_cbor_uint(c);
            break;
        case META_CREATOR:
            actor_take(c);
            break;
        default:
            lsuit_cbor_fail(c, LSUIT_ERR_CBOR);
        }
    }
}

bool lsuit_value_version(struct lsuit_bytes encoded)
{
    struct lsuit_cbor c;

    lsuit_cbor_start(&c, encoded);
    version_take(&c);
    return lsuit_cbor_finish(&c) == LSUIT_OK;
}

#endif

bool lsuit_value_ok(uint8_t value, struct lsuit_bytes content)
{
    struct lsuit_cbor c;

    lsuit_cbor_start(&c, content);
    switch (value) {
#if LSUIT_WITH_UPDATE_MANAGEMENT
    case VALUE_VERSION:
        comparison_take(&c);
        break;
    case VALUE_WAIT_INFO:
        wait_info_take(&c);
        break;
    case VALUE_METADATA:
        metadata_take(&c);
        break;
#endif
#if LSUIT_WITH_ENCRYPTION
    case VALUE_ENCRYPTION:
        /* What follows is decrypt's to read: COSE headers come in any order. */
        return lsuit_cbor_tag(&c) == TAG_COSE_ENCRYPT && lsuit_cbor_array(&c) == 4;
#endif
    default:
        return true;
    }
    return lsuit_cbor_finish(&c) == LSUIT_OK;
}
