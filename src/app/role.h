/*
 * role.h - the processes that one node is made of, and how they are started.
 *
 * `writ serve` validates the config and becomes the supervisor; the
 * supervisor starts every other role from the same binary, afresh.  What a
 * role has to know stands on its command line, which holds no secret; the
 * descriptors it gets are the ones below, in this order.
 */
#ifndef APP_ROLE_H
#define APP_ROLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/buf.h"
#include "codec/frame.h"

enum {
    ROLE_WORKERS_MAX = 32,
    ROLE_LISTENERS_MAX = 4,
    ROLE_FD_SUPERVISOR = 3, /* every role: its connection to the supervisor */
    ROLE_FD_CONTROL = 4,    /* gateway: the listening control socket */
    ROLE_FD_LOCK = 4,       /* keeper, ledger: the lock of the data directory */
    ROLE_FD_FIRST = 5, /* gateway: ledger and keeper connections, one pair per
                          worker and one for the control thread; then a
                          runner connection per worker; then each listener's
                          sockets, one per worker; then that of `admin` */
};

struct role_options {
    enum frame_role role;
    const char *config; /* absolute path; "" for the embedded defaults */
    const char *data;   /* absolute path of the data directory */
    const char *node;
    const char *listen[ROLE_LISTENERS_MAX]; /* "host:port" */
    unsigned listeners;
    const char *admin; /* "host:port"; NULL: no admin listener */
    unsigned workers;
    uint64_t generation; /* of the gateway */
    bool batched;        /* the ledger answers before it has synced */
    int64_t drain_ms;    /* how long a stop may take */
    pid_t parent;
};

/* The descriptor of a worker's ledger (or keeper) connection; `slot` is the
 * worker's number, or `workers` for the control thread. */
static inline int role_fd_ledger(unsigned slot)
{
    return ROLE_FD_FIRST + (int)slot * 2;
}
static inline int role_fd_keeper(unsigned slot)
{
    return ROLE_FD_FIRST + (int)slot * 2 + 1;
}
/* Of a worker's runner connection. */
static inline int role_fd_runner(unsigned workers, unsigned worker)
{
    return ROLE_FD_FIRST + (int)(workers + 1) * 2 + (int)worker;
}
static inline int role_fd_listener(unsigned workers, unsigned listener,
                                   unsigned worker)
{
    return role_fd_runner(workers, workers) +
           (int)(listener * workers + worker);
}

/* Of the admin listener's one socket. */
static inline int role_fd_admin(const struct role_options *o)
{
    return role_fd_listener(o->workers, o->listeners, 0);
}

/* "127.0.0.1:8080", "[::1]:8080", as `listen` has it. */
void role_add_address(struct buf *to, struct str host, uint16_t port);

enum { ROLE_ARGS_MAX = 20, ROLE_ARG_TEXT_MAX = 32 * 1024 };

/* A command line for `o`: argv[0] is "writ", ends with NULL. */
struct role_args {
    const char *argv[ROLE_ARGS_MAX];
    char text[ROLE_ARG_TEXT_MAX];
};
/* False when something is too long. */
MUST_CHECK bool role_args_make(struct role_args *to,
                               const struct role_options *o);

/* True when argv is the command line of a role. */
bool role_is(int argc, char **argv);

/* Runs the role; returns the process's exit code. */
int role_main(int argc, char **argv);

#endif
