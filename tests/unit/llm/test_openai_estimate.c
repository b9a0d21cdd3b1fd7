/* Tests llm/openai_estimate: what is reserved for a request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "llm/openai.h"

static uint64_t estimate(enum llm_operation operation, struct str body)
{
    const struct names none = {NULL, 0};
    struct arena a;
    struct llm_request r;
    struct llm_problem p;
    arena_init(&a, MIB);
    assert_int_equal(openai_read(&a, operation, body, none, &r, &p), ERR_OK);
    uint64_t tokens = openai_estimate(&r);
    arena_release(&a);
    return tokens;
}

#define ASK(content, more)                                                     \
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":" content   \
    "}]" more "}"
#define PNG                                                                    \
    "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;"         \
    "base64,AAAA\"}}"
#define WAV                                                                    \
    "{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"AAAA\","            \
    "\"format\":\"wav\"}}"
#define PDF "{\"type\":\"file\",\"file\":{\"file_data\":\"AAAA\"}}"

enum { TEXT = 16, FRAME = OPENAI_ESTIMATE_MESSAGE }; /* 48 bytes */
#define WORDS "0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_chats_are_input_and_the_most_they_may_answer(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        uint64_t want;
    } rows[] = {
        {ASK("\"" WORDS "\"", ""), TEXT + FRAME + OPENAI_ESTIMATE_OUTPUT},
        {ASK("\"" WORDS "\"", ",\"max_tokens\":100"), TEXT + FRAME + 100},
        {ASK("\"" WORDS "\"", ",\"max_tokens\":100,\"n\":3"),
         TEXT + FRAME + 300},
        {ASK("\"" WORDS "\"",
             ",\"max_tokens\":100,\"max_completion_tokens\":7"),
         TEXT + FRAME + 100},
        {ASK("\"" WORDS "\"", ",\"n\":2"),
         TEXT + FRAME + 2 * OPENAI_ESTIMATE_OUTPUT},
        {ASK("\"" WORDS "\"", ",\"n\":null,\"max_tokens\":null"),
         TEXT + FRAME + OPENAI_ESTIMATE_OUTPUT},
        {ASK("\"" WORDS "\"", ",\"n\":128,\"max_tokens\":2147483647"),
         TEXT + FRAME + UINT64_C(128) * 2147483647},
        {ASK("[{\"type\":\"text\",\"text\":\"" WORDS "\"}," PNG "," WAV "," PDF
             "]",
             ",\"max_tokens\":1"),
         TEXT + FRAME + 3 * OPENAI_ESTIMATE_PART + 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t got = estimate(LLM_CHAT, str_from(rows[i].body));
        if (got != rows[i].want)
            print_error("%s\n", rows[i].body);
        assert_int_equal(got, rows[i].want);
    }
}

static void test_three_bytes_are_a_token_rounded_up(void **state)
{
    (void)state;
    char body[256];
    for (int bytes = 1; bytes < 100; bytes++) {
        int n = snprintf(body, sizeof(body),
                         "{\"model\":\"m\",\"input\":\"%0*d\"}", bytes, 0);
        struct str text = {body, (size_t)n};
        uint64_t got = estimate(LLM_EMBEDDINGS, text);
        uint64_t exact = (uint64_t)(bytes + 2) / 3;
        assert_in_range(got, exact, exact + 1);
    }
}

static void test_embeddings_have_no_output(void **state)
{
    (void)state;
    assert_int_equal(estimate(LLM_EMBEDDINGS,
                              STR("{\"model\":\"m\",\"input\":[\"" WORDS
                                  "\"]}")),
                     TEXT);
}

static void test_every_message_counts(void **state)
{
    (void)state;
    static const char body[] =
        "{\"model\":\"m\",\"max_tokens\":1,\"messages\":["
        "{\"role\":\"system\",\"content\":\"\"},"
        "{\"role\":\"user\",\"content\":\"\"},"
        "{\"role\":\"assistant\",\"content\":null,\"refusal\":\"\"}]}";
    assert_int_equal(estimate(LLM_CHAT, str_from(body)), 3 * FRAME + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chats_are_input_and_the_most_they_may_answer),
        cmocka_unit_test(test_three_bytes_are_a_token_rounded_up),
        cmocka_unit_test(test_embeddings_have_no_output),
        cmocka_unit_test(test_every_message_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
