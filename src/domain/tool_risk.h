/*
 * tool_risk.h - what a tool can do to the world: rule "Unknown is dangerous".
 *
 * The operator's rules say it: all that match add up, and a tool that none
 * matches has every risk.  What a server says of its own tools may only add:
 *
 *     destructiveHint true    write
 *     readOnlyHint false      write
 *     openWorldHint true      export, since whoever is out there sees the
 *                             arguments; and trigger, unless the server says
 *                             that the tool only reads
 *
 * Only what a server said counts, not what the protocol takes for granted
 * where it said nothing: that would add to every rule of the operator's.
 *
 * Pure; any thread.
 */
#ifndef DOMAIN_TOOL_RISK_H
#define DOMAIN_TOOL_RISK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "domain/settings.h"

/* The longest glob; bounds what a match may cost. */
enum { TOOL_RISK_GLOB_MAX = 128 };

/* What a server says; the values are those of mcp/tool.h. */
enum tool_risk_said { TOOL_RISK_UNSAID = 0, TOOL_RISK_NO, TOOL_RISK_YES };

struct tool_risk_hints {
    enum tool_risk_said read_only, destructive, open_world;
};

/* enum risk, or-ed; never 0.  `tool` is the server's own name of it. */
uint32_t tool_risk(const struct tool_server_settings *s, struct str tool,
                   struct tool_risk_hints hints);

/* `*` is any bytes, also none, `?` one; the rest is itself.  Never more steps
 * than one length times the other. */
bool tool_risk_matches(struct str glob, struct str tool);

#endif
