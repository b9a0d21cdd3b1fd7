/* limit_table.c - see limit_table.h. */
#include "limit/limit_table.h"

#include <assert.h>
#include <stdlib.h>

enum { ROOM_MIN = 16 };

struct str limit_table_name(const struct limit_counter *counter)
{
    return (struct str){counter->key, counter->name_len};
}

struct str limit_table_whom(const struct limit_counter *counter)
{
    struct str key = {counter->key, counter->key_len};
    return str_skip(key, (size_t)counter->name_len + 1);
}

struct limit_stripe *limit_table_stripe(struct limit_counters *c, uint64_t hash)
{
    /* The other end of the hash than the one that buckets are chosen by. */
    return &c->stripes[(hash >> 48) % LIMIT_TABLE_STRIPES];
}

void limit_table_lock(struct limit_stripe *s)
{
    int failed = pthread_mutex_lock(&s->lock);
    assert(failed == 0);
}

void limit_table_unlock(struct limit_stripe *s)
{
    int failed = pthread_mutex_unlock(&s->lock);
    assert(failed == 0);
}

static struct limit_counter **bucket(const struct limit_stripe *s,
                                     uint64_t hash)
{
    return &s->table[hash & (s->room - 1)];
}

/* Twice as many buckets; where there is no memory, chains grow instead. */
static void grow(struct limit_stripe *s)
{
    size_t room = s->room == 0 ? ROOM_MIN : s->room * 2;
    struct limit_counter **table =
        (struct limit_counter **)calloc(room, sizeof(struct limit_counter *));

    if (table == NULL)
        return;
    free((void *)s->table);
    s->table = table;
    s->room = room;
    LIST_EACH(it, next, &s->all)
    {
        struct limit_counter *k = CONTAINER_OF(it, struct limit_counter, node);
        struct limit_counter **at = bucket(s, k->hash);
        k->chain = *at;
        *at = k;
    }
}

static enum err make(struct limit_counters *c, struct limit_stripe *s,
                     struct str key, size_t name_len,
                     struct limit_counter **ret)
{
    if (s->count >= s->room)
        grow(s);
    if (s->room == 0)
        return ERR_NO_MEMORY;
    if (atomic_fetch_add_explicit(&c->count, 1, memory_order_relaxed) >=
        LIMIT_COUNTERS_MAX) {
        atomic_fetch_sub_explicit(&c->count, 1, memory_order_relaxed);
        return ERR_LIMIT;
    }
    struct limit_counter *k = calloc(1, sizeof(*k) + key.len);
    if (k == NULL) {
        atomic_fetch_sub_explicit(&c->count, 1, memory_order_relaxed);
        return ERR_NO_MEMORY;
    }
    k->name_len = (unsigned)name_len;
    k->key_len = (unsigned)key.len;
    memcpy(k->key, key.ptr, key.len);
    *ret = k;
    return ERR_OK;
}

enum err limit_table_get(struct limit_counters *c, struct limit_stripe *s,
                         uint64_t hash, struct str key, size_t name_len,
                         struct limit_counter **ret)
{
    struct limit_counter *k = s->room == 0 ? NULL : *bucket(s, hash);

    for (; k != NULL; k = k->chain) {
        if (k->hash == hash && str_eq((struct str){k->key, k->key_len}, key)) {
            *ret = k;
            return ERR_OK;
        }
    }
    enum err e = make(c, s, key, name_len, &k);
    if (e != ERR_OK)
        return e;
    struct limit_counter **at = bucket(s, hash);
    k->hash = hash;
    k->chain = *at;
    *at = k;
    list_push(&s->all, &k->node);
    s->count++;
    *ret = k;
    return ERR_OK;
}

enum err limit_table_open(struct limit_counters *c, struct str limit,
                          struct str whom, struct limit_stripe **ret_stripe,
                          struct limit_counter **ret)
{
    char key[NAME_MAX_LEN + 1 + LIMIT_KEY_MAX];
    size_t len = limit.len + 1 + whom.len;

    if (limit.len > NAME_MAX_LEN || whom.len > LIMIT_KEY_MAX)
        return ERR_LIMIT;
    memcpy(key, limit.ptr, limit.len);
    key[limit.len] = '\0';
    memcpy(key + limit.len + 1, whom.ptr, whom.len);
    uint64_t hash = siphash(c->seed, (struct str){key, len});
    struct limit_stripe *s = limit_table_stripe(c, hash);
    limit_table_lock(s);
    enum err e =
        limit_table_get(c, s, hash, (struct str){key, len}, limit.len, ret);
    if (e == ERR_OK)
        *ret_stripe = s;
    else
        limit_table_unlock(s);
    return e;
}

void limit_table_drop(struct limit_counters *c, struct limit_stripe *s,
                      struct limit_counter *k)
{
    struct limit_counter **at = bucket(s, k->hash);

    while (*at != k)
        at = &(*at)->chain;
    *at = k->chain;
    list_remove(&k->node);
    s->count--;
    atomic_fetch_sub_explicit(&c->count, 1, memory_order_relaxed);
    free(k);
}

/* ---- generations ---- */

/* A checkpoint has begun since somebody was here. */
static void turn(struct limit_counters *c, struct limit_stripe *s)
{
    uint64_t now = atomic_load(&c->generation);

    if (now == s->generation)
        return;
    s->generation = now;
    s->open_old += s->open_young;
    s->open_young = 0;
}

uint64_t limit_table_begin(struct limit_counters *c, struct limit_stripe *s)
{
    turn(c, s);
    s->open_young++;
    return s->generation;
}

void limit_table_end(struct limit_counters *c, struct limit_stripe *s,
                     uint64_t generation)
{
    turn(c, s);
    uint64_t *open =
        generation == s->generation ? &s->open_young : &s->open_old;
    assert(*open > 0);
    --*open;
}

uint64_t limit_table_older(struct limit_counters *c, struct limit_stripe *s)
{
    turn(c, s);
    return s->open_old;
}
