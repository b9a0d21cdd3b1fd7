/* Tests codec/frame: framing at every split, limits, hello, integers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "codec/frame.h"

static void test_frames_come_out_as_they_went_in(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, KIB);
    frame_add(&b, 7, 0x8001, STR("payload"));
    frame_add(&b, 0xffff, 0, STR(""));
    assert_true(buf_ok(&b));
    assert_memory_equal(b.ptr, "\0\0\0\7\0\7\x80\1payload", 15);

    struct frame f;
    size_t used;
    struct str left = buf_str(&b);
    assert_int_equal(frame_next(left, &f, &used), ERR_OK);
    assert_int_equal(used, 15);
    assert_int_equal(f.type, 7);
    assert_int_equal(f.flags, 0x8001);
    assert_true(str_eq(f.payload, STR("payload")));

    left = str_skip(left, used);
    assert_int_equal(frame_next(left, &f, &used), ERR_OK);
    assert_int_equal(used, 8);
    assert_int_equal(f.type, 0xffff);
    assert_int_equal(f.payload.len, 0);
    buf_release(&b);
}

static void test_a_part_of_a_frame_asks_for_more(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, KIB);
    frame_add(&b, 3, 0, STR("abc"));
    for (size_t n = 0; n < b.len; n++) {
        struct frame f = {.type = 99};
        size_t used = 99;
        assert_int_equal(frame_next(str_first(buf_str(&b), n), &f, &used),
                         ERR_OK);
        assert_int_equal(used, 0);
        assert_int_equal(f.type, 99);
    }
    buf_release(&b);
}

static void test_too_long_is_refused_on_both_sides(void **state)
{
    (void)state;
    struct frame f;
    size_t used;
    assert_int_equal(frame_next(STR("\xff\xff\xff\xff"), &f, &used), ERR_LIMIT);
    assert_int_equal(frame_next(STR("\0\x40\0\1\0\1\0\0"), &f, &used),
                     ERR_LIMIT);
    assert_int_equal(frame_next(STR("\0\x40\0\0\0\1\0\0"), &f, &used), ERR_OK);

    struct buf b;
    buf_init(&b, KIB);
    frame_add_head(&b, 1, 0, FRAME_MAX + 1);
    assert_false(buf_ok(&b));
    assert_int_equal(b.len, 0);
    buf_release(&b);
}

static void test_a_frame_that_does_not_fit_leaves_nothing_behind(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 20);
    frame_add(&b, 1, 0, STR("1234"));
    frame_add(&b, 1, 0, STR("5"));
    assert_false(buf_ok(&b));
    assert_int_equal(b.len, 12);
    buf_release(&b);
}

static void test_a_hello_is_of_our_version_and_the_expected_role(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, KIB);
    frame_add_hello(&b, (struct frame_hello){FRAME_PROTOCOL_VERSION,
                                             FRAME_ROLE_WORKER, 12345678901});
    struct frame f;
    size_t used;
    assert_int_equal(frame_next(buf_str(&b), &f, &used), ERR_OK);
    assert_int_equal(used, FRAME_HEAD_LEN + FRAME_HELLO_LEN);

    struct frame_hello h;
    assert_int_equal(frame_read_hello(&f, FRAME_ROLE_WORKER, &h), ERR_OK);
    assert_true(h.generation == 12345678901);
    assert_int_equal(frame_read_hello(&f, FRAME_ROLE_KEEPER, &h),
                     ERR_MALFORMED);

    struct frame bad = f;
    bad.type = FRAME_HELLO + 1;
    assert_int_equal(frame_read_hello(&bad, FRAME_ROLE_WORKER, &h),
                     ERR_MALFORMED);
    bad = f;
    bad.flags = 1;
    assert_int_equal(frame_read_hello(&bad, FRAME_ROLE_WORKER, &h),
                     ERR_MALFORMED);
    bad = f;
    bad.payload.len--;
    assert_int_equal(frame_read_hello(&bad, FRAME_ROLE_WORKER, &h),
                     ERR_MALFORMED);
    b.ptr[FRAME_HEAD_LEN + 3] ^= 3; /* the version */
    assert_int_equal(frame_read_hello(&f, FRAME_ROLE_WORKER, &h),
                     ERR_MALFORMED);
    buf_release(&b);
}

static void test_integers_and_strings_go_both_ways(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, KIB);
    frame_put_u8(&b, 0xfe);
    frame_put_u16(&b, 0xfedc);
    frame_put_u32(&b, 0xfedcba98);
    frame_put_u64(&b, UINT64_C(0xfedcba9876543210));
    frame_put_str(&b, STR("name"));
    frame_put_str(&b, STR(""));
    assert_true(buf_ok(&b));
    assert_memory_equal(b.ptr, "\xfe\xfe\xdc\xfe\xdc\xba\x98", 7);

    struct frame_reader r = frame_reader(buf_str(&b));
    assert_int_equal(frame_get_u8(&r), 0xfe);
    assert_int_equal(frame_get_u16(&r), 0xfedc);
    assert_int_equal(frame_get_u32(&r), 0xfedcba98);
    assert_true(frame_get_u64(&r) == UINT64_C(0xfedcba9876543210));
    assert_true(str_eq(frame_get_str(&r), STR("name")));
    assert_false(frame_reader_done(&r));
    assert_int_equal(frame_get_str(&r).len, 0);
    assert_true(frame_reader_done(&r));
    buf_release(&b);
}

static void test_a_reader_that_ran_out_stays_bad(void **state)
{
    (void)state;
    struct frame_reader r = frame_reader(STR("\1\2\3\4\5"));
    assert_true(frame_get_u64(&r) == 0);
    assert_int_equal(frame_get_u8(&r), 0); /* there were bytes left */
    assert_int_equal(frame_get_bytes(&r, 0).len, 0);
    assert_false(frame_reader_done(&r));

    r = frame_reader(STR("\0\0\0\5abcd")); /* says more than there is */
    assert_int_equal(frame_get_str(&r).len, 0);
    assert_false(frame_reader_done(&r));

    struct buf b;
    buf_init(&b, KIB);
    frame_put_str(&b, (struct str){"", FRAME_MAX + 1});
    assert_false(buf_ok(&b));
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_come_out_as_they_went_in),
        cmocka_unit_test(test_a_part_of_a_frame_asks_for_more),
        cmocka_unit_test(test_too_long_is_refused_on_both_sides),
        cmocka_unit_test(test_a_frame_that_does_not_fit_leaves_nothing_behind),
        cmocka_unit_test(test_a_hello_is_of_our_version_and_the_expected_role),
        cmocka_unit_test(test_integers_and_strings_go_both_ways),
        cmocka_unit_test(test_a_reader_that_ran_out_stays_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
