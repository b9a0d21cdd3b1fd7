/*
 * runner_walls.h - the walls around a command, from what the table says: its
 * own namespaces' mounts, files, ports, system calls.
 *
 * Each is entered by the process that calls; on failure it has to end.
 */
#ifndef RUNNER_RUNNER_WALLS_H
#define RUNNER_RUNNER_WALLS_H

#include "base/attr.h"
#include "runner/runner_init.h"

/*
 * All that init needs no more itself.  What was reached is in *ret_bits
 * (os/confine.h); false: *ret_why says what is missing, and must not be.
 */
MUST_CHECK bool runner_walls_enter(const struct runner_plan *p,
                                   unsigned *ret_bits,
                                   struct runner_report *ret_why);

/* Those that only the command is inside of; `init` is its parent. */
MUST_CHECK bool runner_walls_enter_command(unsigned bits, pid_t init);

#endif
