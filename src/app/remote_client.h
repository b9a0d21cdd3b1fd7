/*
 * remote_client.h - one question to the admin listener of a node, over HTTP or
 * HTTPS; blocking, for commands.
 */
#ifndef APP_REMOTE_CLIENT_H
#define APP_REMOTE_CLIENT_H

#include "app/control_client.h"

struct remote_client_target {
    struct str url; /* "https://gw.example.org:9090" */
    struct str ca;  /* PEM file; empty: the system's */
    struct str token;
};

/*
 * ERR_MALFORMED: no URL of that kind, *ret_why says what.  ERR_CONFIG: its
 * TLS files.  ERR_CONNECT, ERR_TIMEOUT, ERR_UPSTREAM, ERR_LIMIT.
 */
MUST_CHECK enum err remote_client_ask(struct arena *a,
                                      const struct remote_client_target *to,
                                      const struct control_client_request *r,
                                      struct control_client_reply *ret,
                                      const char **ret_why);

#endif
