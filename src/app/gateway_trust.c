/* gateway_trust.c - see gateway_trust.h. */
#include "app/gateway_trust.h"

#include <stdlib.h>

#include "app/gateway_state.h"
#include "base/log.h"
#include "http/client.h"
#include "identity/issuers.h"
#include "trust/trust.h"

enum { CONNECT_MS = 5000, POOL_IDLE_MS = 30000, POOL_MAX = 4 };

/* ---- from the control thread to the workers ---- */

struct issuers_note {
    struct gateway_worker *to;
    struct issuers *issuers;
};

static void on_issuers(void *arg)
{
    struct issuers_note *n = arg;
    struct worker *w = &n->to->worker;

    if (n->to->ended) {
        issuers_unref(n->issuers);
    } else {
        issuers_unref(w->issuers);
        w->issuers = n->issuers;
    }
    free(n);
}

static void send_issuers(struct gateway_worker *gw, struct issuers *i)
{
    struct issuers_note *n = calloc(1, sizeof(*n));

    if (n == NULL)
        abort(); /* a worker with old keys is worse than a new start */
    *n = (struct issuers_note){gw, issuers_ref(i)};
    if (loop_post_surely(gw->worker.loop, on_issuers, n))
        return;
    issuers_unref(i);
    free(n);
}

struct keys_note {
    struct gateway_worker *to;
    size_t issuer;
};

static void on_keys_came(void *arg)
{
    struct keys_note *n = arg;

    if (!n->to->ended)
        worker_keys_came(&n->to->worker, n->issuer);
    free(n);
}

static void send_keys_came(struct gateway_worker *gw, size_t issuer)
{
    struct keys_note *n = calloc(1, sizeof(*n));

    if (n == NULL)
        return; /* who waits for it gives up by itself */
    *n = (struct keys_note){gw, issuer};
    if (!loop_post(gw->worker.loop, on_keys_came, n))
        free(n);
}

/* ---- issuers ---- */

static void on_trust_changed(void *user, struct issuers *i)
{
    struct gateway *g = user;

    issuers_unref(g->control.issuers);
    g->control.issuers = i;
    for (unsigned n = 0; n < g->worker_count && g->workers_open > 0; n++)
        send_issuers(&g->workers[n], i);
}

static void on_trust_wanted(void *user, size_t issuer)
{
    struct gateway *g = user;

    for (unsigned n = 0; n < g->worker_count && g->workers_open > 0; n++)
        send_keys_came(&g->workers[n], issuer);
}

static void on_trust_health(void *user, struct str alias, bool ok,
                            struct str why)
{
    (void)user;
    if (ok)
        log_info("trust", {"issuer", alias}, {"keys", STR("fetched")});
    else
        log_warn("trust", {"issuer", alias}, {"why", why});
}

enum err gateway_trust_open(struct gateway *g)
{
    static const struct http_client_options client = {
        .connect_timeout_ms = CONNECT_MS,
        .idle_timeout_ms = POOL_IDLE_MS,
        .pool_max = POOL_MAX,
        .connections_max = POOL_MAX,
    };
    const struct trust_events events = {on_trust_changed, on_trust_wanted,
                                        on_trust_health, g};

    enum err e = http_client_new(g->loop, g->control.resolver, &client,
                                 &g->control.client);
    if (e == ERR_OK)
        e = trust_new(g->loop, g->control.client, &events, &g->trust);
    if (e == ERR_OK)
        e = gateway_trust_use(g);
    return e;
}

enum err gateway_trust_use(struct gateway *g)
{
    return trust_use(g->trust, &g->control.snapshot->settings);
}

void gateway_trust_close(struct gateway *g)
{
    trust_free(g->trust);
    g->trust = NULL; /* what workers asked for may still be posted */
    http_client_free(g->control.client);
    issuers_unref(g->control.issuers);
}

/* ---- what workers ask for ---- */

struct want_note {
    struct gateway *gateway;
    size_t issuer;
};

static void on_want_key(void *arg)
{
    struct want_note *n = arg;
    struct gateway *g = n->gateway;

    g->notes--;
    if (g->trust != NULL)
        trust_want(g->trust, n->issuer);
    free(n);
}

void gateway_trust_want_key(struct worker *w, size_t issuer)
{
    const struct gateway_worker *gw = w->owner;
    struct gateway *g = gw->gateway;
    struct want_note *n = NULL;

    if (g->notes < GATEWAY_NOTES_MAX)
        n = calloc(1, sizeof(*n));
    if (n == NULL)
        return; /* who waits for it gives up by itself */
    *n = (struct want_note){g, issuer};
    g->notes++;
    if (!loop_post(g->loop, on_want_key, n)) {
        g->notes--;
        free(n);
    }
}
