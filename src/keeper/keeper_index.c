/* keeper_index.c - linear probing; removal moves back what probed past. */
#include "keeper/keeper_index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_MIN = 1024 };

static const unsigned char free_slot[KEEPER_SESSION_ID_LEN];

void keeper_index_init(struct keeper_index *x, struct siphash_key seed)
{
    *x = (struct keeper_index){.seed = seed};
}

void keeper_index_release(struct keeper_index *x)
{
    free(x->slots);
    free(x->places);
    keeper_index_init(x, x->seed);
}

static bool is_free(const unsigned char *slot)
{
    return memcmp(slot, free_slot, sizeof(free_slot)) == 0;
}

/* Where the search for `id` starts. */
static size_t home_of(const struct keeper_index *x, const unsigned char *id)
{
    struct str s = {(const char *)id, KEEPER_SESSION_ID_LEN};
    return (size_t)siphash(x->seed, s) & (x->room - 1);
}

/* The slot of `id`, or the free one where it belongs. */
static size_t slot_of(const struct keeper_index *x, const unsigned char *id)
{
    size_t at = home_of(x, id);
    while (!is_free(x->slots[at]) &&
           memcmp(x->slots[at], id, KEEPER_SESSION_ID_LEN) != 0)
        at = (at + 1) & (x->room - 1);
    return at;
}

bool keeper_index_has(const struct keeper_index *x,
                      const unsigned char id[KEEPER_SESSION_ID_LEN])
{
    return x->room > 0 && !is_free(x->slots[slot_of(x, id)]);
}

bool keeper_index_find(const struct keeper_index *x,
                       const unsigned char id[KEEPER_SESSION_ID_LEN],
                       uint32_t *ret_place)
{
    if (!keeper_index_has(x, id))
        return false;
    *ret_place = x->places[slot_of(x, id)];
    return true;
}

static enum err grow(struct keeper_index *x, size_t room)
{
    struct keeper_index larger = {.seed = x->seed, .used = x->used};
    larger.room = room;
    larger.slots = calloc(larger.room, sizeof(larger.slots[0]));
    larger.places = calloc(larger.room, sizeof(larger.places[0]));
    if (larger.slots == NULL || larger.places == NULL) {
        keeper_index_release(&larger);
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < x->room; i++) {
        if (is_free(x->slots[i]))
            continue;
        size_t at = slot_of(&larger, x->slots[i]);
        memcpy(larger.slots[at], x->slots[i], KEEPER_SESSION_ID_LEN);
        larger.places[at] = x->places[i];
    }
    free(x->slots);
    free(x->places);
    *x = larger;
    return ERR_OK;
}

enum err keeper_index_reserve(struct keeper_index *x, size_t n)
{
    if (n > KEEPER_SESSIONS_MAX)
        return ERR_LIMIT;
    size_t room = x->room == 0 ? ROOM_MIN : x->room;
    while (room / 4 * 3 < n)
        room *= 2;
    return room == x->room ? ERR_OK : grow(x, room);
}

enum err keeper_index_add(struct keeper_index *x,
                          const unsigned char id[KEEPER_SESSION_ID_LEN],
                          uint32_t place, bool *ret_new)
{
    assert(!is_free(id));
    enum err e = keeper_index_reserve(x, x->used + 1);
    if (e != ERR_OK)
        return e;
    size_t at = slot_of(x, id);
    *ret_new = is_free(x->slots[at]);
    if (*ret_new) {
        memcpy(x->slots[at], id, KEEPER_SESSION_ID_LEN);
        x->places[at] = place;
        x->used++;
    }
    return ERR_OK;
}

/* True when an id that belongs at `home` is found although `hole`, which is
 * before `at` on the way, is free. */
static bool stays(size_t home, size_t hole, size_t at)
{
    return hole <= at ? (hole < home && home <= at)
                      : (hole < home || home <= at);
}

void keeper_index_remove(struct keeper_index *x,
                         const unsigned char id[KEEPER_SESSION_ID_LEN])
{
    if (!keeper_index_has(x, id))
        return;
    size_t hole = slot_of(x, id);
    size_t at = (hole + 1) & (x->room - 1);
    while (!is_free(x->slots[at])) {
        if (!stays(home_of(x, x->slots[at]), hole, at)) {
            memcpy(x->slots[hole], x->slots[at], KEEPER_SESSION_ID_LEN);
            x->places[hole] = x->places[at];
            hole = at;
        }
        at = (at + 1) & (x->room - 1);
    }
    memset(x->slots[hole], 0, KEEPER_SESSION_ID_LEN);
    x->used--;
}
