/*
 * Gates and events of the core: asked and told to the log, to whoever waits, and to the hooks.
 */
#include <stdio.h>
#include <string.h>

#include "agent.h"
#include "log.h"
#include "lsuit/doc.h"
#include "receipt.h"
#include "sys.h"

static const char *const SEVERITY[] = { "critical", "security", "feature" };
static const char *const GATE[] = { "", "download", "install", "reboot" };
static const char *const EVENT[] = {
    "",         "available", "consent-needed", "disrupt",           "installed", "failed",
    "reverted", "postponed", "withdrawn",      "support-ending",    "stale",     "refused",
    "state",    "auth",      "fresh",          "statement-refused", "erased",    "trust",
    "tampered"
};

static const char *name_of(const char *const *table, size_t n, unsigned i)
{
    return i < n ? table[i] : "?";
}
#define NAME(table, i) name_of(table, sizeof table / sizeof table[0], (unsigned)(i))

/* Absent texts are left out. The codec has checked that they are UTF-8. */
static void put_text(json_t *o, const char *key, struct lsuit_bytes text)
{
    if (text.ptr != NULL)
        json_object_set_new(o, key, json_stringn((const char *)text.ptr, text.len));
}

static void put_number(json_t *o, const char *key, uint64_t v)
{
    /* As a string: a sequence number has 63 bits, a JSON reader's double has 53. */
    char text[24];

    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)v);
    json_object_set_new(o, key, json_string(text));
}

static void put_offer(json_t *o, const struct lapel_offer *offer)
{
    char hex[65] = "";

    if (offer == NULL)
        return;
    for (size_t i = 0; i < offer->digest.len && i < 32; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", offer->digest.ptr[i]);
    put_number(o, "sequence", offer->sequence);
    json_object_set_new(o, "digest", json_string(hex));
    json_object_set_new(o, "severity", json_string(NAME(SEVERITY, offer->severity)));
    json_object_set_new(o, "priority", json_integer(offer->priority));
    json_object_set_new(o, "download_bytes", json_integer((json_int_t)offer->download_bytes));
    put_text(o, "version", offer->version);
    put_text(o, "changes", offer->changes);
    put_text(o, "risks_removed", offer->risks_removed);
    put_text(o, "language", offer->language);
    if (offer->has_downtime)
        json_object_set_new(o, "downtime_s", json_integer(offer->downtime_s));
    json_object_set_new(o, "disrupts", json_boolean(offer->disrupts));
}

/* What `status` shows of the release in hand. */
static void keep_offer(struct agent *a, const struct lapel_offer *offer)
{
    json_decref(a->offer);
    a->offer = offer != NULL ? json_object() : NULL;
    put_offer(a->offer, offer);
}

static bool is_end(enum lapel_event_id id)
{
    return id == LAPEL_EVENT_INSTALLED || id == LAPEL_EVENT_FAILED || id == LAPEL_EVENT_REVERTED ||
           id == LAPEL_EVENT_WITHDRAWN;
}

static enum lapel_verdict on_gate(void *ctx, enum lapel_gate gate, const struct lapel_offer *offer,
                                  uint32_t *wait_ms_out)
{
    struct agent *a = ctx;
    enum lapel_verdict v = LAPEL_WAIT;
    json_t *question = json_pack("{s:s}", "gate", NAME(GATE, gate));

    *wait_ms_out = 60000;
    if (a->hold) {
        json_decref(question);
        a->outcome.waits = true;
        return LAPEL_WAIT;
    }
    put_offer(question, offer);
    keep_offer(a, offer);
    v = hooks_gate(&a->hooks, question, wait_ms_out);
    a->outcome.denied = a->outcome.denied || v == LAPEL_DENY;
    return v;
}

/* What a command that waits for an outcome wants to know. */
static void note_outcome(struct outcome *o, const struct lapel_event *event, const json_t *told)
{
    const char *what = json_string_value(json_object_get(told, "why"));
    const char *class_ = json_string_value(json_object_get(told, "class"));
    const char *version = json_string_value(json_object_get(told, "version"));

    switch (event->id) {
    case LAPEL_EVENT_AVAILABLE:
        o->available = true;
        (void)snprintf(o->version, sizeof o->version, "%s", version != NULL ? version : "");
        break;
    case LAPEL_EVENT_REFUSED:
        o->refused = true;
        break;
    case LAPEL_EVENT_ERASED:
        o->erased = event->error == LSUIT_CLASS_NONE;
        (void)snprintf(o->why, sizeof o->why, "%s", class_ != NULL ? class_ : "");
        break;
    case LAPEL_EVENT_FAILED:
    case LAPEL_EVENT_REVERTED:
    case LAPEL_EVENT_WITHDRAWN:
        o->failed = true;
        break;
    case LAPEL_EVENT_INSTALLED:
        o->installed = true;
        break;
    case LAPEL_EVENT_CONSENT_NEEDED:
    case LAPEL_EVENT_POSTPONED:
        o->waits = true;
        break;
    default:
        break;
    }
    if ((o->refused || o->failed) && o->why[0] == '\0')
        (void)snprintf(o->why, sizeof o->why, "%s",
                       what != NULL     ? what
                       : class_ != NULL ? class_
                                        : "");
}

static void put_fault(json_t *o, const struct lsuit_fault *fault)
{
    char why[160];

    if (fault == NULL)
        return;
    (void)snprintf(why, sizeof why, "%s%s%s%s%s", lsuit_err_name(fault->err),
                   fault->what != NULL ? ": " : "", fault->what != NULL ? fault->what : "",
                   fault->why != NULL ? ": " : "", fault->why != NULL ? fault->why : "");
    json_object_set_new(o, "why", json_string(why));
}

static enum log_level level_of(enum lapel_event_id id)
{
    return id == LAPEL_EVENT_FAILED || id == LAPEL_EVENT_REVERTED || id == LAPEL_EVENT_REFUSED ||
                   id == LAPEL_EVENT_AUTH || id == LAPEL_EVENT_STALE ||
                   id == LAPEL_EVENT_STATEMENT || id == LAPEL_EVENT_TAMPERED
               ? LOG_LEVEL_WARNING
               : LOG_LEVEL_INFO;
}

/* Kept before it is told: who asked may end us for the answer. */
static void take_receipt(struct agent *a, const struct lapel_event *event, json_t *told)
{
    json_t *said = NULL;

    if (event->receipt.ptr == NULL || !receipt_keep(a->state_fd, event->receipt))
        return;
    said = receipt_json(event->receipt);
    if (said == NULL)
        return;
    json_decref(a->outcome.receipt);
    a->outcome.receipt = json_incref(said);
    json_object_set_new(told, "receipt", said);
}

static void on_event(void *ctx, const struct lapel_event *event)
{
    struct agent *a = ctx;
    json_t *told = json_pack("{s:s}", "state", lapel_state_name(event->state));
    json_t *hook = NULL;

    if (event->id == LAPEL_EVENT_CONSENT_NEEDED || event->id == LAPEL_EVENT_DISRUPT)
        json_object_set_new(told, "gate", json_string(NAME(GATE, event->gate)));
    if (event->error != 0) {
        json_object_set_new(told, "stage", json_string(lsuit_stage_name(event->stage)));
        json_object_set_new(told, "class", json_string(lsuit_class_name(event->error)));
    }
    put_fault(told, event->fault);
    put_offer(told, event->offer);
    if (event->id == LAPEL_EVENT_POSTPONED)
        json_object_set_new(told, "wait_s", json_integer((json_int_t)(event->wait_ms / 1000)));
    if (event->year_month != 0) {
        char month[16];
        (void)snprintf(month, sizeof month, "%04u-%02u", event->year_month / 100,
                       event->year_month % 100);
        json_object_set_new(told, "support_end", json_string(month));
    }
    take_receipt(a, event, told);
    note_outcome(&a->outcome, event, told);
    if (event->id == LAPEL_EVENT_AVAILABLE || is_end(event->id))
        keep_offer(a, is_end(event->id) ? NULL : event->offer);

    hook = json_pack("{s:s}", "event", NAME(EVENT, event->id));
    json_object_update(hook, told);
    hooks_event(&a->hooks, hook);
    log_event(level_of(event->id), NAME(EVENT, event->id), told);
}

static enum lapel_health on_health(void *ctx)
{
    return hooks_health(&((struct agent *)ctx)->hooks);
}

const struct lapel_policy port_policy = {
    .size = sizeof port_policy,
    .gate = on_gate,
    .event = on_event,
    .health = on_health,
};
