/* Tests base/buf: limits, failure that sticks, growing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"

static void test_appends_add_up(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4096);
    assert_true(BUF_LIT(&b, "id="));
    assert_true(buf_add_u64(&b, UINT64_MAX));
    assert_true(buf_add_char(&b, ','));
    assert_true(buf_add_i64(&b, INT64_MIN));
    assert_true(buf_add_char(&b, ','));
    assert_true(buf_add_i64(&b, 0));
    assert_true(buf_addf(&b, " %s=%d", "port", 8080));
    assert_true(buf_add(&b, (struct str){NULL, 0}));
    assert_true(
        str_eq(buf_str(&b), STR("id=18446744073709551615,-9223372036854775808,0"
                                " port=8080")));
    buf_release(&b);
}

static void test_the_maximum_is_exact_and_failure_sticks(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 8);
    assert_true(BUF_LIT(&b, "12345678"));
    assert_false(buf_add_char(&b, '9'));
    assert_true(str_eq(buf_str(&b), STR("12345678")));
    assert_false(buf_ok(&b));
    buf_drop(&b, 4);
    assert_false(buf_add_char(&b, '9')); /* there would be room now */
    assert_true(str_eq(buf_str(&b), STR("5678")));

    buf_clear(&b);
    assert_true(buf_ok(&b));
    assert_true(BUF_LIT(&b, "x"));
    buf_release(&b);
    assert_int_equal(b.max, 8);
    assert_int_equal(b.len, 0);
}

static void test_a_format_that_does_not_fit_adds_nothing(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 6);
    assert_true(BUF_LIT(&b, "ab"));
    assert_false(buf_addf(&b, "%s", "cdef"));
    assert_true(str_eq(buf_str(&b), STR("ab")));
    assert_false(buf_ok(&b));
    buf_release(&b);
}

static void test_space_is_given_and_taken(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1024);
    char *to = buf_space(&b, 100);
    assert_non_null(to);
    memset(to, 'z', 100);
    buf_added(&b, 60);
    assert_int_equal(b.len, 60);
    assert_non_null(buf_space(&b, 0));
    assert_null(buf_space(&b, 1000));
    assert_false(buf_ok(&b));
    buf_release(&b);
}

static void test_what_is_expected_is_a_hint(void **state)
{
    struct buf b;
    char room[8];
    (void)state;
    buf_init(&b, 5000);
    buf_expect(&b, 6000); /* more than it may hold: said in vain */
    assert_true(buf_ok(&b));
    assert_int_equal(b.room, 0);
    buf_expect(&b, 3000);
    assert_true(buf_ok(&b) && b.room >= 3000);
    assert_int_equal(b.len, 0);
    buf_release(&b);
    buf_init_lent(&b, room, sizeof(room));
    buf_expect(&b, 100);
    assert_true(buf_add(&b, STR("12345678")) && buf_ok(&b));
}

static void test_dropping_keeps_the_rest_in_order(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 20);
    for (unsigned i = 0; i < 20000; i++)
        assert_true(buf_add_u64(&b, i % 10));
    buf_drop(&b, 0);
    buf_drop(&b, 19995);
    assert_true(str_eq(buf_str(&b), STR("56789")));
    buf_drop(&b, 5);
    assert_int_equal(b.len, 0);
    buf_release(&b);
}

static void test_lent_memory_is_all_there_is(void **state)
{
    (void)state;
    char room[8];
    struct buf b;

    buf_init_lent(&b, room, sizeof(room));
    assert_true(buf_add(&b, STR("12345678")));
    assert_ptr_equal(b.ptr, room);
    assert_false(buf_add_char(&b, '9'));
    assert_false(buf_ok(&b));
    buf_release(&b); /* leaves the room alone */
    assert_true(buf_add(&b, STR("again")));
    assert_ptr_equal(b.ptr, room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lent_memory_is_all_there_is),
        cmocka_unit_test(test_appends_add_up),
        cmocka_unit_test(test_the_maximum_is_exact_and_failure_sticks),
        cmocka_unit_test(test_a_format_that_does_not_fit_adds_nothing),
        cmocka_unit_test(test_space_is_given_and_taken),
        cmocka_unit_test(test_what_is_expected_is_a_hint),
        cmocka_unit_test(test_dropping_keeps_the_rest_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
