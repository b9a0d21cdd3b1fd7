/* Tests codec/decimal: order, integers, multiples, hashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "codec/decimal.h"

static struct decimal read_text(const char *text)
{
    return decimal_read(str_from(text));
}

static int sign(int v)
{
    return v < 0 ? -1 : v > 0;
}

static void test_numbers_are_ordered_by_value(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        int order;
    } rows[] = {
        {"0", "-0.0e5", 0},
        {"1", "1.0", 0},
        {"1", "10e-1", 0},
        {"100", "1E+2", 0},
        {"0.05", "5e-2", 0},
        {"-1", "1", -1},
        {"-2", "-1", -1},
        {"-0.1", "0", -1},
        {"0", "0.001", -1},
        {"9", "10", -1},
        {"1.5", "1.25", 1},
        {"123.456", "123.4560001", -1},
        {"9007199254740992", "9007199254740993", -1},
        {"9223372036854775807", "9223372036854775808", -1},
        {"0.1", "0.1000000000000000055511151231257827", -1},
        {"1e999999999999999999999", "1e308", 1},
        {"1e-999999999999999999999", "0", 1},
        {"-1e999999999999999999999", "-1e308", -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct decimal a = read_text(rows[i].a);
        struct decimal b = read_text(rows[i].b);
        if (sign(decimal_compare(a, b)) != rows[i].order ||
            sign(decimal_compare(b, a)) != -rows[i].order)
            fail_msg("%s and %s", rows[i].a, rows[i].b);
        if (rows[i].order == 0)
            assert_true(decimal_hash(a) == decimal_hash(b));
        else
            assert_true(decimal_hash(a) != decimal_hash(b));
    }
}

static void test_integers_are_known_in_every_form(void **state)
{
    (void)state;
    static const char *const integers[] = {"0",      "-0.0",  "1.0",
                                           "1e3",    "1.5e1", "100e-2",
                                           "-12.00", "1e400"};
    static const char *const others[] = {"0.5", "1e-1", "15e-1", "1.05e1",
                                         "1e-400"};
    for (size_t i = 0; i < ARRAY_LEN(integers); i++)
        assert_true(decimal_is_integer(read_text(integers[i])));
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_false(decimal_is_integer(read_text(others[i])));
}

static void test_multiples_are_exact(void **state)
{
    (void)state;
    static const struct {
        const char *v, *unit;
        bool is_multiple;
    } rows[] = {
        {"0", "0.3", true},
        {"10", "5", true},
        {"7", "2", false},
        {"4.5", "1.5", true},
        {"0.0075", "0.0001", true},
        {"0.00751", "0.0001", false},
        {"19.99", "0.01", true},
        {"-0.3", "0.1", true},
        {"1e308", "0.5", true},
        {"1e308", "0.123456789", false},
        {"12391239123", "1e-8", true},
        {"1e2", "8", false},
        {"1e3", "8", true},
        {"1e1000000000000", "1024", true},
        {"1e1000000000000", "3", false},
        {"9223372036854775807", "7", true},
        {"9223372036854775806", "7", false},
        {"99999999999999999800000000000000000", "999999999999999998", true},
        {"5", "10", false},
        {"5e-1", "1", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (decimal_is_multiple(read_text(rows[i].v),
                                read_text(rows[i].unit)) != rows[i].is_multiple)
            fail_msg("%s of %s", rows[i].v, rows[i].unit);
    }
}

static void test_counts_are_read_and_saturate(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t v;
    } rows[] = {{"0", 0},
                {"2.0", 2},
                {"12e1", 120},
                {"18446744073709551615", UINT64_MAX},
                {"18446744073709551616", UINT64_MAX},
                {"1e1000000000000", UINT64_MAX}};
    uint64_t v;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_true(decimal_u64(read_text(rows[i].text), &v));
        assert_true(v == rows[i].v);
    }
    assert_false(decimal_u64(read_text("-1"), &v));
    assert_false(decimal_u64(read_text("1.5"), &v));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_are_ordered_by_value),
        cmocka_unit_test(test_integers_are_known_in_every_form),
        cmocka_unit_test(test_multiples_are_exact),
        cmocka_unit_test(test_counts_are_read_and_saturate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
