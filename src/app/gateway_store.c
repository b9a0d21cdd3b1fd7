/*
 * gateway_store.c - the node's row in the store, and its sessions.
 *
 * The store is a projection of the evidence: one that does not answer is
 * waited for, by calls for a moment only, and shown in the status.  Tables of
 * a newer version are another matter: an older program must not touch them.
 */
#include "app/gateway_state.h"

#include <stdlib.h>

#include "app/gateway_admin.h"
#include "app/gateway_budgets.h"
#include "app/gateway_catalog.h"
#include "app/gateway_registry.h"
#include "app/gateway_sessions.h"
#include "base/log.h"
#include "session/session.h"
#include "store/table_node.h"

enum { NODE_TIMEOUT_MS = 10000 };

static void on_node_row(void *user, size_t statement,
                        const struct store_value *columns, size_t n)
{
    struct gateway *g = user;
    struct table_node node;

    (void)statement;
    if (table_node_read(columns, n, &node))
        g->starts = node.generation;
}

static void on_node_done(void *user, const struct store_result *r)
{
    struct gateway *g = user;

    g->node_call = NULL;
    if (r->outcome != STORE_DONE)
        log_warn("store.node", {"why", r->why});
}

static void record_start(struct gateway *g)
{
    const struct store_ask ask = {.row = on_node_row,
                                  .done = on_node_done,
                                  .user = g,
                                  .timeout_ms = NODE_TIMEOUT_MS};
    struct store_batch *b;

    enum err e = store_batch_new(&b);
    if (e == ERR_OK) {
        e = table_node_start(b, str_from(g->options->node), g->started_us);
        if (e == ERR_OK)
            e = store_run(g->store, g->loop, b, &ask, &g->node_call);
        else
            store_batch_free(b);
    }
    if (e != ERR_OK)
        log_warn("store.node", {"why", str_from(err_text(e))});
}

static void on_opened(void *user, enum err e, struct str why)
{
    struct gateway *g = user;

    gateway_sessions_opened(g->sessions, e == ERR_OK ? g->store : NULL);
    gateway_budgets_opened(g, e == ERR_OK ? g->store : NULL);
    if (e == ERR_OK) {
        record_start(g);
        gateway_registry_load(g);
        gateway_catalog_load(g);
        gateway_admin_store_opened(g);
        return;
    }
    log_error("store", {"why", why});
    if (e == ERR_CONFIG)
        gateway_refuse(g);
    else
        gateway_begin_again(g); /* nobody is known without it */
}

static void on_changed(void *user, bool usable, struct str why)
{
    (void)user;
    log_warn("store", {"usable", usable ? STR("yes") : STR("no")},
             {"why", why});
}

static void on_loaded(void *user)
{
    gateway_loaded(user);
}

static void on_budgets_stored(void *user)
{
    gateway_stored(user);
}

static void on_sessions_stored(void *user)
{
    gateway_budgets_stop(user, on_budgets_stored, user);
}

/* Calls go on in the sessions that they had. */
static enum err load_sessions(struct gateway *g)
{
    const struct settings *s = &g->control.snapshot->settings;
    const struct session_limits limits = {s->sessions.idle_ms,
                                          s->sessions.max_ms};
    const struct gateway_sessions_options o = {
        .loop = g->loop,
        .table = g->control.sessions,
        .node = str_from(g->options->node),
        .write_ms = GATEWAY_SESSIONS_WRITE_MS,
    };

    enum err e = gateway_sessions_new(&o, &g->sessions);
    if (e == ERR_OK)
        gateway_sessions_load(g->sessions, &limits, on_loaded, g);
    return e;
}

void gateway_store_open(struct gateway *g)
{
    const struct store_options o = {
        .url = g->control.snapshot->settings.store,
        .data_dir = g->options->data,
        .resolver = g->control.resolver,
    };
    const struct store_events events = {on_opened, on_changed, g};
    const char *why = "";

    enum err e = load_sessions(g);
    if (e == ERR_OK)
        e = gateway_budgets_load(g);
    if (e != ERR_OK) {
        log_error("gateway.start", {"why", str_from(err_text(e))});
        abort(); /* as where a worker does not start: begin again */
    }
    e = store_open(g->loop, &o, &events, &g->store, &why);
    if (e != ERR_OK)
        on_opened(g, e, str_from(why));
}

void gateway_store_finish(struct gateway *g)
{
    gateway_sessions_stop(g->sessions, on_sessions_stored, g);
}

void gateway_store_close(struct gateway *g)
{
    gateway_sessions_free(g->sessions);
    gateway_budgets_free(g);
    store_call_cancel(g->node_call);
    store_close(g->store);
}
