/* cedar_value_json.c - values from JSON; see cedar_value.h. */
#include "cedar/cedar_value.h"
#include "cedar/extension.h"
#include "cedar/extension_text.h"
#include "cedar/value_json.h"

struct reading {
    struct arena *arena;
    bool is_raw; /* no escapes */
    const char *what;
};

static enum err read_value(struct reading *r, const struct json *json,
                           struct cedar_value *ret);

static enum err refuse(struct reading *r, const char *what)
{
    r->what = what;
    return ERR_MALFORMED;
}

static bool is_uid(const struct json *json)
{
    return json_type(json_get(json, STR("type"))) == JSON_STRING &&
           json_type(json_get(json, STR("id"))) == JSON_STRING;
}

enum err value_json_uid(const struct json *json, struct cedar_uid *ret,
                        const char **ret_what)
{
    const struct json *inner = json_get(json, STR("__entity"));
    struct str type;
    struct str id;
    *ret_what = "the __expr escape is no longer part of Cedar";
    if (json_type(json_get(json, STR("__expr"))) == JSON_STRING)
        return ERR_MALFORMED;
    if (is_uid(inner))
        json = inner;
    *ret_what = "an entity is an object with the strings type and id";
    if (!json_str(json_get(json, STR("type")), &type) ||
        !json_str(json_get(json, STR("id")), &id))
        return ERR_MALFORMED;
    *ret_what = "an entity's type is not a name";
    if (!cedar_uid_is_type(type))
        return ERR_MALFORMED;
    *ret = cedar_uid_make(type, id);
    return ERR_OK;
}

static enum err read_set(struct reading *r, const struct json *json,
                         struct cedar_value *ret)
{
    size_t count = json_count(json);
    struct cedar_value *items = ARENA_NEW(r->arena, struct cedar_value, count);
    struct json_iter it = json_each(json);
    const struct json *item;
    if (items == NULL)
        return ERR_LIMIT;
    for (size_t i = 0; json_next(&it, NULL, &item); i++) {
        enum err e = read_value(r, item, &items[i]);
        if (e != ERR_OK)
            return e;
    }
    return cedar_value_set(r->arena, items, count, ret);
}

static enum err read_record(struct reading *r, const struct json *json,
                            struct cedar_value *ret)
{
    size_t room = json_count(json);
    size_t count = 0;
    struct value_pool pool = {.arena = r->arena};
    struct value_key *keys = ARENA_NEW(r->arena, struct value_key, room);
    struct cedar_value *values = ARENA_NEW(r->arena, struct cedar_value, room);
    struct json_iter it = json_each(json);
    struct str name;
    const struct json *member;
    if (keys == NULL || values == NULL)
        return ERR_LIMIT;
    while (json_next(&it, &name, &member)) {
        if (r->is_raw && json_type(member) == JSON_NULL)
            continue;
        keys[count] = value_key_make(name);
        enum err e = read_value(r, member, &values[count]);
        if (e != ERR_OK)
            return e;
        count++;
    }
    struct cedar_value v = {.kind = CEDAR_RECORD};
    enum err e = value_record_make(&pool, keys, values, count, &v.as.record);
    if (e == ERR_OK)
        *ret = v;
    return e;
}

/* {"fn": "ip", "arg": "..."} or {"fn": "offset", "args": [...]}. */
static enum err read_call(struct reading *r, const struct json *json,
                          struct cedar_value *ret)
{
    struct str name = {0};
    struct cedar_value args[2];
    const struct json *one = json_get(json, STR("arg"));
    const struct json *list = json_get(json, STR("args"));
    const struct extension *x = json_str(json_get(json, STR("fn")), &name)
                                    ? extension_find(name)
                                    : NULL;
    size_t count = one != NULL ? 1 : json_count(list);
    if (x == NULL)
        return refuse(r, "there is no such extension function");
    if (count > ARRAY_LEN(args))
        return refuse(r, "too many arguments of an extension function");
    for (size_t i = 0; i < count; i++) {
        enum err e =
            read_value(r, one != NULL ? one : json_at(list, i), &args[i]);
        if (e != ERR_OK)
            return e;
    }
    struct value_pool pool = {.arena = r->arena};
    enum cedar_fault f = extension_call(x, args, count, &pool, ret);
    if (f == CEDAR_FAULT_LIMIT)
        return ERR_LIMIT;
    return f == CEDAR_FAULT_NONE ? ERR_OK : refuse(r, cedar_fault_text(f));
}

bool value_json_is_call(const struct json *json)
{
    return json_type(json_get(json, STR("fn"))) == JSON_STRING &&
           (json_get(json, STR("arg")) != NULL ||
            json_type(json_get(json, STR("args"))) == JSON_ARRAY);
}

/* An escape is the only member and has the right members inside. */
static enum err read_object(struct reading *r, const struct json *json,
                            struct cedar_value *ret)
{
    if (r->is_raw || json_count(json) != 1)
        return read_record(r, json, ret);
    const struct json *entity = json_get(json, STR("__entity"));
    const struct json *call = json_get(json, STR("__extn"));
    if (json_type(json_get(json, STR("__expr"))) == JSON_STRING)
        return refuse(r, "the __expr escape is no longer part of Cedar");
    if (value_json_is_call(call))
        return read_call(r, call, ret);
    if (!is_uid(entity))
        return read_record(r, json, ret);
    struct cedar_uid *uid = arena_alloc_raw(r->arena, sizeof(*uid));
    if (uid == NULL)
        return ERR_LIMIT;
    enum err e = value_json_uid(json, uid, &r->what);
    if (e == ERR_OK)
        *ret = cedar_value_entity(uid);
    return e;
}

static enum err read_number(struct reading *r, const struct json *json,
                            struct cedar_value *ret)
{
    struct str text;
    int64_t number;
    if (json_i64(json, &number)) {
        *ret = cedar_value_long(number);
        return ERR_OK;
    }
    if (!r->is_raw || !json_number(json, &text) ||
        !extension_text_decimal(text, &number))
        return refuse(r, "a number is no integer of 64 bits");
    *ret = (struct cedar_value){.kind = CEDAR_DECIMAL, .as.number = number};
    return ERR_OK;
}

/* Recurses as deep as json_read() lets documents be. */
static enum err read_value(struct reading *r, const struct json *json,
                           struct cedar_value *ret)
{
    struct str text;
    bool truth;
    if (json_str(json, &text)) {
        if (text.len > UINT32_MAX)
            return ERR_LIMIT;
        *ret = cedar_value_string(text);
        return ERR_OK;
    }
    if (json_bool(json, &truth)) {
        *ret = cedar_value_bool(truth);
        return ERR_OK;
    }
    enum json_type type = json_type(json);
    if (type == JSON_NUMBER)
        return read_number(r, json, ret);
    if (type == JSON_ARRAY)
        return read_set(r, json, ret);
    if (type == JSON_OBJECT)
        return read_object(r, json, ret);
    return refuse(r, "null is no value in Cedar");
}

enum err cedar_value_json(struct arena *a, const struct json *json,
                          struct cedar_value *ret, const char **ret_what)
{
    struct reading r = {.arena = a};
    enum err e = read_value(&r, json, ret);
    if (e == ERR_MALFORMED)
        *ret_what = r.what;
    return e;
}

enum err value_json_call(struct arena *a, const struct json *json,
                         struct cedar_value *ret, const char **ret_what)
{
    struct reading r = {.arena = a};
    enum err e = read_call(&r, json, ret);
    if (e == ERR_MALFORMED)
        *ret_what = r.what;
    return e;
}

enum err cedar_value_raw_json(struct arena *a, const struct json *json,
                              struct cedar_value *ret, const char **ret_what)
{
    struct reading r = {.arena = a, .is_raw = true};
    enum err e = read_value(&r, json, ret);
    if (e == ERR_MALFORMED)
        *ret_what = r.what;
    return e;
}
