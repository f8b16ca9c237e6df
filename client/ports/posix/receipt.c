#include "receipt.h"

#include <errno.h>
#include <string.h>

#include "file.h"
#include "log.h"
#include "lsuit/receipt.h"

bool receipt_keep(int state_fd, struct lsuit_bytes doc)
{
    if (file_replace(state_fd, RECEIPT_FILE, doc.ptr, doc.len, 0640))
        return true;
    log_text(LOG_LEVEL_ERROR, "state_dir: %s: %s", RECEIPT_FILE, strerror(errno));
    return false;
}

json_t *receipt_json(struct lsuit_bytes doc)
{
    static const char *const WHAT[] = {
        "", "identity", "credential", "status", "history", "audit"
    };
    struct lsuit_bytes payload = { NULL, 0 };
    struct lsuit_receipt r;
    json_t *what = NULL;

    if (lsuit_doc_peek(doc, &payload) != LSUIT_OK ||
        lsuit_receipt_read(payload, &r, NULL) != LSUIT_OK)
        return NULL;
    what = json_array();
    for (uint32_t i = 0; i < r.what_n; i++)
        json_array_append_new(what, r.what[i] < sizeof WHAT / sizeof WHAT[0]
                                        ? json_string(WHAT[r.what[i]])
                                        : json_sprintf("%u", r.what[i]));
    return json_pack("{s:o, s:I, s:I}", "erased", what, "time", (json_int_t)r.when_s,
                     "last_backup_gone", (json_int_t)r.backups_s);
}
