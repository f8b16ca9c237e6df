#include "web/page.h"

#include "base/clock.h"
#include "base/strbuf.h"

#include <stdio.h>
#include <string.h>

static const char *const MONTHS[] = { "January",   "February", "March",    "April",
                                      "May",       "June",     "July",     "August",
                                      "September", "October",  "November", "December" };

void page_month(int32_t month, char out[24])
{
    snprintf(out, 24, "%s %d", MONTHS[(unsigned)month % 12], (int)month / 12);
}

static bool add_period(void *ctx, const struct support *s)
{
    struct page_model *p = ctx;

    if (p->periods_n == PAGE_PERIODS) { /* keep the newest */
        memmove(p->periods, p->periods + 1, (PAGE_PERIODS - 1) * sizeof *p->periods);
        p->periods_n--;
    }
    p->periods[p->periods_n++] = *s;
    return true;
}

enum err page_load(struct db *db, const char *model, int64_t now_ms, struct page_model *page_out)
{
    enum err e = product_by_model(db, model, &page_out->product);

    page_out->now_ms = now_ms;
    page_out->periods_n = 0;
    return e == ERR_OK ? support_list(db, page_out->product.id, add_period, page_out) : e;
}

static const struct support *current(const struct page_model *p)
{
    return p->periods_n > 0 ? &p->periods[p->periods_n - 1] : NULL;
}

static void html_head(struct strbuf *b, const char *title)
{
    strbuf_text(b, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                   "<title>");
    strbuf_html(b, title);
    strbuf_text(b, "</title>\n<style>body{font:1.1em/1.5 sans-serif;max-width:40em;margin:2em auto;"
                   "padding:0 1em}.until{font-size:1.5em}dt{font-weight:bold}</style>\n"
                   "</head>\n<body>\n");
}

/* A contact as a link that people can read. */
static void html_contact(struct strbuf *b, const char *contact)
{
    const char *shown = strncmp(contact, "mailto:", 7) == 0 ? contact + 7 : contact;

    strbuf_text(b, "<a href=\"");
    strbuf_html(b, contact);
    strbuf_text(b, "\">");
    strbuf_html(b, shown);
    strbuf_text(b, "</a>");
}

static void html_history(struct strbuf *b, const struct page_model *p)
{
    char month[24], at[CLOCK_TEXT];

    if (p->periods_n < 2)
        return;
    strbuf_text(b, "<h2>What was published before</h2>\n<ul>\n");
    for (size_t i = 0; i + 1 < p->periods_n; i++) {
        page_month(p->periods[i].end_month, month);
        clock_text(p->periods[i].published_ms, at);
        strbuf_format(b, "<li>On %.10s: until the end of %s</li>\n", at, month);
    }
    strbuf_text(b, "</ul>\n");
}

char *page_html(const struct page_model *p, size_t *n_out)
{
    const struct support *s = current(p);
    char month[24] = "", title[PRODUCT_TEXT + PRODUCT_MODEL + 32];
    struct strbuf b;
    char *text;

    strbuf_init(&b);
    snprintf(title, sizeof title, "%s %s: security updates", p->product.vendor_name,
             p->product.model);
    html_head(&b, title);
    strbuf_text(&b, "<h1>");
    strbuf_html(&b, p->product.vendor_name);
    strbuf_text(&b, " ");
    strbuf_html(&b, p->product.model);
    strbuf_text(&b, "</h1>\n");
    if (s != NULL)
        page_month(s->end_month, month);
    if (s == NULL) {
        strbuf_text(&b, "<p class=\"until\">No support period is published yet.</p>\n");
    } else if (s->end_month >= month_of(p->now_ms)) {
        strbuf_format(&b,
                      "<p class=\"until\">This product gets security updates until the end of "
                      "<strong>%s</strong>.</p>\n<p>The updates are free. They cover all parts of "
                      "the product that can be updated.</p>\n",
                      month);
    } else {
        strbuf_format(&b,
                      "<p class=\"until\">Security updates for this product ended in "
                      "<strong>%s</strong>.</p>\n<p>New weaknesses are no longer mended. Think of "
                      "replacing the product, or of disconnecting it from the network.</p>\n",
                      month);
    }
    if (s != NULL && s->rationale[0] != '\0') {
        strbuf_text(&b, "<h2>Why this period</h2>\n<p>");
        strbuf_html(&b, s->rationale);
        strbuf_text(&b, "</p>\n");
    }
    strbuf_text(&b, "<h2>To report a security problem</h2>\n<p>Write to ");
    html_contact(&b, p->product.contact);
    strbuf_text(&b, ".</p>\n<dl>\n<dt>Model</dt><dd>");
    strbuf_html(&b, p->product.model);
    strbuf_text(&b, "</dd>\n<dt>Maker</dt><dd>");
    strbuf_html(&b, p->product.vendor_name);
    strbuf_text(&b, "</dd>\n</dl>\n");
    html_history(&b, p);
    strbuf_text(&b, "</body>\n</html>\n");
    text = strbuf_take(&b, n_out);
    strbuf_fini(&b);
    return text;
}

/* The last second of a month. */
static void end_of_month(int32_t month, char out[CLOCK_TEXT])
{
    static const int DAYS[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int year = month / 12, m = month % 12;
    int days = DAYS[m];

    if (m == 1 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
        days = 29;
    snprintf(out, CLOCK_TEXT, "%04d-%02d-%02dT23:59:59Z", year, m + 1, days);
}

static void json_member(struct strbuf *b, const char *name, const char *value)
{
    strbuf_format(b, "\"%s\":", name);
    strbuf_json(b, value);
}

static void json_or_null(struct strbuf *b, const char *name, const char *value)
{
    if (value[0] != '\0')
        json_member(b, name, value);
    else
        strbuf_format(b, "\"%s\":null", name);
}

static void json_periods(struct strbuf *b, const struct page_model *p)
{
    char at[CLOCK_TEXT];

    strbuf_text(b, "\"published\":[");
    for (size_t i = 0; i < p->periods_n; i++) {
        const struct support *s = &p->periods[i];

        strbuf_text(b, i > 0 ? ",{" : "{");
        json_member(b, "kind", s->kind);
        strbuf_format(b, ",\"end\":\"%04d-%02d\",", s->end_month / 12, s->end_month % 12 + 1);
        json_or_null(b, "rationale", s->rationale);
        clock_text(s->published_ms, at);
        strbuf_format(b, ",\"published_at\":\"%s\"}", at);
    }
    strbuf_text(b, "],");
}

/* OASIS OpenEoX core 1.0, as of its draft of June 2026. */
static void json_openeox(struct strbuf *b, const struct page_model *p, const struct support *s)
{
    char made[CLOCK_TEXT], end[CLOCK_TEXT] = "tba", last[CLOCK_TEXT];

    clock_text(p->product.created_ms, made);
    clock_text(s != NULL ? s->published_ms : p->product.changed_ms, last);
    if (s != NULL)
        end_of_month(s->end_month, end);
    strbuf_format(b,
                  "\"openeox\":{\"$schema\":"
                  "\"https://docs.oasis-open.org/openeox/v1.0/schema/core.json\","
                  "\"general_availability\":\"%s\",\"end_of_sales\":\"tba\","
                  "\"end_of_security_support\":\"%s\",\"end_of_life\":\"%s\","
                  "\"last_updated\":\"%s\"}",
                  made, end, end, last);
}

char *page_json(const struct page_model *p, size_t *n_out)
{
    const struct support *s = current(p);
    struct strbuf b;
    char *text;

    strbuf_init(&b);
    strbuf_text(&b, "{");
    json_member(&b, "model", p->product.model);
    strbuf_text(&b, ",");
    json_member(&b, "vendor", p->product.vendor_name);
    if (s != NULL)
        strbuf_format(&b, ",\"security_updates_until\":\"%04d-%02d\",\"supported\":%s,",
                      s->end_month / 12, s->end_month % 12 + 1,
                      s->end_month >= month_of(p->now_ms) ? "true" : "false");
    else
        strbuf_text(&b, ",\"security_updates_until\":null,\"supported\":null,");
    json_or_null(&b, "rationale", s != NULL ? s->rationale : "");
    strbuf_text(&b, ",");
    json_member(&b, "contact", p->product.contact);
    strbuf_format(&b, ",\"components\":%s,", p->product.components);
    json_periods(&b, p);
    json_openeox(&b, p, s);
    strbuf_text(&b, "}\n");
    text = strbuf_take(&b, n_out);
    strbuf_fini(&b);
    return text;
}

static void url_encode(struct strbuf *b, const char *text)
{
    static const char PLAIN[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *text != '\0'; text++)
        if (strchr(PLAIN, *text) != NULL)
            strbuf_add(b, text, 1);
        else
            strbuf_format(b, "%%%02X", (unsigned char)*text);
}

static bool add_model(void *ctx, const struct product *p)
{
    struct strbuf *b = ctx;

    strbuf_text(b, "<li><a href=\"/support/");
    url_encode(b, p->model);
    strbuf_text(b, "\">");
    strbuf_html(b, p->vendor_name);
    strbuf_text(b, " ");
    strbuf_html(b, p->model);
    strbuf_text(b, "</a></li>\n");
    return true;
}

char *page_index(struct db *db, size_t *n_out)
{
    struct strbuf b;
    char *text = NULL;

    strbuf_init(&b);
    html_head(&b, "Security updates");
    strbuf_text(&b, "<h1>Security updates</h1>\n<p>How long each product gets security updates."
                    "</p>\n<ul>\n");
    if (product_list(db, "", INT32_MAX, add_model, &b) == ERR_OK) {
        strbuf_text(&b, "</ul>\n</body>\n</html>\n");
        text = strbuf_take(&b, n_out);
    }
    strbuf_fini(&b);
    return text;
}

/* Each contact once, in the order of the products' names. */
struct contacts {
    struct strbuf b;
    char seen[32][PRODUCT_TEXT];
    size_t n;
};

static bool add_contact(void *ctx, const struct product *p)
{
    struct contacts *c = ctx;

    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->seen[i], p->contact) == 0)
            return true;
    if (c->n == sizeof c->seen / sizeof *c->seen)
        return false;
    memcpy(c->seen[c->n++], p->contact, PRODUCT_TEXT);
    strbuf_format(&c->b, "Contact: %s\n", p->contact);
    return true;
}

char *page_security_txt(struct db *db, const char *public_url, int64_t now_ms, size_t *n_out)
{
    static const int64_t HALF_YEAR_MS = 182 * (int64_t)86400000;
    struct contacts c = { .n = 0 };
    char expires[CLOCK_TEXT];
    char *text = NULL;

    *n_out = 0;
    strbuf_init(&c.b);
    if (product_list(db, "", INT32_MAX, add_contact, &c) == ERR_OK && c.n > 0) {
        clock_text(now_ms + HALF_YEAR_MS, expires);
        strbuf_format(&c.b, "Expires: %s\nPreferred-Languages: en\n", expires);
        if (public_url != NULL && public_url[0] != '\0')
            strbuf_format(&c.b, "Canonical: %s/.well-known/security.txt\n", public_url);
        text = strbuf_take(&c.b, n_out);
    }
    strbuf_fini(&c.b);
    return text;
}
