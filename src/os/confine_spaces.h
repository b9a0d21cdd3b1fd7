/*
 * confine_spaces.h - a process in namespaces of its own, with no capability.
 *
 * Root may have them at once; others get them inside a user namespace, where
 * the system lets them.
 */
#ifndef OS_CONFINE_SPACES_H
#define OS_CONFINE_SPACES_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"

enum confine_spaces {
    CONFINE_SPACES_NONE = 0,
    CONFINE_SPACES_OWN,  /* processes, mounts, IPC */
    CONFINE_SPACES_USER, /* the same inside a user namespace */
};

/*
 * fork(2) into them, and with `offline` into a network of its own, too: 0 in
 * the child, its pid and *ret_pidfd here, or -1.  For a process of one thread;
 * libc does not know of it, so the child makes system calls and forks, and
 * leaves by exec or _exit.
 */
MUST_CHECK pid_t confine_spaces_fork(enum confine_spaces spaces, bool offline,
                                     int *ret_pidfd);

/*
 * In the child of CONFINE_SPACES_USER, first: it is whom it was outside.
 * *Not* non-dumpable in between.  ERR_DENIED: the system does not let it.
 */
MUST_CHECK enum err confine_spaces_map(uid_t uid, gid_t gid);

/* In the child, while it has what it needs for it.  All ERR_DENIED. */

/* What is mounted from now on is its own. */
MUST_CHECK enum err confine_spaces_mounts(void);
/* `path` is not there any more: an empty folder or file takes its place.
 * One that does not exist is no error. */
MUST_CHECK enum err confine_spaces_hide(const char *path);
/* Everything is read-only, modes and owners too, but what is at or below one
 * of `except` (ends with NULL, or is NULL). */
MUST_CHECK enum err confine_spaces_read_only(const char *const *except);
/* An empty file system of at most `bytes`, in memory, at `folder`. */
MUST_CHECK enum err confine_spaces_memory(const char *folder, size_t bytes);
/* /proc shows its processes, of which there are at most `processes`, where
 * the kernel can limit that. */
MUST_CHECK enum err confine_spaces_proc(unsigned processes);

/* No capability, now or by executing anything; sets no_new_privs. */
MUST_CHECK enum err confine_spaces_drop(void);

#endif
