/*
 * lapel rollout: hand a release out in waves, and stop it. `lapel halt` is the shortest way.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api.h"
#include "cmd.h"

static int rollout_create(int argc, char **argv);
static int rollout_list(int argc, char **argv);
static int rollout_show(int argc, char **argv);
static int rollout_watch(int argc, char **argv);
static int rollout_start(int argc, char **argv);
static int rollout_pause(int argc, char **argv);
static int rollout_resume(int argc, char **argv);
static int rollout_halt(int argc, char **argv);
static int rollout_abort(int argc, char **argv);
static int rollout_advance(int argc, char **argv);

/* clang-format off */
static const struct verb VERBS[] = {
  { "create",  "RELEASE", "plan waves; nothing is offered before start",             rollout_create },
  { "list",    "",        "rollouts, newest first",                                  rollout_list },
  { "show",    "ID",      "waves and counts",                                        rollout_show },
  { "watch",   "ID",      "the same again at each change, until it is over",         rollout_watch },
  { "start",   "ID",      "open the first wave",                                     rollout_start },
  { "pause",   "ID",      "no new offers; what is in flight goes on",                rollout_pause },
  { "resume",  "ID",      "go on after pause or halt",                               rollout_resume },
  { "halt",    "ID",      "no offers, no payloads, devices in flight are told",      rollout_halt },
  { "abort",   "ID",      "halt for good: the release is withdrawn",                 rollout_abort },
  { "advance", "ID",      "approve the gate that waits for you or for evidence",     rollout_advance },
};
/* clang-format on */

/* Between two looks of `watch`. */
#define WATCH_S 2

static bool over(const json_t *r)
{
    const char *state = api_text(r, "state");

    return strcmp(state, "complete") == 0 || strcmp(state, "aborted") == 0;
}

static void print_rollout(const json_t *r)
{
    const json_t *w, *next = json_object_get(r, "next"), *c = json_object_get(r, "counts");
    size_t i;

    printf("rollout %s: %s %s (sequence %s), %s\n", api_text(r, "id"), api_text(r, "product"),
           api_text(r, "version"), api_text(r, "sequence"), api_text(r, "state"));
    printf("wave  share   state     members  offered fetching installed   failed cancelled\n");
    json_array_foreach(json_object_get(r, "waves"), i, w)
    {
        printf("%4zu  %-7s %-8s %8s", i + 1, api_text(w, "share"), api_text(w, "state"),
               api_text(w, "members"));
        printf(" %8s %8s %9s", api_text(w, "offered"), api_text(w, "fetching"),
               api_text(w, "installed"));
        printf(" %8s %9s\n", api_text(w, "failed"), api_text(w, "cancelled"));
    }
    if (json_is_object(c)) {
        printf(" all                   %8s %8s", api_text(c, "members"), api_text(c, "offered"));
        printf(" %8s %9s", api_text(c, "fetching"), api_text(c, "installed"));
        printf(" %8s %9s\n", api_text(c, "failed"), api_text(c, "cancelled"));
    }
    if (json_is_object(next))
        printf("next: wave %" JSON_INTEGER_FORMAT " waits for %s, due %s\n",
               json_integer_value(json_object_get(next, "wave")) + 1, api_text(next, "waiting_for"),
               api_text(next, "due_at"));
}

/* --- create --------------------------------------------------------------------------------- */

static int wave_set(json_t *wave, const char *key, json_t *value, const char *whole)
{
    if (json_object_get(wave, key) != NULL) {
        json_decref(value);
        return cli_usage("--wave %s: %s is given twice", whole, key);
    }
    json_object_set_new(wave, key, value);
    return CLI_OK;
}

/* One field of a wave: "10%", "25" (devices), "soak=1h", "manual", "timed", "evidence". */
static int wave_field(json_t *wave, char *field, const char *whole)
{
    static const struct {
        char unit;
        uint64_t seconds;
    } UNITS[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
    char *end = NULL;
    uint64_t n = 0;

    if (strcmp(field, "manual") == 0 || strcmp(field, "timed") == 0 ||
        strcmp(field, "evidence") == 0) {
        return wave_set(wave, "gate", json_string(field), whole);
    }
    if (strncmp(field, "soak=", 5) == 0 && field[5] != '\0') {
        char unit = field[strlen(field) - 1];

        field[strlen(field) - 1] = '\0';
        for (size_t i = 0; i < sizeof UNITS / sizeof UNITS[0]; i++)
            if (UNITS[i].unit == unit && parse_uint(field + 5, &n) && n <= 100000000)
                return wave_set(wave, "soak_s", json_integer((json_int_t)(n * UNITS[i].seconds)),
                                whole);
        return cli_usage("--wave %s: soak is a number and s, m, h or d", whole);
    }
    if (field[0] != '\0' && field[strlen(field) - 1] == '%') {
        double share = strtod(field, &end);

        if (end == field || strcmp(end, "%") != 0 || !(share > 0) || share > 100)
            return cli_usage("--wave %s: a share is above 0%% and at most 100%%", whole);
        return wave_set(wave, "share", json_real(share / 100), whole);
    }
    if (parse_uint(field, &n) && n > 0 && n <= 1000000000)
        return wave_set(wave, "devices", json_integer((json_int_t)n), whole);
    return cli_usage("--wave %s: '%s' is no share (10%%), number of devices, soak=1h, manual, "
                     "timed or evidence",
                     whole, field);
}

static int wave_parse(const char *text, json_t *waves)
{
    json_t *wave = json_object();
    char copy[128], *save = NULL;
    int e = CLI_OK;

    if (snprintf(copy, sizeof copy, "%s", text) >= (int)sizeof copy)
        e = cli_usage("--wave: too long");
    for (char *f = strtok_r(copy, ",", &save); f != NULL && e == CLI_OK;
         f = strtok_r(NULL, ",", &save))
        e = wave_field(wave, f, text);
    if (e == CLI_OK && json_object_get(wave, "share") == NULL &&
        json_object_get(wave, "devices") == NULL)
        e = cli_usage("--wave %s: how many? give a share (10%%) or a number of devices", text);
    json_array_append_new(waves, wave);
    return e;
}

static int rollout_create(int argc, char **argv)
{
    struct api api = { 0 };
    const char *pos[1];
    struct opt_list waves = { { NULL }, 0 };
    const char *preset = NULL;
    bool start = false;
    struct opt opts[] = { { "wave", OPT_LIST, &waves, "W",
                            "e.g. 10%,5,soak=1h,manual; more than once", false },
                          { "preset", OPT_TEXT, &preset, "P",
                            "waves by severity: auto, feature, security or critical", false },
                          { "start", OPT_FLAG, &start, NULL, "and start it", false },
                          API_OPTS(&api) };
    json_t *answer = NULL, *body, *list = json_array();
    uint64_t release = 0;
    char path[96];
    int e = opts_parse(&VERBS[0], argc, argv, opts, pos, 1, 1, NULL);

    if (e == CLI_OK)
        e = api_id("create", "RELEASE", pos[0], &release);
    for (size_t i = 0; i < waves.n && e == CLI_OK; i++)
        e = wave_parse(waves.item[i], list);
    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e != CLI_OK) {
        json_decref(list);
        return e;
    }
    body = json_pack("{s:I}", "release", (json_int_t)release);
    if (waves.n > 0)
        json_object_set(body, "waves", list);
    if (preset != NULL)
        json_object_set_new(body, "preset", json_string(preset));
    json_decref(list);
    e = api_call(&api, "POST", "/api/v1/rollouts", body, &answer);
    if (e == CLI_OK && start) {
        json_int_t id = json_integer_value(json_object_get(answer, "id"));

        snprintf(path, sizeof path, "/api/v1/rollouts/%" JSON_INTEGER_FORMAT "/start", id);
        json_decref(answer);
        e = api_call(&api, "POST", path, json_object(), &answer);
        if (e != CLI_OK)
            cli_fail("rollout %" JSON_INTEGER_FORMAT " is made, but not started", id);
    }
    if (e == CLI_OK)
        api_show(&api, answer, print_rollout);
    json_decref(answer);
    return e;
}

/* --- looking -------------------------------------------------------------------------------- */

static void rollout_row(const json_t *r, void *user)
{
    (void)user;
    printf("%-4s %-16s release %-4s %-10s %s\n", api_text(r, "id"), api_text(r, "product"),
           api_text(r, "release"), api_text(r, "version"), api_text(r, "state"));
}

static int rollout_list(int argc, char **argv)
{
    struct api api = { 0 };
    struct opt opts[] = { API_OPTS(&api) };
    int e = opts_parse(&VERBS[1], argc, argv, opts, NULL, 0, 0, NULL);

    if (e == CLI_OK)
        e = api_open(&api, true);
    return e == CLI_OK ? api_list(&api, "/api/v1/rollouts", "rollouts", rollout_row, NULL) : e;
}

static int rollout_get(const struct api *api, const char *id, json_t **answer_out)
{
    uint64_t n = 0;
    char path[96];

    if (api_id("rollout", "ID", id, &n) != CLI_OK)
        return CLI_USAGE;
    snprintf(path, sizeof path, "/api/v1/rollouts/%" PRIu64, n);
    return api_call(api, "GET", path, NULL, answer_out);
}

/* A word of a command line as a shell reads it. It comes from devices. */
static void print_quoted(const char *word)
{
    putchar('\'');
    for (const char *end; (end = strchr(word, '\'')) != NULL; word = end + 1) {
        put_safe(stdout, word, (size_t)(end - word), "");
        printf("'\\''");
    }
    put_safe(stdout, word, strlen(word), "");
    putchar('\'');
}

/* What would spare them. A device that says no revision can't be named by one. */
static void print_remedy(const json_t *rollout, const json_t *suspect)
{
    const char *revision = json_string_value(json_object_get(suspect, "revision"));

    if (revision == NULL || revision[0] == '\0')
        return;
    printf("      lapel hold add %s --where hw_revision=", api_text(rollout, "product"));
    print_quoted(revision);
    printf(" --release %s --reason 'suspected in rollout %s'\n", api_text(rollout, "release"),
           api_text(rollout, "id"));
}

static void decision_row(const json_t *d, void *user)
{
    const json_t *c = json_object_get(d, "counts"), *revision = json_object_get(d, "revision"), *x;
    size_t i;

    printf("%-20s wave %" JSON_INTEGER_FORMAT "  %-8s %s%s\n", api_text(d, "at"),
           json_integer_value(json_object_get(d, "wave")) + 1, api_text(d, "verdict"),
           api_text(d, "reason"),
           json_is_true(json_object_get(d, "replays")) ? "" : "; THE ROWS SAY OTHERWISE NOW");
    printf("    started %s, failed %s, reverted %s;", api_text(c, "started"), api_text(c, "failed"),
           api_text(c, "reverted"));
    printf(" bad %s of %s judged, hold-out %s of %s\n", api_text(c, "bad"), api_text(c, "judged"),
           api_text(c, "control_silent"), api_text(c, "control"));
    printf("    10^%.2f that it is harmful (%s", json_number_value(json_object_get(d, "harmful")),
           api_text(d, "loudest"));
    if (json_is_string(revision))
        printf(", revision '%s'", api_text(d, "revision"));
    printf("), 10^%.2f that it is harmless\n", json_number_value(json_object_get(d, "harmless")));
    json_array_foreach(json_object_get(d, "suspects"), i, x)
    {
        printf("    suspect: revision '%s', 10^%.2f, bad %s of %s judged, failed %s\n",
               api_text(x, "revision"), json_number_value(json_object_get(x, "harmful")),
               api_text(x, "bad"), api_text(x, "judged"), api_text(x, "failed"));
        print_remedy(user, x);
    }
}

/* Newest first, each made again by the server from the rows that it used. */
static int show_decisions(const struct api *api, const char *id)
{
    json_t *rollout = NULL;
    char path[96];
    int e = rollout_get(api, id, &rollout);

    if (e != CLI_OK)
        return e;
    snprintf(path, sizeof path, "/api/v1/rollouts/%s/decisions", api_text(rollout, "id"));
    e = api_list(api, path, "decisions", decision_row, rollout);
    json_decref(rollout);
    return e;
}

static int rollout_show(int argc, char **argv)
{
    struct api api = { 0 };
    const char *pos[1];
    bool decisions = false;
    struct opt opts[] = { { "decisions", OPT_FLAG, &decisions, NULL,
                            "what was decided by evidence, and from what", false },
                          API_OPTS(&api) };
    json_t *answer = NULL;
    int e = opts_parse(&VERBS[2], argc, argv, opts, pos, 1, 1, NULL);

    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e == CLI_OK && decisions)
        return show_decisions(&api, pos[0]);
    if (e == CLI_OK)
        e = rollout_get(&api, pos[0], &answer);
    if (e == CLI_OK)
        api_show(&api, answer, print_rollout);
    json_decref(answer);
    return e;
}

/* JSON lines: a reader takes one look at a time. */
static void print_line(const json_t *answer)
{
    json_dumpf(answer, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
    putchar('\n');
}

static int rollout_watch(int argc, char **argv)
{
    struct api api = { 0 };
    const char *pos[1];
    struct opt opts[] = { API_OPTS(&api) };
    json_t *answer = NULL, *last = NULL;
    bool done = false;
    int e = opts_parse(&VERBS[3], argc, argv, opts, pos, 1, 1, NULL);

    if (e == CLI_OK)
        e = api_open(&api, true);
    while (e == CLI_OK && !done) {
        e = rollout_get(&api, pos[0], &answer);
        if (e == CLI_OK && (last == NULL || !json_equal(last, answer))) {
            if (api.json)
                print_line(answer);
            else
                print_rollout(answer);
        }
        fflush(stdout);
        done = e == CLI_OK && over(answer);
        json_decref(last);
        last = answer;
        answer = NULL;
        if (e == CLI_OK && !done)
            sleep(WATCH_S);
    }
    json_decref(last);
    return e;
}

/* --- acting --------------------------------------------------------------------------------- */

static int act(const struct verb *v, int argc, char **argv)
{
    struct api api = { 0 };
    const char *pos[1], *reason = NULL;
    struct opt opts[] = { { "reason", OPT_TEXT, &reason, "TEXT", "kept in the audit", false },
                          API_OPTS(&api) };
    json_t *answer = NULL, *body;
    uint64_t id = 0;
    char path[96];
    int e = opts_parse(v, argc, argv, opts, pos, 1, 1, NULL);

    if (e == CLI_OK)
        e = api_id(v->name, "ID", pos[0], &id);
    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e != CLI_OK)
        return e;
    snprintf(path, sizeof path, "/api/v1/rollouts/%" PRIu64 "/%s", id, v->name);
    body = api_reason(reason);
    if (body == NULL)
        return CLI_USAGE;
    e = api_call(&api, "POST", path, body, &answer);
    if (e == CLI_OK)
        api_show(&api, answer, print_rollout);
    json_decref(answer);
    return e;
}

static int rollout_start(int argc, char **argv)
{
    return act(&VERBS[4], argc, argv);
}

static int rollout_pause(int argc, char **argv)
{
    return act(&VERBS[5], argc, argv);
}

static int rollout_resume(int argc, char **argv)
{
    return act(&VERBS[6], argc, argv);
}

static int rollout_halt(int argc, char **argv)
{
    return act(&VERBS[7], argc, argv);
}

static int rollout_abort(int argc, char **argv)
{
    return act(&VERBS[8], argc, argv);
}

static int rollout_advance(int argc, char **argv)
{
    return act(&VERBS[9], argc, argv);
}

int cmd_rollout(int argc, char **argv)
{
    return verbs_run("rollout", VERBS, sizeof VERBS / sizeof VERBS[0], argc, argv);
}

/* What `lapel halt` has done so far. */
struct halting {
    const struct api *api;
    const char *reason;
    json_t *ids;     /* of those that run or are held, then of those halted */
    json_t *offered; /* complete ones: their releases are still offered */
};

static void halt_find(const json_t *r, void *user)
{
    struct halting *h = user;
    const char *state = json_string_value(json_object_get(r, "state"));
    json_t *id = json_object_get(r, "id");

    if (state == NULL || !json_is_integer(id))
        return;
    if (strcmp(state, "running") == 0 || strcmp(state, "held") == 0)
        json_array_append(h->ids, id);
    else if (strcmp(state, "complete") == 0)
        json_array_append(h->offered, id);
}

/* All that were found; a failure doesn't keep the others going. */
static int halt_found(struct halting *h)
{
    json_t *done = json_array();
    const json_t *id;
    size_t i;
    int e = CLI_OK;

    json_array_foreach(h->ids, i, id)
    {
        char path[96];
        json_t *answer = NULL;
        int one;

        snprintf(path, sizeof path, "/api/v1/rollouts/%" JSON_INTEGER_FORMAT "/halt",
                 json_integer_value(id));
        one = api_call(h->api, "POST", path, api_reason(h->reason), &answer);
        if (one == CLI_OK) {
            json_array_append(done, json_array_get(h->ids, i));
            if (!h->api->json)
                printf("rollout %s of %s is halted\n", api_text(answer, "id"),
                       api_text(answer, "product"));
        } else {
            e = one;
        }
        json_decref(answer);
    }
    json_decref(h->ids);
    h->ids = done;
    return e;
}

static void halt_report(const struct halting *h)
{
    const json_t *id;
    size_t i;

    if (h->api->json) {
        json_t *o = json_pack("{s:O}", "halted", h->ids);

        api_print(o);
        json_decref(o);
        return;
    }
    if (json_array_size(h->ids) > 0)
        return;
    printf("nothing is rolling out\n");
    json_array_foreach(h->offered, i, id)
    {
        if (i < 5)
            printf("rollout %" JSON_INTEGER_FORMAT " is complete and its release still offered: "
                   "`lapel halt %" JSON_INTEGER_FORMAT "` stops that\n",
                   json_integer_value(id), json_integer_value(id));
    }
}

/*
 * `lapel halt [ID]`: without an id every rollout that is running or held is halted, for the
 * night in which nobody remembers numbers.
 */
int cmd_halt(int argc, char **argv)
{
    static const struct verb HALT = { "halt", "[ID]", "stop a rollout; without ID all of them",
                                      NULL };
    struct api api = { 0 };
    struct halting h = { &api, NULL, NULL, NULL };
    const char *pos[1], *reason = NULL;
    struct opt opts[] = { { "reason", OPT_TEXT, &reason, "TEXT", "kept in the audit", false },
                          API_OPTS(&api) };
    bool json;
    size_t n = 0;
    int e = opts_parse(&HALT, argc, argv, opts, pos, 0, 1, &n);

    if (e == OPTS_HELP)
        return CLI_OK;
    if (e == CLI_OK && n == 1)
        return act(&HALT, argc, argv);
    if (e == CLI_OK && reason != NULL && !is_utf8(reason))
        e = cli_usage("--reason: is no UTF-8");
    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e != CLI_OK)
        return e;
    h.reason = reason;
    h.ids = json_array();
    h.offered = json_array();
    json = api.json;
    api.json = false; /* the list is for us */
    e = api_list(&api, "/api/v1/rollouts", "rollouts", halt_find, &h);
    api.json = json;
    if (e == CLI_OK) {
        e = halt_found(&h);
        halt_report(&h);
    }
    json_decref(h.ids);
    json_decref(h.offered);
    return e;
}
