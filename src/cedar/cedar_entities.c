/* cedar_entities.c - loading and building stores; see cedar.h. */
#include <stdlib.h>

#include "base/limits.h"
#include "cedar/cedar.h"
#include "cedar/entities.h"
#include "cedar/errors.h"
#include "cedar/schema_value.h"
#include "cedar/value_json.h"

/* What a store may take for each byte of its JSON: the densest are arrays of
 * one-digit numbers, and ancestors, which entities_close() bounds. */
enum { ARENA_PER_BYTE = 256 };

static enum err refuse(struct cedar_errors *errors, size_t number,
                       const struct cedar_uid *uid, const char *what)
{
    if (uid == NULL)
        errors_add(errors, (struct str){0}, 0, "entity %zu: %s", number + 1,
                   what);
    else
        errors_add(errors, (struct str){0}, 0, "%.*s::\"%.*s\": %s",
                   STR_FMT(str_first(uid->type, 40)),
                   STR_FMT(str_first(uid->id, 40)), what);
    return ERR_MALFORMED;
}

static enum err read_parents(struct arena *a, const struct json *json,
                             struct cedar_entity *to, const char **ret_what)
{
    size_t count = json_count(json);
    struct cedar_uid *parents = ARENA_NEW(a, struct cedar_uid, count);
    struct json_iter it = json_each(json);
    const struct json *parent;
    if (parents == NULL)
        return ERR_LIMIT;
    for (size_t i = 0; json_next(&it, NULL, &parent); i++) {
        enum err e = value_json_uid(parent, &parents[i], ret_what);
        if (e != ERR_OK)
            return e;
        *ret_what = "an action has a parent that is no action";
        if (schema_is_action_type(to->uid.type) &&
            !schema_is_action_type(parents[i].type))
            return ERR_MALFORMED;
    }
    to->parents = parents;
    to->parent_count = count;
    return ERR_OK;
}

/* A record whose members may be escapes, but which is none itself. */
static enum err read_members(struct arena *a, const struct json *json,
                             const struct cedar_record **ret,
                             const char **ret_what)
{
    size_t count = json_count(json);
    struct cedar_member *members = ARENA_NEW(a, struct cedar_member, count);
    struct json_iter it = json_each(json);
    const struct json *value;
    if (members == NULL)
        return ERR_LIMIT;
    for (size_t i = 0; json_next(&it, &members[i].name, &value); i++) {
        enum err e = cedar_value_json(a, value, &members[i].value, ret_what);
        if (e != ERR_OK)
            return e;
    }
    return cedar_value_record(a, members, count, ret);
}

/* Attributes and tags as the schema says that they are. */
static enum err read_as_declared(struct arena *a,
                                 const struct schema_entity *declared,
                                 const struct json *json,
                                 struct cedar_entity *to, const char **ret_what)
{
    const struct json *tags = json_get(json, STR("tags"));
    *ret_what = "its type is not in the schema";
    if (declared == NULL)
        return ERR_MALFORMED;
    *ret_what = "its type is an enum that does not have it";
    if (!schema_entity_has_id(declared, to->uid.id))
        return ERR_MALFORMED;
    enum err e =
        schema_value_record(a, json_get(json, STR("attrs")), declared->shape,
                            &to->attributes, ret_what);
    if (e != ERR_OK || json_count(tags) == 0)
        return e;
    *ret_what = "the schema has no tags for its type";
    if (declared->tags == NULL)
        return ERR_MALFORMED;
    return schema_value_tags(a, tags, declared->tags, &to->tags, ret_what);
}

static enum err check_parents(const struct cedar_schema *schema,
                              const struct cedar_entity *entity,
                              const char **ret_what)
{
    const struct schema_entity *own = schema_entity(schema, entity->uid.type);
    for (size_t i = 0; i < entity->parent_count; i++) {
        const struct cedar_uid *parent = &entity->parents[i];
        const struct schema_entity *e = schema_entity(schema, parent->type);
        *ret_what = "the schema does not let it have a parent of that type";
        if (e == NULL || !schema_applies_to(own->ancestors, own->ancestor_count,
                                            (uint32_t)(e - schema->entities)))
            return ERR_MALFORMED;
        *ret_what = "the type of a parent is an enum that does not have it";
        if (!schema_entity_has_id(e, parent->id))
            return ERR_MALFORMED;
    }
    return ERR_OK;
}

static enum err read_entity(struct arena *a, const struct cedar_schema *schema,
                            const struct json *json, struct cedar_entity *to,
                            const char **ret_what)
{
    const struct json *attributes = json_get(json, STR("attrs"));
    const struct json *parents = json_get(json, STR("parents"));
    const struct json *tags = json_get(json, STR("tags"));
    *to = (struct cedar_entity){0};
    enum err e = value_json_uid(json_get(json, STR("uid")), &to->uid, ret_what);
    if (e != ERR_OK)
        return e;
    *ret_what = "attrs has to be an object";
    if (json_type(attributes) != JSON_OBJECT)
        return ERR_MALFORMED;
    *ret_what = "parents has to be an array";
    if (json_type(parents) != JSON_ARRAY)
        return ERR_MALFORMED;
    *ret_what = "tags has to be an object";
    if (tags != NULL && json_type(tags) != JSON_OBJECT)
        return ERR_MALFORMED;
    /* Actions are compared with the schema once their groups are known. */
    bool is_free = schema == NULL || schema_is_action_type(to->uid.type);
    if (is_free) {
        e = read_members(a, attributes, &to->attributes, ret_what);
        if (e == ERR_OK)
            e = read_members(a, tags, &to->tags, ret_what);
    } else {
        e = read_as_declared(a, schema_entity(schema, to->uid.type), json, to,
                             ret_what);
    }
    if (e == ERR_OK)
        e = read_parents(a, parents, to, ret_what);
    if (e == ERR_OK && !is_free)
        e = check_parents(schema, to, ret_what);
    return e;
}

/* The actions of a file have to be what the schema says that they are. */
static enum err check_actions(const struct cedar_schema *schema,
                              const struct cedar_entities *store,
                              struct cedar_errors *errors)
{
    for (uint32_t i = 0; i < store->uid_count; i++) {
        const struct entities_entity *given = &store->entities[i];
        const struct cedar_uid *uid = &store->uids[i];
        if (given->attributes == NULL || !schema_is_action_type(uid->type))
            continue;
        uint32_t at = entities_uid(&schema->actions, uid);
        if (at == ENTITIES_NONE)
            return refuse(errors, i, uid, "the schema has no such action");
        const struct entities_entity *own = &schema->actions.entities[at];
        bool same = given->attributes->count == 0 && given->tags->count == 0 &&
                    given->ancestor_count == own->ancestor_count;
        for (uint32_t k = 0; same && k < own->ancestor_count; k++)
            same =
                entities_has_ancestor(given,
                                      &schema->actions.uids[own->ancestors[k]]);
        if (!same)
            return refuse(errors, i, uid,
                          "the action is not what the schema says");
    }
    return ERR_OK;
}

static enum err read_all(struct cedar_entities *store,
                         const struct cedar_schema *schema, struct str text,
                         struct cedar_errors *errors)
{
    struct arena *a = &store->arena;
    struct json_error why = {0};
    const struct json *json;
    enum err e = json_read_nul(a, text, &json, &why);
    if (e != ERR_OK) {
        errors_add(errors, text, why.offset, "%s",
                   why.what == NULL ? "too much JSON" : why.what);
        return e;
    }
    if (json_type(json) != JSON_ARRAY) {
        errors_add(errors, text, 0, "entities have to be an array");
        return ERR_MALFORMED;
    }
    size_t count = json_count(json);
    struct cedar_entity *entities = ARENA_NEW(a, struct cedar_entity, count);
    struct json_iter it = json_each(json);
    const struct json *one;
    if (entities == NULL)
        return ERR_LIMIT;
    for (size_t i = 0; json_next(&it, NULL, &one); i++) {
        const char *what = "";
        e = read_entity(a, schema, one, &entities[i], &what);
        if (e == ERR_MALFORMED)
            return refuse(errors, i,
                          entities[i].uid.hash == 0 ? NULL : &entities[i].uid,
                          what);
        if (e != ERR_OK)
            return e;
    }
    return entities_fill(store, a, entities, count, errors);
}

static enum err load(const struct cedar_schema *schema, struct str json,
                     struct cedar_errors *ret_errors,
                     struct cedar_entities **ret)
{
    struct cedar_errors ignored;
    struct cedar_errors *errors = ret_errors != NULL ? ret_errors : &ignored;
    errors->count = 0;
    struct cedar_entities *store = calloc(1, sizeof(*store));
    if (store == NULL)
        return ERR_NO_MEMORY;
    arena_init(&store->arena, json.len * ARENA_PER_BYTE + 64 * MIB);
    enum err e = json.len > CEDAR_TEXT_MAX
                     ? ERR_LIMIT
                     : read_all(store, schema, json, errors);
    if (e == ERR_OK && schema != NULL) {
        e = check_actions(schema, store, errors);
        store->base = &schema->actions;
    }
    if (e == ERR_LIMIT && errors->count == 0)
        errors_add(errors, (struct str){0}, 0, "the entities are too large");
    if (e != ERR_OK) {
        cedar_entities_free(store);
        return e;
    }
    *ret = store;
    return ERR_OK;
}

enum err cedar_entities_load(struct str json, struct cedar_errors *ret_errors,
                             struct cedar_entities **ret)
{
    return load(NULL, json, ret_errors, ret);
}

enum err cedar_schema_entities(const struct cedar_schema *s, struct str json,
                               struct cedar_errors *ret_errors,
                               struct cedar_entities **ret)
{
    return load(s, json, ret_errors, ret);
}

enum err cedar_entities_build(struct arena *a,
                              const struct cedar_entity *entities, size_t count,
                              const struct cedar_entities *base,
                              struct cedar_errors *ret_errors,
                              const struct cedar_entities **ret)
{
    if (ret_errors != NULL)
        ret_errors->count = 0;
    struct cedar_entities *store = arena_alloc(a, sizeof(*store));
    if (store == NULL)
        return ERR_LIMIT;
    store->base = base;
    enum err e = entities_fill(store, a, entities, count, ret_errors);
    if (e == ERR_OK)
        *ret = store;
    return e;
}

void cedar_entities_free(struct cedar_entities *e)
{
    if (e == NULL)
        return;
    arena_release(&e->arena);
    free(e);
}

size_t cedar_entities_count(const struct cedar_entities *e)
{
    return e->count;
}
