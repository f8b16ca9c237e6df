#include "verb.h"

#include <string.h>
#include <unistd.h>

#include "log.h"

/* The core has nothing to do, for this long and not because of the network: what was asked for is
 * over. */
#define IDLE_MS 900

static bool is_idle(const struct agent *a)
{
    return a->wait_ms >= IDLE_MS && a->net.wants == 0;
}

static json_t *refuse(const char *why)
{
    return json_pack("{s:b, s:s}", "ok", 0, "why", why);
}

static json_t *result(const char *text)
{
    return json_pack("{s:b, s:s}", "ok", 1, "result", text);
}

static const char *explain(enum lapel_err e)
{
    switch (e) {
    case LAPEL_ERR_STATE:
        return "not in this state";
    case LAPEL_ERR_RANGE:
        return "out of range, or the budget for postponing is used up";
    case LAPEL_ERR_NV:
        return "it could not be stored";
    default:
        return "the library refuses";
    }
}

static json_t *settle(enum lapel_err e, const char *text)
{
    return e == LAPEL_OK ? result(text) : refuse(explain(e));
}

static json_t *do_status(struct agent *a, const json_t *request, const struct verb_asker *asker,
                         struct verb_wait *w)
{
    (void)request;
    (void)w;
    return json_pack("{s:b, s:o}", "ok", 1, "status", status_json(a, asker->daemon));
}

/* A trial belongs to the daemon that started the image; a command must not judge it. */
static const char *in_the_way(const struct agent *a, const struct verb_asker *asker)
{
    if (asker->daemon || a->boot.mode == BOOT_STEADY || a->boot.mode == BOOT_REVERTED)
        return NULL;
    return "a new image waits for its trial: start `lapel-agent run`";
}

static json_t *add_version(const struct agent *a, json_t *answer)
{
    if (a->outcome.version[0] != '\0')
        json_object_set_new(answer, "version", json_string(a->outcome.version));
    return answer;
}

static bool look_check(struct agent *a, struct verb_wait *w, json_t **answer_out)
{
    struct lapel_status s;

    lapel_status(&a->lapel, &s);
    if (a->outcome.refused)
        *answer_out = refuse(a->outcome.why);
    else if (a->outcome.available)
        *answer_out = add_version(a, result("available"));
    else if (!is_idle(a))
        return false;
    else if (s.good_checks != w->good_checks)
        *answer_out = result("nothing new");
    else if (s.checks != w->checks)
        *answer_out = refuse("no good answer from the server");
    else
        *answer_out = json_pack("{s:b, s:s, s:I}", "ok", 1, "result", "later", "next_check_s",
                                (json_int_t)(s.next_check_ms / 1000));
    return true;
}

static json_t *do_check(struct agent *a, const json_t *request, const struct verb_asker *asker,
                        struct verb_wait *w)
{
    const char *why = in_the_way(a, asker);
    struct lapel_status s;

    (void)request;
    if (why != NULL)
        return refuse(why);
    lapel_status(&a->lapel, &s);
    agent_outcome(a);
    a->hold = !asker->daemon; /* a command only looks; it doesn't begin to download */
    a->wait_ms = 0;
    *w = (struct verb_wait){ .look = look_check, .checks = s.checks, .good_checks = s.good_checks };
    lapel_kick(&a->lapel);
    return NULL;
}

static bool look_apply(struct agent *a, struct verb_wait *w, json_t **answer_out)
{
    struct lapel_status s;

    (void)w;
    lapel_status(&a->lapel, &s);
    if (a->outcome.refused || a->outcome.failed)
        *answer_out = refuse(a->outcome.why[0] != '\0' ? a->outcome.why : "refused");
    else if (a->outcome.denied)
        *answer_out = refuse("denied by the hook `gate`");
    else if (a->boot.mode == BOOT_STAGED)
        *answer_out = add_version(a, result("staged: the next start tries it"));
    else if (a->outcome.installed)
        *answer_out = add_version(a, result("installed"));
    else if (a->outcome.waits)
        *answer_out = add_version(a, result("waits for consent; see `lapel-agent settings`"));
    else if (is_idle(a) && s.state == LAPEL_READY && s.waiting == 0)
        *answer_out = result("nothing to do");
    else
        return false;
    return true;
}

static json_t *do_apply(struct agent *a, const json_t *request, const struct verb_asker *asker,
                        struct verb_wait *w)
{
    const char *why = in_the_way(a, asker);

    (void)request;
    if (why == NULL && (asker->envelope_fd < 0 || asker->folder_fd < 0))
        why = "no file came with the request";
    if (why == NULL)
        why = agent_apply(a, asker->envelope_fd, dup(asker->folder_fd));
    if (why != NULL)
        return refuse(why);
    a->wait_ms = 0;
    *w = (struct verb_wait){ .look = look_apply };
    return NULL;
}

static json_t *do_postpone(struct agent *a, const json_t *request, const struct verb_asker *asker,
                           struct verb_wait *w)
{
    const json_t *ms = json_object_get(request, "ms");

    (void)asker;
    (void)w;
    if (!json_is_integer(ms) || json_integer_value(ms) < 0 || json_integer_value(ms) > UINT32_MAX)
        return refuse("ms: 0 to 4294967295");
    return settle(lapel_postpone(&a->lapel, (uint32_t)json_integer_value(ms)),
                  json_integer_value(ms) == 0 ? "no longer postponed" : "postponed");
}

static int index_of(const char *const *names, int n, const char *name)
{
    for (int i = 0; i < n && name != NULL; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

static json_t *do_settings(struct agent *a, const json_t *request, const struct verb_asker *asker,
                           struct verb_wait *w)
{
    static const char *const SETTING[] = { "auto-security", "auto-feature", "notify" };
    static const char *const CHOICE[] = { "unset", "on", "off" };
    int setting = index_of(SETTING, 3, json_string_value(json_object_get(request, "setting")));
    int choice = index_of(CHOICE, 3, json_string_value(json_object_get(request, "choice")));

    (void)w;
    if (setting < 0)
        return refuse("setting: auto-security, auto-feature or notify");
    if (choice < 0)
        return refuse("choice: on, off or unset");
    return settle(lapel_user_set(&a->lapel, (enum lapel_setting)(setting + 1),
                                 (enum lapel_choice)choice,
                                 choice == LAPEL_UNSET ? LAPEL_BY_NOBODY : asker->by),
                  "stored");
}

static json_t *do_confirm(struct agent *a, const json_t *request, const struct verb_asker *asker,
                          struct verb_wait *w)
{
    (void)request;
    (void)asker;
    (void)w;
    return settle(lapel_confirm(&a->lapel), "confirmed");
}

/* `done` is taken. */
static json_t *reset(json_t *done)
{
    if (done == NULL)
        return refuse("not everything could be erased; the log says what");
    json_object_set_new(done, "ok", json_true());
    return done;
}

/* Here nothing is erased before the server has: who is told that it failed can ask again. */
static json_t *not_erased(const char *why)
{
    char text[240];

    (void)snprintf(text, sizeof text, "nothing was erased: the server: %s", why);
    return refuse(text);
}

static bool look_erase(struct agent *a, struct verb_wait *w, json_t **answer_out)
{
    struct lapel_status s;

    lapel_status(&a->lapel, &s);
    if (s.erase == LAPEL_ERASE_DONE) {
        *answer_out = reset(json_incref(a->reset));
        json_object_set(*answer_out, "server",
                        a->outcome.receipt != NULL ? a->outcome.receipt : json_null());
        return true;
    }
    if (s.erase == LAPEL_ERASE_FAILED)
        *answer_out = not_erased(a->outcome.why);
    else if (is_idle(a) && s.checks != w->checks)
        *answer_out = not_erased("no good answer; it is asked again, see `lapel-agent status`");
    else if (is_idle(a))
        *answer_out = not_erased("it wants to be asked later, see `lapel-agent status`");
    return *answer_out != NULL;
}

static json_t *do_reset(struct agent *a, const json_t *request, const struct verb_asker *asker,
                        struct verb_wait *w)
{
    struct lapel_status s;

    if (!json_is_true(json_object_get(request, "erase")))
        return reset(agent_reset(a));
    lapel_status(&a->lapel, &s);
    agent_outcome(a);
    a->hold = !asker->daemon;
    a->wait_ms = 0;
    *w = (struct verb_wait){ .look = look_erase, .checks = s.checks };
    if (lapel_erase(&a->lapel) == LAPEL_OK)
        return NULL;
    return refuse("--erase: this device has no name or no token at a server");
}

/* clang-format off */
static const struct {
    const char *name;
    json_t *(*run)(struct agent *a, const json_t *request, const struct verb_asker *asker,
                   struct verb_wait *w);
} VERBS[] = {
  { "status",   do_status },
  { "check",    do_check },
  { "apply",    do_apply },
  { "postpone", do_postpone },
  { "settings", do_settings },
  { "confirm",  do_confirm },
  { "reset",    do_reset },
};
/* clang-format on */

json_t *verb_do(struct agent *a, const json_t *request, const struct verb_asker *asker,
                struct verb_wait *wait_out)
{
    const char *name = json_string_value(json_object_get(request, "do"));

    for (size_t i = 0; i < sizeof VERBS / sizeof VERBS[0] && name != NULL; i++)
        if (strcmp(VERBS[i].name, name) == 0)
            return VERBS[i].run(a, request, asker, wait_out);
    return refuse("do: no such verb");
}

json_t *verb_look(struct agent *a, struct verb_wait *w)
{
    json_t *answer = NULL;

    return w->look(a, w, &answer) ? answer : NULL;
}
