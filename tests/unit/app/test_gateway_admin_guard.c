/* Tests app/gateway_admin_guard: requests that a page of another site could
 * make a browser send are not looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "app/gateway_admin_guard.h"
#include "base/attr.h"

#define FIELDS_MAX 2

static void check(struct str host, bool tls, struct http_request_head head,
                  bool good)
{
    struct gateway_admin_guard g;
    gateway_admin_guard_init(&g, host, 9090, tls);
    print_message("  case: %.*s as %.*s\n", STR_FMT(host),
                  STR_FMT(head.authority));
    assert_int_equal(gateway_admin_guard_fault(&g, &head) == NULL, good);
}

static void test_rule_33_host_is_the_address_or_a_local_name(void **state)
{
    (void)state;
    static const struct {
        struct str configured, host;
        bool good;
    } cases[] = {
        {STR_INIT("127.0.0.1"), STR_INIT("127.0.0.1:9090"), true},
        {STR_INIT("127.0.0.1"), STR_INIT("localhost:9090"), true},
        {STR_INIT("127.0.0.1"), STR_INIT("[::1]:9090"), true},
        {STR_INIT("192.0.2.1"), STR_INIT("192.0.2.1:9090"), true},
        {STR_INIT("192.0.2.1"), STR_INIT("localhost:9090"), true},
        {STR_INIT("0.0.0.0"), STR_INIT("192.0.2.7:9090"), true},
        {STR_INIT("0.0.0.0"), STR_INIT("evil.example:9090"), false},
        {STR_INIT("127.0.0.1"), STR_INIT("127.0.0.1"), false},
        {STR_INIT("127.0.0.1"), STR_INIT("127.0.0.1:80"), false},
        {STR_INIT("127.0.0.1"), STR_INIT("192.0.2.1:9090"), false},
        {STR_INIT("127.0.0.1"), STR_INIT("evil.example:9090"), false},
        {STR_INIT("127.0.0.1"), STR_INIT("localhost.evil.example:9090"), false},
        {STR_INIT("127.0.0.1"), STR_INIT(""), false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(cases[i].configured, false,
              (struct http_request_head){.authority = cases[i].host},
              cases[i].good);
}

static void test_rule_33_origin_is_itself_and_no_other_site(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct str value;
        bool tls, good;
    } cases[] = {
        {"origin", STR_INIT("http://127.0.0.1:9090"), false, true},
        {"origin", STR_INIT("https://127.0.0.1:9090"), true, true},
        {"origin", STR_INIT("https://127.0.0.1:9090"), false, false},
        {"origin", STR_INIT("http://127.0.0.1:9090"), true, false},
        {"origin", STR_INIT("http://127.0.0.1:3000"), false, false},
        {"origin", STR_INIT("http://localhost:9090"), false, false},
        {"origin", STR_INIT("null"), false, false},
        {"origin", STR_INIT(""), false, false},
        {"sec-fetch-site", STR_INIT("same-origin"), false, true},
        {"sec-fetch-site", STR_INIT("none"), false, true},
        {"sec-fetch-site", STR_INIT("same-site"), false, false},
        {"sec-fetch-site", STR_INIT("cross-site"), false, false},
        {"sec-fetch-site", STR_INIT(""), false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct http_field field = {str_from(cases[i].name),
                                         cases[i].value};
        check(STR("127.0.0.1"), cases[i].tls,
              (struct http_request_head){.authority = STR("127.0.0.1:9090"),
                                         .fields = {&field, 1}},
              cases[i].good);
    }
    /* Twice is not once. */
    const struct http_field twice[FIELDS_MAX] = {
        {STR("origin"), STR("http://127.0.0.1:9090")},
        {STR("origin"), STR("http://127.0.0.1:9090")},
    };
    check(STR("127.0.0.1"), false,
          (struct http_request_head){.authority = STR("127.0.0.1:9090"),
                                     .fields = {twice, FIELDS_MAX}},
          false);
}

static void test_only_one_bearer_token_is_taken(void **state)
{
    (void)state;
    static const struct {
        struct str value, token; /* empty: refused */
    } cases[] = {
        {STR_INIT("Bearer abc"), STR_INIT("abc")},
        {STR_INIT("bearer  abc "), STR_INIT("abc")},
        {STR_INIT("Basic abc"), STR_INIT("")},
        {STR_INIT("Bearer"), STR_INIT("")},
        {STR_INIT("Bearer "), STR_INIT("")},
        {STR_INIT("abc"), STR_INIT("")},
        {STR_INIT(""), STR_INIT("")},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct http_field fields[FIELDS_MAX] = {
            {STR("authorization"), cases[i].value},
            {STR("authorization"), cases[i].value},
        };
        struct http_request_head head = {.fields = {fields, 1}};
        struct str token = {NULL, 0};
        bool good = gateway_admin_guard_bearer(&head, &token);
        assert_int_equal(good, cases[i].token.len > 0);
        assert_true(!good || str_eq(token, cases[i].token));
        head.fields.count = FIELDS_MAX;
        assert_false(gateway_admin_guard_bearer(&head, &token));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_33_host_is_the_address_or_a_local_name),
        cmocka_unit_test(test_rule_33_origin_is_itself_and_no_other_site),
        cmocka_unit_test(test_only_one_bearer_token_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
