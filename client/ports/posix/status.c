/* What a device says about itself to people and programs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent.h"
#include "lsuit/doc.h"
#include "lsuit/uuid.h"
#include "sys.h"

static const char *const GATE[] = { "", "download", "install", "reboot" };
static const char *const SETTING[] = { "auto-security", "auto-feature", "notify" };
static const char *const CHOICE[] = { "unset", "on", "off" };
static const char *const ACTOR[] = { "nobody", "user", "admin", "factory" };

static json_t *text_or_null(const char *s)
{
    return s[0] != '\0' ? json_string(s) : json_null();
}

static json_t *number(uint64_t v)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)v);
    return json_string(text);
}

static json_t *running_json(const struct agent *a, const struct lapel_status *s)
{
    char hex[65] = "";

    for (size_t i = 0; i < 32 && s->accepted_known; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", s->accepted_digest[i]);
    return json_pack("{s:o, s:o, s:o, s:i}", "version", text_or_null(a->version), "sequence",
                     number(s->accepted_sequence), "digest", text_or_null(hex), "slot",
                     (int)s->running_slot);
}

static json_t *settings_json(const struct lapel_status *s)
{
    json_t *all = json_object();

    for (size_t i = 0; i < 3; i++)
        json_object_set_new(all, SETTING[i],
                            json_pack("{s:s, s:s}", "choice", CHOICE[s->setting[i] % 3], "by",
                                      ACTOR[s->setting_by[i] % 4]));
    return all;
}

/* The page is the maker's (provision 5.3-16); without one named, the server's for this model. */
static json_t *support_json(const struct agent *a, const struct lapel_status *s)
{
    char month[16] = "";
    char url[512] = "";
    int64_t now = sys_epoch_s();
    time_t t = (time_t)now;
    struct tm tm;
    bool ended = false;

    if (s->support_end != 0)
        (void)snprintf(month, sizeof month, "%04u-%02u", s->support_end / 100,
                       s->support_end % 100);
    if (now != 0 && s->support_end != 0 && gmtime_r(&t, &tm) != NULL)
        ended = (uint32_t)(tm.tm_year + 1900) * 100 + (uint32_t)tm.tm_mon + 1 > s->support_end;
    (void)snprintf(url, sizeof url, "%s",
                   a->conf->support_url[0] != '\0' ? a->conf->support_url : s->support_url);
    return json_pack("{s:o, s:b, s:o}", "end", text_or_null(month), "ended", (int)ended, "url",
                     text_or_null(url));
}

static json_t *error_json(const struct lapel_status *s)
{
    if (s->last_error == LSUIT_CLASS_NONE)
        return json_null();
    return json_pack("{s:s, s:s}", "stage", lsuit_stage_name(s->last_stage), "class",
                     lsuit_class_name(s->last_error));
}

static json_t *attempt_json(const struct lapel_status *s)
{
    if (s->attempt_sequence == 0)
        return json_null();
    return json_pack("{s:o, s:I, s:I}", "sequence", number(s->attempt_sequence), "fetched",
                     (json_int_t)s->fetched, "total", (json_int_t)s->total);
}

/* How fresh the server's word is; null without keys to believe it by. */
static json_t *statement_json(const struct agent *a, const struct lapel_status *s)
{
    if (a->conf->online_keys.n == 0)
        return json_null();
    return json_pack("{s:o, s:I, s:b}", "number", number(s->statement), "age_s",
                     (json_int_t)s->fresh_age_s, "stale", (int)s->stale);
}

json_t *status_json(struct agent *a, bool daemon)
{
    struct lapel_status s;
    char vendor[LSUIT_UUID_TEXT];
    char class_[LSUIT_UUID_TEXT];
    json_t *o = json_object();

    lapel_status(&a->lapel, &s);
    lsuit_uuid_format(a->conf->vendor_id.bytes, vendor);
    lsuit_uuid_format(a->conf->class_id.bytes, class_);
    json_object_set_new(o, "model", json_string(a->conf->model));
    json_object_set_new(o, "product", json_string(a->conf->product));
    json_object_set_new(o, "device_id", text_or_null(a->conf->device_id));
    json_object_set_new(o, "hardware", text_or_null(a->conf->hardware));
    json_object_set_new(o, "vendor_id", json_string(vendor));
    json_object_set_new(o, "class_id", json_string(class_));
    json_object_set_new(o, "running", running_json(a, &s));
    json_object_set_new(o, "state", json_string(lapel_state_name(s.state)));
    json_object_set_new(o, "waiting", text_or_null(GATE[s.waiting % 4]));
    json_object_set_new(o, "offer", a->offer != NULL ? json_incref(a->offer) : json_null());
    json_object_set_new(o, "attempt", attempt_json(&s));
    json_object_set_new(o, "boot", json_string(boot_mode_name(a->boot.mode)));
    json_object_set_new(o, "settings", settings_json(&s));
    json_object_set_new(o, "postponed_s", json_integer((json_int_t)(s.postponed_ms / 1000)));
    json_object_set_new(o, "next_check_s", json_integer((json_int_t)(s.next_check_ms / 1000)));
    json_object_set_new(o, "checks", json_integer(s.checks));
    json_object_set_new(o, "good_checks", json_integer(s.good_checks));
    json_object_set_new(o, "counter", number(s.counter));
    json_object_set_new(o, "trust_version", json_integer(s.trust_version));
    json_object_set_new(o, "server", json_string(s.host));
    json_object_set_new(o, "support", support_json(a, &s));
    json_object_set_new(o, "statement", statement_json(a, &s));
    json_object_set_new(o, "last_error", error_json(&s));
    json_object_set_new(o, "daemon", json_boolean(daemon));
    json_object_set_new(o, "agent_version", json_string(LAPEL_VERSION));
    return o;
}

static const char *at(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s != NULL ? s : "-";
}

static void print_settings(const json_t *settings)
{
    for (size_t i = 0; i < 3; i++) {
        const json_t *one = json_object_get(settings, SETTING[i]);
        printf("%-14s %s (set by %s)\n", SETTING[i], at(one, "choice"), at(one, "by"));
    }
}

void status_print(const json_t *status)
{
    const json_t *running = json_object_get(status, "running");
    const json_t *support = json_object_get(status, "support");
    const json_t *error = json_object_get(status, "last_error");
    json_int_t postponed = json_integer_value(json_object_get(status, "postponed_s"));

    printf("%-14s %s\n", "model", at(status, "model"));
    printf("%-14s %s, device %s\n", "product", at(status, "product"), at(status, "device_id"));
    printf("%-14s %s (sequence %s, slot %lld)\n", "running", at(running, "version"),
           at(running, "sequence"), json_integer_value(json_object_get(running, "slot")));
    printf("%-14s %s", "state", at(status, "state"));
    if (json_is_string(json_object_get(status, "waiting")))
        printf(", waits before %s", at(status, "waiting"));
    printf("\n");
    print_settings(json_object_get(status, "settings"));
    if (postponed > 0)
        printf("%-14s for %lld more minutes\n", "postponed", (postponed + 59) / 60);
    if (json_is_true(json_object_get(status, "daemon")))
        printf("%-14s in %lld s\n", "next check",
               json_integer_value(json_object_get(status, "next_check_s")));
    else
        printf("%-14s none: no agent runs\n", "next check");
    printf("%-14s %s%s %s\n", "support until", at(support, "end"),
           json_is_true(json_object_get(support, "ended")) ? " (ended)" : "", at(support, "url"));
    if (json_is_true(json_object_get(json_object_get(status, "statement"), "stale")))
        printf("%-14s no fresh word from the server: perhaps somebody keeps it back\n", "stale");
    if (json_is_object(error))
        printf("%-14s %s: %s\n", "last error", at(error, "stage"), at(error, "class"));
}
