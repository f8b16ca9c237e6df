/* The public pages over HTTP, and all of them as data for a static site. */

#include "api/call.h"
#include "web/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err reply_page(struct call *c, const char *type, char *text, size_t n)
{
    if (text == NULL)
        return FAIL(ERR_MEMORY, "page");
    http_reply_init(&c->reply, 200);
    http_reply_header(&c->reply, "Cache-Control", "max-age=300");
    http_reply_header(&c->reply, "X-Content-Type-Options", "nosniff");
    http_reply_header(&c->reply, "Content-Security-Policy",
                      "default-src 'none'; style-src 'unsafe-inline'");
    http_reply_header(&c->reply, "Vary", "Accept");
    http_reply_take_body(&c->reply, type, text, n);
    c->replied = true;
    return ERR_OK;
}

static const char HTML[] = "text/html; charset=utf-8";
static const char JSON[] = "application/json";

/* JSON for those who ask for it and not for HTML. */
static bool wants_json(const struct http_request *req)
{
    const char *accept = http_header(req, "Accept");

    return accept != NULL && strstr(accept, "application/json") != NULL &&
           strstr(accept, "text/html") == NULL;
}

enum err support_call(struct call *c, struct db *db)
{
    const char *model = call_param(c, "model");
    size_t n = strlen(model);
    bool json = wants_json(c->req);
    char bare[CALL_PARAM];
    struct page_model *page = malloc(sizeof *page);
    char *text;
    enum err e;

    if (page == NULL)
        return FAIL(ERR_MEMORY, "page");
    e = page_load(db, model, c->now_ms, page);
    if (e == ERR_NOT_FOUND && n > 5 && strcmp(model + n - 5, ".json") == 0) {
        snprintf(bare, sizeof bare, "%.*s", (int)(n - 5), model);
        json = true;
        e = page_load(db, bare, c->now_ms, page);
    }
    if (e == ERR_OK) {
        text = json ? page_json(page, &n) : page_html(page, &n);
        e = reply_page(c, json ? JSON : HTML, text, n);
    }
    free(page);
    return e;
}

enum err support_list_call(struct call *c, struct db *db)
{
    size_t n = 0;
    char *text = page_index(db, &n);

    return reply_page(c, HTML, text, n);
}

enum err security_txt_call(struct call *c, struct db *db)
{
    size_t n = 0;
    char *text = page_security_txt(db, c->engine->config.public_url, c->now_ms, &n);

    if (text == NULL)
        return ERR_NOT_FOUND;
    return reply_page(c, "text/plain; charset=utf-8", text, n);
}

/* --- All pages --- */

struct site {
    struct call *c;
    struct db *db;
    json_t *pages;
    struct page_model *page;
    enum err err;
};

static void add_page(struct site *s, const char *path, const char *type, char *text, size_t n)
{
    if (text == NULL) {
        s->err = FAIL(ERR_MEMORY, "page");
        return;
    }
    json_array_append_new(s->pages, json_pack("{s:s, s:s, s:o}", "path", path, "type", type,
                                              "content", json_stringn(text, n)));
    free(text);
}

/* A model as one name in a folder: letters, digits and a few more as they are. */
static void file_name(const char *model, char *out, size_t size)
{
    size_t n = 0;

    for (; *model != '\0' && n + 4 < size; model++) {
        if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~", *model) !=
                NULL ||
            (*model == '.' && n > 0))
            out[n++] = *model;
        else
            n += (size_t)snprintf(out + n, size - n, "%%%02X", (unsigned char)*model);
    }
    out[n] = '\0';
}

static bool add_model(void *ctx, const struct product *p)
{
    struct site *s = ctx;
    char name[3 * PRODUCT_MODEL + 4], path[3 * PRODUCT_MODEL + 40];
    size_t n = 0;
    char *text;

    s->err = page_load(s->db, p->model, s->c->now_ms, s->page);
    if (s->err != ERR_OK)
        return false;
    file_name(p->model, name, sizeof name);
    snprintf(path, sizeof path, "support/%s/index.html", name);
    text = page_html(s->page, &n);
    add_page(s, path, HTML, text, n);
    snprintf(path, sizeof path, "support/%s.json", name);
    text = page_json(s->page, &n);
    add_page(s, path, JSON, text, n);
    return s->err == ERR_OK;
}

enum err site_call(struct call *c, struct db *db)
{
    struct site s = { .c = c, .db = db, .pages = json_array() };
    size_t n = 0;
    char *text;
    enum err e;

    c->out = json_pack("{s:o}", "pages", s.pages);
    s.page = malloc(sizeof *s.page);
    if (s.page == NULL)
        return FAIL(ERR_MEMORY, "page");
    e = product_list(db, "", INT32_MAX, add_model, &s);
    free(s.page);
    text = page_index(db, &n);
    add_page(&s, "support/index.html", HTML, text, n);
    text = page_security_txt(db, c->engine->config.public_url, c->now_ms, &n);
    if (text != NULL)
        add_page(&s, ".well-known/security.txt", "text/plain; charset=utf-8", text, n);
    return e == ERR_OK ? s.err : e;
}
