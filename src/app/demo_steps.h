/*
 * demo_steps.h - the steps of `writ demo`, in the order of the walk; each
 * returns false when something is not as it should be.
 */
#ifndef APP_DEMO_STEPS_H
#define APP_DEMO_STEPS_H

#include "app/demo.h"

bool demo_callers_step(struct demo *d); /* a person, an agent and its key */

bool demo_chat_step(struct demo *d);    /* streamed; intent and outcome */
bool demo_chat_refused(struct demo *d); /* and why, for the operator */

bool demo_tools_step(struct demo *d);    /* a tool is called */
bool demo_tools_refused(struct demo *d); /* for its arguments */

bool demo_approval_step(struct demo *d);    /* held until a person agrees */
bool demo_approval_changed(struct demo *d); /* and that is for nothing else */

bool demo_policy_step(struct demo *d); /* changed and reloaded; a shadow */
bool demo_budget_step(struct demo *d); /* runs out */
bool demo_revoke_step(struct demo *d); /* suspended in mid-stream */

bool demo_pins_step(struct demo *d); /* a tool that is another one */

bool demo_ledger_tree(struct demo *d); /* who asked whom to do what */
bool demo_ledger_verified(struct demo *d);
bool demo_ledger_tampered(struct demo *d); /* one bit of a copy */

#endif
