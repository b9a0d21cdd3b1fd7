/*
 * gateway_admin.h - serves the admin API of the running node: on the control
 * socket, and on the listener of `admin`.
 *
 * On the control socket the kernel says whose process asks; only the node's
 * own user and root may.  On the listener everybody brings a token of `writ
 * login`; Host, Origin and Sec-Fetch-Site are checked, so that no page in a
 * browser can be made to ask (rule "The admin plane is not reachable by what
 * it governs").
 */
#ifndef APP_GATEWAY_ADMIN_H
#define APP_GATEWAY_ADMIN_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

struct exchange;
struct gateway;
struct worker;

/* After the control thread's services are open. */
MUST_CHECK enum err gateway_admin_new(struct gateway *g);
/* At the first snapshot: the listener of `admin`, where there is one, and
 * the keeper's key. */
MUST_CHECK enum err gateway_admin_listen(struct gateway *g);
/* The store is open. */
void gateway_admin_store_opened(struct gateway *g);
/* worker->admin of both planes. */
void gateway_admin_request(struct worker *w, struct exchange *x);
/* A change is between its evidence and the registry. */
bool gateway_admin_is_changing(const struct gateway *g);
/* In this order: no request comes any more; then, when the workers have
 * ended, before ledger, registry and store go. */
void gateway_admin_free(struct gateway *g);

#endif
