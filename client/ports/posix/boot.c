#include "boot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "file.h"
#include "log.h"

static const char *const MODE[] = { "steady", "staged", "trial", "rejected", "reverted" };

const char *boot_mode_name(enum boot_mode mode)
{
    return MODE[mode];
}

static bool store(struct boot *b, enum boot_mode mode, uint8_t running, uint8_t starts)
{
    char text[64];
    int n =
        snprintf(text, sizeof text, "%s %u %u\n", MODE[mode], (unsigned)running, (unsigned)starts);

    if (!file_replace(b->state_fd, "boot", text, (size_t)n, 0640)) {
        log_text(LOG_LEVEL_ERROR, "boot: not stored: %s", strerror(errno));
        return false;
    }
    b->mode = mode;
    b->running = running;
    b->starts = starts;
    return true;
}

static bool parse(const char *text, struct boot *b)
{
    for (size_t m = 0; m < sizeof MODE / sizeof MODE[0]; m++) {
        size_t n = strlen(MODE[m]);

        if (strncmp(text, MODE[m], n) != 0 || text[n] != ' ')
            continue;
        text += n + 1;
        if ((text[0] != '0' && text[0] != '1') || text[1] != ' ' || text[2] < '0' ||
            text[2] > '9' || text[3] != '\n' || text[4] != '\0')
            return false;
        b->mode = (enum boot_mode)m;
        b->running = (uint8_t)(text[0] - '0');
        b->starts = (uint8_t)(text[2] - '0');
        return true;
    }
    return false;
}

bool boot_open(struct boot *b, const struct conf *conf, int state_fd, struct slots *slots,
               bool *was_bad_out)
{
    char text[64];
    ssize_t n = file_read(state_fd, "boot", text, sizeof text - 1);

    *b = (struct boot){ .conf = conf, .slots = slots, .state_fd = state_fd, .mode = BOOT_STEADY };
    *was_bad_out = false;
    if (n >= 0)
        text[n] = '\0';
    if (n >= 0 && parse(text, b))
        return true;
    if (n == FILE_FAIL)
        return false;
    *was_bad_out = n != FILE_ABSENT;
    b->running = slots_pointed(slots) == 1; /* (3) */
    return true;
}

static bool run_command(const struct boot *b)
{
    char slot[2] = { (char)('0' + b->running), '\0' };
    char dir[sizeof b->conf->slots_dir + 8];
    struct command_word words[] = { { "%slot", slot }, { "%dir", dir } };
    struct command cmd;
    int code = 0;

    if (b->conf->boot_command[0] == '\0')
        return true;
    (void)snprintf(dir, sizeof dir, "%s/slot%s", b->conf->slots_dir, slot);
    if (!command_parse(b->conf->boot_command, words, 2, &cmd)) {
        log_text(LOG_LEVEL_ERROR, "boot_command: too long");
        return false;
    }
    code = command_wait(command_spawn(cmd.argv, -1), b->conf->boot_timeout_ms);
    if (code != 0)
        log_event(LOG_LEVEL_ERROR, "boot-command-failed",
                  json_pack("{s:i, s:i}", "slot", (int)b->running, "code", code));
    return code == 0;
}

static bool revert(struct boot *b)
{
    return store(b, BOOT_REVERTED, b->running ^ 1, 0);
}

/* The table of boot.h, one row a case. */
static bool next_mode(struct boot *b)
{
    switch (b->mode) {
    case BOOT_STAGED:
        return store(b, BOOT_TRIAL, b->running ^ 1, 1);
    case BOOT_TRIAL:
        if (b->starts < b->conf->trial_starts)
            return store(b, BOOT_TRIAL, b->running, (uint8_t)(b->starts + 1)); /* (2) */
        return revert(b);
    case BOOT_REJECTED:
        return revert(b);
    case BOOT_STEADY:
    case BOOT_REVERTED:
        break;
    }
    return true;
}

static bool start_slot(struct boot *b)
{
    if (!slots_point(b->slots, b->running)) { /* (1) */
        log_text(LOG_LEVEL_ERROR, "current: not swapped: %s", strerror(errno));
        return false;
    }
    log_event(LOG_LEVEL_INFO, "boot",
              json_pack("{s:s, s:i}", "mode", MODE[b->mode], "slot", (int)b->running));
    return run_command(b);
}

bool boot_start(struct boot *b)
{
    if (!next_mode(b))
        return false;
    if (start_slot(b))
        return true;
    if (b->mode == BOOT_TRIAL && revert(b))
        return start_slot(b);
    return false;
}

int boot_state(const struct boot *b, enum lapel_boot_state *state_out, uint8_t *running_slot_out)
{
    /* A rejected trial still runs: the revert happens at the next start. */
    static const enum lapel_boot_state STATE[] = { LAPEL_BOOT_STEADY, LAPEL_BOOT_STAGED,
                                                   LAPEL_BOOT_TRIAL, LAPEL_BOOT_TRIAL,
                                                   LAPEL_BOOT_REVERTED };

    *state_out = STATE[b->mode];
    *running_slot_out = b->running;
    return 1;
}

int boot_stage(struct boot *b, uint8_t slot)
{
    /* Over a trial there is no way back left to keep. */
    if (slot > 1 || slot == b->running || b->mode == BOOT_TRIAL || b->mode == BOOT_REJECTED)
        return -1;
    if (b->mode == BOOT_STAGED)
        return 1;
    return store(b, BOOT_STAGED, b->running, 0) ? 1 : -1;
}

int boot_unstage(struct boot *b)
{
    if (b->mode != BOOT_STAGED && b->mode != BOOT_REVERTED)
        return 1;
    return store(b, BOOT_STEADY, b->running, 0) ? 1 : -1;
}

int boot_confirm(struct boot *b)
{
    if (b->mode == BOOT_STEADY)
        return 1;
    if (b->mode == BOOT_REJECTED || b->mode == BOOT_STAGED)
        return -1;
    return store(b, BOOT_STEADY, b->running, 0) ? 1 : -1;
}

int boot_reject(struct boot *b)
{
    if (b->mode == BOOT_REJECTED)
        return 1;
    if (b->mode != BOOT_TRIAL)
        return -1;
    return store(b, BOOT_REJECTED, b->running, 0) ? 1 : -1;
}
