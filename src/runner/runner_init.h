/*
 * runner_init.h - the process around a command: it builds the walls, starts
 * the command inside of them, and stays, inside too, until nothing of it is
 * left.
 *
 *     runner -- init (process 1 of its namespace, where there is one)
 *                 `-- the command, in a process group of its own
 */
#ifndef RUNNER_RUNNER_INIT_H
#define RUNNER_RUNNER_INIT_H

#include <stdint.h>
#include <sys/types.h>

#include "os/confine_spaces.h"
#include "runner/runner_command.h"

enum {
    /* Between SIGTERM and SIGKILL. */
    RUNNER_GRACE_MS = 2000,
    /* Of a command and all that it starts, where the system can count. */
    RUNNER_PROCESSES_MAX = 1024,
    RUNNER_PRIVATE_BYTES_MAX = 256 << 20, /* of its private folder */
};

struct runner_plan {
    const struct runner_command *command;
    const struct runner_table *table;
    const char *file;   /* what is executed */
    const char *folder; /* its private one; made, and empty */
    char *const *env;   /* ends with NULL */
    enum confine_spaces spaces;
    int ports;    /* a set of confine_files_ports_new(), or -1 */
    int stdio[3]; /* the command's ends */
    int report;   /* reports go there; closed by exec */
    int status;   /* and there the end */
    uid_t uid;    /* whose we are */
    gid_t gid;
};

/* What is written to `report`, first RUNNER_CONFINED, perhaps FAILED; its end
 * without one means that the command runs. */
struct runner_report {
    enum {
        RUNNER_REPORT_NONE = 0,
        RUNNER_CONFINED,  /* number: bits of os/confine.h */
        RUNNER_NO_SPACES, /* not with these namespaces */
        RUNNER_FAILED,    /* number: errno or 0 */
    } what;
    uint32_t number;
    char text[256];
};

/* What is written to `status`, last. */
struct runner_status {
    uint32_t code, signal_number;
};

/* In the child of confine_spaces_fork(). */
_Noreturn void runner_init_run(const struct runner_plan *p);

#endif
