/*
 * runner_child.c - fork, put everything in order, exec.
 *
 * posix_spawn(3) can neither tie a child's life to ours nor, later, confine
 * it; and the runner has one thread and nothing in its memory that a child
 * must not see, so fork(2) is safe here.  Between fork and exec only system
 * calls are made.
 */
#include "runner/runner_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ERROR_FD = 3,      /* in the child, until exec */
    ABOVE_ALL_FD = 16, /* where pipes wait before they get their numbers */
    SIGNALS = 65,
    PATH_BYTES_MAX = 4096,
    OPEN_FILES = 1024, /* what programs that use select(2) can take */
};

static const char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin",
                                          "LANG=C.UTF-8", NULL};
static const char *const searched[] = {"/usr/local/bin", "/usr/bin", "/bin"};

/* Both ends of each pipe; -1: closed or handed on. */
struct pipes {
    int ours[RUNNER_PIPES];
    int theirs[RUNNER_PIPES];
    int error[2]; /* a byte when something fails; closed by exec */
};

static void close_one(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void pipes_close(struct pipes *p)
{
    for (int i = 0; i < RUNNER_PIPES; i++) {
        close_one(&p->ours[i]);
        close_one(&p->theirs[i]);
    }
    close_one(&p->error[0]);
    close_one(&p->error[1]);
}

/* A pipe whose ends are above the numbers that the child will give out. */
static bool pipe_open(int *reads, int *writes)
{
    int low[2];
    if (pipe2(low, O_CLOEXEC) != 0)
        return false;
    *reads = fcntl(low[0], F_DUPFD_CLOEXEC, ABOVE_ALL_FD);
    *writes = fcntl(low[1], F_DUPFD_CLOEXEC, ABOVE_ALL_FD);
    (void)close(low[0]);
    (void)close(low[1]);
    return *reads >= 0 && *writes >= 0;
}

static bool pipes_open(struct pipes *p)
{
    *p = (struct pipes){{-1, -1, -1}, {-1, -1, -1}, {-1, -1}};
    bool ok = pipe_open(&p->theirs[RUNNER_STDIN], &p->ours[RUNNER_STDIN]) &&
              pipe_open(&p->ours[RUNNER_STDOUT], &p->theirs[RUNNER_STDOUT]) &&
              pipe_open(&p->ours[RUNNER_STDERR], &p->theirs[RUNNER_STDERR]) &&
              pipe_open(&p->error[0], &p->error[1]);
    if (!ok)
        pipes_close(p);
    return ok;
}

/* The file of `name`, as a shell would find it; false: none. */
static bool find_file(const char *name, char to[PATH_BYTES_MAX])
{
    if (strchr(name, '/') != NULL) {
        int n = snprintf(to, PATH_BYTES_MAX, "%s", name);
        return n > 0 && n < PATH_BYTES_MAX;
    }
    for (size_t i = 0; i < ARRAY_LEN(searched); i++) {
        int n = snprintf(to, PATH_BYTES_MAX, "%s/%s", searched[i], name);
        if (n > 0 && n < PATH_BYTES_MAX && access(to, X_OK) == 0)
            return true;
    }
    return false;
}

static bool reset_signals(void)
{
    sigset_t none;
    const struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int i = 1; i < SIGNALS; i++)
        (void)sigaction(i, &standard, NULL); /* some cannot be set */
    return sigemptyset(&none) == 0 &&
           pthread_sigmask(SIG_SETMASK, &none, NULL) == 0;
}

static bool limit(void)
{
    struct rlimit files;
    const struct rlimit no_core = {0, 0};
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return false;
    if (files.rlim_cur > OPEN_FILES)
        files.rlim_cur = OPEN_FILES;
    return setrlimit(RLIMIT_NOFILE, &files) == 0 &&
           setrlimit(RLIMIT_CORE, &no_core) == 0;
}

/* exec's prototype is older than const. */
static char *const *as_exec_wants(const char *const *list)
{
    const union {
        const char *const *ours;
        char *const *execs;
    } both = {list};
    return both.execs;
}

/* In the child; comes back only when something failed.  *error is where to
 * say so: number 3 is somebody else's until it is ours. */
static void become(const struct pipes *p, pid_t runner, const char *file,
                   char *const *argv, int *error)
{
    bool ready = setpgid(0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
                 getppid() == runner && /* it may have died before */
                 prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && limit() &&
                 reset_signals() && chdir("/") == 0;
    for (int i = 0; ready && i < RUNNER_PIPES; i++)
        ready = dup2(p->theirs[i], i) == i;
    if (!ready || dup3(p->error[1], ERROR_FD, O_CLOEXEC) != ERROR_FD)
        return;
    *error = ERROR_FD;
    (void)umask(077);
    if (close_range(ERROR_FD + 1, ~0U, 0) == 0)
        (void)execve(file, argv, as_exec_wants(environment));
}

static _Noreturn void run_child(const struct pipes *p, pid_t runner,
                                const char *file, char *const *argv)
{
    int error = p->error[1];
    become(p, runner, file, argv, &error);
    const char failed = 1;
    /* Should even this fail, our end of the pipe says nothing and closes;
     * then the exit is what is seen. */
    (void)!write(error, &failed, sizeof(failed));
    _exit(127);
}

/* Waits until exec has closed the pipe; false: something came first. */
static bool executed(int error)
{
    char failed;
    ssize_t n;
    do {
        n = read(error, &failed, sizeof(failed));
    } while (n < 0 && errno == EINTR);
    return n == 0;
}

static void kill_and_reap(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

enum err runner_child_start(const struct runner_command *command,
                            struct runner_child *ret,
                            int ret_pipes[RUNNER_PIPES])
{
    char file[PATH_BYTES_MAX];
    struct pipes p;
    if (!find_file(command->argv[0], file))
        return ERR_NOT_FOUND;
    if (!pipes_open(&p))
        return ERR_LIMIT;
    pid_t runner = getpid();
    pid_t pid = fork();
    if (pid == 0)
        run_child(&p, runner, file, as_exec_wants(command->argv));
    close_one(&p.error[1]);
    enum err e = pid < 0 ? ERR_LIMIT : ERR_OK;
    if (e == ERR_OK && !executed(p.error[0]))
        e = ERR_NOT_FOUND;
    int pidfd = e == ERR_OK ? pidfd_open(pid, 0) : -1;
    if (e == ERR_OK && pidfd < 0)
        e = ERR_LIMIT;
    if (e != ERR_OK) {
        if (pid > 0)
            kill_and_reap(pid);
        pipes_close(&p);
        return e;
    }
    for (int i = 0; i < RUNNER_PIPES; i++) {
        ret_pipes[i] = p.ours[i];
        p.ours[i] = -1;
    }
    pipes_close(&p);
    *ret = (struct runner_child){pid, pidfd};
    return ERR_OK;
}

void runner_child_signal(const struct runner_child *c, int signal_number)
{
    (void)kill(-c->pid, signal_number);
}

void runner_child_reap(struct runner_child *c, uint32_t *ret_code,
                       uint32_t *ret_signal)
{
    /* Until the leader is reaped nobody else can get its group's number. */
    runner_child_signal(c, SIGKILL);
    siginfo_t info = {0};
    while (waitid(P_PIDFD, (id_t)c->pidfd, &info, WEXITED) != 0 &&
           errno == EINTR)
        ;
    bool exited = info.si_code == CLD_EXITED;
    *ret_code = exited ? (uint32_t)info.si_status : 0;
    *ret_signal = exited ? 0 : (uint32_t)info.si_status;
    (void)close(c->pidfd);
    *c = (struct runner_child){0, -1};
}
