/*
 * rules_shapes.h - the forms of the records that a request is made of, with
 * the names of their members, prepared once.
 *
 * This is the vocabulary of docs/policy.md; a test compares the two.
 */
#ifndef POLICY_RULES_SHAPES_H
#define POLICY_RULES_SHAPES_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "cedar/cedar_value.h"

/* clang-format off */
/*    name, its text */
#define SHAPE_CONTEXT(X)                                                       \
    X(CONTEXT_AUTH,        "auth")        X(CONTEXT_CHAIN,    "chain")         \
    X(CONTEXT_DESTINATION, "destination") X(CONTEXT_ELEMENT,  "element")       \
    X(CONTEXT_ESTIMATE,    "estimate")    X(CONTEXT_INPUT,    "input")         \
    X(CONTEXT_INPUT_OPAQUE, "input_opaque")                                    \
    X(CONTEXT_IP,          "ip")          X(CONTEXT_LABELS,   "labels")        \
    X(CONTEXT_LINK,        "link")        X(CONTEXT_PURPOSE,  "purpose")       \
    X(CONTEXT_SESSION,     "session")     X(CONTEXT_TASK,     "task")          \
    X(CONTEXT_TENANT,      "tenant")      X(CONTEXT_TIME,     "time")
#define SHAPE_AUTH(X)                                                          \
    X(AUTH_ACR,    "acr")                 X(AUTH_AGE,   "age")                 \
    X(AUTH_BOUND,  "bound")               X(AUTH_METHOD, "method")
#define SHAPE_CHAIN(X)                                                         \
    X(CHAIN_DEPTH, "depth")               X(CHAIN_HISTORY, "history")          \
    X(CHAIN_MEMBERS, "members")           X(CHAIN_ROOT,  "root")               \
    X(CHAIN_SUPERVISED, "supervised")
#define SHAPE_DESTINATION(X)                                                   \
    X(DESTINATION_HOST, "host")           X(DESTINATION_PROVIDER, "provider")  \
    X(DESTINATION_REGION, "region")
#define SHAPE_ESTIMATE(X)                                                      \
    X(ESTIMATE_TOKENS, "tokens")
#define SHAPE_LINK(X)                                                          \
    X(LINK_INDEX,  "index")               X(LINK_ROLE,  "role")
#define SHAPE_SESSION(X)                                                       \
    X(SESSION_AGE, "age")                 X(SESSION_CALLS, "calls")            \
    X(SESSION_LABELS, "labels")           X(SESSION_TOKENS, "tokens")
#define SHAPE_PRINCIPAL(X)                                                     \
    X(PRINCIPAL_ISSUER, "issuer")         X(PRINCIPAL_KIND, "kind")            \
    X(PRINCIPAL_MODE,   "mode")           X(PRINCIPAL_NAME, "name")            \
    X(PRINCIPAL_OWNER,  "owner")          X(PRINCIPAL_PURPOSES, "purposes")    \
    X(PRINCIPAL_RISK,   "risk")           X(PRINCIPAL_STATE, "state")          \
    X(PRINCIPAL_TENANT, "tenant")
#define SHAPE_RESOURCE(X)                                                      \
    X(RESOURCE_NAME, "name")
#define SHAPE_TOOL(X)                                                          \
    X(TOOL_CLEARANCE, "clearance")        X(TOOL_LABELS, "labels")             \
    X(TOOL_NAME,   "name")                X(TOOL_PINNED, "pinned")             \
    X(TOOL_RISK,   "risk")                X(TOOL_SERVER, "server")

#define SHAPES(X)                                                              \
    X(CONTEXT, SHAPE_CONTEXT)             X(AUTH,      SHAPE_AUTH)             \
    X(CHAIN,   SHAPE_CHAIN)               X(DESTINATION, SHAPE_DESTINATION)    \
    X(ESTIMATE, SHAPE_ESTIMATE)           X(LINK,      SHAPE_LINK)             \
    X(SESSION, SHAPE_SESSION)             X(PRINCIPAL, SHAPE_PRINCIPAL)        \
    X(RESOURCE, SHAPE_RESOURCE)           X(TOOL,      SHAPE_TOOL)
/* clang-format on */

/* SHAPE_CONTEXT_AUTH, ..., SHAPE_CONTEXT_COUNT: positions of values. */
#define X(name, text) SHAPE_##name,
#define Y(name, list) enum { list(X) SHAPE_##name##_COUNT };
SHAPES(Y)
#undef Y
#undef X

enum rules_shape {
#define X(name, list) RULES_SHAPE_##name,
    SHAPES(X)
#undef X
        RULES_SHAPES_COUNT /* always last */
};

struct rules_shapes {
    const struct cedar_shape *at[RULES_SHAPES_COUNT];
};

/* Into `a`.  ERR_NO_MEMORY. */
MUST_CHECK enum err rules_shapes_init(struct rules_shapes *s, struct arena *a);

/* "context", "auth", ...; the name of the nth member, empty behind the last. */
struct str rules_shapes_member(enum rules_shape shape, size_t nth);

#endif
