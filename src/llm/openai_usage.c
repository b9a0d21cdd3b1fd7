/* openai_usage.c - see openai_usage.h. */
#include "llm/openai_usage.h"

#include "base/attr.h"
#include "base/text.h"

enum { BYTES_PER_TOKEN = 4 };

/* A count is a whole number from 0; anything else is unknown. */
static int64_t count(const struct json *v)
{
    int64_t n;
    return json_i64(v, &n) && n >= 0 ? n : -1;
}

struct usage openai_usage_read(const struct json *usage)
{
    const struct json *in = json_get(usage, STR("prompt_tokens_details"));
    const struct json *out = json_get(usage, STR("completion_tokens_details"));
    return (struct usage){
        .input_tokens = count(json_get(usage, STR("prompt_tokens"))),
        .output_tokens = count(json_get(usage, STR("completion_tokens"))),
        .cached_tokens = count(json_get(in, STR("cached_tokens"))),
        .reasoning_tokens = count(json_get(out, STR("reasoning_tokens"))),
    };
}

struct usage openai_usage_complete(struct usage u, int64_t input_estimate,
                                   int64_t output_estimate)
{
    if (u.input_tokens < 0) {
        u.input_tokens = input_estimate;
        u.estimated = true;
    }
    if (u.output_tokens < 0) {
        u.output_tokens = output_estimate;
        u.estimated = true;
    }
    return u;
}

struct str openai_usage_finish(struct str word)
{
    static const struct str words[] = {
        STR_INIT("stop"),          STR_INIT("length"),
        STR_INIT("tool_calls"),    STR_INIT("content_filter"),
        STR_INIT("function_call"),
    };
    if (word.len == 0)
        return (struct str){NULL, 0};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_eq(words[i], word))
            return words[i];
    }
    return STR("other");
}

struct str openai_usage_model(struct str model)
{
    size_t n = 0;
    while (n < model.len) {
        size_t len = text_utf8_len(str_skip(model, n));
        if (len == 0 || n + len > OPENAI_USAGE_MODEL_MAX)
            break;
        n += len;
    }
    return str_first(model, n);
}

int64_t openai_usage_estimate(int64_t text_bytes)
{
    return (text_bytes + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN;
}
