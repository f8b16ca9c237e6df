/*
 * UUIDs of version 5 for vendors and classes.
 */
#include "check.h"

#include "lsuit/uuid.h"

#include <psa/crypto.h>

#define N(table) (sizeof(table) / sizeof *(table))

static struct lsuit_bytes text(const char *s)
{
    return (struct lsuit_bytes){ (const uint8_t *)s, strlen(s) };
}

/* The first is the example of RFC 9562, appendix A.4; the rest by Python's uuid.uuid5. */
static const struct {
    const char *domain, *model, *vendor, *class_;
} ROWS[] = {
    { "www.example.com", "", "2ed6657d-e927-568b-95e1-2665a8aea6a2",
      "c4b7dd59-976e-561f-9c3b-03d9ac25d290" },
    { "lamp.example", "LX-100", "e0af38fe-e08c-5fe2-ba5a-8b573fa33012",
      "716f1ed9-c436-5878-adb1-8e061af4ac0e" },
    { "lamp.example", "lx-100", "e0af38fe-e08c-5fe2-ba5a-8b573fa33012",
      "dd42731d-26ed-5b0e-8595-ce8154520dd4" },
};

static const struct {
    const char *name, *text;
    enum lsuit_err want;
} PARSE[] = {
    { "lower case", "2ed6657d-e927-568b-95e1-2665a8aea6a2", LSUIT_OK },
    { "upper case", "2ED6657D-E927-568B-95E1-2665A8AEA6A2", LSUIT_OK },
    { "empty", "", LSUIT_ERR_RANGE },
    { "too short", "2ed6657d-e927-568b-95e1-2665a8aea6a", LSUIT_ERR_RANGE },
    { "too long", "2ed6657d-e927-568b-95e1-2665a8aea6a22", LSUIT_ERR_RANGE },
    { "braces", "{2ed6657d-e927-568b-95e1-2665a8aea6}", LSUIT_ERR_RANGE },
    { "a dash too few", "2ed6657d0e927-568b-95e1-2665a8aea6a2", LSUIT_ERR_RANGE },
    { "a dash too many", "2ed6657d-e927-568b-95e1-2665-8aea6a2", LSUIT_ERR_RANGE },
    { "no hex", "2ed6657g-e927-568b-95e1-2665a8aea6a2", LSUIT_ERR_RANGE },
};

int main(void)
{
    uint8_t vendor[16], class_[16], out[16];
    char shown[LSUIT_UUID_TEXT];

    psa_crypto_init();
    for (size_t i = 0; i < N(ROWS); i++) {
        check_case(ROWS[i].class_);
        CHECK_INT(lsuit_uuid_vendor(text(ROWS[i].domain), vendor), LSUIT_OK);
        lsuit_uuid_format(vendor, shown);
        CHECK_STR(shown, ROWS[i].vendor);
        CHECK_INT(lsuit_uuid_class(vendor, text(ROWS[i].model), class_), LSUIT_OK);
        lsuit_uuid_format(class_, shown);
        CHECK_STR(shown, ROWS[i].class_);
    }
    for (size_t i = 0; i < N(PARSE); i++) {
        memset(out, 0xee, sizeof out);
        check_case(PARSE[i].name);
        CHECK_INT(lsuit_uuid_parse(text(PARSE[i].text), out), PARSE[i].want);
        lsuit_uuid_format(out, shown);
        CHECK_STR(shown, PARSE[i].want == LSUIT_OK ? "2ed6657d-e927-568b-95e1-2665a8aea6a2"
                                                   : "eeeeeeee-eeee-eeee-eeee-eeeeeeeeeeee");
    }
    return check_done();
}
