/*
 * confine_files.c - see confine_files.h.
 *
 * The kernel's header on an older system lacks what a newer kernel can, so
 * the structs are written out here and only the names of the first version
 * are taken from it.
 */
#include "os/confine_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/confine.h"

enum {
    SYSTEM_CREATE = 444, /* the same on all architectures */
    SYSTEM_ADD = 445,
    SYSTEM_ENTER = 446,
    RULE_PATH = 1,
    RULE_PORT = 2,
    ABI_REFER = 2,
    ABI_TRUNCATE = 3,
    ABI_NET = 4,
    ABI_IOCTL = 5,
    ABI_SCOPE = 6,
    PORTS = 65536,
    DEPTH_MAX = 32,        /* of what is kept, below what is allowed */
    NEIGHBOURS_MAX = 4096, /* in one folder */
};

#define FS_REFER (1ULL << 13)
#define FS_TRUNCATE (1ULL << 14)
#define FS_IOCTL (1ULL << 15)
#define NET_BIND (1ULL << 0)
#define NET_CONNECT (1ULL << 1)
#define SCOPE_ABSTRACT_UNIX (1ULL << 0)
#define SCOPE_SIGNAL (1ULL << 1)

/* struct landlock_ruleset_attr of ABI 6; older kernels take its beginning. */
struct set_attributes {
    uint64_t files, net, scoped;
};

struct path_rule {
    uint64_t access;
    int32_t fd;
} __attribute__((packed));

struct port_rule {
    uint64_t access, port;
};

static const uint64_t read_rights =
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t write_rights =
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_FIFO |
    LANDLOCK_ACCESS_FS_MAKE_SYM | FS_REFER | FS_TRUNCATE;
/* What a rule on something that is no folder may name. */
static const uint64_t file_rights = LANDLOCK_ACCESS_FS_EXECUTE |
                                    LANDLOCK_ACCESS_FS_WRITE_FILE |
                                    LANDLOCK_ACCESS_FS_READ_FILE | FS_TRUNCATE;

int confine_files_version(void)
{
    long version =
        syscall(SYSTEM_CREATE, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version < 0 ? 0 : (int)version;
}

/* All that this kernel can refuse. */
static uint64_t handled_files(int version)
{
    uint64_t all = FS_REFER - 1; /* the thirteen of ABI 1 */
    if (version >= ABI_REFER)
        all |= FS_REFER;
    if (version >= ABI_TRUNCATE)
        all |= FS_TRUNCATE;
    if (version >= ABI_IOCTL)
        all |= FS_IOCTL;
    return all;
}

static enum err create(const struct set_attributes *attributes, size_t size,
                       int *ret_set)
{
    long set = syscall(SYSTEM_CREATE, attributes, size, 0);
    if (set < 0)
        return errno == EMFILE || errno == ENFILE ? ERR_LIMIT : ERR_UNSUPPORTED;
    *ret_set = (int)set;
    return ERR_OK;
}

enum err confine_files_new(int *ret_set, unsigned *ret_bits)
{
    int version = confine_files_version();
    struct set_attributes a = {.files = handled_files(version)};
    size_t size = sizeof(a.files);
    unsigned bits = CONFINE_LANDLOCK;
    if (version == 0)
        return ERR_UNSUPPORTED;
    if (version >= ABI_SCOPE) {
        a.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
        size = sizeof(a);
        bits |= CONFINE_SCOPED;
    }
    enum err e = create(&a, size, ret_set);
    if (e == ERR_OK)
        *ret_bits = bits;
    return e;
}

static uint64_t rights_of(enum confine_access access)
{
    switch (access) {
    case CONFINE_RUN:
        return read_rights | LANDLOCK_ACCESS_FS_EXECUTE;
    case CONFINE_WRITE:
        return read_rights | write_rights;
    case CONFINE_OWN:
        return read_rights | write_rights | LANDLOCK_ACCESS_FS_EXECUTE;
    case CONFINE_DEVICE:
        return LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
    case CONFINE_READ:
        break;
    }
    return read_rights;
}

static enum err error_of_errno(void)
{
    bool absent = errno == ENOENT || errno == ENOTDIR || errno == EACCES ||
                  errno == ELOOP;
    return absent ? ERR_NOT_FOUND : ERR_LIMIT;
}

static enum err add(int set, const char *path, int flags,
                    enum confine_access access)
{
    struct stat st;
    struct path_rule rule = {.access = rights_of(access)};
    rule.fd = open(path, O_PATH | O_CLOEXEC | flags);
    if (rule.fd < 0)
        return error_of_errno();
    rule.access &= handled_files(confine_files_version());
    if (fstat(rule.fd, &st) != 0 || !S_ISDIR(st.st_mode))
        rule.access &= file_rights;
    long rc = syscall(SYSTEM_ADD, set, RULE_PATH, &rule, 0);
    (void)close(rule.fd);
    return rc == 0 ? ERR_OK : ERR_LIMIT;
}

/* `inner` is `outer` or below it. */
static bool is_within(const char *inner, const char *outer)
{
    size_t len = strlen(outer);
    if (len > 0 && outer[len - 1] == '/')
        len--; /* "/" */
    return strncmp(inner, outer, len) == 0 &&
           (inner[len] == '\0' || inner[len] == '/');
}

static bool holds_kept(const char *path, const char *const *kept)
{
    for (; kept != NULL && *kept != NULL; kept++) {
        if (is_within(*kept, path))
            return true;
    }
    return false;
}

static bool is_kept(const char *path, const char *const *kept)
{
    for (; kept != NULL && *kept != NULL; kept++) {
        if (is_within(path, *kept))
            return true;
    }
    return false;
}

_Bool confine_files_overlaps(const char *path, const char *const *kept)
{
    return holds_kept(path, kept) || is_kept(path, kept);
}

/* A folder on the way to something kept. */
struct around {
    int set;
    enum confine_access access;
    const char *const *kept;
};

static enum err allow_around(const struct around *a, const char *path,
                             unsigned depth);

static enum err allow_neighbour(const struct around *a, const char *folder,
                                const char *name, unsigned depth)
{
    char path[PATH_MAX];
    bool root = folder[1] == '\0';
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return ERR_OK;
    if (snprintf(path, sizeof(path), "%s/%s", root ? "" : folder, name) >=
        (int)sizeof(path))
        return ERR_OK; /* nobody could name it either */
    if (is_kept(path, a->kept))
        return ERR_OK;
    if (holds_kept(path, a->kept))
        return allow_around(a, path, depth + 1);
    enum err e = add(a->set, path, O_NOFOLLOW, a->access);
    return e == ERR_NOT_FOUND ? ERR_OK : e; /* it has just gone */
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as what is kept, DEPTH_MAX */
static enum err allow_around(const struct around *a, const char *path,
                             unsigned depth)
{
    enum err e = ERR_OK;
    unsigned seen = 0;
    DIR *folder = depth < DEPTH_MAX ? opendir(path) : NULL;
    if (folder == NULL)
        return depth < DEPTH_MAX ? error_of_errno() : ERR_LIMIT;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): each has its own folder */
    for (struct dirent *d = readdir(folder); e == ERR_OK && d != NULL;
         d = readdir(folder)) { /* NOLINT(concurrency-mt-unsafe) */
        e = ++seen > NEIGHBOURS_MAX
                ? ERR_LIMIT
                : allow_neighbour(a, path, d->d_name, depth);
    }
    (void)closedir(folder);
    return e;
}

enum err confine_files_allow(int set, const char *path,
                             enum confine_access access,
                             const char *const *kept)
{
    const struct around a = {set, access, kept};
    char real[PATH_MAX];
    if (realpath(path, real) == NULL)
        return error_of_errno();
    if (is_kept(real, kept))
        return ERR_OK;
    if (holds_kept(real, kept))
        return allow_around(&a, real, 0);
    return add(set, real, 0, access);
}

enum err confine_files_ports_new(const uint16_t *ports, size_t n, int *ret_set)
{
    const struct set_attributes a = {.net = NET_BIND | NET_CONNECT};
    int set = -1;
    if (confine_files_version() < ABI_NET)
        return ERR_UNSUPPORTED;
    enum err e = create(&a, offsetof(struct set_attributes, scoped), &set);
    for (uint32_t port = 1; e == ERR_OK && port < PORTS; port++) {
        const struct port_rule rule = {NET_CONNECT, port};
        bool ours = false;
        for (size_t i = 0; i < n; i++)
            ours = ours || ports[i] == port;
        if (!ours && syscall(SYSTEM_ADD, set, RULE_PORT, &rule, 0) != 0)
            e = ERR_LIMIT;
    }
    if (e != ERR_OK && set >= 0)
        (void)close(set);
    if (e == ERR_OK)
        *ret_set = set;
    return e;
}

enum err confine_files_enter(int set)
{
    return syscall(SYSTEM_ENTER, set, 0) == 0 ? ERR_OK : ERR_UNSUPPORTED;
}
