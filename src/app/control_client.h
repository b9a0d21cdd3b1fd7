/*
 * control_client.h - one question to the running node, over the socket in its
 * data directory; blocking, for commands.
 */
#ifndef APP_CONTROL_CLIENT_H
#define APP_CONTROL_CLIENT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

enum { CONTROL_CLIENT_TIMEOUT_S = 10 };

struct control_client_reply {
    int status;
    struct str body; /* in the arena */
};

/* What is asked: GET, or with a body (JSON, perhaps empty) POST. */
struct control_client_request {
    const char *target;
    bool post;
    struct str body;
};

/* Asks the node of the directory `data`; errors as below. */
MUST_CHECK enum err control_client_ask(struct arena *a, const char *data,
                                       const struct control_client_request *r,
                                       struct control_client_reply *ret);

/* The same by a person: with the token of a login, unless it is empty. */
MUST_CHECK enum err
control_client_ask_as(struct arena *a, const char *data,
                      const struct control_client_request *r, struct str token,
                      struct control_client_reply *ret);

/*
 * GETs `target` from the node of the directory `data`.
 * ERR_NOT_FOUND: no node runs there.  ERR_DENIED: the socket is not for this
 * user.  ERR_TIMEOUT, ERR_UPSTREAM (it hung up, or spoke no HTTP), ERR_LIMIT
 * (the arena, or the path), ERR_IO.
 */
MUST_CHECK enum err control_client_get(struct arena *a, const char *data,
                                       const char *target,
                                       struct control_client_reply *ret);

#endif
