/* Tests admin/when: durations and dates, not in the past, not for ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/when.h"
#include "base/attr.h"

#define US INT64_C(1000000)
/* 2026-11-20T06:00:00Z */
#define NOW (INT64_C(1795154400) * US)

static void test_moments_are_read(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        int64_t us;
    } cases[] = {
        {STR_INIT("90d"), NOW + 90 * INT64_C(86400) * US},
        {STR_INIT("30s"), NOW + 30 * US},
        {STR_INIT("2026-11-21"), NOW + INT64_C(18) * 3600 * US},
        {STR_INIT("2026-11-20T06:00:01Z"), NOW + US},
        {STR_INIT("2026-11-20T06:00:00.000001Z"), NOW + 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t us = 0;
        print_message("  case: %.*s\n", STR_FMT(cases[i].text));
        assert_true(when_read(cases[i].text, NOW, &us));
        assert_int_equal(us, cases[i].us);
    }
}

static void test_what_is_no_moment_to_come_is_refused(void **state)
{
    (void)state;
    static const struct str bad[] = {
        STR_INIT(""),
        STR_INIT("0"),
        STR_INIT("90"),
        STR_INIT("-1d"),
        STR_INIT("11y"),
        STR_INIT("3654d"),
        STR_INIT("99999999999999999d"),
        STR_INIT("2026-11-20"),
        STR_INIT("2026-11-20T06:00:00Z"),
        STR_INIT("2026-11-20T05:59:59Z"),
        STR_INIT("2026-13-01"),
        STR_INIT("2026-02-30"),
        STR_INIT("2037-01-01"),
        STR_INIT("2026-11-21T06:00:00+"),
        STR_INIT("tomorrow"),
        STR_INIT("2027-01-01 "),
        STR_INIT("forever"),
        STR_INIT("0000000000000000000000000009m"),
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        int64_t us;
        print_message("  case: %.*s\n", STR_FMT(bad[i]));
        assert_false(when_read(bad[i], NOW, &us));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moments_are_read),
        cmocka_unit_test(test_what_is_no_moment_to_come_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
