/* Tests llm/openai_error: bodies that the gateway writes itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "llm/openai.h"

static const struct str none = {NULL, 0};

static void check(struct buf *got, const char *want)
{
    if (!str_eq(buf_str(got), str_from(want)))
        print_error("got %.*s\n", STR_FMT(buf_str(got)));
    assert_true(str_eq(buf_str(got), str_from(want)));
    buf_release(got);
}

static void test_errors_have_openai_s_shape(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, KIB);
    openai_error(&b, ERR_UNKNOWN_FIELD, STR("no \"x\"\nhere"),
                 STR("messages[0].x"));
    check(&b, "{\"error\":{\"message\":\"no \\\"x\\\"\\nhere\",\"type\":"
              "\"invalid_request_error\",\"param\":\"messages[0].x\","
              "\"code\":\"unknown_field\"}}");
    openai_error(&b, ERR_UNAUTHENTICATED, none, none);
    check(&b, "{\"error\":{\"message\":\"no valid credential was presented\","
              "\"type\":\"authentication_error\",\"param\":null,"
              "\"code\":\"invalid_credential\"}}");
    openai_stream_error(&b, ERR_REVOKED, STR("revoked\n\nnow"));
    check(&b, "data: {\"error\":{\"message\":\"revoked\\n\\nnow\",\"type\":"
              "\"authentication_error\",\"param\":null,\"code\":"
              "\"revoked\"}}\n\n");
}

static void test_types_follow_the_status(void **state)
{
    (void)state;
    static const struct {
        enum err err;
        const char *type;
    } cases[] = {
        {ERR_MALFORMED, "invalid_request_error"},
        {ERR_NOT_FOUND, "invalid_request_error"},
        {ERR_LIMIT, "invalid_request_error"},
        {ERR_DENIED, "permission_error"},
        {ERR_RATE, "rate_limit_error"},
        {ERR_BUDGET, "insufficient_quota"},
        {ERR_EVIDENCE, "server_error"},
        {ERR_TIMEOUT, "server_error"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b;
        char want[64];
        (void)snprintf(want, sizeof(want), "\"type\":\"%s\"", cases[i].type);
        buf_init(&b, KIB);
        openai_error(&b, cases[i].err, none, none);
        assert_non_null(memmem(b.ptr, b.len, want, strlen(want)));
        buf_release(&b);
    }
}

static void test_models_are_listed(void **state)
{
    (void)state;
    const struct str names[] = {STR("small"), STR("a\"b")};
    struct buf b;
    buf_init(&b, KIB);
    openai_models(&b, names, 2);
    check(&b, "{\"object\":\"list\",\"data\":[{\"id\":\"small\",\"object\":"
              "\"model\",\"created\":0,\"owned_by\":\"writ\"},{\"id\":"
              "\"a\\\"b\",\"object\":\"model\",\"created\":0,\"owned_by\":"
              "\"writ\"}]}");
    openai_models(&b, NULL, 0);
    check(&b, "{\"object\":\"list\",\"data\":[]}");
}

static void test_what_may_be_repeated(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        bool again;
    } cases[] = {
        {200, "", false},
        {400, "", false},
        {401, "", false},
        {404, "", false},
        {408, "", true},
        {409, "", true},
        {422, "", false},
        {429, "", true},
        {429, "{\"error\":{\"code\":\"rate_limit_exceeded\"}}", true},
        {429, "{\"error\":{\"code\":\"insufficient_quota\"}}", false},
        {429, "{\"error\":{\"code\": \"insufficient_quota\"}}", false},
        {429,
         "{\"error\":{\"message\":\"no \\\"insufficient_quota\\\" here\"}}",
         true},
        {500, "insufficient_quota", true},
        {503, "", true},
        {529, "", true},
        {600, "", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(openai_retryable(cases[i].status,
                                          str_from(cases[i].body)),
                         cases[i].again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors_have_openai_s_shape),
        cmocka_unit_test(test_types_follow_the_status),
        cmocka_unit_test(test_models_are_listed),
        cmocka_unit_test(test_what_may_be_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
