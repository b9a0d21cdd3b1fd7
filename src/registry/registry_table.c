/* registry_table.c - see registry_table.h. */
#include "registry/registry_table.h"

#include <assert.h>
#include <stdlib.h>

/* ---- an index ---- */

/* At most two thirds full, so that a search ends after a step or two. */
static bool index_init(struct registry_index *x, size_t count)
{
    size_t room = 4;
    while (room / 3 * 2 < count)
        room *= 2;
    x->slots = calloc(room, sizeof(x->slots[0]));
    x->mask = room - 1;
    return x->slots != NULL;
}

static void index_add(struct registry_index *x, uint64_t hash, size_t at)
{
    size_t i = hash & x->mask;
    while (x->slots[i].at != 0)
        i = (i + 1) & x->mask;
    x->slots[i] =
        (struct registry_slot){(uint32_t)(hash >> 32), (uint32_t)at + 1};
}

/* Nobody outside can choose a keyed hash, so this one needs no seed; all of
 * it counts, should the rows of a test be less random. */
static uint64_t key_hash(const struct hash *hmac)
{
    uint64_t words[HASH_LEN / sizeof(uint64_t)];
    uint64_t h = 0;
    memcpy(words, hmac->bytes, sizeof(words));
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        h = (h ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15); /* 2^64 / phi */
        h ^= h >> 32;
    }
    return h;
}

/* ---- making ---- */

static void unref_all(struct registry_record **sorted, size_t count)
{
    for (size_t i = 0; i < count; i++)
        registry_record_unref(sorted[i]);
    free((void *)sorted);
}

static bool build_indices(struct registry_table *t)
{
    size_t keys = 0;
    for (size_t i = 0; i < t->count; i++)
        keys += t->sorted[i]->entry.key_count;
    if (t->count >= UINT32_MAX / 2 || !index_init(&t->ids, t->count) ||
        !index_init(&t->keys, keys))
        return false;
    for (size_t i = 0; i < t->count; i++) {
        const struct registry_record *r = t->sorted[i];
        assert(i == 0 || registry_record_compare(t->sorted[i - 1], r) < 0);
        index_add(&t->ids, r->hash, i);
        for (unsigned k = 0; k < r->entry.key_count; k++)
            index_add(&t->keys, key_hash(&r->entry.keys[k].hmac), i);
    }
    return true;
}

struct registry_table *registry_table_make(struct registry_record **sorted,
                                           size_t count)
{
    struct registry_table *t = calloc(1, sizeof(*t));
    if (t == NULL) {
        unref_all(sorted, count);
        return NULL;
    }
    atomic_init(&t->refs, 1);
    t->sorted = sorted;
    t->count = count;
    if (build_indices(t))
        return t;
    registry_table_unref(t);
    return NULL;
}

/* The first position from `from` on that is not before `r`. */
static size_t lower_bound(const struct registry_table *t, size_t from,
                          const struct registry_record *r)
{
    size_t end = t->count;
    while (from < end) {
        size_t middle = from + (end - from) / 2;
        if (registry_record_compare(t->sorted[middle], r) < 0)
            from = middle + 1;
        else
            end = middle;
    }
    return from;
}

static struct registry_record **array(size_t n)
{
    return (struct registry_record **)malloc(n *
                                             sizeof(struct registry_record *));
}

static size_t append(struct registry_record **to, size_t n,
                     struct registry_record *const *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[n + i] = registry_record_ref(from[i]);
    return n + count;
}

struct registry_table *registry_table_merge(const struct registry_table *under,
                                            const struct registry_table *over)
{
    size_t room = under->count + over->count;
    struct registry_record **to = array((room + 1));
    if (to == NULL)
        return NULL;
    size_t n = 0;
    size_t from = 0;
    for (size_t i = 0; i < over->count; i++) {
        struct registry_record *r = over->sorted[i];
        size_t at = lower_bound(under, from, r);
        n = append(to, n, under->sorted + from, at - from);
        bool replaces = at < under->count &&
                        registry_record_compare(under->sorted[at], r) == 0;
        from = replaces ? at + 1 : at;
        to[n++] = registry_record_ref(r);
    }
    n = append(to, n, under->sorted + from, under->count - from);
    return registry_table_make(to, n);
}

struct registry_table *registry_table_without(const struct registry_table *t,
                                              const struct registry_table *base)
{
    struct registry_record **to = array((t->count + 1));
    if (to == NULL)
        return NULL;
    size_t n = 0;
    for (size_t i = 0; i < t->count; i++) {
        struct registry_record *r = t->sorted[i];
        if (registry_table_find(base, r->hash, r->entry.who.kind,
                                r->entry.who.id) != r)
            to[n++] = registry_record_ref(r);
    }
    return registry_table_make(to, n);
}

struct registry_table *registry_table_ref(struct registry_table *t)
{
    (void)atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void registry_table_unref(struct registry_table *t)
{
    if (t == NULL ||
        atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1)
        return;
    unref_all(t->sorted, t->count);
    free(t->ids.slots);
    free(t->keys.slots);
    free(t);
}

bool registry_table_is_last(const struct registry_table *t)
{
    return atomic_load_explicit(&t->refs, memory_order_acquire) == 1;
}

/* ---- searching ---- */

struct registry_record *registry_table_find(const struct registry_table *t,
                                            uint64_t hash,
                                            enum principal_kind kind,
                                            struct str id)
{
    const struct registry_slot *slots = t->ids.slots;
    for (size_t i = hash & t->ids.mask; slots[i].at != 0;
         i = (i + 1) & t->ids.mask) {
        if (slots[i].tag != (uint32_t)(hash >> 32))
            continue;
        struct registry_record *r = t->sorted[slots[i].at - 1];
        if (r->hash == hash && r->entry.who.kind == kind &&
            str_eq(r->entry.who.id, id))
            return r;
    }
    return NULL;
}

static const struct registry_key *key_of(const struct registry_entry *e,
                                         const struct hash *hmac)
{
    for (unsigned i = 0; i < e->key_count; i++) {
        if (memcmp(&e->keys[i].hmac, hmac, sizeof(*hmac)) == 0)
            return &e->keys[i];
    }
    return NULL;
}

struct registry_record *
registry_table_by_key(const struct registry_table *t, const struct hash *hmac,
                      const struct registry_key **ret_key)
{
    uint64_t hash = key_hash(hmac);
    const struct registry_slot *slots = t->keys.slots;
    for (size_t i = hash & t->keys.mask; slots[i].at != 0;
         i = (i + 1) & t->keys.mask) {
        if (slots[i].tag != (uint32_t)(hash >> 32))
            continue;
        struct registry_record *r = t->sorted[slots[i].at - 1];
        const struct registry_key *key = key_of(&r->entry, hmac);
        if (key != NULL) {
            *ret_key = key;
            return r;
        }
    }
    return NULL;
}

size_t registry_table_after(const struct registry_table *t, struct str id)
{
    size_t from = 0;
    size_t end = id.len == 0 ? 0 : t->count;
    while (from < end) {
        size_t middle = from + (end - from) / 2;
        if (str_compare(t->sorted[middle]->entry.who.id, id) <= 0)
            from = middle + 1;
        else
            end = middle;
    }
    return from;
}
