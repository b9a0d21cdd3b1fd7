/*
 * stage_reserve.c - is there room?
 *
 * Every attempt passes here: it takes the next candidate, and from every
 * limit that applies what it may use up.  Settled when the attempt closes.
 *
 * Needs: approval.  Gives: reservation.
 * Stops with: ERR_RATE, ERR_BUDGET.
 */
#include <assert.h>

#include "base/attr.h"
#include "base/text.h"
#include "os/loop.h"
#include "pipeline/action.h"
#include "pipeline/action_class.h"
#include "pipeline/snapshot.h"
#include "pipeline/worker.h"
#include "registry/registry.h"

static enum err reserve(struct action *a)
{
    struct limit_link links[CHAIN_LINKS_MAX] UNINITIALIZED;
    char session[TEXT_HEX_LEN(SESSION_ID_LEN)];

    for (unsigned i = 0; i < a->chain->count; i++) {
        const struct principal *who = &a->chain->links[i].who;
        links[i] = (struct limit_link){.kind = principal_kind_name(who->kind),
                                       .id = who->id,
                                       .owner = a->entries[i]->owner};
    }
    text_hex(session_id(a->session), SESSION_ID_LEN, session);
    struct limit_ask ask = {
        .links = links,
        .link_count = a->chain->count,
        .tenant = action_tenant(a),
        .session = {session, sizeof(session)},
        .tokens = a->estimate,
        .now_us = loop_wall_us(a->worker->loop),
    };
    if (a->class->count != NULL)
        a->class->count(a, &ask);
    return limit_reserve(a->worker->limits, a->snapshot->limits, &ask, &a->held,
                         &a->limits);
}

enum step stage_reserve(struct action *a)
{
    assert(a->candidate_count > 0 && !a->attempt.open && a->held.count == 0);
    enum err e = a->class->only_listens ? ERR_OK : reserve(a);
    if (e != ERR_OK)
        return stage_stop(a, e);

    unsigned number = a->attempt.number + 1;
    a->attempt = (struct attempt){
        .number = number,
        .to = a->candidates[(number - 1) % a->candidate_count],
        .intent = {.index = LEDGER_NO_INDEX},
        .started_ms = loop_now_ms(a->worker->loop),
        .usage = USAGE_UNKNOWN,
    };
    return STEP_NEXT;
}
