/*
 * store_backend.h - what store.c needs of a database.  For the inside of
 * store/ only.
 *
 * A backend takes calls from the store's queue, applies each batch in one
 * transaction and returns the call; a call past its deadline is returned
 * without being applied.
 */
#ifndef STORE_STORE_BACKEND_H
#define STORE_STORE_BACKEND_H

#include "store/store_call.h"

/* All run on the home loop. */
struct store_backend_events {
    /* Batches can be applied from now on; again after each `lost`. */
    void (*ready)(void *user);
    /* They cannot: `final` until the process ends, or for now. */
    void (*lost)(void *user, bool final, struct str why);
    void *user;
};

struct store_backend_setup {
    struct loop *home;
    struct store_queue *queue;
    const struct store_options *options; /* borrowed for the call */
    struct store_backend_events events;
};

struct store_backend {
    /* Out of reach is no error: it is waited for, also at start. */
    bool waits;
    /* ERR_CONFIG, ERR_NO_MEMORY, ERR_LIMIT, with *ret_why a static text. */
    enum err (*open)(const struct store_backend_setup *setup, void **ret,
                     const char **ret_why);
    /* There is something in the queue.  Any thread. */
    void (*wake)(void *backend);
    /* Home loop; no event follows and no call is held any more. */
    void (*close)(void *backend);
};

extern const struct store_backend sqlite_backend;
extern const struct store_backend postgres_backend;

#endif
