/* json_schema.c - validating, and the walk; see json_schema.h. */
#include "codec/json_schema.h"

#include <assert.h>

#include "codec/json_schema_check.h"

bool json_schema_no(struct json_schema_check *k, enum json_schema_keyword kw,
                    const struct json_schema_node *n, const struct json *at)
{
    k->fault = (struct json_schema_fault){.keyword = kw,
                                          .node = n,
                                          .at = at,
                                          .level = k->level};
    return false;
}

bool json_schema_marks_take(struct json_schema_check *k, const struct json *v,
                            struct json_schema_marks *ret)
{
    size_t words = (json_count(v) + 63) / 64;
    if (!json_schema_spend(k, 1 + words))
        return false;
    ret->bits = ARENA_NEW(k->scratch, uint64_t, words > 0 ? words : 1);
    ret->words = words;
    if (ret->bits == NULL)
        k->err = ERR_LIMIT;
    return ret->bits != NULL;
}

void json_schema_marks_give(struct json_schema_check *k,
                            struct json_schema_marks *m)
{
    size_t words = m->words > 0 ? m->words : 1;
    arena_shrink(k->scratch, m->bits, words * sizeof(*m->bits), 0);
}

void json_schema_marks_add(struct json_schema_marks *to,
                           const struct json_schema_marks *from)
{
    for (size_t i = 0; i < from->words; i++)
        to->bits[i] |= from->bits[i];
}

static bool check_groups(struct json_schema_check *k,
                         const struct json_schema_node *n, const struct json *v,
                         struct json_schema_marks *marks)
{
    if (n->is_never)
        return json_schema_no(k, KW_NONE, n, v);
    return ((n->types == 0 && n->values == NULL) ||
            json_schema_value_check(k, n, v)) &&
           (n->numbers == NULL || json_schema_number_check(k, n, v)) &&
           (n->strings == NULL || json_schema_string_check(k, n, v)) &&
           (n->arrays == NULL || json_schema_array_check(k, n, v, marks)) &&
           (n->objects == NULL || json_schema_object_check(k, n, v, marks)) &&
           (n->logic == NULL || json_schema_logic_check(k, n, v, marks));
}

/* Does the schema ask what its other keywords have looked at? */
static bool asks(const struct json_schema_node *n, const struct json *v)
{
    enum json_type type = json_type(v);
    return (type == JSON_OBJECT && n->objects != NULL &&
            n->objects->unevaluated != NULL) ||
           (type == JSON_ARRAY && n->arrays != NULL &&
            n->arrays->unevaluated != NULL);
}

static bool check_asking(struct json_schema_check *k,
                         const struct json_schema_node *n, const struct json *v,
                         struct json_schema_marks *marks)
{
    struct json_schema_marks own;
    if (!json_schema_marks_take(k, v, &own))
        return false;
    bool fits = check_groups(k, n, v, &own) &&
                (json_type(v) == JSON_OBJECT
                     ? json_schema_object_check_rest(k, n, v, &own)
                     : json_schema_array_check_rest(k, n, v, &own));
    if (fits && marks != NULL)
        json_schema_marks_add(marks, &own);
    json_schema_marks_give(k, &own);
    return fits;
}

bool json_schema_check(struct json_schema_check *k,
                       const struct json_schema_node *n, const struct json *v,
                       struct json_schema_marks *marks)
{
    if (!json_schema_spend(k, 1))
        return false;
    if (k->depth == JSON_SCHEMA_DEPTH_MAX) {
        k->err = ERR_LIMIT;
        return false;
    }
    k->depth++;
    bool fits = asks(n, v) ? check_asking(k, n, v, marks)
                           : check_groups(k, n, v, marks);
    k->depth--;
    return fits;
}

bool json_schema_check_inner(struct json_schema_check *k,
                             const struct json_schema_node *n,
                             const struct json *v)
{
    k->level++;
    bool fits = json_schema_check(k, n, v, NULL);
    k->level--;
    return fits;
}

enum err json_schema_validate(const struct json_schema *s,
                              const struct json *instance,
                              struct arena *scratch, uint64_t steps,
                              struct json_schema_failure *ret_failure)
{
    struct json_schema_check k = {
        .steps = steps == 0 ? JSON_SCHEMA_STEPS : steps,
        .scratch = scratch,
    };
    bool fits = json_schema_check(&k, s->root, instance, NULL);
    if (fits && k.err == ERR_OK)
        return ERR_OK;
    if (ret_failure != NULL)
        json_schema_text_write(&k, instance, ret_failure);
    return k.err == ERR_OK ? ERR_MALFORMED : k.err;
}

const struct json_schema_node *json_schema_root(const struct json_schema *s)
{
    return s->root;
}

static bool has_hidden_logic(const struct json_schema_logic *logic)
{
    return logic != NULL && (logic->all.count > 0 || logic->not_this != NULL ||
                             logic->condition != NULL ||
                             (logic->any.count > 0 && logic->one.count > 0) ||
                             logic->one.count > 1);
}

static bool has_hidden_members(const struct json_schema_objects *o)
{
    return o != NULL && (o->min > 0 || o->max < UINT64_MAX ||
                         o->pattern_count > 0 || o->dependency_count > 0 ||
                         o->names != NULL || o->unevaluated != NULL);
}

static bool has_hidden_elements(const struct json_schema_arrays *a)
{
    return a != NULL && (a->min > 0 || a->max < UINT64_MAX || a->unique ||
                         a->contains != NULL || a->unevaluated != NULL ||
                         a->prefix_count > 0);
}

static const struct json_schema_list *
alternatives(const struct json_schema_logic *logic)
{
    return logic->any.count > 0 ? &logic->any : &logic->one;
}

struct json_schema_view json_schema_view(const struct json_schema_node *n)
{
    struct json_schema_view view = {
        .source = n->source,
        .is_never = n->is_never,
        .is_partial = n->values != NULL || n->numbers != NULL ||
                      n->strings != NULL || has_hidden_logic(n->logic) ||
                      has_hidden_members(n->objects) ||
                      has_hidden_elements(n->arrays),
        .types = n->types,
    };
    if (n->logic != NULL) {
        view.ref = n->logic->ref;
        view.alternatives = alternatives(n->logic)->count;
    }
    if (n->objects != NULL) {
        view.properties = n->objects->property_count;
        view.additional = n->objects->additional;
        view.patterns = n->objects->pattern_count;
    }
    if (n->arrays != NULL) {
        view.items = n->arrays->items;
        view.prefix = n->arrays->prefix_count;
    }
    return view;
}

struct json_schema_property
json_schema_property(const struct json_schema_node *n, size_t index)
{
    assert(n->objects != NULL && index < n->objects->property_count);
    return n->objects->properties[index];
}

const struct json_schema_node *
json_schema_alternative(const struct json_schema_node *n, size_t index)
{
    assert(n->logic != NULL && index < alternatives(n->logic)->count);
    return alternatives(n->logic)->nodes[index];
}
