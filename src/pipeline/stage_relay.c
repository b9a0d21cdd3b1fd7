/*
 * stage_relay.c - streams the answer back: the class meters it, hashes it, and
 * can cut it.
 *
 * Needs: dispatched.  Gives: relayed.
 * Stops with: what the class found: the destination broke off.
 */
#include "pipeline/action.h"
#include "pipeline/action_class.h"

enum step stage_relay(struct action *a)
{
    return action_class_run(a, a->class->relay, a->class->relay_cancel);
}

void stage_relay_cancel(struct action *a)
{
    a->class->relay_cancel(a);
}
