/*
 * stage_route.c - where could it go?  Candidate destinations, in order, which
 * the class knows.
 *
 * Needs: call.  Gives: route.
 * Stops with: what the class found.
 */
#include "pipeline/action.h"
#include "pipeline/action_class.h"

enum step stage_route(struct action *a)
{
    return action_class_run(a, a->class->route, a->class->route_cancel);
}

void stage_route_cancel(struct action *a)
{
    a->class->route_cancel(a);
}
