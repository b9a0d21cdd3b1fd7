/* schema_value.c - see schema_value.h. */
#include "cedar/schema_value.h"

#include "cedar/extension.h"
#include "cedar/value_json.h"

/* An object that names an entity, with whatever else beside. */
static enum err read_entity(struct arena *a, const struct json *json,
                            struct cedar_value *ret, const char **ret_what)
{
    struct cedar_uid *uid = arena_alloc_raw(a, sizeof(*uid));
    if (uid == NULL)
        return ERR_LIMIT;
    enum err e = value_json_uid(json, uid, ret_what);
    if (e == ERR_OK)
        *ret = cedar_value_entity(uid);
    return e;
}

static struct str constructor_of(enum type_kind kind)
{
    return kind == TYPE_IP         ? STR("ip")
           : kind == TYPE_DECIMAL  ? STR("decimal")
           : kind == TYPE_DATETIME ? STR("datetime")
                                   : STR("duration");
}

/* What is around a call, and beside it, does not count here. */
static enum err read_extension(struct arena *a, const struct json *json,
                               enum type_kind kind, struct cedar_value *ret,
                               const char **ret_what)
{
    struct str text;
    const struct json *inner = json_get(json, STR("__extn"));
    if (value_json_is_call(inner))
        return value_json_call(a, inner, ret, ret_what);
    if (value_json_is_call(json))
        return value_json_call(a, json, ret, ret_what);
    if (!json_str(json, &text))
        return cedar_value_json(a, json, ret, ret_what);
    enum err e = cedar_value_extension(a, constructor_of(kind), text, ret);
    if (e == ERR_MALFORMED)
        *ret_what = "text that is no value of the extension type";
    return e;
}

static enum err read_set(struct arena *a, const struct json *json,
                         const struct type *type, struct cedar_value *ret,
                         const char **ret_what)
{
    size_t count = json_count(json);
    struct cedar_value *items = ARENA_NEW(a, struct cedar_value, count);
    struct json_iter it = json_each(json);
    const struct json *item;
    if (json_type(json) != JSON_ARRAY) {
        *ret_what = "a set is an array";
        return ERR_MALFORMED;
    }
    if (items == NULL)
        return ERR_LIMIT;
    for (size_t i = 0; json_next(&it, NULL, &item); i++) {
        enum err e =
            schema_value(a, item, type->as.element, &items[i], ret_what);
        if (e != ERR_OK)
            return e;
    }
    return cedar_value_set(a, items, count, ret);
}

enum err schema_value_record(struct arena *a, const struct json *json,
                             const struct type *type,
                             const struct cedar_record **ret,
                             const char **ret_what)
{
    size_t count = json_count(json);
    struct cedar_member *members = ARENA_NEW(a, struct cedar_member, count);
    struct json_iter it = json_each(json);
    const struct json *value;
    uint32_t required = 0;
    if (json_type(json) != JSON_OBJECT) {
        *ret_what = "a record is an object";
        return ERR_MALFORMED;
    }
    if (members == NULL)
        return ERR_LIMIT;
    for (size_t i = 0; json_next(&it, &members[i].name, &value); i++) {
        struct value_key key = value_key_make(members[i].name);
        const struct type_member *m = type_member(type, &key);
        *ret_what = "it has an attribute that the schema does not have";
        if (m == NULL)
            return ERR_MALFORMED;
        required += m->is_required;
        enum err e =
            schema_value(a, value, m->type, &members[i].value, ret_what);
        if (e != ERR_OK)
            return e;
    }
    for (uint32_t i = 0; i < type->count; i++)
        required -= type->as.members[i].is_required;
    if (required != 0) {
        *ret_what = "it lacks an attribute that the schema requires";
        return ERR_MALFORMED;
    }
    return cedar_value_record(a, members, count, ret);
}

enum err schema_value_tags(struct arena *a, const struct json *json,
                           const struct type *type,
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
        enum err e = schema_value(a, value, type, &members[i].value, ret_what);
        if (e != ERR_OK)
            return e;
    }
    return cedar_value_record(a, members, count, ret);
}

/* Recurses as deep as types nest. */
enum err schema_value(struct arena *a, const struct json *json,
                      const struct type *type, struct cedar_value *ret,
                      const char **ret_what)
{
    struct cedar_value v = {.kind = CEDAR_RECORD};
    enum err e = ERR_OK;
    if (type->kind == TYPE_RECORD)
        e = schema_value_record(a, json, type, &v.as.record, ret_what);
    else if (type->kind == TYPE_SET)
        e = read_set(a, json, type, &v, ret_what);
    else if (type->kind == TYPE_ENTITY)
        e = read_entity(a, json, &v, ret_what);
    else if (type->kind >= TYPE_DECIMAL)
        e = read_extension(a, json, type->kind, &v, ret_what);
    else
        e = cedar_value_json(a, json, &v, ret_what);
    if (e != ERR_OK)
        return e;
    bool is_part = type->kind == TYPE_RECORD || type->kind == TYPE_SET;
    if (!is_part && !type_has_value(type, v)) {
        *ret_what = "a value is not of the type that the schema says";
        return ERR_MALFORMED;
    }
    *ret = v;
    return ERR_OK;
}
