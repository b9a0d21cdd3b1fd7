/*
 * revision.h - the revisions of MCP, and what differs between them.
 *
 * Source: the revisions' own pages and change logs.  2024-11-05 to 2025-11-25
 * agree on one by `initialize` and keep it for the session.  2026-07-28 is
 * another protocol (no session, no `initialize`): it gets a row and traits of
 * its own here when it is spoken; until then it is unknown, and a client that
 * asks for it is offered the newest one that is not.
 */
#ifndef MCP_REVISION_H
#define MCP_REVISION_H

#include <stdbool.h>

#include "base/str.h"

/* In the order of time, so that `<` means older. */
enum revision {
    REVISION_NONE = 0, /* has nothing, knows nothing */
    REVISION_2024_11_05,
    REVISION_2025_03_26,
    REVISION_2025_06_18,
    REVISION_2025_11_25,
    REVISION_COUNT /* always last */
};

#define REVISION_NEWEST REVISION_2025_11_25
/* What a client speaks that says nothing, over Streamable HTTP. */
#define REVISION_ASSUMED REVISION_2025_03_26

enum {
    /* Arrays of messages are valid in this revision.  Nobody here takes
     * them; it is told for the sake of a peer that might send some. */
    REVISION_BATCHES = 1u << 0,
    REVISION_STREAMABLE_HTTP = 1u << 1, /* else HTTP with two endpoints */
    /* After `initialize` the client sends MCP-Protocol-Version. */
    REVISION_HEADER = 1u << 2,
    REVISION_STRUCTURED_CONTENT = 1u << 3, /* and outputSchema */
    REVISION_ANNOTATIONS = 1u << 4,        /* of tools */
    REVISION_AUDIO = 1u << 5,              /* a kind of content */
    REVISION_PROGRESS_TEXT = 1u << 6,      /* `message` of progress */
    REVISION_COMPLETIONS = 1u << 7,        /* have a capability of their own */
    REVISION_ELICITATION = 1u << 8,        /* mode form */
    REVISION_RESOURCE_LINKS = 1u << 9,     /* a kind of content */
    REVISION_TITLES = 1u << 10,            /* beside names */
    REVISION_COMPLETION_CONTEXT = 1u << 11,
    REVISION_ELICITATION_URL = 1u << 12, /* mode url */
    REVISION_SAMPLING_TOOLS = 1u << 13,
    REVISION_ICONS = 1u << 14,
    REVISION_TASKS = 1u << 15, /* experimental; nobody here takes them */
    REVISION_POLLED_STREAMS = 1u << 16, /* a server may close one early */
};

/* "2025-11-25"; "" for none. */
struct str revision_name(enum revision r);
/* REVISION_NONE: not one of ours.  Exact bytes. */
enum revision revision_from(struct str name);
/* One of the bits above. */
bool revision_has(enum revision r, unsigned trait);

/* The server's answer to `initialize`: what was asked for, if it is one of
 * ours, else the newest. */
enum revision revision_offer(struct str asked);
/* The client's view of that answer, having asked for the newest: NONE when
 * it has to hang up. */
enum revision revision_accept(struct str answered);

/*
 * The header MCP-Protocol-Version of a request after `initialize`.
 * `header` is empty where there is none; `agreed` is the session's revision,
 * or NONE without a session.  NONE: answer 400.  What is there must name a
 * revision of ours, and the one that was agreed on; without a session a
 * missing header stands for REVISION_ASSUMED.  A session goes on without it
 * even where the revision asks for it, since clients do forget it and nothing
 * depends on it then.
 */
enum revision revision_of_request(struct str header, enum revision agreed);

#endif
