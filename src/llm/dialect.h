/*
 * dialect.h - a model request in decided form, whatever the wire format.
 *
 * A dialect reads a caller's body with an allow-list, writes the body that
 * goes out from what it read (one reading: what was decided is what is sent),
 * and meters the answer on its way back.
 */
#ifndef LLM_DIALECT_H
#define LLM_DIALECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "codec/json.h"
#include "domain/usage.h"

enum llm_operation { LLM_NONE = 0, LLM_CHAT, LLM_EMBEDDINGS };

struct llm_request {
    enum llm_operation operation;
    const struct json *body; /* as read; lives in the arena it was read into */
    struct str model;        /* the alias that was asked for */
    bool stream;
    bool wants_usage;       /* the caller asked to see usage in the stream */
    int64_t max_tokens;     /* the caller's cap on output; -1: none */
    int64_t input_estimate; /* tokens, from the size of the text */
};

/* What was wrong with a request; all of it may be shown to the caller. */
struct llm_problem {
    enum err err;
    struct str param; /* "messages[3].content[0].type", or empty */
    struct str text;  /* a sentence; in the arena */
};

#endif
