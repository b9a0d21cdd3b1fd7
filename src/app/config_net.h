/* config_net.h - addresses to listen on and URLs to call, from their text. */
#ifndef APP_CONFIG_NET_H
#define APP_CONFIG_NET_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/str.h"
#include "domain/settings.h"

/*
 * "127.0.0.1:8080", "[::1]:8080", "localhost:8080" to host and port; the
 * host borrows from `text`, without brackets; localhost is 127.0.0.1.  False:
 * *ret_why says why.
 */
MUST_CHECK bool config_net_address(struct str text, struct listen_settings *ret,
                                   const char **ret_why);

/*
 * "https://api.example.org/v1" to the parts of a provider.  False: *ret_why,
 * which is NULL when the arena is full.
 */
MUST_CHECK bool config_net_url(struct arena *a, struct str text,
                               struct provider_settings *ret,
                               const char **ret_why);

/* The same to the parts of a tool server's endpoint, which may have a query. */
MUST_CHECK bool config_net_endpoint(struct arena *a, struct str text,
                                    struct tool_server_settings *ret,
                                    const char **ret_why);

/* True for "localhost" and for addresses of the loopback network. */
bool config_net_is_loopback(struct str host);

/* The same or link-local: what never leaves the machine or its cable. */
bool config_net_is_local(struct str host);

#endif
