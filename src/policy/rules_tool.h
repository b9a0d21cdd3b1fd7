/*
 * rules_tool.h - tools, and what else a server of tools has, as entities.
 */
#ifndef POLICY_RULES_TOOL_H
#define POLICY_RULES_TOOL_H

#include "policy/rules_facts.h"

/* Is the request about something that a server has, and not about a server? */
MUST_CHECK bool rules_tool_is_meant(const struct rules_request *q);

/*
 * Makes the resource of such a request, a member of its server
 * and of what the files of entities say; sets f->resource.  ERR_MALFORMED: of
 * a type that no server has, or named otherwise than "<server>/<name>".
 * ERR_LIMIT.
 */
MUST_CHECK enum err rules_tool_resource(struct rules_facts *f,
                                        struct cedar_entity *ret);

/* Makes the action of a call, "tool:call/<server>/<tool>", a member of
 * "tool:call"; sets f->action.  ERR_LIMIT. */
MUST_CHECK enum err rules_tool_action(struct rules_facts *f,
                                      struct cedar_entity *ret);

#endif
