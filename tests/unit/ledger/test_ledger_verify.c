/* Tests ledger/ledger_verify: nothing that was changed verifies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "ledger/commit.h"

enum { SMALL = 8192, SEGMENTS_MAX = 16 };

/* A sealed log of some segments. */
struct log {
    uint64_t firsts[SEGMENTS_MAX];
    size_t count;
    uint64_t entries;
};

static struct log make_log(const struct fixture *x)
{
    struct log l = {0};
    struct journal *j = fixture_open(x, SMALL);
    for (unsigned i = 0; i < 60; i++) {
        uint64_t opened = fixture_add_intent(j);
        fixture_commit(j);
        if (i % 5 != 0)
            (void)fixture_add_close(j, opened);
        (void)fixture_add(j);
        fixture_commit(j);
    }
    l.entries = journal_tree(j)->size;
    assert_int_equal(journal_close(j), ERR_OK);
    l.count = fixture_segments(x, l.firsts, SEGMENTS_MAX);
    assert_true(l.count >= 4 && l.count < SEGMENTS_MAX);
    return l;
}

static void test_a_whole_log_verifies(void **state)
{
    const struct fixture *x = *state;
    struct log l = make_log(x);
    for (unsigned threads = 0; threads <= 4; threads++) {
        const struct ledger_verify_options o = {.dir = x->log,
                                                .threads = threads};
        struct ledger_verify_report r;
        assert_int_equal(ledger_verify(&o, &r), ERR_OK);
        assert_int_equal(r.entries, l.entries);
        assert_int_equal(r.segments, l.count);
        assert_int_equal(r.open_intents, 12);
        assert_int_equal(r.torn_bytes, 0);
        assert_true(r.sealed);
        assert_null(r.trouble.what);
    }
}

static void count_progress(void *user, uint64_t entries)
{
    uint64_t *last = user;
    assert_true(entries >= *last);
    *last = entries;
}

static void test_progress_comes_to_the_end(void **state)
{
    const struct fixture *x = *state;
    struct log l = make_log(x);
    uint64_t last = 0;
    const struct ledger_verify_options o = {.dir = x->log,
                                            .threads = 1,
                                            .progress = count_progress,
                                            .user = &last};
    struct ledger_verify_report r;
    assert_int_equal(ledger_verify(&o, &r), ERR_OK);
    assert_int_equal(last, l.entries);
}

static void test_no_log_and_an_empty_log(void **state)
{
    const struct fixture *x = *state;
    struct ledger_verify_report r;
    assert_int_equal(fixture_verify(x, &r), ERR_NOT_FOUND);
    assert_int_equal(journal_close(fixture_open(x, 0)), ERR_OK);
    assert_int_equal(fixture_verify(x, &r), ERR_OK);
    assert_int_equal(r.entries, 0);
    struct hash empty = hash_sha256(NULL, 0);
    assert_memory_equal(&r.root, &empty, sizeof(empty));
}

/* It fails, and the trouble is in that segment, not behind that byte. */
static void check_reported(const struct fixture *x, uint64_t first_index,
                           size_t offset)
{
    struct ledger_verify_report r;
    enum err e = fixture_verify(x, &r);
    if (e == ERR_OK)
        fail_msg("segment %lu, byte %zu: changed, and it verifies", first_index,
                 offset);
    char name[SEGMENT_NAME_LEN + 1];
    segment_name(first_index, name);
    assert_non_null(r.trouble.what);
    assert_string_equal(r.trouble.file, name);
    assert_true(r.trouble.offset <= offset);
    assert_true(r.trouble.index >= first_index);
    assert_true(r.entries <= r.trouble.index);
}

static void test_a_flipped_bit_at_every_byte(void **state)
{
    const struct fixture *x = *state;
    struct log l = make_log(x);
    for (size_t s = 0; s < l.count; s++) {
        char path[FIXTURE_PATH];
        fixture_segment(x, l.firsts[s], path);
        struct fixture_file f = fixture_read(path);
        /* Every byte of one segment; of the others, and of the padding of
         * headers, some. */
        size_t step = s == 1 ? 1 : 61;
        for (size_t i = 0; i < f.len; i += i > 256 && i < 4000 ? 97 : step) {
            f.bytes[i] = (char)(f.bytes[i] ^ (1 << i % 8));
            fixture_write(path, f.bytes, f.len);
            check_reported(x, l.firsts[s], i);
            f.bytes[i] = (char)(f.bytes[i] ^ (1 << i % 8));
        }
        fixture_write(path, f.bytes, f.len);
        free(f.bytes);
    }
    struct ledger_verify_report r;
    assert_int_equal(fixture_verify(x, &r), ERR_OK);
}

/* Only at the very end can a cut be the work of a crash; it is noted then:
 * fewer entries, or no seal. */
static void test_a_cut_at_every_byte(void **state)
{
    const struct fixture *x = *state;
    struct log l = make_log(x);
    for (size_t s = 0; s < l.count; s++) {
        char path[FIXTURE_PATH];
        fixture_segment(x, l.firsts[s], path);
        struct fixture_file f = fixture_read(path);
        size_t step = s + 1 == l.count ? 1 : 97;
        for (size_t len = f.len - 1; len > step; len -= step) {
            assert_int_equal(truncate(path, (off_t)len), 0);
            struct ledger_verify_report r;
            if (s + 1 < l.count || len < FIXTURE_HEADER) {
                check_reported(x, l.firsts[s], len);
                continue;
            }
            assert_int_equal(fixture_verify(x, &r), ERR_OK);
            assert_false(r.sealed);
            assert_true(r.entries <= l.entries);
        }
        fixture_write(path, f.bytes, f.len);
        free(f.bytes);
    }
}

/* Where the frames of a segment are. */
static size_t find_frames(const struct fixture_file *f, size_t *offsets,
                          size_t room)
{
    size_t n = 0;
    size_t at = FIXTURE_HEADER;
    struct commit_head h;
    while (at + COMMIT_HEAD_LEN <= f->len && n < room &&
           commit_get_head(f->bytes + at, &h)) {
        offsets[n++] = at;
        at += commit_len(&h);
    }
    offsets[n] = at;
    return n;
}

static void write_spliced(const char *path, const struct fixture_file *f,
                          size_t head, const size_t (*pieces)[2], size_t n)
{
    char *bytes = malloc(f->len * 2);
    assert_non_null(bytes);
    memcpy(bytes, f->bytes, head);
    size_t len = head;
    for (size_t i = 0; i < n; i++) {
        memcpy(bytes + len, f->bytes + pieces[i][0],
               pieces[i][1] - pieces[i][0]);
        len += pieces[i][1] - pieces[i][0];
    }
    fixture_write(path, bytes, len);
    free(bytes);
}

static void test_frames_dropped_doubled_and_swapped(void **state)
{
    const struct fixture *x = *state;
    struct log l = make_log(x);
    for (size_t s = 0; s < l.count; s++) {
        char path[FIXTURE_PATH];
        fixture_segment(x, l.firsts[s], path);
        struct fixture_file f = fixture_read(path);
        size_t at[128];
        size_t n = find_frames(&f, at, ARRAY_LEN(at) - 1);
        assert_true(n > 3);
        for (size_t i = 0; i + 1 < n; i++) {
            size_t end = at[n];
            write_spliced(path, &f, at[i], /* dropped */
                          (const size_t[][2]){{at[i + 1], end}}, 1);
            check_reported(x, l.firsts[s], end);
            write_spliced(path, &f, at[i + 1], /* doubled */
                          (const size_t[][2]){{at[i], end}}, 1);
            check_reported(x, l.firsts[s], end);
            if (i + 2 >= n)
                continue;
            write_spliced(path, &f, at[i], /* swapped */
                          (const size_t[][2]){{at[i + 1], at[i + 2]},
                                              {at[i], at[i + 1]},
                                              {at[i + 2], end}},
                          3);
            check_reported(x, l.firsts[s], end);
        }
        fixture_write(path, f.bytes, f.len);
        free(f.bytes);
    }
}

static void test_segments_dropped_doubled_and_swapped(void **state)
{
    const struct fixture *x = *state;
    struct log l = make_log(x);
    struct ledger_verify_report r;
    char a[FIXTURE_PATH];
    char b[FIXTURE_PATH];
    for (size_t s = 0; s + 1 < l.count; s++) {
        fixture_segment(x, l.firsts[s], a);
        fixture_segment(x, l.firsts[s + 1], b);
        struct fixture_file fa = fixture_read(a);
        struct fixture_file fb = fixture_read(b);
        fixture_write(b, fa.bytes, fa.len); /* doubled */
        check_reported(x, l.firsts[s + 1], 0);
        fixture_write(a, fb.bytes, fb.len); /* swapped */
        check_reported(x, l.firsts[s], 0);
        assert_int_equal(unlink(a), 0); /* dropped */
        fixture_write(b, fb.bytes, fb.len);
        assert_int_equal(fixture_verify(x, &r), ERR_CORRUPT);
        assert_int_equal(r.trouble.index, l.firsts[s + 1]);
        fixture_write(a, fa.bytes, fa.len);
        free(fa.bytes);
        free(fb.bytes);
    }
    assert_int_equal(fixture_verify(x, &r), ERR_OK);
}

/* A log of the same node with other entries: every segment of it is good in
 * itself. */
static void test_a_prefix_of_another_log(void **state)
{
    const struct fixture *x = *state;
    struct fixture other = *x;
    (void)snprintf(other.log, sizeof(other.log), "%s/other", x->dir);
    struct log l = make_log(x);
    struct journal *j = fixture_open(&other, SMALL);
    for (unsigned i = 0; i < 200; i++) {
        char text[64];
        int len = snprintf(text, sizeof(text), "{\"forged\":%u}", i);
        const struct journal_entry e = {{text, (size_t)len},
                                        false,
                                        0,
                                        JOURNAL_NONE};
        uint64_t index;
        assert_int_equal(journal_add(j, &e, &index), ERR_OK);
        fixture_commit(j);
    }
    assert_int_equal(journal_close(j), ERR_OK);
    struct ledger_verify_report r;
    assert_int_equal(fixture_verify(&other, &r), ERR_OK);

    char from[FIXTURE_PATH];
    char to[FIXTURE_PATH];
    fixture_segment(&other, 0, from);
    fixture_segment(x, 0, to);
    struct fixture_file f = fixture_read(from);
    fixture_write(to, f.bytes, f.len);
    free(f.bytes);
    assert_int_equal(fixture_verify(x, &r), ERR_CORRUPT);
    assert_int_equal(r.trouble.index, l.firsts[1]);
}

/* Heads that are good in themselves, with lengths that lead nowhere. */
static void test_huge_lengths(void **state)
{
    const struct fixture *x = *state;
    struct log l = make_log(x);
    char path[FIXTURE_PATH];
    fixture_segment(x, l.firsts[1], path);
    struct fixture_file f = fixture_read(path);
    struct commit_head h;
    assert_true(commit_get_head(f.bytes + FIXTURE_HEADER, &h));
    static const struct {
        uint32_t notes, records;
    } cases[] = {
        {1, COMMIT_RECORDS_MAX}, {COMMIT_NOTES_MAX, 30}, {1, 31}, {9, 30},
        {UINT32_MAX, 30},        {1, UINT32_MAX},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct commit_head changed = h;
        changed.notes_len = cases[i].notes;
        changed.records_len = cases[i].records;
        commit_put_head(&changed, f.bytes + FIXTURE_HEADER);
        fixture_write(path, f.bytes, f.len);
        check_reported(x, l.firsts[1], FIXTURE_HEADER + COMMIT_HEAD_LEN);
    }
    free(f.bytes);
}

static void test_the_first_trouble_of_several_is_named(void **state)
{
    const struct fixture *x = *state;
    struct log l = make_log(x);
    for (size_t s = l.count; s-- > 1;) {
        char path[FIXTURE_PATH];
        fixture_segment(x, l.firsts[s], path);
        struct fixture_file f = fixture_read(path);
        f.bytes[FIXTURE_HEADER + 200] ^= 1;
        fixture_write(path, f.bytes, f.len);
        free(f.bytes);
        const struct ledger_verify_options o = {.dir = x->log, .threads = 4};
        struct ledger_verify_report r;
        assert_int_equal(ledger_verify(&o, &r), ERR_CORRUPT);
        char name[SEGMENT_NAME_LEN + 1];
        segment_name(l.firsts[s], name);
        assert_string_equal(r.trouble.file, name);
        assert_int_equal(r.segments, s);
        assert_int_equal(r.entries, r.trouble.index);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_a_whole_log_verifies),
        FIXTURE_TEST(test_progress_comes_to_the_end),
        FIXTURE_TEST(test_no_log_and_an_empty_log),
        FIXTURE_TEST(test_a_flipped_bit_at_every_byte),
        FIXTURE_TEST(test_a_cut_at_every_byte),
        FIXTURE_TEST(test_frames_dropped_doubled_and_swapped),
        FIXTURE_TEST(test_segments_dropped_doubled_and_swapped),
        FIXTURE_TEST(test_a_prefix_of_another_log),
        FIXTURE_TEST(test_huge_lengths),
        FIXTURE_TEST(test_the_first_trouble_of_several_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
