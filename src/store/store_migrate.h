/*
 * store_migrate.h - brings the tables to the version that we know, step by
 * step, each in a batch of its own.  For the inside of store/ only.
 */
#ifndef STORE_STORE_MIGRATE_H
#define STORE_STORE_MIGRATE_H

#include "store/store_call.h"

struct store_migrate {
    struct loop *loop;
    /* Queues a batch although the store is not open yet. */
    enum err (*run)(struct store_migrate *m, struct store_batch *b,
                    const struct store_ask *ask, struct store_call **ret_call);
    /* Once.  ERR_CONFIG: tables of a newer version.  ERR_STORE: try again. */
    void (*done)(struct store_migrate *m, enum err e, const char *why);
    struct store_call *call; /* the rest is private; zero at first */
    int64_t found;           /* version; -1: not known */
    int64_t wanted;          /* of the step under way */
    unsigned conflicts;
    char why[STORE_WHY_MAX];
};

/* `done` runs in a later turn, or at once when memory is short. */
void store_migrate_start(struct store_migrate *m);
/* `done` does not run any more. */
void store_migrate_cancel(struct store_migrate *m);

#endif
