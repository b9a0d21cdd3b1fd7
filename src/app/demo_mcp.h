/*
 * demo_mcp.h - the agent of `writ demo` as a caller of tools.
 */
#ifndef APP_DEMO_MCP_H
#define APP_DEMO_MCP_H

#include "app/demo.h"
#include "app/demo_ask.h"

#define DEMO_SERVER "office"

struct demo_tool {
    const char *name, *arguments; /* the second is JSON */
};

struct demo_tool_answer {
    struct demo_answer http;
    bool failed;       /* the tool says so, or whoever refused it */
    struct str text;   /* what the model reads */
    struct str reason; /* of a refusal: "denied"; or empty */
};

/* Begins a session, which `d` keeps, and shows how. */
bool demo_mcp_begin(struct demo *d);

/* Shows what it may call; true when that is `want`, "read_note, pay". */
bool demo_mcp_list(const struct demo *d, const char *want);

/* Calls a tool; the answer has to be released in any case. */
void demo_mcp_call(struct demo *d, const struct demo_tool *tool,
                   struct demo_tool_answer *ret);
void demo_mcp_release(struct demo_tool_answer *a);

/* The same in two, for what is held meanwhile: a descriptor, or -1; then its
 * answer, which closes it. */
int demo_mcp_send(struct demo *d, const struct demo_tool *tool);
bool demo_mcp_is_held(int fd); /* nothing has come yet */
void demo_mcp_receive(int fd, struct demo_tool_answer *ret);

/* "call read_note '{...}'", as one would type it. */
void demo_mcp_show(const struct demo *d, const struct demo_tool *tool,
                   bool behind);

/* The function that demo_mcp_show() is about. */
#define DEMO_MCP_FUNCTION                                                      \
    "call() { curl -s $MCP -H \"authorization: Bearer $KEY\" -H "              \
    "\"mcp-session-id: $SESSION\" --json '{\"jsonrpc\":\"2.0\",\"id\":\"'"     \
    "$(date +%N)'\",\"method\":\"tools/call\",\"params\":{\"name\":\"'$1'\","  \
    "\"arguments\":'\"$2\"'}}'; }"
/* What gets $SESSION. */
#define DEMO_MCP_SESSION                                                       \
    "SESSION=$(curl -s -D - -o /dev/null $MCP -H \"authorization: Bearer "     \
    "$KEY\" --json '{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\","  \
    "\"params\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},"      \
    "\"clientInfo\":{\"name\":\"curl\",\"version\":\"8\"}}}' | "               \
    "sed -n 's/\\r$//; s/^mcp-session-id: //p')"

#endif
