/*
 * children.h - the processes under a supervisor: started, connected to each
 * other, restarted, stopped.
 */
#ifndef APP_CHILDREN_H
#define APP_CHILDREN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "app/role.h"
#include "base/attr.h"
#include "base/err.h"
#include "os/wire.h"
#include "runner/runner_protocol.h"

enum { CHILD_KEEPER = 0, CHILD_LEDGER, CHILD_RUNNER, CHILD_GATEWAY, CHILDREN };

enum {
    CHILD_BACKOFF_MIN_MS = 100,
    CHILD_BACKOFF_MAX_MS = 5000,
    CHILD_STABLE_MS = 10000,   /* lived so long: the next restart is at once */
    CHILD_RECONNECT_MS = 1500, /* between two connections of one slot */
};

struct child {
    enum frame_role role;
    const char *name;
    pid_t pid;          /* 0: not running */
    struct wire wire;   /* while it runs */
    int64_t started_ms; /* monotonic */
    int64_t due_ms;     /* when to start it; while it does not run */
    int64_t backoff_ms;
    unsigned restarts;
    bool told;    /* to stop */
    bool hung_up; /* its connection broke: it is not listened to any more */
};

struct children {
    const struct role_options *options;
    struct child at[CHILDREN];
    int lock_fd;    /* of the data directory */
    int control_fd; /* the listening control socket */
    int admin_fd;   /* of the admin listener; -1: none */
    int listeners[ROLE_LISTENERS_MAX][ROLE_WORKERS_MAX];
    uint64_t generation;
    char config[RUNNER_DIGEST_LEN]; /* of the gateway's, once `configured` */
    bool configured;
    /* When the gateway's slots were last given a connection to each. */
    int64_t connected_ms[CHILDREN][ROLE_WORKERS_MAX + 1];
};

void children_init(struct children *c, const struct role_options *o);

/* Opens all listening sockets.  *ret_address names the one that failed. */
MUST_CHECK enum err children_listen(struct children *c,
                                    const char **ret_address);

/* Starts what is due, connected to those that run. */
void children_start_due(struct children *c, int64_t now_ms);

/* The gateway says GATEWAY_LOST: gives it a new connection, if the server runs.
 * ERR_MALFORMED: not what that frame holds. */
MUST_CHECK enum err children_reconnect(struct children *c, struct str payload,
                                       int64_t now_ms);

/* Milliseconds until something is due, or -1. */
int children_due_in_ms(const struct children *c, int64_t now_ms);

/* Notes that `pid` has ended; its restart is planned.  NULL: not ours. */
struct child *children_ended(struct children *c, pid_t pid, int64_t now_ms);

/* The gateway works with a config of this digest: so does the runner, also one
 * that is started later. */
void children_configured(struct children *c, struct str digest);

/* Sends a frame without payload, now. */
void children_tell(struct child *c, uint16_t type);

/* Tells the gateway which processes run. */
void children_publish(struct children *c);

#endif
