/*
 * demo_ledger.h - how `writ demo` reads the evidence.
 */
#ifndef APP_DEMO_LEDGER_H
#define APP_DEMO_LEDGER_H

#include <stdint.h>

#include "app/demo.h"
#include "app/demo_ask.h"

/* The index in the receipt of an answer; false: there is none. */
bool demo_ledger_receipt(const struct demo_answer *a, uint64_t *ret_index);

/* Waits for the first entry that has both texts in it. */
bool demo_ledger_find(const struct demo *d, const char *one, const char *two,
                      uint64_t *ret_index);

/* Waits for the outcome of an intent; its status has to be `status`. */
bool demo_ledger_outcome(const struct demo *d, uint64_t intent,
                         const char *status, uint64_t *ret_index);

/* Waits for the entry of a decision, by the id in the answer. */
bool demo_ledger_decision(const struct demo *d, const struct demo_answer *a,
                          uint64_t *ret_index);

/* `writ ledger show --last N` */
bool demo_ledger_last(struct demo *d, const char *n);

/* `writ ledger show INDEX`, of which only those lines are shown; all of it
 * is appended to `kept`. */
bool demo_ledger_show(struct demo *d, uint64_t index, const char *const *only,
                      struct buf *kept);

#endif
