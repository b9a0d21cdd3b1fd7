/* Tests admin/body: what is known is read, all else is named and refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "admin/body.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/limits.h"

static void test_what_is_known_is_read(void **state)
{
    (void)state;
    struct arena a;
    struct str name = {NULL, 0}, missing = STR("as it was");
    struct body_texts list = {.count = 0}, one = {.count = 0};
    bool flag = false;
    struct body_problem problem;
    const struct body_field fields[] = {
        {STR("name"), BODY_TEXT, true, &name},
        {STR("list"), BODY_TEXTS, false, &list},
        {STR("one"), BODY_TEXTS, false, &one},
        {STR("flag"), BODY_FLAG, false, &flag},
        {STR("missing"), BODY_TEXT, false, &missing},
    };

    arena_init(&a, MIB);
    assert_int_equal(body_read(&a,
                               STR("{\"flag\":true,\"list\":[\"a\",\"b\"],"
                                   "\"name\":\"n\",\"one\":\"c\"}"),
                               fields, ARRAY_LEN(fields), &problem),
                     ERR_OK);
    assert_true(str_eq(name, STR("n")));
    assert_int_equal(list.count, 2);
    assert_true(str_eq(list.at[1], STR("b")));
    assert_int_equal(one.count, 1);
    assert_true(flag);
    assert_true(str_eq(missing, STR("as it was")));
    arena_release(&a);
}

static void test_what_is_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        struct str body;
        enum err err;
        struct str param;
    } cases[] = {
        {STR_INIT("{\"name\":\"n\",\"nmae\":1}"), ERR_UNKNOWN_FIELD,
         STR_INIT("nmae")},
        {STR_INIT("{}"), ERR_MALFORMED, STR_INIT("name")},
        {STR_INIT(""), ERR_MALFORMED, STR_INIT("name")},
        {STR_INIT("{\"name\":\"\"}"), ERR_MALFORMED, STR_INIT("name")},
        {STR_INIT("{\"name\":7}"), ERR_MALFORMED, STR_INIT("name")},
        {STR_INIT("{\"name\":null}"), ERR_MALFORMED, STR_INIT("name")},
        {STR_INIT("{\"name\":\"n\",\"flag\":\"yes\"}"), ERR_MALFORMED,
         STR_INIT("flag")},
        {STR_INIT("{\"name\":\"n\",\"list\":[1]}"), ERR_MALFORMED,
         STR_INIT("list")},
        {STR_INIT("[]"), ERR_MALFORMED, STR_INIT("")},
        {STR_INIT("{\"name\":\"n\",\"name\":\"m\"}"), ERR_MALFORMED,
         STR_INIT("")},
        {STR_INIT("{"), ERR_MALFORMED, STR_INIT("")},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a;
        struct str name;
        struct body_texts list;
        bool flag;
        struct body_problem problem = {NULL, {NULL, 0}};
        const struct body_field fields[] = {
            {STR("name"), BODY_TEXT, true, &name},
            {STR("list"), BODY_TEXTS, false, &list},
            {STR("flag"), BODY_FLAG, false, &flag},
        };
        print_message("  case: %.*s\n", STR_FMT(cases[i].body));
        arena_init(&a, MIB);
        assert_int_equal(body_read(&a, cases[i].body, fields, 3, &problem),
                         cases[i].err);
        assert_non_null(problem.detail);
        assert_true(str_eq(problem.param, cases[i].param));
        arena_release(&a);
    }
}

static void test_long_texts_and_lists_are_refused(void **state)
{
    (void)state;
    struct arena a;
    struct buf body;
    struct str name;
    struct body_texts list;
    struct body_problem problem;
    const struct body_field text = {STR("name"), BODY_TEXT, true, &name};
    const struct body_field texts = {STR("list"), BODY_TEXTS, true, &list};

    arena_init(&a, MIB);
    for (size_t n = BODY_TEXT_MAX; n <= BODY_TEXT_MAX + 1; n++) {
        buf_init(&body, MIB);
        BUF_LIT(&body, "{\"name\":\"");
        for (size_t i = 0; i < n; i++)
            buf_add_char(&body, 'x');
        BUF_LIT(&body, "\"}");
        assert_int_equal(body_read(&a, buf_str(&body), &text, 1, &problem),
                         n == BODY_TEXT_MAX ? ERR_OK : ERR_MALFORMED);
        buf_release(&body);
    }
    for (size_t n = BODY_TEXTS_MAX; n <= BODY_TEXTS_MAX + 1; n++) {
        buf_init(&body, MIB);
        BUF_LIT(&body, "{\"list\":[\"0\"");
        for (size_t i = 1; i < n; i++)
            BUF_LIT(&body, ",\"x\"");
        BUF_LIT(&body, "]}");
        assert_int_equal(body_read(&a, buf_str(&body), &texts, 1, &problem),
                         n == BODY_TEXTS_MAX ? ERR_OK : ERR_MALFORMED);
        buf_release(&body);
    }
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_known_is_read),
        cmocka_unit_test(test_what_is_wrong_is_named),
        cmocka_unit_test(test_long_texts_and_lists_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
