/* file.c - see file.h. */
#include "os/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/num.h"

static enum err error_of_errno(void)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
        return ERR_NOT_FOUND;
    case ENOMEM:
        return ERR_NO_MEMORY;
    default:
        return ERR_IO;
    }
}

static enum err read_all(int fd, struct buf *to)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return ERR_IO;
    if ((uint64_t)st.st_size > to->max - to->len)
        return ERR_LIMIT;
    /* One byte more than said, to see the end, or that it grew. */
    size_t want = (size_t)st.st_size + 1;
    for (;;) {
        size_t left = to->max - to->len;
        size_t room = left == 0 ? 1 : want < left ? want : left;
        char over;
        char *at = left == 0 ? &over : buf_space(to, room);
        if (at == NULL)
            return ERR_NO_MEMORY;
        ssize_t n = read(fd, at, room);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? ERR_OK : ERR_IO;
        if (left == 0)
            return ERR_LIMIT;
        buf_added(to, (size_t)n);
    }
}

enum err file_read(int dir, const char *path, struct buf *to)
{
    /* Not to hang on a pipe that somebody put there. */
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_of_errno();
    enum err e = read_all(fd, to);
    (void)close(fd);
    return e;
}

enum err file_write(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ERR_IO;
        bytes = str_skip(bytes, (size_t)n);
    }
    return ERR_OK;
}

enum err file_sync(int fd)
{
    return fsync(fd) == 0 ? ERR_OK : ERR_IO;
}

/* "a/b/c" to "a/b"; "c" to "."; "/c" to "/". */
static void parent_of(const char *path, char *to)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path);
    if (slash == NULL)
        path = ".";
    if (len == 0)
        len = 1;
    memcpy(to, path, len);
    to[len] = '\0';
}

static enum err sync_parent(int dir, const char *path)
{
    char parent[FILE_PATH_MAX];
    parent_of(path, parent);
    int fd;
    enum err e = file_open_dir(dir, parent, &fd);
    if (e != ERR_OK)
        return e;
    e = file_sync(fd);
    (void)close(fd);
    return e;
}

static enum err write_temporary(int dir, const char *path, struct str bytes,
                                mode_t mode)
{
    /* One that a crash left behind may have another mode or be a link. */
    if (unlinkat(dir, path, 0) != 0 && errno != ENOENT)
        return error_of_errno();
    int fd = openat(dir, path,
                    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return error_of_errno();
    enum err e = file_write(fd, bytes);
    if (e == ERR_OK)
        e = file_sync(fd);
    if (close(fd) != 0 && e == ERR_OK)
        e = ERR_IO;
    return e;
}

enum err file_replace(int dir, const char *path, struct str bytes, mode_t mode)
{
    char temporary[FILE_PATH_MAX];
    int len = snprintf(temporary, sizeof(temporary), "%s.new", path);
    if (len < 0 || (size_t)len >= sizeof(temporary))
        return ERR_LIMIT;
    enum err e = write_temporary(dir, temporary, bytes, mode);
    if (e == ERR_OK && renameat(dir, temporary, dir, path) != 0)
        e = error_of_errno();
    if (e != ERR_OK) {
        (void)unlinkat(dir, temporary, 0);
        return e;
    }
    return sync_parent(dir, path);
}

enum err file_make_dirs(int dir, const char *path, mode_t mode)
{
    char part[FILE_PATH_MAX];
    size_t len = strlen(path);
    if (len >= sizeof(part))
        return ERR_LIMIT;
    memcpy(part, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        part[i] = '\0';
        if (mkdirat(dir, part, mode) != 0 && errno != EEXIST)
            return error_of_errno();
        if (i < len)
            part[i] = '/';
    }
    /* What exists may also be a file. */
    int fd;
    enum err e = file_open_dir(dir, path, &fd);
    if (e == ERR_OK)
        (void)close(fd);
    return e;
}

enum err file_open_dir(int dir, const char *path, int *ret_fd)
{
    int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_of_errno();
    *ret_fd = fd;
    return ERR_OK;
}

static pid_t read_holder(int fd)
{
    char text[16];
    uint64_t pid;
    ssize_t n = pread(fd, text, sizeof(text), 0);
    if (n <= 0 || !num_u64((struct str){text, (size_t)n}, INT32_MAX, &pid))
        return 0;
    return (pid_t)pid;
}

static enum err write_holder(int fd)
{
    char text[16];
    int n = snprintf(text, sizeof(text), "%ld", (long)getpid());
    assert(n > 0 && (size_t)n < sizeof(text));
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n)
        return ERR_IO;
    return ERR_OK;
}

enum err file_lock(int dir, const char *path, int *ret_fd, pid_t *ret_holder)
{
    int fd = openat(dir, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_of_errno();
    enum err e = ERR_OK;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        e = errno == EWOULDBLOCK ? ERR_OVERLOAD : ERR_IO;
        if (e == ERR_OVERLOAD)
            *ret_holder = read_holder(fd);
    } else {
        e = write_holder(fd);
    }
    if (e == ERR_OK)
        *ret_fd = fd;
    else
        (void)close(fd);
    return e;
}
