/*
 * process.h - starting our own binary in another role, and what every
 * process of ours does to itself first.
 *
 * A process is started afresh, never forked: it has its own address layout
 * and canaries, and inherits the descriptors it is given and nothing else.
 */
#ifndef OS_PROCESS_H
#define OS_PROCESS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"

enum { PROCESS_FDS_MAX = 256 };

struct process_fd {
    int fd;     /* ours; stays open here */
    int target; /* its number in the new process */
};

struct process_options {
    const char *path;        /* NULL: this binary, /proc/self/exe */
    const char *const *argv; /* ends with NULL; argv[0] included */
    const char *const *env;  /* ends with NULL; NULL: empty */
    const struct process_fd *fds;
    size_t fd_count;
};

/*
 * Starts a process with default signal dispositions and an empty mask.  Of
 * the descriptors only `fds` are open in it; 0, 1 and 2 too have to be named,
 * or are closed.  ERR_LIMIT: too many descriptors or processes.  ERR_IO: it
 * cannot be executed.
 */
MUST_CHECK enum err process_spawn(const struct process_options *o,
                                  pid_t *ret_pid);

/*
 * A child that has ended, if any: its pid, or 0.  `*ret_status` is its exit
 * code, or 128 + the signal that ended it.
 */
pid_t process_reap(int *ret_status);

/* What `ps` and `top` show, "writ-" and `name`, cut at 15 bytes; without it
 * every process would be called after /proc/self/exe. */
void process_rename(const char *name);

/* No core files, no ptrace, no /proc/self for others of the same user. */
MUST_CHECK enum err process_harden(void);

/*
 * The kernel sends us `signal_number` when the thread that started us ends;
 * 0: nothing.
 * `parent` is who that should be: ERR_CLOSED when it is gone already.
 */
MUST_CHECK enum err process_follow_parent(pid_t parent, int signal_number);

/*
 * Blocks `signals` and makes a descriptor that is readable when one has
 * come; before threads are started.
 */
MUST_CHECK enum err process_signals_open(const int *signals, size_t n,
                                         int *ret_fd);
/* The next signal that has come, or 0. */
int process_signals_next(int fd);

/* Raises the limit of open descriptors to its ceiling; returns it. */
size_t process_raise_fd_limit(void);

#endif
