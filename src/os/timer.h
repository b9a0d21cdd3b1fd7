/*
 * timer.h - deadlines, many of them, on one wheel per loop.
 *
 * A request sets and cancels several timers, nearly all of which never fire:
 * both are O(1) list moves without a syscall.  Resolution TIMER_TICK_MS; a
 * timer never fires early and at most two ticks late (when the loop turns).
 *
 * A timer is embedded in its owner.  Zero-initialised, or timer_cancel()led,
 * it is idle; its owner must cancel it before it is freed.
 */
#ifndef OS_TIMER_H
#define OS_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/list.h"

struct loop;
struct timer_wheel;

enum { TIMER_TICK_MS = 5 };

struct timer {
    struct list node; /* next == NULL: idle */
    int64_t due_ms;   /* loop_now_ms() terms */
    void (*fire)(struct timer *t);
    struct timer_wheel *wheel; /* while set */
};

/* (Re)starts `t`: `fire` runs once, `in_ms` from now, on the loop. */
void timer_set(struct loop *l, struct timer *t, int64_t in_ms,
               void (*fire)(struct timer *t));

/* Does nothing when `t` is idle. */
void timer_cancel(struct timer *t);

/* The wheel of a new loop; `l` calls these two. */
MUST_CHECK struct timer_wheel *timer_wheel_new(struct loop *l);
void timer_wheel_free(struct timer_wheel *w);

static inline bool timer_is_set(const struct timer *t)
{
    return t->node.next != NULL;
}

#endif
