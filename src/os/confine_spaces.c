/* confine_spaces.c - see confine_spaces.h. */
#include "os/confine_spaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { CAPABILITIES = 64, OWN_PID_MAX_MAJOR = 6, OWN_PID_MAX_MINOR = 14 };

pid_t confine_spaces_fork(enum confine_spaces spaces, bool offline,
                          int *ret_pidfd)
{
    unsigned long flags = CLONE_PIDFD | SIGCHLD;
    int pidfd = -1;
    if (spaces != CONFINE_SPACES_NONE)
        flags |= CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC;
    if (spaces != CONFINE_SPACES_NONE && offline)
        flags |= CLONE_NEWNET;
    if (spaces == CONFINE_SPACES_USER)
        flags |= CLONE_NEWUSER;
    long pid = syscall(SYS_clone, flags, NULL, &pidfd, NULL, NULL);
    if (pid > 0)
        *ret_pidfd = pidfd;
    return (pid_t)pid;
}

static bool write_file(const char *path, const char *text, size_t len)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, len) == (ssize_t)len;
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

static bool write_id(const char *path, unsigned id)
{
    char line[64];
    int n = snprintf(line, sizeof(line), "%u %u 1\n", id, id);
    return n > 0 && write_file(path, line, (size_t)n);
}

enum err confine_spaces_map(uid_t uid, gid_t gid)
{
    /* The files are root's while we are not dumpable. */
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0)
        return ERR_DENIED;
    bool ok = write_file("/proc/self/setgroups", "deny", 4) &&
              write_id("/proc/self/uid_map", uid) &&
              write_id("/proc/self/gid_map", gid);
    ok = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && ok;
    return ok ? ERR_OK : ERR_DENIED;
}

static enum err mounted(int rc)
{
    return rc == 0 ? ERR_OK : ERR_DENIED;
}

enum err confine_spaces_mounts(void)
{
    return mounted(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

enum err confine_spaces_hide(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return errno == ENOENT || errno == ENOTDIR ? ERR_OK : ERR_DENIED;
    if (!S_ISDIR(st.st_mode))
        return mounted(mount("/dev/null", path, NULL, MS_BIND, NULL));
    return mounted(mount("tmpfs", path, "tmpfs",
                         MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
                         "size=4096,nr_inodes=2,mode=000"));
}

enum err confine_spaces_read_only(const char *const *except)
{
    struct mount_attr set = {.attr_set = MOUNT_ATTR_RDONLY};
    struct mount_attr clear = {.attr_clr = MOUNT_ATTR_RDONLY};
    const char *const none[] = {NULL};
    if (except == NULL)
        except = none;
    /* A mount of their own first, which can be spared. */
    for (const char *const *e = except; *e != NULL; e++) {
        if (mount(*e, *e, NULL, MS_BIND | MS_REC, NULL) != 0)
            return ERR_DENIED;
    }
    if (mount_setattr(-1, "/", AT_RECURSIVE, &set, sizeof(set)) != 0)
        return ERR_DENIED;
    for (const char *const *e = except; *e != NULL; e++) {
        if (mount_setattr(-1, *e, AT_RECURSIVE, &clear, sizeof(clear)) != 0)
            return ERR_DENIED;
    }
    return ERR_OK;
}

enum err confine_spaces_memory(const char *folder, size_t bytes)
{
    char options[64];
    (void)snprintf(options, sizeof(options),
                   "size=%zu,nr_inodes=65536,mode=700", bytes);
    return mounted(
        mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, options));
}

/* From Linux 6.14 on the limit is the namespace's; before, the machine's. */
static bool limits_own_processes(void)
{
    struct utsname u;
    char *end;
    if (uname(&u) != 0)
        return false;
    unsigned long major = strtoul(u.release, &end, 10);
    unsigned long minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;
    return major > OWN_PID_MAX_MAJOR ||
           (major == OWN_PID_MAX_MAJOR && minor >= OWN_PID_MAX_MINOR);
}

enum err confine_spaces_proc(unsigned processes)
{
    char number[16];
    enum err e = mounted(
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
    int n = snprintf(number, sizeof(number), "%u\n", processes);
    if (e == ERR_OK && n > 0 && limits_own_processes())
        (void)write_file("/proc/sys/kernel/pid_max", number, (size_t)n);
    return e;
}

enum err confine_spaces_drop(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {
        {0, 0, 0}};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return ERR_DENIED;
    /* These need a capability themselves; without one there is none to lose,
     * and no_new_privs keeps it so. */
    (void)prctl(PR_SET_SECUREBITS,
                SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                    SECBIT_NO_SETUID_FIXUP_LOCKED,
                0, 0, 0);
    for (int c = 0; c < CAPABILITIES; c++)
        (void)prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return syscall(SYS_capset, &head, none) == 0 ? ERR_OK : ERR_DENIED;
}
