/*
 * stage_broker.c - with which credential?  The destination's own, for this
 * tenant and region; never the caller's.
 *
 * Needs: decision to record.  Gives: credential.
 * Stops with: ERR_CREDENTIAL, ERR_REVOKED.
 */
#include "broker/broker.h"
#include "pipeline/action.h"
#include "pipeline/snapshot.h"
#include "pipeline/standing.h"

enum step stage_broker(struct action *a)
{
    struct broker_credential c;

    enum err e = standing_holds(a); /* the record may have taken a while */
    if (e == ERR_OK)
        e = broker_get(a->snapshot->broker, a->attempt.to.provider,
                       action_tenant(a), action_provider(a)->region, &c);
    if (e != ERR_OK)
        return stage_stop(a, e);
    a->credential = c.field;
    return STEP_NEXT;
}
