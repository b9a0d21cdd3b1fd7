/* schema_actions.c - see schema_actions.h. */
#include "cedar/schema_actions.h"

#include "base/text.h"
#include "cedar/sort.h"

struct action {
    struct cedar_uid uid;
    const struct raw_action *raw;
};

struct actions {
    struct action *at; /* by uid */
    size_t count;
};

static int order_actions(const void *a, const void *b)
{
    const struct action *left = a;
    const struct action *right = b;
    int order = value_uid_order(&left->uid, &right->uid);
    if (order == 0)
        order = (left->raw->offset > right->raw->offset) -
                (left->raw->offset < right->raw->offset);
    return order;
}

static const struct action *find(const struct actions *all,
                                 const struct cedar_uid *uid)
{
    size_t low = 0;
    size_t high = all->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = value_uid_order(&all->at[middle].uid, uid);
        if (order == 0)
            return &all->at[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool name_actions(struct schema_types *t, struct actions *all)
{
    const struct schema_raw *raw = t->raw;
    struct arena *a = &t->schema->arena;
    struct action spare;
    bool ok = true;
    all->count = raw->actions.count;
    all->at = ARENA_NEW(a, struct action, all->count);
    if (all->at == NULL)
        return schema_raw_no_memory(t->raw);
    for (size_t i = 0; i < all->count; i++) {
        struct str type;
        const struct raw_action *from = &raw->actions.at[i];
        if (!schema_raw_join(a, from->space, STR("Action"), &type))
            return schema_raw_no_memory(t->raw);
        all->at[i] = (struct action){cedar_uid_make(type, from->id), from};
    }
    sort_array(all->at, all->count, sizeof(spare), order_actions, &spare);
    for (size_t i = 0; i < all->count; i++) {
        const struct raw_action *from = all->at[i].raw;
        struct cedar_uid bare = cedar_uid_make(STR("Action"), from->id);
        if (i > 0 && cedar_uid_equal(&all->at[i - 1].uid, &all->at[i].uid))
            ok = schema_raw_fail(t->raw, from->offset,
                                 "the action %.*s is declared twice",
                                 STR_FMT(str_first(from->id, 60)));
        else if (from->space.len > 0 && find(all, &bare) != NULL)
            ok = schema_raw_fail(t->raw, from->offset,
                                 "%.*s::Action::\"%.*s\" hides the action "
                                 "that has no namespace",
                                 STR_FMT(str_first(from->space, 40)),
                                 STR_FMT(str_first(from->id, 60)));
    }
    return ok;
}

/* Reports an action that nobody declared; returns false. */
static bool unknown(struct schema_types *t, const struct actions *all,
                    const struct raw_name *n)
{
    enum { GUESSES_MAX = 2000 };
    unsigned best = n->id.len < 4 ? 2 : 3;
    struct str near = {0};
    for (size_t i = 0; i < all->count && i < GUESSES_MAX; i++) {
        unsigned distance = text_distance(n->id, all->at[i].uid.id);
        if (distance < best) {
            best = distance;
            near = all->at[i].uid.id;
        }
    }
    struct str type = n->name.len > 0 ? n->name : STR("Action");
    return schema_raw_fail(t->raw, n->offset,
                           "there is no action %.*s::\"%.*s\"%s%.*s%s",
                           STR_FMT(str_first(type, 40)),
                           STR_FMT(str_first(n->id, 40)),
                           near.len > 0 ? "; did you mean " : "",
                           STR_FMT(str_first(near, 40)),
                           near.len > 0 ? "?" : "");
}

/* The action that a group's name means: in its own namespace first. */
static bool group_of(struct schema_types *t, const struct actions *all,
                     struct str space, const struct raw_name *n,
                     struct cedar_uid *ret)
{
    struct str type = n->name.len > 0 ? n->name : STR("Action");
    const struct action *found = NULL;
    struct str full;
    if (space.len > 0 && str_find(type, ':') == type.len) {
        if (!schema_raw_join(&t->schema->arena, space, type, &full))
            return schema_raw_no_memory(t->raw);
        struct cedar_uid near = cedar_uid_make(full, n->id);
        found = find(all, &near);
    }
    if (found == NULL) {
        struct cedar_uid plain = cedar_uid_make(type, n->id);
        found = find(all, &plain);
    }
    if (found == NULL)
        return unknown(t, all, n);
    *ret = found->uid;
    return true;
}

static bool groups_of(struct schema_types *t, const struct actions *all,
                      const struct action *action, struct cedar_entity *to)
{
    size_t count = 0;
    bool ok = true;
    for (const struct raw_name *n = action->raw->groups; n != NULL; n = n->next)
        count++;
    struct cedar_uid *parents =
        ARENA_NEW(&t->schema->arena, struct cedar_uid, count);
    if (parents == NULL)
        return schema_raw_no_memory(t->raw);
    *to = (struct cedar_entity){.uid = action->uid,
                                .parents = parents,
                                .parent_count = count};
    count = 0;
    for (const struct raw_name *n = action->raw->groups; n != NULL; n = n->next)
        ok = group_of(t, all, action->raw->space, n, &parents[count++]) && ok;
    return ok;
}

static bool build_groups(struct schema_types *t, const struct actions *all)
{
    struct cedar_schema *s = t->schema;
    bool ok = true;
    struct cedar_entity *entities =
        ARENA_NEW(&s->arena, struct cedar_entity, all->count);
    if (entities == NULL)
        return schema_raw_no_memory(t->raw);
    for (size_t i = 0; i < all->count; i++)
        ok = groups_of(t, all, &all->at[i], &entities[i]) && ok;
    if (!ok)
        return false;
    enum err e = entities_fill(&s->actions, &s->arena, entities, all->count,
                               t->raw->errors);
    if (e == ERR_LIMIT)
        return schema_raw_no_memory(t->raw);
    if (e != ERR_OK)
        t->raw->err = e; /* and reported */
    return e == ERR_OK;
}

/* The type of an action is above those of its groups. */
static bool link_types(struct schema_types *t)
{
    struct cedar_schema *s = t->schema;
    for (uint32_t i = 0; i < s->actions.uid_count; i++) {
        const struct entities_entity *e = &s->actions.entities[i];
        struct schema_entity *own = &s->entities[s->applies[i].type];
        for (uint32_t k = 0; k < e->parent_count; k++) {
            uint32_t other = s->applies[e->parents[k]].type;
            if (schema_applies_to(own->parents, own->parent_count, other) ||
                other == s->applies[i].type)
                continue;
            uint32_t *more =
                ARENA_NEW(&s->arena, uint32_t, own->parent_count + (size_t)1);
            if (more == NULL)
                return schema_raw_no_memory(t->raw);
            if (own->parent_count > 0)
                memcpy(more, own->parents, own->parent_count * sizeof(*more));
            more[own->parent_count++] = other;
            own->parents = more;
        }
    }
    return true;
}

bool schema_actions_resolve(struct schema_types *t)
{
    struct cedar_schema *s = t->schema;
    struct actions all;
    bool ok = true;
    if (!name_actions(t, &all) || !build_groups(t, &all))
        return false;
    s->applies = ARENA_NEW(&s->arena, struct schema_action, all.count);
    if (s->applies == NULL)
        return schema_raw_no_memory(t->raw);
    for (size_t i = 0; i < all.count; i++) {
        const struct raw_action *raw = all.at[i].raw;
        struct schema_action *to =
            &s->applies[entities_uid(&s->actions, &all.at[i].uid)];
        to->type =
            (uint32_t)(schema_entity(s, all.at[i].uid.type) - s->entities);
        ok = schema_types_list(t, raw->space, raw->principals, &to->principals,
                               &to->principal_count) &&
             ok;
        ok = schema_types_list(t, raw->space, raw->resources, &to->resources,
                               &to->resource_count) &&
             ok;
        to->context = schema_types_record(t, raw->space, raw->context, raw->id);
        ok = to->context != NULL && ok;
    }
    return ok && link_types(t);
}
