/*
 * stage_broker.c - with which credential?  The destination's own, for this
 * tenant and region; never the caller's.
 *
 * Needs: decision to record.  Gives: credential.
 * Stops with: ERR_CREDENTIAL.
 */
#include "broker/broker.h"
#include "pipeline/action.h"
#include "pipeline/snapshot.h"

enum step stage_broker(struct action *a)
{
    struct broker_credential c;

    enum err e =
        broker_get(a->snapshot->broker, a->attempt.to.provider,
                   a->caller->who.tenant, action_provider(a)->region, &c);
    if (e != ERR_OK)
        return stage_stop(a, e);
    a->credential = c.field;
    return STEP_NEXT;
}
