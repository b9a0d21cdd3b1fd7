/* Tests os/wheel: every due tick on every level, laps, removal, order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/container.h"
#include "os/wheel.h"

struct item {
    struct list node;
    int64_t due;
    int64_t seen;
};

static int64_t tick_of(struct list *node)
{
    return CONTAINER_OF(node, struct item, node)->due;
}

/* Jumps from one interesting tick to the next until `to`. */
static void run(struct wheel *w, int64_t to)
{
    struct list due;
    list_init(&due);
    int64_t next;
    while ((next = wheel_next(w)) <= to) {
        wheel_advance(w, next, tick_of, &due);
        LIST_EACH(node, after, &due)
        {
            list_remove(node);
            CONTAINER_OF(node, struct item, node)->seen = w->now;
        }
    }
    wheel_advance(w, to, tick_of, &due);
    assert_true(list_empty(&due));
}

static void test_a_timer_comes_at_its_tick_on_every_level(void **state)
{
    (void)state;
    static const int64_t starts[] = {0, 1, 63, 64, 4095, 4096, 123456789};
    static const int64_t waits[] = {1,
                                    2,
                                    63,
                                    64,
                                    65,
                                    127,
                                    128,
                                    4095,
                                    4096,
                                    4097,
                                    262143,
                                    262144,
                                    262145,
                                    16777215,
                                    16777216,
                                    16777217,
                                    WHEEL_SPAN - 1,
                                    WHEEL_SPAN,
                                    WHEEL_SPAN + 1,
                                    3 * WHEEL_SPAN + 77};
    for (size_t s = 0; s < ARRAY_LEN(starts); s++) {
        for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
            struct wheel w;
            wheel_init(&w, starts[s]);
            struct item it = {.due = starts[s] + waits[i], .seen = -1};
            wheel_add(&w, &it.node, it.due);
            run(&w, it.due - 1);
            assert_int_equal(it.seen, -1);
            run(&w, it.due);
            assert_int_equal(it.seen, it.due);
            assert_int_equal(wheel_next(&w), WHEEL_NEVER);
        }
    }
}

static void test_the_nearest_64_ticks_are_told_exactly(void **state)
{
    (void)state;
    struct wheel w;
    wheel_init(&w, 1000);
    struct item far = {.due = 1000 + 5000}, near = {.due = 1010};
    wheel_add(&w, &far.node, far.due);
    wheel_add(&w, &near.node, near.due);
    assert_int_equal(wheel_next(&w), 1010);
    list_remove(&near.node);
    assert_true(wheel_next(&w) > 1010 && wheel_next(&w) <= far.due);
    list_remove(&far.node);
    assert_int_equal(wheel_next(&w), WHEEL_NEVER);
}

static void test_what_is_overdue_comes_with_the_next_tick(void **state)
{
    (void)state;
    struct wheel w;
    wheel_init(&w, 500);
    struct item it = {.due = 3, .seen = -1};
    wheel_add(&w, &it.node, it.due);
    assert_int_equal(wheel_next(&w), 501);
    run(&w, 501);
    assert_int_equal(it.seen, 501);
}

/* A fixed generator (Park and Miller): failures repeat. */
static uint32_t draw(uint32_t *s)
{
    *s = (uint32_t)((uint64_t)*s * 48271 % 2147483647);
    return *s;
}

static void test_many_timers_come_in_time_and_none_twice(void **state)
{
    (void)state;
    enum { N = 2000 };
    static struct item items[N];
    struct wheel w;
    wheel_init(&w, 77);
    uint32_t seed = 4711;
    for (int i = 0; i < N; i++) {
        int64_t span = (int64_t)1 << (draw(&seed) % 24);
        items[i] = (struct item){.due = 78 + draw(&seed) % span, .seen = -1};
        wheel_add(&w, &items[i].node, items[i].due);
    }
    for (int i = 0; i < N; i += 3) /* cancelled */
        list_remove(&items[i].node);
    for (int64_t now = 77; now < 1 << 25; now += 1 + draw(&seed) % 9999)
        run(&w, now);
    for (int i = 0; i < N; i++)
        assert_int_equal(items[i].seen, i % 3 == 0 ? -1 : items[i].due);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_timer_comes_at_its_tick_on_every_level),
        cmocka_unit_test(test_the_nearest_64_ticks_are_told_exactly),
        cmocka_unit_test(test_what_is_overdue_comes_with_the_next_tick),
        cmocka_unit_test(test_many_timers_come_in_time_and_none_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
