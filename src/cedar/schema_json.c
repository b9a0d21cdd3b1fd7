/*
 * schema_json.c - the JSON form of schemas; see schema_raw.h.
 *
 * Recursion is that of types and bounded by CEDAR_TYPE_DEPTH_MAX.
 */
#include "cedar/name.h"
#include "cedar/schema_raw.h"

struct reader {
    struct schema_raw *raw;
    struct str space; /* the namespace that the declarations are in */
    const char *what; /* "entity type", "action", "common type" */
    struct str name;  /* which is being read */
    unsigned depth;
};

/* "entity type N::A: <why>"; returns false. */
static bool refuse(struct reader *r, const char *why, struct str which)
{
    return schema_raw_fail(r->raw, 0, "%s %.*s%s%.*s: %s%s%.*s", r->what,
                           STR_FMT(str_first(r->space, 40)),
                           r->space.len > 0 ? "::" : "",
                           STR_FMT(str_first(r->name, 40)), why,
                           which.len > 0 ? " " : "",
                           STR_FMT(str_first(which, 40)));
}

static void *make(struct reader *r, size_t size)
{
    void *made = arena_alloc(&r->raw->schema->arena, size);
    if (made == NULL)
        (void)schema_raw_no_memory(r->raw);
    return made;
}

/* True when an object has no other members than `known`, NULL at the end. */
static bool only(struct reader *r, const struct json *object,
                 const char *const *known)
{
    struct json_iter it = json_each(object);
    struct str name;
    if (json_type(object) != JSON_OBJECT)
        return refuse(r, "expected an object", (struct str){0});
    while (json_next(&it, &name, NULL)) {
        const char *const *k = known;
        while (*k != NULL && !str_eq(name, str_from(*k)))
            k++;
        if (*k == NULL)
            return refuse(r, "unknown member", name);
    }
    return true;
}

static bool annotations(struct reader *r, const struct json *json,
                        const struct raw_annotation **ret)
{
    struct json_iter it = json_each(json);
    struct raw_annotation *first = NULL;
    struct raw_annotation **end = &first;
    struct str key;
    const struct json *value;
    if (json != NULL && json_type(json) != JSON_OBJECT)
        return refuse(r, "annotations have to be an object", (struct str){0});
    while (json_next(&it, &key, &value)) {
        struct raw_annotation *a = make(r, sizeof(*a));
        size_t parts = 0;
        if (a == NULL)
            return false;
        while (parts < key.len && name_is_part(key.ptr[parts]))
            parts++;
        if (parts < key.len || key.len == 0 || name_is_digit(key.ptr[0]))
            return refuse(r, "no name for an annotation:", key);
        a->key = key;
        a->value = STR("");
        if (!json_str(value, &a->value) && json_type(value) != JSON_NULL)
            return refuse(r, "an annotation is no string:", key);
        *end = a;
        end = &a->next;
    }
    *ret = first;
    return true;
}

/* A type's name, which may begin with __cedar. */
static bool is_type_name(struct str name)
{
    struct str own = STR("__cedar::");
    return cedar_uid_is_type(str_starts(name, own) ? str_skip(name, own.len)
                                                   : name);
}

static bool type_name(struct reader *r, const struct json *json,
                      struct str *ret)
{
    if (!json_str(json, ret))
        return refuse(r, "expected the name of a type", (struct str){0});
    return is_type_name(*ret) || refuse(r, "no name of a type:", *ret);
}

static bool type(struct reader *r, const struct json *json, bool is_member,
                 struct raw_type **ret);

static bool members(struct reader *r, const struct json *json,
                    struct raw_type *to)
{
    struct raw_member **end = &to->members;
    struct json_iter it = json_each(json);
    struct str name;
    const struct json *one;
    if (json_type(json) != JSON_OBJECT)
        return refuse(r, "attributes have to be an object", (struct str){0});
    while (json_next(&it, &name, &one)) {
        struct raw_member *m = make(r, sizeof(*m));
        const struct json *required = json_get(one, STR("required"));
        if (m == NULL)
            return false;
        *m = (struct raw_member){.name = name, .is_required = true};
        if (required != NULL && !json_bool(required, &m->is_required))
            return refuse(r, "required is true or false, for", name);
        if (!type(r, one, true, &m->type))
            return false;
        *end = m;
        end = &m->next;
        to->count++;
    }
    return true;
}

static bool record(struct reader *r, const struct json *json,
                   struct raw_type *to)
{
    const struct json *more = json_get(json, STR("additionalAttributes"));
    bool is_open = false;
    to->kind = RAW_RECORD;
    if (more != NULL && (!json_bool(more, &is_open) || is_open))
        return refuse(r, "additionalAttributes can only be false",
                      (struct str){0});
    return members(r, json_get(json, STR("attributes")), to);
}

/* The forms of a type: what stands beside "type", and what it means. */
static const struct form {
    struct str type;
    enum raw_kind kind;
    enum type_kind simple;
    const char *extra[2];
} forms[] = {
    {STR_INIT("Long"), RAW_SIMPLE, TYPE_LONG, {NULL, NULL}},
    {STR_INIT("String"), RAW_SIMPLE, TYPE_STRING, {NULL, NULL}},
    {STR_INIT("Boolean"), RAW_SIMPLE, TYPE_BOOL, {NULL, NULL}},
    {STR_INIT("Set"), RAW_SET, TYPE_UNKNOWN, {"element", NULL}},
    {STR_INIT("Record"),
     RAW_RECORD,
     TYPE_UNKNOWN,
     {"attributes", "additionalAttributes"}},
    {STR_INIT("Entity"), RAW_ENTITY_NAME, TYPE_UNKNOWN, {"name", NULL}},
    {STR_INIT("EntityOrCommon"), RAW_NAME, TYPE_UNKNOWN, {"name", NULL}},
    {STR_INIT("Extension"), RAW_SIMPLE, TYPE_UNKNOWN, {"name", NULL}},
};

static bool extension(struct reader *r, const struct json *json,
                      struct raw_type *to)
{
    struct str name = {0};
    if (!json_str(json_get(json, STR("name")), &name))
        return refuse(r, "an extension type needs a name", (struct str){0});
    to->simple = (uint8_t)schema_raw_simple(name);
    if (to->simple < TYPE_DECIMAL)
        return refuse(r, "there is no extension type", name);
    return true;
}

static bool type_form(struct reader *r, const struct json *json,
                      const struct form *f, struct raw_type *to)
{
    to->kind = (uint8_t)f->kind;
    to->simple = (uint8_t)f->simple;
    if (f->kind == RAW_SET)
        return type(r, json_get(json, STR("element")), false, &to->element);
    if (f->kind == RAW_RECORD)
        return record(r, json, to);
    if (f->kind == RAW_SIMPLE)
        return f->simple != TYPE_UNKNOWN || extension(r, json, to);
    return type_name(r, json_get(json, STR("name")), &to->name);
}

static bool type(struct reader *r, const struct json *json, bool is_member,
                 struct raw_type **ret)
{
    static const struct form none = {.kind = RAW_COMMON_NAME};
    const struct form *f = &none;
    struct str name = {0};
    if (!json_str(json_get(json, STR("type")), &name))
        return refuse(r, "a type is an object with the string type",
                      (struct str){0});
    if (r->depth == CEDAR_TYPE_DEPTH_MAX)
        return refuse(r, "a type nests too deep", (struct str){0});
    for (size_t i = 0; i < ARRAY_LEN(forms); i++)
        if (str_eq(forms[i].type, name))
            f = &forms[i];
    const char *known[] = {"type",      "annotations", f->extra[0],
                           f->extra[1], NULL,          NULL};
    if (is_member)
        known[f->extra[0] == NULL   ? 2
              : f->extra[1] == NULL ? 3
                                    : 4] = "required";
    struct raw_type *t = make(r, sizeof(*t));
    if (t == NULL || !only(r, json, known) ||
        !annotations(r, json_get(json, STR("annotations")), &t->annotations))
        return false;
    *ret = t;
    r->depth++;
    bool ok = true;
    if (f != &none) {
        ok = type_form(r, json, f, t);
    } else {
        t->kind = RAW_COMMON_NAME;
        ok = type_name(r, json_get(json, STR("type")), &t->name);
    }
    r->depth--;
    return ok;
}

/* One of a list: to `n`; for ids of enums and groups of actions to n->id. */
typedef bool item_fn(struct reader *r, const struct json *json,
                     struct raw_name *n);
static bool list(struct reader *r, const struct json *json, item_fn *item,
                 struct raw_name **end)
{
    struct json_iter it = json_each(json);
    const struct json *one;
    if (json_type(json) != JSON_ARRAY)
        return refuse(r, "expected an array", (struct str){0});
    while (json_next(&it, NULL, &one)) {
        struct raw_name *n = make(r, sizeof(*n));
        if (n == NULL || !item(r, one, n))
            return false;
        *end = n;
        end = &n->next;
    }
    return true;
}

static bool entity_item(struct reader *r, const struct json *json,
                        struct raw_name *n)
{
    return type_name(r, json, &n->name);
}

static bool enum_item(struct reader *r, const struct json *json,
                      struct raw_name *n)
{
    return json_str(json, &n->id) ||
           refuse(r, "the ids of an enum are strings", (struct str){0});
}

static bool group_item(struct reader *r, const struct json *json,
                       struct raw_name *n)
{
    static const char *const known[] = {"id", "type", NULL};
    const struct json *of = json_get(json, STR("type"));
    if (!only(r, json, known))
        return false;
    if (!json_str(json_get(json, STR("id")), &n->id))
        return refuse(r, "memberOf names actions by id", (struct str){0});
    n->name = STR("");
    if (of == NULL || json_type(of) == JSON_NULL)
        return true;
    return type_name(r, of, &n->name);
}

static bool enumeration(struct reader *r, const struct json *json,
                        struct raw_entity *e)
{
    static const char *const known[] = {"enum", "annotations", NULL};
    e->is_enum = true;
    if (!only(r, json, known) ||
        !list(r, json_get(json, STR("enum")), enum_item, &e->ids))
        return false;
    return e->ids != NULL ||
           refuse(r, "an enum has at least one id", (struct str){0});
}

static bool entity(struct reader *r, const struct json *json)
{
    static const char *const known[] = {"memberOfTypes", "shape", "tags",
                                        "annotations", NULL};
    struct raw_entity e = {.space = r->space, .name = r->name};
    const struct json *parents = json_get(json, STR("memberOfTypes"));
    const struct json *shape = json_get(json, STR("shape"));
    const struct json *tags = json_get(json, STR("tags"));
    if (!annotations(r, json_get(json, STR("annotations")), &e.annotations))
        return false;
    if (json_get(json, STR("enum")) != NULL) {
        if (!enumeration(r, json, &e))
            return false;
    } else if (!only(r, json, known) ||
               (parents != NULL &&
                !list(r, parents, entity_item, &e.parents)) ||
               (shape != NULL && !type(r, shape, false, &e.shape)) ||
               (tags != NULL && !type(r, tags, false, &e.tags))) {
        return false;
    }
    if (!cedar_uid_is_type(e.name) || str_find(e.name, ':') < e.name.len)
        return refuse(r, "this cannot be the name of a type", (struct str){0});
    if (!PROGRAM_ROOM(r->raw->entities))
        return schema_raw_no_memory(r->raw);
    r->raw->entities.at[r->raw->entities.count++] = e;
    return true;
}

static bool common(struct reader *r, const struct json *json)
{
    struct raw_common c = {.space = r->space, .name = r->name};
    if (!cedar_uid_is_type(c.name) || str_find(c.name, ':') < c.name.len)
        return refuse(r, "this cannot be the name of a type", (struct str){0});
    if (schema_raw_is_taken(c.name))
        return refuse(r, "this is a type of Cedar and cannot be declared",
                      (struct str){0});
    if (!type(r, json, false, &c.type))
        return false;
    if (!PROGRAM_ROOM(r->raw->commons))
        return schema_raw_no_memory(r->raw);
    r->raw->commons.at[r->raw->commons.count++] = c;
    return true;
}

static bool applies(struct reader *r, const struct json *json,
                    struct raw_action *a)
{
    static const char *const known[] = {"principalTypes", "resourceTypes",
                                        "context", NULL};
    const struct json *context = json_get(json, STR("context"));
    return only(r, json, known) &&
           list(r, json_get(json, STR("principalTypes")), entity_item,
                &a->principals) &&
           list(r, json_get(json, STR("resourceTypes")), entity_item,
                &a->resources) &&
           (context == NULL || type(r, context, false, &a->context));
}

static bool action(struct reader *r, const struct json *json)
{
    static const char *const known[] = {"appliesTo", "memberOf", "attributes",
                                        "annotations", NULL};
    struct raw_action a = {.space = r->space, .id = r->name};
    const struct json *groups = json_get(json, STR("memberOf"));
    const struct json *applied = json_get(json, STR("appliesTo"));
    enum json_type attributes = json_type(json_get(json, STR("attributes")));
    if (!only(r, json, known) ||
        !annotations(r, json_get(json, STR("annotations")), &a.annotations))
        return false;
    if (attributes != JSON_NONE && attributes != JSON_NULL)
        return refuse(r, "actions have no attributes", (struct str){0});
    if (groups != NULL && json_type(groups) != JSON_NULL &&
        !list(r, groups, group_item, &a.groups))
        return false;
    if (applied != NULL && json_type(applied) != JSON_NULL &&
        !applies(r, applied, &a))
        return false;
    if (!PROGRAM_ROOM(r->raw->actions))
        return schema_raw_no_memory(r->raw);
    r->raw->actions.at[r->raw->actions.count++] = a;
    return true;
}

typedef bool declaration_fn(struct reader *r, const struct json *json);
static bool declarations(struct reader *r, const struct json *space,
                         const char *member, declaration_fn *declaration)
{
    const struct json *all = json_get(space, str_from(member));
    struct json_iter it = json_each(all);
    const struct json *one;
    bool ok = true;
    if (all == NULL && declaration == common)
        return true;
    if (json_type(all) != JSON_OBJECT) {
        r->what = "namespace";
        r->name = (struct str){0};
        return refuse(r, "expected an object as the member", str_from(member));
    }
    while (json_next(&it, &r->name, &one)) {
        r->what = declaration == entity   ? "entity type"
                  : declaration == action ? "action"
                                          : "common type";
        if (!declaration(r, one))
            ok = false; /* there may be more errors */
        if (r->raw->err == ERR_LIMIT)
            return false;
    }
    return ok;
}

static bool space(struct reader *r, const struct json *json)
{
    static const char *const known[] = {"commonTypes", "entityTypes", "actions",
                                        "annotations", NULL};
    r->what = "namespace";
    r->name = (struct str){0};
    if (r->space.len > 0 && !cedar_uid_is_type(r->space))
        return refuse(r, "this cannot be the name of a namespace",
                      (struct str){0});
    struct raw_space self = {.name = r->space};
    if (!only(r, json, known) ||
        !annotations(r, json_get(json, STR("annotations")), &self.annotations))
        return false;
    if (!PROGRAM_ROOM(r->raw->spaces))
        return schema_raw_no_memory(r->raw);
    r->raw->spaces.at[r->raw->spaces.count++] = self;
    bool ok = declarations(r, json, "commonTypes", common);
    ok = declarations(r, json, "entityTypes", entity) && ok;
    return declarations(r, json, "actions", action) && ok;
}

bool schema_json(struct schema_raw *s, struct str text)
{
    struct reader r = {.raw = s};
    struct json_error why = {0};
    const struct json *json;
    const struct json *one;
    bool ok = true;
    enum err e = json_read_large(&s->schema->arena, text, &json, &why);
    if (e != ERR_OK) {
        errors_add(s->errors, text, why.offset, "%s",
                   why.what == NULL ? "too much JSON" : why.what);
        s->err = e;
        return false;
    }
    if (json_type(json) != JSON_OBJECT)
        return schema_raw_fail(s, 0, "a schema is an object of namespaces");
    struct json_iter it = json_each(json);
    while (json_next(&it, &r.space, &one) && s->err != ERR_LIMIT)
        ok = space(&r, one) && ok;
    return ok;
}
