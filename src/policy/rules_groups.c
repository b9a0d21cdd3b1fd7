/* rules_groups.c - see rules_groups.h. */
#include "policy/rules_groups.h"

#include "domain/principal_id.h"
#include "policy/rules_vocabulary.h"

enum { GROUPS_MAX = 16 * 1024 * 1024 };

void rules_groups_init(struct rules_groups *g)
{
    const struct siphash_key seed = {0, 0}; /* the operator's own names */
    *g = (struct rules_groups){.all = false};
    map_init(&g->known, seed, GROUPS_MAX);
}

void rules_groups_release(struct rules_groups *g)
{
    map_release(&g->known);
}

/* The bit of a name: both ends of it, and its length, since names like to
 * begin alike or to end alike. */
static unsigned bit_of(struct str name)
{
    const uint64_t odd = 0x9E3779B97F4A7C15;
    uint64_t first = 0;
    uint64_t last = 0;
    if (name.len >= sizeof(first)) {
        memcpy(&first, name.ptr, sizeof(first));
        memcpy(&last, name.ptr + name.len - sizeof(last), sizeof(last));
    } else if (name.len > 0) {
        memcpy(&first, name.ptr, name.len);
    }
    uint64_t h = (first ^ name.len) * odd ^ last;
    return (unsigned)(h * odd >> 48);
}

static enum err add(struct rules_groups *g, struct arena *a, struct str id)
{
    if (map_get(&g->known, id) != NULL)
        return ERR_OK;
    struct cedar_uid *uid = ARENA_NEW(a, struct cedar_uid, 1);
    unsigned bit = bit_of(str_skip(id, str_find(id, '|') + 1));
    g->filter[bit / 64] |= UINT64_C(1) << (bit % 64);
    if (uid == NULL || !arena_copy(a, id, &id))
        return ERR_NO_MEMORY;
    *uid = cedar_uid_make(STR(RULES_NAMESPACE "Group"), id);
    return map_set(&g->known, uid->id, uid) == ERR_OK ? ERR_OK : ERR_NO_MEMORY;
}

struct adding {
    struct rules_groups *groups;
    struct arena *arena;
    enum err err;
};

static void add_literal(void *user, const struct rules_vocabulary_entity *e)
{
    struct adding *to = user;
    if (!str_eq(e->type, STR("Group")) || to->err != ERR_OK)
        return;
    if (str_find(e->id, '\\') < e->id.len)
        to->groups->all = true;
    else
        to->err = add(to->groups, to->arena, e->id);
}

enum err rules_groups_add_policies(struct rules_groups *g, struct arena *a,
                                   const struct rules_file *file)
{
    struct adding to = {g, a, ERR_OK};
    rules_vocabulary_entities(file, add_literal, &to);
    return to.err;
}

/* Whatever looks like the name of a group, wherever it stands.  Recurses as
 * deep as JSON nests, which is bounded. */
enum err rules_groups_add_entity(struct rules_groups *g, struct arena *a,
                                 const struct json *entity)
{
    struct json_iter it = json_each(entity);
    const struct json *child;
    struct str id;
    enum err e = ERR_OK;
    if (json_is_string(json_get(entity, STR("type")),
                       STR(RULES_NAMESPACE "Group")) &&
        json_str(json_get(entity, STR("id")), &id))
        e = add(g, a, id);
    while (e == ERR_OK && json_next(&it, NULL, &child))
        e = rules_groups_add_entity(g, a, child);
    return e;
}

static const struct cedar_uid *look_up(const struct rules_groups *g,
                                       struct str issuer, struct str name)
{
    char room[PRINCIPAL_ID_MAX]; /* both are checked names */
    size_t len = issuer.len + 1 + name.len;
    if (issuer.len >= sizeof(room) || name.len >= sizeof(room) ||
        len > sizeof(room))
        return NULL;
    if (issuer.len > 0)
        memcpy(room, issuer.ptr, issuer.len);
    room[issuer.len] = '|';
    if (name.len > 0)
        memcpy(room + issuer.len + 1, name.ptr, name.len);
    return map_get(&g->known, (struct str){room, len});
}

const struct cedar_uid *rules_groups_find(const struct rules_groups *g,
                                          struct str issuer, struct str name)
{
    unsigned bit = bit_of(name);
    bool maybe = (g->filter[bit / 64] >> (bit % 64) & 1) != 0;
    return maybe ? look_up(g, issuer, name) : NULL;
}
