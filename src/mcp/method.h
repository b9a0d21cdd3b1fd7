/*
 * method.h - the methods of MCP that are let through, and what each means.
 *
 * An allow-list: a method is known for a revision, a direction and a kind of
 * message (a request that comes as a notification is unknown, and the other
 * way round), and only between peers that agreed on the capability behind it.
 * The rest is refused with FAULT_METHOD.  Tasks (tasks/...) are not here on
 * purpose: what a task is polled for would be an action that nobody decided.
 *
 * Each row says what policy has to do with it; zero means that it has.
 */
#ifndef MCP_METHOD_H
#define MCP_METHOD_H

#include <stdbool.h>

#include "base/attr.h"
#include "domain/action.h"
#include "mcp/fault.h"
#include "mcp/message.h"
#include "mcp/revision.h"

enum method {
    METHOD_NONE = 0,
    /* requests */
    METHOD_INITIALIZE,
    METHOD_PING,
    METHOD_TOOLS_LIST,
    METHOD_TOOLS_CALL,
    METHOD_RESOURCES_LIST,
    METHOD_RESOURCES_TEMPLATES,
    METHOD_RESOURCES_READ,
    METHOD_RESOURCES_SUBSCRIBE,
    METHOD_RESOURCES_UNSUBSCRIBE,
    METHOD_PROMPTS_LIST,
    METHOD_PROMPTS_GET,
    METHOD_COMPLETE,
    METHOD_SET_LEVEL,
    METHOD_ROOTS_LIST,
    METHOD_SAMPLE,
    METHOD_ELICIT,
    /* notifications */
    METHOD_INITIALIZED,
    METHOD_CANCELLED,
    METHOD_PROGRESS,
    METHOD_ROOTS_CHANGED,
    METHOD_LOG,
    METHOD_RESOURCE_UPDATED,
    METHOD_RESOURCES_CHANGED,
    METHOD_TOOLS_CHANGED,
    METHOD_PROMPTS_CHANGED,
    METHOD_ELICITED,
    METHOD_COUNT /* always last */
};

/* Who sends it; bits, since both may send some. */
enum { METHOD_CLIENT = 1u << 0, METHOD_SERVER = 1u << 1 };

enum method_policy {
    METHOD_DECIDED = 0, /* an action; nothing happens without a permit */
    /* An action that gives a list: decided itself, and of what comes back
     * only those items are shown whose own action would be permitted. */
    METHOD_FILTERED,
    METHOD_LIFECYCLE, /* initialize, initialized, ping: no action */
    /* About a request or subscription that was permitted; it goes on only to
     * whoever that belongs to. */
    METHOD_FOLLOWS,
};

/* What a side has announced in `initialize`; bits. */
enum {
    METHOD_HAS_TOOLS = 1u << 0,
    METHOD_HAS_RESOURCES = 1u << 1,
    METHOD_HAS_SUBSCRIBE = 1u << 2, /* resources.subscribe */
    METHOD_HAS_PROMPTS = 1u << 3,
    METHOD_HAS_COMPLETIONS = 1u << 4,
    METHOD_HAS_LOGGING = 1u << 5,
    METHOD_HAS_ROOTS = 1u << 6,
    METHOD_HAS_SAMPLING = 1u << 7,
    METHOD_HAS_ELICITATION = 1u << 8, /* mode form */
    METHOD_HAS_ELICITATION_URL = 1u << 9,
    METHOD_HAS_CHANGES = 1u << 10, /* listChanged, of what there is */
};

struct method_row {
    struct str name;
    unsigned senders;
    bool is_notification;
    enum revision since;
    enum method_policy policy;
    enum action_kind action; /* ACTION_NONE where policy asks for none */
    unsigned needs; /* one of METHOD_HAS_..., by whoever offers it; or 0 */
};

const struct method_row *method_row(enum method m);
/* METHOD_NONE: unknown.  Exact bytes. */
enum method method_from(struct str name);

/*
 * The method of `m`, a request or a notification that `sender` sent, where
 * `has` are the capabilities of both sides that hold in this session.
 * ERR_UNSUPPORTED: *ret_fault is set.
 */
MUST_CHECK enum err method_find(const struct message *m, enum revision r,
                                unsigned sender, unsigned has, enum method *ret,
                                struct fault *ret_fault);

#endif
