/* Tests base/pool: what is given back is used again, zeroed, up to a number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"

enum { SIZE = 100 };

static void test_what_is_given_back_is_used_again(void **state)
{
    (void)state;
    struct pool p = {0};
    unsigned char *first = pool_take(&p, SIZE);
    unsigned char *second = pool_take(&p, SIZE);
    assert_non_null(first);
    assert_non_null(second);
    memset(first, 0xff, SIZE);
    pool_give(&p, first);
    pool_give(&p, NULL);
    assert_int_equal(p.count, 1);

    unsigned char *again = pool_take(&p, SIZE);
    assert_ptr_equal(again, first);
    for (size_t i = 0; i < SIZE; i++)
        assert_int_equal(again[i], 0);
    pool_give(&p, again);
    pool_give(&p, second);
    pool_release(&p);
    assert_int_equal(p.count, 0);
}

static void test_a_pool_keeps_so_many_and_no_more(void **state)
{
    (void)state;
    struct pool p = {0};
    void *taken[POOL_KEPT_MAX + 10];
    for (size_t i = 0; i < POOL_KEPT_MAX + 10; i++) {
        taken[i] = pool_take(&p, SIZE);
        assert_non_null(taken[i]);
    }
    for (size_t i = 0; i < POOL_KEPT_MAX + 10; i++)
        pool_give(&p, taken[i]);
    assert_int_equal(p.count, POOL_KEPT_MAX);
    pool_release(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_given_back_is_used_again),
        cmocka_unit_test(test_a_pool_keeps_so_many_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
