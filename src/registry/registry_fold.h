/*
 * registry_fold.h - makes large tables on a thread of its own, so that the
 * control thread goes on.  For the inside of registry/ only.
 */
#ifndef REGISTRY_REGISTRY_FOLD_H
#define REGISTRY_REGISTRY_FOLD_H

#include "registry/registry_table.h"

struct loop;
struct registry_fold;

/* A base and what replaces parts of it; or records in any order. */
struct registry_fold_input {
    struct registry_table *base, *overlay; /* a reference each; or both NULL */
    struct registry_record **records;      /* heap, with a reference each */
    size_t count;
    struct registry_table *garbage; /* a list; its references end there */
};

struct registry_fold_events {
    /* The new table, one reference for the callee; NULL: no memory, or two
     * records of the same identity. */
    void (*done)(void *user, struct registry_table *t);
    void *user;
};

/*
 * `done` runs in a later turn of `l` and ends the fold.  Takes the input on
 * success only.  ERR_NO_MEMORY.  ERR_LIMIT: no thread.
 */
MUST_CHECK enum err registry_fold_start(struct loop *l,
                                        const struct registry_fold_input *in,
                                        const struct registry_fold_events *ev,
                                        struct registry_fold **ret);

/* Waits for its end; `done` does not run.  NULL is allowed. */
void registry_fold_abandon(struct registry_fold *f);

#endif
