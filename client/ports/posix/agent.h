/*
 * One agent: configuration, the parts of the port, and the library's context over them.
 *
 *   agent_open   takes the state lock: there is one agent for a state_dir at any time
 *   agent_start  plays the boot loader (daemon only) and hands everything to lapel_init
 *   agent_step   one lapel_step and what goes with it
 */
#ifndef AGENT_H
#define AGENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "boot.h"
#include "conf.h"
#include "hooks.h"
#include "lapel_context.h"
#include "net.h"
#include "slots.h"

#define AGENT_ENVELOPE_MAX SLOTS_MANIFEST_MAX
#define AGENT_IO_SIZE 16384

/* Exit codes. */
#define AGENT_OK 0
#define AGENT_FAILED 1
#define AGENT_USAGE 2
#define AGENT_RESTART 75 /* EX_TEMPFAIL: the supervisor starts us again */

#define ARGS_KEYWORDS_MAX 64

/* What the command line said. */
struct args {
    const char *conf_path;
    struct conf_arg conf_arg[ARGS_KEYWORDS_MAX];
    char keyword[ARGS_KEYWORDS_MAX][32]; /* where their names stand */
    size_t conf_arg_n;
    bool json, json_log, quiet, erase;
    const char *command;
    const char *rest[3];
    size_t rest_n;
    char **argv; /* as main got it, to start again */
};

/* What happened to the release in hand, for a command that waits for an outcome. */
struct outcome {
    bool available, denied, refused, failed, installed, waits;
    bool erased; /* at the server; not here yet */
    char why[160];
    char version[65]; /* of what is available, "" when it doesn't say */
    json_t *receipt;  /* of an erasing at the server; NULL: there is none */
};

struct agent {
    const struct args *args;
    struct conf *conf;
    int state_fd, lock_fd;
    struct slots slots;
    struct boot boot;
    struct net net;
    uint32_t seal; /* the device's own key (seal.h), 0 none */
    struct hooks hooks;

    struct lapel lapel;
    struct lapel_config lapel_config;
    struct lapel_work work;
    uint8_t envelope[AGENT_ENVELOPE_MAX];
    uint8_t io[AGENT_IO_SIZE];
    uint8_t trust[LAPEL_TRUST_SIZE];
    char support_url[LAPEL_SUPPORT_URL_SIZE];
    char version[65]; /* of the running image: its manifest's, else the configuration's */

    uint32_t wait_ms;   /* as the last step said */
    bool reboot_wanted; /* the core asked for the restart */
    bool hold;          /* a command only looks: every gate waits */
    int apply_dir;      /* folder of a file being applied, -1 none */
    struct outcome outcome;
    json_t *offer; /* what is offered, for people; NULL nothing */
    json_t *reset; /* what went here after the erasing at the server; NULL: not all could */
};

/* Take the lock, open every part. Logs what is wrong. `wait_ms` for another holder of the lock. */
bool agent_open(struct agent *a, const struct args *args, struct conf *conf, uint32_t wait_ms);
void agent_fini(struct agent *a);

/* False and logged when lapel_init refuses or, with `boots`, nothing could be started. */
bool agent_start(struct agent *a, bool boots);

/* Take another configuration over; the old one is freed. False: the old one stays. */
bool agent_reload(struct agent *a, struct conf *conf);

/* A command begins: what happened before is no outcome of it. */
void agent_outcome(struct agent *a);

/* One step; a->wait_ms says when the next one is due. */
void agent_step(struct agent *a);

/*
 * Apply an envelope; its payloads stand in the folder `dirfd`, which is taken. NULL, or why not
 * (static).
 */
const char *agent_apply(struct agent *a, int envelope_fd, int dirfd);

/* Design 6.12. What was erased, as JSON; NULL and logged when something could not be. */
json_t *agent_reset(struct agent *a);

/* The port's tables and the policy (port.c, policy.c). */
extern const struct lapel_net port_net;
extern const struct lapel_slots port_slots;
extern const struct lapel_boot port_boot;
extern const struct lapel_nv port_nv;
extern const struct lapel_sys port_sys;
extern const struct lapel_policy port_policy;
extern const struct lapel_trust_store port_trust;
int port_apply_read(void *ctx, struct lsuit_bytes uri, uint64_t offset, uint8_t *buf, size_t n);

/* Everything that `status --json` shows (status.c). `daemon`: said by a running one. */
json_t *status_json(struct agent *a, bool daemon);
void status_print(const json_t *status);

/* Version text of the running slot's manifest, "" when it has none or doesn't verify. */
void release_version(struct agent *a, char *version_out, size_t n);

/* The daemon's loop (run.c). An exit code. */
int run_main(const struct args *args);

/* One look at a set-up (doctor.c). An exit code. */
int doctor_main(const struct args *args);

#endif
