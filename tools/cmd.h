/*
 * One entry for each noun of the command line; argv[0] is the noun. Exit codes as in cli.h.
 */
#ifndef TOOLS_CMD_H
#define TOOLS_CMD_H

int cmd_key(int argc, char **argv);
int cmd_manifest(int argc, char **argv);

#endif
