/* openai_answer.c - meters an answer that came whole. */
#include <string.h>

#include "llm/openai_usage.h"

/* Bytes of what the model wrote in one choice. */
static int64_t choice_bytes(const struct json *choice)
{
    const struct json *message = json_get(choice, STR("message"));
    const struct json *call;
    struct json_iter it = json_each(json_get(message, STR("tool_calls")));
    struct str s;
    int64_t bytes = 0;

    if (json_str(json_get(message, STR("content")), &s))
        bytes += (int64_t)s.len;
    if (json_str(json_get(message, STR("refusal")), &s))
        bytes += (int64_t)s.len;
    while (json_next(&it, NULL, &call)) {
        const struct json *function = json_get(call, STR("function"));
        const struct json *custom = json_get(call, STR("custom"));
        if (json_str(json_get(function, STR("arguments")), &s) ||
            json_str(json_get(custom, STR("input")), &s))
            bytes += (int64_t)s.len;
    }
    return bytes;
}

static struct openai_answer meter_chat(struct arena *a, struct str body,
                                       const struct llm_request *r)
{
    struct openai_answer answer = {.usage = USAGE_UNKNOWN, .failed = true};
    const struct json *v = NULL;
    int64_t bytes = 0;

    /* One that is only too large for the reader may be sound. */
    enum err e = json_read(a, body, &v, NULL);
    answer.garbage = e == ERR_MALFORMED;
    if (e == ERR_OK) {
        const struct json *choices = json_get(v, STR("choices"));
        const struct json *choice;
        struct json_iter it = json_each(choices);
        struct str s;
        while (json_next(&it, NULL, &choice)) {
            bytes += choice_bytes(choice);
            if (json_str(json_get(choice, STR("finish_reason")), &s))
                answer.finish = openai_usage_finish(s);
        }
        if (json_str(json_get(v, STR("model")), &s))
            answer.model = openai_usage_model(s);
        answer.usage = openai_usage_read(json_get(v, STR("usage")));
        answer.failed = json_type(choices) != JSON_ARRAY;
        answer.garbage = answer.failed;
    }
    answer.usage = openai_usage_complete(answer.usage, r->input_estimate,
                                         openai_usage_estimate(bytes));
    return answer;
}

/* The object that `s` begins with, by its brackets; empty when none ends. */
static struct str leading_object(struct str s)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else
                in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{') {
            depth++;
        } else if (c == '}' && --depth == 0) {
            return str_first(s, i + 1);
        }
        if (depth == 0)
            break;
    }
    return (struct str){NULL, 0};
}

static struct str skip_space(struct str s)
{
    size_t n = 0;
    while (n < s.len && (s.ptr[n] == ' ' || s.ptr[n] == '\t' ||
                         s.ptr[n] == '\r' || s.ptr[n] == '\n'))
        n++;
    return str_skip(s, n);
}

/* What follows the last `key` (with its quotes) and a colon. */
static struct str behind_last(struct str body, struct str key)
{
    struct str found = {NULL, 0};
    while (body.len > 0) {
        const char *at = memmem(body.ptr, body.len, key.ptr, key.len);
        if (at == NULL)
            break;
        body = str_skip(body, (size_t)(at - body.ptr) + key.len);
        struct str rest = skip_space(body);
        if (str_starts(rest, STR(":")))
            found = skip_space(str_skip(rest, 1));
    }
    return found;
}

/* Does `body` end as an object does? */
static bool is_closed(struct str body)
{
    while (body.len > 0 && skip_space(str_skip(body, body.len - 1)).len == 0)
        body.len--;
    return body.len > 0 && body.ptr[body.len - 1] == '}';
}

/* The string that `s` begins with, when nothing in it is escaped. */
static struct str leading_string(struct str s)
{
    struct str text = str_skip(s, 1);
    text = str_first(text, str_find(text, '"'));
    if (!str_starts(s, STR("\"")) || str_find(text, '\\') < text.len)
        text.len = 0;
    return text;
}

/*
 * Embeddings are megabytes of numbers, more than the reader takes, around one
 * small object.  No other member of theirs is called `usage`, and inside a
 * string its quotes would be escaped, so the object can be found by its key.
 */
static struct openai_answer meter_embeddings(struct arena *a, struct str body,
                                             const struct llm_request *r)
{
    struct openai_answer answer = {.usage = USAGE_UNKNOWN};
    const struct json *v = NULL;

    struct str s = leading_object(behind_last(body, STR("\"usage\"")));
    if (s.len > 0 && json_read(a, s, &v, NULL) == ERR_OK)
        answer.usage = openai_usage_read(v);
    s = openai_usage_model(leading_string(behind_last(body, STR("\"model\""))));
    if (s.len > 0 && !arena_copy(a, s, &answer.model))
        answer.model.len = 0;
    answer.failed =
        behind_last(body, STR("\"data\"")).len == 0 || !is_closed(body);
    answer.garbage = answer.failed;
    answer.usage.output_tokens = 0; /* an embedding is no text */
    answer.usage = openai_usage_complete(answer.usage, r->input_estimate, 0);
    return answer;
}

struct openai_answer openai_meter(struct arena *a, struct str body,
                                  const struct llm_request *r)
{
    return r->operation == LLM_EMBEDDINGS ? meter_embeddings(a, body, r)
                                          : meter_chat(a, body, r);
}
