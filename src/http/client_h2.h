/* client_h2.h - inside the client: HTTP/2 on one connection. */
#ifndef HTTP_CLIENT_H2_H
#define HTTP_CLIENT_H2_H

#include "base/attr.h"
#include "base/err.h"
#include "http/client_conn.h"

extern const struct client_protocol client_h2_protocol;

/* Makes c->h2 and sends our settings.  ERR_NO_MEMORY, ERR_CLOSED. */
MUST_CHECK enum err client_h2_start(struct client_conn *c);

#endif
