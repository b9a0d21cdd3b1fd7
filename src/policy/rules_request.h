/*
 * rules_request.h - a question to the rules; a part of rules.h.
 */
#ifndef POLICY_RULES_REQUEST_H
#define POLICY_RULES_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "domain/action.h"
#include "domain/label.h"
#include "domain/principal.h"
#include "domain/settings.h"

struct json;

/* What the registry says about a link; texts borrowed for the call. */
struct rules_link {
    struct str name;
    struct str owner; /* entity id; empty: none */
    const struct str *purposes;
    size_t purpose_count;
    struct str mode; /* "delegated", ... */
    uint32_t risk;   /* ceiling */
};

/* Where it would go.  No provider: nothing leaves (a list of models). */
struct rules_destination {
    struct str provider, host, region;
};

struct rules_session {
    uint64_t calls, tokens;
    int64_t age_ms;
    const struct labels *labels; /* NULL: not known, as every one */
};

/*
 * A tool, where the resource is one: Writ::Tool::"<server>/<tool>" in
 * Writ::ToolServer::"<server>", with the attributes server, name, risk,
 * labels (what it yields), clearance, pinned.  Writ::Resource::"<server>/<uri>"
 * and Writ::Prompt::"<server>/<name>" have the same, but for pinned; the type
 * is the request's resource_type, its resource "<server>/<name>".  A call is
 * Writ::Action::"tool:call/<server>/<tool>" in Writ::Action::"tool:call", with
 * `arguments` as context.input (rule "Typed arguments"): a JSON object becomes
 * a record, an array a set, an integer a Long, `number` of the schema a
 * decimal; what has no Cedar type (null, a number out of range) is left out,
 * and context.input_opaque is true then.  Where the call is decided for one
 * element of an array, that is context.element.  Of arguments with more than
 * RULES_INPUT_VALUES_MAX values there is neither, and input_opaque is true.
 */
struct rules_tool {
    struct str server;
    struct str name; /* empty: the server itself, or what `resource` says */
    uint32_t risk;   /* enum risk, or-ed */
    const struct names *yields, *clearance;
    bool pinned;                  /* as it was approved */
    const struct json *schema;    /* of the arguments; NULL: not known */
    const struct json *arguments; /* an object; NULL: none */
    const struct json *element;   /* one of `arguments`; NULL: none */
    /* For a list: could it be called with some arguments?  There is no input
     * then; a permit that fails for want of it counts, a forbid does not. */
    bool any_arguments;
};

/* Forbids that people have lifted for this action, by the policies' ids, and
 * the groups that these people spoke for: a policy that asks another group by
 * now is not lifted. */
struct rules_lifted {
    const struct str *policies;
    size_t count;
    const struct str *groups; /* as many; NULL: whichever they ask */
};

struct rules_request {
    const struct chain *chain;
    const struct rules_link *links; /* as many as the chain has */
    enum action_kind action;
    struct str resource_type; /* "Model" */
    struct str resource;      /* alias */
    struct str tenant;        /* that all links must be of */
    struct rules_destination destination;
    struct str purpose, task;            /* or empty */
    const struct labels *labels;         /* of the request; NULL: not known */
    const struct rules_session *session; /* NULL: none */
    bool supervised;               /* the root is a person who is present */
    uint64_t tokens;               /* estimate */
    int64_t now_us;                /* Unix time */
    struct str ip;                 /* of the caller, without a port; or empty */
    const struct rules_tool *tool; /* NULL: it is no tool or server of tools */
    uint32_t risk;                 /* of the action, enum risk or-ed */
    const struct rules_lifted *lifted; /* NULL: none; rule "Algebra", pass 2 */
};

#endif
