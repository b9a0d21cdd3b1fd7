/*
 * openai_usage.h - how an answer tells what it consumed and why it ended.
 */
#ifndef LLM_OPENAI_USAGE_H
#define LLM_OPENAI_USAGE_H

#include "llm/openai.h"

/* Evidence names the answering model by at most so many bytes. */
enum { OPENAI_USAGE_MODEL_MAX = 64 };

/* From a `usage` object; what it does not say is -1.  NULL is allowed. */
struct usage openai_usage_read(const struct json *usage);

/* What is unknown in `u` filled in by estimates, and marked so. */
struct usage openai_usage_complete(struct usage u, int64_t input_estimate,
                                   int64_t output_estimate);

/* "stop", "length", ... as static texts; "other" for an unknown word, empty
 * for none. */
struct str openai_usage_finish(struct str word);

/* At most OPENAI_USAGE_MODEL_MAX bytes, whole characters. */
struct str openai_usage_model(struct str model);

/* Tokens in so many bytes of text, rounded up. */
int64_t openai_usage_estimate(int64_t text_bytes);

#endif
