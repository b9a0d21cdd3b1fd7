/* Tests limit/limit_bucket: refills, waits, and clocks that jump. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "limit/limit_bucket.h"

#define SEC INT64_C(1000000)
#define START (INT64_C(1795000000) * SEC)

static bool take(struct limit_bucket *b, int64_t now_us)
{
    if (b->level == 0)
        return false;
    (void)now_us;
    limit_bucket_take(b);
    return true;
}

static unsigned take_all(struct limit_bucket *b, uint64_t requests,
                         int64_t window_us, int64_t now_us)
{
    unsigned n = 0;
    limit_bucket_refill(b, requests, (uint64_t)window_us, now_us);
    while (take(b, now_us))
        n++;
    return n;
}

static void test_refills_come_evenly_and_never_beyond_full(void **state)
{
    (void)state;
    static const struct {
        uint64_t requests;
        int64_t window_us, after_us;
        unsigned want;
    } rows[] = {
        {10, SEC, 0, 0},
        {10, SEC, 99999, 0},
        {10, SEC, 100000, 1},
        {10, SEC, 199999, 1},
        {10, SEC, SEC, 10},
        {10, SEC, 100 * SEC, 10},
        {3, SEC, 333333, 0},
        {3, SEC, 333334, 1},
        {3, SEC, 666667, 2},
        {1, 3600 * SEC, 3599 * SEC, 0},
        {1, 3600 * SEC, 3600 * SEC, 1},
        {1000, 10 * 366 * 86400 * SEC, 86400 * SEC, 0},
        {UINT32_MAX, 366 * 86400 * SEC, 1, 0},
        {UINT32_MAX, 366 * 86400 * SEC, SEC, 135},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct limit_bucket b = {0};
        limit_bucket_refill(&b, rows[i].requests, (uint64_t)rows[i].window_us,
                            START);
        assert_int_equal(b.level, rows[i].requests);
        b.level = 0; /* as if all were taken */
        limit_bucket_refill(&b, rows[i].requests, (uint64_t)rows[i].window_us,
                            START + rows[i].after_us);
        if (b.level != rows[i].want)
            print_error("row %zu\n", i);
        assert_int_equal(b.level, rows[i].want);
    }
}

static void test_what_is_left_of_a_request_is_kept(void **state)
{
    (void)state;
    struct limit_bucket b = {0};
    unsigned n = take_all(&b, 7, SEC, START);
    assert_int_equal(n, 7);
    int64_t now = START;
    n = 0;
    for (unsigned i = 0; i < 100000; i++) { /* a hundred seconds */
        now += 1000;
        n += take_all(&b, 7, SEC, now);
    }
    assert_int_equal(n, 700);
}

static void test_waits_are_as_long_as_they_say(void **state)
{
    (void)state;
    static const struct {
        uint64_t requests;
        int64_t window_us;
    } rows[] = {{10, SEC}, {3, SEC}, {7, 60 * SEC}, {UINT32_MAX, 86400 * SEC}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct limit_bucket b = {0};
        uint64_t window = (uint64_t)rows[i].window_us;
        limit_bucket_refill(&b, rows[i].requests, window, START);
        assert_int_equal(limit_bucket_wait_us(&b), 0);
        assert_int_equal(limit_bucket_full_us(&b), 0);
        b.level = 0;
        assert_int_equal(limit_bucket_full_us(&b), rows[i].window_us);
        int64_t wait = limit_bucket_wait_us(&b);
        assert_false(limit_bucket_is_full(&b, START + rows[i].window_us - 1));
        assert_true(limit_bucket_is_full(&b, START + rows[i].window_us));
        struct limit_bucket early = b;
        limit_bucket_refill(&early, rows[i].requests, window, START + wait - 1);
        assert_int_equal(early.level, 0);
        limit_bucket_refill(&b, rows[i].requests, window, START + wait);
        assert_true(b.level >= 1);
    }
}

static void test_a_clock_that_jumps_gives_nothing(void **state)
{
    (void)state;
    struct limit_bucket b = {0};
    assert_int_equal(take_all(&b, 10, SEC, START), 10);
    /* Two clocks, a little apart, in turns. */
    unsigned n = 0;
    for (unsigned i = 0; i < 1000; i++) {
        n += take_all(&b, 10, SEC, START + (int64_t)i * 1000);
        n += take_all(&b, 10, SEC, START + (int64_t)i * 1000 - 500000);
    }
    assert_int_equal(n, 9); /* 999 ms */
    /* An hour back: nothing at once, and then as usual. */
    int64_t back = START - 3600 * SEC;
    assert_int_equal(take_all(&b, 10, SEC, back), 0);
    assert_int_equal(take_all(&b, 10, SEC, back + SEC / 2), 5);
    /* Ten years on: full, not more. */
    assert_int_equal(take_all(&b, 10, SEC, START + 3650 * 86400 * SEC), 10);
}

static void test_other_rules_keep_what_was_taken(void **state)
{
    (void)state;
    struct limit_bucket b = {0};
    assert_int_equal(take_all(&b, 10, SEC, START), 10);
    limit_bucket_refill(&b, 100, (uint64_t)(60 * SEC), START);
    assert_int_equal(b.level, 0);
    limit_bucket_refill(&b, 100, (uint64_t)(60 * SEC), START + 60 * SEC);
    assert_int_equal(b.level, 100);
    limit_bucket_refill(&b, 5, (uint64_t)SEC, START + 60 * SEC);
    assert_int_equal(b.level, 5);
    limit_bucket_give(&b);
    assert_int_equal(b.level, 5);
    limit_bucket_take(&b);
    limit_bucket_give(&b);
    assert_int_equal(b.level, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refills_come_evenly_and_never_beyond_full),
        cmocka_unit_test(test_what_is_left_of_a_request_is_kept),
        cmocka_unit_test(test_waits_are_as_long_as_they_say),
        cmocka_unit_test(test_a_clock_that_jumps_gives_nothing),
        cmocka_unit_test(test_other_rules_keep_what_was_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
