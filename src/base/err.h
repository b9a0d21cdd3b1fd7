/*
 * err.h - every way an operation can fail, in one list.
 *
 * Functions that can fail return `enum err`; ERR_OK is 0.  Results travel in
 * `ret_` out-parameters, which are written on success only.  An error says
 * what the *caller* can do about it; the details go to the log, once, at the
 * place that handles the error (never on the way up).
 *
 * `code` is the reason that a client's program may switch on; it is part of
 * the public contract.  `text` is for people and never carries a secret.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/* clang-format off */
/*    name                  HTTP  code                    text               */
#define ERR_LIST(X)                                                            \
    X(ERR_OK,               200, "ok",                   "ok")                 \
    X(ERR_NO_MEMORY,        503, "out_of_memory",        "the gateway is out of memory for this request") \
    X(ERR_LIMIT,            413, "too_large",            "the request exceeds a limit")            \
    X(ERR_HEAD_LIMIT,       431, "head_too_large",       "the request head exceeds a limit")       \
    X(ERR_MALFORMED,        400, "malformed",            "the request is malformed")               \
    X(ERR_UNKNOWN_FIELD,    400, "unknown_field",        "the request has a field that the gateway does not know") \
    X(ERR_UNSUPPORTED,      400, "unsupported",          "the request asks for something that the gateway does not do") \
    X(ERR_MEDIA_TYPE,       415, "unsupported_media_type", "the body is not in a format that this path takes") \
    X(ERR_UNAUTHENTICATED,  401, "invalid_credential",   "no valid credential was presented")      \
    X(ERR_DENIED,           403, "denied",               "policy denies this action")              \
    X(ERR_UNREGISTERED,     403, "not_registered",       "the identity is proven but not registered") \
    X(ERR_INACTIVE,         403, "not_active",           "the identity or its owner is not active") \
    X(ERR_SUBJECT,          403, "subject_required",     "this agent may act only for a person")   \
    X(ERR_QUARANTINED,      403, "tool_quarantined",     "the tool is not as it was approved; an administrator has to look at it") \
    X(ERR_ORIGIN,           403, "origin_refused",       "this origin or host may not talk to the gateway") \
    X(ERR_APPROVAL_PENDING, 403, "approval_pending",     "a person has to approve this action first") \
    X(ERR_NOT_FOUND,        404, "not_found",            "there is nothing at this path")          \
    X(ERR_METHOD,           405, "method_not_allowed",   "this path does not take that method")    \
    X(ERR_CONFLICT,         409, "conflict",             "there is one of that name already, or its state does not allow this") \
    X(ERR_REVOKED,          401, "revoked",              "the credential or session was revoked")  \
    X(ERR_RATE,             429, "rate_limited",         "too many requests")                      \
    X(ERR_BUDGET,           429, "budget_exhausted",     "the budget is used up")                  \
    X(ERR_EVIDENCE,         503, "evidence_unavailable", "evidence cannot be written, so nothing goes out") \
    X(ERR_KEEPER,           503, "keeper_unavailable",   "the key process does not answer")        \
    X(ERR_NO_ROUTE,         503, "no_destination",       "no destination is available for this model") \
    X(ERR_OVERLOAD,         503, "overloaded",           "the gateway is at its limit of work")    \
    X(ERR_SHUTDOWN,         503, "shutting_down",        "the gateway is shutting down")           \
    X(ERR_CREDENTIAL,       502, "no_credential",        "no credential fits this destination")    \
    X(ERR_CONNECT,          502, "upstream_connect",     "the destination cannot be reached")      \
    X(ERR_UPSTREAM,         502, "upstream_failed",      "the destination gave no usable answer")  \
    X(ERR_TIMEOUT,          504, "upstream_timeout",     "the destination did not answer in time") \
    X(ERR_SLOW_CLIENT,      408, "request_timeout",      "the request did not arrive in time")     \
    X(ERR_CLOSED,           499, "client_closed",        "the client closed the connection")       \
    X(ERR_STORE,            503, "store_unavailable",    "the store does not answer")              \
    X(ERR_IO,               500, "io_error",             "an input or output operation failed")    \
    X(ERR_CORRUPT,          500, "corrupt",              "stored data does not verify")            \
    X(ERR_CONFIG,           500, "bad_config",           "the configuration is not valid")         \
    X(ERR_INTERNAL,         500, "internal",             "an internal error; the decision id finds it in the log")
/* clang-format on */

enum err {
#define X(name, http, code, text) name,
    ERR_LIST(X)
#undef X
        ERR_COUNT /* always last */
};

/* The views of an error; `e` out of range is a bug and asserts. */
const char *err_name(enum err e);
const char *err_code(enum err e);
const char *err_text(enum err e);
int err_http_status(enum err e);

#endif
