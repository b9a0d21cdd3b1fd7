/* archive.c - see archive.h. */
#include "archive.h"

#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"

/* What `tar` prints for `member`. */
static void unpack(char *path, char *member, struct buf *out)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    posix_spawn_file_actions_t actions;
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, ends[1], 1), 0);
    assert_int_equal(posix_spawn_file_actions_addclose(&actions, ends[0]), 0);
    char *argv[] = {(char[]){"tar"}, (char[]){"xJOf"}, path, member, NULL};
    pid_t pid;
    int failed = posix_spawnp(&pid, "tar", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    assert_int_equal(failed, 0);
    (void)close(ends[1]);
    ssize_t got = 1;
    while (got > 0) {
        char *to = buf_space(out, 64 * KIB);
        assert_non_null(to);
        got = read(ends[0], to, 64 * KIB);
        if (got > 0)
            buf_added(out, (size_t)got);
    }
    (void)close(ends[0]);
    int status = 1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

const struct json *archive_json(struct arena *a, const char *archive,
                                const char *member)
{
    char path[512], name[128];
    int n = snprintf(path, sizeof(path), "%s/../shared/tests/vectors/%s.tar.xz",
                     TEST_SOURCE_DIR, archive);
    assert_in_range(n, 1, sizeof(path) - 1);
    n = snprintf(name, sizeof(name), "%s/%s", archive, member);
    assert_in_range(n, 1, sizeof(name) - 1);
    if (access(path, R_OK) != 0) {
        (void)fprintf(stderr, "SKIPPED: %s is not there\n", path);
        return NULL;
    }
    struct buf text;
    const struct json *v = NULL;
    buf_init(&text, 16 * MIB);
    unpack(path, name, &text);
    assert_int_equal(json_read(a, buf_str(&text), &v, NULL), ERR_OK);
    buf_release(&text);
    return v;
}

struct str archive_text(const struct json *object, const char *member)
{
    struct str s = {NULL, 0};
    const struct json *v = json_get(object, str_from(member));
    if (v != NULL)
        assert_true(json_str(v, &s));
    return s;
}
