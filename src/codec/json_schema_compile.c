/*
 * json_schema_compile.c - from a document to nodes; see json_schema.h.
 *
 * Schemas wait in a queue, so nesting costs no stack, and a $ref forward or
 * in a circle needs nothing special: the node exists from the moment that
 * somebody names its place.
 */
#include "codec/json_pointer.h"
#include "codec/json_schema_compiler.h"

enum { SLOTS_FIRST = 64 };

static const struct {
    struct str name;
    enum json_schema_group group;
    bool only_2020;
} keywords[KW_COUNT] = {
#define ONLY_ANY false
#define ONLY_2020 true
#define X(id, name, group, dialects)                                           \
    {STR_INIT(name), GROUP_##group, ONLY_##dialects},
    JSON_SCHEMA_KEYWORDS(X)
#undef X
};

static const struct json_schema_node anything = {0};
static const struct json_schema_node nothing = {.is_never = true};

const char *json_schema_keyword_name(enum json_schema_keyword k)
{
    return k < KW_COUNT ? keywords[k].name.ptr : "";
}

static enum json_schema_keyword find_keyword(struct str name)
{
    unsigned low = 0;
    unsigned high = KW_COUNT;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        int order = str_compare(name, keywords[middle].name);
        if (order == 0)
            return (enum json_schema_keyword)middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return KW_NONE;
}

enum err json_schema_compile_failed(struct json_schema_compiler *c, enum err e,
                                    enum json_schema_keyword k,
                                    const struct json *at, const char *what)
{
    struct json_schema_failure *f = c->failure;
    if (f == NULL)
        return e;
    struct buf to;
    f->keyword = json_schema_keyword_name(k);
    buf_init_lent(&to, f->pointer, sizeof(f->pointer) - 1);
    json_pointer_write(&to, c->root, at);
    f->pointer[to.len] = '\0';
    buf_init_lent(&to, f->text, sizeof(f->text) - 1);
    buf_add(&to, str_from(what));
    f->text[to.len] = '\0';
    return e;
}

void *json_schema_compile_alloc(struct json_schema_compiler *c, size_t n,
                                size_t size)
{
    size_t used = c->arena->used - c->arena_start;
    bool fits = used <= c->left.bytes && n <= (c->left.bytes - used) / size;
    void *p = fits ? arena_alloc_n(c->arena, n, size) : NULL;
    if (p == NULL)
        (void)json_schema_compile_failed(c, ERR_LIMIT, KW_NONE, c->root,
                                         "the schema needs too much memory");
    return p;
}

/* Where the node of `source` is, or is to go. */
static struct json_schema_node **find_slot(struct json_schema_node **slots,
                                           size_t count,
                                           const struct json *source)
{
    /* Of addresses in one array the lowest bits are the same.  Nobody outside
     * can choose them, and there are no more than there are schemas. */
    uint64_t h = (uint64_t)(uintptr_t)source >> 3;
    h *= UINT64_C(0x9e3779b97f4a7c15);
    size_t at = (size_t)(h >> 20) & (count - 1);
    while (slots[at] != NULL && slots[at]->source != source)
        at = (at + 1) & (count - 1);
    return &slots[at];
}

static enum err grow_slots(struct json_schema_compiler *c)
{
    if (c->node_count * 2 < c->slot_count)
        return ERR_OK;
    size_t count = c->slot_count == 0 ? SLOTS_FIRST : c->slot_count * 2;
    struct json_schema_node **slots =
        COMPILE_NEW(c, struct json_schema_node *, count);
    if (slots == NULL)
        return ERR_LIMIT;
    for (size_t i = 0; i < c->slot_count; i++) {
        if (c->slots[i] != NULL)
            *find_slot(slots, count, c->slots[i]->source) = c->slots[i];
    }
    c->slots = slots;
    c->slot_count = count;
    return ERR_OK;
}

enum err json_schema_compile_node(struct json_schema_compiler *c,
                                  enum json_schema_keyword k,
                                  const struct json *source,
                                  const struct json_schema_node **ret)
{
    bool is_true;
    if (json_bool(source, &is_true)) {
        *ret = is_true ? &anything : &nothing;
        return ERR_OK;
    }
    if (json_type(source) != JSON_OBJECT)
        return json_schema_compile_failed(
            c, ERR_MALFORMED, k, source,
            "a schema must be an object, true or false");
    if (grow_slots(c) != ERR_OK)
        return ERR_LIMIT;
    struct json_schema_node **slot = find_slot(c->slots, c->slot_count, source);
    if (*slot == NULL) {
        if (c->node_count == c->left.nodes)
            return json_schema_compile_failed(c, ERR_LIMIT, k, source,
                                              "there are too many schemas");
        struct json_schema_node *n = COMPILE_NEW(c, struct json_schema_node, 1);
        if (n == NULL)
            return ERR_LIMIT;
        n->source = source;
        c->node_count++;
        *slot = n;
        if (c->last == NULL)
            c->first = n;
        else
            c->last->next = n;
        c->last = n;
    }
    *ret = *slot;
    return ERR_OK;
}

const struct json *json_schema_compile_get(const struct json_schema_node *n,
                                           enum json_schema_keyword k)
{
    return json_get(n->source, keywords[k].name);
}

enum err json_schema_compile_get_node(struct json_schema_compiler *c,
                                      const struct json_schema_node *n,
                                      enum json_schema_keyword k,
                                      const struct json_schema_node **ret)
{
    const struct json *v = json_schema_compile_get(n, k);
    return v == NULL ? ERR_OK : json_schema_compile_node(c, k, v, ret);
}

enum err json_schema_compile_get_count(struct json_schema_compiler *c,
                                       const struct json_schema_node *n,
                                       enum json_schema_keyword k,
                                       uint64_t *ret)
{
    const struct json *v = json_schema_compile_get(n, k);
    struct str text;
    if (v == NULL)
        return ERR_OK;
    if (!json_number(v, &text) || !decimal_u64(decimal_read(text), ret))
        return json_schema_compile_failed(c, ERR_MALFORMED, k, v,
                                          "must be a non-negative integer");
    return ERR_OK;
}

enum err json_schema_compile_get_list(struct json_schema_compiler *c,
                                      const struct json_schema_node *n,
                                      enum json_schema_keyword k,
                                      struct json_schema_list *ret)
{
    const struct json *list = json_schema_compile_get(n, k);
    if (list == NULL)
        return ERR_OK;
    size_t count = json_count(list);
    if (json_type(list) != JSON_ARRAY || count == 0)
        return json_schema_compile_failed(
            c, ERR_MALFORMED, k, list,
            "must be an array of at least one schema");
    const struct json_schema_node **nodes =
        COMPILE_NEW(c, const struct json_schema_node *, count);
    if (nodes == NULL)
        return ERR_LIMIT;
    struct json_iter it = json_each(list);
    const struct json *v;
    for (size_t i = 0; json_next(&it, NULL, &v); i++) {
        enum err e = json_schema_compile_node(c, k, v, &nodes[i]);
        if (e != ERR_OK)
            return e;
    }
    *ret = (struct json_schema_list){nodes, count};
    return ERR_OK;
}

/* Schemas that nobody may ever refer to are read too: one answer for all. */
static enum err compile_defs(struct json_schema_compiler *c,
                             const struct json_schema_node *n,
                             enum json_schema_keyword k)
{
    const struct json *defs = json_schema_compile_get(n, k);
    if (defs == NULL)
        return ERR_OK;
    if (json_type(defs) != JSON_OBJECT)
        return json_schema_compile_failed(c, ERR_MALFORMED, k, defs,
                                          "must be an object of schemas");
    struct json_iter it = json_each(defs);
    const struct json_schema_node *node;
    const struct json *v;
    enum err e = ERR_OK;
    while (e == ERR_OK && json_next(&it, NULL, &v))
        e = json_schema_compile_node(c, k, v, &node);
    return e;
}

/* Inside the document it may be said again, not changed. */
static enum err check_dialect(struct json_schema_compiler *c,
                              const struct json *name)
{
    enum json_schema_dialect dialect = DIALECT_UNSAID;
    if (name == NULL)
        return ERR_OK;
    enum err e = json_schema_ref_dialect(c, name, &dialect);
    if (e == ERR_OK && dialect != c->dialect)
        e = json_schema_compile_failed(c, ERR_UNSUPPORTED, KW_SCHEMA, name,
                                       "the root names another dialect");
    return e;
}

static enum err compile_core(struct json_schema_compiler *c,
                             struct json_schema_node *n)
{
    const struct json *v = json_schema_compile_get(n, KW_ID);
    if (v != NULL && n->source != c->root)
        return json_schema_compile_failed(
            c, ERR_UNSUPPORTED, KW_ID, v,
            "a document inside the document is not supported");
    enum err e = check_dialect(c, json_schema_compile_get(n, KW_SCHEMA));
    if (e != ERR_OK)
        return e;
    v = json_schema_compile_get(n, KW_ANCHOR);
    if (v != NULL)
        e = json_schema_ref_add_anchor(c, n, v);
    if (e == ERR_OK)
        e = compile_defs(c, n, KW_DEFS);
    if (e == ERR_OK)
        e = compile_defs(c, n, KW_DEFINITIONS);
    return e;
}

/* Which groups the schema uses, if it may use what it uses. */
static enum err find_groups(struct json_schema_compiler *c,
                            const struct json_schema_node *n, unsigned *ret)
{
    struct json_iter it = json_each(n->source);
    struct str name;
    const struct json *v;
    while (json_next(&it, &name, &v)) {
        enum json_schema_keyword k = find_keyword(name);
        if (k == KW_NONE)
            continue;
        if (keywords[k].group == GROUP_REFUSED)
            return json_schema_compile_failed(c, ERR_UNSUPPORTED, k, v,
                                              "the keyword is not supported");
        if (c->dialect == DIALECT_7 && keywords[k].only_2020)
            return json_schema_compile_failed(
                c, ERR_UNSUPPORTED, k, v,
                "draft-07, which the schema says it is, has no such keyword");
        *ret |= keywords[k].group;
    }
    /* Draft-07 skips what stands beside $ref; 2020-12 does not. */
    v = json_schema_compile_get(n, KW_REF);
    if (c->dialect != DIALECT_7 || v == NULL)
        return ERR_OK;
    it = json_each(n->source);
    while (json_next(&it, &name, NULL)) {
        enum json_schema_keyword k = find_keyword(name);
        if (k != KW_REF && k != KW_NONE && keywords[k].group != GROUP_CORE)
            return json_schema_compile_failed(
                c, ERR_UNSUPPORTED, KW_REF, v,
                "draft-07 skips the keywords that stand beside $ref");
    }
    return ERR_OK;
}

static enum err compile_one(struct json_schema_compiler *c,
                            struct json_schema_node *n)
{
    static const struct {
        enum json_schema_group group;
        enum err (*compile)(struct json_schema_compiler *,
                            struct json_schema_node *);
    } groups[] = {
        {GROUP_CORE, compile_core},
        {GROUP_VALUE, json_schema_value_compile},
        {GROUP_NUMBER, json_schema_number_compile},
        {GROUP_STRING, json_schema_string_compile},
        {GROUP_ARRAY, json_schema_array_compile},
        {GROUP_OBJECT, json_schema_members_compile},
        {GROUP_LOGIC, json_schema_logic_compile},
    };
    unsigned used = 0;
    enum err e = find_groups(c, n, &used);
    for (size_t i = 0; i < ARRAY_LEN(groups) && e == ERR_OK; i++) {
        if ((used & groups[i].group) != 0)
            e = groups[i].compile(c, n);
    }
    return e;
}

enum err json_schema_compile(struct arena *a, const struct json *schema,
                             const struct json_schema_limits *limits,
                             const struct json_schema **ret,
                             struct json_schema_failure *ret_failure)
{
    struct json_schema_compiler c = {
        .arena = a,
        .arena_start = a->used,
        .root = schema,
        .left = limits == NULL ? JSON_SCHEMA_LIMITS : *limits,
        .failure = ret_failure,
    };
    struct json_schema *s = COMPILE_NEW(&c, struct json_schema, 1);
    if (s == NULL)
        return ERR_LIMIT;
    enum err e = json_schema_ref_begin(&c);
    if (e == ERR_OK)
        e = json_schema_compile_node(&c, KW_NONE, schema, &s->root);
    while (e == ERR_OK && c.first != NULL) {
        struct json_schema_node *n = c.first;
        c.first = n->next;
        if (c.first == NULL)
            c.last = NULL;
        n->next = NULL;
        e = compile_one(&c, n);
    }
    if (e == ERR_OK)
        e = json_schema_ref_end(&c);
    if (e == ERR_OK)
        *ret = s;
    return e;
}
