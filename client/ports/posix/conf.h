/*
 * Configuration of lapel-agent: one table of keywords, filled from a file and from the command
 * line alike. lapel-agent.conf(5) describes each keyword.
 *
 *   (1) A value from the command line goes over one from the file.
 *   (2) conf_load changes nothing on failure, and its reason names the line and the keyword.
 */
#ifndef AGENT_CONF_H
#define AGENT_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "key.h"
#include "lsuit/trust.h"

#define CONF_COMPONENTS_MAX 4
#define CONF_ID_MAX 64
#define CONF_TOKEN_LEN 43

struct conf_uuid {
    bool set;
    uint8_t bytes[16];
};

struct conf_digest {
    bool set;
    uint8_t bytes[32];
};

/* A component: the name of its file in a slot, and its encoded SUIT_Component_Identifier. */
struct conf_component {
    char name[33];
    uint8_t id[CONF_ID_MAX];
    size_t id_n;
};

/* Texts are "" when not given. */
struct conf {
    char path[256]; /* of the file itself, "" when there is none */

    char server[256], server_fallback[256];
    char product[65], model[65], hardware[33], device_id[65], version[65], language[36];
    char support_url[256];
    char token_file[256], token_next_file[256], ca_file[256], release_keys_path[256],
        online_keys_path[256], trust_path[256], seal_key[256];
    struct conf_digest server_key[2]; /* SHA-256 of the server's SubjectPublicKeyInfo: now, next */
    bool allow_test_keys;
    char vendor_domain[254];
    struct conf_uuid vendor_id, class_id, device_uuid;
    char state_dir[256], slots_dir[256], socket[108], socket_group[33], event_log[256];
    char user_data[256];
    uint64_t slot_size, factory_sequence;
    struct conf_component component[CONF_COMPONENTS_MAX];
    size_t component_n;
    uint64_t first_check_ms, period_ms;
    char hooks_dir[256];
    uint64_t hook_timeout_ms, hook_wait_ms;
    char boot_command[256], reboot[256];
    uint64_t boot_timeout_ms, trial_starts;
    uint64_t connect_timeout_ms, max_fragment;
    bool allow_clear, anonymous_fallback, cdn;
    char clear_credentials[16];

    /* Read from the files named above. */
    char token[CONF_TOKEN_LEN + 1], token_next[CONF_TOKEN_LEN + 1];
    struct key_set release_keys, online_keys;
    uint8_t trust[LSUIT_TRUST_MAX]; /* the factory's trust set */
    size_t trust_n;                 /* 0: none */
};

/* An argument of the command line: `--server-fallback URL` is name "server-fallback". */
struct conf_arg {
    const char *name, *value;
};

/* Is this the name of a keyword, '-' standing for '_'? */
bool conf_knows(const char *name);

/*
 * Read the file, put the arguments over it, and check the whole; then the token and the keys.
 *
 *   path   of the file; NULL for none
 *   c_out  kept as it was on failure, but for the keys' memory: load into a fresh struct
 *   why    gets the reason, at most why_n bytes
 *
 * crypto_open comes first.
 */
bool conf_load(const char *path, const struct conf_arg *args, size_t args_n, struct conf *c_out,
               char *why, size_t why_n);

/*
 * The same without the files that it names (token, keys): for `doctor`, which looks at each.
 */
bool conf_read(const char *path, const struct conf_arg *args, size_t args_n, struct conf *c_out,
               char *why, size_t why_n);
bool conf_read_token(struct conf *c, char *why, size_t why_n);
bool conf_read_keys(struct conf *c, char *why, size_t why_n);

/* Wipe the tokens and free one from the heap; NULL is fine. */
void conf_free(struct conf *c);

/* "2h", "1h30m", "45s", "250ms", "0": milliseconds. False on anything else, or above a year. */
bool conf_duration(const char *text, uint64_t *ms_out);

/* One line for each keyword: its name and what it is for; for --help. */
void conf_print_keywords(void);

#endif
