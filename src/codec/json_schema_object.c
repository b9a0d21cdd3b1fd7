/* json_schema_object.c - validating objects; json_schema_members.c compiles. */
#include "codec/json_schema_check.h"
#include "codec/json_value.h"

static const struct json_schema_property *
find_property(const struct json_schema_objects *rules, struct str name)
{
    size_t low = 0;
    size_t high = rules->property_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_compare(name, rules->properties[middle].name);
        if (order == 0)
            return &rules->properties[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* A keyword's verdict about the property `name`, whose value is `at`. */
static bool no_property(struct json_schema_check *k,
                        enum json_schema_keyword kw,
                        const struct json_schema_node *n, const struct json *at,
                        struct str name)
{
    (void)json_schema_no(k, kw, n, at);
    k->fault.name = name;
    return false;
}

/* A property that is not allowed at all is the object's fault. */
static bool check_value(struct json_schema_check *k,
                        const struct json_schema_node *n,
                        enum json_schema_keyword kw,
                        const struct json_schema_node *rule,
                        const struct json *value)
{
    if (!rule->is_never)
        return json_schema_check_inner(k, rule, value);
    k->level++;
    (void)json_schema_no(k, kw, n, value);
    k->level--;
    return false;
}

/* The member as a value and as a name; *ret_required counts those that had
 * to be there. */
static bool check_member(struct json_schema_check *k,
                         const struct json_schema_node *n, struct str name,
                         const struct json *value, bool *ret_looked_at,
                         size_t *ret_required)
{
    const struct json_schema_objects *rules = n->objects;
    bool looked_at = false;
    if (!json_schema_spend(k, 1 + name.len / 16))
        return false;
    const struct json_schema_property *p = find_property(rules, name);
    if (p != NULL) {
        *ret_required += p->is_required;
        looked_at = p->node != NULL;
        if (p->node != NULL &&
            !check_value(k, n, KW_PROPERTIES, p->node, value))
            return false;
    }
    for (size_t i = 0; i < rules->pattern_count; i++) {
        const struct json_schema_pattern_property *by = &rules->patterns[i];
        bool matches = json_schema_pattern_check(k, by->pattern, name);
        if (k->err != ERR_OK)
            return false;
        if (!matches)
            continue;
        looked_at = true;
        if (!check_value(k, n, KW_PATTERN_PROPERTIES, by->node, value))
            return false;
    }
    if (!looked_at && rules->additional != NULL) {
        looked_at = true;
        if (!check_value(k, n, KW_ADDITIONAL_PROPERTIES, rules->additional,
                         value))
            return false;
    }
    *ret_looked_at = looked_at;
    return true;
}

/* A member's name is a value too: it stands in front of the member's. */
static bool check_name(struct json_schema_check *k,
                       const struct json_schema_node *n,
                       const struct json *object, struct str name,
                       const struct json *value)
{
    if (n->objects->names == NULL)
        return true;
    const struct json *key = json_of_value(json_value(value) - 1);
    if (json_schema_check(k, n->objects->names, key, NULL))
        return true;
    return no_property(k, KW_PROPERTY_NAMES, n, object, name);
}

/* Called when one is missing; the first by name is. */
static bool no_required(struct json_schema_check *k,
                        const struct json_schema_node *n,
                        const struct json *object)
{
    const struct json_schema_objects *rules = n->objects;
    for (size_t i = 0; i < rules->property_count; i++) {
        const struct json_schema_property *p = &rules->properties[i];
        if (!p->is_required)
            continue;
        if (!json_schema_spend(k, 1 + json_count(object)))
            return false;
        if (json_get(object, p->name) == NULL)
            return no_property(k, KW_REQUIRED, n, object, p->name);
    }
    return false;
}

static bool check_dependency(struct json_schema_check *k,
                             const struct json_schema_node *n,
                             const struct json_schema_dependency *d,
                             const struct json *v,
                             struct json_schema_marks *marks)
{
    if (!json_schema_spend(k, 1 + json_count(v)))
        return false;
    if (json_get(v, d->name) == NULL)
        return true;
    struct json_iter it = json_each(d->names);
    const struct json *other;
    struct str name;
    while (json_next(&it, NULL, &other)) {
        if (!json_schema_spend(k, 1 + json_count(v)) || !json_str(other, &name))
            return false;
        if (json_get(v, name) == NULL)
            return no_property(k, d->keyword, n, v, name);
    }
    if (d->node == NULL)
        return true;
    if (d->node->is_never)
        return no_property(k, d->keyword, n, v, d->name);
    return json_schema_check(k, d->node, v, marks);
}

static bool check_members(struct json_schema_check *k,
                          const struct json_schema_node *n,
                          const struct json *v, struct json_schema_marks *marks)
{
    const struct json_schema_objects *rules = n->objects;
    struct json_iter it = json_each(v);
    struct str name;
    const struct json *value;
    size_t required = 0;
    for (size_t i = 0; json_next(&it, &name, &value); i++) {
        bool looked_at = false;
        if (!check_name(k, n, v, name, value) ||
            !check_member(k, n, name, value, &looked_at, &required))
            return false;
        if (looked_at)
            json_schema_mark(marks, i);
    }
    return required == rules->required_count || no_required(k, n, v);
}

bool json_schema_object_check(struct json_schema_check *k,
                              const struct json_schema_node *n,
                              const struct json *v,
                              struct json_schema_marks *marks)
{
    const struct json_schema_objects *rules = n->objects;
    if (json_type(v) != JSON_OBJECT)
        return true;
    size_t count = json_count(v);
    if (count < rules->min)
        return json_schema_no(k, KW_MIN_PROPERTIES, n, v);
    if (count > rules->max)
        return json_schema_no(k, KW_MAX_PROPERTIES, n, v);
    if (!check_members(k, n, v, marks))
        return false;
    for (size_t i = 0; i < rules->dependency_count; i++) {
        if (!check_dependency(k, n, &rules->dependencies[i], v, marks))
            return false;
    }
    return true;
}

bool json_schema_object_check_rest(struct json_schema_check *k,
                                   const struct json_schema_node *n,
                                   const struct json *v,
                                   struct json_schema_marks *marks)
{
    struct json_iter it = json_each(v);
    const struct json *value;
    for (size_t i = 0; json_next(&it, NULL, &value); i++) {
        if (!json_schema_is_marked(marks, i) &&
            !check_value(k, n, KW_UNEVALUATED_PROPERTIES,
                         n->objects->unevaluated, value))
            return false;
        json_schema_mark(marks, i);
    }
    return true;
}
