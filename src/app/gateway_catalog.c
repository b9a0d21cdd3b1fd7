/*
 * gateway_catalog.c - see gateway_catalog.h.
 *
 * An offer is a note that travels from a worker to the control thread and
 * back.  Whoever waits for it is named in a place that only the worker looks
 * at, so that it may go away while the note is on its way.
 */
#include "app/gateway_catalog.h"

#include <stdlib.h>

#include "app/gateway_state.h"
#include "app/gateway_tools.h"
#include "base/container.h"
#include "base/log.h"
#include "evidence/evidence.h"

/* Of what is on its way to the writer: a few of the longest lists. */
#define OFFERS_MAX (64 * MIB)

struct gateway_catalog {
    struct gateway *gateway;
    struct gateway_tools *tools;
    struct list stranded; /* notes whose workers have ended */
    bool closing;         /* the workers' loops are gone */
};

struct offer_note {
    struct gateway_tools_job job;
    struct list node; /* while stranded */
    struct gateway *gateway;
    struct gateway_worker *from;
    struct catalog_wait *wait; /* the worker's thread only; NULL: it left */
    struct arena arena;        /* texts of the job */
    size_t bytes;
    enum err err;
};

static void free_note(struct offer_note *n)
{
    struct gateway *g = n->gateway;

    g->notes--;
    g->offered -= n->bytes;
    arena_release(&n->arena);
    free(n);
}

/* ---- to the workers ---- */

struct evidence_state gateway_catalog_state(const struct gateway *g)
{
    struct evidence_state s = g->control.snapshot->digests;

    if (g->control.catalog != NULL)
        s.schema = catalog_digest(g->control.catalog);
    return s;
}

static void on_publish(void *user, struct catalog *c)
{
    struct gateway *g = user;
    struct catalog *old = g->control.catalog;

    g->control.catalog = catalog_ref(c);
    catalog_unref(old);
    const struct evidence_state state = gateway_catalog_state(g);
    evidence_use(g->control.evidence, &state);
    for (unsigned i = 0; i < g->worker_count; i++) {
        if (g->workers[i].started)
            gateway_worker_catalog(&g->workers[i], catalog_ref(c));
    }
}

/* ---- offers ---- */

/* On the worker's thread. */
static void on_answer(void *arg)
{
    struct offer_note *n = arg;
    struct catalog_wait *w = n->wait;
    enum err e = n->err;

    if (n->from->ended)
        w = NULL; /* it is gone, with all that waited */
    free_note(n);
    if (w == NULL)
        return;
    w->held = NULL;
    w->done(w, e);
}

static void on_offered(struct gateway_tools_job *j, enum err e)
{
    struct offer_note *n = CONTAINER_OF(j, struct offer_note, job);

    n->err = e;
    if (!n->gateway->catalog->closing &&
        loop_post_surely(n->from->worker.loop, on_answer, n))
        return;
    /* Its worker ends, and may look at the place until it has. */
    list_push(&n->gateway->catalog->stranded, &n->node);
}

/* On the control thread. */
static void on_offer(void *arg)
{
    struct offer_note *n = arg;

    if (n->gateway->catalog == NULL)
        free_note(n); /* all have ended */
    else
        gateway_tools_run(n->gateway->catalog->tools, &n->job);
}

/* All of it, also what the worker's own view settles: that may be old. */
static bool copy_offer(struct offer_note *n, const struct worker_offer *o)
{
    struct tool *to = ARENA_NEW(&n->arena, struct tool, o->count);
    bool ok = to != NULL && arena_copy(&n->arena, o->server, &n->job.server);

    n->job.offered = to;
    n->job.approve_new = o->approve_new;
    n->job.listed_ms = o->listed_ms;
    for (size_t i = 0; ok && i < o->count; i++) {
        const struct tool *from = &o->offered[i];
        struct tool *t = &to[n->job.count++];
        struct str text = from->text.len <= CATALOG_TEXT_MAX
                              ? from->text
                              : (struct str){NULL, 0};
        t->digest = from->digest;
        ok = arena_copy(&n->arena, from->name, &t->name) &&
             arena_copy(&n->arena, text, &t->text);
    }
    return ok;
}

static struct offer_note *new_note(struct worker *w,
                                   const struct worker_offer *o)
{
    struct gateway_worker *gw = w->owner;
    struct offer_note *n = calloc(1, sizeof(*n));

    if (n == NULL)
        return NULL;
    n->gateway = gw->gateway;
    n->from = gw;
    n->job.done = on_offered;
    arena_init(&n->arena, OFFERS_MAX);
    gw->gateway->notes++;
    if (copy_offer(n, o)) {
        n->bytes = n->arena.used;
        gw->gateway->offered += n->bytes;
        return n;
    }
    free_note(n);
    return NULL;
}

enum err gateway_catalog_offer(struct worker *w, const struct worker_offer *o,
                               struct catalog_wait *wait)
{
    const struct gateway_worker *gw = w->owner;
    struct gateway *g = gw->gateway;

    if (g->notes >= GATEWAY_NOTES_MAX || g->offered >= OFFERS_MAX)
        return ERR_OVERLOAD;
    struct offer_note *n = new_note(w, o);
    if (n == NULL)
        return ERR_OVERLOAD;
    if (!loop_post(g->loop, on_offer, n)) {
        free_note(n);
        return ERR_OVERLOAD;
    }
    /* The note comes back on this thread: nobody has looked there yet. */
    n->wait = wait;
    wait->held = &n->wait;
    return ERR_OK;
}

/* ---- a person's word ---- */

struct approval_job {
    struct gateway_tools_job job;
    struct gateway_tools_approval approval;
    struct arena arena;
    void (*done)(void *arg, enum err e);
    void *arg;
};

enum { APPROVAL_ARENA_MAX = 64 * 1024 };

static void free_approval(struct approval_job *j)
{
    arena_release(&j->arena);
    free(j);
}

static void on_approved(struct gateway_tools_job *job, enum err e)
{
    struct approval_job *j = CONTAINER_OF(job, struct approval_job, job);

    j->done(j->arg, e);
    free_approval(j);
}

enum err gateway_catalog_approve(struct gateway *g,
                                 const struct admin_tool_approval *a,
                                 void (*done)(void *arg, enum err e), void *arg)
{
    struct approval_job *j = calloc(1, sizeof(*j));

    if (j == NULL)
        return ERR_NO_MEMORY;
    arena_init(&j->arena, APPROVAL_ARENA_MAX);
    j->done = done;
    j->arg = arg;
    j->job.done = on_approved;
    j->job.approval = &j->approval;
    j->approval.seen = a->seen;
    if (!arena_copy(&j->arena, a->server, &j->job.server) ||
        !arena_copy(&j->arena, a->name, &j->approval.name) ||
        !arena_copy(&j->arena, a->author, &j->approval.author) ||
        !arena_copy(&j->arena, a->author_method, &j->approval.author_method) ||
        !arena_copy(&j->arena, a->reason, &j->approval.reason)) {
        free_approval(j);
        return ERR_NO_MEMORY;
    }
    gateway_tools_run(g->catalog->tools, &j->job);
    return ERR_OK;
}

/* ---- from start to end ---- */

enum err gateway_catalog_new(struct gateway *g)
{
    const struct gateway_tools_options o = {
        .loop = g->loop,
        .evidence = g->control.evidence,
        .node = str_from(g->options->node),
        .publish = on_publish,
        .user = g,
    };
    struct gateway_catalog *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return ERR_NO_MEMORY;
    c->gateway = g;
    list_init(&c->stranded);
    g->catalog = c;
    return gateway_tools_new(&o, &c->tools);
}

static void on_loaded(void *user, enum err e, struct str why)
{
    struct gateway *g = user;

    if (e == ERR_OK) {
        gateway_loaded(g);
        return;
    }
    log_error("tools", {"why", why});
    gateway_begin_again(g);
}

void gateway_catalog_load(struct gateway *g)
{
    gateway_tools_load(g->catalog->tools, g->store, on_loaded);
}

void gateway_catalog_free(struct gateway *g)
{
    struct gateway_catalog *c = g->catalog;

    if (c == NULL)
        return;
    c->closing = true;
    gateway_tools_free(c->tools);
    g->catalog = NULL;
    LIST_EACH(it, next, &c->stranded)
    {
        free_note(CONTAINER_OF(it, struct offer_note, node));
    }
    catalog_unref(g->control.catalog);
    g->control.catalog = NULL;
    free(c);
}
