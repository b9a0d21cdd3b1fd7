/*
 * mcp_fixture.h - what fixture.h has, and tool servers: "files" over HTTP with
 * a credential, "crm" over pipes, and "hidden", which is another tenant's.
 *
 * The hub only writes down what it is told and says what a test says: it
 * stands in for mcp/hub*.c.  Catalog, sessions and approvals are the real ones.
 */
#ifndef TESTS_PIPELINE_MCP_FIXTURE_H
#define TESTS_PIPELINE_MCP_FIXTURE_H

#include "approval/approval.h"
#include "fixture.h"
#include "mcp/catalog.h"
#include "mcp/hub.h"

enum { SENT_MAX = 16 };

/* What a worker has asked its hub for. */
struct sent {
    struct hub_call *call; /* NULL: over */
    char kind;             /* 'o'pen, 's'end, 'l'isten */
    enum method method;
    bool cancelled;
    uint64_t number;
    char server[32], params[4096], authorization[64];
};

struct answered {
    bool is_error;
    char id[64], text[256];
};

struct fake_hub {
    uint64_t next; /* number to give */
    bool knows;    /* hub_known() has the offer */
    enum err answer;
    struct sent sent[SENT_MAX];
    size_t count;
    struct answered answers[SENT_MAX];
    size_t answer_count;
    unsigned nexts, notified;
    struct hub_word word; /* the last one that was said */
    char word_text[256];
    unsigned words;
};

extern struct fake_hub hub;

/* Tools as servers list them; the first is what all begin with. */
#define TOOL_READ                                                              \
    "{\"name\":\"read_file\",\"inputSchema\":{\"type\":\"object\","            \
    "\"properties\":{\"path\":{\"type\":\"string\"}},"                         \
    "\"additionalProperties\":false}}"
#define TOOL_PAY                                                               \
    "{\"name\":\"pay\",\"inputSchema\":{\"type\":\"object\",\"properties\":{"  \
    "\"amount\":{\"type\":\"integer\"},\"items\":{\"type\":\"array\","         \
    "\"items\":{\"type\":\"integer\"}}}}}"
#define TOOL_ODD                                                               \
    "{\"name\":\"odd\",\"inputSchema\":{\"type\":\"object\","                  \
    "\"$ref\":\"https://example.org/elsewhere\"}}"
#define TOOL_TASK                                                              \
    "{\"name\":\"slow\",\"inputSchema\":{\"type\":\"object\"},"                \
    "\"execution\":{\"taskSupport\":\"required\"}}"
#define TOOLS TOOL_READ "," TOOL_PAY "," TOOL_ODD "," TOOL_TASK

#define PERMIT_ALL "@id(\"all\") permit(principal, action, resource);"
#define FORBID(id, group, what)                                                \
    "@id(\"" id "\") @approval(\"" group                                       \
    "\") forbid(principal, action, resource) when { resource has name && "     \
    "resource.name == \"" what "\" };"

/* mcp_fixture_offer.c: tools as a link has learnt them. */
struct hub_offer *mcp_fixture_offer(const char *tools, int64_t listed_ms);

int mcp_world_open(void **state); /* *state is a struct world */
int mcp_world_close(void **state);
/* The same, with a session at the path of "files", whose tools are pinned. */
int mcp_files_open(void **state);
extern char mcp_files_session[33];
#define FILES "/mcp/files"

/* New actions are decided on by these policies, with approvals that hold a
 * call so long. */
void mcp_policies(struct world *w, const char *text, int64_t hold_ms);

/* From now on servers offer these; the catalog knows what it knew. */
void mcp_offer(const char *tools);
/* ... listed at that moment; 0: now. */
void mcp_offer_listed(const char *tools, int64_t listed_ms);
/* The catalog learns the offer, as the control thread does. */
void mcp_pin(struct world *w);
/* A person approves tool `name` of "files" as it is offered. */
void mcp_approve_tool(struct world *w, const char *name);
/* What a worker has offered to the catalog is answered.  False: nothing was. */
bool mcp_pinned(struct world *w, enum err e);

/* A request with a session; then what the keeper and the ledger do.  In two
 * steps for who wants to change something in between. */
void mcp_prepare(struct world *w, const char *path, const char *session,
                 const char *body);
void mcp_add_field(struct world *w, const char *name, const char *value);
void mcp_go(struct world *w); /* sends it, and goes on */
void mcp_post(struct world *w, const char *path, const char *session,
              const char *body);
/* Calls read_file in that session. */
void mcp_call_read(struct world *w);
/* Alice is cut off, and this worker is told. */
void mcp_suspend(struct world *w);
/* Ends the request: its answer has left. */
void mcp_end(struct world *w);
/* A session at `path`, whose id is put to `to`. */
void mcp_begin(struct world *w, const char *path, char to[33]);
/* The session id of the answer. */
void mcp_session_of(const struct world *w, char to[33]);

/* What the hub says. */
struct sent *mcp_last(void);
void mcp_opened(struct sent *s);
void mcp_answered(struct sent *s, const char *text, bool is_error);
void mcp_failed(struct sent *s, enum err e, bool sent);
void mcp_notice(struct sent *s, enum method m, const char *text);
void mcp_asks(struct sent *s, enum method m, const char *id, const char *text);

/* The latest ticket; and a person's word about it. */
enum approval_state mcp_ticket(struct world *w, char to[APPROVAL_ID_LEN]);
void mcp_decide(struct world *w, const char *group, bool yes);

#define CAPABLE                                                                \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{"     \
    "\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"sampling\":{},"    \
    "\"elicitation\":{}},\"clientInfo\":{\"name\":\"t\",\"version\":\"1\"}}}"
#define CALL(id, name, arguments)                                              \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/call\","            \
    "\"params\":{\"name\":\"" name "\",\"arguments\":" arguments "}}"
#define RESULT "{\"content\":[{\"type\":\"text\",\"text\":\"done\"}]}"

#endif
