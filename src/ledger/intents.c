/* intents.c - see intents.h. */
#include "ledger/intents.h"

#include <stdlib.h>

enum { ROOM_MIN = 64 };

/* A slot that holds nothing: no log ever has this index. */
#define FREE UINT64_MAX

void intents_release(struct intents *s)
{
    free(s->slots);
    *s = (struct intents){0};
}

void intents_clear(struct intents *s)
{
    for (size_t i = 0; i < s->room; i++)
        s->slots[i].index = FREE;
    s->count = 0;
}

/* Indices are consecutive numbers of our own making: a multiplication
 * spreads them well, and nobody outside chooses them. */
static size_t home(const struct intents *s, uint64_t index)
{
    return (size_t)((index * 0x9e3779b97f4a7c15U) >> 32) & (s->room - 1);
}

/* The slot of `index`, or the free one where it belongs. */
static size_t find(const struct intents *s, uint64_t index)
{
    size_t i = home(s, index);
    while (s->slots[i].index != FREE && s->slots[i].index != index)
        i = (i + 1) & (s->room - 1);
    return i;
}

static enum err grow(struct intents *s)
{
    size_t room = s->room == 0 ? ROOM_MIN : s->room * 2;
    struct intents bigger = {.room = room};
    bigger.slots = malloc(room * sizeof(*bigger.slots));
    if (bigger.slots == NULL)
        return ERR_NO_MEMORY;
    intents_clear(&bigger);
    struct intent it;
    for (size_t at = 0; intents_next(s, &at, &it);)
        bigger.slots[find(&bigger, it.index)] = it;
    bigger.count = s->count;
    free(s->slots);
    *s = bigger;
    return ERR_OK;
}

enum err intents_add(struct intents *s, uint64_t index, uint32_t owner)
{
    if (s->count >= INTENTS_MAX)
        return ERR_LIMIT;
    if (index == FREE)
        return ERR_MALFORMED;
    if (s->count >= s->room / 2) { /* half empty: short probes */
        enum err e = grow(s);
        if (e != ERR_OK)
            return e;
    }
    size_t i = find(s, index);
    if (s->slots[i].index != FREE)
        return ERR_MALFORMED;
    s->slots[i] = (struct intent){index, owner};
    s->count++;
    return ERR_OK;
}

bool intents_has(const struct intents *s, uint64_t index)
{
    return s->count > 0 && index != FREE &&
           s->slots[find(s, index)].index == index;
}

bool intents_remove(struct intents *s, uint64_t index)
{
    if (!intents_has(s, index))
        return false;
    size_t mask = s->room - 1;
    size_t hole = find(s, index);
    /* What probing had pushed past the hole moves back into it. */
    for (size_t i = (hole + 1) & mask; s->slots[i].index != FREE;
         i = (i + 1) & mask) {
        size_t wanted = home(s, s->slots[i].index);
        if (((i - wanted) & mask) >= ((i - hole) & mask)) {
            s->slots[hole] = s->slots[i];
            hole = i;
        }
    }
    s->slots[hole].index = FREE;
    s->count--;
    return true;
}

size_t intents_disown(struct intents *s, uint32_t owner)
{
    size_t n = 0;
    for (size_t i = 0; i < s->room; i++) {
        if (s->slots[i].index != FREE && s->slots[i].owner == owner) {
            s->slots[i].owner = INTENTS_ORPHAN;
            n++;
        }
    }
    return n;
}

bool intents_next(const struct intents *s, size_t *at, struct intent *ret)
{
    while (*at < s->room) {
        const struct intent *it = &s->slots[(*at)++];
        if (it->index != FREE) {
            *ret = *it;
            return true;
        }
    }
    return false;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void intents_sorted(const struct intents *s, uint64_t *to)
{
    size_t n = 0;
    struct intent it;
    for (size_t at = 0; intents_next(s, &at, &it);)
        to[n++] = it.index;
    if (n > 1)
        qsort(to, n, sizeof(*to), compare);
}
