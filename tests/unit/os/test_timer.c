/* Tests os/timer on a real loop: not early, in order, cancelled, re-set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/container.h"
#include "base/err.h"
#include "os/clock.h"
#include "os/loop.h"
#include "os/timer.h"

struct alarm {
    struct timer t;
    struct loop *l;
    int64_t fired_ms; /* monotonic */
    int times, again;
    struct alarm *cancels;
};

static void on_fire(struct timer *t)
{
    struct alarm *a = CONTAINER_OF(t, struct alarm, t);
    assert_false(timer_is_set(t));
    a->fired_ms = clock_monotonic_ms();
    a->times++;
    if (a->cancels != NULL)
        timer_cancel(&a->cancels->t);
    if (a->again > 0) {
        a->again--;
        timer_set(a->l, t, 1, on_fire);
    }
}

static void test_timers_fire_once_in_time_and_the_loop_ends(void **state)
{
    (void)state;
    struct loop *l;
    assert_int_equal(loop_new(&l), ERR_OK);
    static const int64_t waits[] = {0, 1, 4, 5, 6, 30, 90};
    struct alarm a[7] = {0};
    int64_t from = clock_monotonic_ms();
    for (int i = 0; i < 7; i++)
        timer_set(l, &a[i].t, waits[i], on_fire);
    loop_run(l);
    for (int i = 0; i < 7; i++) {
        assert_int_equal(a[i].times, 1);
        int64_t took = a[i].fired_ms - from;
        assert_true(took >= waits[i] - 1); /* the loop's clock is coarse */
        assert_true(took < waits[i] + 200);
    }
    loop_free(l);
}

static void test_a_loop_of_cancelled_timers_ends_at_once(void **state)
{
    (void)state;
    struct loop *l;
    assert_int_equal(loop_new(&l), ERR_OK);
    struct alarm a = {0}, b = {0};
    timer_set(l, &a.t, 3600000, on_fire);
    timer_set(l, &b.t, 60000, on_fire);
    timer_set(l, &b.t, 70000, on_fire); /* set again while set */
    timer_cancel(&a.t);
    timer_cancel(&b.t);
    timer_cancel(&b.t);
    int64_t from = clock_monotonic_ms();
    loop_run(l);
    assert_true(clock_monotonic_ms() - from < 1000);
    assert_int_equal(a.times + b.times, 0);
    loop_free(l);
}

static void test_a_timer_may_cancel_its_neighbour_and_set_itself(void **state)
{
    (void)state;
    struct loop *l;
    assert_int_equal(loop_new(&l), ERR_OK);
    struct alarm b = {.l = l}, a = {.l = l, .cancels = &b, .again = 3};
    timer_set(l, &a.t, 10, on_fire);
    timer_set(l, &b.t, 10, on_fire);
    loop_run(l);
    assert_int_equal(a.times, 4);
    assert_int_equal(b.times, 0);
    loop_free(l);
}

static void test_an_earlier_timer_overtakes_the_armed_one(void **state)
{
    (void)state;
    struct loop *l;
    assert_int_equal(loop_new(&l), ERR_OK);
    struct alarm late = {0}, early = {.cancels = &late};
    timer_set(l, &late.t, 600000, on_fire);
    timer_set(l, &early.t, 10, on_fire);
    loop_run(l);
    assert_int_equal(early.times, 1);
    assert_int_equal(late.times, 0);
    loop_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers_fire_once_in_time_and_the_loop_ends),
        cmocka_unit_test(test_a_loop_of_cancelled_timers_ends_at_once),
        cmocka_unit_test(test_a_timer_may_cancel_its_neighbour_and_set_itself),
        cmocka_unit_test(test_an_earlier_timer_overtakes_the_armed_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
