/* keeper_file.c - see keeper_file.h. */
#include "keeper/keeper_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* Makes the name of `path` itself durable in the folder above it. */
static enum err sync_parent(int dir)
{
    int parent = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0)
        return ERR_IO;
    enum err e = fsync(parent) == 0 ? ERR_OK : ERR_IO;
    (void)close(parent);
    return e;
}

enum err keeper_file_open_dir(const char *path, int *ret_fd)
{
    bool made = mkdir(path, 0700) == 0;
    if (!made && errno != EEXIST)
        return ERR_IO;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return ERR_IO;
    if (made && sync_parent(fd) != ERR_OK) {
        (void)close(fd);
        return ERR_IO;
    }
    *ret_fd = fd;
    return ERR_OK;
}

enum err keeper_file_write(int fd, struct str bytes, size_t offset)
{
    while (bytes.len > 0) {
        ssize_t n = pwrite(fd, bytes.ptr, bytes.len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == ENOSPC || errno == EDQUOT || errno == EFBIG
                       ? ERR_STORE
                       : ERR_IO;
        bytes = str_skip(bytes, (size_t)n);
        offset += (size_t)n;
    }
    return ERR_OK;
}

enum err keeper_file_read(int fd, void *to, size_t n, size_t offset)
{
    char *at = to;
    while (n > 0) {
        ssize_t got = pread(fd, at, n, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ERR_IO;
        if (got == 0)
            return ERR_CORRUPT;
        at += got;
        n -= (size_t)got;
        offset += (size_t)got;
    }
    return ERR_OK;
}

/* A file of that content and of no one else's, not yet under its name. */
static enum err write_draft(int dir, const char *draft, struct str bytes)
{
    /* What a crash left behind may be half a key. */
    if (unlinkat(dir, draft, 0) != 0 && errno != ENOENT)
        return ERR_IO;
    int fd = openat(dir, draft,
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return ERR_IO;
    enum err e = keeper_file_write(fd, bytes, 0);
    if (e == ERR_OK && fsync(fd) != 0)
        e = ERR_IO;
    if (close(fd) != 0 && e == ERR_OK)
        e = ERR_IO;
    return e;
}

enum { DRAFT_NAME_MAX = 64 };

static bool draft_name(const char *name, char to[DRAFT_NAME_MAX])
{
    int n = snprintf(to, DRAFT_NAME_MAX, "%s.new", name);
    return n > 0 && n < DRAFT_NAME_MAX;
}

void keeper_file_clean(int dir, const char *name)
{
    char draft[DRAFT_NAME_MAX];
    if (draft_name(name, draft))
        (void)unlinkat(dir, draft, 0);
}

enum err keeper_file_create(int dir, const char *name, struct str bytes)
{
    char draft[DRAFT_NAME_MAX];
    if (!draft_name(name, draft))
        return ERR_IO;
    enum err e = write_draft(dir, draft, bytes);
    /* A link never takes the place of a file, as a rename would. */
    if (e == ERR_OK && linkat(dir, draft, dir, name, 0) != 0)
        e = errno == EEXIST ? ERR_LIMIT : ERR_IO;
    if (unlinkat(dir, draft, 0) != 0 && errno != ENOENT && e == ERR_OK)
        e = ERR_IO;
    if (e == ERR_OK && fsync(dir) != 0)
        e = ERR_IO;
    return e;
}
