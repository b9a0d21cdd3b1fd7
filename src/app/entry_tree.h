/*
 * entry_tree.h - evidence entries as a tree: who asked whom to do what.
 *
 * Sessions, below each the calls made in it, below those the calls that they
 * caused and what people said of them.  What belongs to no session stands in
 * a group of its own.  A parent may come later in the log than its child.
 */
#ifndef APP_ENTRY_TREE_H
#define APP_ENTRY_TREE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/err.h"
#include "ledger/ledger_reader.h"

enum {
    ENTRY_TREE_MAX = 10000,   /* entries */
    ENTRY_TREE_DEPTH_MAX = 8, /* deeper ones are shown as "..." */
};

struct entry_tree;
MUST_CHECK enum err entry_tree_new(struct entry_tree **ret);
void entry_tree_free(struct entry_tree *t); /* NULL is allowed */

/* Takes in one entry; in the order of the log, copied.  ERR_MALFORMED: it is
 * none of ours.  ERR_LIMIT: there are too many.  ERR_NO_MEMORY. */
MUST_CHECK enum err entry_tree_add(struct entry_tree *t,
                                   const struct ledger_entry *e);

/* Prints all that was taken in.  Once; only free is allowed afterwards. */
void entry_tree_print(struct entry_tree *t, bool color, FILE *out);

#endif
