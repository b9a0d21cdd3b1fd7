/* config_index.c - see config_index.h. */
#include "app/config_index.h"

#include <assert.h>

#include "app/config_report.h"
#include "crypto/hash.h"

enum { LISTED_MAX = 8 };

/* The entries of a map in the settings; each begins with its name. */
struct entries {
    char *at; /* not const only because a map's values are not */
    size_t count, size;
};

static struct entries entries_of(const struct settings *s,
                                 const struct config_row *map)
{
    struct entries e = {.size = map->size};
    memcpy((void *)&e.at, (const char *)s + map->at, sizeof(e.at));
    memcpy(&e.count, (const char *)s + map->count_at, sizeof(e.count));
    return e;
}

static struct str name_of(struct entries e, size_t i)
{
    struct str name;
    memcpy(&name, e.at + i * e.size, sizeof(name));
    return name;
}

void config_index_release(struct config_index *x)
{
    for (size_t i = 0; i < x->count; i++)
        map_release(&x->maps[i].map);
    x->count = 0;
}

static enum err build(struct config_index *x, const struct config_row *row,
                      const struct map **ret)
{
    assert(x->count < CONFIG_INDEX_MAPS);
    struct entries entries = entries_of(x->settings, row);
    struct map *map = &x->maps[x->count].map;
    x->maps[x->count].row = row;
    x->count++;
    map_init(map, hash_random_seed(), entries.count);
    for (size_t i = 0; i < entries.count; i++) {
        enum err e =
            map_set(map, name_of(entries, i), entries.at + i * entries.size);
        if (e != ERR_OK)
            return e;
    }
    *ret = map;
    return ERR_OK;
}

static enum err index_of(struct config_index *x, const struct config_row *row,
                         const struct map **ret)
{
    for (size_t i = 0; i < x->count; i++) {
        if (x->maps[i].row == row) {
            *ret = &x->maps[i].map;
            return ERR_OK;
        }
    }
    return build(x, row, ret);
}

/* "providers" to "provider": how one of them is called. */
static struct str noun(const struct config_row *map)
{
    struct str key = config_table_key(map);
    return str_first(key, key.len - 1);
}

static void explain(const struct config_row *map, struct entries entries,
                    struct config_index_name name, struct buf *why)
{
    struct config_near near = config_near_start(name.text);
    struct str one = noun(map);
    for (size_t i = 0; i < entries.count; i++)
        config_near_offer(&near, name_of(entries, i));
    buf_addf(why, "\"%.*s\" is not a %.*s", STR_FMT(name.shown), STR_FMT(one));
    if (near.best.len > 0) {
        config_near_add(why, &near);
        return;
    }
    if (entries.count == 0)
        buf_addf(why, "; there are none in %s", map->path);
    for (size_t i = 0; i < entries.count && i < LISTED_MAX; i++)
        buf_addf(why, "%s%.*s", i == 0 ? "; expected one of " : ", ",
                 STR_FMT(name_of(entries, i)));
    if (entries.count > LISTED_MAX)
        BUF_LIT(why, ", ...");
}

enum err config_index_find(struct config_index *x, const struct config_row *row,
                           struct config_index_name name, size_t *ret,
                           struct buf *why)
{
    const struct config_row *map_row = config_table_refers(row);
    const struct map *map;
    enum err e = index_of(x, map_row, &map);
    if (e != ERR_OK)
        return e;
    struct entries entries = entries_of(x->settings, map_row);
    const char *entry = map_get(map, name.text);
    if (entry == NULL) {
        explain(map_row, entries, name, why);
        return ERR_NOT_FOUND;
    }
    *ret = (size_t)(entry - entries.at) / entries.size;
    return ERR_OK;
}
