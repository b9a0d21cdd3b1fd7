/*
 * label.h - what data is in a request or a session.
 *
 * A set of words.  Labels only rise; the empty set is no statement that data
 * is harmless: what no detector read carries `unscanned`.
 */
#ifndef DOMAIN_LABEL_H
#define DOMAIN_LABEL_H

#include <stdbool.h>

#include "base/str.h"

enum { LABELS_MAX = 16 };

struct labels {
    struct str names[LABELS_MAX]; /* sorted, unique; borrowed */
    unsigned count;
    bool all; /* overflow or unreadable state: counts as every label */
};

#define LABEL_UNSCANNED STR("unscanned")

/* Adds; a full set becomes `all`. */
void labels_add(struct labels *l, struct str name);
bool labels_has(const struct labels *l, struct str name);

#endif
