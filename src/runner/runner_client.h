/*
 * runner_client.h - a gateway thread's end of the process that starts tool
 * servers.
 *
 * A job is one run of a configured command: asked for by name, started with
 * three pipes or refused with a reason, and ended once.  Nothing restarts by
 * itself; who wants another run starts another job.
 *
 *     struct link { struct runner_job job; ... };
 *     enum err e = runner_client_start(c, STR("files"), &link->job);
 *     ...
 *     on_started: CONTAINER_OF(job, struct link, job), read and write
 *     on_ended:   the last word about it
 *
 * A connection that breaks takes its jobs along: the runner stops them, and
 * each is told so.  Then a new one is set and jobs may be started again.
 *
 * One client per loop; not thread-safe.
 */
#ifndef RUNNER_RUNNER_CLIENT_H
#define RUNNER_RUNNER_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/list.h"
#include "base/str.h"
#include "runner/runner_protocol.h"

struct runner_client;
struct runner_job;
struct loop;

/* Of one client, cancelled ones included until they have ended. */
enum { RUNNER_JOBS_MAX = 256 };

MUST_CHECK enum err runner_client_new(struct loop *l, uint64_t generation,
                                      struct runner_client **ret);
/* Not inside a job's events.  No event comes any more, and the runner stops
 * what ran; NULL is allowed. */
void runner_client_free(struct runner_client *c);
/*
 * A new socket to the runner (ours from now on), which the supervisor has
 * announced as FRAME_ROLE_WORKER; replaces a broken one.
 */
MUST_CHECK enum err runner_client_connect(struct runner_client *c, int fd);
/* True once connected and greeted, until it breaks. */
bool runner_client_ready(const struct runner_client *c);
/* True without a connection: none was given yet, or it broke.  It does not
 * come back by itself. */
bool runner_client_lost(const struct runner_client *c);

struct runner_start {
    /* The descriptors by enum runner_pipe, non-blocking and close-on-exec;
     * the owner's from now on. */
    int pipes[RUNNER_PIPES];
    unsigned confined; /* how, as it was really reached: os/confine.h */
};

struct runner_end {
    enum {
        RUNNER_END_LOST = 0, /* the connection broke; nobody knows more */
        RUNNER_END_REFUSED,  /* it was never started */
        RUNNER_END_EXITED,
    } how;
    struct str reason;      /* REFUSED: for the operator, printable, borrowed */
    uint32_t code;          /* EXITED by itself */
    uint32_t signal_number; /* EXITED by a signal; else 0 */
};

/* Embedded in its owner, which may be freed, and `job` started again, inside
 * `ended`. */
struct runner_job {
    struct list node;             /* private */
    struct runner_client *client; /* private */
    uint64_t tag;                 /* private */
    /* At most once, before `ended`. */
    void (*started)(struct runner_job *job, const struct runner_start *s);
    /* Exactly once. */
    void (*ended)(struct runner_job *job, const struct runner_end *end);
};

/*
 * Starts the command that the configuration calls `name` (the runner's own
 * reading of it).  On success `job`'s events come in later turns.
 * ERR_CONNECT: no connection.  ERR_OVERLOAD: RUNNER_JOBS_MAX jobs.
 * ERR_LIMIT: no name that anything could have.
 */
MUST_CHECK enum err runner_client_start(struct runner_client *c,
                                        struct str name,
                                        struct runner_job *job);

/* Asks it to end: its group gets SIGTERM now and SIGKILL a little later.
 * `ended` follows.  Nothing happens when it does not run. */
void runner_job_stop(struct runner_job *job);

/* The owner goes away: as stop, and no event comes any more.  Allowed when
 * `job` does not run (zero-initialised). */
void runner_job_cancel(struct runner_job *job);

#endif
