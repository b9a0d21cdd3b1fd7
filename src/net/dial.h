/*
 * dial.h - from a host and port to a connected descriptor: resolves, filters
 * what an outside name must not lead to, and tries the addresses in turn.
 *
 * Used by stream_dial().  A dial lives until dial_free(): after `connected`
 * it goes on watching the time, so that it can bound the TLS handshake too.
 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include <sys/socket.h>

#include "base/attr.h"
#include "base/err.h"
#include "net/stream.h"

struct dial;

struct dial_events {
    /* `fd` is the callee's; non-blocking, TCP_NODELAY. */
    void (*connected)(void *user, int fd, const struct sockaddr_storage *peer);
    /* ERR_CONNECT or ERR_TIMEOUT; the latter also after `connected`. */
    void (*failed)(void *user, enum err why);
};

/*
 * Nothing of `target` is kept.  An error here means that no event comes.
 * ERR_CONNECT: failed at once, e.g. no address may be used.
 * Events come in later turns; dial_free() is allowed in them.
 */
MUST_CHECK enum err dial_new(struct loop *l, struct resolver *resolver,
                             const struct stream_target *target,
                             int64_t timeout_ms,
                             const struct dial_events *events, void *user,
                             struct dial **ret);

/* No event follows.  NULL is allowed. */
void dial_free(struct dial *d);

#endif
