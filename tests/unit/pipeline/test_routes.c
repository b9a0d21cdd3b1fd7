/* Tests pipeline/routes: exact paths, prefixes, methods and planes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "pipeline/routes.h"

static void test_only_what_is_in_the_table_is_found(void **state)
{
    (void)state;
    static const struct {
        enum plane plane;
        struct str method, path;
        enum endpoint_match match;
        enum endpoint_kind kind;
        struct str argument;
    } cases[] = {
        {PLANE_DATA, STR_INIT("POST"), STR_INIT("/v1/chat/completions"),
         ENDPOINT_MATCH, ENDPOINT_ACTION, STR_INIT("")},
        {PLANE_DATA, STR_INIT("POST"), STR_INIT("/v1/embeddings"),
         ENDPOINT_MATCH, ENDPOINT_ACTION, STR_INIT("")},
        {PLANE_DATA, STR_INIT("GET"), STR_INIT("/v1/models"), ENDPOINT_MATCH,
         ENDPOINT_ACTION, STR_INIT("")},
        {PLANE_DATA, STR_INIT("GET"), STR_INIT("/v1/models/small"),
         ENDPOINT_MATCH, ENDPOINT_ACTION, STR_INIT("small")},
        {PLANE_DATA, STR_INIT("GET"), STR_INIT("/v1/chat/completions"),
         ENDPOINT_MATCH_PATH, ENDPOINT_NONE, STR_INIT("")},
        {PLANE_DATA, STR_INIT("POST"), STR_INIT("/v1/chat/completions/"),
         ENDPOINT_MATCH_NONE, ENDPOINT_NONE, STR_INIT("")},
        {PLANE_DATA, STR_INIT("POST"), STR_INIT("/V1/chat/completions"),
         ENDPOINT_MATCH_NONE, ENDPOINT_NONE, STR_INIT("")},
        {PLANE_DATA, STR_INIT("GET"), STR_INIT("/v1/models/"),
         ENDPOINT_MATCH_NONE, ENDPOINT_NONE, STR_INIT("")},
        /* Rule 33: what is governed cannot reach the admin plane. */
        {PLANE_DATA, STR_INIT("GET"), STR_INIT("/admin/v1/status"),
         ENDPOINT_MATCH_NONE, ENDPOINT_NONE, STR_INIT("")},
        {PLANE_CONTROL, STR_INIT("GET"), STR_INIT("/admin/v1/status"),
         ENDPOINT_MATCH, ENDPOINT_ADMIN, STR_INIT("status")},
        {PLANE_ADMIN, STR_INIT("POST"), STR_INIT("/admin/v1/agents/acme/w"),
         ENDPOINT_MATCH, ENDPOINT_ADMIN, STR_INIT("agents/acme/w")},
        {PLANE_ADMIN, STR_INIT("GET"), STR_INIT("/metrics"), ENDPOINT_MATCH,
         ENDPOINT_METRICS, STR_INIT("")},
        {PLANE_DATA, STR_INIT("GET"), STR_INIT("/metrics"), ENDPOINT_MATCH_NONE,
         ENDPOINT_NONE, STR_INIT("")},
        {PLANE_ADMIN, STR_INIT("GET"), STR_INIT("/readyz"), ENDPOINT_MATCH,
         ENDPOINT_READY, STR_INIT("")},
        {PLANE_CONTROL, STR_INIT("POST"), STR_INIT("/v1/chat/completions"),
         ENDPOINT_MATCH_NONE, ENDPOINT_NONE, STR_INIT("")},
        {PLANE_DATA, STR_INIT("GET"), STR_INIT("/healthz"), ENDPOINT_MATCH,
         ENDPOINT_HEALTH, STR_INIT("")},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct endpoint *e = NULL;
        struct str argument = {0};
        print_message("  case: %.*s %.*s\n", STR_FMT(cases[i].method),
                      STR_FMT(cases[i].path));
        assert_int_equal(routes_find(cases[i].plane, cases[i].method,
                                     cases[i].path, &e, &argument),
                         cases[i].match);
        if (cases[i].match != ENDPOINT_MATCH)
            continue;
        assert_int_equal(e->kind, cases[i].kind);
        assert_true(str_eq(argument, cases[i].argument));
    }
}

static void test_the_allow_field_lists_the_methods_of_a_path(void **state)
{
    (void)state;
    static const struct {
        enum plane plane;
        struct str path, methods;
    } cases[] = {
        {PLANE_DATA, STR_INIT("/healthz"), STR_INIT("GET, POST")},
        {PLANE_DATA, STR_INIT("/v1/models/small"), STR_INIT("GET")},
        {PLANE_DATA, STR_INIT("/v1/chat/completions"), STR_INIT("POST")},
        {PLANE_DATA, STR_INIT("/admin/v1/status"), STR_INIT("")},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf list;
        buf_init(&list, 256);
        routes_allowed(cases[i].plane, cases[i].path, &list);
        assert_true(str_eq(buf_str(&list), cases[i].methods));
        buf_release(&list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_what_is_in_the_table_is_found),
        cmocka_unit_test(test_the_allow_field_lists_the_methods_of_a_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
