/*
 * lapel: the publisher's and operator's command line. One file for each noun, cmd_<noun>.c.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "cmd.h"

/* clang-format off */
static const struct verb NOUNS[] = {
  { "status",   "",                                                "how things stand, one screen",            cmd_status },
  { "halt",     "[ID]",                                            "stop a rollout; without ID all of them",  cmd_halt },
  { "key",      "new | show",                                      "make a signing key, show its public part", cmd_key },
  { "manifest", "create | sign | verify | show | sever",                  "SUIT manifests, without a server",        cmd_manifest },
  { "release",  "publish | list | show | withdraw",                "what was signed, on the server",          cmd_release },
  { "rollout",  "create | start | show | watch | halt | ...",      "hand a release out in waves",             cmd_rollout },
  { "hold",     "add | remove | list",                              "devices of a revision that wait, and why", cmd_hold },
  { "device",   "add | list | show | explain | rotate | ...",       "identities and credentials",              cmd_device },
  { "product",  "set | show | list",                               "what is sold, supported until when",      cmd_product },
  { "token",    "bootstrap | new | list | revoke",                 "who may do what",                         cmd_token },
  { "trust",    "new | next | sign | verify | publish | ...", "who may sign, and how devices learn it",   cmd_trust },
  { "statement", "key | get",                                       "what the server vouches for",              cmd_statement },
  { "site",     "export",                                          "public pages as files",                   cmd_site },
  { "checkin",  "make | show",                                     "the device interface by hand",            cmd_checkin },
  { "audit",    "",                                                "every change, oldest first",              cmd_audit },
};
/* clang-format on */

static void help(FILE *to)
{
    fputs("usage: lapel NOUN VERB ... (--help after any of them)\n", to);
    for (size_t i = 0; i < sizeof NOUNS / sizeof NOUNS[0]; i++)
        fprintf(to, "  %-9s %-44s %s\n", NOUNS[i].name, NOUNS[i].args, NOUNS[i].help);
}

/* What was printed must have arrived: a full disk behind `>` is an error too. */
static int flushed(int code)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return code;
    return code != CLI_OK ? code : cli_fail("standard output: %s", strerror(errno));
}

int main(int argc, char **argv)
{
    api_wipe_secrets();
    if (argc < 2) {
        help(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        help(stdout);
        return CLI_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("lapel %s\n", LAPEL_VERSION);
        return CLI_OK;
    }
    for (size_t i = 0; i < sizeof NOUNS / sizeof NOUNS[0]; i++)
        if (strcmp(NOUNS[i].name, argv[1]) == 0)
            return flushed(NOUNS[i].run(argc - 1, argv + 1));
    cli_usage("unknown noun '%s'", argv[1]);
    help(stderr);
    return CLI_USAGE;
}
