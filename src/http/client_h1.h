/* client_h1.h - inside the client: HTTP/1 on one connection. */
#ifndef HTTP_CLIENT_H1_H
#define HTTP_CLIENT_H1_H

#include "http/client_conn.h"

extern const struct client_protocol client_h1_protocol;

#endif
