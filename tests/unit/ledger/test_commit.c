/* Tests ledger/commit: heads, notes and records, to bytes and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "ledger/commit.h"

static struct commit_head example(void)
{
    struct commit_head h = {
        .flags = COMMIT_EARLY,
        .first_index = 0x0102030405060708,
        .wall_us = 1763625600000000,
        .durable = 0x1112131415161718,
        .count = 3,
        .notes_len = 9,
        .records_len = 500,
    };
    for (size_t i = 0; i < HASH_LEN; i++) {
        h.notes_hash.bytes[i] = (unsigned char)(i + 1);
        h.root.bytes[i] = (unsigned char)(0xff - i);
    }
    return h;
}

static void test_a_head_comes_back(void **state)
{
    (void)state;
    struct commit_head h = example();
    char bytes[COMMIT_HEAD_LEN];
    commit_put_head(&h, bytes);
    assert_memory_equal(bytes, "\xF7WF\x01\0\0\0\2", 8);

    struct commit_head got;
    assert_true(commit_get_head(bytes, &got));
    assert_int_equal(got.flags, h.flags);
    assert_int_equal(got.first_index, h.first_index);
    assert_int_equal(got.wall_us, h.wall_us);
    assert_int_equal(got.durable, h.durable);
    assert_int_equal(got.count, h.count);
    assert_int_equal(got.notes_len, h.notes_len);
    assert_int_equal(got.records_len, h.records_len);
    assert_memory_equal(got.notes_hash.bytes, h.notes_hash.bytes, HASH_LEN);
    assert_memory_equal(got.root.bytes, h.root.bytes, HASH_LEN);
    assert_int_equal(commit_len(&got), COMMIT_HEAD_LEN + 509);
}

static void test_every_bit_of_a_head_counts(void **state)
{
    (void)state;
    struct commit_head h = example();
    struct commit_head got;
    char bytes[COMMIT_HEAD_LEN];
    commit_put_head(&h, bytes);
    for (size_t bit = 0; bit < sizeof(bytes) * 8; bit++) {
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
        assert_false(commit_get_head(bytes, &got));
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
    }
    assert_true(commit_get_head(bytes, &got));
}

/* A head whose hash is right and whose content cannot be. */
static void test_lengths_out_of_bounds_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct commit_head h;
    } cases[] = {
        {"no entries", {.count = 0}},
        {"too many entries", {.count = COMMIT_COUNT_MAX + 1}},
        {"huge records", {.count = 1, .records_len = UINT32_MAX}},
        {"huge notes", {.count = 1, .notes_len = UINT32_MAX}},
        {"an unknown flag", {.count = 1, .flags = 4}},
        {"a seal with entries", {.count = 1, .flags = COMMIT_SEAL}},
        {"a seal with records", {.records_len = 1, .flags = COMMIT_SEAL}},
        {"the last index", {.count = 1, .first_index = UINT64_MAX}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char bytes[COMMIT_HEAD_LEN];
        struct commit_head got;
        print_message("  case: %s\n", cases[i].what);
        commit_put_head(&cases[i].h, bytes);
        assert_false(commit_get_head(bytes, &got));
    }
}

static void test_records_are_taken_off_one_by_one(void **state)
{
    (void)state;
    static const struct {
        struct str bytes;
        unsigned records;
        size_t left;
    } cases[] = {
        {STR_INIT(""), 0, 0},
        {STR_INIT("\0\1a\0\3bcd"), 2, 0},
        {STR_INIT("\0\1a\0"), 1, 1},
        {STR_INIT("\0\1a\0\2b"), 1, 3},
        {STR_INIT("\0\0"), 0, 2},        /* no entry is empty */
        {STR_INIT("\x40\1xxxxx"), 0, 7}, /* over ENTRY_MAX */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str left = cases[i].bytes;
        struct str entry;
        unsigned n = 0;
        while (commit_next_record(&left, &entry)) {
            assert_true(entry.len > 0);
            n++;
        }
        assert_int_equal(n, cases[i].records);
        assert_int_equal(left.len, cases[i].left);
    }
}

static void test_notes_say_what_opens_and_what_closes(void **state)
{
    (void)state;
    struct commit_notes n;
    const struct str notes = STR("\xA0\x80"
                                 "\0\0\0\0\0\0\0\7"
                                 "\0\0\0\0\0\0\1\0");
    assert_true(commit_get_notes(notes, 9, &n));
    for (uint32_t i = 0; i < 9; i++)
        assert_int_equal(commit_opens(&n, i), i == 0 || i == 2 || i == 8);
    assert_int_equal(commit_closes_count(&n), 2);
    assert_int_equal(commit_closes_at(&n, 0), 7);
    assert_int_equal(commit_closes_at(&n, 1), 256);

    assert_false(commit_get_notes(notes, 8, &n)); /* not whole indices */
    assert_false(commit_get_notes(STR("\x80"), 9, &n));
    assert_false(commit_get_notes(STR("\x81"), 7, &n)); /* a spare bit */
    assert_true(commit_get_notes(STR("\x80"), 7, &n));
    assert_true(commit_get_notes(STR("\xff"), 8, &n));
}

static void test_what_an_entry_may_be(void **state)
{
    (void)state;
    static char long_text[ENTRY_MAX + 1];
    memset(long_text, 'x', sizeof(long_text));
    assert_true(commit_entry_ok(STR("{}")));
    assert_true(commit_entry_ok((struct str){long_text, ENTRY_MAX}));
    assert_false(commit_entry_ok((struct str){long_text, ENTRY_MAX + 1}));
    assert_false(commit_entry_ok(STR("")));
    assert_false(commit_entry_ok(STR("a\0b")));
    assert_false(commit_entry_ok(STR("a\xF7"
                                     "b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_head_comes_back),
        cmocka_unit_test(test_every_bit_of_a_head_counts),
        cmocka_unit_test(test_lengths_out_of_bounds_are_refused),
        cmocka_unit_test(test_records_are_taken_off_one_by_one),
        cmocka_unit_test(test_notes_say_what_opens_and_what_closes),
        cmocka_unit_test(test_what_an_entry_may_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
