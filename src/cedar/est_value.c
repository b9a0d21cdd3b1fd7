/* est_value.c - literal values in JSON to nodes; see est.h. */
#include "cedar/construct.h"
#include "cedar/emit.h"
#include "cedar/est.h"

bool est_set(struct est *e, const struct json *json, est_fn *read)
{
    uint32_t open;
    return construct_open(&e->p, 0, &open) &&
           est_elements(e, json, read, NULL) &&
           construct_set(&e->p, open, json_count(json));
}

bool est_record(struct est *e, const struct json *json, est_fn *read)
{
    struct json_iter it = json_each(json);
    struct str name;
    struct str kept;
    const struct json *one;
    uint32_t open;
    if (json_type(json) != JSON_OBJECT)
        return est_refuse(e, "expected an object");
    if (!construct_open(&e->p, 0, &open))
        return false;
    for (size_t nth = 0; json_next(&it, &name, &one); nth++) {
        if (!arena_copy(&e->p.set->arena, name, &kept))
            return parser_no_memory(&e->p);
        if (!construct_key(&e->p, kept) ||
            !est_inside(e, name, nth, read, one, NULL))
            return false;
    }
    return construct_record(&e->p, open, json_count(json));
}

static bool entity(struct est *e, const struct json *json, void *to)
{
    struct cedar_uid *uid = arena_alloc_raw(&e->p.set->arena, sizeof(*uid));
    struct str type;
    struct str id;
    (void)to;
    if (uid == NULL)
        return parser_no_memory(&e->p);
    if (!est_type(e, json_get(json, STR("type")), &type) ||
        !est_string(e, json_get(json, STR("id")), &id))
        return false;
    *uid = cedar_uid_make(type, id);
    struct program_node node = {.op = OP_ENTITY, .as.uid = uid};
    return emit_operand(&e->p, node, 0, cedar_value_entity(uid));
}

/* {"fn": ..., "arg": ...}: the one argument of a function. */
static bool call_one(struct est *e, const struct json *json,
                     const struct extension *x)
{
    uint32_t open = 0;
    if (!x->is_method && !construct_open(&e->p, 0, &open))
        return false;
    if (!est_value(e, json, NULL))
        return false;
    struct program_node node = {.op = OP_CALL, .a = 1, .as.extension = x};
    return x->is_method ? emit_node(&e->p, node, 0, 1)
                        : construct_call(&e->p, x, open, 1);
}

static bool call(struct est *e, const struct json *json, void *to)
{
    struct str name = {0};
    const struct json *one = json_get(json, STR("arg"));
    const struct extension *x = NULL;
    (void)to;
    if (json_str(json_get(json, STR("fn")), &name))
        x = extension_find(name);
    if (x == NULL || one == NULL)
        return est_call(e, name, json_get(json, STR("args")), est_value);
    return call_one(e, one, x);
}

/* An escape is the only member and has the right members inside, as in the
 * JSON of entities. */
static bool object(struct est *e, const struct json *json)
{
    const struct json *uid = json_get(json, STR("__entity"));
    const struct json *function = json_get(json, STR("__extn"));
    const struct json *args = json_get(function, STR("args"));
    if (json_count(json) != 1)
        return est_record(e, json, est_value);
    if (json_get(json, STR("__expr")) != NULL)
        return est_refuse(e, "the __expr escape is no longer part of Cedar");
    if (json_type(json_get(uid, STR("type"))) == JSON_STRING &&
        json_type(json_get(uid, STR("id"))) == JSON_STRING)
        return est_inside(e, STR("__entity"), 0, entity, uid, NULL);
    if (json_type(json_get(function, STR("fn"))) == JSON_STRING &&
        (json_get(function, STR("arg")) != NULL ||
         json_type(args) == JSON_ARRAY))
        return est_inside(e, STR("__extn"), 0, call, function, NULL);
    return est_record(e, json, est_value);
}

bool est_value(struct est *e, const struct json *json, void *to)
{
    struct str text;
    bool truth;
    int64_t number;
    (void)to;
    switch (json_type(json)) {
    case JSON_STRING:
        return est_string(e, json, &text) && construct_string(&e->p, text, 0);
    case JSON_BOOL:
        return json_bool(json, &truth) && construct_bool(&e->p, truth, 0);
    case JSON_NUMBER:
        if (!json_i64(json, &number))
            return est_refuse(e, "a number is no integer of 64 bits");
        return construct_long(&e->p, number, 0);
    case JSON_ARRAY:
        return est_set(e, json, est_value);
    case JSON_OBJECT:
        return object(e, json);
    case JSON_NULL:
    case JSON_NONE:
    default:
        return est_refuse(e, "null is no value in Cedar");
    }
}
