/*
 * runner_child.h - one process started from a configured command.
 *
 * It leads a process group of its own and gets three pipes, a fixed small
 * environment and nothing else: no descriptor, no signal setting, no
 * privilege that exec could add.  The kernel kills it when the runner ends.
 */
#ifndef RUNNER_RUNNER_CHILD_H
#define RUNNER_RUNNER_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"
#include "runner/runner_protocol.h"

struct runner_command {
    const char *name;
    const char *const *argv; /* ends with NULL; argv[0] is found in PATH */
};

struct runner_child {
    pid_t pid;
    int pidfd; /* readable once it has ended */
};

/*
 * Starts `command`; the pipes' other ends, by enum runner_pipe, are then the
 * caller's.  ERR_NOT_FOUND: it cannot be executed.  ERR_LIMIT: too many
 * descriptors or processes.
 */
MUST_CHECK enum err runner_child_start(const struct runner_command *command,
                                       struct runner_child *ret,
                                       int ret_pipes[RUNNER_PIPES]);

/* Sends a signal to the whole group. */
void runner_child_signal(const struct runner_child *c, int signal_number);

/*
 * After `pidfd` became readable: kills what is left of the group, reaps and
 * closes.  *ret_signal is 0 when it ended by itself, with *ret_code.
 */
void runner_child_reap(struct runner_child *c, uint32_t *ret_code,
                       uint32_t *ret_signal);

#endif
