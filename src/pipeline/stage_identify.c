/*
 * stage_identify.c - who is asking, through whom?
 *
 * Needs: nothing.  Gives: identity.
 * Stops with: ERR_UNAUTHENTICATED.
 */
#include "http/server.h"
#include "identity/identity.h"
#include "pipeline/action.h"
#include "pipeline/exchange.h"
#include "pipeline/snapshot.h"
#include "pipeline/worker.h"

enum step stage_identify(struct action *a)
{
    const struct http_fields fields =
        http_request_head(a->exchange->http)->fields;
    const struct identity_presented p = {
        .authorization = http_fields_get(fields, STR("authorization")),
        .api_key = http_fields_get(fields, STR("x-api-key")),
    };
    enum err e = identity_prove(a->snapshot->callers, a->worker->identities, &p,
                                &a->chain);
    return e == ERR_OK ? STEP_NEXT : stage_stop(a, e);
}
