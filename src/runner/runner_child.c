/*
 * runner_child.c - pipes, a private folder, an environment; then a process
 * that builds the walls and starts the command (runner_init.h).
 *
 * Which namespaces a system lets us have shows when they are asked for: a
 * start that fails for want of them is repeated with less.
 */
#include "runner/runner_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/clock.h"
#include "runner/runner_files.h"
#include "runner/runner_init.h"

enum {
    ABOVE_ALL_FD = 16, /* where pipes wait before they get their numbers */
    STRAYS_BYTES_MAX = 16384,
    STRAYS_MS = 1000,
    STRAYS_POLL_MS = 2,
    START_MS = 10000, /* a file system may hang; we must not */
    ENV_MAX = 256,
    ENV_OWN = 5,
    LINE_MAX_BYTES = 2 * RUNNER_PATH_MAX,
};

#define STANDARD_PATH "/usr/local/bin:/usr/bin:/bin"

/* Both ends of each pipe; -1: closed or handed on. */
struct pipes {
    int ours[RUNNER_PIPES];
    int theirs[RUNNER_PIPES];
    int report[2], status[2]; /* ours, theirs */
};

/* The lines of an environment that are ours, and the table's. */
struct environment {
    char path[LINE_MAX_BYTES], home[64], tmp[64];
    char *lines[ENV_MAX];
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
    for (int i = 0; i < 2; i++) {
        close_one(&p->report[i]);
        close_one(&p->status[i]);
    }
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
    *p = (struct pipes){{-1, -1, -1}, {-1, -1, -1}, {-1, -1}, {-1, -1}};
    bool ok = pipe_open(&p->theirs[RUNNER_STDIN], &p->ours[RUNNER_STDIN]) &&
              pipe_open(&p->ours[RUNNER_STDOUT], &p->theirs[RUNNER_STDOUT]) &&
              pipe_open(&p->ours[RUNNER_STDERR], &p->theirs[RUNNER_STDERR]) &&
              pipe_open(&p->report[0], &p->report[1]) &&
              pipe_open(&p->status[0], &p->status[1]) &&
              fcntl(p->status[0], F_SETFL, O_NONBLOCK) == 0;
    if (!ok)
        pipes_close(p);
    return ok;
}

/* exec and its like do not change what they take without const. */
static char *unconst(const char *line)
{
    const union {
        const char *from;
        char *to;
    } u = {line};
    return u.to;
}

static bool names(const char *const *env, const char *name, size_t len)
{
    for (; env != NULL && *env != NULL; env++) {
        if (strncmp(*env, name, len) == 0)
            return true;
    }
    return false;
}

/* PATH, LANG, HOME and TMPDIR unless the table names them, and what it does. */
static bool environment_make(struct environment *to,
                             const struct runner_command *command,
                             const char *file, const char *folder)
{
    static const char lang[] = "LANG=C.UTF-8";
    const char *slash = strrchr(file, '/');
    int dir = slash == NULL ? 0 : (int)(slash - file);
    bool standard = dir == 0 || strncmp(file, "/usr/bin/", 9) == 0 ||
                    strncmp(file, "/bin/", 5) == 0 ||
                    strncmp(file, "/usr/local/bin/", 15) == 0;
    size_t n = 0;
    /* An interpreter is often beside what is to be interpreted. */
    char own_dir[RUNNER_PATH_MAX] = "";
    if (dir >= (int)sizeof(own_dir))
        return false;
    memcpy(own_dir, file, standard ? 0 : (size_t)dir);
    (void)snprintf(to->path, sizeof(to->path), "PATH=%s%s" STANDARD_PATH,
                   own_dir, standard ? "" : ":");
    (void)snprintf(to->home, sizeof(to->home), "HOME=%s", folder);
    (void)snprintf(to->tmp, sizeof(to->tmp), "TMPDIR=%s", folder);
    const char *const own[] = {to->path, lang, to->home, to->tmp};
    for (size_t i = 0; i < ARRAY_LEN(own); i++) {
        if (!names(command->env, own[i], strcspn(own[i], "=") + 1))
            to->lines[n++] = unconst(own[i]);
    }
    for (const char *const *e = command->env; e != NULL && *e != NULL; e++) {
        if (n + 1 >= ENV_MAX)
            return false;
        to->lines[n++] = unconst(*e);
    }
    to->lines[n] = NULL;
    return true;
}

/* ---- one attempt ---- */

static void kill_and_reap(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* Waits until exec has closed the pipe; *ret is what came first. */
static void read_reports(int fd, unsigned *ret_confined,
                         struct runner_report *ret)
{
    int64_t until_ms = clock_monotonic_ms() + START_MS;
    *ret = (struct runner_report){.what = RUNNER_REPORT_NONE};
    for (;;) {
        struct runner_report r;
        struct pollfd p = {fd, POLLIN, 0};
        int64_t left_ms = until_ms - clock_monotonic_ms();
        int ready = left_ms > 0 ? poll(&p, 1, (int)left_ms) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0) {
            *ret = (struct runner_report){.what = RUNNER_FAILED,
                                          .text = "it took too long"};
            return;
        }
        ssize_t n = read(fd, &r, sizeof(r));
        if (n != (ssize_t)sizeof(r))
            return;
        r.text[sizeof(r.text) - 1] = '\0';
        if (r.what == RUNNER_CONFINED)
            *ret_confined = r.number;
        else
            *ret = r;
    }
}

/* Starts it with these namespaces.  What keeps it from running is in *ret;
 * without a word of its own it has never come so far. */
static void attempt(const struct runner_plan *plan, struct pipes *p,
                    struct runner_child *c, struct runner_report *ret)
{
    bool offline = !plan->command->network;
    c->pid = confine_spaces_fork(plan->spaces, offline, &c->pidfd);
    if (c->pid == 0)
        runner_init_run(plan);
    if (c->pid < 0) {
        bool full = errno == EAGAIN || errno == ENOMEM;
        *ret =
            (struct runner_report){.what =
                                       full ? RUNNER_FAILED : RUNNER_NO_SPACES,
                                   .number = (uint32_t)errno,
                                   .text =
                                       "the system starts no more processes"};
        return;
    }
    c->confined = 0;
    close_one(&p->report[1]);
    close_one(&p->status[1]);
    read_reports(p->report[0], &c->confined, ret);
    if (ret->what == RUNNER_REPORT_NONE && c->confined == 0)
        *ret = (struct runner_report){.what = RUNNER_FAILED,
                                      .text = "it ended while it was started"};
    if (ret->what == RUNNER_REPORT_NONE)
        return;
    kill_and_reap(c->pid);
    (void)close(c->pidfd);
}

/* The other ends of these two went with an attempt that failed. */
static bool pipes_renew(struct pipes *p)
{
    for (int i = 0; i < 2; i++) {
        close_one(&p->report[i]);
        close_one(&p->status[i]);
    }
    return pipe_open(&p->report[0], &p->report[1]) &&
           pipe_open(&p->status[0], &p->status[1]) &&
           fcntl(p->status[0], F_SETFL, O_NONBLOCK) == 0;
}

static void attempt_all(struct runner_plan *plan, struct pipes *p,
                        struct runner_child *c, struct runner_report *ret)
{
    static const enum confine_spaces ways[] = {CONFINE_SPACES_OWN,
                                               CONFINE_SPACES_USER,
                                               CONFINE_SPACES_NONE};
    for (size_t i = plan->uid == 0 ? 0 : 1; i < ARRAY_LEN(ways); i++) {
        plan->spaces = ways[i];
        plan->report = p->report[1];
        plan->status = p->status[1];
        attempt(plan, p, c, ret);
        if (ret->what != RUNNER_NO_SPACES)
            return;
        if (!pipes_renew(p)) {
            *ret = (struct runner_report){.what = RUNNER_FAILED,
                                          .text = "too many descriptors"};
            return;
        }
    }
}

/* ---- the start ---- */

static void explain(const struct runner_report *r, char why[RUNNER_REASON_MAX])
{
    const char *error = r->number > 0 ? strerrordesc_np((int)r->number) : NULL;
    (void)snprintf(why, RUNNER_REASON_MAX, "%s%s%s", r->text,
                   error != NULL ? ": " : "", error != NULL ? error : "");
}

static bool start(const struct runner_starts *from,
                  const struct runner_command *command, struct runner_child *c,
                  struct pipes *p, struct runner_report *why)
{
    char file[RUNNER_PATH_MAX];
    struct environment env;
    *why = (struct runner_report){.what = RUNNER_FAILED, .number = ENOENT};
    (void)snprintf(why->text, sizeof(why->text), "cannot be executed: %.180s",
                   command->argv[0]);
    if (!runner_files_find(command, file))
        return false;
    why->number = 0;
    (void)snprintf(why->text, sizeof(why->text),
                   "its environment is too large");
    if (!environment_make(&env, command, file, c->folder))
        return false;
    struct runner_plan plan = {.command = command,
                               .table = from->table,
                               .file = file,
                               .folder = c->folder,
                               .env = env.lines,
                               .ports = from->ports,
                               .uid = getuid(),
                               .gid = getgid()};
    memcpy(plan.stdio, p->theirs, sizeof(plan.stdio));
    attempt_all(&plan, p, c, why);
    return why->what == RUNNER_REPORT_NONE;
}

bool runner_child_start(const struct runner_starts *from,
                        const struct runner_command *command,
                        struct runner_child *ret, int ret_pipes[RUNNER_PIPES],
                        char why[RUNNER_REASON_MAX])
{
    struct runner_child c = {.pidfd = -1,
                             .status = -1,
                             .folder = "/tmp/writ-tool-XXXXXX"};
    struct runner_report r;
    struct pipes p;
    if (command->fault != NULL || !pipes_open(&p)) {
        (void)snprintf(why, RUNNER_REASON_MAX, "%s",
                       command->fault != NULL ? command->fault
                                              : "too many descriptors");
        return false;
    }
    bool ok = mkdtemp(c.folder) != NULL;
    if (!ok) {
        r = (struct runner_report){.number = (uint32_t)errno,
                                   .text = "no private folder in /tmp"};
    } else if (!start(from, command, &c, &p, &r)) {
        ok = false;
        (void)rmdir(c.folder);
    }
    if (ok) {
        for (int i = 0; i < RUNNER_PIPES; i++) {
            ret_pipes[i] = p.ours[i];
            p.ours[i] = -1;
        }
        c.status = p.status[0];
        p.status[0] = -1;
        *ret = c;
    } else {
        explain(&r, why);
    }
    pipes_close(&p);
    return ok;
}

static bool is_known(pid_t pid, const pid_t *known, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (known[i] == pid)
            return true;
    }
    return false;
}

/* True when there was one; what it has started is ours only when it is
 * gone. */
static bool kill_strays(const pid_t *known, size_t n)
{
    bool any = false;
    char list[STRAYS_BYTES_MAX];
    int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, list, sizeof(list) - 1) : 0;
    if (fd >= 0)
        (void)close(fd);
    list[len > 0 ? len : 0] = '\0';
    char *end = list;
    for (long pid = strtol(list, &end, 10); pid > 1;
         pid = strtol(end, &end, 10)) {
        if (is_known((pid_t)pid, known, n))
            continue;
        (void)kill((pid_t)pid, SIGKILL);
        (void)waitpid((pid_t)pid, NULL, WNOHANG); /* or the next time */
        any = true;
    }
    return any;
}

void runner_child_end_strays(const pid_t *known, size_t n)
{
    int64_t until_ms = clock_monotonic_ms() + STRAYS_MS;
    while (kill_strays(known, n) && clock_monotonic_ms() < until_ms)
        (void)poll(NULL, 0, STRAYS_POLL_MS);
}

void runner_child_stop(const struct runner_child *c)
{
    (void)pidfd_send_signal(c->pidfd, SIGTERM, NULL, 0);
}

void runner_child_kill(const struct runner_child *c)
{
    (void)pidfd_send_signal(c->pidfd, SIGKILL, NULL, 0);
}

void runner_child_reap(struct runner_child *c, uint32_t *ret_code,
                       uint32_t *ret_signal)
{
    struct runner_status s;
    siginfo_t info = {0};
    while (waitid(P_PIDFD, (id_t)c->pidfd, &info, WEXITED) != 0 &&
           errno == EINTR)
        ;
    /* Without a last word it was killed itself. */
    if (read(c->status, &s, sizeof(s)) != (ssize_t)sizeof(s))
        s = (struct runner_status){0, SIGKILL};
    *ret_code = s.code;
    *ret_signal = s.signal_number;
    (void)rmdir(c->folder);
    (void)close(c->status);
    (void)close(c->pidfd);
    *c = (struct runner_child){.pidfd = -1, .status = -1};
}
