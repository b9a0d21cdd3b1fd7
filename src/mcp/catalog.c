/* catalog.c - see catalog.h. */
#include "mcp/catalog.h"

#include <assert.h>
#include <stdlib.h>

#include "mcp/catalog_view.h"

struct str catalog_state_name(enum catalog_state s)
{
    switch (s) {
    case CATALOG_PROPOSED:
        return STR("proposed");
    case CATALOG_PINNED:
        return STR("pinned");
    case CATALOG_QUARANTINED:
        return STR("quarantined");
    case CATALOG_NONE:
        break;
    }
    return (struct str){NULL, 0};
}

uint64_t catalog_number(const struct catalog *c)
{
    return c->number;
}

struct catalog *catalog_ref(struct catalog *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void catalog_unref(struct catalog *c)
{
    if (c == NULL)
        return;
    unsigned before =
        atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before > 1)
        return;
    for (size_t i = 0; i < c->count; i++)
        catalog_entry_unref(c->at[i]);
    free((void *)c->at);
    free(c->slots);
    free(c->changes);
    free(c);
}

const struct catalog_tool *catalog_find(const struct catalog *c,
                                        struct str server, struct str name)
{
    uint64_t hash;

    if (!catalog_entry_hash(c->seed, server, name, &hash))
        return NULL;
    for (size_t at = (size_t)hash & c->slot_mask; c->slots[at] != 0;
         at = (at + 1) & c->slot_mask) {
        const struct catalog_entry *e = c->at[c->slots[at] - 1];
        if (e->hash == hash && str_eq(e->tool.server, server) &&
            str_eq(e->tool.tool.name, name))
            return &e->tool;
    }
    return NULL;
}

/* The first tool of a server that does not come before `server`, or (`behind`)
 * that comes behind it. */
static size_t border(const struct catalog *c, struct str server, bool behind)
{
    size_t low = 0, high = c->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_compare(c->at[middle]->tool.server, server);
        if (order < 0 || (behind && order == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct catalog_tool *catalog_at(const struct catalog *c,
                                      struct str server, size_t from)
{
    size_t first = server.len == 0 ? 0 : border(c, server, false);

    if (from >= c->count - first)
        return NULL;
    const struct catalog_tool *t = &c->at[first + from]->tool;
    return server.len == 0 || str_eq(t->server, server) ? t : NULL;
}

size_t catalog_count(const struct catalog *c, struct str server)
{
    return server.len == 0 ? c->count
                           : border(c, server, true) - border(c, server, false);
}

bool catalog_is_settled(const struct catalog *c, struct str server,
                        const struct tool *offered, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!catalog_entry_follows(catalog_find(c, server, offered[i].name),
                                   &offered[i]))
            return false;
    }
    return true;
}

struct hash catalog_digest(const struct catalog *c)
{
    return c->digest;
}
