/* Tests llm/openai_answer: what a whole answer tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "llm/openai.h"

struct answer {
    enum llm_operation operation;
    const char *body;
    struct usage usage;
    const char *model, *finish;
    bool failed;
};

static const struct answer answers[] = {
    {LLM_CHAT,
     "{\"id\":\"x\",\"object\":\"chat.completion\",\"model\":\"gpt\","
     "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
     "\"content\":\"hi \\\"usage\\\":{}\"},\"finish_reason\":\"stop\"}],"
     "\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":3,"
     "\"total_tokens\":12,\"prompt_tokens_details\":{\"cached_tokens\":8},"
     "\"completion_tokens_details\":{\"reasoning_tokens\":1}}}",
     {9, 3, 8, 1, false},
     "gpt",
     "stop",
     false},
    {LLM_CHAT,
     "{\"model\":\"gpt\",\"choices\":[{\"message\":{\"content\":\"12345\","
     "\"tool_calls\":[{\"function\":{\"arguments\":\"{}\"}},"
     "{\"custom\":{\"input\":\"ab\"}}]},\"finish_reason\":\"new_word\"}]}",
     {7, 3, -1, -1, true},
     "gpt",
     "other",
     false},
    {LLM_CHAT,
     "{\"choices\":[],\"usage\":{\"prompt_tokens\":-4,"
     "\"completion_tokens\":2.5}}",
     {7, 0, -1, -1, true},
     "",
     "",
     false},
    {LLM_CHAT,
     "{\"error\":{\"message\":\"x\"}}",
     {7, 0, -1, -1, true},
     "",
     "",
     true},
    {LLM_CHAT, "<html>", {7, 0, -1, -1, true}, "", "", true},
    {LLM_CHAT, "", {7, 0, -1, -1, true}, "", "", true},
    {LLM_EMBEDDINGS,
     "{\n  \"object\": \"list\",\n  \"data\": [{\"object\":\"embedding\","
     "\"index\":0,\"embedding\":[0.1,-2e-3]}],\n  \"model\": \"te3\",\n"
     "  \"usage\": {\n    \"prompt_tokens\": 8,\n    \"total_tokens\": 8\n"
     "  }\n}\n",
     {8, 0, -1, -1, false},
     "te3",
     "",
     false},
    {LLM_EMBEDDINGS,
     "{\"usage\":{\"prompt_tokens\":8,\"x\":\"}\\\"\"},\"model\":\"a\\nb\","
     "\"data\":[]}",
     {8, 0, -1, -1, false},
     "",
     "",
     false},
    {LLM_EMBEDDINGS, "{\"data\":[", {7, 0, -1, -1, true}, "", "", true},
    {LLM_EMBEDDINGS,
     "{\"data\":[],\"usage\":{",
     {7, 0, -1, -1, true},
     "",
     "",
     true},
    {LLM_EMBEDDINGS, "", {7, 0, -1, -1, true}, "", "", true},
    {LLM_EMBEDDINGS, "\"usage\"", {7, 0, -1, -1, true}, "", "", true},
};

static void test_answers_are_metered(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        const struct answer *c = &answers[i];
        const struct llm_request r = {.operation = c->operation,
                                      .input_estimate = 7};
        struct arena a;
        arena_init(&a, MIB);
        size_t len = strlen(c->body);
        char *copy = malloc(len + 1); /* sized, so that ASan sees overreads */
        assert_non_null(copy);
        char *body = copy + 1;
        memcpy(body, c->body, len);
        struct openai_answer got =
            openai_meter(&a, (struct str){body, len}, &r);
        memset(body, 'x', len); /* nothing borrows from the body */
        assert_int_equal(got.usage.input_tokens, c->usage.input_tokens);
        assert_int_equal(got.usage.output_tokens, c->usage.output_tokens);
        assert_int_equal(got.usage.cached_tokens, c->usage.cached_tokens);
        assert_int_equal(got.usage.reasoning_tokens, c->usage.reasoning_tokens);
        assert_int_equal(got.usage.estimated, c->usage.estimated);
        assert_true(str_eq(got.model, str_from(c->model)));
        assert_true(str_eq(got.finish, str_from(c->finish)));
        assert_int_equal(got.failed, c->failed);
        assert_int_equal(got.garbage, c->failed);
        free(copy);
        arena_release(&a);
    }
}

static void test_embeddings_over_the_reader_s_limits_are_metered(void **state)
{
    (void)state;
    struct arena a;
    struct buf body;
    const struct llm_request r = {.operation = LLM_EMBEDDINGS};
    arena_init(&a, MIB);
    buf_init(&body, 16 * MIB);
    assert_true(BUF_LIT(&body, "{\"data\":[0"));
    for (size_t i = 0; i < JSON_ELEMENTS_MAX; i++)
        assert_true(BUF_LIT(&body, ",0.25"));
    assert_true(BUF_LIT(&body, "],\"usage\":{\"prompt_tokens\":5}}"));
    struct openai_answer got = openai_meter(&a, buf_str(&body), &r);
    assert_int_equal(got.usage.input_tokens, 5);
    assert_false(got.failed);
    buf_release(&body);
    arena_release(&a);
}

static void test_a_chat_over_the_reader_s_limits_is_no_garbage(void **state)
{
    (void)state;
    struct arena a;
    struct buf body;
    const struct llm_request r = {.operation = LLM_CHAT, .input_estimate = 3};
    arena_init(&a, 256 * MIB);
    buf_init(&body, 16 * MIB);
    assert_true(BUF_LIT(&body, "{\"choices\":[{\"logprobs\":[0"));
    for (size_t i = 0; i < JSON_ELEMENTS_MAX; i++)
        assert_true(BUF_LIT(&body, ",0.25"));
    assert_true(BUF_LIT(&body, "]}]}"));
    struct openai_answer got = openai_meter(&a, buf_str(&body), &r);
    assert_true(got.failed);
    assert_false(got.garbage);
    buf_release(&body);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_are_metered),
        cmocka_unit_test(test_embeddings_over_the_reader_s_limits_are_metered),
        cmocka_unit_test(test_a_chat_over_the_reader_s_limits_is_no_garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
