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
  { "advance", "ID",      "approve the manual gate that is due",                     rollout_advance },
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

static int show_answer(const struct api *api, const json_t *answer)
{
    if (api->json)
        api_print(answer);
    else
        print_rollout(answer);
    return CLI_OK;
}

/* --- create --------------------------------------------------------------------------------- */

/* One field of a wave: "10%", "25" (devices), "soak=1h", "manual", "timed". */
static int wave_field(json_t *wave, char *field, const char *whole)
{
    static const struct {
        char unit;
        uint64_t seconds;
    } UNITS[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
    char *end = NULL;
    uint64_t n = 0;

    if (strcmp(field, "manual") == 0 || strcmp(field, "timed") == 0) {
        json_object_set_new(wave, "gate", json_string(field));
        return CLI_OK;
    }
    if (strncmp(field, "soak=", 5) == 0 && field[5] != '\0') {
        char unit = field[strlen(field) - 1];

        field[strlen(field) - 1] = '\0';
        for (size_t i = 0; i < sizeof UNITS / sizeof UNITS[0]; i++)
            if (UNITS[i].unit == unit && parse_uint(field + 5, &n) && n <= 100000000) {
                json_object_set_new(wave, "soak_s",
                                    json_integer((json_int_t)(n * UNITS[i].seconds)));
                return CLI_OK;
            }
        return cli_usage("--wave %s: soak is a number and s, m, h or d", whole);
    }
    if (field[0] != '\0' && field[strlen(field) - 1] == '%') {
        double share = strtod(field, &end);

        if (end == field || strcmp(end, "%") != 0 || !(share > 0) || share > 100)
            return cli_usage("--wave %s: a share is above 0%% and at most 100%%", whole);
        json_object_set_new(wave, "share", json_real(share / 100));
        return CLI_OK;
    }
    if (parse_uint(field, &n) && n > 0 && n <= 1000000000) {
        json_object_set_new(wave, "devices", json_integer((json_int_t)n));
        return CLI_OK;
    }
    return cli_usage("--wave %s: '%s' is no share (10%%), number of devices, soak=1h, manual or "
                     "timed",
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
    bool start = false;
    struct opt opts[] = { { "wave", OPT_LIST, &waves, "W",
                            "e.g. 10%,5,soak=1h,manual; more than once", false },
                          { "start", OPT_FLAG, &start, NULL, "and start it", false },
                          API_OPTS(&api) };
    json_t *answer = NULL, *body, *list = json_array();
    uint64_t release = 0;
    char path[96];
    int e = opts_parse(&VERBS[0], argc, argv, opts, pos, 1, 1, NULL);

    if (e == CLI_OK && !parse_uint(pos[0], &release))
        e = cli_usage("create: RELEASE: '%s' is not a number", pos[0]);
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
    json_decref(list);
    e = api_call(&api, "POST", "/api/v1/rollouts", body, &answer);
    if (e == CLI_OK && start) {
        snprintf(path, sizeof path, "/api/v1/rollouts/%s/start", api_text(answer, "id"));
        json_decref(answer);
        e = api_call(&api, "POST", path, json_object(), &answer);
    }
    if (e == CLI_OK)
        show_answer(&api, answer);
    json_decref(answer);
    return e;
}

/* --- looking -------------------------------------------------------------------------------- */

static int rollout_list(int argc, char **argv)
{
    struct api api = { 0 };
    struct opt opts[] = { API_OPTS(&api) };
    json_t *answer = NULL, *r;
    size_t i;
    int e = opts_parse(&VERBS[1], argc, argv, opts, NULL, 0, 0, NULL);

    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e == CLI_OK)
        e = api_call(&api, "GET", "/api/v1/rollouts?limit=1000", NULL, &answer);
    if (e != CLI_OK)
        return e;
    if (api.json) {
        api_print(answer);
    } else {
        json_array_foreach(json_object_get(answer, "rollouts"), i, r)
        {
            printf("%-4s %-16s release %-4s %-10s %s\n", api_text(r, "id"), api_text(r, "product"),
                   api_text(r, "release"), api_text(r, "version"), api_text(r, "state"));
        }
    }
    json_decref(answer);
    return CLI_OK;
}

static int rollout_get(const struct api *api, const char *id, json_t **answer_out)
{
    uint64_t n = 0;
    char path[96];

    if (!parse_uint(id, &n))
        return cli_usage("ID: '%s' is not a number", id);
    snprintf(path, sizeof path, "/api/v1/rollouts/%" PRIu64, n);
    return api_call(api, "GET", path, NULL, answer_out);
}

static int rollout_show(int argc, char **argv)
{
    struct api api = { 0 };
    const char *pos[1];
    struct opt opts[] = { API_OPTS(&api) };
    json_t *answer = NULL;
    int e = opts_parse(&VERBS[2], argc, argv, opts, pos, 1, 1, NULL);

    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e == CLI_OK)
        e = rollout_get(&api, pos[0], &answer);
    if (e == CLI_OK)
        show_answer(&api, answer);
    json_decref(answer);
    return e;
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
        if (e == CLI_OK && (last == NULL || !json_equal(last, answer)))
            show_answer(&api, answer);
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

    if (e == CLI_OK && !parse_uint(pos[0], &id))
        e = cli_usage("%s: ID: '%s' is not a number", v->name, pos[0]);
    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e != CLI_OK)
        return e;
    snprintf(path, sizeof path, "/api/v1/rollouts/%" PRIu64 "/%s", id, v->name);
    body = reason != NULL ? json_pack("{s:s}", "reason", reason) : json_object();
    e = api_call(&api, "POST", path, body, &answer);
    if (e == CLI_OK)
        show_answer(&api, answer);
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

/*
 * `lapel halt [ID]`: without an id every rollout that is running or held is halted, for the
 * night in which nobody remembers numbers.
 */
int cmd_halt(int argc, char **argv)
{
    static const struct verb HALT = { "halt", "[ID]", "stop a rollout; without ID all of them",
                                      NULL };
    struct api api = { 0 };
    const char *pos[1], *reason = NULL;
    struct opt opts[] = { { "reason", OPT_TEXT, &reason, "TEXT", "kept in the audit", false },
                          API_OPTS(&api) };
    json_t *answer = NULL, *r;
    size_t n = 0, i, halted = 0;
    int e = opts_parse(&HALT, argc, argv, opts, pos, 0, 1, &n);

    if (e == OPTS_HELP)
        return CLI_OK;
    if (e == CLI_OK && n == 1)
        return act(&HALT, argc, argv);
    if (e == CLI_OK)
        e = api_open(&api, true);
    if (e == CLI_OK)
        e = api_call(&api, "GET", "/api/v1/rollouts?limit=1000", NULL, &answer);
    if (e != CLI_OK)
        return e;
    json_array_foreach(json_object_get(answer, "rollouts"), i, r)
    {
        const char *state = api_text(r, "state");
        char path[96];
        int one;

        if (over(r) || strcmp(state, "halted") == 0 || strcmp(state, "draft") == 0)
            continue;
        snprintf(path, sizeof path, "/api/v1/rollouts/%s/halt", api_text(r, "id"));
        one = api_call(&api, "POST", path,
                       reason != NULL ? json_pack("{s:s}", "reason", reason) : json_object(), NULL);
        if (one == CLI_OK) {
            printf("rollout %s of %s is halted\n", api_text(r, "id"), api_text(r, "product"));
            halted++;
        } else {
            e = one; /* go on with the others */
        }
    }
    if (halted == 0 && e == CLI_OK)
        printf("nothing is rolling out\n");
    json_decref(answer);
    return e;
}
