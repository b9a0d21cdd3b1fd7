/*
 * json_schema_array.c - the keywords of arrays; see json_schema.h.
 *
 * The array form of items, of draft-07, is prefixItems, and additionalItems
 * beside it is items.
 */
#include "codec/json_schema_check.h"
#include "codec/json_schema_compiler.h"

static enum err compile_items(struct json_schema_compiler *c,
                              const struct json_schema_node *n,
                              struct json_schema_arrays *to)
{
    const struct json *items = json_schema_compile_get(n, KW_ITEMS);
    const struct json *prefix = json_schema_compile_get(n, KW_PREFIX_ITEMS);
    bool is_old = json_type(items) == JSON_ARRAY;
    if (is_old && (prefix != NULL || c->dialect == DIALECT_2020))
        return json_schema_compile_failed(
            c, ERR_MALFORMED, KW_ITEMS, items,
            "must be a schema; an array is called prefixItems");
    struct json_schema_list list = {0};
    enum err e = ERR_OK;
    if (!is_old || json_count(items) > 0)
        e = json_schema_compile_get_list(c, n,
                                         is_old ? KW_ITEMS : KW_PREFIX_ITEMS,
                                         &list);
    if (e != ERR_OK)
        return e;
    to->prefix = list.nodes;
    to->prefix_count = list.count;
    to->items_keyword = is_old ? KW_ADDITIONAL_ITEMS : KW_ITEMS;
    return json_schema_compile_get_node(c, n, to->items_keyword, &to->items);
}

enum err json_schema_array_compile(struct json_schema_compiler *c,
                                   struct json_schema_node *n)
{
    struct json_schema_arrays *to =
        COMPILE_NEW(c, struct json_schema_arrays, 1);
    if (to == NULL)
        return ERR_LIMIT;
    to->max = to->max_contains = UINT64_MAX;
    to->min_contains = 1;
    n->arrays = to;
    enum err e = compile_items(c, n, to);
    if (e == ERR_OK)
        e = json_schema_compile_get_count(c, n, KW_MIN_ITEMS, &to->min);
    if (e == ERR_OK)
        e = json_schema_compile_get_count(c, n, KW_MAX_ITEMS, &to->max);
    if (e == ERR_OK)
        e = json_schema_compile_get_count(c, n, KW_MIN_CONTAINS,
                                          &to->min_contains);
    if (e == ERR_OK)
        e = json_schema_compile_get_count(c, n, KW_MAX_CONTAINS,
                                          &to->max_contains);
    if (e == ERR_OK)
        e = json_schema_compile_get_node(c, n, KW_CONTAINS, &to->contains);
    if (e == ERR_OK)
        e = json_schema_compile_get_node(c, n, KW_UNEVALUATED_ITEMS,
                                         &to->unevaluated);
    const struct json *unique = json_schema_compile_get(n, KW_UNIQUE_ITEMS);
    if (e == ERR_OK && unique != NULL && !json_bool(unique, &to->unique))
        e = json_schema_compile_failed(c, ERR_MALFORMED, KW_UNIQUE_ITEMS,
                                       unique, "must be true or false");
    return e;
}

/* An element that is not allowed at all is the array's fault. */
static bool check_element(struct json_schema_check *k,
                          const struct json_schema_node *n,
                          enum json_schema_keyword kw,
                          const struct json_schema_node *rule,
                          const struct json *element)
{
    if (!rule->is_never)
        return json_schema_check_inner(k, rule, element);
    k->level++;
    (void)json_schema_no(k, kw, n, element);
    k->level--;
    return false;
}

static bool check_items(struct json_schema_check *k,
                        const struct json_schema_node *n, const struct json *v,
                        struct json_schema_marks *marks)
{
    const struct json_schema_arrays *rules = n->arrays;
    if (rules->prefix_count == 0 && rules->items == NULL)
        return true;
    struct json_iter it = json_each(v);
    const struct json *element;
    for (size_t i = 0; json_next(&it, NULL, &element); i++) {
        bool is_first = i < rules->prefix_count;
        const struct json_schema_node *rule =
            is_first ? rules->prefix[i] : rules->items;
        if (rule == NULL)
            break;
        if (!check_element(k, n,
                           is_first ? KW_PREFIX_ITEMS : rules->items_keyword,
                           rule, element))
            return false;
        json_schema_mark(marks, i);
    }
    return true;
}

static bool check_contains(struct json_schema_check *k,
                           const struct json_schema_node *n,
                           const struct json *v,
                           struct json_schema_marks *marks)
{
    const struct json_schema_arrays *rules = n->arrays;
    if (rules->contains == NULL)
        return true;
    struct json_iter it = json_each(v);
    const struct json *element;
    uint64_t found = 0;
    for (size_t i = 0; json_next(&it, NULL, &element); i++) {
        if (json_schema_check_inner(k, rules->contains, element)) {
            found++;
            json_schema_mark(marks, i);
        }
        if (k->err != ERR_OK)
            return false;
    }
    if (found < rules->min_contains)
        return json_schema_no(k,
                              rules->min_contains == 1 ? KW_CONTAINS
                                                       : KW_MIN_CONTAINS,
                              n, v);
    if (found > rules->max_contains)
        return json_schema_no(k, KW_MAX_CONTAINS, n, v);
    return true;
}

bool json_schema_array_check(struct json_schema_check *k,
                             const struct json_schema_node *n,
                             const struct json *v,
                             struct json_schema_marks *marks)
{
    const struct json_schema_arrays *rules = n->arrays;
    if (json_type(v) != JSON_ARRAY)
        return true;
    size_t count = json_count(v);
    if (count < rules->min)
        return json_schema_no(k, KW_MIN_ITEMS, n, v);
    if (count > rules->max)
        return json_schema_no(k, KW_MAX_ITEMS, n, v);
    if (rules->unique && !json_schema_value_unique(k, v))
        return json_schema_no(k, KW_UNIQUE_ITEMS, n, v);
    return check_items(k, n, v, marks) && check_contains(k, n, v, marks);
}

bool json_schema_array_check_rest(struct json_schema_check *k,
                                  const struct json_schema_node *n,
                                  const struct json *v,
                                  struct json_schema_marks *marks)
{
    struct json_iter it = json_each(v);
    const struct json *element;
    for (size_t i = 0; json_next(&it, NULL, &element); i++) {
        if (!json_schema_is_marked(marks, i) &&
            !check_element(k, n, KW_UNEVALUATED_ITEMS, n->arrays->unevaluated,
                           element))
            return false;
        json_schema_mark(marks, i);
    }
    return true;
}
