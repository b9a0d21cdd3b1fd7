/* archive.c - see archive.h. */
#include "archive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool run(const char *const argv[])
{
    union {
        const char *const *ours;
        char *const *theirs;
    } args = {argv};
    pid_t pid;
    int status;
    return posix_spawnp(&pid, argv[0], NULL, NULL, args.theirs, environ) == 0 &&
           waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

bool archive_open(struct archive *a, const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/../shared", TEST_SOURCE_DIR);
    if (access(path, R_OK) != 0) {
        (void)fprintf(stderr, "SKIPPED: needs ../shared (tests/%s)\n", name);
        return false;
    }
    (void)snprintf(path, sizeof(path), "%s/../shared/tests/%s.tar.xz",
                   TEST_SOURCE_DIR, name);
    (void)snprintf(a->dir, sizeof(a->dir), "unpacked.XXXXXX");
    assert_non_null(mkdtemp(a->dir));
    assert_true(run((const char *[]){"tar", "xJf", path, "-C", a->dir, NULL}));
    return true;
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

void archive_close(struct archive *a)
{
    int failed =
        nftw(a->dir, remove_one, 16, /* NOLINT(concurrency-mt-unsafe) */
             FTW_DEPTH | FTW_PHYS);
    assert_int_equal(failed, 0);
}

static bool ends_with(const char *name, const char *suffix)
{
    size_t n = strlen(name);
    size_t end = strlen(suffix);
    return n >= end && strcmp(name + n - end, suffix) == 0;
}

static DIR *open_dir(const struct archive *a, const char *dir, char *path,
                     size_t room)
{
    (void)snprintf(path, room, "%s/%s", a->dir, dir);
    DIR *d = opendir(path);
    assert_non_null(d);
    return d;
}

void archive_gunzip(const struct archive *a, const char *dir)
{
    char path[512];
    DIR *d = open_dir(a, dir, path, sizeof(path));
    struct dirent *entry;
    while ((entry = readdir(d)) != NULL) { /* NOLINT(concurrency-mt-unsafe) */
        if (!ends_with(entry->d_name, ".json.gz"))
            continue;
        char file[1024];
        (void)snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
        assert_true(run((const char *[]){"gzip", "-d", file, NULL}));
    }
    closedir(d);
}

char *archive_read(const struct archive *a, const char *path, size_t *ret_len)
{
    char full[512];
    (void)snprintf(full, sizeof(full), "%s/%s", a->dir, path);
    struct stat st;
    FILE *file = stat(full, &st) == 0 ? fopen(full, "rbe") : NULL;
    if (file == NULL) {
        fail_msg("%s: cannot be read", full);
        return NULL;
    }
    /* Exactly sized, so that a sanitizer sees the first byte too many. */
    size_t size = (size_t)st.st_size;
    char *bytes = malloc(size > 0 ? size : 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, size, file), size);
    (void)fclose(file);
    *ret_len = size;
    return bytes;
}

size_t archive_each(const struct archive *a, const char *dir,
                    const char *suffix, archive_each_fn *each, void *user)
{
    char path[512];
    DIR *d = open_dir(a, dir, path, sizeof(path));
    size_t count = 0;
    struct dirent *entry;
    while ((entry = readdir(d)) != NULL) { /* NOLINT(concurrency-mt-unsafe) */
        if (entry->d_name[0] == '.' || !ends_with(entry->d_name, suffix))
            continue;
        char file[512];
        (void)snprintf(file, sizeof(file), "%.200s/%.200s", dir, entry->d_name);
        size_t len = 0;
        char *bytes = archive_read(a, file, &len);
        each(user, entry->d_name, (struct str){bytes, len});
        free(bytes);
        count++;
    }
    closedir(d);
    return count;
}
