/* vectors.c - see vectors.h. */
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLDER TEST_SOURCE_DIR "/../shared/tests/"

static void extract(FILE *to, char *archive, const char *member)
{
    posix_spawn_file_actions_t actions;
    char tar[] = "tar";
    char how[] = "-xJOf";
    char name[256];
    char *const argv[] = {tar, how, archive, name, NULL};
    pid_t pid;
    int status = -1;
    (void)snprintf(name, sizeof(name), "%s", member);
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, fileno(to),
                                                      STDOUT_FILENO),
                     0);
    assert_int_equal(posix_spawnp(&pid, tar, &actions, NULL, argv, environ), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    (void)posix_spawn_file_actions_destroy(&actions);
}

const struct json *vectors_read(struct arena *a, const char *archive,
                                const char *member)
{
    char path[1024];
    (void)snprintf(path, sizeof(path), FOLDER "%s.tar.xz", archive);
    const struct json *v = NULL;
    if (access(path, R_OK) != 0) {
        (void)fprintf(stderr, "SKIPPED: needs %s\n", path);
        return NULL;
    }
    FILE *file = tmpfile();
    assert_non_null(file);
    extract(file, path, member);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_true(size > 0);
    assert_int_equal(fseek(file, 0, SEEK_SET), 0);
    char *text = arena_alloc(a, (size_t)size);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, file), size);
    (void)fclose(file);
    /* Bodies of attacks hold NUL. */
    assert_int_equal(json_read_nul(a, (struct str){text, (size_t)size}, &v,
                                   NULL),
                     ERR_OK);
    return v;
}
