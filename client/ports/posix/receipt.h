/* The receipt of an erasing: kept for the user, and said in words. */
#ifndef AGENT_RECEIPT_H
#define AGENT_RECEIPT_H

#include <jansson.h>
#include <stdbool.h>

#include "lsuit/bytes.h"

#define RECEIPT_FILE "erase-receipt.cbor"

/* Keep a verified receipt in state_dir, as it was signed. False and logged when it can't be. */
bool receipt_keep(int state_fd, struct lsuit_bytes doc);

/* What it says: who, what, when, and when the last backup goes. NULL when it says nothing. */
json_t *receipt_json(struct lsuit_bytes doc);

#endif
