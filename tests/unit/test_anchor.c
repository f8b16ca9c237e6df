/* Trust anchors: one form of one kind of key, and none that everybody can sign with. */

#include "check.h"
#include "trust/trust.h"

#include <stdlib.h>
#include <unistd.h>

#define HEAD "-----BEGIN PUBLIC KEY-----\n"
#define TAIL "-----END PUBLIC KEY-----\n"
/* A key made for this test; its private half was thrown away. */
#define ONE "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE"
#define REST_1 "j1giJuLOpEnMxEq8rWKC2PG1unex"
#define REST_2 "9oWc5OYlhtvnoCRsg3CspTDMznBrRP2tpSVTWi7Dn/yX7MkaDq7A2LiKig=="

/* clang-format off */
static const struct { const char *name, *text; enum err want; } ROWS[] = {
  { "good",                HEAD ONE REST_1 "\n" REST_2 "\n" TAIL,                  ERR_OK },
  { "lines end in CR LF",  HEAD ONE REST_1 "\r\n" REST_2 "\r\n" TAIL,              ERR_OK },
  { "text before it",      "a key\n" HEAD ONE REST_1 "\n" REST_2 "\n" TAIL,        ERR_OK },
  { "empty",               "",                                                    ERR_INVALID },
  { "no end",              HEAD ONE REST_1 REST_2,                                 ERR_INVALID },
  { "ends before it begins", TAIL HEAD ONE REST_1 REST_2,                          ERR_INVALID },
  { "a private key",       HEAD ONE REST_1 REST_2 TAIL "-----BEGIN PRIV" "ATE KEY-----", ERR_INVALID },
  { "cut",                 HEAD ONE REST_1 "\n" TAIL,                              ERR_INVALID },
  { "longer",              HEAD ONE REST_1 REST_2 "AAAA" TAIL,                     ERR_INVALID },
  { "no base64",           HEAD ONE REST_1 "!" REST_2 TAIL,                        ERR_INVALID },
  { "a blank in it",       HEAD ONE REST_1 " " REST_2 TAIL,                        ERR_INVALID },
  { "another curve",       HEAD "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQgDQgAE" REST_1 REST_2 TAIL, ERR_INVALID },
  { "a compressed point",  HEAD "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAC" REST_1 REST_2 TAIL, ERR_INVALID },
  { "padding inside",      HEAD ONE REST_1 "=" REST_2 TAIL,                        ERR_INVALID },
};
/* clang-format on */

static void put(const char *dir, const char *name, const char *text)
{
    char path[200];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    f = fopen(path, "w");
    if (f == NULL || fputs(text, f) < 0)
        exit(1);
    fclose(f);
}

static void check_folder(void)
{
    static const char SPEC[] = HEAD
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEhJaBGq4LqqvSYVcYnuzaJr6qi/Ebbz/m4rVlnIXbwK07HypLbAmBMcCjbazR14vTgdzfsJwFLbM5kdtzOLSolg==" TAIL;
    char dir[64] = "/tmp/lapel-anchor-XXXXXX", command[100], missing[80];
    struct trust *t = NULL;

    if (mkdtemp(dir) == NULL)
        exit(1);
    snprintf(missing, sizeof missing, "%s/none", dir);
    check_case("a folder that is missing has no keys");
    CHECK_INT(trust_open(missing, false, &t), ERR_OK);
    CHECK_INT(trust_count(t), 0);
    trust_close(t);
    check_case("one key in two files is one key; other files are passed over");
    put(dir, "a.pem", ROWS[0].text);
    put(dir, "b.pem", ROWS[1].text);
    put(dir, "README", "no key");
    CHECK_INT(trust_open(dir, false, &t), ERR_OK);
    CHECK_INT(trust_count(t), 1);
    trust_close(t);
    check_case("a file that is no key is an error");
    put(dir, "c.pem", "no key");
    CHECK_INT(trust_open(dir, false, &t), ERR_CONFIG);
    check_case("a key that everybody can sign with is refused");
    put(dir, "c.pem", SPEC);
    CHECK_INT(trust_open(dir, false, &t), ERR_CONFIG);
    check_case("but for tests");
    CHECK_INT(trust_open(dir, true, &t), ERR_OK);
    CHECK_INT(trust_count(t), 2);
    trust_close(t);
    snprintf(command, sizeof command, "rm -r %s", dir);
    if (system(command) != 0)
        exit(1);
}

int main(void)
{
    if (trust_start() != ERR_OK)
        return 1;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        uint8_t point[LSUIT_P256_POINT_LEN], id[TRUST_KEY_ID];

        check_case(ROWS[i].name);
        CHECK_INT(trust_pem(ROWS[i].text, strlen(ROWS[i].text), point, id), ROWS[i].want);
        if (ROWS[i].want == ERR_OK)
            CHECK_INT(point[0], 4);
    }
    check_folder();
    return check_done();
}
