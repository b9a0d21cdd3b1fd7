/*
 * gateway_worker.c - one worker thread from start to end.
 *
 * The control thread creates everything before the thread runs; from then on
 * it only posts to the worker's loop.
 */
#include "app/gateway_state.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/gateway_catalog.h"
#include "app/gateway_protocol.h"
#include "app/gateway_registry.h"
#include "app/gateway_trust.h"
#include "base/container.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "evidence/evidence.h"
#include "http/client.h"
#include "http/server.h"
#include "identity/issuers.h"
#include "identity/proof.h"
#include "ledger/ledger_client.h"
#include "mcp/catalog.h"
#include "mcp/hub.h"
#include "net/resolver.h"
#include "pipeline/action.h"
#include "pipeline/exchange.h"
#include "pipeline/mcp.h"
#include "policy/rules.h"
#include "registry/registry.h"
#include "runner/runner_client.h"
#include "session/session.h"

enum {
    SWEEP_MS = 1000,
    CUT_GRACE_MS = 200,     /* a cut stream's last event gets so long */
    LEDGER_GRACE_MS = 1000, /* and so do the last outcomes */
    POOL_MAX = 1024,
    UPSTREAMS_MAX = 16384,
    CONNECT_MS = 5000,
    POOL_IDLE_MS = 60000,
};

/* ---- what the control thread posts ---- */

struct note {
    struct gateway_worker *to;
    struct snapshot *snapshot;
    struct catalog *catalog;
    uint16_t type;
    int fd;
};

/* A note that cannot be made would leave a worker behind: better to end and
 * be restarted than to serve with half of the state. */
static struct note *note_new(struct gateway_worker *to)
{
    struct note *n = calloc(1, sizeof(*n));
    if (n == NULL)
        abort();
    n->to = to;
    n->fd = -1;
    return n;
}

static void on_swap(void *arg)
{
    struct note *n = arg;
    struct worker *w = &n->to->worker;

    if (n->to->ended) {
        snapshot_unref(n->snapshot);
    } else {
        snapshot_unref(w->snapshot);
        w->snapshot = n->snapshot;
        evidence_use(w->evidence, &w->snapshot->digests);
        worker_reloaded(w);
    }
    free(n);
}

void gateway_worker_swap(struct gateway_worker *gw, struct snapshot *s)
{
    struct note *n = note_new(gw);

    n->snapshot = s;
    if (loop_post_surely(gw->worker.loop, on_swap, n))
        return;
    snapshot_unref(s);
    free(n);
}

static void on_catalog(void *arg)
{
    struct note *n = arg;
    struct worker *w = &n->to->worker;

    if (n->to->ended) {
        catalog_unref(n->catalog);
    } else {
        catalog_unref(w->catalog);
        w->catalog = n->catalog;
    }
    free(n);
}

void gateway_worker_catalog(struct gateway_worker *gw, struct catalog *c)
{
    struct note *n = note_new(gw);

    n->catalog = c;
    if (loop_post_surely(gw->worker.loop, on_catalog, n))
        return;
    catalog_unref(c);
    free(n);
}

static void on_connect(void *arg)
{
    struct note *n = arg;
    struct worker *w = &n->to->worker;
    enum err e = ERR_OK;

    if (n->to->ended)
        (void)close(n->fd);
    else if (n->type == GATEWAY_LEDGER)
        e = ledger_client_connect(w->ledger, n->fd);
    else if (n->type == GATEWAY_RUNNER)
        e = runner_client_connect(w->runner, n->fd);
    else
        e = keeper_client_connect(w->keeper, n->fd);
    if (e != ERR_OK)
        log_error("worker.connect", {"why", str_from(err_text(e))});
    free(n);
}

void gateway_worker_connect(struct gateway_worker *gw, uint16_t type, int fd)
{
    struct note *n = note_new(gw);

    n->type = type;
    n->fd = fd;
    if (loop_post(gw->worker.loop, on_connect, n))
        return;
    (void)close(fd);
    free(n);
}

/* ---- the end ---- */

static void tell_ended(void *arg)
{
    gateway_worker_ended(arg);
}

static void leave(struct gateway_worker *gw)
{
    if (gw->ended)
        return;
    gw->ended = true;
    timer_cancel(&gw->sweep);
    timer_cancel(&gw->drain);
    timer_cancel(&gw->leave);
    loop_stop(gw->worker.loop);
}

static void on_leave(struct timer *t)
{
    leave(CONTAINER_OF(t, struct gateway_worker, leave));
}

/* The ledger answers in order: it has all of our entries now. */
static void on_barrier(void *user, enum err e, const struct ledger_stats *s)
{
    (void)e;
    (void)s;
    leave(user);
}

static void on_goodbye(void *arg)
{
    struct gateway_worker *gw = arg;
    struct worker *w = &gw->worker;

    evidence_flush(w->evidence);
    if (ledger_client_stats(w->ledger, on_barrier, gw) != ERR_OK)
        leave(gw);
    else
        timer_set(w->loop, &gw->leave, LEDGER_GRACE_MS, on_leave);
}

void gateway_worker_leave(struct gateway_worker *gw)
{
    (void)!loop_post_surely(gw->worker.loop, on_goodbye, gw);
}

static void tell_drained(void *arg)
{
    gateway_worker_drained(arg);
}

/* Others may still need what we have: all leave together. */
static void drained(struct gateway_worker *gw)
{
    timer_cancel(&gw->drain);
    if (gw->drained)
        return;
    gw->drained = true;
    (void)!loop_post_surely(gw->gateway->loop, tell_drained, gw->gateway);
}

static void on_drained(void *user)
{
    struct worker *w = user;
    drained(w->owner);
}

static void on_cut_grace(struct timer *t)
{
    drained(CONTAINER_OF(t, struct gateway_worker, drain));
}

/* Time is up: what is still open ends, with evidence and a word to callers. */
static void on_drain_end(struct timer *t)
{
    struct gateway_worker *gw = CONTAINER_OF(t, struct gateway_worker, drain);
    struct worker *w = &gw->worker;

    worker_end_all(w, ERR_SHUTDOWN);
    if (!gw->drained)
        timer_set(w->loop, &gw->drain, CUT_GRACE_MS, on_cut_grace);
}

static void on_drain(void *arg)
{
    struct gateway_worker *gw = arg;
    struct worker *w = &gw->worker;

    if (w->draining)
        return;
    w->draining = true;
    timer_set(w->loop, &gw->drain, gw->gateway->options->drain_ms,
              on_drain_end);
    worker_drain(w);
    http_server_drain(w->server, on_drained);
}

void gateway_worker_drain(struct gateway_worker *gw)
{
    (void)!loop_post(gw->worker.loop, on_drain, gw);
}

/* ---- start ---- */

static void tell_ledger_lost(void *arg)
{
    struct gateway_worker *gw = arg;
    gateway_lost(gw->gateway, GATEWAY_LEDGER, gw->worker.number);
}

static void tell_keeper_lost(void *arg)
{
    struct gateway_worker *gw = arg;
    gateway_lost(gw->gateway, GATEWAY_KEEPER, gw->worker.number);
}

static void tell_runner_lost(void *arg)
{
    struct gateway_worker *gw = arg;
    gateway_lost(gw->gateway, GATEWAY_RUNNER, gw->worker.number);
}

/* A connection can break while both of its ends live: a queue was full, a
 * message was broken.  Then nobody but us knows. */
static void watch_connections(struct gateway_worker *gw)
{
    struct loop *control = gw->gateway->loop;

    if (ledger_client_lost(gw->worker.ledger))
        (void)!loop_post(control, tell_ledger_lost, gw);
    if (keeper_client_lost(gw->worker.keeper))
        (void)!loop_post(control, tell_keeper_lost, gw);
    if (runner_client_lost(gw->worker.runner))
        (void)!loop_post(control, tell_runner_lost, gw);
}

static void on_sweep(struct timer *t)
{
    struct gateway_worker *gw = CONTAINER_OF(t, struct gateway_worker, sweep);
    struct worker *w = &gw->worker;

    int64_t now_ms = loop_now_ms(w->loop);
    int64_t every_ms = w->snapshot->settings.sessions.recheck_ms;
    bool recheck = now_ms - gw->rechecked_ms >= every_ms;

    if (recheck)
        gw->rechecked_ms = now_ms;
    worker_recheck(w, recheck);
    evidence_sweep(w->evidence, now_ms);
    watch_connections(gw);
    hub_sweep(w->hub);
    if (w->number == 0) {
        session_table_sweep(w->sessions, now_ms);
        mcp_sessions_sweep(w->mcp_sessions, now_ms);
    }
    timer_set(w->loop, &gw->sweep, SWEEP_MS, on_sweep);
}

static void on_server_closed(void *user, struct str server, struct str why)
{
    (void)user;
    log_warn("tool.closed", {"server", server}, {"why", why});
}

static enum err open_clients(struct gateway_worker *gw)
{
    static const struct http_client_options client = {
        .connect_timeout_ms = CONNECT_MS,
        .idle_timeout_ms = POOL_IDLE_MS,
        .pool_max = POOL_MAX,
        .connections_max = UPSTREAMS_MAX,
    };
    const struct role_options *o = gw->gateway->options;
    struct worker *w = &gw->worker;

    enum err e = resolver_new(w->loop, &w->resolver);
    if (e == ERR_OK)
        e = http_client_new(w->loop, w->resolver, &client, &w->client);
    if (e == ERR_OK)
        e = ledger_client_new(w->loop, o->generation, &w->ledger);
    if (e == ERR_OK)
        e = ledger_client_connect(w->ledger, role_fd_ledger(w->number));
    if (e == ERR_OK)
        e = keeper_client_new(w->loop, o->generation, &w->keeper);
    if (e == ERR_OK)
        e = keeper_client_connect(w->keeper, role_fd_keeper(w->number));
    if (e == ERR_OK)
        e = runner_client_new(w->loop, o->generation, &w->runner);
    if (e == ERR_OK)
        e = runner_client_connect(w->runner,
                                  role_fd_runner(o->workers, w->number));
    if (e == ERR_OK)
        e = evidence_new(w->loop, w->ledger, str_from(o->node), &w->evidence);
    if (e == ERR_OK)
        e = proof_cache_new(loop_seed(w->loop), &w->proofs);
    if (e == ERR_OK)
        e = rules_evaluator_new(&w->evaluator);
    const struct hub_options hub = {
        .net = gw->gateway->hubs,
        .number = w->number,
        .loop = w->loop,
        .http = w->client,
        .runner = w->runner,
        .version = w->version,
        .closed = on_server_closed,
        .user = w,
    };
    if (e == ERR_OK)
        e = hub_new(&hub, &w->hub);
    if (e == ERR_OK)
        hub_on_word(w->hub, mcp_ask_word, w);
    return e;
}

static enum err open_server(struct gateway_worker *gw)
{
    static const struct http_server_events events = {exchange_request,
                                                     exchange_done};
    const struct role_options *o = gw->gateway->options;
    struct worker *w = &gw->worker;
    const struct settings *s = &w->snapshot->settings;
    const struct http_server_options server = {
        .head_timeout_ms = s->server.head_ms,
        .body_idle_ms = s->server.body_idle_ms,
        .idle_timeout_ms = s->server.idle_ms,
        .write_idle_ms = s->server.write_idle_ms,
        .connections_max = s->server.connections_max,
        .h2_streams_max = s->server.streams_max,
    };

    enum err e = http_server_new(w->loop, &server, &events, w, &w->server);
    for (unsigned l = 0; e == ERR_OK && l < o->listeners; l++) {
        size_t row = gateway_listener(gw->gateway, &w->snapshot->settings, l);
        assert(row < w->snapshot->settings.listen_count);
        e = http_server_listen(w->server,
                               role_fd_listener(o->workers, l, w->number),
                               w->snapshot->listen_tls[row].context);
    }
    return e;
}

static void close_worker(struct gateway_worker *gw)
{
    struct worker *w = &gw->worker;

    http_server_free(w->server); /* ends what is open, first */
    hub_free(w->hub);
    http_client_free(w->client);
    evidence_free(w->evidence);
    ledger_client_free(w->ledger);
    keeper_client_free(w->keeper);
    runner_client_free(w->runner);
    proof_cache_free(w->proofs);
    rules_evaluator_free(w->evaluator);
    payload_keys_release(&w->payload_keys);
    arena_spare_release(&w->spare);
    pool_release(&w->intents);
    resolver_free(w->resolver);
    registry_view_unref(w->registry);
    issuers_unref(w->issuers);
    catalog_unref(w->catalog);
    snapshot_unref(w->snapshot);
    hash_wipe(w->caller_key, sizeof(w->caller_key));
}

static void worker_thread(void *arg)
{
    struct gateway_worker *gw = arg;

    loop_run(gw->worker.loop);
    close_worker(gw);
    (void)!loop_post(gw->gateway->loop, tell_ended, gw->gateway);
}

enum err gateway_worker_start(struct gateway_worker *gw, struct gateway *g,
                              unsigned number)
{
    struct worker *w = &gw->worker;

    *gw = (struct gateway_worker){.gateway = g};
    w->number = number;
    w->sessions = g->control.sessions;
    w->owner = gw;
    w->limits = g->control.limits;
    w->approvals = g->control.approvals;
    w->mcp_sessions = g->control.mcp_sessions;
    w->version = STR(WRIT_VERSION);
    w->want_key = gateway_trust_want_key;
    w->discovered = gateway_registry_discovered;
    w->offer = gateway_catalog_offer;
    list_init(&w->actions);
    list_init(&w->asks);
    list_init(&w->leaving);
    list_init(&w->key_waiters);
    memcpy(w->caller_key, g->caller_key, sizeof(w->caller_key));
    w->registry = registry_view_ref(g->control.registry);
    w->issuers = issuers_ref(g->control.issuers);
    w->catalog = catalog_ref(g->control.catalog);
    w->snapshot = snapshot_ref(g->control.snapshot);
    hash_random(&w->dice, sizeof(w->dice));
    w->dice |= 1; /* zero would stay zero */

    enum err e = loop_new(&w->loop);
    if (e == ERR_OK)
        e = open_clients(gw);
    if (e == ERR_OK)
        e = open_server(gw);
    if (e != ERR_OK)
        return e;
    evidence_use(w->evidence, &w->snapshot->digests);
    timer_set(w->loop, &gw->sweep, SWEEP_MS, on_sweep);
    e = thread_start(&gw->thread, "worker", worker_thread, gw);
    gw->started = e == ERR_OK;
    return e;
}
