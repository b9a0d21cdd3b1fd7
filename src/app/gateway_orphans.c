/*
 * gateway_orphans.c - closes the intents that nobody will close.
 *
 * The ledger names every open intent whose connection is gone.  Most are of a
 * gateway that died; but after a restart of the ledger, those of our own
 * streams are among them, and these will get their true outcome.  So the list
 * goes from worker to worker, each strikes out what is its own, and what is
 * left when it comes back is closed as unknown.
 */
#include "app/gateway_state.h"

#include <stdlib.h>

#include "base/container.h"
#include "base/log.h"
#include "evidence/evidence.h"
#include "pipeline/action.h"

enum { ROOM_MIN = 64 };

struct orphan {
    uint64_t index;
    bool ours; /* a worker knows it */
};

/* Handed on from thread to thread; one has it at a time. */
struct gateway_orphans {
    struct gateway *gateway;
    struct orphan *at;
    size_t count, room;
    unsigned next; /* the worker that is asked next */
    bool failed;   /* no memory: not all are there, which does no harm */
};

static void orphans_free(struct gateway_orphans *o)
{
    free(o->at);
    free(o);
}

static void add(struct gateway_orphans *o, uint64_t index)
{
    if (o->count == o->room) {
        size_t room = o->room == 0 ? ROOM_MIN : o->room * 2;
        struct orphan *at = realloc(o->at, room * sizeof(*at));
        o->failed = o->failed || at == NULL;
        if (at == NULL)
            return;
        o->at = at;
        o->room = room;
    }
    o->at[o->count++] = (struct orphan){.index = index};
}

static int compare(const void *a, const void *b)
{
    uint64_t x = ((const struct orphan *)a)->index;
    uint64_t y = ((const struct orphan *)b)->index;
    return (x > y) - (x < y);
}

/* Back on the control thread: nobody knows the rest. */
static void close_rest(void *arg)
{
    struct gateway_orphans *o = arg;
    struct gateway *g = o->gateway;
    bool late = g->phase == PHASE_ENDED; /* the next gateway asks again */

    for (size_t i = 0; !late && i < o->count; i++) {
        if (!o->at[i].ours)
            evidence_outcome_unknown(g->control.evidence, o->at[i].index);
    }
    if (o->failed)
        log_warn("orphans", {"why", STR("out of memory for all of them")});
    orphans_free(o);
}

static void hand_on(struct gateway_orphans *o);

/* On the worker's own thread. */
static void strike_out(void *arg)
{
    struct gateway_orphans *o = arg;
    struct gateway_worker *gw = &o->gateway->workers[o->next++];

    LIST_EACH(it, next, &gw->worker.actions)
    {
        const struct action *a = CONTAINER_OF(it, struct action, node);
        const struct orphan key = {.index = a->attempt.intent.index};
        struct orphan *found = a->attempt.open ? bsearch(&key, o->at, o->count,
                                                         sizeof(key), compare)
                                               : NULL;
        if (found != NULL)
            found->ours = true;
    }
    hand_on(o);
}

/* A loop that takes no more posts is at its end: the next gateway asks. */
static void hand_on(struct gateway_orphans *o)
{
    struct gateway *g = o->gateway;
    bool asks = o->next < g->worker_count && g->workers[o->next].started;
    struct loop *to = asks ? g->workers[o->next].worker.loop : g->loop;

    if (!loop_post(to, asks ? strike_out : close_rest, o))
        orphans_free(o);
}

static void on_orphan(void *user, uint64_t index)
{
    struct gateway_orphans *o = user;

    if (index != LEDGER_NO_INDEX) {
        add(o, index);
        return;
    }
    o->gateway->orphans = NULL;
    if (o->count == 0) {
        orphans_free(o);
        return;
    }
    qsort(o->at, o->count, sizeof(*o->at), compare);
    hand_on(o);
}

void gateway_orphans_ask(struct gateway *g)
{
    struct gateway_orphans *o;

    if (g->orphans != NULL)
        return; /* the question is under way */
    o = calloc(1, sizeof(*o));
    if (o != NULL) {
        o->gateway = g;
        if (ledger_client_orphans(g->control.ledger, on_orphan, o) == ERR_OK) {
            g->orphans = o;
            return;
        }
    }
    free(o);
    log_warn("orphans", {"why", STR("the ledger does not answer")});
}

void gateway_orphans_close(struct gateway *g)
{
    if (g->orphans != NULL)
        orphans_free(g->orphans);
    g->orphans = NULL;
}
