/* Tests codec/http_message: looking up fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "codec/http_message.h"

static void test_only_a_field_that_is_there_once_has_a_value(void **state)
{
    (void)state;
    const struct http_field at[] = {
        {STR("x-one"), STR("1")},
        {STR("x-two"), STR("a")},
        {STR("x-two"), STR("b")},
        {STR("x-empty"), STR("")},
    };
    const struct http_fields f = {at, ARRAY_LEN(at)};
    static const struct {
        struct str name, value;
        size_t count;
    } rows[] = {
        {STR_INIT("x-one"), STR_INIT("1"), 1},
        {STR_INIT("x-two"), STR_INIT(""), 2}, /* neither of them */
        {STR_INIT("x-empty"), STR_INIT(""), 1},
        {STR_INIT("x-none"), STR_INIT(""), 0},
        {STR_INIT("X-One"), STR_INIT(""), 0}, /* names are lower-case */
        {STR_INIT(""), STR_INIT(""), 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(http_fields_count(f, rows[i].name), rows[i].count);
        assert_true(str_eq(http_fields_get(f, rows[i].name), rows[i].value));
    }
    const struct http_fields none = {NULL, 0};
    assert_int_equal(http_fields_count(none, STR("x-one")), 0);
    assert_int_equal(http_fields_get(none, STR("x-one")).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_a_field_that_is_there_once_has_a_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
