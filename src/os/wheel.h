/*
 * wheel.h - a hierarchical timing wheel (Varghese and Lauck, 1987): timers
 * by tick, in levels of 64 slots, each level 64 times coarser.
 *
 * Adding and removing are O(1).  Pure: ticks are arguments.  os/timer.h is
 * what users call; it drives one wheel per loop.
 */
#ifndef OS_WHEEL_H
#define OS_WHEEL_H

#include <stddef.h>
#include <stdint.h>

#include "os/timer.h"

enum { WHEEL_LEVELS = 5, WHEEL_SLOTS = 64, WHEEL_SLOT_BITS = 6 };

/* Further away than this (62 days of 5 ms) a timer is looked at again. */
#define WHEEL_SPAN ((int64_t)1 << (WHEEL_LEVELS * WHEEL_SLOT_BITS))
#define WHEEL_NEVER INT64_MAX

struct wheel {
    int64_t now; /* all timers due up to here have been given out */
    uint64_t busy[WHEEL_LEVELS]; /* a bit per slot that may hold timers */
    struct list slots[WHEEL_LEVELS][WHEEL_SLOTS];
};

void wheel_init(struct wheel *w, int64_t now);

/* Puts `node`, which is on no list, to `due`, or to the next tick if that
 * has passed.  It is taken out with list_remove(). */
void wheel_add(struct wheel *w, struct list *node, int64_t due);

/*
 * No timer is due before this tick; WHEEL_NEVER when there are none.  Exact
 * for the nearest 64 ticks, else the tick at which to look again.
 */
int64_t wheel_next(struct wheel *w);

/*
 * Moves on to tick `to`, at most to the next one where timers are due, whose
 * nodes are appended to `due`.  `tick_of` gives the tick of a node, for when
 * it moves to a finer level.  Call until wheel_next() > to.
 */
void wheel_advance(struct wheel *w, int64_t to,
                   int64_t (*tick_of)(struct list *node), struct list *due);

#endif
