/* policy_tool.h - tools in questions to policies: which, with what. */
#ifndef APP_POLICY_TOOL_H
#define APP_POLICY_TOOL_H

#include "app/policy_given.h"

/* Does it name a tool by `tool:`?  A layer that has `resource:` hides a
 * `tool:` below it. */
bool policy_tool_is_named(const struct policy_given *g);

/* What stands under `action:`, if it is about the same thing: a test's own
 * tool is called, whatever the defaults do.  NULL: nothing does. */
const struct yaml_node *policy_tool_action(const struct policy_given *g);

/* Sets the resource from `tool:`. */
void policy_tool_name(const struct policy_given *g, struct rules_request *q);

/*
 * Fills in the tool of the request, of its server what the configuration
 * says, where the resource is something of a server of tools; and the risk of
 * the action.
 */
void policy_tool_read(const struct policy_given *g, struct policy_case *to);

#endif
