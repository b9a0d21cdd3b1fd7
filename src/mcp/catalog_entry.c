/* catalog_entry.c - see catalog_entry.h. */
#include "mcp/catalog_entry.h"

#include <assert.h>
#include <stdlib.h>

/* The text of one definition becomes values and then a schema: this many
 * times its size is more than both need. */
enum { ROOM_PER_BYTE = 64, WHY_MAX = 768 };
#define ROOM_MIN ((size_t)8 * 1024 * 1024)

bool catalog_entry_hash(struct siphash_key seed, struct str server,
                        struct str name, uint64_t *ret)
{
    char key[2 * NAME_MAX_LEN + 1];

    if (server.len == 0 || server.len > NAME_MAX_LEN || name.len == 0 ||
        name.len > NAME_MAX_LEN)
        return false;
    memcpy(key, server.ptr, server.len);
    key[server.len] = '/'; /* in no name of a server */
    memcpy(key + server.len + 1, name.ptr, name.len);
    *ret = siphash(seed, (struct str){key, server.len + 1 + name.len});
    return true;
}

static bool is_sound(const struct catalog_row *row)
{
    bool has_state = row->state == CATALOG_PROPOSED ||
                     row->state == CATALOG_PINNED ||
                     row->state == CATALOG_QUARANTINED;
    return has_state && str_find(row->server, '/') == row->server.len &&
           row->pinned.len > 0 && row->pinned.len <= CATALOG_TEXT_MAX &&
           row->offered.len <= CATALOG_TEXT_MAX &&
           (row->offered.len == 0 || row->state == CATALOG_QUARANTINED) &&
           !str_eq(row->offered, row->pinned);
}

/* A tool whose schema is not understood stands there with the reason. */
static bool compile(struct arena *a, struct catalog_tool *t)
{
    struct json_schema_failure failure;
    struct buf why;
    char room[WHY_MAX];

    if (json_schema_compile(a, t->tool.input, NULL, &t->input, &failure) ==
        ERR_OK)
        return true;
    t->input = NULL;
    buf_init_lent(&why, room, sizeof(room));
    (void)buf_addf(&why, "inputSchema%s: %s%s%s", failure.pointer,
                   failure.keyword, *failure.keyword == 0 ? "" : ": ",
                   failure.text);
    return arena_copy(a, buf_str(&why), &t->why);
}

static enum err fill(struct catalog_entry *e, const struct catalog_row *row)
{
    struct catalog_tool *t = &e->tool;
    struct arena *a = &e->arena;

    t->state = row->state;
    t->first_us = row->first_us;
    t->changed_us = row->changed_us;
    if (!arena_copy(a, row->server, &t->server) ||
        !arena_copy(a, row->approved_by, &t->approved_by))
        return ERR_NO_MEMORY;
    enum err err = tool_load(a, row->pinned, &t->tool);
    if (err == ERR_OK && row->offered.len > 0)
        err = tool_load(a, row->offered, &t->offered);
    if (err != ERR_OK)
        return err;
    if (!str_eq(t->tool.name, row->name) ||
        (row->offered.len > 0 && !str_eq(t->offered.name, row->name)))
        return ERR_CORRUPT;
    return compile(a, t) ? ERR_OK : ERR_NO_MEMORY;
}

enum err catalog_entry_new(struct siphash_key seed,
                           const struct catalog_row *row, int64_t changed_ms,
                           struct catalog_entry **ret)
{
    uint64_t hash;

    if (!is_sound(row) ||
        !catalog_entry_hash(seed, row->server, row->name, &hash))
        return ERR_CORRUPT;
    struct catalog_entry *e = calloc(1, sizeof(*e));
    if (e == NULL)
        return ERR_NO_MEMORY;
    e->hash = hash;
    e->tool.changed_ms = changed_ms;
    atomic_init(&e->refs, 1);
    arena_init(&e->arena,
               ROOM_MIN + ROOM_PER_BYTE * (row->pinned.len + row->offered.len));
    enum err err = fill(e, row);
    if (err != ERR_OK) {
        catalog_entry_unref(e);
        return err;
    }
    *ret = e;
    return ERR_OK;
}

struct catalog_entry *catalog_entry_ref(struct catalog_entry *e)
{
    atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
    return e;
}

void catalog_entry_unref(struct catalog_entry *e)
{
    if (e == NULL)
        return;
    unsigned before =
        atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before > 1)
        return;
    arena_release(&e->arena);
    free(e);
}

struct catalog_row catalog_entry_row(const struct catalog_tool *t)
{
    return (struct catalog_row){
        .server = t->server,
        .name = t->tool.name,
        .state = t->state,
        .pinned = t->tool.text,
        .offered = t->offered.text,
        .first_us = t->first_us,
        .changed_us = t->changed_us,
        .approved_by = t->approved_by,
    };
}

int catalog_entry_compare(const struct catalog_tool *t, struct str server,
                          struct str name)
{
    int order = str_compare(t->server, server);
    return order != 0 ? order : str_compare(t->tool.name, name);
}

bool catalog_entry_readable(const struct tool *offered)
{
    return offered->text.len > 0 && offered->text.len <= CATALOG_TEXT_MAX;
}

static bool is_same(const struct tool *a, const struct tool *b)
{
    return memcmp(a->digest.bytes, b->digest.bytes, HASH_LEN) == 0;
}

bool catalog_entry_follows(const struct catalog_tool *t,
                           const struct tool *offered)
{
    bool readable = catalog_entry_readable(offered);

    if (t == NULL)
        return !readable;
    switch (t->state) {
    case CATALOG_PROPOSED:
        return !readable || is_same(&t->tool, offered);
    case CATALOG_PINNED:
        return readable && is_same(&t->tool, offered);
    case CATALOG_QUARANTINED:
        return readable == (t->offered.text.len > 0) &&
               (!readable || is_same(&t->offered, offered));
    case CATALOG_NONE:
        break;
    }
    return false;
}
