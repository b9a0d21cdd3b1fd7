/*
 * refusal.h - the answers that the gateway gives by itself.
 *
 * Two forms, as MCP wants them.  What is wrong with a message is a JSON-RPC
 * error.  What a model asked for and does not get (a tool call that policy
 * denies, arguments that do not fit the tool, a limit) is a result with
 * isError, which the model reads: what the gateway says, a reason code and the
 * decision id that finds the case in the evidence.  Neither ever tells of
 * policies.
 *
 * An approval that is pending is no result, since it would read as done: it
 * is an error, with HTTP 403 (rule 20 of the guarantee).
 *
 * Pure; any thread.
 */
#ifndef MCP_REFUSAL_H
#define MCP_REFUSAL_H

#include "base/buf.h"
#include "codec/json_schema.h"
#include "mcp/message.h"
#include "mcp/revision.h"

struct refusal {
    struct fault fault;
    struct str decision; /* the decision's id, or empty: there was none */
    struct str ticket;   /* of an approval that is pending, or empty */
};

/* A fault for what a stage decided.  Its code is refusal_code(e), its text
 * err_text(e). */
struct fault refusal_of(enum err e);

/*
 * The JSON-RPC code of an error that is not about the form of a message:
 * FAULT_INTERNAL for what went wrong here or behind us (5xx), else the HTTP
 * status itself, which is outside of what JSON-RPC and MCP reserve.
 */
int refusal_code(enum err e);

/* The fault of arguments that do not fit a tool's schema: FAULT_PARAMS, with
 * the failure's place below "/params/arguments" and its sentence, copied into
 * `a`. */
struct fault refusal_of_arguments(struct arena *a, enum err e,
                                  const struct json_schema_failure *why);

/*
 * Appends {"jsonrpc":"2.0","id":…,"error":{code,message,data}}; data is
 * {reason, decision, pointer, ticket}, those that there are.
 */
void refusal_write_error(struct buf *to, struct message_id id,
                         const struct refusal *r);

/*
 * Appends a response whose result is {content: [one text], isError: true,
 * _meta: {"writ/reason", "writ/decision"}}.  Not for an approval that is
 * pending (asserted).
 */
void refusal_write_result(struct buf *to, struct message_id id,
                          const struct refusal *r);

/*
 * Is a refused tools/call answered as a result, or else as an error?  Results:
 * what was decided, limits, what failed behind us; and from 2025-11-25 on also
 * arguments that do not fit the schema, since that revision wants the model
 * to mend them.  Errors: the rest, a pending approval and 401.
 */
bool refusal_is_result(const struct refusal *r, enum revision revision);

#endif
