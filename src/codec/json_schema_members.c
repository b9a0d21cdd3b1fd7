/* json_schema_members.c - compiling the keywords of objects. */
#include <stdlib.h>

#include "codec/json_schema_compiler.h"

static int compare_names(const void *a, const void *b)
{
    const struct json_schema_property *x = a;
    const struct json_schema_property *y = b;
    return str_compare(x->name, y->name);
}

/* Is it an object, or not there at all? */
static enum err want_object(struct json_schema_compiler *c,
                            enum json_schema_keyword k, const struct json *v)
{
    return v == NULL || json_type(v) == JSON_OBJECT
               ? ERR_OK
               : json_schema_compile_failed(c, ERR_MALFORMED, k, v,
                                            "must be an object");
}

/* Is it an array of strings, or not there at all? */
static enum err want_names(struct json_schema_compiler *c,
                           enum json_schema_keyword k, const struct json *v)
{
    bool fits = v == NULL || json_type(v) == JSON_ARRAY;
    struct json_iter it = json_each(v);
    const struct json *name;
    while (fits && json_next(&it, NULL, &name))
        fits = json_type(name) == JSON_STRING;
    return fits ? ERR_OK
                : json_schema_compile_failed(c, ERR_MALFORMED, k, v,
                                             "must be an array of names");
}

/* One entry a name, sorted; a name of both lists has two neighbours, which
 * become one. */
static size_t merge_properties(struct json_schema_property *all, size_t n)
{
    size_t count = 0;
    qsort(all, n, sizeof(*all), compare_names);
    for (size_t i = 0; i < n; i++) {
        struct json_schema_property *last = count > 0 ? &all[count - 1] : NULL;
        if (last == NULL || !str_eq(last->name, all[i].name)) {
            all[count++] = all[i];
            continue;
        }
        if (all[i].node != NULL)
            last->node = all[i].node;
        last->is_required = last->is_required || all[i].is_required;
    }
    return count;
}

static enum err compile_properties(struct json_schema_compiler *c,
                                   const struct json_schema_node *n,
                                   struct json_schema_objects *to)
{
    const struct json *properties = json_schema_compile_get(n, KW_PROPERTIES);
    const struct json *required = json_schema_compile_get(n, KW_REQUIRED);
    enum err e = want_object(c, KW_PROPERTIES, properties);
    if (e == ERR_OK)
        e = want_names(c, KW_REQUIRED, required);
    size_t room = json_count(properties) + json_count(required);
    if (e != ERR_OK || room == 0)
        return e;
    struct json_schema_property *all =
        COMPILE_NEW(c, struct json_schema_property, room);
    if (all == NULL)
        return ERR_LIMIT;

    struct json_iter it = json_each(properties);
    const struct json *v;
    size_t count = 0;
    for (; json_next(&it, &all[count].name, &v); count++) {
        e = json_schema_compile_node(c, KW_PROPERTIES, v, &all[count].node);
        if (e != ERR_OK)
            return e;
    }
    it = json_each(required);
    for (; json_next(&it, NULL, &v); count++)
        all[count].is_required = json_str(v, &all[count].name);
    to->property_count = merge_properties(all, count);
    to->properties = all;
    for (size_t i = 0; i < to->property_count; i++)
        to->required_count += all[i].is_required;
    return ERR_OK;
}

static enum err compile_patterns(struct json_schema_compiler *c,
                                 const struct json_schema_node *n,
                                 struct json_schema_objects *to)
{
    const struct json *patterns =
        json_schema_compile_get(n, KW_PATTERN_PROPERTIES);
    enum err e = want_object(c, KW_PATTERN_PROPERTIES, patterns);
    size_t count = json_count(patterns);
    if (e != ERR_OK || count == 0)
        return e;
    struct json_schema_pattern_property *all =
        COMPILE_NEW(c, struct json_schema_pattern_property, count);
    if (all == NULL)
        return ERR_LIMIT;
    struct json_iter it = json_each(patterns);
    struct str text;
    const struct json *v;
    for (size_t i = 0; e == ERR_OK && json_next(&it, &text, &v); i++) {
        e = json_schema_pattern_compile(c, KW_PATTERN_PROPERTIES, text, v,
                                        &all[i].pattern);
        if (e == ERR_OK)
            e = json_schema_compile_node(c, KW_PATTERN_PROPERTIES, v,
                                         &all[i].node);
    }
    to->patterns = all;
    to->pattern_count = count;
    return e;
}

/* Names or a schema; which of the two depends on the keyword, and for the
 * oldest one on the value. */
static enum err compile_dependency(struct json_schema_compiler *c,
                                   const struct json *v,
                                   struct json_schema_dependency *to)
{
    bool is_names =
        to->keyword == KW_DEPENDENT_REQUIRED ||
        (to->keyword == KW_DEPENDENCIES && json_type(v) == JSON_ARRAY);
    if (!is_names)
        return json_schema_compile_node(c, to->keyword, v, &to->node);
    to->names = v;
    return want_names(c, to->keyword, v);
}

static enum err compile_dependencies(struct json_schema_compiler *c,
                                     const struct json_schema_node *n,
                                     struct json_schema_objects *to)
{
    static const enum json_schema_keyword keywords[] = {KW_DEPENDENT_REQUIRED,
                                                        KW_DEPENDENT_SCHEMAS,
                                                        KW_DEPENDENCIES};
    const struct json *values[ARRAY_LEN(keywords)];
    size_t room = 0;
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < ARRAY_LEN(keywords); i++) {
        values[i] = json_schema_compile_get(n, keywords[i]);
        room += json_count(values[i]);
        e = want_object(c, keywords[i], values[i]);
    }
    if (e != ERR_OK || room == 0)
        return e;
    struct json_schema_dependency *all =
        COMPILE_NEW(c, struct json_schema_dependency, room);
    if (all == NULL)
        return ERR_LIMIT;
    for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
        struct json_iter it = json_each(values[i]);
        struct str name;
        const struct json *v;
        while (e == ERR_OK && json_next(&it, &name, &v)) {
            struct json_schema_dependency *d = &all[to->dependency_count++];
            d->name = name;
            d->keyword = keywords[i];
            e = compile_dependency(c, v, d);
        }
    }
    to->dependencies = all;
    return e;
}

enum err json_schema_members_compile(struct json_schema_compiler *c,
                                     struct json_schema_node *n)
{
    struct json_schema_objects *to =
        COMPILE_NEW(c, struct json_schema_objects, 1);
    if (to == NULL)
        return ERR_LIMIT;
    to->max = UINT64_MAX;
    n->objects = to;
    enum err e =
        json_schema_compile_get_count(c, n, KW_MIN_PROPERTIES, &to->min);
    if (e == ERR_OK)
        e = json_schema_compile_get_count(c, n, KW_MAX_PROPERTIES, &to->max);
    if (e == ERR_OK)
        e = compile_properties(c, n, to);
    if (e == ERR_OK)
        e = compile_patterns(c, n, to);
    if (e == ERR_OK)
        e = compile_dependencies(c, n, to);
    if (e == ERR_OK)
        e = json_schema_compile_get_node(c, n, KW_ADDITIONAL_PROPERTIES,
                                         &to->additional);
    if (e == ERR_OK)
        e = json_schema_compile_get_node(c, n, KW_PROPERTY_NAMES, &to->names);
    if (e == ERR_OK)
        e = json_schema_compile_get_node(c, n, KW_UNEVALUATED_PROPERTIES,
                                         &to->unevaluated);
    return e;
}
