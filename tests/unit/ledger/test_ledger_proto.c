/* Tests ledger/ledger_proto: each message to bytes and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger/ledger_proto.h"

static struct frame only_frame(const struct buf *b)
{
    struct frame f;
    size_t used;
    assert_true(buf_ok(b));
    assert_int_equal(frame_next(buf_str(b), &f, &used), ERR_OK);
    assert_int_equal(used, b->len);
    return f;
}

static void test_an_append_comes_back(void **state)
{
    (void)state;
    static const struct ledger_append cases[] = {
        {STR_INIT("{}"), LEDGER_AWAITED, true, LEDGER_NO_INDEX},
        {STR_INIT("{\"a\":1}"), LEDGER_LAZY, false, 7},
        {STR_INIT("x"), LEDGER_AWAITED, false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b;
        buf_init(&b, FRAME_MAX);
        ledger_proto_put_append(&b, &cases[i]);
        struct frame f = only_frame(&b);
        struct ledger_append got;
        assert_int_equal(f.type, LEDGER_APPEND);
        assert_int_equal(ledger_proto_get_append(&f, &got), ERR_OK);
        assert_true(str_eq(got.entry, cases[i].entry));
        assert_int_equal(got.class, cases[i].class);
        assert_int_equal(got.opens, cases[i].opens);
        assert_int_equal(got.closes, cases[i].closes);
        buf_release(&b);
    }
}

static void test_a_bad_append_is_refused(void **state)
{
    (void)state;
    static const struct frame cases[] = {
        {LEDGER_APPEND, 0, STR_INIT("")},
        {LEDGER_APPEND, 0, STR_INIT("1234567")},
        {LEDGER_APPEND, 0, STR_INIT("12345678")}, /* no entry */
        {LEDGER_APPEND, 8, STR_INIT("12345678x")},
        {LEDGER_APPEND, 0x8000, STR_INIT("12345678x")},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ledger_append got;
        assert_int_equal(ledger_proto_get_append(&cases[i], &got),
                         ERR_MALFORMED);
    }
}

static void test_an_ack_comes_back(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, FRAME_MAX);
    char *leaves = ledger_proto_put_ack(&b, 1234567890123, 3);
    assert_non_null(leaves);
    memset(leaves, 'L', (size_t)3 * HASH_LEN);
    struct frame f = only_frame(&b);
    struct ledger_ack got;
    assert_int_equal(ledger_proto_get_ack(&f, &got), ERR_OK);
    assert_int_equal(got.first_index, 1234567890123);
    assert_int_equal(got.count, 3);
    assert_int_equal(got.leaves.len, 3 * HASH_LEN);

    f.payload.len -= 1;
    assert_int_equal(ledger_proto_get_ack(&f, &got), ERR_MALFORMED);
    f.payload.len = 8;
    assert_int_equal(ledger_proto_get_ack(&f, &got), ERR_MALFORMED);
    f.payload.len = 7;
    assert_int_equal(ledger_proto_get_ack(&f, &got), ERR_MALFORMED);
    buf_release(&b);
}

static void test_the_last_index_wraps_nowhere(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, FRAME_MAX);
    char *leaves = ledger_proto_put_ack(&b, UINT64_MAX, 1);
    assert_non_null(leaves);
    memset(leaves, 0, HASH_LEN);
    struct frame f = only_frame(&b);
    struct ledger_ack got;
    assert_int_equal(ledger_proto_get_ack(&f, &got), ERR_MALFORMED);
    buf_release(&b);
}

static void test_failed_and_stats_come_back(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, FRAME_MAX);
    ledger_proto_put_failed(&b, 42);
    struct frame f = only_frame(&b);
    uint32_t count = 0;
    assert_int_equal(ledger_proto_get_failed(&f, &count), ERR_OK);
    assert_int_equal(count, 42);
    f.payload.len = 3;
    assert_int_equal(ledger_proto_get_failed(&f, &count), ERR_MALFORMED);
    buf_clear(&b);
    ledger_proto_put_failed(&b, 0);
    f = only_frame(&b);
    assert_int_equal(ledger_proto_get_failed(&f, &count), ERR_MALFORMED);

    buf_clear(&b);
    const struct ledger_stats s = {1, 2, 3, 4, 5, {{6, 7, 8}}};
    ledger_proto_put_stats(&b, &s);
    f = only_frame(&b);
    struct ledger_stats got;
    assert_int_equal(ledger_proto_get_stats(&f, &got), ERR_OK);
    assert_int_equal(got.entries, 1);
    assert_int_equal(got.syncs, 2);
    assert_int_equal(got.commits, 3);
    assert_int_equal(got.open_intents, 4);
    assert_int_equal(got.cut_bytes, 5);
    assert_memory_equal(&got.root, &s.root, sizeof(s.root));
    f.payload.len--;
    assert_int_equal(ledger_proto_get_stats(&f, &got), ERR_MALFORMED);
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_append_comes_back),
        cmocka_unit_test(test_a_bad_append_is_refused),
        cmocka_unit_test(test_an_ack_comes_back),
        cmocka_unit_test(test_the_last_index_wraps_nowhere),
        cmocka_unit_test(test_failed_and_stats_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
