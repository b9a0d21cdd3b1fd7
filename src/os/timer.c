/* timer.c - see timer.h. */
#include "os/timer.h"

#include <assert.h>
#include <stdlib.h>
#include <uv.h>

#include "base/container.h"
#include "os/loop.h"
#include "os/wheel.h"

/* Far beyond any deadline; keeps sums from overflowing. */
#define LONGEST_MS (INT64_MAX / 4)

struct timer_wheel {
    struct wheel wheel;
    uv_timer_t uv;
    int64_t armed; /* the tick `uv` fires at; WHEEL_NEVER: it is stopped */
    size_t count;
};

static int64_t tick_of_ms(int64_t ms, bool up)
{
    return (ms + (up ? TIMER_TICK_MS - 1 : 0)) / TIMER_TICK_MS;
}

static int64_t tick_of_node(struct list *node)
{
    return tick_of_ms(CONTAINER_OF(node, struct timer, node)->due_ms, true);
}

static void on_tick(uv_timer_t *uv);

/* A uv timer costs a heap move and no system call. */
static void arm(struct timer_wheel *w, int64_t tick)
{
    w->armed = tick;
    if (tick == WHEEL_NEVER) {
        (void)uv_timer_stop(&w->uv);
        return;
    }
    int64_t in_ms = tick * TIMER_TICK_MS - (int64_t)uv_now(w->uv.loop);
    (void)uv_timer_start(&w->uv, on_tick, in_ms > 0 ? (uint64_t)in_ms : 0, 0);
}

static void unlink_timer(struct timer *t)
{
    assert(t->wheel->count > 0);
    t->wheel->count--;
    list_remove(&t->node);
    t->node.next = NULL;
    t->wheel = NULL;
}

static void on_tick(uv_timer_t *uv)
{
    struct timer_wheel *w = CONTAINER_OF(uv, struct timer_wheel, uv);
    int64_t now = tick_of_ms((int64_t)uv_now(uv->loop), false);
    struct list due;
    list_init(&due);
    do {
        wheel_advance(&w->wheel, now, tick_of_node, &due);
        /* One by one: a timer may cancel the others or set itself. */
        while (!list_empty(&due)) {
            struct timer *t = CONTAINER_OF(due.next, struct timer, node);
            unlink_timer(t);
            t->fire(t);
        }
    } while (wheel_next(&w->wheel) <= now);
    arm(w, wheel_next(&w->wheel));
}

void timer_set(struct loop *l, struct timer *t, int64_t in_ms,
               void (*fire)(struct timer *t))
{
    if (in_ms < 0) /* a deadline that has passed */
        in_ms = 0;
    if (in_ms > LONGEST_MS)
        in_ms = LONGEST_MS;
    struct timer_wheel *w = loop_timers(l);
    if (timer_is_set(t))
        unlink_timer(t);
    int64_t now_ms = loop_now_ms(l);
    if (w->count == 0) /* it has not moved while there was nothing to do */
        w->wheel.now = tick_of_ms(now_ms, false);
    t->due_ms = now_ms + in_ms;
    t->fire = fire;
    t->wheel = w;
    w->count++;
    int64_t tick = tick_of_node(&t->node);
    wheel_add(&w->wheel, &t->node, tick);
    if (tick < w->armed)
        arm(w, tick);
}

void timer_cancel(struct timer *t)
{
    if (!timer_is_set(t))
        return;
    struct timer_wheel *w = t->wheel;
    unlink_timer(t);
    if (w->count == 0)
        arm(w, WHEEL_NEVER); /* so that a loop with nothing to do ends */
}

struct timer_wheel *timer_wheel_new(struct loop *l)
{
    struct timer_wheel *w = calloc(1, sizeof(*w));
    if (w == NULL)
        return NULL;
    (void)uv_timer_init(loop_uv(l), &w->uv);
    wheel_init(&w->wheel, 0);
    w->armed = WHEEL_NEVER;
    return w;
}

static void on_closed(uv_handle_t *uv)
{
    free(CONTAINER_OF(uv, struct timer_wheel, uv));
}

void timer_wheel_free(struct timer_wheel *w)
{
    if (w != NULL)
        uv_close((uv_handle_t *)&w->uv, on_closed);
}
