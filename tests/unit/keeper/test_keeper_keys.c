/* Tests keeper/keeper_keys and keeper_caller_key: made once, kept private. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/kdf.h"
#include "fixture.h"
#include "keeper/keeper_caller_key.h"
#include "keeper/keeper_file.h"
#include "keeper/keeper_keys.h"

enum { FILE_LEN = 56, AT_ROOT = 16 };

static int dir_of(const struct fixture *x)
{
    int dir = -1;
    assert_int_equal(keeper_file_open_dir(x->keys_dir, &dir), ERR_OK);
    return dir;
}

static struct keeper_keys *load(const struct fixture *x, enum err want)
{
    struct keeper_keys *keys = NULL;
    const char *why = NULL;
    int dir = dir_of(x);
    assert_int_equal(keeper_keys_load(dir, &keys, &why), want);
    (void)close(dir);
    if (want != ERR_OK) {
        assert_null(keys);
        assert_non_null(why);
    }
    return keys;
}

static void test_a_missing_key_is_made_for_the_owner_alone(void **state)
{
    struct fixture *x = *state;
    keeper_keys_free(load(x, ERR_OK));
    struct stat st;
    int dir = dir_of(x);
    assert_int_equal(fstat(dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(fstatat(dir, KEEPER_KEYS_FILE, &st, AT_SYMLINK_NOFOLLOW),
                     0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, FILE_LEN);
    assert_int_equal(st.st_nlink, 1); /* no draft is left */
    (void)close(dir);
}

static void test_the_keys_are_derived_from_the_file_and_stay(void **state)
{
    struct fixture *x = *state;
    struct keeper_keys *first = load(x, ERR_OK), *second = load(x, ERR_OK);
    assert_memory_equal(first, second, sizeof(*first));
    assert_memory_not_equal(first->caller, first->payload, KEEPER_KEY_LEN);

    char bytes[FILE_LEN];
    int dir = dir_of(x);
    int fd = openat(dir, KEEPER_KEYS_FILE, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, bytes, sizeof(bytes)), FILE_LEN);
    (void)close(fd);
    (void)close(dir);
    unsigned char want[KEEPER_KEY_LEN];
    const struct str root = {bytes + AT_ROOT, 32};
    assert_int_equal(kdf_derive(root, STR(""), STR("writ caller key v1"), want,
                                sizeof(want)),
                     ERR_OK);
    assert_memory_equal(first->caller, want, sizeof(want));
    assert_int_equal(kdf_derive(root, STR(""), STR("writ payload kek v1"), want,
                                sizeof(want)),
                     ERR_OK);
    assert_memory_equal(first->payload, want, sizeof(want));
    keeper_keys_free(first);
    keeper_keys_free(second);
    keeper_keys_free(NULL);
}

static void test_a_key_that_others_may_read_is_refused(void **state)
{
    struct fixture *x = *state;
    keeper_keys_free(load(x, ERR_OK));
    int dir = dir_of(x);
    static const mode_t open_modes[] = {0640, 0604, 0620, 0602, 0610, 0601};
    for (size_t i = 0; i < ARRAY_LEN(open_modes); i++) {
        assert_int_equal(fchmodat(dir, KEEPER_KEYS_FILE, open_modes[i], 0), 0);
        (void)load(x, ERR_CONFIG);
    }
    assert_int_equal(fchmodat(dir, KEEPER_KEYS_FILE, 0400, 0), 0);
    keeper_keys_free(load(x, ERR_OK));
    (void)close(dir);
}

static void test_every_damaged_bit_is_noticed(void **state)
{
    struct fixture *x = *state;
    keeper_keys_free(load(x, ERR_OK));
    int dir = dir_of(x);
    int fd = openat(dir, KEEPER_KEYS_FILE, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    for (int bit = 0; bit < FILE_LEN * 8; bit++) {
        unsigned char c;
        assert_int_equal(pread(fd, &c, 1, bit / 8), 1);
        c ^= (unsigned char)(1U << bit % 8);
        assert_int_equal(pwrite(fd, &c, 1, bit / 8), 1);
        (void)load(x, ERR_CORRUPT);
        c ^= (unsigned char)(1U << bit % 8);
        assert_int_equal(pwrite(fd, &c, 1, bit / 8), 1);
    }
    assert_int_equal(pwrite(fd, "x", 1, FILE_LEN), 1); /* one byte more */
    (void)load(x, ERR_CORRUPT);
    for (int len = 0; len < FILE_LEN; len++) {
        assert_int_equal(ftruncate(fd, len), 0);
        (void)load(x, ERR_CORRUPT);
    }
    (void)close(fd);
    (void)close(dir);
}

static void test_what_is_no_regular_file_is_refused(void **state)
{
    struct fixture *x = *state;
    int dir = dir_of(x);
    assert_int_equal(symlinkat("/etc/hostname", dir, KEEPER_KEYS_FILE), 0);
    (void)load(x, ERR_IO);
    assert_int_equal(unlinkat(dir, KEEPER_KEYS_FILE, 0), 0);
    assert_int_equal(mkfifoat(dir, KEEPER_KEYS_FILE, 0600), 0);
    (void)load(x, ERR_CORRUPT);
    assert_int_equal(unlinkat(dir, KEEPER_KEYS_FILE, 0), 0);
    assert_int_equal(mkdirat(dir, KEEPER_KEYS_FILE, 0700), 0);
    (void)load(x, ERR_CORRUPT);
    (void)close(dir);
}

static void test_what_a_crash_left_behind_is_removed(void **state)
{
    struct fixture *x = *state;
    int dir = dir_of(x);
    for (int round = 0; round < 2; round++) { /* without, then with a key */
        int fd = openat(dir, KEEPER_KEYS_FILE ".new",
                        O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_int_equal(write(fd, "half a key", 10), 10);
        (void)close(fd);
        keeper_keys_free(load(x, ERR_OK));
        assert_int_not_equal(faccessat(dir, KEEPER_KEYS_FILE ".new", F_OK, 0),
                             0);
    }
    (void)close(dir);
}

static void test_a_file_is_never_replaced(void **state)
{
    struct fixture *x = *state;
    int dir = dir_of(x);
    assert_int_equal(keeper_file_create(dir, "f", STR("first")), ERR_OK);
    assert_int_equal(keeper_file_create(dir, "f", STR("second")), ERR_LIMIT);
    char bytes[8];
    int fd = openat(dir, "f", O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, bytes, sizeof(bytes)), 5);
    assert_memory_equal(bytes, "first", 5);
    (void)close(fd);
    (void)close(dir);
}

static void test_a_command_gets_the_key_that_the_node_has(void **state)
{
    struct fixture *x = *state;
    unsigned char key[KEEPER_KEY_LEN] = {0};
    const char *why = NULL;
    assert_int_equal(keeper_caller_key_load(x->keys_dir, key, &why), ERR_OK);
    struct keeper_keys *keys = load(x, ERR_OK);
    assert_memory_equal(key, keys->caller, sizeof(key));
    keeper_keys_free(keys);

    char nowhere[128];
    (void)snprintf(nowhere, sizeof(nowhere), "%s/no/keys", x->dir);
    assert_int_equal(keeper_caller_key_load(nowhere, key, &why), ERR_IO);
    assert_non_null(why);
}

#define WITH_FIXTURE(test)                                                     \
    cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_a_missing_key_is_made_for_the_owner_alone),
        WITH_FIXTURE(test_the_keys_are_derived_from_the_file_and_stay),
        WITH_FIXTURE(test_a_key_that_others_may_read_is_refused),
        WITH_FIXTURE(test_every_damaged_bit_is_noticed),
        WITH_FIXTURE(test_what_is_no_regular_file_is_refused),
        WITH_FIXTURE(test_what_a_crash_left_behind_is_removed),
        WITH_FIXTURE(test_a_file_is_never_replaced),
        WITH_FIXTURE(test_a_command_gets_the_key_that_the_node_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
