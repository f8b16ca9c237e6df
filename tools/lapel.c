/*
 * lapel: the publisher's and operator's command line. One file for each noun, cmd_<noun>.c.
 */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "cmd.h"

/* clang-format off */
static const struct verb NOUNS[] = {
  { "key",      "new | show",                             "make a signing key, show its public part", cmd_key },
  { "manifest", "create | sign | verify | show",          "work on SUIT manifests, without a server", cmd_manifest },
};
/* clang-format on */

static void help(FILE *to)
{
    fputs("usage: lapel NOUN VERB ... (--help after any of them)\n", to);
    for (size_t i = 0; i < sizeof NOUNS / sizeof NOUNS[0]; i++)
        fprintf(to, "  %-10s %-38s %s\n", NOUNS[i].name, NOUNS[i].args, NOUNS[i].help);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        help(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        help(stdout);
        return CLI_OK;
    }
    for (size_t i = 0; i < sizeof NOUNS / sizeof NOUNS[0]; i++)
        if (strcmp(NOUNS[i].name, argv[1]) == 0)
            return NOUNS[i].run(argc - 1, argv + 1);
    cli_usage("unknown noun '%s'", argv[1]);
    help(stderr);
    return CLI_USAGE;
}
