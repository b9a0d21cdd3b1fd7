/* catalog_view.c - see catalog_view.h. */
#include "mcp/catalog_view.h"

#include <assert.h>
#include <stdlib.h>

enum { SLOTS_MIN = 16 };

/* Both are in order; of two of one name the new one is taken. */
static void merge(struct catalog *c, const struct catalog *old,
                  struct catalog_entry *const *entries, size_t count)
{
    size_t o = 0, n = 0, olds = old == NULL ? 0 : old->count;

    while (o < olds || n < count) {
        int order = n == count ? -1 : 1;
        if (o < olds && n < count)
            order = catalog_entry_compare(&old->at[o]->tool,
                                          entries[n]->tool.server,
                                          entries[n]->tool.tool.name);
        struct catalog_entry *e = order < 0 ? old->at[o] : entries[n];
        o += order <= 0 ? 1 : 0;
        n += order >= 0 ? 1 : 0;
        c->at[c->count++] = catalog_entry_ref(e);
    }
}

static bool is_within_limits(const struct catalog *c)
{
    size_t tools = 0, bytes = 0;

    for (size_t i = 0; i < c->count; i++) {
        const struct catalog_tool *t = &c->at[i]->tool;
        if (i == 0 || !str_eq(c->at[i - 1]->tool.server, t->server))
            tools = bytes = 0;
        tools++;
        bytes += t->tool.text.len + t->offered.text.len;
        if (tools > CATALOG_SERVER_MAX || bytes > CATALOG_SERVER_TEXT_MAX)
            return false;
    }
    return c->count <= CATALOG_TOOLS_MAX;
}

static bool make_index(struct catalog *c)
{
    size_t room = SLOTS_MIN;

    while (room < 2 * c->count)
        room *= 2;
    c->slots = calloc(room, sizeof(*c->slots));
    if (c->slots == NULL)
        return false;
    c->slot_mask = room - 1;
    for (size_t i = 0; i < c->count; i++) {
        size_t at = (size_t)c->at[i]->hash & c->slot_mask;
        while (c->slots[at] != 0)
            at = (at + 1) & c->slot_mask;
        c->slots[at] = (uint32_t)i + 1;
    }
    return true;
}

static void take_digest(struct catalog *c)
{
    static const char nul[1] = {0}; /* in no name: nothing runs together */
    struct hash_stream stream = {0};
    bool any = false;

    hash_stream_begin(&stream, NULL);
    for (size_t i = 0; i < c->count; i++) {
        const struct catalog_tool *t = &c->at[i]->tool;
        if (t->state != CATALOG_PINNED)
            continue;
        any = true;
        hash_stream_add(&stream, t->server);
        hash_stream_add(&stream, (struct str){nul, 1});
        hash_stream_add(&stream, t->tool.name);
        hash_stream_add(&stream, (struct str){nul, 1});
        hash_stream_add(&stream,
                        (struct str){(const char *)t->tool.digest.bytes,
                                     HASH_LEN});
    }
    struct hash digest = hash_stream_end(&stream);
    if (any)
        c->digest = digest;
}

/* Sixty-four bits are enough not to meet the same again. */
static uint64_t some_number(void)
{
    const struct siphash_key by_chance = hash_random_seed();
    uint64_t n = siphash(by_chance, STR("catalog"));

    return n == 0 ? 1 : n;
}

enum err catalog_view_new(struct siphash_key seed, const struct catalog *old,
                          struct catalog_entry *const *entries, size_t count,
                          struct catalog **ret)
{
    size_t room = count + (old == NULL ? 0 : old->count);
    struct catalog *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return ERR_NO_MEMORY;
    atomic_init(&c->refs, 1);
    c->number = some_number();
    c->seed = seed;
    c->at = (struct catalog_entry **)calloc(room + 1, sizeof(*c->at));
    enum err e = c->at == NULL ? ERR_NO_MEMORY : ERR_OK;
    if (e == ERR_OK)
        merge(c, old, entries, count);
    if (e == ERR_OK && !is_within_limits(c))
        e = ERR_LIMIT;
    if (e == ERR_OK && !make_index(c))
        e = ERR_NO_MEMORY;
    if (e != ERR_OK) {
        catalog_unref(c);
        return e;
    }
    take_digest(c);
    *ret = c;
    return ERR_OK;
}
