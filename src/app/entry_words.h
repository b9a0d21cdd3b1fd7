/*
 * entry_words.h - what an evidence entry says, in a few words: for the tree
 * of entry_tree.h.
 */
#ifndef APP_ENTRY_WORDS_H
#define APP_ENTRY_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/json.h"

/* Empty where the entry says nothing of it. */
struct entry_words {
    struct str kind, id, parent, session;
    struct str ticket; /* of an approval that was asked for, given or used */
    struct str who;    /* the chain, first link first: "corp|ann > acme/a" */
    struct str what;   /* "tool:call office/pay -> office" */
    struct str effect; /* of a call: "allow", "deny", "defer" */
    struct str why;    /* "denied by large payments; approved by local|bob" */
};

/* All copied to `a`.  ERR_NO_MEMORY. */
MUST_CHECK enum err entry_words_read(struct arena *a, const struct json *v,
                                     struct entry_words *ret);

/* An outcome is no act of its own; the index of its intent. */
bool entry_words_is_outcome(const struct json *v, uint64_t *ret_intent);

/* "ok 200, 899 ms"; as above. */
MUST_CHECK enum err entry_words_outcome(struct arena *a, const struct json *v,
                                        struct str *ret);

#endif
