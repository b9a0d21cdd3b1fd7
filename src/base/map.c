/* map.c - linear probing; removed slots keep their key as a tombstone. */
#include "base/map.h"

#include <assert.h>
#include <stdlib.h>

enum { ROOM_MIN = 16 };

static const char tombstone[] = "";

void map_init(struct map *m, struct siphash_key seed, size_t max)
{
    *m = (struct map){.seed = seed, .max = max};
}

void map_release(struct map *m)
{
    free(m->slots);
    map_init(m, m->seed, m->max);
}

static bool is_free(const struct map_slot *s)
{
    return s->value == NULL && s->key.ptr == NULL;
}

/* The slot of `key`, or the first one on its way that could take it. */
static struct map_slot *find(const struct map *m, uint64_t hash, struct str key)
{
    struct map_slot *reuse = NULL;
    for (size_t i = (size_t)hash & (m->room - 1);;
         i = (i + 1) & (m->room - 1)) {
        struct map_slot *s = &m->slots[i];
        if (is_free(s))
            return reuse != NULL ? reuse : s;
        if (s->value == NULL)
            reuse = reuse != NULL ? reuse : s;
        else if (s->hash == hash && str_eq(s->key, key))
            return s;
    }
}

void *map_get(const struct map *m, struct str key)
{
    if (m->used == 0)
        return NULL;
    return find(m, siphash(m->seed, key), key)->value;
}

static enum err rebuild(struct map *m, size_t room)
{
    struct map_slot *old = m->slots;
    size_t old_room = m->room;

    struct map_slot *slots = calloc(room, sizeof(*slots));
    if (slots == NULL)
        return ERR_NO_MEMORY;
    m->slots = slots;
    m->room = room;
    m->dead = 0;
    for (size_t i = 0; i < old_room; i++) {
        if (old[i].value != NULL)
            *find(m, old[i].hash, old[i].key) = old[i];
    }
    free(old);
    return ERR_OK;
}

enum err map_set(struct map *m, struct str key, void *value)
{
    assert(value != NULL);
    if ((m->used + m->dead + 1) * 4 > m->room * 3) {
        size_t room = m->room == 0 ? ROOM_MIN : m->room;
        while ((m->used + 1) * 2 > room)
            room *= 2;
        enum err e = rebuild(m, room);
        if (e != ERR_OK)
            return e;
    }

    uint64_t hash = siphash(m->seed, key);
    struct map_slot *s = find(m, hash, key);
    if (s->value == NULL) {
        if (m->used >= m->max)
            return ERR_LIMIT;
        m->dead -= s->key.ptr != NULL;
        m->used++;
    }
    /* An empty key still needs a pointer: NULL would mark the slot free. */
    s->key = key.ptr != NULL ? key : (struct str){tombstone, 0};
    s->hash = hash;
    s->value = value;
    return ERR_OK;
}

void *map_take(struct map *m, struct str key)
{
    if (m->used == 0)
        return NULL;
    struct map_slot *s = find(m, siphash(m->seed, key), key);
    void *value = s->value;
    if (value == NULL)
        return NULL;
    *s = (struct map_slot){.key = {tombstone, 0}};
    m->used--;
    m->dead++;
    return value;
}

bool map_next(const struct map *m, size_t *at, struct str *ret_key,
              void **ret_value)
{
    for (; *at < m->room; (*at)++) {
        const struct map_slot *s = &m->slots[*at];
        if (s->value == NULL)
            continue;
        *ret_key = s->key;
        *ret_value = s->value;
        (*at)++;
        return true;
    }
    return false;
}
