/*
 * store.c - see store.h: chooses the backend, brings the tables up to date
 * when it is ready for the first time, and hands calls to it.
 */
#include "store/store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/container.h"
#include "os/loop.h"
#include "store/store_backend.h"
#include "store/store_migrate.h"

enum { MIGRATE_AGAIN_MS = 1000 };

struct store {
    struct loop *home;
    struct store_queue queue;
    const struct store_backend *backend;
    void *handle;
    struct store_events events;
    struct store_migrate migrate;
    struct timer again;
    bool troubled; /* migrating failed, which was told */

    atomic_bool opened; /* the tables are right */
    atomic_bool usable; /* and the database is there */
    atomic_bool useless;
};

static enum err submit(struct store *s, struct loop *l, struct store_batch *b,
                       const struct store_ask *ask,
                       struct store_call **ret_call)
{
    struct store_call *c = NULL;
    enum err e = store_call_new(&s->queue, l, b, ask, &c);
    if (e != ERR_OK)
        return e;
    e = store_queue_push(&s->queue, c);
    if (e != ERR_OK) {
        store_call_free(c);
        return e;
    }
    if (ret_call != NULL)
        *ret_call = c; /* it comes back to this very loop, later */
    s->backend->wake(s->handle);
    return ERR_OK;
}

enum err store_run(struct store *s, struct loop *l, struct store_batch *b,
                   const struct store_ask *ask, struct store_call **ret_call)
{
    if (!atomic_load(&s->opened) || atomic_load(&s->useless)) {
        store_batch_free(b);
        return ERR_STORE;
    }
    return submit(s, l, b, ask, ret_call);
}

static enum err run_migration(struct store_migrate *m, struct store_batch *b,
                              const struct store_ask *ask,
                              struct store_call **ret_call)
{
    struct store *s = CONTAINER_OF(m, struct store, migrate);
    return submit(s, s->home, b, ask, ret_call);
}

static void tell_opened(struct store *s, enum err e, struct str why)
{
    if (atomic_load(&s->opened) || atomic_load(&s->useless))
        return;
    atomic_store(&s->useless, e != ERR_OK);
    atomic_store(&s->usable, e == ERR_OK);
    atomic_store(&s->opened, e == ERR_OK);
    s->events.opened(s->events.user, e, why);
}

static void tell_changed(struct store *s, bool usable, struct str why)
{
    if (s->events.changed != NULL)
        s->events.changed(s->events.user, usable, why);
}

static void on_again(struct timer *t)
{
    struct store *s = CONTAINER_OF(t, struct store, again);
    store_migrate_start(&s->migrate);
}

static void on_migrated(struct store_migrate *m, enum err e, const char *why)
{
    struct store *s = CONTAINER_OF(m, struct store, migrate);
    if (e == ERR_OK || e == ERR_CONFIG || !s->backend->waits) {
        tell_opened(s, e, str_from(why));
        return;
    }
    timer_set(s->home, &s->again, MIGRATE_AGAIN_MS, on_again);
    if (!s->troubled) {
        s->troubled = true;
        tell_changed(s, false, str_from(why));
    }
}

static void on_ready(void *user)
{
    struct store *s = user;
    if (atomic_load(&s->opened)) {
        atomic_store(&s->usable, true);
        tell_changed(s, true, (struct str){NULL, 0});
    } else if (!atomic_load(&s->useless) && s->migrate.call == NULL) {
        timer_cancel(&s->again);
        store_migrate_start(&s->migrate);
    }
}

static void on_lost(void *user, bool final, struct str why)
{
    struct store *s = user;
    atomic_store(&s->usable, false);
    if (!final || atomic_load(&s->opened)) {
        atomic_store(&s->useless, final);
        tell_changed(s, false, why);
        return;
    }
    store_migrate_cancel(&s->migrate);
    timer_cancel(&s->again);
    tell_opened(s, ERR_STORE, why);
}

static const struct store_backend *backend_of(struct str url)
{
    if (str_eq(url, STR("sqlite")))
        return &sqlite_backend;
    if (str_starts(url, STR("postgres://")) ||
        str_starts(url, STR("postgresql://")))
        return &postgres_backend;
    return NULL;
}

enum err store_open(struct loop *home, const struct store_options *o,
                    const struct store_events *events, struct store **ret,
                    const char **ret_why)
{
    *ret_why = "a store is \"sqlite\" or postgres://...";
    const struct store_backend *backend = backend_of(o->url);
    if (backend == NULL)
        return ERR_CONFIG;
    *ret_why = "out of memory";
    struct store *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return ERR_NO_MEMORY;
    s->home = home;
    s->backend = backend;
    s->events = *events;
    s->migrate.loop = home;
    s->migrate.run = run_migration;
    s->migrate.done = on_migrated;
    store_queue_init(&s->queue);
    const struct store_backend_setup setup = {home,
                                              &s->queue,
                                              o,
                                              {on_ready, on_lost, s}};
    enum err e = backend->open(&setup, &s->handle, ret_why);
    if (e != ERR_OK) {
        store_queue_release(&s->queue);
        free(s);
        return e;
    }
    *ret = s;
    return ERR_OK;
}

void store_close(struct store *s)
{
    if (s == NULL)
        return;
    store_migrate_cancel(&s->migrate);
    timer_cancel(&s->again);
    s->backend->close(s->handle);
    store_queue_release(&s->queue);
    free(s);
}

bool store_usable(const struct store *s)
{
    return atomic_load(&s->usable);
}
