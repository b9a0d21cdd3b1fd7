/* demo_tools.c - `writ demo`: a tool that is called, and refused for what it
 * is called with. */
#include "app/demo_ledger.h"
#include "app/demo_mcp.h"
#include "app/demo_steps.h"
#include "app/demo_tell.h"
#include "app/demo_text.h"
#include "base/limits.h"

static bool call_allowed(struct demo *d)
{
    static const struct demo_tool tool = {"read_note",
                                          "{\"path\":\"public/hours.txt\"}"};
    struct demo_tool_answer answer;
    uint64_t intent, outcome;

    demo_mcp_show(d, &tool, false);
    demo_mcp_call(d, &tool, &answer);
    demo_tell_lines(d, answer.text);
    bool ok = !answer.failed && str_starts(answer.text, STR("The office")) &&
              demo_ledger_receipt(&answer.http, &intent) &&
              demo_ledger_outcome(d, intent, "ok", &outcome);
    demo_mcp_release(&answer);
    return ok && demo_ledger_last(d, "2");
}

bool demo_tools_step(struct demo *d)
{
    demo_tell_heading(d, "A tool, behind the same table",
                      "The node has started the server itself, within walls.  "
                      "The agent sees what it may call:\nof delete_note it "
                      "does not know.");
    demo_tell_command(d, "MCP=http://127.0.0.1:%u/mcp/" DEMO_SERVER, d->port);
    if (!demo_mcp_begin(d) || !demo_mcp_list(d, "read_note, pay, update"))
        return demo_tell_verdict(d, false, "the tools are not listed so");
    demo_tell_command(d, "%s", DEMO_MCP_FUNCTION);
    return demo_tell_verdict(d, call_allowed(d),
                             "decided, recorded and sent, like a model call");
}

/* ---- refused ---- */

static bool show_why(struct demo *d, const struct demo_answer *answer)
{
    static const char *const only[] = {"entry", "decision:", NULL};
    struct buf text;
    uint64_t index;

    if (!demo_ledger_decision(d, answer, &index))
        return false;
    buf_init(&text, 64 * KIB);
    bool ok = demo_ledger_show(d, index, only, &text) &&
              memmem(text.ptr, text.len, "no policy permits", 17) != NULL;
    buf_release(&text);
    return ok;
}

static bool is_refused(struct demo *d, const char *arguments, bool why)
{
    const struct demo_tool tool = {"read_note", arguments};
    struct demo_tool_answer answer;

    demo_mcp_show(d, &tool, false);
    demo_mcp_call(d, &tool, &answer);
    demo_tell_lines(d, answer.text);
    bool ok = answer.http.status == 200 && answer.failed &&
              str_eq(answer.reason, STR("denied")) &&
              (!why || show_why(d, &answer.http));
    demo_mcp_release(&answer);
    return ok;
}

bool demo_tools_refused(struct demo *d)
{
    demo_tell_heading(d, "The same tool, refused for its arguments",
                      "Policies see what a tool is called with.  The refusal "
                      "is words that the model can read.");
    demo_tell_command(d, "grep path policies/tools.cedar");
    demo_tell_line(d, STR(DEMO_TEXT_PATHS));
    return demo_tell_verdict(
        d,
        is_refused(d, "{\"path\":\"private/salaries.txt\"}", true) &&
            is_refused(d, "{\"path\":\"public/../private/salaries.txt\"}",
                       false),
        "the server got none of it");
}
