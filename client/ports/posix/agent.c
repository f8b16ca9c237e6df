#include "agent.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "file.h"
#include "log.h"
#include "passed.h"
#include "seal.h"
#include "sys.h"

#define DAY_S 86400

/* A foreign holder of the lock ends within this when it is a command, never when it is a daemon. */
static bool lock_take(struct agent *a, uint32_t wait_ms)
{
    const struct timespec step = { 0, 20000000 };
    uint64_t until = sys_now_ms() + wait_ms;

    a->lock_fd = openat(a->state_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (a->lock_fd < 0) {
        log_text(LOG_LEVEL_ERROR, "state_dir: lock: %s", strerror(errno));
        return false;
    }
    while (flock(a->lock_fd, LOCK_EX | LOCK_NB) < 0) {
        if (sys_now_ms() >= until) {
            log_text(LOG_LEVEL_ERROR, "state_dir: %s: another lapel-agent uses it",
                     a->conf->state_dir);
            return false;
        }
        (void)nanosleep(&step, NULL);
    }
    return true;
}

bool agent_open(struct agent *a, const struct args *args, struct conf *conf, uint32_t wait_ms)
{
    char why[300] = "no memory";
    bool bad_boot = false;

    a->args = args;
    a->conf = conf;
    a->state_fd = a->lock_fd = a->apply_dir = -1;
    a->slots.root = a->slots.dir[0] = a->slots.dir[1] = -1;
    a->net.fd = -1;
    hooks_init(&a->hooks, conf);

    a->state_fd = file_open_dir(AT_FDCWD, conf->state_dir);
    if (a->state_fd < 0) {
        log_text(LOG_LEVEL_ERROR, "state_dir: %s: %s", conf->state_dir, strerror(errno));
        return false;
    }
    if (!lock_take(a, wait_ms))
        return false;
    if (!slots_open(&a->slots, conf)) {
        log_text(LOG_LEVEL_ERROR, "slots_dir: %s: %s", conf->slots_dir, strerror(errno));
        return false;
    }
    if (!boot_open(&a->boot, conf, a->state_fd, &a->slots, &bad_boot)) {
        log_text(LOG_LEVEL_ERROR, "state_dir: boot: %s", strerror(errno));
        return false;
    }
    if (bad_boot)
        log_text(LOG_LEVEL_ERROR, "state_dir: boot: not understood; going on with slot %u",
                 (unsigned)a->boot.running);
    if (!seal_open(conf->seal_key, &a->seal, why, sizeof why)) {
        log_text(LOG_LEVEL_ERROR, "seal_key: %s", why);
        return false;
    }
    if (!net_open(&a->net, conf, passed_read(a->state_fd), why, sizeof why)) {
        log_text(LOG_LEVEL_ERROR, "ca_file: %s", why);
        return false;
    }
    return true;
}

void agent_fini(struct agent *a)
{
    json_decref(a->outcome.receipt);
    net_fini(&a->net);
    seal_close(a->seal);
    hooks_fini(&a->hooks);
    slots_fini(&a->slots);
    if (a->apply_dir >= 0)
        close(a->apply_dir);
    if (a->lock_fd >= 0)
        close(a->lock_fd);
    if (a->state_fd >= 0)
        close(a->state_fd);
    json_decref(a->offer);
    a->offer = NULL;
    conf_free(a->conf);
    a->conf = NULL;
}

static const char *text_or_null(const char *s)
{
    return s[0] != '\0' ? s : NULL;
}

static void fill_config(struct agent *a)
{
    const struct conf *c = a->conf;

    a->lapel_config = (struct lapel_config){
        .base_url = { c->server, text_or_null(c->server_fallback) },
        .product = c->product,
        .model = c->model,
        .hardware = text_or_null(c->hardware),
        .device_id = text_or_null(c->device_id),
        .token = text_or_null(c->token),
        .token_next = text_or_null(c->token_next),
        .anonymous_fallback = c->anonymous_fallback,
        .version = a->version,
        .language = text_or_null(c->language),
        .release_keys = c->release_keys.key,
        .release_keys_n = c->release_keys.n,
        .trust = { c->trust_n > 0 ? c->trust : NULL, c->trust_n },
        .allow_test_keys = c->allow_test_keys,
        .online_keys = c->online_keys.key,
        .online_keys_n = c->online_keys.n,
        .cdn = c->cdn,
        .allow_clear = c->allow_clear,
        .clear_credentials = c->clear_credentials[0] != '\0',
        .first_check_ms = (uint32_t)c->first_check_ms,
        .period_ms = (uint32_t)c->period_ms,
        .factory_sequence = c->factory_sequence,
    };
    memcpy(a->lapel_config.vendor_id, c->vendor_id.bytes, 16);
    memcpy(a->lapel_config.class_id, c->class_id.bytes, 16);
    memcpy(a->lapel_config.device_uuid, c->device_uuid.bytes, 16);
}

static bool core_init(struct agent *a)
{
    const struct lapel_ports ports = { .net = &port_net,
                                       .slots = &port_slots,
                                       .boot = &port_boot,
                                       .nv = &port_nv,
                                       .sys = &port_sys,
                                       .policy = &port_policy,
                                       .crypto = &lsuit_crypto_psa,
                                       .trust = &port_trust,
                                       .ctx = a };
    const struct lapel_memory memory = { .envelope = a->envelope,
                                         .envelope_size = sizeof a->envelope,
                                         .io = a->io,
                                         .io_size = sizeof a->io,
                                         .work = &a->work,
                                         .trust = a->trust,
                                         .support_url = a->support_url };
    enum lapel_err e = LAPEL_OK;

    fill_config(a);
    e = lapel_init(&a->lapel, &a->lapel_config, &ports, &memory);
    if (e != LAPEL_OK)
        log_text(LOG_LEVEL_ERROR, "the library refuses to start (%d): %s", (int)e,
                 lapel_init_why(&a->lapel));
    if (e != LAPEL_OK)
        return false;
    release_version(a, a->version, sizeof a->version);
    if (a->version[0] == '\0')
        memcpy(a->version, a->conf->version, sizeof a->version);
    return true;
}

bool agent_start(struct agent *a, bool boots)
{
    if (boots && !boot_start(&a->boot))
        log_text(LOG_LEVEL_ERROR, "the product could not be started; updates go on");
    return core_init(a);
}

bool agent_reload(struct agent *a, struct conf *conf)
{
    struct net net = { .fd = -1 };
    char why[300] = "no memory";

    /* Files that are open stay where they are: another folder needs a restart. */
    if (strcmp(conf->state_dir, a->conf->state_dir) != 0 ||
        strcmp(conf->slots_dir, a->conf->slots_dir) != 0 ||
        strcmp(conf->socket, a->conf->socket) != 0 ||
        strcmp(conf->seal_key, a->conf->seal_key) != 0) {
        log_text(LOG_LEVEL_ERROR,
                 "reload: state_dir, slots_dir, socket and seal_key need a restart");
        return false;
    }
    if (!net_open(&net, conf, a->net.floor_s, why, sizeof why)) {
        log_text(LOG_LEVEL_ERROR, "reload: ca_file: %s", why);
        return false;
    }
    net_fini(&a->net);
    hooks_fini(&a->hooks);
    conf_free(a->conf);
    a->net = net;
    a->conf = conf;
    a->slots.conf = conf;
    a->boot.conf = conf;
    hooks_init(&a->hooks, conf);
    return core_init(a);
}

/* Once a day of the server's, what its statement says of the time. */
static void keep_passed(struct agent *a)
{
    struct lapel_status s;

    lapel_status(&a->lapel, &s);
    if (s.issued_s > INT64_MAX || (int64_t)s.issued_s < a->net.floor_s + DAY_S ||
        !net_rise(&a->net, (int64_t)s.issued_s))
        return;
    if (!passed_write(a->state_fd, a->net.floor_s))
        log_text(LOG_LEVEL_ERROR, "state_dir: passed: %s", strerror(errno));
}

void agent_step(struct agent *a)
{
    uint32_t wait = 1000;
    enum lapel_err e = LAPEL_OK;

    net_forget(&a->net);
    e = lapel_step(&a->lapel, &wait);
    if (e != LAPEL_OK) {
        log_text(LOG_LEVEL_ERROR, "step failed (%d)", (int)e);
        /* A full disk or the like: never spin on it. */
        wait = wait < 1000 ? 1000 : wait;
    }
    a->wait_ms = wait;
    keep_passed(a);
}

void agent_outcome(struct agent *a)
{
    json_decref(a->outcome.receipt);
    a->outcome = (struct outcome){ 0 };
}

/* A whole regular file into memory of its own. NULL, or why not. */
static const char *read_envelope(int fd, uint8_t *to, size_t cap, size_t *n_out)
{
    struct stat st;
    ssize_t n = 0;

    *n_out = 0;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return "not a regular file";
    if (st.st_size > (off_t)cap)
        return "larger than an envelope may be (64 KiB)";
    while (*n_out < cap) {
        n = pread(fd, to + *n_out, cap - *n_out, (off_t)*n_out);
        if (n <= 0)
            break;
        *n_out += (size_t)n;
    }
    if (n < 0)
        return "it can't be read";
    return *n_out == 0 ? "it is empty" : NULL;
}

/* The core's own memory holds a manifest that was verified: only the core puts another there. */
const char *agent_apply(struct agent *a, int envelope_fd, int dirfd)
{
    uint8_t *bytes = malloc(sizeof a->envelope);
    size_t n = 0;
    const char *why =
        bytes == NULL ? "no memory" : read_envelope(envelope_fd, bytes, sizeof a->envelope, &n);
    enum lapel_err e = LAPEL_OK;

    if (why == NULL)
        e = lapel_apply(&a->lapel, bytes, n, port_apply_read);
    free(bytes);
    if (why == NULL && e != LAPEL_OK)
        why = e == LAPEL_ERR_STATE ? "an update is under way" : "the library refuses it";
    if (why != NULL) {
        close(dirfd);
        return why;
    }
    if (a->apply_dir >= 0)
        close(a->apply_dir);
    a->apply_dir = dirfd;
    agent_outcome(a);
    return NULL;
}

/* Remove what is in a folder, not the folder. Links are removed, not followed. */
static bool empty_folder(int dirfd, int depth)
{
    DIR *dir = fdopendir(dirfd);
    struct dirent *d = NULL;
    bool ok = dir != NULL;

    if (dir == NULL) {
        close(dirfd);
        return false;
    }
    /* cppcheck-suppress readdirCalled ; the stream is this call's own */
    while ((d = readdir(dir)) != NULL) {
        int fd = -1;

        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        if (unlinkat(dirfd, d->d_name, 0) == 0)
            continue;
        fd = depth > 0 ? openat(dirfd, d->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                       : -1;
        if (fd < 0 || !empty_folder(fd, depth - 1) || unlinkat(dirfd, d->d_name, AT_REMOVEDIR) < 0)
            ok = false;
    }
    ok = fsync(dirfd) == 0 && ok;
    closedir(dir);
    return ok;
}

json_t *agent_reset(struct agent *a)
{
    json_t *erased = json_array();
    int fd = -1;

    if (lapel_reset(&a->lapel) != LAPEL_OK) {
        log_text(LOG_LEVEL_ERROR, "reset: the settings could not be stored");
        goto fail;
    }
    json_array_append_new(erased, json_string("settings"));
    if (a->conf->user_data[0] != '\0') {
        fd = open(a->conf->user_data, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || !empty_folder(fd, 16)) {
            log_text(LOG_LEVEL_ERROR, "reset: user_data: not all could be erased");
            goto fail;
        }
        json_array_append_new(erased, json_string("user data"));
    }
    if (!hooks_reset(&a->hooks)) {
        log_text(LOG_LEVEL_ERROR, "reset: the hook failed");
        goto fail;
    }
    log_event(LOG_LEVEL_INFO, "reset", json_pack("{s:O}", "erased", erased));
    return json_pack("{s:o, s:[s, s, s, s], s:I}", "erased", erased, "kept", "identity",
                     "accepted sequence", "security counter", "blocked releases", "time",
                     (json_int_t)time(NULL));
fail:
    json_decref(erased);
    return NULL;
}
