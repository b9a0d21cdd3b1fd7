/* Tests base/num: numbers are the whole text or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>

#include "base/attr.h"
#include "base/num.h"

#define U64_MAX_TEXT "18446744073709551615"

static void test_unsigned_numbers_fit_or_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        uint64_t max, value;
        bool ok;
    } cases[] = {
        {STR_INIT("0"), 0, 0, true},
        {STR_INIT("007"), 7, 7, true},
        {STR_INIT("8"), 7, 0, false},
        {STR_INIT("65536"), 65535, 0, false},
        {STR_INIT(U64_MAX_TEXT), UINT64_MAX, UINT64_MAX, true},
        {STR_INIT("18446744073709551616"), UINT64_MAX, 0, false},
        {STR_INIT("99999999999999999999999"), UINT64_MAX, 0, false},
        {STR_INIT(""), UINT64_MAX, 0, false},
        {STR_INIT("+1"), UINT64_MAX, 0, false},
        {STR_INIT(" 1"), UINT64_MAX, 0, false},
        {STR_INIT("1 "), UINT64_MAX, 0, false},
        {STR_INIT("1\0"), UINT64_MAX, 0, false},
        {STR_INIT("0x1"), UINT64_MAX, 0, false},
        {STR_INIT("1e3"), UINT64_MAX, 0, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t v = 99;
        assert_int_equal(num_u64(cases[i].text, cases[i].max, &v), cases[i].ok);
        assert_true(v == (cases[i].ok ? cases[i].value : 99));
    }
}

static void test_signed_numbers_reach_both_ends(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        int64_t value;
        bool ok;
    } cases[] = {
        {STR_INIT("-0"), 0, true},
        {STR_INIT("9223372036854775807"), INT64_MAX, true},
        {STR_INIT("9223372036854775808"), 0, false},
        {STR_INIT("-9223372036854775808"), INT64_MIN, true},
        {STR_INIT("-9223372036854775809"), 0, false},
        {STR_INIT("-"), 0, false},
        {STR_INIT("--1"), 0, false},
        {STR_INIT(""), 0, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t v = 99;
        assert_int_equal(num_i64(cases[i].text, &v), cases[i].ok);
        assert_true(v == (cases[i].ok ? cases[i].value : 99));
    }
}

enum unit { DURATION, BYTES, MICROS };

static bool read_unit(enum unit unit, struct str s, int64_t *ret)
{
    uint64_t bytes;
    if (unit == DURATION)
        return num_duration_ms(s, ret);
    if (unit == MICROS)
        return num_micros(s, ret);
    if (!num_bytes(s, &bytes))
        return false;
    *ret = (int64_t)bytes;
    return true;
}

static void test_units_are_read_strictly(void **state)
{
    (void)state;
    static const struct {
        enum unit unit;
        struct str text;
        int64_t value; /* -1: refused */
    } cases[] = {
        {DURATION, STR_INIT("250ms"), 250},
        {DURATION, STR_INIT("30s"), 30000},
        {DURATION, STR_INIT("15m"), 900000},
        {DURATION, STR_INIT("8h"), 28800000},
        {DURATION, STR_INIT("1d"), 86400000},
        {DURATION, STR_INIT("0"), 0},
        {DURATION, STR_INIT("30"), -1},
        {DURATION, STR_INIT("30 s"), -1},
        {DURATION, STR_INIT("1.5s"), -1},
        {DURATION, STR_INIT("-1s"), -1},
        {DURATION, STR_INIT("s"), -1},
        {DURATION, STR_INIT(""), -1},
        {DURATION, STR_INIT("9223372036854775807d"), -1},
        {BYTES, STR_INIT("512"), 512},
        {BYTES, STR_INIT("64KB"), 65536},
        {BYTES, STR_INIT("8MB"), 8388608},
        {BYTES, STR_INIT("1GB"), 1073741824},
        {BYTES, STR_INIT("1kb"), -1},
        {BYTES, STR_INIT("1TB"), -1},
        {BYTES, STR_INIT("99999999999GB"), -1},
        {MICROS, STR_INIT("0.15"), 150000},
        {MICROS, STR_INIT("2"), 2000000},
        {MICROS, STR_INIT("0.000001"), 1},
        {MICROS, STR_INIT("0.0000001"), -1},
        {MICROS, STR_INIT("1."), -1},
        {MICROS, STR_INIT(".5"), -1},
        {MICROS, STR_INIT("-1"), -1},
        {MICROS, STR_INIT("1e3"), -1},
        {MICROS, STR_INIT("9223372036854"), -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t v = -1;
        bool ok = read_unit(cases[i].unit, cases[i].text, &v);
        if (ok != (cases[i].value >= 0) || v != cases[i].value)
            fail_msg("\"%.*s\" gave %" PRId64, STR_FMT(cases[i].text), v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unsigned_numbers_fit_or_are_refused),
        cmocka_unit_test(test_signed_numbers_reach_both_ends),
        cmocka_unit_test(test_units_are_read_strictly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
