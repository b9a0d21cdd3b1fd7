/*
 * listener.h - accepts connections from a listening socket.
 *
 * The descriptor is the supervisor's, inherited; each worker has its own
 * (SO_REUSEPORT).  When descriptors run out, accepting pauses instead of
 * spinning, and goes on when one is free.
 */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "base/attr.h"
#include "base/err.h"

struct listener;
struct loop;

/*
 * Takes `fd`, a listening socket, also on failure.  `accepted(user, fd)` owns
 * its `fd`, which is non-blocking and close-on-exec; it may pause or close
 * the listener.
 */
MUST_CHECK enum err listener_open(struct loop *l, int fd,
                                  void (*accepted)(void *user, int fd),
                                  void *user, struct listener **ret);
/* Stops accepting until resumed; who connects waits in the kernel.  Both are
 * idempotent and neither is the same as the pause above. */
void listener_pause(struct listener *l);
void listener_resume(struct listener *l);

/* Stops and closes the descriptor.  NULL is allowed. */
void listener_close(struct listener *l);

#endif
