/* entities.c - see entities.h; ancestors are in entities_close.c. */
#include "cedar/entities.h"

#include <assert.h>

#include "cedar/errors.h"
#include "cedar/sort.h"

const struct cedar_record *entities_no_record(void)
{
    static const struct cedar_record none = {.count = 0};
    return &none;
}

static uint64_t bucket_of(const struct cedar_entities *e, uint64_t hash)
{
    return e->bits == 0 ? 0 : hash >> (64 - e->bits);
}

uint32_t entities_uid(const struct cedar_entities *e,
                      const struct cedar_uid *uid)
{
    if (e->uid_count == 0)
        return ENTITIES_NONE;
    uint64_t bucket = bucket_of(e, uid->hash);
    uint32_t low = e->buckets[bucket];
    uint32_t high = e->buckets[bucket + 1];
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = value_uid_order(&e->uids[middle], uid);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return ENTITIES_NONE;
}

const struct entities_entity *entities_find(const struct cedar_entities *e,
                                            const struct cedar_uid *uid)
{
    for (; e != NULL; e = e->base) {
        uint32_t at = entities_uid(e, uid);
        if (at != ENTITIES_NONE && e->entities[at].attributes != NULL)
            return &e->entities[at];
    }
    return NULL;
}

bool entities_has_ancestor(const struct entities_entity *e,
                           const struct cedar_uid *uid)
{
    if ((e->bloom & entities_bloom(uid)) == 0)
        return false;
    uint32_t wanted = entities_uid(e->store, uid);
    uint32_t low = 0;
    uint32_t high = wanted == ENTITIES_NONE ? 0 : e->ancestor_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (e->ancestors[middle] == wanted)
            return true;
        if (e->ancestors[middle] < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static int order_uids(const void *a, const void *b)
{
    return value_uid_order(a, b);
}

static int order_numbers(const void *a, const void *b)
{
    const uint32_t *left = a;
    const uint32_t *right = b;
    return (*left > *right) - (*left < *right);
}

/* Adds the uids that the base knows as ancestors of `uid`. */
static size_t base_uids(const struct cedar_entities *e,
                        const struct cedar_uid *uid, struct cedar_uid *to)
{
    const struct entities_entity *found = entities_find(e->base, uid);
    for (uint32_t i = 0;
         to != NULL && found != NULL && i < found->ancestor_count; i++)
        to[i] = found->store->uids[found->ancestors[i]];
    return found == NULL ? 0 : found->ancestor_count;
}

/* All uids of the input, several times maybe; counts only if `to` is NULL. */
static size_t all_uids(const struct cedar_entities *e,
                       const struct cedar_entity *entities, size_t count,
                       struct cedar_uid *to)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (to != NULL)
            to[n] = entities[i].uid;
        n++;
        for (size_t k = 0; k < entities[i].parent_count; k++) {
            const struct cedar_uid *parent = &entities[i].parents[k];
            if (to != NULL)
                to[n] = *parent;
            n++;
            n += base_uids(e, parent, to == NULL ? NULL : to + n);
        }
    }
    return n;
}

static bool collect(struct cedar_entities *e, struct arena *a,
                    const struct cedar_entity *entities, size_t count)
{
    size_t n = all_uids(e, entities, count, NULL);
    if (n >= ENTITIES_NONE / 2)
        return false;
    e->uids = ARENA_NEW(a, struct cedar_uid, n);
    if (e->uids == NULL)
        return false;
    (void)all_uids(e, entities, count, e->uids);
    struct cedar_uid spare;
    sort_array(e->uids, n, sizeof(spare), order_uids, &spare);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || !cedar_uid_equal(&e->uids[e->uid_count - 1], &e->uids[i]))
            e->uids[e->uid_count++] = e->uids[i];

    while (((uint32_t)1 << e->bits) < e->uid_count && e->bits < 31)
        e->bits++;
    size_t buckets = (size_t)1 << e->bits;
    e->buckets = ARENA_NEW(a, uint32_t, buckets + 1);
    e->entities = ARENA_NEW(a, struct entities_entity, e->uid_count);
    if (e->buckets == NULL || e->entities == NULL)
        return false;
    for (uint32_t i = 0; i < e->uid_count; i++)
        e->buckets[bucket_of(e, e->uids[i].hash) + 1]++;
    for (size_t i = 0; i < buckets; i++)
        e->buckets[i + 1] += e->buckets[i];
    return true;
}

static bool parents_of(const struct cedar_entities *e, struct arena *a,
                       const struct cedar_entity *from,
                       struct entities_entity *to)
{
    uint32_t *parents = ARENA_NEW(a, uint32_t, from->parent_count);
    uint32_t spare;
    if (parents == NULL)
        return false;
    for (size_t i = 0; i < from->parent_count; i++)
        parents[i] = entities_uid(e, &from->parents[i]);
    sort_array(parents, from->parent_count, sizeof(spare), order_numbers,
               &spare);
    for (size_t i = 0; i < from->parent_count; i++)
        if (i == 0 || parents[to->parent_count - 1] != parents[i])
            parents[to->parent_count++] = parents[i];
    to->parents = parents;
    return true;
}

static bool same(const struct entities_entity *a,
                 const struct entities_entity *b)
{
    return value_record_equal(a->attributes, b->attributes) &&
           value_record_equal(a->tags, b->tags) &&
           a->parent_count == b->parent_count &&
           (a->parent_count == 0 ||
            memcmp(a->parents, b->parents,
                   a->parent_count * sizeof(*a->parents)) == 0);
}

enum err entities_fill(struct cedar_entities *e, struct arena *a,
                       const struct cedar_entity *entities, size_t count,
                       struct cedar_errors *errors)
{
    if (!collect(e, a, entities, count))
        return ERR_LIMIT;
    for (size_t i = 0; i < count; i++) {
        const struct cedar_entity *from = &entities[i];
        struct entities_entity one = {
            .store = e,
            .attributes = from->attributes != NULL ? from->attributes
                                                   : entities_no_record(),
            .tags = from->tags != NULL ? from->tags : entities_no_record(),
        };
        if (!parents_of(e, a, from, &one))
            return ERR_LIMIT;
        struct entities_entity *to = &e->entities[entities_uid(e, &from->uid)];
        if (to->attributes == NULL) {
            *to = one;
            e->count++;
        } else if (!same(to, &one)) {
            errors_add(errors, (struct str){0}, 0,
                       "%.*s::\"%.*s\" is there twice, with differences",
                       STR_FMT(str_first(from->uid.type, 60)),
                       STR_FMT(str_first(from->uid.id, 60)));
            return ERR_MALFORMED;
        }
    }
    return entities_close(e, a, errors);
}
