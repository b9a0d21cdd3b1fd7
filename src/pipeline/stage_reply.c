/*
 * stage_reply.c - the one place that writes a refusal or an error, in the
 * dialect that was spoken to us.
 *
 * An answer that was relayed, or given where it was asked for, has been
 * written already; then there is nothing to do.
 *
 * Needs: nothing.  Gives: replied.
 */
#include "pipeline/action.h"
#include "pipeline/action_class.h"
#include "pipeline/exchange.h"

enum step stage_reply(struct action *a)
{
    if (a->exchange == NULL || a->err == ERR_OK)
        return STEP_NEXT;
    if (a->class->reply != NULL)
        a->class->reply(a);
    else
        exchange_reply_error(a->exchange, a->err, a->reason, a->param);
    return STEP_NEXT;
}
