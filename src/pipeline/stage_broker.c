/*
 * stage_broker.c - with which credential?  The destination's own, for this
 * tenant and region; never the caller's.
 *
 * Needs: decision to record.  Gives: credential.
 * Stops with: ERR_CREDENTIAL, ERR_REVOKED.
 */
#include "pipeline/action.h"
#include "pipeline/action_class.h"
#include "pipeline/standing.h"

enum step stage_broker(struct action *a)
{
    enum err e = standing_holds(a); /* the record may have taken a while */
    if (e == ERR_OK)
        e = a->class->broker == NULL ? ERR_INTERNAL : a->class->broker(a);
    return e == ERR_OK ? STEP_NEXT : stage_stop(a, e);
}
