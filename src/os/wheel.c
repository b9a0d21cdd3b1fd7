/* wheel.c - see wheel.h. */
#include "os/wheel.h"

#include <assert.h>

void wheel_init(struct wheel *w, int64_t now)
{
    assert(now >= 0);
    *w = (struct wheel){.now = now};
    for (int level = 0; level < WHEEL_LEVELS; level++) {
        for (int slot = 0; slot < WHEEL_SLOTS; slot++)
            list_init(&w->slots[level][slot]);
    }
}

/*
 * The level is that of the highest digit, base 64, in which `due` differs
 * from now: so a level's timers are all due before those of a coarser one.
 */
static void place(struct wheel *w, struct list *node, int64_t due)
{
    if (due - w->now >= WHEEL_SPAN)
        due = w->now + WHEEL_SPAN - 1;
    uint64_t differ = (uint64_t)(due ^ w->now) | (WHEEL_SLOTS - 1);
    int level = (63 - __builtin_clzll(differ)) / WHEEL_SLOT_BITS;
    if (level >= WHEEL_LEVELS) /* the coarsest level wraps around */
        level = WHEEL_LEVELS - 1;
    unsigned slot = (unsigned)(due >> (level * WHEEL_SLOT_BITS)) % WHEEL_SLOTS;
    w->busy[level] |= (uint64_t)1 << slot;
    list_push(&w->slots[level][slot], node);
}

void wheel_add(struct wheel *w, struct list *node, int64_t due)
{
    place(w, node, due > w->now ? due : w->now + 1);
}

/* The first tick of the level's nearest slot that holds timers; slots that
 * turned empty since are unmarked on the way. */
static int64_t next_of_level(struct wheel *w, int level, unsigned *ret_slot)
{
    int shift = level * WHEEL_SLOT_BITS;
    unsigned at = (unsigned)(w->now >> shift) % WHEEL_SLOTS;
    while (w->busy[level] != 0) {
        /* Rotated so that bit 0 is the slot after now's, which comes last:
         * only a lap of the coarsest level puts timers there. */
        uint64_t ahead = at == WHEEL_SLOTS - 1
                             ? w->busy[level]
                             : w->busy[level] >> (at + 1) |
                                   w->busy[level] << (WHEEL_SLOTS - 1 - at);
        unsigned steps = (unsigned)__builtin_ctzll(ahead) + 1;
        unsigned slot = (at + steps) % WHEEL_SLOTS;
        if (!list_empty(&w->slots[level][slot])) {
            *ret_slot = slot;
            return ((w->now >> shift) + steps) << shift;
        }
        w->busy[level] &= ~((uint64_t)1 << slot);
    }
    return WHEEL_NEVER;
}

static int64_t nearest(struct wheel *w, int *ret_level, unsigned *ret_slot)
{
    for (int level = 0; level < WHEEL_LEVELS; level++) {
        int64_t tick = next_of_level(w, level, ret_slot);
        if (tick != WHEEL_NEVER) {
            *ret_level = level;
            return tick;
        }
    }
    return WHEEL_NEVER;
}

int64_t wheel_next(struct wheel *w)
{
    int level;
    unsigned slot;
    return nearest(w, &level, &slot);
}

void wheel_advance(struct wheel *w, int64_t to,
                   int64_t (*tick_of)(struct list *node), struct list *due)
{
    int level = 0;
    unsigned slot = 0;
    int64_t tick;
    while ((tick = nearest(w, &level, &slot)) <= to && tick != WHEEL_NEVER) {
        w->now = tick;
        w->busy[level] &= ~((uint64_t)1 << slot);
        struct list *from = &w->slots[level][slot];
        struct list moved;
        list_init(&moved);
        LIST_EACH(node, next, from)
        {
            list_remove(node);
            bool is_due = level == 0 || tick_of(node) <= tick;
            list_push(is_due ? due : &moved, node);
        }
        LIST_EACH(node, next, &moved)
        {
            list_remove(node);
            place(w, node, tick_of(node));
        }
        if (!list_empty(due))
            return;
    }
    if (to > w->now)
        w->now = to;
}
