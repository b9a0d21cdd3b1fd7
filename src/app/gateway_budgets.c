/* gateway_budgets.c - see gateway_budgets.h. */
#include "app/gateway_budgets.h"

#include <stdlib.h>

#include "app/gateway_limits.h"
#include "app/gateway_replay.h"
#include "app/gateway_state.h"
#include "base/log.h"
#include "limit/limit.h"
#include "limit/limit_replay.h"

struct gateway_budgets {
    struct gateway_limits *limits;
    struct gateway_replay *reading; /* NULL: not begun, or not needed */
    struct limit_replay replay;
};

static void fail(struct gateway *g, struct str why)
{
    log_error("limits", {"why", why});
    gateway_refuse(g);
}

static void on_ready(struct gateway *g)
{
    gateway_limits_keep(g->budgets->limits);
    gateway_loaded(g);
}

/* On the thread that reads; nobody reserves yet. */
static enum err on_entry(void *user, const struct json *entry, uint64_t index)
{
    const struct gateway *g = user;
    return limit_replay_entry(&g->budgets->replay, entry, index);
}

static void on_replayed(void *user, enum err e, uint64_t next, struct str why)
{
    struct gateway *g = user;

    (void)next;
    limit_replay_end(g->control.limits);
    if (e != ERR_OK)
        fail(g, why);
    else
        on_ready(g);
}

static void on_checkpoint(void *user, enum err e, uint64_t generation,
                          uint64_t from_index)
{
    struct gateway *g = user;
    struct gateway_budgets *b = g->budgets;
    const struct gateway_replay_options o = {.data = g->options->data,
                                             .from = from_index,
                                             .each = on_entry,
                                             .done = on_replayed,
                                             .user = g};

    if (g->control.snapshot->settings.limit_count == 0) {
        on_ready(g);
        return;
    }
    b->replay = (struct limit_replay){.counters = g->control.limits,
                                      .generation = generation,
                                      .now_us = loop_wall_us(g->loop)};
    if (e == ERR_OK)
        e = gateway_replay_start(g->loop, &o, &b->reading);
    if (e != ERR_OK)
        fail(g, str_from(err_text(e)));
}

enum err gateway_budgets_load(struct gateway *g)
{
    const struct gateway_limits_options o = {
        .loop = g->loop,
        .counters = g->control.limits,
        .ledger = g->control.ledger,
        .node = str_from(g->options->node),
        .keep_ms = GATEWAY_LIMITS_KEEP_MS,
    };

    g->budgets = calloc(1, sizeof(*g->budgets));
    if (g->budgets == NULL)
        return ERR_NO_MEMORY;
    enum err e = gateway_limits_new(&o, &g->budgets->limits);
    if (e == ERR_OK)
        gateway_limits_load(g->budgets->limits, on_checkpoint, g);
    return e;
}

void gateway_budgets_opened(struct gateway *g, struct store *store)
{
    gateway_limits_opened(g->budgets->limits, store);
}

void gateway_budgets_stop(struct gateway *g, void (*stopped)(void *user),
                          void *user)
{
    gateway_limits_stop(g->budgets->limits, stopped, user);
}

void gateway_budgets_free(struct gateway *g)
{
    if (g->budgets == NULL)
        return;
    gateway_replay_free(g->budgets->reading);
    gateway_limits_free(g->budgets->limits);
    free(g->budgets);
    g->budgets = NULL;
}
