/*
 * entry_view.h - an evidence entry for people: a row of a table, or whole.
 */
#ifndef APP_ENTRY_VIEW_H
#define APP_ENTRY_VIEW_H

#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "ledger/ledger_reader.h"

/* Is `kind` one that an entry may have; "" is not.  */
bool entry_view_is_kind(struct str kind);

/* The entry's kind; borrows from `a`.  ERR_MALFORMED: no JSON. */
MUST_CHECK enum err
entry_view_kind(struct arena *a, const struct ledger_entry *e, struct str *ret);

/* The head of the table. */
void entry_view_head(FILE *out);

/*
 * One row: index, time, kind, who, action, resource -> destination,
 * decision, status, tokens, milliseconds.  `a` is for the call.
 */
MUST_CHECK enum err entry_view_row(struct arena *a,
                                   const struct ledger_entry *e, bool color,
                                   FILE *out);

/* Every member, indented, below a line with the index. */
MUST_CHECK enum err entry_view_whole(struct arena *a,
                                     const struct ledger_entry *e, FILE *out);

/* {"index":...,"committed":"...","entry":{...}} and a line end. */
void entry_view_json(const struct ledger_entry *e, FILE *out);

#endif
