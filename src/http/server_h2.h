/* server_h2.h - inside the server: HTTP/2 on one connection. */
#ifndef HTTP_SERVER_H2_H
#define HTTP_SERVER_H2_H

#include "base/attr.h"
#include "base/err.h"
#include "http/server_conn.h"

extern const struct server_protocol server_h2_protocol;

/* Makes c->state and queues our settings.  ERR_NO_MEMORY. */
MUST_CHECK enum err server_h2_start(struct server_conn *c);

#endif
