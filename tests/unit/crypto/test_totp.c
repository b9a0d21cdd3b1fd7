/* Tests crypto/totp: the codes of RFC 6238, appendix B, and what is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "crypto/totp.h"

#define SECRET STR("12345678901234567890")
#define US INT64_C(1000000)

static void test_codes_are_those_of_rfc_6238(void **state)
{
    (void)state;
    /* The RFC prints eight digits; six are the last of them. */
    static const struct {
        int64_t time_s;
        const char *code;
    } cases[] = {
        {59, "287082"},         {1111111109, "081804"},
        {1111111111, "050471"}, {1234567890, "005924"},
        {2000000000, "279037"}, {INT64_C(20000000000), "353130"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char code[TOTP_DIGITS];
        assert_int_equal(totp_code(SECRET, totp_step(cases[i].time_s * US),
                                   code),
                         ERR_OK);
        assert_memory_equal(code, cases[i].code, TOTP_DIGITS);
    }
}

static void test_one_step_of_skew_is_taken_and_no_more(void **state)
{
    (void)state;
    const int64_t now = INT64_C(1111111111) * US;
    for (int64_t skew = -3; skew <= 3; skew++) {
        char code[TOTP_DIGITS];
        int64_t step = totp_step(now) + skew;
        assert_int_equal(totp_code(SECRET, step, code), ERR_OK);
        int64_t found =
            totp_check(SECRET, (struct str){code, TOTP_DIGITS}, now);
        assert_int_equal(found, skew >= -1 && skew <= 1 ? step : -1);
    }
}

static void test_what_is_no_code_is_refused(void **state)
{
    (void)state;
    static const struct str bad[] = {
        STR_INIT(""),       STR_INIT("05047"),  STR_INIT("0504711"),
        STR_INIT("050470"), STR_INIT("abcdef"), STR_INIT("050471\0"),
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(totp_check(SECRET, bad[i], INT64_C(1111111111) * US),
                         -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes_are_those_of_rfc_6238),
        cmocka_unit_test(test_one_step_of_skew_is_taken_and_no_more),
        cmocka_unit_test(test_what_is_no_code_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
