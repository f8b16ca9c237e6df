/*
 * One entry for each noun of the command line; argv[0] is the noun. Exit codes as in cli.h.
 */
#ifndef TOOLS_CMD_H
#define TOOLS_CMD_H

int cmd_audit(int argc, char **argv);
int cmd_checkin(int argc, char **argv);
int cmd_device(int argc, char **argv);
int cmd_halt(int argc, char **argv);
int cmd_hold(int argc, char **argv);
int cmd_key(int argc, char **argv);
int cmd_manifest(int argc, char **argv);
int cmd_product(int argc, char **argv);
int cmd_release(int argc, char **argv);
int cmd_rollout(int argc, char **argv);
int cmd_site(int argc, char **argv);
int cmd_statement(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_token(int argc, char **argv);
int cmd_trust(int argc, char **argv);

#endif
