/*
 * registry_load.h - reads what the store has, page by page.  For the inside
 * of registry/ only.
 */
#ifndef REGISTRY_REGISTRY_LOAD_H
#define REGISTRY_REGISTRY_LOAD_H

#include "registry/registry_record.h"

struct loop;
struct registry_load;
struct store;

struct registry_loaded {
    enum err err;   /* ERR_OK, ERR_STORE, ERR_CORRUPT, ERR_NO_MEMORY */
    struct str why; /* borrowed */
    struct registry_record **records; /* heap, for the callee to free, with a
                                         reference each; in no order */
    size_t count;
    int64_t applied; /* of the projection; -1: nothing */
};

struct registry_load_plan {
    struct loop *loop;
    struct store *store;
    struct siphash_key seed;
    struct str projection; /* its name; outlives the load */
    /* Runs in a later turn and ends the load. */
    void (*done)(void *user, const struct registry_loaded *got);
    void *user;
};

/* ERR_NO_MEMORY.  ERR_STORE. */
MUST_CHECK enum err registry_load_start(const struct registry_load_plan *plan,
                                        struct registry_load **ret);
/* `done` does not run.  NULL is allowed. */
void registry_load_abandon(struct registry_load *l);

#endif
