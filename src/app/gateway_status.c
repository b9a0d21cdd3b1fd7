/* gateway_status.c - the node's state, as JSON and as figures. */
#include "app/gateway_state.h"

#include <assert.h>

#include "admin/metrics.h"
#include "approval/approval.h"
#include "base/text.h"
#include "codec/jcs.h"
#include "keeper/keeper_client.h"
#include "policy/rules.h"
#include "registry/registry.h"
#include "session/session.h"
#include "trust/trust.h"

enum { ISSUERS_SHOWN = 64 }; /* as many as can be configured */

static struct str process_name(enum frame_role role)
{
    switch (role) {
    case FRAME_ROLE_SUPERVISOR:
        return STR("supervisor");
    case FRAME_ROLE_KEEPER:
        return STR("keeper");
    case FRAME_ROLE_LEDGER:
        return STR("ledger");
    case FRAME_ROLE_RUNNER:
        return STR("runner");
    case FRAME_ROLE_WORKER:
        return STR("gateway");
    case FRAME_ROLE_NONE:
    case FRAME_ROLE_CONTROL:
    case FRAME_ROLE_TOOL:
        break;
    }
    return STR("unknown");
}

static void add_time(struct jcs *w, struct str name, int64_t unix_us)
{
    char text[TEXT_TIME_LEN];

    text_time(unix_us, text);
    jcs_pair_str(w, name, (struct str){text, sizeof(text)});
}

/* Sums over all workers; each counts for itself, so a sum is a moment's. */
static void add_calls(struct jcs *w, const struct gateway *g)
{
    uint64_t calls = 0, failed = 0, open = 0, refused = 0;

    for (unsigned i = 0; i < g->worker_count; i++) {
        const struct worker_counters *c = &g->workers[i].worker.counters;
        calls += c->calls;
        failed += c->failed;
        open += c->open;
        refused += c->refused;
    }
    jcs_name(w, STR("calls"));
    jcs_object(w);
    jcs_pair_i64(w, STR("ended"), (int64_t)calls);
    jcs_pair_i64(w, STR("failed"), (int64_t)failed);
    jcs_pair_i64(w, STR("open"), (int64_t)open);
    jcs_pair_i64(w, STR("refused"), (int64_t)refused);
    jcs_end(w);
}

static void add_config(struct jcs *w, const struct gateway *g)
{
    const struct snapshot *s = g->control.snapshot;
    struct str digest = {NULL, 0};
    char hex[TEXT_HEX_LEN(32)];

    if (s != NULL) {
        text_hex(s->settings.digest, 32, hex);
        digest = (struct str){hex, sizeof(hex)};
    }
    jcs_name(w, STR("config"));
    jcs_object(w);
    jcs_pair_str(w, STR("digest"), digest);
    jcs_pair_str(w, STR("file"), str_from(g->options->config));
    jcs_pair_i64(w, STR("reloads"), (int64_t)g->reloads);
    jcs_pair_i64(w, STR("reloads_failed"), (int64_t)g->reloads_failed);
    add_time(w, STR("since"), g->reloaded_us);
    jcs_end(w);
}

static void add_ledger(struct jcs *w, const struct gateway *g)
{
    const struct ledger_stats *l = &g->ledger;

    jcs_name(w, STR("ledger"));
    jcs_object(w);
    jcs_name(w, STR("answers"));
    jcs_bool(w, g->ledger_answers);
    jcs_pair_i64(w, STR("commits"), (int64_t)l->commits);
    jcs_name(w, STR("durable"));
    jcs_bool(w, !g->options->batched);
    jcs_pair_i64(w, STR("entries"), (int64_t)l->entries);
    jcs_pair_i64(w, STR("open_intents"), (int64_t)l->open_intents);
    jcs_name(w, STR("root"));
    jcs_hex(w, l->root.bytes, HASH_LEN);
    jcs_pair_i64(w, STR("syncs"), (int64_t)l->syncs);
    jcs_end(w);
}

static void add_processes(struct jcs *w, const struct gateway *g)
{
    jcs_name(w, STR("processes"));
    jcs_array(w);
    for (size_t i = 0; i < g->process_count; i++) {
        const struct gateway_process *p = &g->processes[i];
        jcs_object(w);
        jcs_pair_i64(w, STR("pid"), p->pid);
        jcs_pair_str(w, STR("process"), process_name(p->role));
        jcs_pair_i64(w, STR("restarts"), p->restarts);
        jcs_end(w);
    }
    jcs_end(w);
}

static void add_policies(struct jcs *w, const struct gateway *g)
{
    const struct snapshot *s = g->control.snapshot;

    jcs_name(w, STR("policies"));
    jcs_object(w);
    jcs_pair_i64(w, STR("count"),
                 s == NULL ? 0 : (int64_t)rules_count(s->rules));
    jcs_pair_i64(w, STR("shadow"),
                 s == NULL ? 0 : (int64_t)rules_shadow_count(s->rules));
    jcs_end(w);
}

static void add_trust(struct jcs *w, const struct gateway *g)
{
    struct trust_state states[ISSUERS_SHOWN];
    size_t n =
        g->trust == NULL ? 0 : trust_states(g->trust, states, ISSUERS_SHOWN);

    jcs_name(w, STR("trust"));
    jcs_array(w);
    for (size_t i = 0; i < n; i++) {
        jcs_object(w);
        jcs_pair_str(w, STR("alias"), states[i].alias);
        if (states[i].fetched_us > 0)
            add_time(w, STR("fetched"), states[i].fetched_us);
        jcs_name(w, STR("usable"));
        jcs_bool(w, states[i].usable);
        jcs_pair_str(w, STR("why"), states[i].why);
        jcs_end(w);
    }
    jcs_end(w);
}

static int64_t identities(const struct gateway *g)
{
    const struct registry_view *v = g->control.registry;
    return v == NULL ? 0 : (int64_t)registry_view_count(v);
}

void gateway_status_write(struct gateway *g, struct buf *to)
{
    struct jcs w;

    jcs_begin(&w, to);
    jcs_object(&w);
    jcs_pair_i64(&w, STR("approvals"),
                 (int64_t)approvals_counts_of(g->control.approvals).open);
    add_calls(&w, g);
    add_config(&w, g);
    jcs_pair_i64(&w, STR("generation"), (int64_t)g->options->generation);
    /* Separate processes, without a sandbox yet: nothing more is claimed. */
    jcs_pair_str(&w, STR("isolation"), STR("processes"));
    jcs_name(&w, STR("keeper"));
    jcs_bool(&w, keeper_client_ready(g->control.keeper));
    add_ledger(&w, g);
    jcs_pair_str(&w, STR("node"), str_from(g->options->node));
    add_policies(&w, g);
    add_processes(&w, g);
    jcs_pair_i64(&w, STR("registry"), identities(g));
    jcs_pair_str(&w, STR("serving"),
                 g->phase == PHASE_SERVING ? STR("yes") : STR("no"));
    jcs_pair_i64(&w, STR("sessions"),
                 (int64_t)session_table_count(g->control.sessions));
    add_time(&w, STR("started"), g->started_us);
    jcs_pair_i64(&w, STR("starts"), g->starts);
    jcs_name(&w, STR("store"));
    jcs_bool(&w, g->store != NULL && store_usable(g->store));
    add_trust(&w, g);
    jcs_pair_str(&w, STR("version"), STR(WRIT_VERSION));
    jcs_pair_i64(&w, STR("workers"), g->worker_count);
    jcs_end(&w);
}

bool gateway_status_ready(const struct gateway *g)
{
    return g->phase == PHASE_SERVING && g->ledger_answers &&
           keeper_client_ready(g->control.keeper) && g->store != NULL &&
           store_usable(g->store);
}

void gateway_status_figures(const struct gateway *g,
                            struct metrics_figures *ret)
{
    *ret = (struct metrics_figures){
        .version = WRIT_VERSION,
        .ready = gateway_status_ready(g),
        .ledger_entries = g->ledger.entries,
        .ledger_syncs = g->ledger.syncs,
        .ledger_open_intents = g->ledger.open_intents,
        .reloads = g->reloads,
        .reloads_failed = g->reloads_failed,
    };
    for (unsigned i = 0; i < g->worker_count; i++) {
        const struct worker_counters *c = &g->workers[i].worker.counters;
        ret->calls += c->calls;
        ret->failed += c->failed;
        ret->open += c->open;
        ret->refused += c->refused;
    }
    static_assert((int)METRICS_PROCESSES_MAX >= (int)GATEWAY_PROCESSES_MAX,
                  "all processes have their place");
    for (size_t i = 0; i < g->process_count; i++) {
        ret->processes[i].name = process_name(g->processes[i].role);
        ret->processes[i].restarts = g->processes[i].restarts;
    }
    ret->process_count = g->process_count;
}
