/* fixture.c - see fixture.h. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/file.h"

int fixture_set_up(void **state)
{
    struct fixture *x = calloc(1, sizeof(*x));
    assert_non_null(x);
    /* In memory where there is such a folder: what a disk does is tested with
     * the crashes, and thousands of syncs would take their time here. */
    bool shm = access("/dev/shm", W_OK) == 0;
    (void)snprintf(x->dir, sizeof(x->dir), "%sledger-test.XXXXXX",
                   shm ? "/dev/shm/" : "");
    assert_non_null(mkdtemp(x->dir));
    (void)snprintf(x->log, sizeof(x->log), "%s/ledger", x->dir);
    *state = x;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

int fixture_tear_down(void **state)
{
    struct fixture *x = *state;
    int failed = nftw(x->dir, remove_one, 16, /* NOLINT(*-mt-unsafe) */
                      FTW_DEPTH | FTW_PHYS);
    free(x);
    return failed;
}

static struct journal_options options(const struct fixture *x, size_t bytes)
{
    return (struct journal_options){.dir = x->log,
                                    .node = STR("test/log"),
                                    .segment_bytes = bytes};
}

struct journal *fixture_open(const struct fixture *x, size_t segment_bytes)
{
    const struct journal_options o = options(x, segment_bytes);
    struct segment_trouble t;
    struct journal *j = NULL;
    enum err e = journal_open(&o, &t, &j);
    if (e != ERR_OK)
        fail_msg("%s: %s at %" PRIu64 ": %s", err_name(e), t.file, t.offset,
                 t.what);
    return j;
}

enum err fixture_refused(const struct fixture *x, struct segment_trouble *ret)
{
    const struct journal_options o = options(x, 0);
    struct journal *j = NULL;
    enum err e = journal_open(&o, ret, &j);
    assert_null(j);
    assert_int_not_equal(e, ERR_OK);
    assert_non_null(ret->what);
    return e;
}

static uint64_t add(struct journal *j, bool opens, uint64_t closes)
{
    char text[64];
    uint64_t next = journal_tree(j)->size + journal_pending(j);
    int len = snprintf(text, sizeof(text), "{\"entry\":%" PRIu64 "}", next);
    const struct journal_entry e = {{text, (size_t)len},
                                    opens,
                                    opens ? 1 : 0,
                                    closes};
    uint64_t index = 0;
    assert_int_equal(journal_add(j, &e, &index), ERR_OK);
    assert_int_equal(index, next);
    return index;
}

uint64_t fixture_add(struct journal *j)
{
    return add(j, false, JOURNAL_NONE);
}

uint64_t fixture_add_intent(struct journal *j)
{
    return add(j, true, JOURNAL_NONE);
}

uint64_t fixture_add_close(struct journal *j, uint64_t closes)
{
    return add(j, false, closes);
}

void fixture_commit(struct journal *j)
{
    assert_int_equal(journal_commit(j, 1700000000000000), ERR_OK);
}

void fixture_fill(struct journal *j, unsigned commits, unsigned each)
{
    while (commits-- > 0) {
        for (unsigned i = 0; i < each; i++)
            (void)fixture_add(j);
        fixture_commit(j);
    }
}

void fixture_crash(struct journal *j)
{
    journal_abandon(j);
}

enum err fixture_verify(const struct fixture *x,
                        struct ledger_verify_report *ret)
{
    const struct ledger_verify_options o = {.dir = x->log, .threads = 1};
    return ledger_verify(&o, ret);
}

void fixture_segment(const struct fixture *x, uint64_t first_index,
                     char to[FIXTURE_PATH])
{
    char name[SEGMENT_NAME_LEN + 1];
    segment_name(first_index, name);
    (void)snprintf(to, FIXTURE_PATH, "%s/" SEGMENT_FOLDER "/%s", x->log, name);
}

size_t fixture_segments(const struct fixture *x, uint64_t *firsts, size_t room)
{
    char path[FIXTURE_PATH];
    (void)snprintf(path, sizeof(path), "%s/" SEGMENT_FOLDER, x->log);
    int dir;
    assert_int_equal(file_open_dir(FILE_CWD, path, &dir), ERR_OK);
    uint64_t *found;
    size_t count;
    struct segment_trouble t;
    assert_int_equal(segment_list(dir, &found, &count, &t), ERR_OK);
    for (size_t i = 0; i < count && i < room; i++)
        firsts[i] = found[i];
    free(found);
    close(dir);
    return count;
}

struct fixture_file fixture_read(const char *path)
{
    struct stat st;
    FILE *file = stat(path, &st) == 0 ? fopen(path, "rbe") : NULL;
    if (file == NULL) {
        fail_msg("%s: cannot be read", path);
        return (struct fixture_file){0};
    }
    struct fixture_file f = {malloc((size_t)st.st_size + 1),
                             (size_t)st.st_size};
    assert_non_null(f.bytes);
    assert_int_equal(fread(f.bytes, 1, f.len, file), f.len);
    f.bytes[f.len] = '\0';
    (void)fclose(file);
    return f;
}

void fixture_write(const char *path, const char *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

bool fixture_unpack(const struct fixture *x, const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/../shared", TEST_SOURCE_DIR);
    if (access(path, R_OK) != 0) {
        (void)fprintf(stderr, "SKIPPED: needs ../shared (tests/%s)\n", name);
        return false;
    }
    (void)snprintf(path, sizeof(path), "%s/../shared/tests/%s.tar.xz",
                   TEST_SOURCE_DIR, name);
    union {
        const char *ours[6];
        char *theirs[6];
    } args = {{"tar", "xJf", path, "-C", x->dir, NULL}};
    pid_t pid;
    int status;
    assert_int_equal(posix_spawnp(&pid, "tar", NULL, NULL, args.theirs,
                                  environ),
                     0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    return true;
}
