/* Tests base/str: comparing, cutting, searching. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/str.h"

static void test_equality_looks_at_bytes_and_length(void **state)
{
    (void)state;
    static const struct {
        struct str a, b;
        bool same, same_nocase;
    } cases[] = {
        {STR_INIT(""), {NULL, 0}, true, true},
        {STR_INIT("Host"), STR_INIT("Host"), true, true},
        {STR_INIT("Host"), STR_INIT("hOST"), false, true},
        {STR_INIT("Host"), STR_INIT("Hos"), false, false},
        {STR_INIT("a\0b"), STR_INIT("a\0c"), false, false},
        {STR_INIT("@"), STR_INIT("`"), false, false},
        {STR_INIT("["), STR_INIT("{"), false, false},
        {STR_INIT("\xc3\x84"), STR_INIT("\xc3\xa4"), false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(str_eq(cases[i].a, cases[i].b), cases[i].same);
        assert_int_equal(str_eq_secret(cases[i].a, cases[i].b), cases[i].same);
        assert_int_equal(str_eq_nocase(cases[i].a, cases[i].b),
                         cases[i].same_nocase);
    }
}

static void
test_order_is_of_unsigned_bytes_and_prefixes_come_first(void **state)
{
    (void)state;
    static const struct str sorted[] = {
        STR_INIT(""),  STR_INIT("\0"), STR_INIT("A"),
        STR_INIT("a"), STR_INIT("ab"), STR_INIT("\xff"),
    };
    for (size_t i = 0; i < ARRAY_LEN(sorted); i++) {
        for (size_t j = 0; j < ARRAY_LEN(sorted); j++) {
            int order = str_compare(sorted[i], sorted[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
}

static void test_cutting_never_leaves_the_string(void **state)
{
    (void)state;
    struct str s = STR("tool:call");
    assert_true(str_eq(str_skip(s, 5), STR("call")));
    assert_int_equal(str_skip(s, 9).len, 0);
    assert_int_equal(str_skip(s, SIZE_MAX).len, 0);
    assert_true(str_eq(str_first(s, 4), STR("tool")));
    assert_true(str_eq(str_first(s, SIZE_MAX), s));
    assert_int_equal(str_find(s, ':'), 4);
    assert_int_equal(str_find(s, '/'), s.len);
    assert_int_equal(str_find((struct str){NULL, 0}, 'x'), 0);
    assert_true(str_starts(s, STR("tool:")));
    assert_true(str_starts(s, (struct str){NULL, 0}));
    assert_false(str_starts(STR("too"), STR("tool")));
}

static void test_trim_takes_blanks_and_tabs_only(void **state)
{
    (void)state;
    assert_true(str_eq(str_trim(STR(" \t a b\t ")), STR("a b")));
    assert_int_equal(str_trim(STR(" \t ")).len, 0);
    assert_true(str_eq(str_trim(STR("\na\r")), STR("\na\r")));
}

static void test_from_a_c_string(void **state)
{
    (void)state;
    assert_int_equal(str_from(NULL).len, 0);
    assert_true(str_eq(str_from("abc"), STR("abc")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equality_looks_at_bytes_and_length),
        cmocka_unit_test(
            test_order_is_of_unsigned_bytes_and_prefixes_come_first),
        cmocka_unit_test(test_cutting_never_leaves_the_string),
        cmocka_unit_test(test_trim_takes_blanks_and_tabs_only),
        cmocka_unit_test(test_from_a_c_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
