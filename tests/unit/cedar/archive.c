/* archive.c - see archive.h. */
#include "archive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCK = 512 };

/* Everything that `xz -dc path` writes. */
static void decompress(struct archive *a, const char *path)
{
    const char *const argv[] = {"xz", "-dc", path, NULL};
    union {
        const char *const *ours;
        char *const *theirs;
    } args = {argv};
    posix_spawn_file_actions_t actions;
    int fds[2];
    pid_t pid;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, fds[1], 1), 0);
    assert_int_equal(posix_spawn_file_actions_addclose(&actions, fds[0]), 0);
    assert_int_equal(posix_spawnp(&pid, argv[0], &actions, NULL, args.theirs,
                                  environ),
                     0);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(fds[1]);
    size_t room = 0;
    for (;;) {
        if (a->len == room) {
            room = room == 0 ? (size_t)1 << 20 : room * 2;
            char *bytes = realloc(a->bytes, room);
            assert_non_null(bytes);
            a->bytes = bytes;
        }
        ssize_t n = read(fds[0], a->bytes + a->len, room - a->len);
        assert_true(n >= 0);
        if (n == 0)
            break;
        a->len += (size_t)n;
    }
    (void)close(fds[0]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static int order(const void *a, const void *b)
{
    const struct archive_file *left = a;
    const struct archive_file *right = b;
    return strcmp(left->path, right->path);
}

static void add(struct archive *a, const char *head, struct str bytes)
{
    if (a->count % 1024 == 0) {
        a->files = reallocarray(a->files, a->count + 1024, sizeof(*a->files));
        assert_non_null(a->files);
    }
    struct archive_file *f = &a->files[a->count++];
    assert_int_equal(head[345], '\0'); /* no prefix: names are short here */
    (void)snprintf(f->path, sizeof(f->path), "%.100s", head);
    f->bytes = bytes;
}

bool archive_open(struct archive *a, const char *name)
{
    char path[512];
    *a = (struct archive){0};
    (void)snprintf(path, sizeof(path), "%s/../shared", TEST_SOURCE_DIR);
    if (access(path, R_OK) != 0) {
        (void)fprintf(stderr, "SKIPPED: needs ../shared (tests/%s)\n", name);
        return false;
    }
    (void)snprintf(path, sizeof(path), "%s/../shared/tests/%s.tar.xz",
                   TEST_SOURCE_DIR, name);
    decompress(a, path);
    for (size_t at = 0; a->len - at >= BLOCK && a->bytes[at] != '\0';) {
        const char *head = a->bytes + at;
        size_t size = strtoul(head + 124, NULL, 8);
        at += BLOCK;
        assert_true(size <= a->len - at);
        if (head[156] == '0')
            add(a, head, (struct str){a->bytes + at, size});
        at += (size + BLOCK - 1) / BLOCK * BLOCK;
    }
    assert_true(a->count > 0);
    if (a->files != NULL)
        qsort(a->files, a->count, sizeof(*a->files), order);
    return true;
}

void archive_close(struct archive *a)
{
    free(a->bytes);
    free(a->files);
}

struct str archive_get(const struct archive *a, struct str path)
{
    struct archive_file key = {0};
    assert_true(path.len < sizeof(key.path));
    memcpy(key.path, path.ptr, path.len);
    const struct archive_file *f =
        bsearch(&key, a->files, a->count, sizeof(key), order);
    if (f == NULL) {
        fail_msg("%s: not in the archive", key.path);
        return (struct str){0};
    }
    return f->bytes;
}
