/*
 * runner_child.h - one process started from a configured command.
 *
 * It gets three pipes, a small environment, a private folder, what the table
 * lists, and nothing else: no descriptor, no signal setting, no privilege that
 * exec could add, and walls around it (runner_walls.h).  The kernel kills it
 * when the runner ends.
 */
#ifndef RUNNER_RUNNER_CHILD_H
#define RUNNER_RUNNER_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"
#include "runner/runner_command.h"
#include "runner/runner_protocol.h"

enum { RUNNER_FOLDER_MAX = 32 };

struct runner_child {
    pid_t pid; /* of the init around it */
    int pidfd; /* readable once that has ended */
    int status;
    unsigned confined;              /* how, as reached: os/confine.h */
    char folder[RUNNER_FOLDER_MAX]; /* its private one */
};

/* What the starts of one table share. */
struct runner_starts {
    const struct runner_table *table;
    int ports; /* a set of confine_files_ports_new(), or -1 */
};

/*
 * Starts `command`; the pipes' other ends, by enum runner_pipe, are then the
 * caller's.  False: `why` holds the reason, for people.
 */
MUST_CHECK bool runner_child_start(const struct runner_starts *from,
                                   const struct runner_command *command,
                                   struct runner_child *ret,
                                   int ret_pipes[RUNNER_PIPES],
                                   char why[RUNNER_REASON_MAX]);

/* Asks it to end: SIGTERM to its group, SIGKILL after RUNNER_GRACE_MS. */
void runner_child_stop(const struct runner_child *c);
/* Ends it and, where the system can, all that it has started, now. */
void runner_child_kill(const struct runner_child *c);

/*
 * After `pidfd` became readable: reaps and closes.  *ret_signal is 0 when it
 * ended by itself, with *ret_code.
 */
void runner_child_reap(struct runner_child *c, uint32_t *ret_code,
                       uint32_t *ret_signal);

/*
 * Where an init was killed that is not the first of its namespace, what it
 * leaves becomes ours: ends all of our children but `known`, n of them.
 */
void runner_child_end_strays(const pid_t *known, size_t n);

#endif
