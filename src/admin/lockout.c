/* lockout.c - see lockout.h. */
#include "admin/lockout.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"

struct guess {
    unsigned failures;
    int64_t last_ms, until_ms, trusted_ms; /* the last: until when */
    size_t len;
    char key[LOCKOUT_KEY_MAX];
};

struct lockout {
    struct map by_key;
};

enum err lockout_new(struct siphash_key seed, struct lockout **ret)
{
    struct lockout *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return ERR_NO_MEMORY;
    map_init(&l->by_key, seed, LOCKOUT_KEYS_MAX);
    *ret = l;
    return ERR_OK;
}

void lockout_free(struct lockout *l)
{
    struct str key;
    size_t at = 0;
    void *guess;

    if (l == NULL)
        return;
    while (map_next(&l->by_key, &at, &key, &guess))
        free(guess);
    map_release(&l->by_key);
    free(l);
}

static void forget_oldest(struct lockout *l)
{
    struct guess *oldest = NULL;
    struct str key;
    size_t at = 0;
    void *value;

    while (map_next(&l->by_key, &at, &key, &value)) {
        struct guess *g = value;
        if (oldest == NULL || g->last_ms < oldest->last_ms)
            oldest = g;
    }
    if (oldest != NULL)
        free(map_take(&l->by_key, (struct str){oldest->key, oldest->len}));
}

/* NULL: no memory, and then nobody is locked out. */
static struct guess *find(struct lockout *l, struct str key)
{
    key = str_first(key, LOCKOUT_KEY_MAX);
    struct guess *g = map_get(&l->by_key, key);
    if (g != NULL || key.len == 0)
        return g;
    if (map_count(&l->by_key) == LOCKOUT_KEYS_MAX)
        forget_oldest(l);
    g = calloc(1, sizeof(*g));
    if (g == NULL)
        return NULL;
    g->len = key.len;
    memcpy(g->key, key.ptr, key.len);
    if (map_set(&l->by_key, (struct str){g->key, g->len}, g) == ERR_OK)
        return g;
    free(g);
    return NULL;
}

/* How long the next try has to wait. */
static int64_t wait_after(unsigned failures)
{
    int64_t ms = LOCKOUT_FIRST_MS;

    if (failures < LOCKOUT_FREE)
        return 0;
    for (unsigned i = LOCKOUT_FREE; i < failures && ms < LOCKOUT_MAX_MS; i++)
        ms *= 2;
    return ms < LOCKOUT_MAX_MS ? ms : LOCKOUT_MAX_MS;
}

int64_t lockout_try(struct lockout *l, struct str key, int64_t now_ms)
{
    struct guess *g = find(l, key);

    if (g == NULL)
        return 0;
    if (now_ms < g->until_ms)
        return g->until_ms - now_ms;
    if (now_ms - g->last_ms > LOCKOUT_FORGET_MS)
        g->failures = 0;
    g->failures++;
    g->last_ms = now_ms;
    g->until_ms = now_ms + wait_after(g->failures);
    return 0;
}

void lockout_clear(struct lockout *l, struct str key)
{
    free(map_take(&l->by_key, str_first(key, LOCKOUT_KEY_MAX)));
}

void lockout_trust(struct lockout *l, struct str key, int64_t now_ms)
{
    struct guess *g = find(l, key);

    if (g == NULL)
        return;
    g->failures = 0;
    g->until_ms = 0;
    g->last_ms = now_ms;
    g->trusted_ms = now_ms + LOCKOUT_TRUST_MS;
}

bool lockout_is_trusted(const struct lockout *l, struct str key, int64_t now_ms)
{
    const struct guess *g =
        map_get(&l->by_key, str_first(key, LOCKOUT_KEY_MAX));
    return g != NULL && now_ms < g->trusted_ms;
}

void lockout_undo(struct lockout *l, struct str key)
{
    struct guess *g = map_get(&l->by_key, str_first(key, LOCKOUT_KEY_MAX));

    if (g == NULL || g->failures == 0)
        return;
    g->failures--;
    g->until_ms = g->last_ms + wait_after(g->failures);
}
