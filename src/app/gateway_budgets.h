/*
 * gateway_budgets.h - budgets as they were before the restart: the checkpoint
 * in the store, then the evidence behind it.
 *
 * On the control thread.  Without limits in the configuration nothing is read.
 */
#ifndef APP_GATEWAY_BUDGETS_H
#define APP_GATEWAY_BUDGETS_H

#include "base/attr.h"
#include "base/err.h"

struct gateway;
struct store;

/* At the first snapshot, before the store opens; gateway_loaded() follows, or
 * the gateway ends: without what was used there is no exact budget. */
MUST_CHECK enum err gateway_budgets_load(struct gateway *g);
/* The store is open; NULL: there will be none. */
void gateway_budgets_opened(struct gateway *g, struct store *store);
/* No call comes any more; `stopped` runs once, in a later turn. */
void gateway_budgets_stop(struct gateway *g, void (*stopped)(void *user),
                          void *user);
/* After the loop has ended, before the store closes. */
void gateway_budgets_free(struct gateway *g);

#endif
