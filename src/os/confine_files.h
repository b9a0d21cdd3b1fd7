/*
 * confine_files.h - Landlock: which files a process may open, by an
 * allow-list; which TCP ports it may not connect to; and, where the kernel
 * can, that it signals nobody outside.
 *
 * A set is a descriptor; what enters one cannot leave it, nor can what it
 * starts.  Several may be entered, and then all of them have to allow.
 */
#ifndef OS_CONFINE_FILES_H
#define OS_CONFINE_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

enum confine_access {
    CONFINE_READ = 0, /* files and folders */
    CONFINE_RUN,      /* and execute */
    CONFINE_WRITE,    /* read, and whatever makes and removes */
    CONFINE_OWN,      /* all of these */
    CONFINE_DEVICE,   /* read and write one device */
};

/* The ABI version that this kernel offers; 0: none. */
int confine_files_version(void);

/*
 * A set that allows nothing.  *ret_bits are the bits of os/confine.h that
 * entering it gives.  ERR_UNSUPPORTED: no Landlock here.
 */
MUST_CHECK enum err confine_files_new(int *ret_set, unsigned *ret_bits);

/*
 * Allows `path` and all below it, except what is at or below one of `kept`
 * (absolute, resolved, ends with NULL): there its neighbours are allowed one
 * by one, as they are now.  ERR_NOT_FOUND: no such path.  ERR_LIMIT: too many
 * neighbours.
 */
MUST_CHECK enum err confine_files_allow(int set, const char *path,
                                        enum confine_access access,
                                        const char *const *kept);

/* True when one of `kept` is `path`, above it, or below it; both resolved. */
MUST_CHECK _Bool confine_files_overlaps(const char *path,
                                        const char *const *kept);

/*
 * A set that allows connecting to every TCP port but `ports`, on any host,
 * and listening on none; files are not its business.  It can be entered by
 * several processes.  ERR_UNSUPPORTED: the kernel cannot (ABI 4).
 */
MUST_CHECK enum err confine_files_ports_new(const uint16_t *ports, size_t n,
                                            int *ret_set);

/* From now on; needs no_new_privs. */
MUST_CHECK enum err confine_files_enter(int set);

#endif
