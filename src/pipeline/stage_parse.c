/*
 * stage_parse.c - what do they want?  The class reads the request, by an
 * allow-list, into the one form that is decided on and sent.
 *
 * Needs: identity, admitted.  Gives: call.
 * Stops with: what the class found.
 */
#include "pipeline/action.h"
#include "pipeline/action_class.h"

enum step stage_parse(struct action *a)
{
    return action_class_run(a, a->class->parse, a->class->parse_cancel);
}

void stage_parse_cancel(struct action *a)
{
    a->class->parse_cancel(a);
}
