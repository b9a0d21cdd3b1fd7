/* hub_list.c - see hub_list.h. */
#include "mcp/hub_list.h"

#include <assert.h>
#include <stdlib.h>

#include "mcp/hub_part.h"

enum { SWEEP_MAX = 16 }; /* of one sweep; the rest waits for the next */

struct hub_list *hub_list_new(void)
{
    struct hub_list *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return NULL;
    atomic_init(&l->refs, 1);
    atomic_init(&l->settled, 0);
    arena_init(&l->arena, HUB_OFFER_BYTES_MAX);
    l->digest = hash_sha256(NULL, 0);
    return l;
}

struct hub_list *hub_list_ref(struct hub_list *l)
{
    atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed);
    return l;
}

void hub_list_unref(struct hub_list *l)
{
    if (l == NULL)
        return;
    unsigned before =
        atomic_fetch_sub_explicit(&l->refs, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before > 1)
        return;
    arena_release(&l->arena);
    free(l);
}

/* These locks have no failure but misuse, which is ours. */
static void lock(struct hub_list_set *s)
{
    int e = pthread_mutex_lock(&s->lock);
    assert(e == 0);
    (void)e;
}

static void unlock(struct hub_list_set *s)
{
    int e = pthread_mutex_unlock(&s->lock);
    assert(e == 0);
    (void)e;
}

static struct str key_of(const struct hash *h)
{
    return (struct str){(const char *)h->bytes, HASH_LEN};
}

void hub_list_init(struct hub_list_set *s, size_t max)
{
    int e = pthread_mutex_init(&s->lock, NULL);
    assert(e == 0); /* glibc's cannot fail without attributes */
    (void)e;
    map_init(&s->by_key, hash_random_seed(), max);
}

void hub_list_release(struct hub_list_set *s)
{
    size_t at = 0;
    struct str key;
    void *value;

    while (map_next(&s->by_key, &at, &key, &value))
        hub_list_unref(value);
    map_release(&s->by_key);
    (void)pthread_mutex_destroy(&s->lock);
}

struct hub_list *hub_list_find(struct hub_list_set *s, const struct hash *key)
{
    lock(s);
    struct hub_list *l = map_get(&s->by_key, key_of(key));
    if (l != NULL)
        (void)hub_list_ref(l);
    unlock(s);
    return l;
}

void hub_list_share(struct hub_list_set *s, struct hub_list *l,
                    const struct hash *key)
{
    lock(s);
    /* Another worker may have read the same meanwhile: then this is not it. */
    if (map_get(&s->by_key, key_of(key)) == NULL) {
        l->key = *key;
        if (map_set(&s->by_key, key_of(&l->key), l) == ERR_OK)
            (void)hub_list_ref(l);
    }
    unlock(s);
}

/* Nobody else has it, and under the lock nobody can find it. */
static bool is_unused(const struct hub_list *l)
{
    return atomic_load_explicit(&l->refs, memory_order_acquire) == 1;
}

void hub_list_sweep(struct hub_list_set *s)
{
    struct hub_list *unused[SWEEP_MAX];
    size_t count = 0, at = 0;
    struct str key;
    void *value;

    lock(s);
    while (count < SWEEP_MAX && map_next(&s->by_key, &at, &key, &value)) {
        if (is_unused(value))
            unused[count++] = value;
    }
    for (size_t i = 0; i < count; i++)
        (void)map_take(&s->by_key, key_of(&unused[i]->key));
    unlock(s);
    for (size_t i = 0; i < count; i++)
        hub_list_unref(unused[i]);
}
