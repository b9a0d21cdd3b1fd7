/*
 * runner_init.c - see runner_init.h.
 *
 * The runner has one thread and nothing in its memory that a command must not
 * see, so a copy of it may go on after fork(2); exec makes an end of it.
 */
#include "runner/runner_init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/confine.h"
#include "runner/runner_walls.h"

enum {
    SIGNALS = 65,
    OPEN_FILES = 1024,        /* what programs that use select(2) can take */
    OPEN_FILES_MAX = 65536,   /* for those that ask */
    FILE_BYTES_MAX = 1 << 30, /* one file that it writes */
    KILL_MS = 2000,           /* what is killed ends sooner */
    KILL_POLL_MS = 2,
    FOLDER_DEPTH_MAX = 64,
    CHILDREN_BYTES = 4096,
    ERROR_FD = 3, /* in the command, until exec */
};

struct init {
    const struct runner_plan *plan;
    unsigned confined;
    int children; /* our own, as the kernel lists them; -1: it does not */
    pid_t command;
    struct runner_status status;
};

static void report(const struct runner_plan *p, const struct runner_report *r)
{
    /* Should even this fail, the runner sees that we have ended. */
    (void)!write(p->report, r, sizeof(*r));
}

static _Noreturn void give_up(const struct runner_plan *p, const char *text,
                              int error)
{
    struct runner_report r = {.what = RUNNER_FAILED, .number = (uint32_t)error};
    (void)snprintf(r.text, sizeof(r.text), "%s", text);
    report(p, &r);
    _exit(127);
}

/* ---- what is its own, before walls ---- */

/* The kernel kills us with the runner; should that have come first, nobody
 * reads what we say. */
static bool follow_runner(const struct runner_plan *p)
{
    struct pollfd reader = {p->status, 0, 0};
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && poll(&reader, 1, 0) >= 0 &&
           (reader.revents & POLLERR) == 0;
}

static bool set_limit(__rlimit_resource_t what, rlim_t soft, rlim_t hard)
{
    struct rlimit l;
    if (getrlimit(what, &l) != 0)
        return false;
    if (l.rlim_max > hard)
        l.rlim_max = hard;
    if (l.rlim_cur > soft)
        l.rlim_cur = soft;
    return setrlimit(what, &l) == 0;
}

/* Processes are counted for each user, in a user namespace by themselves:
 * elsewhere ours are among them. */
static bool limit(void)
{
    return set_limit(RLIMIT_NOFILE, OPEN_FILES, OPEN_FILES_MAX) &&
           set_limit(RLIMIT_CORE, 0, 0) &&
           set_limit(RLIMIT_FSIZE, FILE_BYTES_MAX, FILE_BYTES_MAX) &&
           set_limit(RLIMIT_NPROC, RUNNER_PROCESSES_MAX, RUNNER_PROCESSES_MAX);
}

/* Our environment may name credentials, and the command is of our kind. */
static void forget_environment(void)
{
    for (char **e = environ; e != NULL && *e != NULL; e++)
        explicit_bzero(*e, strlen(*e));
    if (environ != NULL)
        environ[0] = NULL;
}

static void block_signals(void)
{
    sigset_t all;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, NULL);
    /* Ignored ones do not wait to be taken. */
    (void)signal(SIGCHLD, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
}

/* ---- the command ---- */

static bool reset_signals(void)
{
    sigset_t none;
    const struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int i = 1; i < SIGNALS; i++)
        (void)sigaction(i, &standard, NULL); /* some cannot be set */
    return sigemptyset(&none) == 0 &&
           pthread_sigmask(SIG_SETMASK, &none, NULL) == 0;
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

static _Noreturn void fail_command(int error_fd, const char *what,
                                   const char *path)
{
    struct runner_report r = {.what = RUNNER_FAILED, .number = (uint32_t)errno};
    (void)snprintf(r.text, sizeof(r.text), "%s %.180s", what, path);
    (void)!write(error_fd, &r, sizeof(r));
    _exit(127);
}

static _Noreturn void become_command(const struct init *in, pid_t init)
{
    const struct runner_plan *p = in->plan;
    const struct runner_command *c = p->command;
    const char *cwd = c->cwd != NULL ? c->cwd : p->folder;
    bool ready = setpgid(0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
                 getppid() == init;
    for (int i = 0; ready && i < 3; i++)
        ready = dup2(p->stdio[i], i) == i;
    if (!ready || dup3(p->report, ERROR_FD, O_CLOEXEC) != ERROR_FD)
        fail_command(p->report, "it cannot be prepared", "");
    (void)umask(077);
    if (chdir(cwd) != 0)
        fail_command(ERROR_FD, "no folder", cwd);
    if (close_range(ERROR_FD + 1, ~0U, 0) != 0 || !reset_signals() ||
        !runner_walls_enter_command(in->confined, init))
        fail_command(ERROR_FD, "it cannot be prepared", "");
    (void)execve(p->file, as_exec_wants(c->argv), p->env);
    fail_command(ERROR_FD, "cannot be executed:", p->file);
}

/* ---- its end ---- */

static void signal_group(const struct init *in, int signal_number)
{
    if (in->command > 0)
        (void)kill(-in->command, signal_number);
}

static void reap(struct init *in)
{
    siginfo_t ended = {0};
    int status;
    while (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ended.si_pid > 0) {
        pid_t pid = ended.si_pid;
        ended.si_pid = 0;
        /* Until it is reaped nobody else can get its group's number. */
        if (pid == in->command)
            signal_group(in, SIGKILL);
        if (waitpid(pid, &status, 0) != pid || pid != in->command)
            continue;
        in->command = 0;
        in->status.code = WIFEXITED(status) ? (uint32_t)WEXITSTATUS(status) : 0;
        in->status.signal_number =
            WIFSIGNALED(status) ? (uint32_t)WTERMSIG(status) : 0;
    }
}

/* Whatever the command has left became our child. */
static void kill_children(const struct init *in)
{
    char list[CHILDREN_BYTES];
    ssize_t n =
        in->children < 0 ? 0 : pread(in->children, list, sizeof(list) - 1, 0);
    list[n > 0 ? n : 0] = '\0';
    char *end = list;
    for (long pid = strtol(list, &end, 10); pid > 1;
         pid = strtol(end, &end, 10)) {
        (void)kill((pid_t)pid, SIGKILL);
    }
}

/* Nothing of the command is left, or it cannot be killed. */
static void end_rest(const struct init *in)
{
    int64_t until_ms = clock_monotonic_ms() + KILL_MS;
    bool alone = (in->confined & CONFINE_PIDNS) != 0;
    do {
        if (alone)
            (void)kill(-1, SIGKILL);
        else
            kill_children(in);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
            return;
        (void)poll(NULL, 0, KILL_POLL_MS);
    } while (clock_monotonic_ms() < until_ms);
}

/* Waits for the command, which a SIGTERM to us stops. */
static void watch(struct init *in)
{
    sigset_t wanted;
    int64_t kill_ms = 0;
    (void)sigemptyset(&wanted);
    (void)sigaddset(&wanted, SIGCHLD);
    (void)sigaddset(&wanted, SIGTERM);
    for (reap(in); in->command > 0; reap(in)) {
        int64_t left_ms = kill_ms - clock_monotonic_ms();
        struct timespec left = {left_ms / 1000, left_ms % 1000 * 1000000};
        if (kill_ms != 0 && left_ms <= 0) {
            signal_group(in, SIGKILL);
            left = (struct timespec){1, 0};
        }
        int n = sigtimedwait(&wanted, NULL, kill_ms == 0 ? NULL : &left);
        if (n == SIGTERM && kill_ms == 0) {
            kill_ms = clock_monotonic_ms() + RUNNER_GRACE_MS;
            signal_group(in, SIGTERM);
        }
    }
}

/* Everything in `dir`, which is ours to close.  Behind walls: a name that has
 * become a link since leads nowhere. */
/* NOLINTNEXTLINE(misc-no-recursion): FOLDER_DEPTH_MAX */
static void empty_folder(int dir, unsigned depth)
{
    DIR *d = fdopendir(dir);
    if (d == NULL) {
        (void)close(dir);
        return;
    }
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (unlinkat(dir, e->d_name, 0) == 0 || depth == FOLDER_DEPTH_MAX)
            continue;
        int below = openat(dir, e->d_name,
                           O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below < 0)
            continue;
        empty_folder(below, depth + 1);
        (void)unlinkat(dir, e->d_name, AT_REMOVEDIR);
    }
    (void)closedir(d);
}

static void clean_up(const struct init *in)
{
    if ((in->confined & CONFINE_MNTNS) != 0)
        return; /* it was in memory, and goes with us */
    int dir =
        open(in->plan->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir >= 0)
        empty_folder(dir, 0);
}

/* ---- all of it ---- */

/* Nothing of the runner's stays open, and no end of the command's pipes. */
static void keep_own(struct init *in)
{
    int low = in->plan->status, high = in->children;
    if (high < low) {
        low = high;
        high = in->plan->status;
    }
    if (low > 0)
        (void)close_range(0, (unsigned)low - 1, 0);
    if (high - low > 1 && high > 0)
        (void)close_range((unsigned)(low + 1), (unsigned)high - 1, 0);
    (void)close_range((unsigned)high + 1, ~0U, 0);
}

static void enter_walls(struct init *in)
{
    const struct runner_plan *p = in->plan;
    struct runner_report r = {0};
    /* Ours, while /proc can still be opened. */
    in->children = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    if (!runner_walls_enter(p, &in->confined, &r)) {
        report(p, &r);
        _exit(127);
    }
    r = (struct runner_report){.what = RUNNER_CONFINED, .number = in->confined};
    report(p, &r);
}

_Noreturn void runner_init_run(const struct runner_plan *p)
{
    struct init in = {.plan = p, .children = -1};
    block_signals();
    if (!follow_runner(p))
        _exit(127);
    if (setsid() < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0 ||
        !limit())
        give_up(p, "its limits cannot be set", errno);
    forget_environment();
    enter_walls(&in);
    pid_t init = getpid();
    in.command = fork();
    if (in.command == 0)
        become_command(&in, init);
    if (in.command < 0)
        give_up(p, "the system starts no more processes", errno);
    (void)setpgid(in.command, in.command); /* whoever is first */
    keep_own(&in);
    watch(&in);
    end_rest(&in);
    clean_up(&in);
    (void)!write(p->status, &in.status, sizeof(in.status));
    _exit(0);
}
