/* Tests llm/openai_stream: what a caller sees of a stream and what is counted,
 * however the bytes are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "llm/openai.h"

#define HEAD                                                                   \
    "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\","             \
    "\"created\":1,\"model\":\"gpt-4o-mini-2024-07-18\","                      \
    "\"service_tier\":\"default\",\"system_fingerprint\":\"fp_1\","
/* A chunk with one choice, as OpenAI writes it once usage was asked for. */
#define CHOICE(delta, finish)                                                  \
    "\"choices\":[{\"index\":0,\"delta\":" delta                               \
    ",\"logprobs\":null,\"finish_reason\":" finish "}]"
#define CHUNK(delta, finish) HEAD CHOICE(delta, finish)
#define NULLS ",\"usage\":null,\"obfuscation\":\"aB3\"}"
#define PLAIN ",\"obfuscation\":\"aB3\"}"
#define DATA(json) "data: " json "\n\n"
#define DONE DATA("[DONE]")
#define USAGE                                                                  \
    "\"usage\":{\"prompt_tokens\":19,\"completion_tokens\":10,"                \
    "\"total_tokens\":29,\"prompt_tokens_details\":{\"cached_tokens\":4,"      \
    "\"audio_tokens\":0},\"completion_tokens_details\":"                       \
    "{\"reasoning_tokens\":2,\"audio_tokens\":0}}"
#define USAGE_CHUNK HEAD "\"choices\":[]," USAGE "}"

#define ROLE "{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}"
#define TEXT(t) "{\"content\":\"" t "\"}"

struct transcript {
    const char *name;
    const char *in;
    bool wants_usage;
    const char *out;
    struct usage usage;
    const char *finish;
    bool failed;
    bool done;
};

/* clang-format off */
#define COUNTED {19, 10, 4, 2, false}
#define ESTIMATED(out) {7, (out), -1, -1, true}
/* clang-format on */

static const struct transcript transcripts[] = {
    {"a chat whose caller did not ask for usage",
     DATA(CHUNK(ROLE, "null") NULLS) DATA(CHUNK(TEXT("Hello"), "null") NULLS)
         DATA(CHUNK(TEXT(" w\u00f6rld \U0001F600"), "null") NULLS)
             DATA(CHUNK("{}", "\"stop\"") NULLS) DATA(USAGE_CHUNK) DONE,
     false,
     DATA(CHUNK(ROLE, "null") PLAIN) DATA(CHUNK(TEXT("Hello"), "null") PLAIN)
         DATA(CHUNK(TEXT(" w\u00f6rld \U0001F600"), "null") PLAIN)
             DATA(CHUNK("{}", "\"stop\"") PLAIN) DONE,
     COUNTED, "stop", false, true},
    {"the same for one who asked",
     DATA(CHUNK(TEXT("Hello"), "null") NULLS) DATA(USAGE_CHUNK) DONE, true,
     DATA(CHUNK(TEXT("Hello"), "null") NULLS) DATA(USAGE_CHUNK) DONE, COUNTED,
     "", false, true},
    {"CRLF, comments, ids and an event type",
     ": hello\r\n\r\nid: 7\r\nretry: 10\r\ndata: " CHUNK(TEXT("ab"),
                                                         "\"length\"") NULLS
     "\r\n\r\n"
     "data:" USAGE_CHUNK "\r\n\r\n: ping\r\n\r\ndata: [DONE]\r\n\r\n",
     false, DATA(CHUNK(TEXT("ab"), "\"length\"") PLAIN) DONE, COUNTED, "length",
     false, true},
    {"tool calls, arguments in fragments",
     DATA(CHUNK("{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{"
                "\"index\":0,\"id\":\"call_1\",\"type\":\"function\","
                "\"function\":{\"name\":\"get\",\"arguments\":\"\"}}]}",
                "null") NULLS)
         DATA(CHUNK("{\"tool_calls\":[{\"index\":0,\"function\":{"
                    "\"arguments\":\"{\\\"usage\\\":null,\\\"a\\\":\"}}]}",
                    "null") NULLS)
             DATA(CHUNK("{\"tool_calls\":[{\"index\":0,\"function\":{"
                        "\"arguments\":\"1}\"}}]}",
                        "null") NULLS) DATA(CHUNK("{}", "\"tool_calls\"") NULLS)
                 DONE,
     false,
     DATA(CHUNK("{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{"
                "\"index\":0,\"id\":\"call_1\",\"type\":\"function\","
                "\"function\":{\"name\":\"get\",\"arguments\":\"\"}}]}",
                "null") PLAIN)
         DATA(CHUNK("{\"tool_calls\":[{\"index\":0,\"function\":{"
                    "\"arguments\":\"{\\\"usage\\\":null,\\\"a\\\":\"}}]}",
                    "null") PLAIN)
             DATA(CHUNK("{\"tool_calls\":[{\"index\":0,\"function\":{"
                        "\"arguments\":\"1}\"}}]}",
                        "null") PLAIN) DATA(CHUNK("{}", "\"tool_calls\"") PLAIN)
                 DONE,
     /* 22 bytes as escaped, and two */
     ESTIMATED(6), "tool_calls", false, true},
    {"usage in a chunk that has choices",
     DATA(CHUNK(TEXT("x"), "\"stop\"") "," USAGE "}") DONE, false,
     DATA(CHUNK(TEXT("x"), "\"stop\"") "}") DONE, COUNTED, "stop", false, true},
    {"usage that grows, in every chunk",
     DATA(CHUNK(TEXT("x"), "null") ",\"usage\":{\"prompt_tokens\":19,"
                                   "\"completion_tokens\":1}}")
         DATA(CHUNK(TEXT("y"), "\"stop\"") "," USAGE "}") DONE,
     false,
     DATA(CHUNK(TEXT("x"), "null") "}") DATA(CHUNK(TEXT("y"), "\"stop\"") "}")
         DONE,
     COUNTED, "stop", false, true},
    {"blanks where OpenAI writes none",
     DATA("{\"choices\": [{\"delta\": {\"content\": \"abcde\"}, "
          "\"finish_reason\": \"stop\"}], \"usage\": null}")
         DATA("{\"usage\": null, \"choices\": []}")
             DATA("{\"choices\": [], " USAGE "}") DONE,
     false,
     DATA("{\"choices\":[{\"delta\":{\"content\":\"abcde\"},"
          "\"finish_reason\":\"stop\"}]}") DATA("{\"choices\":[]}") DONE,
     COUNTED, "stop", false, true},
    {"a filter result first, without choices",
     DATA("{\"choices\":[],\"prompt_filter_results\":[],\"usage\":null}")
         DATA(CHUNK(TEXT("x"), "\"content_filter\"") NULLS) DONE,
     false,
     DATA("{\"choices\":[],\"prompt_filter_results\":[]}")
         DATA(CHUNK(TEXT("x"), "\"content_filter\"") PLAIN) DONE,
     ESTIMATED(1), "content_filter", false, true},
    {"words of the model that look like members",
     DATA(CHUNK(TEXT("\\\"usage\\\":null, \\\"error\\\":{}, "
                     "\\\"finish_reason\\\":\\\"stop\\\"\\\\"),
                "null") NULLS) DATA(CHUNK(TEXT("usage"), "null") NULLS)
         DATA(CHUNK("{\"content\":\"[DONE]\"}", "null") NULLS) DONE,
     false,
     DATA(CHUNK(TEXT("\\\"usage\\\":null, \\\"error\\\":{}, "
                     "\\\"finish_reason\\\":\\\"stop\\\"\\\\"),
                "null") PLAIN) DATA(CHUNK(TEXT("usage"), "null") PLAIN)
         DATA(CHUNK("{\"content\":\"[DONE]\"}", "null") PLAIN) DONE,
     ESTIMATED((58 + 5 + 6 + 3) / 4), "", false, true},
    {"an error in mid-stream",
     DATA(CHUNK(TEXT("Hel"), "null") NULLS)
         DATA("{\"error\":{\"message\":\"overloaded\",\"type\":"
              "\"server_error\",\"param\":null,\"code\":null}}"),
     false,
     DATA(CHUNK(TEXT("Hel"), "null") PLAIN)
         DATA("{\"error\":{\"message\":\"overloaded\",\"type\":"
              "\"server_error\",\"param\":null,\"code\":null}}"),
     ESTIMATED(1), "", true, false},
    {"an error event, then the end",
     "event: error\n" DATA("{\"error\":\"boom\"}") DONE, false,
     "event: error\n" DATA("{\"error\":\"boom\"}") DONE, ESTIMATED(0), "", true,
     true},
    {"no end", DATA(CHUNK(TEXT("Hello you"), "\"stop\"") NULLS), false,
     DATA(CHUNK(TEXT("Hello you"), "\"stop\"") PLAIN), ESTIMATED(3), "stop",
     true, false},
    {"cut inside an event",
     DATA(CHUNK(TEXT("Hello you"), "null") NULLS) "data: {\"choices\":[{\"del",
     false, DATA(CHUNK(TEXT("Hello you"), "null") PLAIN), ESTIMATED(3), "",
     true, false},
    {"events behind the end are not relayed",
     DONE DATA(CHUNK(TEXT("more"), "null") NULLS), false, DONE, ESTIMATED(0),
     "", false, true},
    {"data that is no JSON passes", DATA("{\"usage\":") DATA("hello") DONE,
     false, DATA("{\"usage\":") DATA("hello") DONE, ESTIMATED(0), "", false,
     true},
    {"data on several lines",
     "data: {\"choices\":[],\ndata: \"usage\":null}\n\n" DONE, false,
     DATA("{\"choices\":[]}") DONE, ESTIMATED(0), "", false, true},
    {"a member called usage further in",
     DATA("{\"x\":{\"usage\":null},\"choices\":[]," USAGE "}") DONE, false,
     DONE, COUNTED, "", false, true},
    {"two choices",
     DATA("{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"abcd\"},"
          "\"finish_reason\":\"stop\"},{\"index\":1,\"delta\":{\"content\":"
          "\"efgh\"},\"finish_reason\":null}]}") DONE,
     false,
     DATA("{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"abcd\"},"
          "\"finish_reason\":\"stop\"},{\"index\":1,\"delta\":{\"content\":"
          "\"efgh\"},\"finish_reason\":null}]}") DONE,
     ESTIMATED(2), "stop", false, true},
    {"nothing at all", "", false, "", ESTIMATED(0), "", true, false},
};

static void check_answer(const struct transcript *t, const struct buf *out,
                         const struct openai_answer *a)
{
    if (!str_eq(buf_str(out), str_from(t->out)))
        print_error("%s: got\n%.*s\n", t->name, STR_FMT(buf_str(out)));
    assert_true(str_eq(buf_str(out), str_from(t->out)));
    if (a->usage.output_tokens != t->usage.output_tokens)
        print_error("%s: output %lld\n", t->name,
                    (long long)a->usage.output_tokens);
    assert_int_equal(a->usage.input_tokens, t->usage.input_tokens);
    assert_int_equal(a->usage.output_tokens, t->usage.output_tokens);
    assert_int_equal(a->usage.cached_tokens, t->usage.cached_tokens);
    assert_int_equal(a->usage.reasoning_tokens, t->usage.reasoning_tokens);
    assert_int_equal(a->usage.estimated, t->usage.estimated);
    assert_true(str_eq(a->finish, str_from(t->finish)));
    assert_int_equal(a->failed, t->failed);
    if (strstr(t->in, "gpt-4o-mini") != NULL && strlen(t->out) > 20)
        assert_true(str_eq(a->model, STR("gpt-4o-mini-2024-07-18")) ||
                    a->model.len == 0);
}

/* Feeds `in` cut at the two places. */
static void feed_cut(const struct transcript *t, size_t first, size_t second)
{
    struct arena a;
    struct buf out;
    struct openai_stream *s;
    const struct llm_request r = {.operation = LLM_CHAT,
                                  .stream = true,
                                  .wants_usage = t->wants_usage,
                                  .input_estimate = 7};
    struct str in = str_from(t->in);
    arena_init(&a, MIB);
    buf_init(&out, MIB);
    assert_int_equal(openai_stream_new(&a, &r, &s), ERR_OK);
    const struct str pieces[] = {
        str_first(in, first),
        str_first(str_skip(in, first), second - first),
        str_skip(in, second),
    };
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
        assert_int_equal(openai_stream_feed(s, pieces[i], &out), ERR_OK);
    struct openai_answer answer = openai_stream_answer(s);
    assert_int_equal(openai_stream_done(s), t->done);
    check_answer(t, &out, &answer);
    openai_stream_free(s);
    buf_release(&out);
    arena_release(&a);
}

static void test_transcripts_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(transcripts); i++)
        feed_cut(&transcripts[i], 0, strlen(transcripts[i].in));
}

static void test_transcripts_cut_at_every_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(transcripts); i++) {
        size_t len = strlen(transcripts[i].in);
        for (size_t at = 0; at <= len; at++)
            feed_cut(&transcripts[i], at, at + 1 < len ? at + 1 : len);
    }
}

static void test_transcripts_byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(transcripts); i++) {
        const struct transcript *t = &transcripts[i];
        struct arena a;
        struct buf out;
        struct openai_stream *s;
        const struct llm_request r = {.operation = LLM_CHAT,
                                      .stream = true,
                                      .wants_usage = t->wants_usage,
                                      .input_estimate = 7};
        arena_init(&a, MIB);
        buf_init(&out, MIB);
        assert_int_equal(openai_stream_new(&a, &r, &s), ERR_OK);
        for (const char *p = t->in; *p != '\0'; p++)
            assert_int_equal(openai_stream_feed(s, (struct str){p, 1}, &out),
                             ERR_OK);
        struct openai_answer answer = openai_stream_answer(s);
        check_answer(t, &out, &answer);
        openai_stream_free(s);
        buf_release(&out);
        arena_release(&a);
    }
}

static void test_the_model_is_copied_and_bounded(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        size_t len;
    } cases[] = {
        {DATA("{\"model\":\"gpt\",\"choices\":[]}"), 3},
        {DATA("{\"model\":\"0123456789012345678901234567890123456789"
              "01234567890123456789012\u00e9\",\"choices\":[]}"),
         63},
        {DATA("{\"model\":\"a\\u0062\",\"choices\":[]}"), 0},
        {DATA("{\"model\":7,\"choices\":[]}"), 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a;
        struct buf out;
        struct openai_stream *s;
        const struct llm_request r = {.operation = LLM_CHAT, .stream = true};
        char bytes[256];
        size_t n = strlen(cases[i].in);
        memcpy(bytes, cases[i].in, n);
        arena_init(&a, MIB);
        buf_init(&out, MIB);
        assert_int_equal(openai_stream_new(&a, &r, &s), ERR_OK);
        assert_int_equal(openai_stream_feed(s, (struct str){bytes, n}, &out),
                         ERR_OK);
        memset(bytes, 'x', sizeof(bytes));
        assert_int_equal(openai_stream_answer(s).model.len, cases[i].len);
        openai_stream_free(s);
        buf_release(&out);
        arena_release(&a);
    }
}

static void test_events_and_room_are_bounded(void **state)
{
    (void)state;
    struct arena a;
    struct buf out;
    struct openai_stream *s;
    const struct llm_request r = {.operation = LLM_CHAT, .stream = true};
    char *big = malloc(SSE_EVENT_MAX + 64);
    assert_non_null(big);
    memset(big, 'x', SSE_EVENT_MAX + 64);
    big[4] = ':'; /* a field of an unknown name is still a line */
    arena_init(&a, MIB);

    buf_init(&out, 4 * MIB);
    assert_int_equal(openai_stream_new(&a, &r, &s), ERR_OK);
    assert_int_equal(openai_stream_feed(s,
                                        (struct str){big, SSE_EVENT_MAX + 64},
                                        &out),
                     ERR_LIMIT);
    openai_stream_free(s);
    buf_release(&out);
    free(big);

    buf_init(&out, 16); /* full */
    assert_int_equal(openai_stream_new(&a, &r, &s), ERR_OK);
    assert_int_equal(openai_stream_feed(s, STR(DATA("0123456789") DATA("x")),
                                        &out),
                     ERR_LIMIT);
    openai_stream_free(s);
    buf_release(&out);
    openai_stream_free(NULL);

    arena_release(&a);
    arena_init(&a, 16);
    assert_int_equal(openai_stream_new(&a, &r, &s), ERR_LIMIT);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transcripts_whole),
        cmocka_unit_test(test_transcripts_cut_at_every_byte),
        cmocka_unit_test(test_transcripts_byte_by_byte),
        cmocka_unit_test(test_the_model_is_copied_and_bounded),
        cmocka_unit_test(test_events_and_room_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
