/*
 * gateway_admin_guard.h - which requests the admin listener looks at at all:
 * those that name it, from no other site.
 *
 * A page of another site can make a browser send requests here, and by DNS
 * rebinding even under a name of its own.  Such a request carries a Host that
 * is not ours, an Origin, or says "cross-site"; a program's does not.
 */
#ifndef APP_GATEWAY_ADMIN_GUARD_H
#define APP_GATEWAY_ADMIN_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"
#include "codec/http_message.h"

struct gateway_admin_guard {
    char host[256]; /* as configured */
    size_t host_len;
    uint16_t port;
    bool tls;
};

void gateway_admin_guard_init(struct gateway_admin_guard *g, struct str host,
                              uint16_t port, bool tls);

/* NULL: it may be looked at; else why not. */
const char *gateway_admin_guard_fault(const struct gateway_admin_guard *g,
                                      const struct http_request_head *head);

/* The token of the only Authorization field. */
MUST_CHECK bool gateway_admin_guard_bearer(const struct http_request_head *head,
                                           struct str *ret);

#endif
