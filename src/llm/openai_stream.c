/*
 * openai_stream.c - meters and passes on a streamed answer.
 *
 * Thousands of streams run at once and an event is a few tokens, so an event
 * is searched, not parsed.  A member is found by its name with both quotes:
 * inside a string they would be escaped, so what is found and followed by a
 * colon is a member.  Only events that carry usage or an error are parsed.
 */
#include <string.h>

#include "base/limits.h"
#include "llm/openai_usage.h"

/* Memory to parse one event; twice the text and its tree. */
enum { EVENT_ARENA_MAX = 32 * 1024 * 1024 };

struct openai_stream {
    struct sse_reader reader;
    const struct llm_request *request;
    struct buf *to; /* while feeding */
    struct usage usage;
    int64_t text_bytes;  /* that the model wrote, as escaped in JSON */
    int64_t text_events; /* that carried some of it */
    struct str finish;
    size_t model_len;
    char model[OPENAI_USAGE_MODEL_MAX];
    bool error_seen;
    bool done;
};

enum err openai_stream_new(struct arena *a, const struct llm_request *r,
                           struct openai_stream **ret)
{
    struct openai_stream *s = ARENA_NEW(a, struct openai_stream, 1);
    if (s == NULL)
        return ERR_LIMIT;
    sse_reader_init(&s->reader, SSE_EVENT_MAX);
    s->request = r;
    s->usage = USAGE_UNKNOWN;
    *ret = s;
    return ERR_OK;
}

void openai_stream_free(struct openai_stream *s)
{
    if (s != NULL)
        sse_reader_release(&s->reader);
}

static struct str skip_space(struct str s)
{
    size_t n = 0;
    while (n < s.len && (s.ptr[n] == ' ' || s.ptr[n] == '\t' ||
                         s.ptr[n] == '\n' || s.ptr[n] == '\r'))
        n++;
    return str_skip(s, n);
}

/*
 * What follows the first member called `key` (given with its quotes) in
 * `s`, colon and blanks skipped; empty when there is none.
 */
static struct str value_of(struct str s, struct str key)
{
    while (s.len > key.len) {
        const char *at = memmem(s.ptr, s.len, key.ptr, key.len);
        if (at == NULL)
            break;
        s = str_skip(s, (size_t)(at - s.ptr) + key.len);
        struct str rest = skip_space(s);
        if (str_starts(rest, STR(":")))
            return skip_space(str_skip(rest, 1));
    }
    return (struct str){NULL, 0};
}

/* The text between the quotes that `s` begins with, as escaped. */
static struct str string_in(struct str s)
{
    if (!str_starts(s, STR("\"")))
        return (struct str){NULL, 0};
    size_t n = 1;
    while (n < s.len && s.ptr[n] != '"')
        n += s.ptr[n] == '\\' ? 2 : 1;
    return n < s.len ? (struct str){s.ptr + 1, n - 1} : (struct str){NULL, 0};
}

/* All strings called `key`; their bytes. */
static int64_t count_strings(struct str s, struct str key)
{
    int64_t bytes = 0;
    while (s.len > 0) {
        s = value_of(s, key);
        bytes += (int64_t)string_in(s).len;
    }
    return bytes;
}

/* Estimates what one event holds of the model's words. */
static void count_text(struct openai_stream *s, struct str data)
{
    struct str delta = value_of(data, STR("\"delta\""));
    int64_t bytes = 0;
    if (delta.len == 0)
        return;
    bytes += count_strings(delta, STR("\"content\""));
    if (value_of(delta, STR("\"tool_calls\"")).len > 0) {
        bytes += count_strings(delta, STR("\"arguments\""));
        bytes += count_strings(delta, STR("\"input\""));
    }
    if (bytes == 0) {
        bytes += count_strings(delta, STR("\"refusal\""));
        bytes += count_strings(delta, STR("\"reasoning_content\""));
    }
    if (bytes > 0) {
        s->text_bytes += bytes;
        s->text_events++;
    }
}

static void note_model(struct openai_stream *s, struct str data)
{
    struct str model = string_in(value_of(data, STR("\"model\"")));
    if (str_find(model, '\\') < model.len)
        return; /* no model is called that */
    model = openai_usage_model(model);
    if (model.len > 0)
        memcpy(s->model, model.ptr, model.len);
    s->model_len = model.len;
}

static void note_finish(struct openai_stream *s, struct str data)
{
    while (data.len > 0) {
        data = value_of(data, STR("\"finish_reason\""));
        struct str word = string_in(data);
        if (word.len > 0)
            s->finish = openai_usage_finish(word);
    }
}

static void pass(struct openai_stream *s, const struct sse_event *e)
{
    sse_write(s->to, e->type, e->data);
}

/* `data` without its member usage, which the caller did not ask for. */
static void pass_without_usage(struct openai_stream *s,
                               const struct sse_event *e, const struct json *v)
{
    static const struct json_patch drop = {STR_INIT("usage"), {NULL, 0}};
    struct buf text;
    buf_init(&text, 2 * SSE_EVENT_MAX);
    json_write(&text, v, &drop, 1);
    if (buf_ok(&text))
        sse_write(s->to, e->type, buf_str(&text));
    else
        s->to->failed = true;
    buf_release(&text);
}

/* The last word counts, but saying nothing takes no word back. */
static void note_usage(struct openai_stream *s, struct usage u)
{
    if (u.input_tokens >= 0 || u.output_tokens >= 0)
        s->usage = u;
}

/* The slow way: an event with usage, an error, or blanks that a search for
 * fixed bytes does not expect. */
static void parse_event(struct openai_stream *s, const struct sse_event *e)
{
    struct arena a;
    const struct json *v = NULL;
    arena_init(&a, EVENT_ARENA_MAX);

    if (json_read(&a, e->data, &v, NULL) != ERR_OK) {
        pass(s, e); /* no JSON: nothing in it to count or to take out */
    } else {
        const struct json *usage = json_get(v, STR("usage"));
        const struct json *error = json_get(v, STR("error"));
        const struct json *choices = json_get(v, STR("choices"));
        bool has_usage = json_type(usage) == JSON_OBJECT;
        if (has_usage)
            note_usage(s, openai_usage_read(usage));
        if (json_type(error) != JSON_NONE && json_type(error) != JSON_NULL)
            s->error_seen = true;
        if (usage == NULL || s->request->wants_usage)
            pass(s, e);
        else if (!has_usage || json_count(choices) > 0)
            pass_without_usage(s, e, v);
    }
    arena_release(&a);
}

/* The bytes that every chunk but the last carries once usage is asked for. */
static const char no_usage[] = ",\"usage\":null";
enum { NO_USAGE_LEN = sizeof(no_usage) - 1 };

/* Passes an event with `,"usage":null` at `at` taken out. */
static void pass_cut(struct openai_stream *s, const struct sse_event *e,
                     const char *at)
{
    const char *after = at + NO_USAGE_LEN;
    const char *end = e->data.ptr + e->data.len;
    (void)BUF_LIT(s->to, "data: ");
    (void)buf_add(s->to, (struct str){e->data.ptr, (size_t)(at - e->data.ptr)});
    (void)buf_add(s->to, (struct str){after, (size_t)(end - after)});
    (void)BUF_LIT(s->to, "\n\n");
}

/* The one `,"usage":null` in `data`; NULL: none, or not so simple. */
static const char *lone_null(struct str data, struct str usage)
{
    static const char key[] = "\"usage\"";
    if (!str_starts(usage, STR("null")) ||
        memmem(usage.ptr, usage.len, key, sizeof(key) - 1) != NULL)
        return NULL;
    if (usage.ptr + 4 - data.ptr < NO_USAGE_LEN)
        return NULL;
    const char *at = usage.ptr + 4 - NO_USAGE_LEN;
    return memcmp(at, no_usage, NO_USAGE_LEN) == 0 ? at : NULL;
}

static void pass_chunk(struct openai_stream *s, const struct sse_event *e)
{
    struct str usage = value_of(e->data, STR("\"usage\""));
    bool has_error = value_of(e->data, STR("\"error\"")).len > 0;
    const char *null_at = usage.len > 0 ? lone_null(e->data, usage) : NULL;
    bool is_one_line =
        e->type.len == 0 && str_find(e->data, '\n') == e->data.len;

    bool is_plain = !has_error && (usage.len == 0 || null_at != NULL);

    if (is_plain && (usage.len == 0 || s->request->wants_usage))
        pass(s, e);
    else if (is_plain && is_one_line)
        pass_cut(s, e, null_at);
    else
        parse_event(s, e);
}

static bool on_event(void *user, const struct sse_event *e)
{
    struct openai_stream *s = user;
    if (s->done)
        return true; /* nothing comes after the end */
    if (str_eq(skip_space(e->data), STR("[DONE]"))) {
        s->done = true;
        pass(s, e);
        return buf_ok(s->to);
    }
    if (s->model_len == 0)
        note_model(s, e->data);
    count_text(s, e->data);
    note_finish(s, e->data);
    pass_chunk(s, e);
    return buf_ok(s->to);
}

enum err openai_stream_feed(struct openai_stream *s, struct str bytes,
                            struct buf *to)
{
    s->to = to;
    enum err e = sse_feed(&s->reader, bytes, on_event, s);
    s->to = NULL;
    return e == ERR_CLOSED ? ERR_LIMIT : e; /* closed: `to` was full */
}

struct openai_answer openai_stream_answer(const struct openai_stream *s)
{
    int64_t by_bytes = openai_usage_estimate(s->text_bytes);
    int64_t output = by_bytes > s->text_events ? by_bytes : s->text_events;
    return (struct openai_answer){
        .usage =
            openai_usage_complete(s->usage, s->request->input_estimate, output),
        .model = {s->model, s->model_len},
        .finish = s->finish,
        .failed = s->error_seen || !s->done,
    };
}

bool openai_stream_done(const struct openai_stream *s)
{
    return s->done;
}
