/*
 * The public pages: values in, text out. Plain English, month and year, nothing about a person,
 * no script, no request to anybody else.
 */
#ifndef WEB_PAGE_H
#define WEB_PAGE_H

#include "engine/product.h"

enum { PAGE_PERIODS = 16 };

/* What the page of one model says. */
struct page_model {
    struct product product;
    struct support periods[PAGE_PERIODS]; /* oldest first; the last one counts */
    size_t periods_n;
    int64_t now_ms;
};

/* ERR_NOT_FOUND no such model */
enum err page_load(struct db *db, const char *model, int64_t now_ms, struct page_model *page_out);

/* malloc'd text; NULL when memory ran out. */
char *page_html(const struct page_model *page, size_t *n_out);
char *page_json(const struct page_model *page, size_t *n_out);
/* The list of models. `ext` is put behind each link: "" or "/". */
char *page_index(struct db *db, size_t *n_out);
/* RFC 9116. NULL with *n_out 0: no product gives a contact. */
char *page_security_txt(struct db *db, const char *public_url, int64_t now_ms, size_t *n_out);

/* "June 2032". */
void page_month(int32_t month, char out[24]);

#endif
