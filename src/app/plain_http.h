/*
 * plain_http.h - one HTTP/1.1 request over a blocking socket, for commands.
 */
#ifndef APP_PLAIN_HTTP_H
#define APP_PLAIN_HTTP_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "http/message.h"

/* Limits how long a read or write on `fd` may take. */
MUST_CHECK enum err plain_http_timeout(int fd, unsigned seconds);

struct plain_http_reply {
    int status;
    struct http_fields fields; /* in the arena */
};

/* A piece of the body, as it comes; borrowed.  False stops: ERR_LIMIT. */
typedef bool plain_http_piece(void *user, struct str piece);

/*
 * Sends `request`, which is a whole message, and reads the answer; the head
 * is kept in `a`.  The socket stays the caller's.
 * ERR_TIMEOUT, ERR_UPSTREAM (it hung up, or spoke no HTTP), ERR_LIMIT.
 */
MUST_CHECK enum err plain_http_ask(struct arena *a, int fd, struct str request,
                                   plain_http_piece *piece, void *user,
                                   struct plain_http_reply *ret);

#endif
