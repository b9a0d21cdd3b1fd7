/*
 * limit_fields.h - what is left of the limits, as response fields.
 *
 *     x-ratelimit-limit-requests, -remaining-requests, -reset-requests
 *     x-ratelimit-limit-tokens, -remaining-tokens, -reset-tokens
 *
 * as OpenAI names them; a reset is a duration: "43200s", "200ms".
 */
#ifndef PIPELINE_LIMIT_FIELDS_H
#define PIPELINE_LIMIT_FIELDS_H

#include <stddef.h>

#include "http/message.h"
#include "limit/limit.h"

enum { LIMIT_FIELDS_MAX = 6, LIMIT_FIELDS_TEXT = 32 };

/* The texts that the fields borrow. */
struct limit_fields_room {
    char text[LIMIT_FIELDS_MAX][LIMIT_FIELDS_TEXT];
};

/* Writes the fields to `to`, of LIMIT_FIELDS_MAX; returns how many. */
size_t limit_fields_write(const struct limit_answer *a,
                          struct limit_fields_room *room,
                          struct http_field *to);

/* Seconds to wait, rounded up, at least 1: the value of retry-after. */
struct str limit_fields_retry_after(int64_t retry_ms,
                                    char to[LIMIT_FIELDS_TEXT]);

#endif
