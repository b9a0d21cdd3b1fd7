/*
 * model_relay.h - an answer on its way from the destination to the caller.
 *
 * The head is kept when it comes; the body is then either read whole (plain
 * answers: one write for head and body) or streamed, pulled by the caller's
 * connection, metered and hashed on its way.  A relay outlives its action
 * when a stream is cut: it then still tells the caller why.
 */
#ifndef PIPELINE_MODEL_RELAY_H
#define PIPELINE_MODEL_RELAY_H

#include "base/str.h"
#include "http/message.h"
#include "pipeline/stage.h"

struct action;

/* Keeps of the head what a caller may see.  NEXT, or STOP. */
MUST_CHECK enum step
model_relay_keep_head(struct action *a, const struct http_response_head *head);

/* Keeps the body of an answer that is an error.  NEXT, or STOP. */
MUST_CHECK enum step model_relay_keep_error(struct action *a, struct str body);

/* Forgets what was kept, when nothing was started. */
void model_relay_drop(struct action *a);

#endif
