/*
 * keeper_process.h - the process that holds the keys.
 *
 * One thread in poll(2): no event loop, no network, no file beyond its
 * folder.  The supervisor hands it clients' sockets over the control
 * connection (codec/frame.h); each client asks in its own connection
 * (keeper_protocol.h).  Keys asked for in one turn are made durable together.
 *
 * A client that breaks the protocol loses its connection; a disk that fails
 * ends the process, since what it holds is then not known.
 */
#ifndef KEEPER_KEEPER_PROCESS_H
#define KEEPER_KEEPER_PROCESS_H

#include "base/attr.h"

/* Workers, control thread and tools of a few generations. */
enum { KEEPER_CLIENTS_MAX = 128 };

struct keeper_process_options {
    const char *keys_dir; /* data/keys; made when missing */
    int control_fd;       /* the supervisor's socket; ours from now on */
};

/*
 * Runs until the supervisor says so or is gone, then returns 0.  Returns 1,
 * with one line in the log, when the keys cannot be used or stored.
 */
MUST_CHECK int keeper_process_run(const struct keeper_process_options *o);

#endif
