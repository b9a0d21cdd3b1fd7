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
    const struct http_request *r = a->exchange->http;
    const struct http_fields fields = http_request_head(r)->fields;
    const struct identity_input in = {
        .authorization = http_fields_get(fields, STR("authorization")),
        .x_api_key = http_fields_get(fields, STR("x-api-key")),
        .certificate = http_request_certificate(r),
    };
    enum err e = identity_prove(a->snapshot->callers, a->worker->identities,
                                &in, &a->chain, &a->caller);
    return e == ERR_OK ? STEP_NEXT : stage_stop(a, e);
}
