/* gateway.c - see gateway.h. */
#include "app/gateway.h"

#include <assert.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/gateway_admin.h"
#include "app/gateway_approvals.h"
#include "app/gateway_catalog.h"
#include "app/gateway_protocol.h"
#include "app/gateway_registry.h"
#include "app/gateway_state.h"
#include "app/gateway_trust.h"
#include "approval/approval.h"
#include "base/container.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "evidence/evidence.h"
#include "http/server.h"
#include "ledger/ledger_client.h"
#include "limit/limit.h"
#include "mcp/hub.h"
#include "mcp/mcp_session.h"
#include "net/resolver.h"
#include "pipeline/exchange.h"
#include "pipeline/pipeline.h"
#include "session/session.h"

enum {
    KEEPER_RETRY_MS = 100,
    SWEEP_MS = 250,
    LEAVE_MS = 50,
    CONTROL_CONNECTIONS_MAX = 64,
    TRIM_THRESHOLD = 32 * 1024 * 1024,
    TOP_PAD = 512 * 1024,
    MMAP_THRESHOLD = 1024 * 1024,
};

/* ---- the end ---- */

static void on_leave(struct timer *t)
{
    struct gateway *g = CONTAINER_OF(t, struct gateway, leave);
    loop_stop(g->loop);
}

static void end(struct gateway *g, int exit_code)
{
    if (g->phase == PHASE_ENDED)
        return;
    g->phase = PHASE_ENDED;
    g->exit_code = exit_code;
    /* Frames of this turn leave at its end; then the loop may stop. */
    timer_set(g->loop, &g->leave, LEAVE_MS, on_leave);
}

void gateway_stored(struct gateway *g)
{
    evidence_lifecycle(g->control.evidence, STR("stop"), (struct str){0});
    end(g, g->exit_code);
}

/* What is under way at one worker may go by links of another's. */
void gateway_worker_drained(struct gateway *g)
{
    assert(g->workers_drained < g->workers_open);
    if (++g->workers_drained < g->workers_open)
        return;
    for (unsigned i = 0; i < g->worker_count; i++)
        gateway_worker_leave(&g->workers[i]);
}

void gateway_worker_ended(struct gateway *g)
{
    assert(g->workers_open > 0);
    if (--g->workers_open > 0)
        return;
    gateway_store_finish(g);
}

void gateway_drain(struct gateway *g)
{
    if (g->phase == PHASE_STARTING)
        end(g, 0);
    if (g->phase != PHASE_SERVING)
        return;
    g->phase = PHASE_DRAINING;
    log_info("drain", {"workers", STR("told")});
    for (unsigned i = 0; i < g->worker_count; i++)
        gateway_worker_drain(&g->workers[i]);
}

void gateway_refuse(struct gateway *g)
{
    gateway_tell(g, GATEWAY_FAILED, (struct str){0});
    g->exit_code = 1;
    if (g->phase == PHASE_STARTING)
        end(g, 1);
    else
        gateway_drain(g); /* the workers end first, with their evidence */
}

void gateway_begin_again(struct gateway *g)
{
    if (g->phase == PHASE_STARTING)
        end(g, 1);
}

/* ---- snapshots ---- */

static void report_failure(struct gateway *g)
{
    const struct build *b = &g->build;
    struct buf line;

    buf_init(&line, 64 * KIB);
    for (size_t i = 0; i < b->errors.count; i++) {
        buf_clear(&line);
        config_add_error(&line, str_from(g->options->config), &b->errors.at[i]);
        log_error("config", {"error", buf_str(&line)});
    }
    if (b->why != NULL)
        log_error("config", {"error", str_from(b->why)});
    buf_release(&line);
}

static void start_workers(struct gateway *g)
{
    for (unsigned i = 0; i < g->worker_count; i++) {
        enum err e = gateway_worker_start(&g->workers[i], g, i);
        if (e != ERR_OK) {
            log_error("worker.start", {"why", str_from(err_text(e))});
            abort(); /* half a gateway serves nobody well; start again */
        }
        g->workers_open++;
    }
    g->phase = PHASE_SERVING;
    evidence_lifecycle(g->control.evidence, STR("start"), (struct str){0});
    gateway_tell(g, GATEWAY_READY, (struct str){0});
    log_info("ready", {"node", str_from(g->options->node)});
}

void gateway_loaded(struct gateway *g)
{
    assert(g->loads_left > 0);
    if (--g->loads_left == 0 && g->phase == PHASE_STARTING)
        start_workers(g);
}

static void open_trust(struct gateway *g)
{
    enum err e = gateway_trust_open(g);

    if (e != ERR_OK) {
        log_error("trust", {"why", str_from(err_text(e))});
        abort(); /* as where a worker does not start: begin again */
    }
}

static void put_in_place(struct gateway *g, struct snapshot *s)
{
    struct snapshot *old = g->control.snapshot;

    g->control.snapshot = s;
    g->serial = s->serial;
    g->reloaded_us = loop_wall_us(g->loop);
    const struct evidence_state state = gateway_catalog_state(g);
    evidence_use(g->control.evidence, &state);
    gateway_tell(g, GATEWAY_CONFIG,
                 (struct str){(const char *)s->settings.digest,
                              sizeof(s->settings.digest)});
    if (g->phase == PHASE_STARTING && gateway_admin_listen(g) != ERR_OK) {
        gateway_refuse(g);
    } else if (g->phase == PHASE_STARTING) {
        g->loads_left = GATEWAY_LOADS;
        open_trust(g);
        gateway_store_open(g);
    } else {
        for (unsigned i = 0; i < g->worker_count; i++)
            gateway_worker_swap(&g->workers[i], snapshot_ref(s));
        if (gateway_trust_use(g) != ERR_OK)
            log_error("trust", {"why", STR("issuers are as before")});
        g->reloads++;
        evidence_lifecycle(g->control.evidence, STR("reload"), (struct str){0});
        log_info("reload", {"result", STR("in place")});
    }
    snapshot_unref(old);
}

void gateway_built(struct gateway *g)
{
    struct snapshot *s = g->build.snapshot;

    if (s != NULL && g->phase <= PHASE_SERVING) {
        put_in_place(g, s);
        return;
    }
    snapshot_unref(s);
    if (g->phase > PHASE_SERVING)
        return;
    report_failure(g);
    if (g->phase == PHASE_STARTING && g->build.err == ERR_CONFIG) {
        gateway_refuse(g);
        return;
    }
    if (g->phase == PHASE_STARTING) {
        end(g, 1); /* no memory, no thread: that may pass */
        return;
    }
    g->reloads_failed++;
    log_error("reload", {"result", STR("nothing changed")});
}

/* ---- the keeper's part of a snapshot ---- */

static void ask_caller_key(struct gateway *g);

static void on_retry(struct timer *t)
{
    ask_caller_key(CONTAINER_OF(t, struct gateway, retry));
}

static void on_caller_key(struct keeper_wait *w, enum err e, struct str key)
{
    struct gateway *g = CONTAINER_OF(w, struct gateway, caller_key_wait);

    if (e != ERR_OK) {
        timer_set(g->loop, &g->retry, KEEPER_RETRY_MS, on_retry);
        return;
    }
    assert(key.len == sizeof(g->caller_key));
    memcpy(g->caller_key, key.ptr, key.len);
    gateway_build_start(g);
}

static void ask_caller_key(struct gateway *g)
{
    g->caller_key_wait.done = on_caller_key;
    if (keeper_client_caller_key(g->control.keeper, &g->caller_key_wait) !=
        ERR_OK)
        timer_set(g->loop, &g->retry, KEEPER_RETRY_MS, on_retry);
}

/* ---- what goes on while it serves ---- */

/* A torn tail that the ledger cut when it started is part of the story. */
static void record_cut(struct gateway *g)
{
    char detail[64];

    if (g->ledger.cut_bytes == 0 || g->cut_recorded)
        return;
    g->cut_recorded = true;
    (void)snprintf(detail, sizeof(detail), "a torn tail of %llu bytes was cut",
                   (unsigned long long)g->ledger.cut_bytes);
    evidence_lifecycle(g->control.evidence, STR("recover"), str_from(detail));
    log_warn("ledger.recovered", {"cut_bytes", str_from(detail)});
}

static void on_stats(void *user, enum err e, const struct ledger_stats *s)
{
    struct gateway *g = user;

    g->ledger_answers = e == ERR_OK;
    if (e != ERR_OK)
        return;
    g->ledger = *s;
    record_cut(g);
    gateway_registry_mark(g, s->entries);
}

static void on_sweep(struct timer *t)
{
    struct gateway *g = CONTAINER_OF(t, struct gateway, sweep);

    if (ledger_client_stats(g->control.ledger, on_stats, g) != ERR_OK)
        g->ledger_answers = false;
    if (ledger_client_lost(g->control.ledger))
        gateway_lost(g, GATEWAY_LEDGER, g->worker_count);
    if (keeper_client_lost(g->control.keeper))
        gateway_lost(g, GATEWAY_KEEPER, g->worker_count);
    gateway_approvals_sweep(g);
    timer_set(g->loop, &g->sweep, SWEEP_MS, on_sweep);
}

/* ---- start ---- */

static enum err open_control(struct gateway *g)
{
    static const struct http_server_options server = {
        .head_timeout_ms = 10000,
        .body_idle_ms = 10000,
        .idle_timeout_ms = 30000,
        .write_idle_ms = 10000,
        .connections_max = CONTROL_CONNECTIONS_MAX,
        .h2_streams_max = 16,
    };
    static const struct http_server_events events = {exchange_request,
                                                     exchange_done};
    struct worker *w = &g->control;

    w->loop = g->loop;
    w->plane = PLANE_CONTROL;
    w->admin = gateway_admin_request;
    w->owner = g;
    enum err e = http_server_new(g->loop, &server, &events, w, &w->server);
    if (e == ERR_OK)
        e = http_server_listen(w->server, ROLE_FD_CONTROL, NULL);
    return e;
}

static enum err open_services(struct gateway *g)
{
    const struct role_options *o = g->options;
    struct worker *w = &g->control;

    enum err e = ledger_client_new(g->loop, o->generation, &w->ledger);
    if (e == ERR_OK)
        e = ledger_client_connect(w->ledger, role_fd_ledger(o->workers));
    if (e == ERR_OK)
        e = keeper_client_new(g->loop, o->generation, &w->keeper);
    if (e == ERR_OK)
        e = keeper_client_connect(w->keeper, role_fd_keeper(o->workers));
    if (e == ERR_OK)
        e = evidence_new(g->loop, w->ledger, str_from(o->node), &w->evidence);
    if (e == ERR_OK)
        e = session_table_new(&w->sessions);
    if (e == ERR_OK)
        e = limit_counters_new(&w->limits);
    if (e == ERR_OK)
        e = approvals_new(&w->approvals);
    if (e == ERR_OK)
        e = mcp_sessions_new(&w->mcp_sessions);
    if (e == ERR_OK)
        e = hub_net_new(g->worker_count, &g->hubs);
    if (e == ERR_OK)
        e = resolver_new(g->loop, &w->resolver);
    return e;
}

static enum err open_all(struct gateway *g)
{
    enum err e = loop_new(&g->loop);
    if (e == ERR_OK)
        e = gateway_supervisor_open(g);
    if (e == ERR_OK)
        e = open_control(g);
    if (e == ERR_OK)
        e = open_services(g);
    if (e == ERR_OK)
        e = gateway_registry_new(g);
    if (e == ERR_OK)
        e = gateway_catalog_new(g);
    if (e == ERR_OK)
        e = gateway_admin_new(g);
    if (e != ERR_OK)
        return e;
    g->workers = calloc(g->worker_count, sizeof(*g->workers));
    return g->workers == NULL ? ERR_NO_MEMORY : ERR_OK;
}

static void close_all(struct gateway *g)
{
    gateway_build_join(g);
    for (unsigned i = 0; i < g->worker_count && g->workers != NULL; i++) {
        if (g->workers[i].started)
            thread_join(&g->workers[i].thread);
    }
    /* Only now: until its end each may have posted to any other's loop. */
    for (unsigned i = 0; i < g->worker_count && g->workers != NULL; i++)
        loop_free(g->workers[i].worker.loop);
    free(g->workers);
    hub_net_free(g->hubs);
    mcp_sessions_free(g->control.mcp_sessions);
    http_server_free(g->control.server);
    gateway_admin_free(g);
    gateway_registry_free(g);
    gateway_catalog_free(g);
    gateway_store_close(g);
    evidence_free(g->control.evidence);
    ledger_client_free(g->control.ledger);
    gateway_orphans_close(g);
    keeper_client_free(g->control.keeper);
    session_table_free(g->control.sessions);
    gateway_trust_close(g);
    limit_counters_free(g->control.limits);
    approvals_free(g->control.approvals);
    snapshot_unref(g->control.snapshot);
    resolver_free(g->control.resolver);
    channel_free(g->supervisor);
    hash_wipe(g->caller_key, sizeof(g->caller_key));
    loop_free(g->loop);
}

static int fail_start(struct str why)
{
    log_error("gateway.start", {"why", why});
    return 1;
}

int gateway_run(const struct role_options *o)
{
    struct gateway g = {.options = o, .worker_count = o->workers};

    /* A request's memory comes and goes in larger pieces: giving each back to
     * the system and faulting it in again costs more than keeping it. */
    /* NOLINTBEGIN(concurrency-mt-unsafe): there is one thread yet */
    (void)mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD);
    (void)mallopt(M_TOP_PAD, TOP_PAD);
    (void)mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
    /* NOLINTEND(concurrency-mt-unsafe) */

    if (!pipeline_check(pipeline_table()))
        return fail_start(STR("the stage table is not sound"));
    enum err e = open_all(&g);
    if (e != ERR_OK)
        return fail_start(str_from(err_text(e)));
    g.started_us = loop_wall_us(g.loop);
    ask_caller_key(&g);
    gateway_orphans_ask(&g);
    on_sweep(&g.sweep);
    loop_run(g.loop);
    timer_cancel(&g.sweep);
    timer_cancel(&g.retry);
    close_all(&g);
    return g.exit_code;
}
