/* Tests llm/openai_read and openai_write: what is let through, what is not,
 * and that what was decided is what is sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "llm/openai.h"

static const struct names no_names = {NULL, 0};

static bool has(struct str s, const char *part)
{
    return *part == '\0' ||
           (s.len > 0 && memmem(s.ptr, s.len, part, strlen(part)) != NULL);
}

struct refusal {
    const char *body;
    enum err err;
    const char *param;
    const char *text; /* a part of it */
};

static void check_refusal(enum llm_operation operation, const struct refusal *c)
{
    struct arena a;
    struct llm_request r = {.max_tokens = 77};
    struct llm_problem p = {.err = ERR_OK};
    arena_init(&a, MIB);
    enum err e =
        openai_read(&a, operation, str_from(c->body), no_names, &r, &p);
    if (e != c->err || !str_eq(p.param, str_from(c->param)) ||
        !has(p.text, c->text))
        print_error("%s\n -> %s %.*s: %.*s\n", c->body, err_name(e),
                    STR_FMT(p.param), STR_FMT(p.text));
    assert_int_equal(e, c->err);
    assert_int_equal(p.err, c->err);
    assert_true(str_eq(p.param, str_from(c->param)));
    assert_true(has(p.text, c->text));
    assert_true(p.text.len > 0);
    assert_int_equal(r.max_tokens, 77); /* written on success only */
    arena_release(&a);
}

#define HI "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
#define CHAT(more) "{\"model\":\"m\"," HI more "}"
#define MSG(m) "{\"model\":\"m\",\"messages\":[" m "]}"
#define PART(p)                                                                \
    MSG("{\"role\":\"system\",\"content\":\"s\"},"                             \
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"t\"}"   \
        "," p "]}")

static void rule_34_unknown_fields_and_kinds_are_refused(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {CHAT(",\"thinking\":{}"), ERR_UNKNOWN_FIELD, "thinking",
         "allow_fields: [\"thinking\"]"},
        {CHAT(",\"\":1"), ERR_UNKNOWN_FIELD, "", "allow_fields"},
        {MSG("{\"role\":\"user\",\"content\":\"x\",\"weight\":1}"),
         ERR_UNKNOWN_FIELD, "messages[0].weight",
         "allow_fields: [\"messages[].weight\"]"},
        {MSG("{\"role\":\"robot\",\"content\":\"x\"}"), ERR_UNKNOWN_FIELD,
         "messages[0].role", "role"},
        {PART("{\"type\":\"video_url\",\"video_url\":{}}"), ERR_UNKNOWN_FIELD,
         "messages[1].content[1].type", "type"},
        {PART("{\"type\":\"text\",\"text\":\"x\",\"url\":\"y\"}"),
         ERR_UNKNOWN_FIELD, "messages[1].content[1].url", ""},
        {CHAT(",\"tools\":[{\"type\":\"teleport\"}]"), ERR_UNKNOWN_FIELD,
         "tools[0].type", ""},
        {CHAT(",\"tool_choice\":{\"type\":\"mcp\"}"), ERR_UNKNOWN_FIELD,
         "tool_choice.type", ""},
        {CHAT(",\"response_format\":{\"type\":\"xml\"}"), ERR_UNKNOWN_FIELD,
         "response_format.type", ""},
        {CHAT(",\"reasoning_effort\":\"total\""), ERR_UNKNOWN_FIELD,
         "reasoning_effort", "allow_fields: [\"reasoning_effort\"]"},
        {CHAT(",\"stream_options\":{\"x\":1}"), ERR_UNKNOWN_FIELD,
         "stream_options.x", ""},
        {CHAT(",\"service_tier\":\"gold\""), ERR_UNKNOWN_FIELD, "service_tier",
         ""},
        {MSG("{\"role\":\"system\",\"content\":[{\"type\":\"image_url\","
             "\"image_url\":{\"url\":\"data:,\"}}]}"),
         ERR_UNKNOWN_FIELD, "messages[0].content[0].type", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_refusal(LLM_CHAT, &cases[i]);
}

static void rule_34_what_a_provider_does_by_itself_is_denied(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {CHAT(",\"store\":true"), ERR_DENIED, "store", "provider:state"},
        {CHAT(",\"web_search_options\":{}"), ERR_DENIED, "web_search_options",
         "provider:tool"},
        {CHAT(",\"prompt_cache_retention\":\"24h\""), ERR_DENIED,
         "prompt_cache_retention", "provider:state"},
        {CHAT(",\"tools\":[{\"type\":\"web_search\"}]"), ERR_DENIED,
         "tools[0].type", "provider:tool"},
        {CHAT(",\"tools\":[{\"type\":\"mcp\",\"server_url\":\"https://x\"}]"),
         ERR_DENIED, "tools[0].type", "provider:tool"},
        {PART("{\"type\":\"image_url\",\"image_url\":"
              "{\"url\":\"https://a.example/x.png\"}}"),
         ERR_DENIED, "messages[1].content[1].image_url.url", "egress:connect"},
        {PART("{\"type\":\"image_url\",\"image_url\":"
              "{\"url\":\" HTTP://a.example\"}}"),
         ERR_DENIED, "messages[1].content[1].image_url.url", "fetch"},
        {PART("{\"type\":\"image_url\",\"image_url\":"
              "{\"url\":\"//a.example/x\"}}"),
         ERR_DENIED, "messages[1].content[1].image_url.url", "fetch"},
        {PART("{\"type\":\"image_url\",\"image_url\":{\"url\":\"gs://b/x\"}}"),
         ERR_DENIED, "messages[1].content[1].image_url.url", "fetch"},
        {PART("{\"type\":\"file\",\"file\":{\"file_id\":\"file-1\"}}"),
         ERR_DENIED, "messages[1].content[1].file.file_id", "provider:state"},
        {PART("{\"type\":\"file\",\"file\":"
              "{\"file_data\":\"https://a.example/f.pdf\"}}"),
         ERR_DENIED, "messages[1].content[1].file.file_data", "fetch"},
        {PART("{\"type\":\"input_audio\",\"input_audio\":"
              "{\"data\":\"http://a.example\",\"format\":\"wav\"}}"),
         ERR_DENIED, "messages[1].content[1].input_audio.data", "fetch"},
        {MSG("{\"role\":\"assistant\",\"audio\":{\"id\":\"audio_1\"}}"),
         ERR_DENIED, "messages[0].audio", "provider:state"},
        {CHAT(",\"audio\":{\"voice\":{\"id\":\"voice_1\"},"
              "\"format\":\"wav\"}"),
         ERR_DENIED, "audio.voice", "provider:state"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_refusal(LLM_CHAT, &cases[i]);
}

static void test_malformed_requests_name_the_place(void **state)
{
    (void)state;
    static const struct refusal cases[] = {
        {"", ERR_MALFORMED, "", "JSON"},
        {"[]", ERR_MALFORMED, "", "must be an object"},
        {"{\"model\":\"m\",\"model\":\"n\"," HI "}", ERR_MALFORMED, "", "JSON"},
        {"{" HI "}", ERR_MALFORMED, "model", "missing"},
        {"{\"model\":\"m\"}", ERR_MALFORMED, "messages", "missing"},
        {"{\"model\":\"\"," HI "}", ERR_MALFORMED, "model", "at least 1"},
        {"{\"model\":null," HI "}", ERR_MALFORMED, "model", "a string"},
        {"{\"model\":\"a\\nb\"," HI "}", ERR_MALFORMED, "model", "control"},
        {"{\"model\":\"m\",\"messages\":[]}", ERR_MALFORMED, "messages",
         "at least 1"},
        {"{\"model\":\"m\",\"messages\":{}}", ERR_MALFORMED, "messages",
         "an array"},
        {MSG("1"), ERR_MALFORMED, "messages[0]", "an object"},
        {MSG("{\"content\":\"x\"}"), ERR_MALFORMED, "messages[0].role",
         "missing"},
        {MSG("{\"role\":7}"), ERR_MALFORMED, "messages[0].role", "a string"},
        {MSG("{\"role\":\"user\"}"), ERR_MALFORMED, "messages[0].content",
         "missing"},
        {MSG("{\"role\":\"user\",\"content\":null}"), ERR_MALFORMED,
         "messages[0].content", "a string or an array"},
        {MSG("{\"role\":\"user\",\"content\":[]}"), ERR_MALFORMED,
         "messages[0].content", "at least 1"},
        {MSG("{\"role\":\"tool\",\"content\":\"x\"}"), ERR_MALFORMED,
         "messages[0].tool_call_id", "missing"},
        {MSG("{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\","
             "\"type\":\"function\",\"function\":{\"name\":\"f\","
             "\"arguments\":{}}}]}"),
         ERR_MALFORMED, "messages[0].tool_calls[0].function.arguments",
         "a string"},
        {PART("{\"type\":\"image_url\",\"image_url\":{\"url\":\"x.png\"}}"),
         ERR_MALFORMED, "messages[1].content[1].image_url.url", "data:"},
        {PART("{\"type\":\"file\",\"file\":{\"file_data\":\" AAAA\"}}"),
         ERR_MALFORMED, "messages[1].content[1].file.file_data", "base64"},
        {CHAT(",\"stream\":\"yes\""), ERR_MALFORMED, "stream", "true or"},
        {CHAT(",\"n\":129"), ERR_MALFORMED, "n", "from 1 to 128"},
        {CHAT(",\"n\":0"), ERR_MALFORMED, "n", ""},
        {CHAT(",\"n\":1.5"), ERR_MALFORMED, "n", "whole"},
        {CHAT(",\"temperature\":2.1"), ERR_MALFORMED, "temperature",
         "from 0 to 2"},
        {CHAT(",\"temperature\":1e400"), ERR_MALFORMED, "temperature", ""},
        {CHAT(",\"max_tokens\":-1"), ERR_MALFORMED, "max_tokens", ""},
        {CHAT(",\"stop\":[\"1\",\"2\",\"3\",\"4\",\"5\"]"), ERR_MALFORMED,
         "stop", "at most 4"},
        {CHAT(",\"stop\":5"), ERR_MALFORMED, "stop", "or null"},
        {CHAT(",\"logit_bias\":{\"50256\":101}"), ERR_MALFORMED,
         "logit_bias.50256", "from -100 to 100"},
        {CHAT(",\"metadata\":{\"a\":1}"), ERR_MALFORMED, "metadata.a",
         "a string"},
        {CHAT(",\"tools\":[{\"type\":\"function\",\"function\":"
              "{\"name\":\"f\",\"parameters\":[]}}]"),
         ERR_MALFORMED, "tools[0].function.parameters", "an object"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_refusal(LLM_CHAT, &cases[i]);
}

static void test_the_name_of_a_model_is_bounded(void **state)
{
    (void)state;
    for (size_t n = NAME_MAX_LEN - 1; n <= NAME_MAX_LEN + 1; n++) {
        struct arena a;
        struct llm_request r;
        struct llm_problem p;
        char name[NAME_MAX_LEN + 2];
        char body[512];
        memset(name, 'x', n);
        name[n] = '\0';
        (void)snprintf(body, sizeof(body), "{\"model\":\"%s\"," HI "}", name);
        arena_init(&a, MIB);
        assert_int_equal(openai_read(&a, LLM_CHAT, str_from(body), no_names, &r,
                                     &p),
                         n <= NAME_MAX_LEN ? ERR_OK : ERR_MALFORMED);
        arena_release(&a);
    }
}

static void test_long_names_are_shown_cut_at_a_character(void **state)
{
    (void)state;
    char body[1024];
    struct arena a;
    struct llm_request r;
    struct llm_problem p;
    int n = snprintf(body, sizeof(body), "{\"model\":\"m\",\"a");
    for (int i = 0; i < 100; i++)
        n += snprintf(body + n, sizeof(body) - (size_t)n, "\u00e9");
    n += snprintf(body + n, sizeof(body) - (size_t)n, "\":1}");
    arena_init(&a, MIB);
    assert_int_equal(openai_read(&a, LLM_CHAT, (struct str){body, (size_t)n},
                                 no_names, &r, &p),
                     ERR_UNKNOWN_FIELD);
    assert_int_equal(p.param.len, 63); /* 'a' and 31 whole characters */
    arena_release(&a);
}

/* --- accepted ------------------------------------------------------------ */

struct pass {
    const char *body;
    int64_t text_bytes;
    const char *sent; /* with the model "up"; NULL: as it came */
};

static void check_pass(enum llm_operation operation, const struct pass *c)
{
    struct arena a;
    struct llm_request r = {.operation = LLM_NONE};
    struct llm_problem p = {.err = ERR_OK};
    struct buf out;
    arena_init(&a, MIB);
    buf_init(&out, MIB);
    enum err e =
        openai_read(&a, operation, str_from(c->body), no_names, &r, &p);
    if (e != ERR_OK)
        print_error("%s\n -> %.*s: %.*s\n", c->body, STR_FMT(p.param),
                    STR_FMT(p.text));
    assert_int_equal(e, ERR_OK);
    assert_int_equal(r.operation, operation);
    assert_true(str_eq(r.model, STR("m")));
    if (c->text_bytes >= 0)
        assert_int_equal(r.input_estimate, (c->text_bytes + 3) / 4);
    if (c->sent != NULL) {
        openai_write(&out, &r, STR("up"));
        assert_true(buf_ok(&out));
        if (!str_eq(buf_str(&out), str_from(c->sent)))
            print_error("sent %.*s\n", STR_FMT(buf_str(&out)));
        assert_true(str_eq(buf_str(&out), str_from(c->sent)));
    }
    buf_release(&out);
    arena_release(&a);
}

static void rule_12_what_is_sent_is_what_was_read(void **state)
{
    (void)state;
    static const struct pass cases[] = {
        {" { \"messages\" : [ {\"role\":\"user\", \"content\":\"h\\u0069\"} ],"
         " \"model\":\"m\", \"temperature\": 0.10 } ",
         2,
         "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],"
         "\"model\":\"up\",\"temperature\":0.10}"},
        {CHAT(",\"stream\":true"), 2,
         "{\"model\":\"up\"," HI ",\"stream\":true,"
         "\"stream_options\":{\"include_usage\":true}}"},
        {CHAT(",\"stream\":true,\"stream_options\":null"), 2,
         "{\"model\":\"up\"," HI ",\"stream\":true,"
         "\"stream_options\":{\"include_usage\":true}}"},
        {CHAT(",\"stream_options\":{\"include_usage\":false,"
              "\"include_obfuscation\":false},\"stream\":true"),
         2,
         "{\"model\":\"up\"," HI ",\"stream_options\":{\"include_usage\":"
         "true,\"include_obfuscation\":false},\"stream\":true}"},
        {CHAT(",\"stream\":false"), 2,
         "{\"model\":\"up\"," HI ",\"stream\":false}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_pass(LLM_CHAT, &cases[i]);
}

static void test_whole_requests_pass(void **state)
{
    (void)state;
    static const struct pass cases[] = {
        /* a tool loop, as SDKs send it */
        {MSG("{\"role\":\"developer\",\"content\":[{\"type\":\"text\","
             "\"text\":\"be brief\"}]},"
             "{\"role\":\"user\",\"content\":\"weather?\",\"name\":\"ann\"},"
             "{\"role\":\"assistant\",\"content\":null,\"refusal\":null,"
             "\"audio\":null,\"annotations\":[],\"function_call\":null,"
             "\"tool_calls\":[{\"id\":\"call_1\",\"type\":\"function\","
             "\"function\":{\"name\":\"get\",\"arguments\":\"{}\"}},"
             "{\"id\":\"call_2\",\"type\":\"custom\",\"custom\":"
             "{\"name\":\"sh\",\"input\":\"ls\"}}]},"
             "{\"role\":\"tool\",\"tool_call_id\":\"call_1\","
             "\"content\":\"rain\"},"
             "{\"role\":\"function\",\"name\":\"old\",\"content\":null}"),
         8 + 8 + 3 + 3 + 2 + 2 + 2 + 4 + 3, NULL},
        /* every kind of part */
        {PART("{\"type\":\"image_url\",\"image_url\":{\"url\":"
              "\"data:image/png;base64,AAAA\",\"detail\":\"low\"},"
              "\"prompt_cache_breakpoint\":{\"mode\":\"explicit\"}},"
              "{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"//uQ\","
              "\"format\":\"mp3\"}},"
              "{\"type\":\"file\",\"file\":{\"filename\":\"a.pdf\","
              "\"file_data\":\"data:application/pdf;base64,AAAA\"}},"
              "{\"type\":\"file\",\"file\":{\"file_data\":\"AAAA\"}}"),
         1 + 1 + 5, NULL},
        {CHAT(",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":"
              "\"get\",\"description\":\"d\",\"strict\":null,\"parameters\":"
              "{\"type\":\"object\",\"x-any\":[1,{\"$ref\":\"#/a\"}]}}},"
              "{\"type\":\"custom\",\"custom\":{\"name\":\"sh\",\"format\":"
              "{\"type\":\"grammar\",\"grammar\":{\"syntax\":\"regex\","
              "\"definition\":\"a*\"}}}}],\"tool_choice\":{\"type\":"
              "\"allowed_tools\",\"allowed_tools\":{\"mode\":\"auto\","
              "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":"
              "\"get\"}}]}},\"parallel_tool_calls\":false"),
         -1, NULL},
        {CHAT(",\"response_format\":{\"type\":\"json_schema\","
              "\"json_schema\":{\"name\":\"s\",\"schema\":{},"
              "\"strict\":true}},\"tool_choice\":\"required\""),
         -1, NULL},
        {CHAT(",\"prediction\":{\"type\":\"content\",\"content\":\"abc\"},"
              "\"modalities\":[\"text\",\"audio\"],\"audio\":{\"voice\":"
              "\"alloy\",\"format\":\"opus\"},\"store\":false,"
              "\"web_search_options\":null,\"stop\":[\"a\"],"
              "\"seed\":-9223372036854775808"),
         2 + 3, NULL},
        {CHAT(",\"functions\":[{\"name\":\"f\"}],\"function_call\":"
              "{\"name\":\"f\"}"),
         2 + 2, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_pass(LLM_CHAT, &cases[i]);
}

static void test_embeddings_have_their_own_list(void **state)
{
    (void)state;
    static const struct pass passes[] = {
        {"{\"model\":\"m\",\"input\":\"hello\"}", 5,
         "{\"model\":\"up\",\"input\":\"hello\"}"},
        {"{\"model\":\"m\",\"input\":[\"a\",\"bc\"],\"dimensions\":3,"
         "\"encoding_format\":\"base64\",\"user\":\"u\"}",
         3, NULL},
        {"{\"model\":\"m\",\"input\":[1,2,3]}", 12, NULL},
        {"{\"model\":\"m\",\"input\":[[1,2],[3]]}", 12, NULL},
    };
    static const struct refusal refusals[] = {
        {"{\"model\":\"m\",\"input\":[]}", ERR_MALFORMED, "input", ""},
        {"{\"model\":\"m\",\"input\":[[]]}", ERR_MALFORMED, "input[0]", ""},
        {"{\"model\":\"m\",\"input\":[-1]}", ERR_MALFORMED, "input[0]", ""},
        {"{\"model\":\"m\",\"input\":{}}", ERR_MALFORMED, "input", ""},
        {"{\"model\":\"m\"}", ERR_MALFORMED, "input", ""},
        {"{\"model\":\"m\",\"input\":\"x\",\"stream\":true}", ERR_UNKNOWN_FIELD,
         "stream", ""},
        {"{\"model\":\"m\",\"input\":\"x\",\"encoding_format\":\"hex\"}",
         ERR_UNKNOWN_FIELD, "encoding_format", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(passes); i++)
        check_pass(LLM_EMBEDDINGS, &passes[i]);
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
        check_refusal(LLM_EMBEDDINGS, &refusals[i]);
}

static void test_caps_and_options_are_read(void **state)
{
    (void)state;
    struct arena a;
    struct llm_request r;
    struct llm_problem p;
    arena_init(&a, MIB);
    assert_int_equal(
        openai_read(&a, LLM_CHAT,
                    STR(CHAT(",\"stream\":true,\"max_tokens\":5,"
                             "\"max_completion_tokens\":9,\"stream_options\":"
                             "{\"include_usage\":true}")),
                    no_names, &r, &p),
        ERR_OK);
    assert_true(r.stream);
    assert_true(r.wants_usage);
    assert_int_equal(r.max_tokens, 9);
    assert_int_equal(openai_read(&a, LLM_CHAT, STR(CHAT("")), no_names, &r, &p),
                     ERR_OK);
    assert_false(r.stream);
    assert_false(r.wants_usage);
    assert_int_equal(r.max_tokens, -1);
    arena_release(&a);
}

static void test_the_operator_lets_named_fields_through(void **state)
{
    (void)state;
    static const struct str names[] = {STR_INIT("thinking"),
                                       STR_INIT("messages[].reasoning_content"),
                                       STR_INIT("reasoning_effort"),
                                       STR_INIT("store")};
    const struct names allow = {names, ARRAY_LEN(names)};
    static const struct {
        const char *body;
        enum err err;
    } cases[] = {
        {CHAT(",\"thinking\":{\"a\":[1]},\"reasoning_effort\":\"ultra\""),
         ERR_OK},
        {MSG("{\"role\":\"assistant\",\"content\":\"x\","
             "\"reasoning_content\":\"y\"}"),
         ERR_OK},
        {CHAT(",\"reasoning_content\":1"), ERR_UNKNOWN_FIELD},
        {CHAT(",\"reasoning_effort\":1"), ERR_MALFORMED},
        {CHAT(",\"store\":true"), ERR_DENIED}, /* denied stays denied */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a;
        struct llm_request r;
        struct llm_problem p;
        arena_init(&a, MIB);
        assert_int_equal(openai_read(&a, LLM_CHAT, str_from(cases[i].body),
                                     allow, &r, &p),
                         cases[i].err);
        arena_release(&a);
    }
}

static void test_every_allocation_failure_is_clean(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum err err;
    } cases[] = {{CHAT(",\"temperature\":1"), ERR_OK},
                 {CHAT(",\"thinking\":1"), ERR_UNKNOWN_FIELD}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t cap = 0; cap < 8192; cap += 16) {
            struct arena a;
            struct llm_request r;
            struct llm_problem p = {.err = ERR_OK};
            arena_init(&a, cap);
            enum err e = openai_read(&a, LLM_CHAT, str_from(cases[i].body),
                                     no_names, &r, &p);
            assert_true(e == cases[i].err || e == ERR_LIMIT);
            assert_true(e == ERR_OK || (p.err == e && p.text.len > 0));
            arena_release(&a);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_34_unknown_fields_and_kinds_are_refused),
        cmocka_unit_test(rule_34_what_a_provider_does_by_itself_is_denied),
        cmocka_unit_test(test_malformed_requests_name_the_place),
        cmocka_unit_test(test_the_name_of_a_model_is_bounded),
        cmocka_unit_test(test_long_names_are_shown_cut_at_a_character),
        cmocka_unit_test(rule_12_what_is_sent_is_what_was_read),
        cmocka_unit_test(test_whole_requests_pass),
        cmocka_unit_test(test_embeddings_have_their_own_list),
        cmocka_unit_test(test_caps_and_options_are_read),
        cmocka_unit_test(test_the_operator_lets_named_fields_through),
        cmocka_unit_test(test_every_allocation_failure_is_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
