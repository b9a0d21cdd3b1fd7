/*
 * action.h - everything that can be done through the gateway, by name.
 *
 * The list is closed: policy, evidence and the schema know exactly these.
 */
#ifndef DOMAIN_ACTION_H
#define DOMAIN_ACTION_H

#include "base/str.h"

/* clang-format off */
#define ACTION_LIST(X)                                                         \
    X(ACTION_MODEL_INVOKE,       "model:invoke")                               \
    X(ACTION_MODEL_EMBED,        "model:embed")                                \
    X(ACTION_TOOL_LIST,          "tool:list")                                  \
    X(ACTION_TOOL_CALL,          "tool:call")                                  \
    X(ACTION_RESOURCE_READ,      "resource:read")                              \
    X(ACTION_PROMPT_GET,         "prompt:get")                                 \
    X(ACTION_SAMPLING_CREATE,    "sampling:create")                            \
    X(ACTION_AGENT_MESSAGE,      "agent:message")                              \
    X(ACTION_EGRESS_CONNECT,     "egress:connect")                             \
    X(ACTION_PROVIDER_TOOL,      "provider:tool")                              \
    X(ACTION_PROVIDER_STATE,     "provider:state")                             \
    X(ACTION_CREDENTIAL_ISSUE,   "credential:issue")                           \
    X(ACTION_TOKEN_EXCHANGE,     "token:exchange")                             \
    X(ACTION_APPROVAL_DECIDE,    "approval:decide")                            \
    X(ACTION_COMPLETION_GET,     "completion:get")                             \
    X(ACTION_ELICITATION_CREATE, "elicitation:create")                         \
    X(ACTION_HTTP_REQUEST,       "http:request")                               \
    X(ACTION_CONTENT_INSPECT,    "content:inspect")                            \
    X(ACTION_TASK_CREATE,        "task:create")                                \
    X(ACTION_TASK_COMPLETE,      "task:complete")                              \
    X(ACTION_SESSION_CLEAN,      "session:clean")                              \
    X(ACTION_PDP_EVALUATE,       "pdp:evaluate")                               \
    X(ACTION_EVIDENCE_READ,      "evidence:read")                              \
    X(ACTION_PAYLOAD_READ,       "payload:read")                               \
    X(ACTION_ADMIN_READ,         "admin:read")                                 \
    X(ACTION_POLICY_WRITE,       "policy:write")                               \
    X(ACTION_SECRET_WRITE,       "secret:write")                               \
    X(ACTION_AGENT_WRITE,        "agent:write")                                \
    X(ACTION_LIMIT_WRITE,        "limit:write")                                \
    X(ACTION_CONFIG_WRITE,       "config:write")                               \
    X(ACTION_REVOKE_WRITE,       "revoke:write")                               \
    X(ACTION_STOP_WRITE,         "stop:write")                                 \
    X(ACTION_BREAKGLASS_OPEN,    "breakglass:open")                            \
    X(ACTION_REVIEW_DECIDE,      "review:decide")                              \
    X(ACTION_EXEMPT_WRITE,       "exempt:write")                               \
    X(ACTION_TOOL_APPROVE,       "tool:approve")                               \
    X(ACTION_LEDGER_HOLD,        "ledger:hold")
/* clang-format on */

enum action_kind {
    ACTION_NONE = 0, /* denies */
#define X(name, text) name,
    ACTION_LIST(X)
#undef X
        ACTION_COUNT /* always last */
};

/* "model:invoke"; "" for none. */
struct str action_kind_name(enum action_kind kind);

#endif
