/*
 * openai.h - OpenAI's Chat Completions, Embeddings and Models.
 *
 * Source: openai-openapi 2.3.0; the facts stand in docs where they matter.
 * Pure: bytes in, bytes out, no I/O.
 */
#ifndef LLM_OPENAI_H
#define LLM_OPENAI_H

#include "codec/sse.h"
#include "domain/settings.h"
#include "llm/dialect.h"

/*
 * Reads a request body.  A field, tool type or content part that is not on
 * the list is ERR_UNKNOWN_FIELD; ret->text then names the line of config that
 * would allow it (`providers.<name>.allow_fields`).  What would make the
 * provider act or remember by itself (web search, store: true, a remote
 * image URL) is ERR_DENIED.  ERR_MALFORMED, ERR_LIMIT as json_read().
 * On error *ret_problem is set and *ret is not.  `allow` are fields that pass
 * unread, as paths without indices ("thinking", "messages[].reasoning"); an
 * unknown word in a field that is named there passes, too.  What is denied
 * stays denied.
 */
MUST_CHECK enum err openai_read(struct arena *a, enum llm_operation operation,
                                struct str body, struct names allow,
                                struct llm_request *ret,
                                struct llm_problem *ret_problem);

/*
 * Appends the outgoing body: what was read, with `model` as the destination
 * calls it, and, in a stream, usage always asked for.  Check buf_ok().
 */
void openai_write(struct buf *to, const struct llm_request *r,
                  struct str model);

/*
 * Tokens that a request may cost, to be reserved from budgets before it is
 * sent; what it really cost is known later.  Rather too many than too few:
 *
 *     input    a token for every three bytes of what the model reads, rounded
 *              up; OPENAI_ESTIMATE_MESSAGE for each message around its text;
 *              OPENAI_ESTIMATE_PART for each image, sound or file, whatever
 *              its size
 *     output   the larger of max_completion_tokens and max_tokens, or where
 *              there is neither OPENAI_ESTIMATE_OUTPUT; times n.  Embeddings
 *              have none.
 */
enum {
    OPENAI_ESTIMATE_BYTES = 3,
    OPENAI_ESTIMATE_MESSAGE = 4,
    OPENAI_ESTIMATE_PART = 1600,
    OPENAI_ESTIMATE_OUTPUT = 4096,
};
uint64_t openai_estimate(const struct llm_request *r);

/* "/chat/completions" or "/embeddings", behind the provider's path. */
struct str openai_path(enum llm_operation operation);

/* What the meter saw in an answer. */
struct openai_answer {
    struct usage usage;
    struct str model;  /* copied into the meter, at most 64 bytes */
    struct str finish; /* "stop", "length", …; a static text, or empty */
    bool failed;       /* an in-stream error, or a stream without an end */
    bool garbage;      /* a whole answer that is none in this dialect */
};

/* Reads a whole, unstreamed answer.  Never fails: unknown is unknown. */
struct openai_answer openai_meter(struct arena *a, struct str body,
                                  const struct llm_request *r);

/*
 * Meters a streamed answer.  Feed it what came; it appends to `to` what the
 * caller may see: the events as they came, without what the caller did not
 * ask for.  Events are handled whole, however the bytes were cut; comments,
 * ids and whatever follows `data: [DONE]` are left out.
 *
 * Where the provider does not say, output is estimated: a token for every
 * four bytes of what the model wrote (as escaped in JSON), but at least one
 * for every event that carried some.
 *
 * Of `r`, which must outlive the stream, only the numbers and flags are used.
 */
struct openai_stream;
MUST_CHECK enum err openai_stream_new(struct arena *a,
                                      const struct llm_request *r,
                                      struct openai_stream **ret);
/* Frees what is not in the arena.  NULL is allowed. */
void openai_stream_free(struct openai_stream *s);
/* ERR_LIMIT: an event over SSE_EVENT_MAX, or `to` is full. */
MUST_CHECK enum err openai_stream_feed(struct openai_stream *s,
                                       struct str bytes, struct buf *to);
/* The end of the bytes (or the place where it was cut): what was counted so
 * far, estimated where the provider did not say.  Borrowed from `s`. */
struct openai_answer openai_stream_answer(const struct openai_stream *s);
/* True once `data: [DONE]` has passed. */
bool openai_stream_done(const struct openai_stream *s);

/* An event that tells a caller in mid-stream why it ends. */
void openai_stream_error(struct buf *to, enum err e, struct str text);

/* An error body, {"error":{message,type,param,code}}. */
void openai_error(struct buf *to, enum err e, struct str text,
                  struct str param);

/* The body of GET /v1/models for these names, at a creation time of 0. */
void openai_models(struct buf *to, const struct str *names, size_t n);
/* One model of it, for GET /v1/models/{id}. */
void openai_model(struct buf *to, struct str name);

/* True for a status that may be repeated: 408, 409, 429 and 5xx, but not a
 * 429 with code insufficient_quota. */
bool openai_retryable(int status, struct str body);

#endif
