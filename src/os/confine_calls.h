/*
 * confine_calls.h - seccomp: which system calls a program that we start does
 * not get, whatever files it may open.
 *
 * All others stay, so that any interpreter runs.  What is refused looks like
 * a lack of permission; io_uring, and the calls that no filter can look into,
 * look as if the kernel did not have them.
 */
#ifndef OS_CONFINE_CALLS_H
#define OS_CONFINE_CALLS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"

struct confine_calls {
    /* Sockets of TCP and UDP; without it no socket at all, but connected
     * pairs.  Local sockets that have a name exist for nobody. */
    bool network;
    /* Files that it cannot open have their modes, owners and attributes
     * nevertheless: refuse to change any by name.  Not needed where what is
     * ours is not in its file system. */
    bool keep_modes;
    bool keep_lengths; /* the same for truncate(2): Landlock before ABI 3 */
};

/*
 * From now on, for this process and what it starts; sets no_new_privs.
 * ERR_UNSUPPORTED: the system does not filter.  ERR_NO_MEMORY.
 */
MUST_CHECK enum err confine_calls_enter(const struct confine_calls *o);

/*
 * Where no other wall stands between it and other processes: no signal but to
 * its own group, no change of another's limits or priority.  With `only` not
 * 0, just process `only` gets none.  After confine_calls_enter(), in the
 * process that is to be held, for what stays outside may still need them.
 */
MUST_CHECK enum err confine_calls_enter_signals(pid_t only);

#endif
