/*
 * intents.h - the set of intents that no entry has closed yet, by index.
 *
 * Open addressing over 64-bit indices; bounded by INTENTS_MAX.  Each intent
 * has an owner, the connection that opened it; INTENTS_ORPHAN when that is
 * gone.  Only the indices are saved with the log.
 *
 * Not thread-safe.
 */
#ifndef LEDGER_INTENTS_H
#define LEDGER_INTENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

/* Calls in flight at once, over all gateways: far above what one node has. */
enum { INTENTS_MAX = 1000000 };
enum { INTENTS_ORPHAN = 0 };

struct intent {
    uint64_t index;
    uint32_t owner;
};

struct intents {
    struct intent *slots; /* heap; a power of two of them */
    size_t room, count;
};

/* The empty set is {0}. */
void intents_release(struct intents *s);
void intents_clear(struct intents *s); /* keeps the memory */

/* ERR_LIMIT: INTENTS_MAX reached.  ERR_MALFORMED: in the set already. */
MUST_CHECK enum err intents_add(struct intents *s, uint64_t index,
                                uint32_t owner);
bool intents_has(const struct intents *s, uint64_t index);
/* False when it was not in the set. */
bool intents_remove(struct intents *s, uint64_t index);

/* What `owner` had open has no owner from now on; returns how many. */
size_t intents_disown(struct intents *s, uint32_t owner);

/* Steps over the set, in no order: start with *at = 0; false at the end. */
bool intents_next(const struct intents *s, size_t *at, struct intent *ret);

/* All `s->count` indices, ascending, to `to`. */
void intents_sorted(const struct intents *s, uint64_t *to);

#endif
