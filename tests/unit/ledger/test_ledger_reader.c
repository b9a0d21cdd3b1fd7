/* Tests ledger/ledger_reader: from any index, across segments, live. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <unistd.h>

#include "fixture.h"
#include "ledger/ledger_reader.h"

enum { SMALL = 8192 };

static void check_entry(const struct ledger_entry *e, uint64_t index)
{
    char text[64];
    int len = snprintf(text, sizeof(text), "{\"entry\":%lu}", index);
    assert_int_equal(e->index, index);
    assert_int_equal(e->wall_us, 1700000000000000);
    assert_true(str_eq(e->text, (struct str){text, (size_t)len}));
}

static uint64_t read_to_end(struct ledger_reader *r, uint64_t from)
{
    struct ledger_entry e;
    enum err err;
    while ((err = ledger_reader_next(r, &e)) == ERR_OK)
        check_entry(&e, from++);
    assert_int_equal(err, ERR_NOT_FOUND);
    return from;
}

static void test_every_index_can_be_the_first(void **state)
{
    const struct fixture *x = *state;
    struct journal *j = fixture_open(x, SMALL);
    fixture_fill(j, 40, 5);
    struct ledger_reader *r;
    assert_int_equal(ledger_reader_open(x->log, &r), ERR_OK);
    for (uint64_t i = 0; i <= 205; i++) {
        assert_int_equal(ledger_reader_seek(r, i), ERR_OK);
        assert_int_equal(read_to_end(r, i), i < 200 ? 200 : i);
    }
    uint64_t size = 0;
    assert_int_equal(ledger_reader_size(r, &size), ERR_OK);
    assert_int_equal(size, 200);
    ledger_reader_close(r);
    assert_int_equal(journal_close(j), ERR_OK);
}

static void test_reading_goes_on_as_the_log_grows(void **state)
{
    const struct fixture *x = *state;
    struct ledger_reader *r;
    assert_int_equal(ledger_reader_open(x->log, &r), ERR_NOT_FOUND);
    uint64_t read = 0;
    uint64_t written = 0;
    struct journal *j = fixture_open(x, SMALL);
    assert_int_equal(ledger_reader_open(x->log, &r), ERR_OK);
    for (unsigned i = 0; i < 120; i++) {
        read = read_to_end(r, read);
        assert_int_equal(read, written);
        if (i % 10 == 9) { /* a restart */
            if (i % 20 == 9)
                fixture_crash(j);
            else
                assert_int_equal(journal_close(j), ERR_OK);
            j = fixture_open(x, SMALL);
        }
        fixture_fill(j, 1, i % 7);
        written += i % 7;
    }
    assert_int_equal(journal_close(j), ERR_OK);
    assert_int_equal(read_to_end(r, read), written);
    ledger_reader_close(r);
}

static void test_an_empty_log_has_no_entries(void **state)
{
    const struct fixture *x = *state;
    assert_int_equal(journal_close(fixture_open(x, 0)), ERR_OK);
    struct ledger_reader *r;
    struct ledger_entry e;
    uint64_t size = 77;
    assert_int_equal(ledger_reader_open(x->log, &r), ERR_OK);
    assert_int_equal(ledger_reader_next(r, &e), ERR_NOT_FOUND);
    assert_int_equal(ledger_reader_size(r, &size), ERR_OK);
    assert_int_equal(size, 0);
    assert_int_equal(ledger_reader_seek(r, 10), ERR_OK);
    assert_int_equal(ledger_reader_next(r, &e), ERR_NOT_FOUND);
    ledger_reader_close(r);
}

static void test_damage_is_reported_and_not_given_out(void **state)
{
    const struct fixture *x = *state;
    struct journal *j = fixture_open(x, SMALL);
    fixture_fill(j, 40, 5);
    assert_int_equal(journal_close(j), ERR_OK);
    char path[FIXTURE_PATH];
    fixture_segment(x, 0, path);
    struct fixture_file f = fixture_read(path);
    f.bytes[f.len / 2] ^= 4;
    fixture_write(path, f.bytes, f.len);
    free(f.bytes);

    struct ledger_reader *r;
    struct ledger_entry e;
    assert_int_equal(ledger_reader_open(x->log, &r), ERR_OK);
    uint64_t read = 0;
    enum err err;
    while ((err = ledger_reader_next(r, &e)) == ERR_OK)
        check_entry(&e, read++);
    assert_int_equal(err, ERR_CORRUPT);
    assert_int_equal(ledger_reader_trouble(r)->index, read);
    assert_string_equal(ledger_reader_trouble(r)->file,
                        "00000000000000000000.seg");
    assert_int_equal(ledger_reader_next(r, &e), ERR_CORRUPT);
    /* What is behind it in other segments can still be read. */
    uint64_t firsts[16];
    assert_true(fixture_segments(x, firsts, 16) > 1);
    assert_int_equal(ledger_reader_seek(r, firsts[1]), ERR_OK);
    assert_int_equal(read_to_end(r, firsts[1]), 200);
    ledger_reader_close(r);
}

static void test_a_missing_segment_is_damage(void **state)
{
    const struct fixture *x = *state;
    struct journal *j = fixture_open(x, SMALL);
    fixture_fill(j, 60, 5);
    assert_int_equal(journal_close(j), ERR_OK);
    char path[FIXTURE_PATH];
    fixture_segment(x, 0, path);
    assert_int_equal(unlink(path), 0);
    struct ledger_reader *r;
    struct ledger_entry e;
    assert_int_equal(ledger_reader_open(x->log, &r), ERR_OK);
    assert_int_equal(ledger_reader_next(r, &e), ERR_CORRUPT);
    ledger_reader_close(r);
}

struct writer {
    const struct fixture *x;
    uint64_t entries;
};

static void *write_thread(void *arg)
{
    struct writer *w = arg;
    struct journal *j = fixture_open(w->x, SMALL);
    for (unsigned i = 0; i < 600; i++) {
        fixture_fill(j, 1, 1 + i % 5);
        if (i % 100 == 99) {
            fixture_crash(j);
            j = fixture_open(w->x, SMALL);
        }
    }
    w->entries = journal_tree(j)->size;
    assert_int_equal(journal_close(j), ERR_OK);
    return NULL;
}

/* While somebody writes, reader and verifier see a good log at all times. */
static void test_reading_and_verifying_beside_a_writer(void **state)
{
    const struct fixture *x = *state;
    struct writer w = {.x = x};
    assert_int_equal(journal_close(fixture_open(x, SMALL)), ERR_OK);
    struct ledger_reader *r;
    assert_int_equal(ledger_reader_open(x->log, &r), ERR_OK);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, write_thread, &w), 0);
    uint64_t read = 0;
    uint64_t verified = 0;
    for (unsigned i = 0; i < 100; i++) {
        read = read_to_end(r, read);
        struct ledger_verify_report report;
        enum err e = fixture_verify(x, &report);
        if (e != ERR_OK)
            fail_msg("%s at %lu: %s", report.trouble.file,
                     report.trouble.offset, report.trouble.what);
        assert_true(report.entries >= verified);
        verified = report.entries;
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(read_to_end(r, read), w.entries);
    ledger_reader_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_every_index_can_be_the_first),
        FIXTURE_TEST(test_reading_goes_on_as_the_log_grows),
        FIXTURE_TEST(test_an_empty_log_has_no_entries),
        FIXTURE_TEST(test_damage_is_reported_and_not_given_out),
        FIXTURE_TEST(test_a_missing_segment_is_damage),
        FIXTURE_TEST(test_reading_and_verifying_beside_a_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
