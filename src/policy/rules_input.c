/* rules_input.c - see rules_input.h. */
#include "policy/rules_input.h"

#include "base/attr.h"
#include "base/limits.h"
#include "policy/rules_form.h"

/* Names of the schema that are looked at: some milliseconds at most. */
#define WORK_MAX MIB
enum { DECIMAL_ONE = 10000 }; /* a decimal counts ten-thousandths */

struct reading {
    struct arena *arena;
    const struct json *element; /* looked for on the way; or NULL */
    struct cedar_value found;   /* its value */
    bool was_found;
    bool opaque;    /* something has no type in Cedar */
    bool too_large; /* nothing is said about any of it */
    unsigned values;
    size_t work;
};

static enum err read_value(struct reading *r, const struct json *json,
                           const struct rules_form *form,
                           struct cedar_value *ret);

/* A number with a fraction of at most four digits. */
static enum err read_decimal(struct reading *r, const struct json *json,
                             struct cedar_value *ret)
{
    struct str text;
    if (!json_number(json, &text))
        return ERR_MALFORMED;
    return cedar_value_extension(r->arena, STR("decimal"), text, ret);
}

/* `number` of the schema: 5 is 5.0. */
static enum err read_as_decimal(struct reading *r, const struct json *json,
                                struct cedar_value *ret)
{
    int64_t n;
    if (!json_i64(json, &n))
        return read_decimal(r, json, ret);
    if (__builtin_mul_overflow(n, DECIMAL_ONE, &n))
        return ERR_MALFORMED;
    *ret = (struct cedar_value){.kind = CEDAR_DECIMAL, .as.number = n};
    return ERR_OK;
}

/* `integer` of the schema: 5.0 is 5. */
static enum err read_as_long(struct reading *r, const struct json *json,
                             struct cedar_value *ret)
{
    struct cedar_value v;
    int64_t n;
    if (json_i64(json, &n)) {
        *ret = cedar_value_long(n);
        return ERR_OK;
    }
    enum err e = read_decimal(r, json, &v);
    if (e == ERR_OK && v.as.number % DECIMAL_ONE != 0)
        e = ERR_MALFORMED;
    if (e == ERR_OK)
        *ret = cedar_value_long(v.as.number / DECIMAL_ONE);
    return e;
}

static enum err read_number(struct reading *r, const struct json *json,
                            unsigned numbers, struct cedar_value *ret)
{
    int64_t n;
    if ((numbers & RULES_FORM_NUMBER) != 0)
        return read_as_decimal(r, json, ret);
    if ((numbers & RULES_FORM_INTEGER) != 0)
        return read_as_long(r, json, ret);
    if (!json_i64(json, &n))
        return read_decimal(r, json, ret);
    *ret = cedar_value_long(n);
    return ERR_OK;
}

/* Of these alone types depend on the schema. */
static bool needs_form(const struct json *json)
{
    enum json_type type = json_type(json);
    return type == JSON_NUMBER || type == JSON_ARRAY || type == JSON_OBJECT;
}

static enum err read_set(struct reading *r, const struct json *json,
                         const struct rules_form *form, struct cedar_value *ret)
{
    size_t room = json_count(json);
    struct cedar_value *items =
        arena_alloc_raw(r->arena, room * sizeof(struct cedar_value));
    struct json_iter it = json_each(json);
    const struct json *item;
    struct rules_form inner UNINITIALIZED;
    bool same = rules_form_is_uniform(form);
    bool has_form = false;
    size_t count = 0;
    enum err e = items == NULL ? ERR_LIMIT : ERR_OK;
    for (size_t i = 0;
         e == ERR_OK && !r->too_large && json_next(&it, NULL, &item); i++) {
        if (needs_form(item) && !(same && has_form)) {
            rules_form_element(form, i, &inner);
            has_form = true;
        }
        e = read_value(r, item, &inner, &items[count]);
        if (e == ERR_OK && items[count].kind != CEDAR_NOTHING)
            count++;
    }
    return e != ERR_OK || r->too_large
               ? e
               : cedar_value_set(r->arena, items, count, ret);
}

static enum err read_record(struct reading *r, const struct json *json,
                            const struct rules_form *form,
                            struct cedar_value *ret)
{
    size_t room = json_count(json);
    struct cedar_member *members =
        arena_alloc_raw(r->arena, room * sizeof(struct cedar_member));
    struct json_iter it = json_each(json);
    const struct cedar_record *record;
    const struct json *item;
    struct str name;
    struct rules_form inner UNINITIALIZED;
    size_t count = 0;
    enum err e = members == NULL ? ERR_LIMIT : ERR_OK;
    while (e == ERR_OK && !r->too_large && json_next(&it, &name, &item)) {
        struct cedar_member *to = &members[count];
        to->name = name;
        if (needs_form(item))
            rules_form_member(form, name, &inner);
        e = read_value(r, item, &inner, &to->value);
        if (e == ERR_OK && to->value.kind != CEDAR_NOTHING)
            count++;
    }
    if (e == ERR_OK && !r->too_large)
        e = cedar_value_record(r->arena, members, count, &record);
    if (e == ERR_OK && !r->too_large)
        *ret = cedar_value_of(record);
    return e;
}

static enum err read_plain(struct reading *r, const struct json *json,
                           const struct rules_form *form,
                           struct cedar_value *ret)
{
    struct str text;
    bool truth;
    switch (json_type(json)) {
    case JSON_BOOL:
        if (json_bool(json, &truth))
            *ret = cedar_value_bool(truth);
        return ERR_OK;
    case JSON_STRING:
        if (json_str(json, &text))
            *ret = cedar_value_string(text);
        return ERR_OK;
    case JSON_NUMBER:
        return read_number(r, json, form->numbers, ret);
    case JSON_NONE:
    case JSON_NULL:
    case JSON_ARRAY:
    case JSON_OBJECT:
    default:
        return ERR_MALFORMED;
    }
}

/*
 * CEDAR_NOTHING for what has no type.  `form` is not looked at for what needs
 * none.  Recurses as deep as JSON nests, which is bounded.
 */
static enum err read_value(struct reading *r, const struct json *json,
                           const struct rules_form *form,
                           struct cedar_value *ret)
{
    enum json_type type = json_type(json);
    enum err e;
    *ret = (struct cedar_value){.kind = CEDAR_NOTHING};
    if (++r->values > RULES_INPUT_VALUES_MAX || r->work > WORK_MAX) {
        r->too_large = true;
        return ERR_OK;
    }
    if (type == JSON_OBJECT)
        e = read_record(r, json, form, ret);
    else if (type == JSON_ARRAY)
        e = read_set(r, json, form, ret);
    else
        e = read_plain(r, json, form, ret);
    if (e == ERR_MALFORMED) {
        r->opaque = true;
        e = ERR_OK;
    }
    if (e == ERR_OK && json == r->element) {
        r->found = *ret;
        r->was_found = true;
    }
    return e;
}

/* An object, or nothing that a policy could look at. */
static enum err read_arguments(struct reading *r, const struct json *json,
                               const struct rules_form *form,
                               struct cedar_value *ret)
{
    const struct cedar_record *empty;
    enum err e = ERR_OK;
    if (json == NULL) {
        e = cedar_value_record(r->arena, NULL, 0, &empty);
        if (e == ERR_OK)
            *ret = cedar_value_of(empty);
    } else if (json_type(json) == JSON_OBJECT) {
        e = read_value(r, json, form, ret);
    } else {
        r->opaque = true;
    }
    return e;
}

enum err rules_input_fill(struct rules_facts *f)
{
    const struct rules_tool *t = f->request->tool;
    struct reading r = {.arena = f->arena, .element = t->element};
    struct rules_form form = {.root = t->schema, .work = &r.work};
    const struct rules_form untyped = {.work = &r.work};
    struct cedar_value input = {.kind = CEDAR_NOTHING};
    bool is_call = f->request->action == ACTION_TOOL_CALL;
    if (t->any_arguments ||
        (t->arguments == NULL && t->element == NULL && !is_call))
        return ERR_OK;
    rules_form_add(&form, t->schema);
    enum err e = read_arguments(&r, t->arguments, &form, &input);
    if (e == ERR_OK && t->element != NULL && !r.was_found && !r.too_large)
        e = read_value(&r, t->element, &untyped, &r.found);
    if (e != ERR_OK)
        return e;
    if (!r.too_large) {
        f->context[SHAPE_CONTEXT_INPUT] = input;
        f->context[SHAPE_CONTEXT_ELEMENT] = r.found;
    }
    f->context[SHAPE_CONTEXT_INPUT_OPAQUE] =
        cedar_value_bool(r.opaque || r.too_large);
    return ERR_OK;
}
