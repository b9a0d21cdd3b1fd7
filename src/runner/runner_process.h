/*
 * runner_process.h - the process that starts the commands of the
 * configuration, so that the gateway needs no right to execute anything.
 *
 * One thread in poll(2).  The supervisor hands it clients' sockets
 * (codec/frame.h); clients start and stop commands (runner_protocol.h).  What
 * runs when the table changes goes on.
 */
#ifndef RUNNER_RUNNER_PROCESS_H
#define RUNNER_RUNNER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "runner/runner_child.h"
#include "runner/runner_command.h"

enum {
    RUNNER_CLIENTS_MAX = 64,
    RUNNER_CHILDREN_MAX = 256,
};

struct runner_process_options {
    int control_fd;            /* the supervisor's socket; ours from now on */
    struct runner_table table; /* all that may be started */
    /*
     * The table of the configuration of this digest, after RUNNER_RELOAD; then
     * nobody looks at the one before any more.  False: that one stays.  NULL:
     * it never changes.
     */
    bool (*reload)(void *user, const unsigned char digest[RUNNER_DIGEST_LEN],
                   struct runner_table *ret);
    void *user;
};

/*
 * Runs until the supervisor says so or is gone, ends what it has started and
 * returns 0; 1 when it cannot work, with one line in the log.
 */
MUST_CHECK int runner_process_run(const struct runner_process_options *o);

#endif
