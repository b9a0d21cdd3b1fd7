/* openai_read.c - a caller's body to a request in decided form. */
#include "llm/openai.h"

#include <assert.h>

#include "base/attr.h"
#include "llm/openai_shapes.h"

struct str openai_path(enum llm_operation operation)
{
    static const struct str paths[] = {
        [LLM_NONE] = STR_INIT(""),
        [LLM_CHAT] = STR_INIT("/chat/completions"),
        [LLM_EMBEDDINGS] = STR_INIT("/embeddings"),
    };
    assert((unsigned)operation < ARRAY_LEN(paths));
    return paths[operation];
}

static struct llm_problem not_json(struct arena *a, enum err e,
                                   const struct json_error *why)
{
    struct llm_problem problem = {.err = e, .text = str_from(err_text(e))};
    struct str copy;
    struct buf text;
    buf_init(&text, 512);
    if (why->what != NULL &&
        buf_addf(&text, "the body cannot be read as JSON: %s at byte %zu",
                 why->what, why->offset) &&
        arena_copy(a, buf_str(&text), &copy))
        problem.text = copy;
    buf_release(&text);
    return problem;
}

static int64_t int_or(const struct json *v, int64_t other)
{
    int64_t i;
    return json_i64(v, &i) ? i : other;
}

static bool is_true(const struct json *v)
{
    bool b;
    return json_bool(v, &b) && b;
}

/* What the check has let through, taken out.  The cap has had two names: the
 * larger value counts, should both be there. */
static void take(const struct json *body, struct llm_request *r)
{
    const struct json *options = json_get(body, STR("stream_options"));
    int64_t now = int_or(json_get(body, STR("max_completion_tokens")), -1);
    int64_t legacy = int_or(json_get(body, STR("max_tokens")), -1);

    r->stream = is_true(json_get(body, STR("stream")));
    r->wants_usage = is_true(json_get(options, STR("include_usage")));
    r->max_tokens = now > legacy ? now : legacy;
}

enum err openai_read(struct arena *a, enum llm_operation operation,
                     struct str body, struct names allow,
                     struct llm_request *ret, struct llm_problem *ret_problem)
{
    struct llm_request r = {.operation = operation, .max_tokens = -1};
    struct json_error why = {0, NULL};

    enum err e = json_read(a, body, &r.body, &why);
    if (e != ERR_OK) {
        *ret_problem = not_json(a, e, &why);
        return e;
    }
    struct shape_walk w = {.a = a, .allow = allow, .ret_problem = ret_problem};
    assert(operation != LLM_NONE);
    e = shape_check(&w,
                    operation == LLM_CHAT ? &openai_shapes_chat
                                          : &openai_shapes_embeddings,
                    r.body);
    if (e != ERR_OK)
        return e;
    bool has_model = json_str(json_get(r.body, STR("model")), &r.model);
    assert(has_model);
    if (operation == LLM_CHAT)
        take(r.body, &r);
    r.input_estimate =
        (w.text_bytes + SHAPE_BYTES_PER_TOKEN - 1) / SHAPE_BYTES_PER_TOKEN;
    *ret = r;
    return ERR_OK;
}
