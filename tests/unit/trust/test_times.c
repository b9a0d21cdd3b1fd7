/* Tests trust/times: back-off and jitter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>

#include "base/attr.h"
#include "trust/times.h"

static void test_pauses_double_up_to_the_most(void **state)
{
    static const struct {
        unsigned failures;
        int64_t ms;
    } rows[] = {
        {1, 1000},  {2, 2000},  {3, 4000},  {4, 8000},         {5, 16000},
        {6, 32000}, {7, 60000}, {8, 60000}, {UINT_MAX, 60000},
    };
    const struct trust_times times = {.retry_min_ms = 1000,
                                      .retry_max_ms = 60000};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(times_retry_ms(&times, rows[i].failures), rows[i].ms);
}

static void test_jitter_takes_at_most_an_eighth(void **state)
{
    (void)state;
    int64_t least = INT64_MAX, most = 0;
    for (uint64_t draw = 0; draw < 2000; draw++) {
        int64_t ms = times_jitter_ms(8000, draw * 0x9e3779b97f4a7c15);
        assert_in_range(ms, 7000, 8000);
        least = ms < least ? ms : least;
        most = ms > most ? ms : most;
    }
    assert_true(least < 7050 && most > 7950);
    assert_int_equal(times_jitter_ms(0, 77), 0);
    assert_int_equal(times_jitter_ms(7, 77), 7);
    assert_in_range(times_jitter_ms(INT64_MAX, UINT64_MAX), INT64_MAX / 8 * 7,
                    INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pauses_double_up_to_the_most),
        cmocka_unit_test(test_jitter_takes_at_most_an_eighth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
