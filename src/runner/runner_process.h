/*
 * runner_process.h - the process that starts the commands of the
 * configuration, so that the gateway needs no right to execute anything.
 *
 * One thread in poll(2).  The supervisor hands it clients' sockets
 * (codec/frame.h); clients start and stop commands (runner_protocol.h).
 */
#ifndef RUNNER_RUNNER_PROCESS_H
#define RUNNER_RUNNER_PROCESS_H

#include <stddef.h>

#include "base/attr.h"
#include "runner/runner_child.h"

enum {
    RUNNER_CLIENTS_MAX = 64,
    RUNNER_CHILDREN_MAX = 256,
    /* Between SIGTERM and SIGKILL. */
    RUNNER_GRACE_MS = 2000,
};

struct runner_process_options {
    int control_fd; /* the supervisor's socket; ours from now on */
    const struct runner_command *commands; /* all that may be started */
    size_t command_count;
};

/*
 * Runs until the supervisor says so or is gone, ends what it has started and
 * returns 0; 1 when it cannot work, with one line in the log.
 */
MUST_CHECK int runner_process_run(const struct runner_process_options *o);

#endif
