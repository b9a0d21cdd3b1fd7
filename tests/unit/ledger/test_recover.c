/* Tests ledger/recover: what crashes leave, and what only damage leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "fixture.h"

enum { SMALL = 8192, ENTRIES = 6, LAST_ENTRIES = 3 };

/* A log of one unsealed segment, and where its last frame begins and ends. */
struct torn {
    char path[FIXTURE_PATH];
    struct fixture_file whole;
    size_t last, end;
};

static size_t used(const struct fixture_file *f)
{
    size_t n = f->len;
    while (n > 0 && f->bytes[n - 1] == 0)
        n--;
    return n;
}

static struct torn make_torn(const struct fixture *x)
{
    struct torn t;
    fixture_segment(x, 0, t.path);
    struct journal *j = fixture_open(x, SMALL);
    fixture_fill(j, 2, ENTRIES / 2);
    struct fixture_file before = fixture_read(t.path);
    t.last = used(&before);
    free(before.bytes);
    (void)fixture_add_intent(j);
    (void)fixture_add(j);
    (void)fixture_add(j);
    fixture_commit(j);
    fixture_crash(j);
    t.whole = fixture_read(t.path);
    t.end = used(&t.whole);
    assert_true(t.end > t.last + COMMIT_HEAD_LEN);
    return t;
}

/* Only this segment, with these bytes. */
static void restore(const struct fixture *x, const struct torn *t, size_t len)
{
    uint64_t firsts[8];
    size_t n = fixture_segments(x, firsts, ARRAY_LEN(firsts));
    for (size_t i = 1; i < n; i++) {
        char path[FIXTURE_PATH];
        fixture_segment(x, firsts[i], path);
        assert_int_equal(unlink(path), 0);
    }
    fixture_write(t->path, t->whole.bytes, len);
}

/* It opens with that many entries, goes on, and verifies. */
static void check_recovers(const struct fixture *x, uint64_t entries,
                           uint64_t cut)
{
    struct ledger_verify_report r;
    assert_int_equal(fixture_verify(x, &r), ERR_OK);
    assert_int_equal(r.entries, entries);
    assert_int_equal(r.torn_bytes, cut);
    struct journal *j = fixture_open(x, SMALL);
    assert_int_equal(journal_tree(j)->size, entries);
    assert_int_equal(journal_counts(j).cut_bytes, cut);
    fixture_fill(j, 1, 2);
    assert_int_equal(journal_close(j), ERR_OK);
    assert_int_equal(fixture_verify(x, &r), ERR_OK);
    assert_int_equal(r.entries, entries + 2);
    assert_int_equal(r.torn_bytes, 0);
}

static void test_a_write_cut_at_any_byte_is_cut_off(void **state)
{
    const struct fixture *x = *state;
    struct torn t = make_torn(x);
    for (size_t cut = t.last; cut < t.end; cut++) {
        /* Either the file ends there, or the rest is still zeros. */
        memset(t.whole.bytes + cut, 0, t.whole.len - cut);
        size_t left = used(&t.whole);
        size_t torn = left > t.last ? left - t.last : 0;
        restore(x, &t, cut % 2 == 0 ? cut : t.whole.len);
        check_recovers(x, ENTRIES, torn);
        free(t.whole.bytes);
        restore(x, &t, 0);
        assert_int_equal(unlink(t.path), 0);
        t = make_torn(x);
    }
    check_recovers(x, ENTRIES + LAST_ENTRIES, 0);
    free(t.whole.bytes);
}

/* Sectors of the last write that the disk had not yet written. */
static void test_lost_sectors_of_the_last_write_are_cut_off(void **state)
{
    const struct fixture *x = *state;
    struct journal *j = fixture_open(x, 0);
    fixture_fill(j, 1, 2);
    char path[FIXTURE_PATH];
    fixture_segment(x, 0, path);
    struct fixture_file before = fixture_read(path);
    size_t last = used(&before);
    fixture_fill(j, 1, 200);
    fixture_crash(j);
    struct fixture_file whole = fixture_read(path);
    size_t end = used(&whole);
    assert_true(end - last > 3000);

    size_t from = last;
    while (from < end) {
        size_t border = from - from % 512 + 512;
        size_t to = border < end ? border : end;
        struct fixture_file torn = {malloc(whole.len), whole.len};
        assert_non_null(torn.bytes);
        memcpy(torn.bytes, whole.bytes, whole.len);
        memset(torn.bytes + from, 0, to - from);
        fixture_write(path, torn.bytes, torn.len);
        struct ledger_verify_report r;
        assert_int_equal(fixture_verify(x, &r), ERR_OK);
        assert_int_equal(r.entries, 2);
        assert_true(r.torn_bytes > 0);
        j = fixture_open(x, 0);
        assert_int_equal(journal_tree(j)->size, 2);
        fixture_crash(j);
        free(torn.bytes);
        from = to;
        char next[FIXTURE_PATH];
        fixture_segment(x, 2, next);
        assert_int_equal(unlink(next), 0);
    }
    free(before.bytes);
    free(whole.bytes);
}

/* Bits that fell over later: in the last frame, too, this is no torn write,
 * and nothing may be cut off. */
static void test_a_flipped_bit_anywhere_is_reported(void **state)
{
    const struct fixture *x = *state;
    struct torn t = make_torn(x);
    unsigned refused = 0;
    for (size_t i = 0; i < t.end; i++) {
        t.whole.bytes[i] = (char)(t.whole.bytes[i] ^ (1 << i % 8));
        restore(x, &t, t.whole.len);
        struct ledger_verify_report r;
        enum err e = fixture_verify(x, &r);
        if (e == ERR_OK)
            fail_msg("byte %zu was changed, and it verifies", i);
        assert_non_null(r.trouble.what);
        assert_true(r.trouble.offset <= i);
        struct segment_trouble trouble;
        assert_int_equal(fixture_refused(x, &trouble), e);
        refused++;
        t.whole.bytes[i] = (char)(t.whole.bytes[i] ^ (1 << i % 8));
    }
    assert_int_equal(refused, t.end);
    restore(x, &t, t.whole.len);
    check_recovers(x, ENTRIES + LAST_ENTRIES, 0);
    free(t.whole.bytes);
}

static void test_something_written_behind_the_end_is_damage(void **state)
{
    const struct fixture *x = *state;
    struct torn t = make_torn(x);
    static const struct {
        const char *what;
        size_t at; /* behind the end */
        struct str bytes;
        bool torn;
    } cases[] = {
        {"the first bytes of a head", 0, STR_INIT("\xF7WF\x01"), true},
        {"far away, before it nothing", 1200, STR_INIT("hello"), true},
        {"not a head, and long", 0,
         STR_INIT("0123456789012345678901234567890123456789012345678901234567"
                  "0123456789012345678901234567890123456789012345678901234567"
                  "0123456789012345678901234567890123456789012345678901234567"),
         false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("  case: %s\n", cases[i].what);
        memcpy(t.whole.bytes + t.end + cases[i].at, cases[i].bytes.ptr,
               cases[i].bytes.len);
        restore(x, &t, t.whole.len);
        struct segment_trouble trouble;
        if (cases[i].torn)
            check_recovers(x, ENTRIES + LAST_ENTRIES,
                           cases[i].at + cases[i].bytes.len);
        else
            assert_int_equal(fixture_refused(x, &trouble), ERR_CORRUPT);
        memset(t.whole.bytes + t.end, 0, t.whole.len - t.end);
    }
    free(t.whole.bytes);
}

/* A hole that a later frame was built upon was acknowledged. */
static void test_a_hole_before_good_frames_is_damage(void **state)
{
    const struct fixture *x = *state;
    struct torn t = make_torn(x);
    for (size_t len = 1; len <= t.last - FIXTURE_HEADER; len += 7) {
        struct fixture_file f = {malloc(t.whole.len), t.whole.len};
        assert_non_null(f.bytes);
        memcpy(f.bytes, t.whole.bytes, f.len);
        memset(f.bytes + FIXTURE_HEADER, 0, len);
        restore(x, &t, 0);
        fixture_write(t.path, f.bytes, f.len);
        struct segment_trouble trouble;
        assert_int_equal(fixture_refused(x, &trouble), ERR_CORRUPT);
        free(f.bytes);
    }
    free(t.whole.bytes);
}

/* With early answers several writes may be under way, and be lost in any
 * order: a later one may be whole. */
static void test_early_writes_may_be_lost_in_any_order(void **state)
{
    const struct fixture *x = *state;
    const struct journal_options o = {.dir = x->log,
                                      .node = STR("test/log"),
                                      .early = true};
    struct segment_trouble trouble;
    struct journal *j;
    assert_int_equal(journal_open(&o, &trouble, &j), ERR_OK);
    fixture_fill(j, 2, 3);
    assert_int_equal(journal_sync(j), ERR_OK);
    char path[FIXTURE_PATH];
    fixture_segment(x, 0, path);
    struct fixture_file synced = fixture_read(path);
    size_t end = used(&synced);
    fixture_fill(j, 3, 20);
    fixture_crash(j);
    struct fixture_file f = fixture_read(path);
    /* The first of the three is missing. */
    memset(f.bytes + end, 0, 512);
    fixture_write(path, f.bytes, f.len);
    struct ledger_verify_report r;
    assert_int_equal(fixture_verify(x, &r), ERR_OK);
    assert_int_equal(r.entries, 6);
    assert_true(r.torn_bytes > 512);
    /* But what was synced may not be. */
    memset(f.bytes + end - 200, 0, 200);
    fixture_write(path, f.bytes, f.len);
    assert_int_equal(fixture_refused(x, &trouble), ERR_CORRUPT);
    free(f.bytes);
    free(synced.bytes);
}

static void make_segments(const struct fixture *x, uint64_t *firsts,
                          size_t room, size_t *ret_count)
{
    struct journal *j = fixture_open(x, SMALL);
    for (unsigned i = 0; i < 60; i++)
        fixture_fill(j, 1, 2);
    assert_int_equal(journal_close(j), ERR_OK);
    *ret_count = fixture_segments(x, firsts, room);
    assert_true(*ret_count >= 3 && *ret_count <= room);
}

static void test_the_joint_of_the_last_two_segments_is_checked(void **state)
{
    const struct fixture *x = *state;
    uint64_t firsts[32];
    size_t n;
    make_segments(x, firsts, ARRAY_LEN(firsts), &n);
    char path[FIXTURE_PATH];
    struct segment_trouble t;

    fixture_segment(x, firsts[n - 2], path);
    struct fixture_file f = fixture_read(path);
    fixture_write(path, f.bytes, f.len - 1); /* its seal is cut */
    assert_int_equal(fixture_refused(x, &t), ERR_CORRUPT);
    assert_int_equal(unlink(path), 0); /* it is missing */
    assert_int_equal(fixture_refused(x, &t), ERR_CORRUPT);
    fixture_write(path, f.bytes, f.len);
    assert_int_equal(journal_close(fixture_open(x, SMALL)), ERR_OK);
    free(f.bytes);
}

static void test_a_sealed_end_whose_cut_was_lost_is_cut_again(void **state)
{
    const struct fixture *x = *state;
    struct journal *j = fixture_open(x, SMALL);
    fixture_fill(j, 2, 2);
    assert_int_equal(journal_close(j), ERR_OK);
    char path[FIXTURE_PATH];
    fixture_segment(x, 0, path);
    struct fixture_file f = fixture_read(path);
    assert_int_equal(truncate(path, SMALL), 0);
    j = fixture_open(x, SMALL);
    assert_int_equal(journal_tree(j)->size, 4);
    fixture_crash(j);
    struct fixture_file again = fixture_read(path);
    assert_int_equal(again.len, f.len);
    free(again.bytes);

    /* But not when there is something in it. */
    char *longer = calloc(1, SMALL);
    assert_non_null(longer);
    memcpy(longer, f.bytes, f.len);
    longer[f.len + 100] = 1;
    fixture_write(path, longer, SMALL);
    char next[FIXTURE_PATH];
    fixture_segment(x, 4, next);
    assert_int_equal(unlink(next), 0);
    struct segment_trouble t;
    assert_int_equal(fixture_refused(x, &t), ERR_CORRUPT);
    free(longer);
    free(f.bytes);
}

static void test_strange_names_are_refused_or_ignored(void **state)
{
    const struct fixture *x = *state;
    assert_int_equal(journal_close(fixture_open(x, 0)), ERR_OK);
    char path[FIXTURE_PATH];
    struct segment_trouble t;
    (void)snprintf(path, sizeof(path), "%s/segments/x.seg", x->log);
    fixture_write(path, "", 0);
    assert_int_equal(fixture_refused(x, &t), ERR_CORRUPT);
    assert_string_equal(t.file, "x.seg");
    assert_int_equal(unlink(path), 0);

    (void)snprintf(path, sizeof(path), "%s/segments/next", x->log);
    fixture_write(path, "remains of a crash", 18);
    assert_int_equal(journal_close(fixture_open(x, 0)), ERR_OK);

    char first[FIXTURE_PATH];
    fixture_segment(x, 0, first);
    fixture_segment(x, 5, path);
    assert_int_equal(rename(first, path), 0);
    assert_int_equal(fixture_refused(x, &t), ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_a_write_cut_at_any_byte_is_cut_off),
        FIXTURE_TEST(test_lost_sectors_of_the_last_write_are_cut_off),
        FIXTURE_TEST(test_a_flipped_bit_anywhere_is_reported),
        FIXTURE_TEST(test_something_written_behind_the_end_is_damage),
        FIXTURE_TEST(test_a_hole_before_good_frames_is_damage),
        FIXTURE_TEST(test_early_writes_may_be_lost_in_any_order),
        FIXTURE_TEST(test_the_joint_of_the_last_two_segments_is_checked),
        FIXTURE_TEST(test_a_sealed_end_whose_cut_was_lost_is_cut_again),
        FIXTURE_TEST(test_strange_names_are_refused_or_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
