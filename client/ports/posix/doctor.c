/*
 * Is this device set up safely? One line a finding; provisions 5.12-2, 5.12-3, 5.4-1, 5.5-7.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent.h"
#include "file.h"
#include "sys.h"

struct doctor {
    bool json;
    int weak;
    json_t *findings;
};

enum finding { GOOD, NOTE, WEAK };

static void found(struct doctor *d, enum finding kind, const char *what, const char *why)
{
    static const char *const NAME[] = { "ok", "note", "WEAK" };

    d->weak += kind == WEAK;
    if (d->json)
        json_array_append_new(d->findings, json_pack("{s:s, s:s, s:s}", "finding",
                                                     kind == WEAK ? "weak" : NAME[kind], "what",
                                                     what, "why", why));
    else
        printf("%-5s %-18s %s\n", NAME[kind], what, why);
}

static void judge(struct doctor *d, bool good, const char *what, const char *yes, const char *no)
{
    found(d, good ? GOOD : WEAK, what, good ? yes : no);
}

static void look_file(struct doctor *d, const char *what, const char *path)
{
    int others = file_others(AT_FDCWD, path);

    if (others < 0)
        found(d, WEAK, what, strerror(errno));
    else
        judge(d, !(others & FILE_OTHERS_WRITE), what, "only its owner may write it",
              "others may write it, or a stranger owns it");
}

static void look_folder(struct doctor *d, const char *what, const char *path)
{
    look_file(d, what, path);
    if (access(path, W_OK) < 0)
        found(d, WEAK, what, "this user can't write to it");
}

static void look_secrets(struct doctor *d, struct conf *conf)
{
    char why[300] = "";

    if (conf->path[0] != '\0')
        look_file(d, "configuration", conf->path);
    if (conf->token_file[0] == '\0')
        found(d, NOTE, "token_file", "none: checks in anonymously");
    else
        judge(d, conf_read_token(conf, why, sizeof why), "token_file", "for its owner only", why);
    judge(d, conf_read_keys(conf, why, sizeof why), "release_keys", "readable, no test key", why);
    if (conf->allow_test_keys)
        found(d, WEAK, "allow_test_keys", "anybody can sign with published test keys");
}

static void look_network(struct doctor *d, const struct conf *conf)
{
    char why[300] = "no memory";
    struct tls_rules rules;
    struct tls *tls = NULL;

    net_rules(conf, &rules);
    tls = tls_new(&rules, why, sizeof why);
    judge(d, tls != NULL, rules.pin_n > 0 ? "server_key" : "ca_file",
          rules.pin_n > 0 ? "the server is known by its key"
                          : "the server is known by its authority",
          why);
    tls_free(tls);
    if (tls != NULL && rules.pin_n == 0)
        look_file(d, "ca_file", conf->ca_file);
    if (rules.pin_n == 1)
        found(d, NOTE, "server_key",
              "no next one: a new key at the server needs a new configuration");
    judge(d, strncmp(conf->server, "https:", 6) == 0, "server", "reached over TLS",
          "reached in clear");
    if (conf->clear_credentials[0] != '\0')
        found(d, WEAK, "clear_credentials", "credentials may travel in clear");
    if (conf->allow_clear)
        found(d, WEAK, "allow_clear", "payloads may travel in clear: others see what is updated");
}

static void look_room(struct doctor *d, const struct conf *conf)
{
    struct statvfs v;

    look_folder(d, "state_dir", conf->state_dir);
    if (strcmp(conf->slots_dir, conf->state_dir) != 0)
        look_folder(d, "slots_dir", conf->slots_dir);
    if (statvfs(conf->slots_dir, &v) == 0)
        judge(d, (uint64_t)v.f_bavail * v.f_frsize >= conf->slot_size, "slots_dir",
              "room for the largest image", "less room than slot_size");
}

static void look_hooks(struct doctor *d, const struct conf *conf)
{
    static const char *const HOOK[] = { "gate", "event", "health", "reset" };

    if (conf->hooks_dir[0] == '\0') {
        found(d, NOTE, "hooks_dir", "none: nobody is told or asked but by `status`");
        return;
    }
    look_file(d, "hooks_dir", conf->hooks_dir);
    for (size_t i = 0; i < sizeof HOOK / sizeof HOOK[0]; i++) {
        const char *weak = hooks_weakness(conf, HOOK[i]);
        if (weak != NULL)
            found(d, WEAK, HOOK[i], weak);
    }
}

static void look_rest(struct doctor *d, const struct conf *conf)
{
    if (conf->boot_command[0] == '\0')
        found(d, NOTE, "boot_command",
              "none: something else must start the product from `current`");
    if (geteuid() == 0)
        found(d, NOTE, "user", "runs as root; an own user is enough");
    if (sys_epoch_s() == 0)
        found(d, NOTE, "clock", "not set: certificates that begin later are taken");
    if (conf->support_url[0] == '\0')
        found(d, NOTE, "support_url", "none: the user doesn't learn where the support page is");
}

int doctor_main(const struct args *args)
{
    struct doctor d = { .json = args->json, .findings = json_array() };
    struct conf *conf = calloc(1, sizeof *conf);
    char why[400] = "no memory";

    if (conf == NULL ||
        !conf_read(args->conf_path, args->conf_arg, args->conf_arg_n, conf, why, sizeof why)) {
        found(&d, WEAK, "configuration", why);
    } else {
        look_secrets(&d, conf);
        look_network(&d, conf);
        look_room(&d, conf);
        look_hooks(&d, conf);
        look_rest(&d, conf);
    }
    if (d.json) {
        char *dump = json_dumps(d.findings, JSON_INDENT(1));
        puts(dump != NULL ? dump : "[]");
        free(dump);
    } else {
        printf("%d weak\n", d.weak);
    }
    json_decref(d.findings);
    free(conf);
    return d.weak == 0 ? AGENT_OK : AGENT_FAILED;
}
