/*
 * stage_identify.c - who is asking, through whom?
 *
 * A token that names a key which its issuer may have by now waits for a fetch,
 * once, and is proven again.  Who asked for a child asked for its parent.
 *
 * Needs: nothing.  Gives: identity.
 * Stops with: ERR_UNAUTHENTICATED.
 */
#include "base/container.h"
#include "http/server.h"
#include "identity/proof.h"
#include "os/loop.h"
#include "pipeline/action.h"
#include "pipeline/exchange.h"
#include "pipeline/worker.h"
#include "registry/registry.h"

/* What identity/ asks of the registry. */
static bool find_key(const void *user, const struct hash *key,
                     struct proof_key *ret)
{
    const struct registry_key *found = NULL;
    const struct registry_entry *e = registry_view_by_key(user, key, &found);

    if (e == NULL)
        return false;
    *ret = (struct proof_key){e->who, found->fingerprint, found->expires_us};
    return true;
}

static enum proof_verdict prove(struct action *a, struct proof_wish *wish)
{
    struct worker *w = a->worker;
    const struct http_request *r = a->exchange->http;
    const struct http_fields fields = http_request_head(r)->fields;
    const struct proof_input in = {
        .authorization = http_fields_get(fields, STR("authorization")),
        .x_api_key = http_fields_get(fields, STR("x-api-key")),
        .certificate = http_request_certificate(r),
    };
    const struct proof_sources from = {
        .caller_key = {(const char *)w->caller_key, sizeof(w->caller_key)},
        .keys = {find_key, w->registry, registry_view_keys_number(w->registry)},
        .issuers = w->issuers,
        .now_us = loop_wall_us(w->loop),
    };
    enum proof_verdict v = proof_make(&from, w->proofs, &in, wish, &a->proof);
    if (v == PROOF_GIVEN)
        a->chain = &a->proof->chain;
    return v;
}

static void stop_waiting(struct action *a)
{
    timer_cancel(&a->patience);
    list_remove(&a->key_wait);
}

static void on_overdue(struct timer *t)
{
    stage_identify_again(CONTAINER_OF(t, struct action, patience));
}

enum step stage_identify(struct action *a)
{
    struct worker *w = a->worker;
    struct proof_wish wish;

    if (a->parent != NULL)
        return STEP_NEXT;
    switch (prove(a, &wish)) {
    case PROOF_GIVEN:
        return STEP_NEXT;
    case PROOF_REFUSED:
        break;
    case PROOF_KEY_WANTED:
        a->key_issuer = wish.issuer;
        list_push(&w->key_waiters, &a->key_wait);
        timer_set(w->loop, &a->patience, PATIENCE_MS, on_overdue);
        w->want_key(w, wish.issuer);
        return STEP_WAIT;
    }
    return stage_stop(a, ERR_UNAUTHENTICATED);
}

void stage_identify_again(struct action *a)
{
    struct proof_wish wish;

    stop_waiting(a);
    pipeline_resume(a, prove(a, &wish) == PROOF_GIVEN
                           ? STEP_NEXT
                           : stage_stop(a, ERR_UNAUTHENTICATED));
}

void stage_identify_cancel(struct action *a)
{
    stop_waiting(a);
}
