/* Tests keeper/keeper_records: what is kept, cut and refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fixture.h"
#include "keeper/keeper_file.h"
#include "keeper/keeper_records.h"

/* A disk that loses what it was told to keep; stands before libc's. */
static unsigned syncs;
static bool sync_fails;
int fdatasync(int fd) /* NOLINT: the system's name of `fd` is reserved */
{
    syncs++;
    if (!sync_fails)
        return (int)syscall(SYS_fdatasync, fd);
    errno = EIO;
    return -1;
}

static const struct siphash_key seed = {3, 4};

static struct keeper_record record_of(unsigned n)
{
    struct keeper_record r = {.created_us = (int64_t)n * 1000};
    struct fixture_id id = fixture_id(n);
    memcpy(r.session_id, id.bytes, sizeof(id.bytes));
    memset(r.wrapped, (int)n, sizeof(r.wrapped));
    memset(r.stamp.nonce, (int)n + 1, sizeof(r.stamp.nonce));
    memset(r.stamp.tag, (int)n + 2, sizeof(r.stamp.tag));
    return r;
}

static int dir_of(struct fixture *x)
{
    int dir = -1;
    assert_int_equal(keeper_file_open_dir(x->keys_dir, &dir), ERR_OK);
    return dir;
}

/* Opens, or fails with `want`. */
static struct keeper_records *open_as(struct fixture *x, enum err want,
                                      size_t records, size_t cut_bytes)
{
    struct keeper_records *r = NULL;
    struct keeper_records_found found = {0, 0};
    int dir = dir_of(x);
    enum err e = keeper_records_open(dir, seed, &r);
    (void)close(dir);
    while (e == ERR_OK && !keeper_records_loaded(r))
        e = keeper_records_load(r, 1);
    assert_int_equal(e, want);
    if (e == ERR_OK) {
        found = keeper_records_found(r);
    } else {
        keeper_records_close(r);
        r = NULL;
    }
    assert_int_equal(found.records, records);
    assert_int_equal(found.cut_bytes, cut_bytes);
    return r;
}

static void add(struct keeper_records *r, unsigned from, unsigned to)
{
    for (unsigned n = from; n < to; n++) {
        struct keeper_record record = record_of(n);
        assert_int_equal(keeper_records_stage(r, &record), ERR_OK);
        if (keeper_records_staged(r) == KEEPER_BATCH_MAX)
            assert_int_equal(keeper_records_commit(r), ERR_OK);
    }
    assert_int_equal(keeper_records_commit(r), ERR_OK);
}

static int open_raw(struct fixture *x)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", x->keys_dir,
                   KEEPER_RECORDS_FILE);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static off_t size_of(struct fixture *x)
{
    int fd = open_raw(x);
    struct stat st = {0};
    if (fd < 0 || fstat(fd, &st) != 0)
        fail_msg("no file");
    assert_int_equal(st.st_mode & 0777, 0600);
    (void)close(fd);
    return st.st_size;
}

/* Flips a bit of the byte at `offset`. */
static void damage(struct fixture *x, off_t offset)
{
    int fd = open_raw(x);
    char c;
    assert_int_equal(pread(fd, &c, 1, offset), 1);
    c ^= 4;
    assert_int_equal(pwrite(fd, &c, 1, offset), 1);
    (void)close(fd);
}

static void test_what_was_committed_is_read_back(void **state)
{
    struct fixture *x = *state;
    struct keeper_records *r = open_as(x, ERR_OK, 0, 0);
    add(r, 0, 3);
    keeper_records_close(r);

    r = open_as(x, ERR_OK, 3, 0);
    for (unsigned n = 0; n < 3; n++) {
        struct keeper_record want = record_of(n), got = {0};
        assert_true(keeper_records_has(r, want.session_id));
        assert_int_equal(keeper_records_read(r, n, &got), ERR_OK);
        assert_memory_equal(&got, &want, sizeof(got));
        got = (struct keeper_record){0};
        assert_int_equal(keeper_records_find(r, want.session_id, &got), ERR_OK);
        assert_memory_equal(&got, &want, sizeof(got));
    }
    struct keeper_record none = record_of(3);
    assert_false(keeper_records_has(r, none.session_id));
    assert_int_equal(keeper_records_find(r, none.session_id, &none),
                     ERR_NOT_FOUND);
    assert_int_equal(keeper_records_read(r, 3, &none), ERR_NOT_FOUND);
    keeper_records_close(r);
    keeper_records_close(NULL);
}

static void test_a_batch_costs_one_sync(void **state)
{
    struct fixture *x = *state;
    struct keeper_records *r = open_as(x, ERR_OK, 0, 0);
    unsigned before = syncs;
    add(r, 0, 500);
    assert_int_equal(syncs, before + 1);
    assert_int_equal(keeper_records_commit(r), ERR_OK); /* nothing staged */
    assert_int_equal(syncs, before + 1);
    keeper_records_close(r);
}

static void test_a_full_batch_refuses(void **state)
{
    struct fixture *x = *state;
    struct keeper_records *r = open_as(x, ERR_OK, 0, 0);
    for (unsigned n = 0; n <= KEEPER_BATCH_MAX; n++) {
        struct keeper_record record = record_of(n);
        assert_int_equal(keeper_records_stage(r, &record),
                         n < KEEPER_BATCH_MAX ? ERR_OK : ERR_LIMIT);
    }
    keeper_records_close(r);
}

static void test_every_torn_tail_is_cut(void **state)
{
    struct fixture *x = *state;
    struct keeper_records *r = open_as(x, ERR_OK, 0, 0);
    add(r, 0, 2);
    keeper_records_close(r);
    for (off_t left = 1; left < KEEPER_RECORD_LEN; left++) {
        r = open_as(x, ERR_OK, left == 1 ? 2 : 1,
                    left == 1 ? 0 : (size_t)left - 1);
        if (left > 1)
            add(r, 1, 2);
        keeper_records_close(r);
        int fd = open_raw(x);
        assert_int_equal(ftruncate(fd, KEEPER_RECORD_LEN + left), 0);
        (void)close(fd);
    }
    r = open_as(x, ERR_OK, 1, KEEPER_RECORD_LEN - 1);
    keeper_records_close(r);
    assert_int_equal(size_of(x), KEEPER_RECORD_LEN);
}

static void test_a_damaged_byte_in_the_last_batch_cuts_from_there(void **state)
{
    struct fixture *x = *state;
    for (off_t at = 0; at < KEEPER_RECORD_LEN; at++) {
        struct keeper_records *r = open_as(x, ERR_OK, at == 0 ? 0 : 1, 0);
        add(r, at == 0 ? 0 : 1, 4);
        keeper_records_close(r);
        damage(x, KEEPER_RECORD_LEN + at);
        r = open_as(x, ERR_OK, 1, 3UL * KEEPER_RECORD_LEN);
        keeper_records_close(r);
    }
}

static void test_damage_further_up_is_not_passed_over(void **state)
{
    struct fixture *x = *state;
    struct keeper_records *r = open_as(x, ERR_OK, 0, 0);
    add(r, 0, KEEPER_BATCH_MAX + 2);
    keeper_records_close(r);
    damage(x, KEEPER_RECORD_LEN);
    assert_null(open_as(x, ERR_CORRUPT, 0, 0));
    assert_int_equal(size_of(x), (KEEPER_BATCH_MAX + 2) * KEEPER_RECORD_LEN);
}

static void test_the_same_session_twice_in_the_file_is_refused(void **state)
{
    struct fixture *x = *state;
    struct keeper_records *r = open_as(x, ERR_OK, 0, 0);
    add(r, 0, 1);
    keeper_records_close(r);
    int fd = open_raw(x);
    char record[KEEPER_RECORD_LEN];
    assert_int_equal(pread(fd, record, sizeof(record), 0), sizeof(record));
    assert_int_equal(pwrite(fd, record, sizeof(record), sizeof(record)),
                     sizeof(record));
    (void)close(fd);
    assert_null(open_as(x, ERR_CORRUPT, 0, 0));
}

static void test_a_full_disk_fails_the_batch_and_no_more(void **state)
{
    struct fixture *x = *state;
    struct keeper_records *r = open_as(x, ERR_OK, 0, 0);
    add(r, 0, 1);
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    struct rlimit tight = {KEEPER_RECORD_LEN * 3 / 2, old.rlim_max};
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);

    struct keeper_record record = record_of(1);
    assert_int_equal(keeper_records_stage(r, &record), ERR_OK);
    assert_int_equal(keeper_records_commit(r), ERR_STORE);
    assert_int_equal(size_of(x), KEEPER_RECORD_LEN);
    assert_false(keeper_records_has(r, record.session_id));

    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    (void)signal(SIGXFSZ, before);
    add(r, 1, 3); /* and the same session gets its key now */
    keeper_records_close(r);
    keeper_records_close(open_as(x, ERR_OK, 3, 0));
}

static void test_a_failed_sync_is_final(void **state)
{
    struct fixture *x = *state;
    struct keeper_records *r = open_as(x, ERR_OK, 0, 0);
    add(r, 0, 1);
    struct keeper_record record = record_of(1);
    assert_int_equal(keeper_records_stage(r, &record), ERR_OK);
    sync_fails = true;
    assert_int_equal(keeper_records_commit(r), ERR_IO);
    sync_fails = false;
    unsigned before = syncs;
    assert_false(keeper_records_has(r, record.session_id));
    assert_int_equal(keeper_records_stage(r, &record), ERR_IO);
    assert_int_equal(keeper_records_commit(r), ERR_IO);
    assert_int_equal(syncs, before);
    keeper_records_close(r);
    /* Nobody was told of the second one, so it is not there. */
    keeper_records_close(open_as(x, ERR_OK, 1, 0));
}

static void test_a_link_in_its_place_is_refused(void **state)
{
    struct fixture *x = *state;
    int dir = dir_of(x);
    assert_int_equal(symlinkat("/dev/null", dir, KEEPER_RECORDS_FILE), 0);
    (void)close(dir);
    assert_null(open_as(x, ERR_IO, 0, 0));
}

#define WITH_FIXTURE(test)                                                     \
    cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_what_was_committed_is_read_back),
        WITH_FIXTURE(test_a_batch_costs_one_sync),
        WITH_FIXTURE(test_a_full_batch_refuses),
        WITH_FIXTURE(test_every_torn_tail_is_cut),
        WITH_FIXTURE(test_a_damaged_byte_in_the_last_batch_cuts_from_there),
        WITH_FIXTURE(test_damage_further_up_is_not_passed_over),
        WITH_FIXTURE(test_the_same_session_twice_in_the_file_is_refused),
        WITH_FIXTURE(test_a_full_disk_fails_the_batch_and_no_more),
        WITH_FIXTURE(test_a_failed_sync_is_final),
        WITH_FIXTURE(test_a_link_in_its_place_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
