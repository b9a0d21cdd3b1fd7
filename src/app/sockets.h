/*
 * sockets.h - the listening sockets that the supervisor opens and keeps.
 */
#ifndef APP_SOCKETS_H
#define APP_SOCKETS_H

#include "base/attr.h"
#include "base/err.h"

/* ERR_OVERLOAD: another program has the address.  ERR_CONFIG: not an address
 * of this machine.  Asked once, before sockets_listen().  Waits a few seconds:
 * a killed node's gateway may not quite be gone. */
MUST_CHECK enum err sockets_probe(const char *address);

/*
 * A TCP socket bound to "host:port" or "[v6]:port" with SO_REUSEPORT, so that
 * each worker has a queue of its own; listening, close-on-exec, non-blocking.
 * ERR_CONFIG, ERR_OVERLOAD as above.
 */
MUST_CHECK enum err sockets_listen(const char *address, int *ret_fd);

/* The same for the control socket; replaces a stale one.  Mode 0600. */
MUST_CHECK enum err sockets_listen_local(const char *path, int *ret_fd);

/* Two connected ends, close-on-exec and non-blocking. */
MUST_CHECK enum err sockets_pair(int ret_fds[2]);

#endif
