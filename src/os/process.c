/* process.c - see process.h. */
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_target(const struct process_options *o, int fd)
{
    for (size_t i = 0; i < o->fd_count; i++) {
        if (o->fds[i].target == fd)
            return true;
    }
    return false;
}

static int highest_target(const struct process_options *o)
{
    int highest = STDERR_FILENO;
    for (size_t i = 0; i < o->fd_count; i++) {
        if (o->fds[i].target > highest)
            highest = o->fds[i].target;
    }
    return highest;
}

/*
 * The sources are first copied above all targets, so that putting one in its
 * place never overwrites another; everything else is closed, whether or not
 * somebody forgot to mark it.
 */
static enum err add_actions(const struct process_options *o, int *copies,
                            posix_spawn_file_actions_t *actions)
{
    int highest = highest_target(o);
    for (size_t i = 0; i < o->fd_count; i++) {
        copies[i] = fcntl(o->fds[i].fd, F_DUPFD_CLOEXEC, highest + 1);
        if (copies[i] < 0)
            return errno == EMFILE ? ERR_LIMIT : ERR_IO;
    }
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < o->fd_count; i++)
        rc = posix_spawn_file_actions_adddup2(actions, copies[i],
                                              o->fds[i].target);
    for (int fd = 0; rc == 0 && fd < highest; fd++) {
        if (!is_target(o, fd))
            rc = posix_spawn_file_actions_addclose(actions, fd);
    }
    if (rc == 0)
        rc = posix_spawn_file_actions_addclosefrom_np(actions, highest + 1);
    return rc == 0 ? ERR_OK : ERR_NO_MEMORY;
}

static enum err set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    int rc = posix_spawnattr_setsigmask(attributes, &none);
    if (rc == 0)
        rc = posix_spawnattr_setsigdefault(attributes, &all);
    if (rc == 0)
        rc = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK |
                                                      POSIX_SPAWN_SETSIGDEF);
    return rc == 0 ? ERR_OK : ERR_IO;
}

/* posix_spawn(3) takes strings it does not change as if it might. */
static char *const *unconst(const char *const *strings)
{
    union {
        const char *const *from;
        char *const *to;
    } u = {.from = strings};
    return u.to;
}

static enum err spawn(const struct process_options *o,
                      const posix_spawn_file_actions_t *actions,
                      const posix_spawnattr_t *attributes, pid_t *ret_pid)
{
    static const char *const no_env[] = {NULL};
    const char *path = o->path == NULL ? "/proc/self/exe" : o->path;
    switch (posix_spawn(ret_pid, path, actions, attributes, unconst(o->argv),
                        unconst(o->env == NULL ? no_env : o->env))) {
    case 0:
        return ERR_OK;
    case EAGAIN:
        return ERR_LIMIT;
    case ENOMEM:
        return ERR_NO_MEMORY;
    default:
        return ERR_IO;
    }
}

enum err process_spawn(const struct process_options *o, pid_t *ret_pid)
{
    if (o->fd_count > PROCESS_FDS_MAX)
        return ERR_LIMIT;
    int copies[PROCESS_FDS_MAX];
    for (size_t i = 0; i < o->fd_count; i++)
        copies[i] = -1;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return ERR_NO_MEMORY;
    if (posix_spawnattr_init(&attributes) != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return ERR_NO_MEMORY;
    }

    enum err e = add_actions(o, copies, &actions);
    if (e == ERR_OK)
        e = set_attributes(&attributes);
    if (e == ERR_OK)
        e = spawn(o, &actions, &attributes, ret_pid);

    for (size_t i = 0; i < o->fd_count; i++) {
        if (copies[i] >= 0)
            (void)close(copies[i]);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    return e;
}

pid_t process_reap(int *ret_status)
{
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid <= 0)
        return 0;
    *ret_status =
        WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return pid;
}

void process_rename(const char *name)
{
    char shown[16];

    (void)snprintf(shown, sizeof(shown), "writ-%.10s", name);
    (void)prctl(PR_SET_NAME, shown, 0, 0, 0);
}

enum err process_harden(void)
{
    struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return ERR_IO;
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? ERR_OK : ERR_IO;
}

enum err process_follow_parent(pid_t parent, int signal_number)
{
    if (prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0)
        return ERR_IO;
    /* It may have ended before the call: then nothing would ever come. */
    return getppid() == parent ? ERR_OK : ERR_CLOSED;
}

enum err process_signals_open(const int *signals, size_t n, int *ret_fd)
{
    sigset_t set;
    (void)sigemptyset(&set);
    for (size_t i = 0; i < n; i++)
        (void)sigaddset(&set, signals[i]);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return ERR_IO;
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0)
        return ERR_IO;
    *ret_fd = fd;
    return ERR_OK;
}

int process_signals_next(int fd)
{
    struct signalfd_siginfo info;
    ssize_t n = read(fd, &info, sizeof(info));
    return n == (ssize_t)sizeof(info) ? (int)info.ssi_signo : 0;
}

size_t process_raise_fd_limit(void)
{
    struct rlimit now = {0, 0};
    if (getrlimit(RLIMIT_NOFILE, &now) != 0)
        return 0;
    struct rlimit most = {now.rlim_max, now.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &most) == 0)
        now = most;
    return (size_t)now.rlim_cur;
}
