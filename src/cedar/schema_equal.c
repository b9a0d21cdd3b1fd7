/* schema_equal.c - see schema_equal.h. */
#include "cedar/schema_equal.h"

#include <stdlib.h>

/* By the number of a type of one schema: the type of the other that it was
 * found to be equal to.  Types that share their parts are walked once. */
struct comparing {
    const struct type **equal;
};

static bool same_type(struct comparing *c, const struct type *a,
                      const struct type *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    if (a->kind != b->kind || a->count != b->count || a->depth != b->depth)
        return false;
    if (a->kind == TYPE_ENTITY)
        return str_eq(a->as.entity->name.name, b->as.entity->name.name);
    if (a->kind == TYPE_SET)
        return same_type(c, a->as.element, b->as.element);
    if (c->equal[a->number] == b)
        return true;
    for (uint32_t i = 0; i < a->count; i++) {
        const struct type_member *x = &a->as.members[i];
        const struct type_member *y = &b->as.members[i];
        if (x->is_required != y->is_required ||
            !str_eq(x->key.name, y->key.name) ||
            !same_type(c, x->type, y->type))
            return false;
    }
    c->equal[a->number] = b;
    return true;
}

/* Numbers of entity types mean the same in both once the names are equal. */
static bool same_list(const uint32_t *a, uint32_t a_count, const uint32_t *b,
                      uint32_t b_count)
{
    return a_count == b_count &&
           (a_count == 0 || memcmp(a, b, a_count * sizeof(*a)) == 0);
}

static bool same_entity(struct comparing *c, const struct schema_entity *a,
                        const struct schema_entity *b)
{
    if (!str_eq(a->name.name, b->name.name) || a->is_action != b->is_action ||
        a->is_enum != b->is_enum || a->id_count != b->id_count)
        return false;
    for (uint32_t i = 0; i < a->id_count; i++)
        if (!str_eq(a->ids[i], b->ids[i]))
            return false;
    return same_type(c, a->shape, b->shape) && same_type(c, a->tags, b->tags) &&
           same_list(a->ancestors, a->ancestor_count, b->ancestors,
                     b->ancestor_count);
}

/* It can be no request's; then its context means nothing. */
static bool never_applies(const struct schema_action *a)
{
    return a->principal_count == 0 || a->resource_count == 0;
}

static bool same_application(struct comparing *c, const struct schema_action *x,
                             const struct schema_action *y)
{
    if (never_applies(x) || never_applies(y))
        return never_applies(x) && never_applies(y);
    return same_list(x->principals, x->principal_count, y->principals,
                     y->principal_count) &&
           same_list(x->resources, x->resource_count, y->resources,
                     y->resource_count) &&
           same_type(c, x->context, y->context);
}

static bool same_action(struct comparing *c, const struct cedar_schema *a,
                        const struct cedar_schema *b, uint32_t i)
{
    const struct schema_action *x = &a->applies[i];
    const struct schema_action *y = &b->applies[i];
    const struct entities_entity *left = &a->actions.entities[i];
    const struct entities_entity *right = &b->actions.entities[i];
    return cedar_uid_equal(&a->actions.uids[i], &b->actions.uids[i]) &&
           same_list(left->ancestors, left->ancestor_count, right->ancestors,
                     right->ancestor_count) &&
           same_application(c, x, y);
}

static bool same_all(struct comparing *c, const struct cedar_schema *a,
                     const struct cedar_schema *b)
{
    for (uint32_t i = 0; i < a->entity_count; i++)
        if (!same_entity(c, &a->entities[i], &b->entities[i]))
            return false;
    for (uint32_t i = 0; i < a->actions.uid_count; i++)
        if (!same_action(c, a, b, i))
            return false;
    return true;
}

bool schema_equal(const struct cedar_schema *a, const struct cedar_schema *b)
{
    if (a->entity_count != b->entity_count ||
        a->actions.uid_count != b->actions.uid_count)
        return false;
    struct comparing c = {
        (const struct type **)calloc(a->type_count, sizeof(*c.equal))};
    bool same = c.equal != NULL && same_all(&c, a, b);
    free((void *)c.equal);
    return same;
}
