/* Tests ledger/journal: appending, reopening, segments, open intents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "ledger/ledger_reader.h"

enum { SMALL = 8192 };

/* All entries have the text of their index. */
static void check_texts(const struct fixture *x, uint64_t count)
{
    struct ledger_reader *r;
    assert_int_equal(ledger_reader_open(x->log, &r), ERR_OK);
    for (uint64_t i = 0; i < count; i++) {
        struct ledger_entry e;
        char text[64];
        int len = snprintf(text, sizeof(text), "{\"entry\":%lu}", i);
        assert_int_equal(ledger_reader_next(r, &e), ERR_OK);
        assert_int_equal(e.index, i);
        assert_true(str_eq(e.text, (struct str){text, (size_t)len}));
    }
    struct ledger_entry none;
    assert_int_equal(ledger_reader_next(r, &none), ERR_NOT_FOUND);
    ledger_reader_close(r);
}

static void check_verified(const struct fixture *x, uint64_t count)
{
    struct ledger_verify_report r;
    assert_int_equal(fixture_verify(x, &r), ERR_OK);
    assert_int_equal(r.entries, count);
    assert_int_equal(r.torn_bytes, 0);
    check_texts(x, count);
}

static void test_a_log_goes_on_where_it_was(void **state)
{
    const struct fixture *x = *state;
    uint64_t count = 0;
    for (unsigned round = 0; round < 5; round++) {
        struct journal *j = fixture_open(x, 0);
        assert_int_equal(journal_tree(j)->size, count);
        assert_int_equal(journal_counts(j).cut_bytes, 0);
        fixture_fill(j, round, 3);
        count += (uint64_t)round * 3;
        assert_int_equal(journal_counts(j).entries, round * 3);
        assert_int_equal(journal_counts(j).syncs, round);
        if (round % 2 == 0)
            assert_int_equal(journal_close(j), ERR_OK);
        else
            fixture_crash(j);
        check_verified(x, count);
    }
}

static void test_an_empty_segment_is_used_again(void **state)
{
    const struct fixture *x = *state;
    uint64_t firsts[4];
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(journal_close(fixture_open(x, 0)), ERR_OK);
        assert_int_equal(fixture_segments(x, firsts, 4), 1);
    }
    struct journal *j = fixture_open(x, 0);
    fixture_fill(j, 1, 1);
    assert_int_equal(journal_close(j), ERR_OK);
    fixture_crash(fixture_open(x, 0));
    fixture_crash(fixture_open(x, 0));
    assert_int_equal(fixture_segments(x, firsts, 4), 2);
    assert_int_equal(firsts[1], 1);
    check_verified(x, 1);
}

static void test_leaf_hashes_and_root_are_those_of_the_entries(void **state)
{
    const struct fixture *x = *state;
    struct journal *j = fixture_open(x, 0);
    struct tree expected = {0};
    for (unsigned i = 0; i < 10; i++) {
        char text[64];
        uint64_t index = fixture_add(j);
        int len = snprintf(text, sizeof(text), "{\"entry\":%u}", i);
        struct hash leaf = tree_leaf((struct str){text, (size_t)len});
        assert_memory_equal(journal_leaf(j, index), &leaf, sizeof(leaf));
        tree_add(&expected, &leaf);
        if (i % 4 == 3)
            fixture_commit(j);
        assert_memory_equal(journal_leaf(j, index), &leaf, sizeof(leaf));
    }
    fixture_commit(j);
    assert_true(tree_equal(journal_tree(j), &expected));
    assert_int_equal(journal_close(j), ERR_OK);

    struct ledger_verify_report r;
    struct hash root = tree_root(&expected);
    assert_int_equal(fixture_verify(x, &r), ERR_OK);
    assert_memory_equal(&r.root, &root, sizeof(root));
    assert_true(str_eq(segment_node(&r.header), STR("test/log")));
    assert_int_equal(r.last_wall_us > 0, 1);
}

static void test_segments_follow_each_other(void **state)
{
    const struct fixture *x = *state;
    struct journal *j = fixture_open(x, SMALL);
    for (unsigned i = 0; i < 100; i++) {
        fixture_fill(j, 1, 1 + i % 4);
        if (i % 3 == 0)
            journal_prepare(j);
    }
    uint64_t count = journal_tree(j)->size;
    check_verified(x, count); /* while it is open */
    fixture_crash(j);

    uint64_t firsts[64];
    size_t n = fixture_segments(x, firsts, ARRAY_LEN(firsts));
    assert_true(n >= 4 && n < ARRAY_LEN(firsts));
    for (size_t i = 0; i + 1 < n; i++) {
        char path[FIXTURE_PATH];
        struct stat st;
        fixture_segment(x, firsts[i], path);
        assert_int_equal(stat(path, &st), 0);
        assert_true(st.st_size <= SMALL);
    }
    j = fixture_open(x, SMALL);
    assert_int_equal(journal_tree(j)->size, count);
    assert_int_equal(journal_close(j), ERR_OK);
    check_verified(x, count);
}

static void test_an_entry_larger_than_a_segment_is_written(void **state)
{
    const struct fixture *x = *state;
    static char text[ENTRY_MAX];
    memset(text, 'x', sizeof(text));
    struct journal *j = fixture_open(x, SMALL);
    for (unsigned i = 0; i < 5; i++) {
        const struct journal_entry e = {{text, sizeof(text)},
                                        false,
                                        0,
                                        JOURNAL_NONE};
        uint64_t index;
        assert_int_equal(journal_add(j, &e, &index), ERR_OK);
        fixture_commit(j);
    }
    assert_int_equal(journal_close(j), ERR_OK);
    struct ledger_verify_report r;
    assert_int_equal(fixture_verify(x, &r), ERR_OK);
    assert_int_equal(r.entries, 5);
    assert_int_equal(r.segments, 5);
}

static void test_open_intents_survive_segments_and_crashes(void **state)
{
    const struct fixture *x = *state;
    struct journal *j = fixture_open(x, SMALL);
    uint64_t early = fixture_add_intent(j);
    uint64_t both = fixture_add_intent(j);
    (void)fixture_add_close(j, both); /* in the same commit */
    fixture_commit(j);
    fixture_fill(j, 100, 1); /* over several segments */
    uint64_t late = fixture_add_intent(j);
    fixture_commit(j);
    assert_int_equal(journal_open_intents(j)->count, 2);
    fixture_crash(j);

    struct ledger_verify_report r;
    assert_int_equal(fixture_verify(x, &r), ERR_OK);
    assert_int_equal(r.open_intents, 2);
    for (unsigned round = 0; round < 2; round++) {
        j = fixture_open(x, SMALL);
        struct intents *open = journal_open_intents(j);
        assert_int_equal(open->count, 2);
        assert_true(intents_has(open, early) && intents_has(open, late));
        struct intent it;
        size_t at = 0;
        assert_true(intents_next(open, &at, &it));
        assert_int_equal(it.owner, INTENTS_ORPHAN);
        assert_int_equal(journal_close(j), ERR_OK);
    }
    j = fixture_open(x, SMALL);
    (void)fixture_add_close(j, early);
    (void)fixture_add_close(j, early); /* again: nothing */
    (void)fixture_add_close(j, 999999);
    fixture_commit(j);
    assert_int_equal(journal_open_intents(j)->count, 1);
    fixture_crash(j);
    assert_int_equal(fixture_verify(x, &r), ERR_OK);
    assert_int_equal(r.open_intents, 1);
}

static void test_what_is_not_an_entry_is_refused(void **state)
{
    const struct fixture *x = *state;
    static char long_text[ENTRY_MAX + 1];
    memset(long_text, 'x', sizeof(long_text));
    static const struct str cases[] = {{"", 0},
                                       {"a\0b", 3},
                                       {"\xF7", 1},
                                       {long_text, sizeof(long_text)}};
    struct journal *j = fixture_open(x, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct journal_entry e = {cases[i], false, 0, JOURNAL_NONE};
        uint64_t index = 77;
        assert_int_equal(journal_add(j, &e, &index), ERR_MALFORMED);
        assert_int_equal(index, 77);
        assert_int_equal(journal_pending(j), 0);
    }
    assert_int_equal(journal_close(j), ERR_OK);
}

static void test_a_commit_has_a_bound(void **state)
{
    const struct fixture *x = *state;
    struct journal *j = fixture_open(x, 0);
    while (journal_has_room(j, 20))
        (void)fixture_add(j);
    assert_int_equal(journal_pending(j), COMMIT_COUNT_MAX);
    fixture_commit(j);
    assert_true(journal_has_room(j, ENTRY_MAX));
    fixture_fill(j, 1, 5);
    assert_int_equal(journal_close(j), ERR_OK);
    check_verified(x, COMMIT_COUNT_MAX + 5);
}

static void test_nothing_pending_is_nothing_written(void **state)
{
    const struct fixture *x = *state;
    struct journal *j = fixture_open(x, 0);
    fixture_commit(j);
    assert_int_equal(journal_counts(j).syncs, 0);
    assert_int_equal(journal_close(j), ERR_OK);
    check_verified(x, 0);
}

static void test_an_early_log_syncs_when_asked(void **state)
{
    const struct fixture *x = *state;
    const struct journal_options o = {.dir = x->log,
                                      .node = STR("test/log"),
                                      .segment_bytes = SMALL,
                                      .early = true};
    struct segment_trouble t;
    struct journal *j;
    assert_int_equal(journal_open(&o, &t, &j), ERR_OK);
    fixture_fill(j, 10, 2);
    assert_int_equal(journal_counts(j).syncs, 0);
    assert_int_equal(journal_sync(j), ERR_OK);
    assert_int_equal(journal_sync(j), ERR_OK);
    assert_int_equal(journal_counts(j).syncs, 1);
    fixture_fill(j, 100, 2);
    fixture_crash(j);
    check_verified(x, 220);
    j = fixture_open(x, SMALL);
    assert_int_equal(journal_tree(j)->size, 220);
    assert_int_equal(journal_close(j), ERR_OK);
    check_verified(x, 220);
}

static void test_another_nodes_log_is_refused(void **state)
{
    const struct fixture *x = *state;
    assert_int_equal(journal_close(fixture_open(x, 0)), ERR_OK);
    struct segment_trouble t;
    struct journal *j = NULL;
    static const char long_name[NAME_MAX_LEN + 1];
    static const struct {
        struct str node;
    } cases[] = {{STR_INIT("other/log")},
                 {STR_INIT("")},
                 {{long_name, sizeof(long_name)}}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct journal_options o = {.dir = x->log, .node = cases[i].node};
        assert_int_equal(journal_open(&o, &t, &j), ERR_CONFIG);
        assert_null(j);
    }
}

static void test_a_newer_log_is_refused(void **state)
{
    const struct fixture *x = *state;
    assert_int_equal(journal_close(fixture_open(x, 0)), ERR_OK);
    char path[FIXTURE_PATH];
    fixture_segment(x, 0, path);
    struct fixture_file f = fixture_read(path);
    f.bytes[11] = 2;
    fixture_write(path, f.bytes, f.len);
    free(f.bytes);
    struct segment_trouble t;
    assert_int_equal(fixture_refused(x, &t), ERR_UNSUPPORTED);
    struct ledger_verify_report r;
    assert_int_equal(fixture_verify(x, &r), ERR_UNSUPPORTED);
}

/* The disk is full: the limit on file sizes is one that a test can set. */
static void test_a_failed_write_is_final(void **state)
{
    const struct fixture *x = *state;
    struct journal *j = fixture_open(x, SMALL);
    fixture_fill(j, 3, 2);
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    const struct rlimit low = {FIXTURE_HEADER + 700, old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    for (unsigned i = 0; i < 10; i++)
        (void)fixture_add(j);
    assert_int_equal(journal_commit(j, 1), ERR_IO);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    (void)signal(SIGXFSZ, before);

    assert_int_equal(journal_commit(j, 1), ERR_IO); /* for ever */
    assert_int_equal(journal_sync(j), ERR_IO);
    journal_prepare(j);
    assert_int_equal(journal_close(j), ERR_IO);

    j = fixture_open(x, SMALL); /* what was acknowledged is there */
    assert_int_equal(journal_tree(j)->size, 6);
    assert_int_equal(journal_close(j), ERR_OK);
    check_verified(x, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_a_log_goes_on_where_it_was),
        FIXTURE_TEST(test_an_empty_segment_is_used_again),
        FIXTURE_TEST(test_leaf_hashes_and_root_are_those_of_the_entries),
        FIXTURE_TEST(test_segments_follow_each_other),
        FIXTURE_TEST(test_an_entry_larger_than_a_segment_is_written),
        FIXTURE_TEST(test_open_intents_survive_segments_and_crashes),
        FIXTURE_TEST(test_what_is_not_an_entry_is_refused),
        FIXTURE_TEST(test_a_commit_has_a_bound),
        FIXTURE_TEST(test_nothing_pending_is_nothing_written),
        FIXTURE_TEST(test_an_early_log_syncs_when_asked),
        FIXTURE_TEST(test_another_nodes_log_is_refused),
        FIXTURE_TEST(test_a_newer_log_is_refused),
        FIXTURE_TEST(test_a_failed_write_is_final),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
