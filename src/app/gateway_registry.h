/*
 * gateway_registry.h - the registry of the running node: from the store and
 * the evidence into memory, and from there to every worker.
 *
 * On the control thread.  What the store missed (a crash between evidence and
 * store) is read from the ledger's files on a thread of its own before
 * anybody is told that the registry is open.
 */
#ifndef APP_GATEWAY_REGISTRY_H
#define APP_GATEWAY_REGISTRY_H

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct gateway;
struct principal;
struct registry;
struct worker;

MUST_CHECK enum err gateway_registry_new(struct gateway *g);
/* The store is open: load.  gateway_loaded() follows when that is done. */
void gateway_registry_load(struct gateway *g);
/* NULL: not loaded yet. */
struct registry *gateway_registry_get(const struct gateway *g);
/*
 * The ledger has `entries`, and every entry of ours among them was answered:
 * remembers in the store, now and then, that no change is missing up to there.
 */
void gateway_registry_mark(struct gateway *g, uint64_t entries);
/* worker->discovered, see pipeline/worker.h. */
void gateway_registry_discovered(struct worker *w, const struct principal *who);
/* After the workers have ended and before the store closes. */
void gateway_registry_free(struct gateway *g);

/*
 * Tells every worker what the registry is now; each ends what may not go on
 * (worker_revoked).  `done(arg)` runs once, in a later turn, when all have;
 * not when the gateway ends first.
 */
void gateway_spread(struct gateway *g, void (*done)(void *arg), void *arg);

#endif
