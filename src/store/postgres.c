/*
 * postgres.c - calls to a PostgreSQL server, one after the other, on the
 * home loop.
 *
 * A call that was on its way when the connection broke is tried again only
 * when a second time would be noticed (store_batch_once()); any other is
 * answered "unknown".  What the server itself has undone is tried again as
 * often as there is time for.
 */
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/container.h"
#include "os/clock.h"
#include "os/loop.h"
#include "store/postgres_link.h"
#include "store/postgres_run.h"
#include "store/store_backend.h"

enum {
    TRIES_MAX = 10, /* of a batch that loses to other transactions */
    /* What a server gets beyond the deadline that it was told, before the
     * connection counts as dead. */
    GRACE_MS = 1000,
};

struct postgres {
    struct store_backend_setup setup;
    struct pq pq;
    struct postgres_link *link;
    struct postgres_run run;
    struct timer watch; /* over the batch that runs */
    bool up;
    bool told_lost;
    atomic_bool woken; /* a post is on its way */
    bool closed;       /* the post frees */
};

static void start_next(struct postgres *p);

/* A call that we have leaves us, with its result or for another try. */
static void give_back(struct postgres *p, struct store_call *c, bool again)
{
    if (again && clock_monotonic_ms() < c->deadline_ms &&
        c->tries < TRIES_MAX) {
        store_queue_push_front(p->setup.queue, c);
        return;
    }
    if (again)
        store_call_end(c, c->sent ? STORE_UNKNOWN : STORE_FAILED, ERR_STORE,
                       "tried until the deadline");
    store_call_return(c);
}

static void connection_lost(struct postgres *p, struct str why)
{
    p->up = false;
    timer_cancel(&p->watch);
    if (p->run.call != NULL) {
        struct store_call *c;
        bool again = postgres_run_break(&p->run, &c);
        give_back(p, c, again);
    }
    if (!p->told_lost) {
        p->told_lost = true;
        p->setup.events.lost(p->setup.events.user, false, why);
    }
}

static void drop(struct postgres *p)
{
    struct str why = postgres_link_why(p->link);
    if (why.len == 0)
        why = STR("the server cannot serve any more");
    postgres_link_drop(p->link);
    connection_lost(p, why);
}

static void on_stuck(struct timer *t)
{
    drop(CONTAINER_OF(t, struct postgres, watch));
}

static void on_readable(void *user)
{
    struct postgres *p = user;
    if (p->run.call == NULL) {
        (void)p->pq.isBusy(p->run.conn); /* lets libpq read notices */
        if (p->pq.status(p->run.conn) == CONNECTION_BAD)
            drop(p);
        return;
    }
    enum postgres_step step = postgres_run_read(&p->run);
    if (step == POSTGRES_MORE) {
        if (!postgres_link_flush(p->link))
            drop(p);
        return;
    }
    if (step == POSTGRES_BROKEN) {
        drop(p);
        return;
    }
    struct store_call *c = p->run.call;
    p->run.call = NULL;
    timer_cancel(&p->watch);
    give_back(p, c, step != POSTGRES_ENDED);
    if (step == POSTGRES_MOVE)
        drop(p);
    else
        start_next(p);
}

/* The next call that still has time; NULL: none. */
static struct store_call *take_next(struct postgres *p, int64_t *ret_left_ms)
{
    struct store_call *c;
    while ((c = store_queue_pop(p->setup.queue)) != NULL) {
        *ret_left_ms = c->deadline_ms - clock_monotonic_ms();
        if (*ret_left_ms > 0)
            return c;
        store_call_end(c, c->sent ? STORE_UNKNOWN : STORE_FAILED, ERR_STORE,
                       "too late to begin");
        store_call_return(c);
    }
    return NULL;
}

static void start_next(struct postgres *p)
{
    int64_t left_ms;
    if (!p->up || p->run.call != NULL)
        return;
    struct store_call *c = take_next(p, &left_ms);
    if (c == NULL)
        return;
    timer_set(p->setup.home, &p->watch, left_ms + GRACE_MS, on_stuck);
    if (!postgres_run_send(&p->run, c, left_ms) ||
        !postgres_link_flush(p->link))
        drop(p);
}

static void on_up(void *user)
{
    struct postgres *p = user;
    p->up = true;
    p->told_lost = false;
    p->run = (struct postgres_run){.pq = &p->pq,
                                   .conn = postgres_link_conn(p->link)};
    p->setup.events.ready(p->setup.events.user);
    start_next(p);
}

static void on_down(void *user, struct str why)
{
    connection_lost(user, why);
}

static void on_wake(void *arg)
{
    struct postgres *p = arg;
    atomic_store(&p->woken, false);
    if (p->closed)
        free(p);
    else
        start_next(p);
}

static void backend_wake(void *backend)
{
    struct postgres *p = backend;
    if (!atomic_exchange(&p->woken, true) &&
        !loop_post(p->setup.home, on_wake, p))
        atomic_store(&p->woken, false);
}

static enum err backend_open(const struct store_backend_setup *setup,
                             void **ret, const char **ret_why)
{
    *ret_why = "out of memory";
    struct postgres *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return ERR_NO_MEMORY;
    p->setup = *setup;
    p->setup.options = NULL;
    enum err e = pq_load(&p->pq, ret_why);
    if (e == ERR_OK) {
        const struct postgres_link_options o = {setup->home,
                                                setup->options->resolver,
                                                &p->pq, setup->options->url};
        const struct postgres_link_events events = {on_up, on_readable, on_down,
                                                    p};
        e = postgres_link_new(&o, &events, &p->link, ret_why);
    }
    if (e == ERR_OK)
        *ret = p;
    else
        free(p);
    return e;
}

static void backend_close(void *backend)
{
    struct postgres *p = backend;
    timer_cancel(&p->watch);
    postgres_link_free(p->link);
    if (p->run.call != NULL) {
        assert(p->run.call->told); /* or the store was closed too early */
        store_call_free(p->run.call);
    }
    p->closed = true;
    if (!atomic_load(&p->woken))
        free(p);
}

const struct store_backend postgres_backend = {true, backend_open, backend_wake,
                                               backend_close};
