/* Tests pipeline/limit_fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pipeline/limit_fields.h"

static void expect(const struct http_field *f, const char *name,
                   const char *value)
{
    assert_true(str_eq(f->name, str_from(name)));
    assert_true(str_eq(f->value, str_from(value)));
}

static void what_is_left_is_said_as_openai_says_it(void **state)
{
    const struct limit_answer a = {
        .requests = {.present = true,
                     .limit = 60,
                     .remaining = 59,
                     .reset_ms = 999},
        .tokens = {.present = true,
                   .limit = 2000000,
                   .remaining = 0,
                   .reset_ms = 61250},
    };
    struct limit_fields_room room;
    struct http_field f[LIMIT_FIELDS_MAX];

    (void)state;
    assert_int_equal(limit_fields_write(&a, &room, f), 6);
    expect(&f[0], "x-ratelimit-limit-requests", "60");
    expect(&f[1], "x-ratelimit-remaining-requests", "59");
    expect(&f[2], "x-ratelimit-reset-requests", "999ms");
    expect(&f[3], "x-ratelimit-limit-tokens", "2000000");
    expect(&f[4], "x-ratelimit-remaining-tokens", "0");
    expect(&f[5], "x-ratelimit-reset-tokens", "62s");
}

static void what_is_not_limited_is_not_mentioned(void **state)
{
    const struct limit_answer none = {0};
    const struct limit_answer tokens = {
        .tokens = {.present = true, .limit = UINT64_MAX}};
    struct limit_fields_room room;
    struct http_field f[LIMIT_FIELDS_MAX];

    (void)state;
    assert_int_equal(limit_fields_write(&none, &room, f), 0);
    assert_int_equal(limit_fields_write(&tokens, &room, f), 3);
    expect(&f[0], "x-ratelimit-limit-tokens", "18446744073709551615");
}

static void to_wait_is_said_in_whole_seconds(void **state)
{
    char text[LIMIT_FIELDS_TEXT];

    (void)state;
    assert_true(str_eq(limit_fields_retry_after(0, text), STR("1")));
    assert_true(str_eq(limit_fields_retry_after(1000, text), STR("1")));
    assert_true(str_eq(limit_fields_retry_after(1001, text), STR("2")));
    assert_true(str_eq(limit_fields_retry_after(86400000, text), STR("86400")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_is_said_as_openai_says_it),
        cmocka_unit_test(what_is_not_limited_is_not_mentioned),
        cmocka_unit_test(to_wait_is_said_in_whole_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
