/*
 * lapel key: make a signing key, show its public part.
 */
#include <psa/crypto.h>
#include <string.h>

#include "cli.h"
#include "cmd.h"
#include "pem.h"

static int key_new(int argc, char **argv);
static int key_show(int argc, char **argv);

/* clang-format off */
static const struct verb VERBS[] = {
  { "new",  "FILE.pem", "make a P-256 key: FILE.pem (0600) and FILE.pub.pem; never overwrites", key_new },
  { "show", "FILE.pem", "print the key's id and public point",                            key_show },
};
/* clang-format on */

static int print_key(const char *path)
{
    uint8_t point[LSUIT_P256_POINT_LEN], id[LSUIT_SHA256_LEN];
    char hex[2 * LSUIT_P256_POINT_LEN + 1];
    int e = pem_public(path, point);

    if (e == CLI_OK)
        e = pem_key_id(point, id);
    if (e != CLI_OK)
        return e;
    hex_put(id, sizeof id, hex);
    printf("id     %s\n", hex);
    hex_put(point, sizeof point, hex);
    printf("P-256  %s\n", hex);
    return CLI_OK;
}

static int key_new(int argc, char **argv)
{
    struct opt opts[] = { { NULL, OPT_FLAG, NULL, NULL, NULL, false } };
    const char *path = NULL;
    char pub[4096];
    size_t n;
    int e = opts_parse(&VERBS[0], argc, argv, opts, &path, 1, 1, NULL);

    if (e != CLI_OK)
        return e;
    if (strcmp(path, "-") == 0)
        return cli_usage("new: FILE.pem: a private key is not printed");
    n = strlen(path);
    n -= n > 4 && strcmp(path + n - 4, ".pem") == 0 ? 4 : 0;
    if (snprintf(pub, sizeof pub, "%.*s.pub.pem", (int)n, path) >= (int)sizeof pub)
        return cli_usage("FILE: name too long");
    e = pem_generate(path, pub);
    if (e != CLI_OK)
        return e;
    printf("private key %s (keep it offline), public key %s\n", path, pub);
    return print_key(pub);
}

static int key_show(int argc, char **argv)
{
    struct opt opts[] = { { NULL, OPT_FLAG, NULL, NULL, NULL, false } };
    const char *path = NULL;
    int e = opts_parse(&VERBS[1], argc, argv, opts, &path, 1, 1, NULL);

    return e != CLI_OK ? e : print_key(path);
}

int cmd_key(int argc, char **argv)
{
    if (psa_crypto_init() != PSA_SUCCESS)
        return cli_fail("the crypto library does not start");
    return verbs_run("key", VERBS, sizeof VERBS / sizeof VERBS[0], argc, argv);
}
