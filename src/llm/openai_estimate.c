/* openai_estimate.c - what a request may cost, before it is sent. */
#include "llm/openai.h"
#include "llm/shape.h"

static bool is_part(const struct json *part)
{
    static const struct str types[] = {STR_INIT("image_url"),
                                       STR_INIT("input_audio"),
                                       STR_INIT("file")};
    struct str type;

    if (!json_str(json_get(part, STR("type")), &type))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (str_eq(type, types[i]))
            return true;
    }
    return false;
}

/* What is not counted as text: the frame of each message, and its media. */
static uint64_t around(const struct json *messages)
{
    const struct json *message;
    const struct json *part;
    uint64_t tokens = 0;

    for (struct json_iter m = json_each(messages);
         json_next(&m, NULL, &message);) {
        const struct json *content = json_get(message, STR("content"));
        tokens += OPENAI_ESTIMATE_MESSAGE;
        if (json_type(content) != JSON_ARRAY)
            continue;
        for (struct json_iter p = json_each(content);
             json_next(&p, NULL, &part);)
            tokens += is_part(part) ? OPENAI_ESTIMATE_PART : 0;
    }
    return tokens;
}

static uint64_t output(const struct llm_request *r)
{
    uint64_t each =
        r->max_tokens >= 0 ? (uint64_t)r->max_tokens : OPENAI_ESTIMATE_OUTPUT;
    int64_t n = 1;

    if (!json_i64(json_get(r->body, STR("n")), &n) || n < 1)
        n = 1;
    uint64_t all;
    return __builtin_mul_overflow(each, (uint64_t)n, &all) ? UINT64_MAX / 2
                                                           : all;
}

uint64_t openai_estimate(const struct llm_request *r)
{
    /* The reader counted the bytes while it looked at every text; what it
     * rounded up is rounded up here, too. */
    uint64_t bytes = r->input_estimate < 0
                         ? 0
                         : (uint64_t)r->input_estimate * SHAPE_BYTES_PER_TOKEN;
    uint64_t tokens =
        (bytes + OPENAI_ESTIMATE_BYTES - 1) / OPENAI_ESTIMATE_BYTES;

    if (r->operation != LLM_CHAT)
        return tokens;
    return tokens + around(json_get(r->body, STR("messages"))) + output(r);
}
