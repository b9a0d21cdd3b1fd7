/* rules_form.c - see rules_form.h. */
#include "policy/rules_form.h"

#include "base/attr.h"
#include "codec/json_pointer.h"

static unsigned number_of(const struct json *type)
{
    return json_is_string(type, STR("number"))    ? RULES_FORM_NUMBER
           : json_is_string(type, STR("integer")) ? RULES_FORM_INTEGER
                                                  : 0;
}

static void add_types(struct rules_form *f, const struct json *types)
{
    struct json_iter it = json_each(types);
    const struct json *one;
    f->numbers |= number_of(types);
    while (json_type(types) == JSON_ARRAY && json_next(&it, NULL, &one))
        f->numbers |= number_of(one);
}

static void add_each(struct rules_form *f, const struct json *schemas)
{
    struct json_iter it = json_each(schemas);
    const struct json *one;
    while (json_type(schemas) == JSON_ARRAY &&
           f->schemas < RULES_FORM_SCHEMAS && json_next(&it, NULL, &one))
        rules_form_add(f, one);
}

/* Step by step, so that what each costs is known. */
static void add_ref(struct rules_form *f, const struct json *ref)
{
    const struct json *at = f->root;
    struct str to;
    if (!json_str(ref, &to) || !str_starts(to, STR("#")) ||
        str_find(to, '%') < to.len)
        return;
    to = str_skip(to, 1);
    while (at != NULL && to.len > 0) {
        size_t step = 1 + str_find(str_skip(to, 1), '/');
        *f->work += json_count(at);
        at = json_pointer_find(at, str_first(to, step));
        to = str_skip(to, step);
    }
    rules_form_add(f, at);
}

/* One look at each keyword: schemas have few, and this is done per call. */
static void add_keyword(struct rules_form *f, struct str name,
                        const struct json *v, struct rules_form_part *part)
{
    switch (name.len) {
    case 4:
        if (str_eq(name, STR("type")))
            add_types(f, v);
        else if (str_eq(name, STR("$ref")))
            add_ref(f, v);
        break;
    case 5:
        if (str_eq(name, STR("anyOf")) || str_eq(name, STR("oneOf")) ||
            str_eq(name, STR("allOf")))
            add_each(f, v);
        else if (str_eq(name, STR("items")) && json_type(v) == JSON_ARRAY)
            part->prefix = v;
        else if (str_eq(name, STR("items")))
            part->items = v;
        break;
    case 10:
        if (str_eq(name, STR("properties")))
            part->properties = v;
        break;
    case 11:
        if (str_eq(name, STR("prefixItems")))
            part->prefix = v;
        break;
    case 15:
        if (str_eq(name, STR("additionalItems")))
            part->items = v;
        break;
    case 20:
        if (str_eq(name, STR("additionalProperties")))
            part->additional = v;
        break;
    default:
        break;
    }
}

/* Recurses through $ref and branches; the count of schemas bounds it. */
void rules_form_add(struct rules_form *f, const struct json *schema)
{
    struct rules_form_part part = {NULL, NULL, NULL, NULL};
    struct json_iter it = json_each(schema);
    const struct json *v;
    struct str name;
    if (json_type(schema) != JSON_OBJECT || f->schemas == RULES_FORM_SCHEMAS)
        return;
    f->schemas++;
    *f->work += json_count(schema);
    while (json_next(&it, &name, &v))
        add_keyword(f, name, v, &part);
    bool says = part.properties != NULL || part.additional != NULL ||
                part.items != NULL || part.prefix != NULL;
    if (says && f->count < RULES_FORM_PARTS)
        f->at[f->count++] = part;
}

static void begin(const struct rules_form *from, struct rules_form *ret)
{
    ret->root = from->root;
    ret->work = from->work;
    ret->numbers = 0;
    ret->schemas = 0;
    ret->count = 0;
}

void rules_form_member(const struct rules_form *f, struct str name,
                       struct rules_form *ret)
{
    begin(f, ret);
    for (unsigned i = 0; i < f->count; i++) {
        const struct rules_form_part *p = &f->at[i];
        const struct json *own = json_get(p->properties, name);
        *f->work += json_count(p->properties);
        rules_form_add(ret, own != NULL ? own : p->additional);
    }
}

void rules_form_element(const struct rules_form *f, size_t index,
                        struct rules_form *ret)
{
    begin(f, ret);
    for (unsigned i = 0; i < f->count; i++) {
        const struct rules_form_part *p = &f->at[i];
        bool is_prefix = index < json_count(p->prefix);
        if (is_prefix)
            *f->work += index;
        rules_form_add(ret, is_prefix ? json_at(p->prefix, index) : p->items);
    }
}

bool rules_form_is_uniform(const struct rules_form *f)
{
    for (unsigned i = 0; i < f->count; i++) {
        if (f->at[i].prefix != NULL)
            return false;
    }
    return true;
}
