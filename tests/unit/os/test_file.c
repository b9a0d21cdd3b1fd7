/* Tests os/file: limits, replacement, directories, the lock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "os/file.h"

struct place {
    char path[64];
    int dir;
};

static int set_up(void **state)
{
    static struct place p;
    p = (struct place){.path = "/tmp/writ_file_XXXXXX"};
    if (mkdtemp(p.path) == NULL ||
        file_open_dir(FILE_CWD, p.path, &p.dir) != ERR_OK)
        return -1;
    *state = &p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;
    static const char *const files[] = {"f", "lock", "fifo", "f.new"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        (void)unlinkat(p->dir, files[i], 0);
    static const char *const dirs[] = {"a/b/c", "a/b", "a"};
    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
        (void)unlinkat(p->dir, dirs[i], AT_REMOVEDIR);
    close(p->dir);
    return rmdir(p->path);
}

static void assert_holds(int dir, const char *path, struct str bytes)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    assert_int_equal(file_read(dir, path, &b), ERR_OK);
    assert_true(str_eq(buf_str(&b), bytes));
    buf_release(&b);
}

static void test_a_file_is_replaced_whole(void **state)
{
    struct place *p = *state;
    assert_int_equal(file_replace(p->dir, "f", STR("one"), 0640), ERR_OK);
    assert_holds(p->dir, "f", STR("one"));
    struct stat st;
    assert_int_equal(fstatat(p->dir, "f", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0640);

    /* What a crash left behind is no obstacle, nor is a link followed. */
    assert_int_equal(symlinkat("f", p->dir, "f.new"), 0);
    assert_int_equal(file_replace(p->dir, "f", STR(""), 0600), ERR_OK);
    assert_holds(p->dir, "f", STR(""));
    assert_int_equal(fstatat(p->dir, "f", &st, AT_SYMLINK_NOFOLLOW), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(faccessat(p->dir, "f.new", F_OK, AT_SYMLINK_NOFOLLOW), -1);
    assert_int_equal(file_replace(p->dir, "none/f", STR("x"), 0600),
                     ERR_NOT_FOUND);
}

static void test_reading_has_a_limit(void **state)
{
    struct place *p = *state;
    assert_int_equal(file_replace(p->dir, "f", STR("12345"), 0600), ERR_OK);
    static const struct {
        size_t max;
        enum err e;
    } rows[] = {{4, ERR_LIMIT}, {5, ERR_OK}, {6, ERR_OK}, {0, ERR_LIMIT}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf b;
        buf_init(&b, rows[i].max);
        assert_int_equal(file_read(p->dir, "f", &b), rows[i].e);
        buf_release(&b);
    }
    struct buf b;
    buf_init(&b, 100);
    assert_int_equal(file_read(p->dir, "missing", &b), ERR_NOT_FOUND);
    assert_int_equal(mkfifoat(p->dir, "fifo", 0600), 0);
    assert_int_equal(file_read(p->dir, "fifo", &b), ERR_IO);
    assert_int_equal(file_read(FILE_CWD, p->path, &b), ERR_IO);
    /* A file of /proc says it has no bytes, and has some. */
    assert_int_equal(file_read(FILE_CWD, "/proc/self/comm", &b), ERR_OK);
    assert_true(b.len > 0);
    buf_release(&b);
}

static void test_directories_are_made_with_their_parents(void **state)
{
    struct place *p = *state;
    assert_int_equal(file_make_dirs(p->dir, "a/b/c", 0700), ERR_OK);
    assert_int_equal(file_make_dirs(p->dir, "a/b/c/", 0700), ERR_OK);
    int fd;
    assert_int_equal(file_open_dir(p->dir, "a/b/c", &fd), ERR_OK);
    assert_int_equal(file_sync(fd), ERR_OK);
    close(fd);
    assert_int_equal(file_replace(p->dir, "f", STR(""), 0600), ERR_OK);
    assert_int_equal(file_make_dirs(p->dir, "f", 0700), ERR_NOT_FOUND);
    assert_int_equal(file_make_dirs(p->dir, "f/x", 0700), ERR_NOT_FOUND);
}

static void test_a_lock_is_held_once_and_says_by_whom(void **state)
{
    struct place *p = *state;
    int fd, second = -1;
    pid_t holder = 0;
    assert_int_equal(file_lock(p->dir, "lock", &fd, &holder), ERR_OK);
    assert_int_equal(file_lock(p->dir, "lock", &second, &holder), ERR_OVERLOAD);
    assert_int_equal(holder, getpid());
    assert_int_equal(second, -1);
    close(fd);
    assert_int_equal(file_lock(p->dir, "lock", &second, &holder), ERR_OK);
    close(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_file_is_replaced_whole, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_reading_has_a_limit, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            test_directories_are_made_with_their_parents, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_lock_is_held_once_and_says_by_whom, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
