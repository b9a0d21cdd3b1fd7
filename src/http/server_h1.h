/* server_h1.h - inside the server: HTTP/1 on one connection. */
#ifndef HTTP_SERVER_H1_H
#define HTTP_SERVER_H1_H

#include "base/attr.h"
#include "base/err.h"
#include "http/server_conn.h"

extern const struct server_protocol server_h1_protocol;

/* Makes c->state.  ERR_NO_MEMORY. */
MUST_CHECK enum err server_h1_start(struct server_conn *c);

#endif
