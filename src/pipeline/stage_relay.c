/*
 * stage_relay.c - streams the answer back: meters it, hashes it, and can cut
 * it.
 *
 * Needs: dispatched.  Gives: relayed.
 * Stops with: ERR_UPSTREAM, ERR_TIMEOUT (the destination broke off).
 */
#include "http/client.h"
#include "pipeline/action.h"
#include "pipeline/relay.h"

enum step stage_relay(struct action *a)
{
    relay_start(a);
    return STEP_WAIT;
}

void stage_relay_cancel(struct action *a)
{
    relay_cut(a);
}
