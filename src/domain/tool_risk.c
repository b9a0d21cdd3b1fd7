/* tool_risk.c - see tool_risk.h. */
#include "domain/tool_risk.h"

#include "domain/risk.h"

/*
 * When something does not fit, only the last star has to take more: what an
 * earlier one could take, that one can, too.
 */
bool tool_risk_matches(struct str glob, struct str tool)
{
    size_t g = 0;
    size_t t = 0;
    size_t after_star = SIZE_MAX; /* where the glob goes on after it */
    size_t taken = 0;             /* up to where it has taken */
    while (t < tool.len) {
        if (g < glob.len && glob.ptr[g] == '*') {
            after_star = ++g;
            taken = t;
        } else if (g < glob.len &&
                   (glob.ptr[g] == '?' || glob.ptr[g] == tool.ptr[t])) {
            g++;
            t++;
        } else if (after_star != SIZE_MAX) {
            g = after_star;
            t = ++taken;
        } else {
            return false;
        }
    }
    while (g < glob.len && glob.ptr[g] == '*')
        g++;
    return g == glob.len;
}

static uint32_t said(struct tool_risk_hints h)
{
    uint32_t risk = 0;
    if (h.destructive == TOOL_RISK_YES || h.read_only == TOOL_RISK_NO)
        risk |= RISK_WRITE;
    if (h.open_world == TOOL_RISK_YES)
        risk |= RISK_EXPORT;
    if (h.open_world == TOOL_RISK_YES && h.read_only != TOOL_RISK_YES)
        risk |= RISK_TRIGGER;
    return risk;
}

uint32_t tool_risk(const struct tool_server_settings *s, struct str tool,
                   struct tool_risk_hints hints)
{
    uint32_t risk = 0;
    for (size_t i = 0; i < s->risk_count; i++) {
        if (tool_risk_matches(s->risk[i].glob, tool))
            risk |= s->risk[i].risk;
    }
    return risk == 0 ? RISK_ALL : risk | said(hints);
}
