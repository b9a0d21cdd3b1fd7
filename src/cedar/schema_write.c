/*
 * schema_write.c - see schema_write.h.
 *
 * Recursion is that of types and bounded by CEDAR_TYPE_DEPTH_MAX.
 */
#include "cedar/schema_write.h"

#include "codec/json.h"

/* Before a member or element: a comma, unless it is the first. */
static void separate(struct buf *to, bool *is_first)
{
    if (!*is_first)
        (void)buf_add_char(to, ',');
    *is_first = false;
}

static void name(struct buf *to, bool *is_first, struct str text)
{
    separate(to, is_first);
    json_write_str(to, text);
    (void)buf_add_char(to, ':');
}

static void annotations(struct buf *to, const struct raw_annotation *a,
                        bool *is_first)
{
    if (a == NULL)
        return;
    bool first = true;
    name(to, is_first, STR("annotations"));
    (void)buf_add_char(to, '{');
    for (; a != NULL; a = a->next) {
        name(to, &first, a->key);
        json_write_str(to, a->value);
    }
    (void)buf_add_char(to, '}');
}

static void type(struct buf *to, const struct raw_type *t,
                 const struct raw_member *of);

static void members(struct buf *to, const struct raw_type *t)
{
    bool is_first = true;
    (void)buf_add(to, STR("\"Record\",\"attributes\":{"));
    for (const struct raw_member *m = t->members; m != NULL; m = m->next) {
        if (m->is_hidden)
            continue;
        name(to, &is_first, m->name);
        type(to, m->type, m);
    }
    (void)buf_add_char(to, '}');
}

static void simple(struct buf *to, enum type_kind kind)
{
    static const char *const names[TYPE_SIMPLE] = {
        [TYPE_BOOL] = "\"Boolean\"",
        [TYPE_LONG] = "\"Long\"",
        [TYPE_STRING] = "\"String\"",
        [TYPE_DECIMAL] = "\"Extension\",\"name\":\"decimal\"",
        [TYPE_IP] = "\"Extension\",\"name\":\"ipaddr\"",
        [TYPE_DATETIME] = "\"Extension\",\"name\":\"datetime\"",
        [TYPE_DURATION] = "\"Extension\",\"name\":\"duration\"",
    };
    (void)buf_add(to, str_from(names[kind]));
}

/* `of`: the attribute that has this type, or NULL. */
static void type(struct buf *to, const struct raw_type *t,
                 const struct raw_member *of)
{
    bool is_first = false;
    (void)buf_add(to, STR("{\"type\":"));
    switch ((enum raw_kind)t->kind) {
    case RAW_NAME:
        (void)buf_add(to, STR("\"EntityOrCommon\",\"name\":"));
        json_write_str(to, t->name);
        break;
    case RAW_ENTITY_NAME:
        (void)buf_add(to, STR("\"Entity\",\"name\":"));
        json_write_str(to, t->name);
        break;
    case RAW_COMMON_NAME:
        json_write_str(to, t->name);
        break;
    case RAW_SIMPLE:
        simple(to, (enum type_kind)t->simple);
        break;
    case RAW_SET:
        (void)buf_add(to, STR("\"Set\",\"element\":"));
        type(to, t->element, NULL);
        break;
    case RAW_RECORD:
        members(to, t);
        break;
    }
    if (of != NULL && !of->is_required)
        (void)buf_add(to, STR(",\"required\":false"));
    annotations(to, t->annotations, &is_first);
    (void)buf_add_char(to, '}');
}

/* An array of names, or of ids where there is no name. */
static void names(struct buf *to, const struct raw_name *n, bool are_ids)
{
    bool is_first = true;
    (void)buf_add_char(to, '[');
    for (; n != NULL; n = n->next) {
        separate(to, &is_first);
        json_write_str(to, are_ids ? n->id : n->name);
    }
    (void)buf_add_char(to, ']');
}

static void entity(struct buf *to, const struct raw_entity *e)
{
    bool is_first = true;
    (void)buf_add_char(to, '{');
    if (e->is_enum) {
        name(to, &is_first, STR("enum"));
        names(to, e->ids, true);
    }
    if (e->parents != NULL) {
        name(to, &is_first, STR("memberOfTypes"));
        names(to, e->parents, false);
    }
    if (e->shape != NULL) {
        name(to, &is_first, STR("shape"));
        type(to, e->shape, NULL);
    }
    if (e->tags != NULL) {
        name(to, &is_first, STR("tags"));
        type(to, e->tags, NULL);
    }
    annotations(to, e->annotations, &is_first);
    (void)buf_add_char(to, '}');
}

static void groups(struct buf *to, const struct raw_name *n)
{
    bool is_first = true;
    (void)buf_add_char(to, '[');
    for (; n != NULL; n = n->next) {
        separate(to, &is_first);
        (void)buf_add(to, STR("{\"id\":"));
        json_write_str(to, n->id);
        if (n->name.len > 0) {
            (void)buf_add(to, STR(",\"type\":"));
            json_write_str(to, n->name);
        }
        (void)buf_add_char(to, '}');
    }
    (void)buf_add_char(to, ']');
}

/* As the context of an action, a name can only be a common type's. */
static void context(struct buf *to, const struct raw_type *t)
{
    struct raw_type common = *t;
    struct str own = STR("__cedar::");
    if (t->kind == RAW_NAME && !str_starts(t->name, own))
        common.kind = RAW_COMMON_NAME;
    type(to, &common, NULL);
}

static void action(struct buf *to, const struct raw_action *a)
{
    bool is_first = true;
    (void)buf_add_char(to, '{');
    name(to, &is_first, STR("appliesTo"));
    (void)buf_add(to, STR("{\"principalTypes\":"));
    names(to, a->principals, false);
    (void)buf_add(to, STR(",\"resourceTypes\":"));
    names(to, a->resources, false);
    if (a->context != NULL) {
        (void)buf_add(to, STR(",\"context\":"));
        context(to, a->context);
    }
    (void)buf_add_char(to, '}');
    if (a->groups != NULL) {
        name(to, &is_first, STR("memberOf"));
        groups(to, a->groups);
    }
    annotations(to, a->annotations, &is_first);
    (void)buf_add_char(to, '}');
}

static void space(struct buf *to, const struct schema_raw *s,
                  const struct raw_space *self)
{
    bool is_first = true;
    bool is_first_member = false;
    (void)buf_add(to, STR("{\"commonTypes\":{"));
    for (size_t i = 0; i < s->commons.count; i++)
        if (str_eq(s->commons.at[i].space, self->name)) {
            name(to, &is_first, s->commons.at[i].name);
            type(to, s->commons.at[i].type, NULL);
        }
    (void)buf_add(to, STR("},\"entityTypes\":{"));
    is_first = true;
    for (size_t i = 0; i < s->entities.count; i++)
        if (str_eq(s->entities.at[i].space, self->name)) {
            name(to, &is_first, s->entities.at[i].name);
            entity(to, &s->entities.at[i]);
        }
    (void)buf_add(to, STR("},\"actions\":{"));
    is_first = true;
    for (size_t i = 0; i < s->actions.count; i++)
        if (str_eq(s->actions.at[i].space, self->name)) {
            name(to, &is_first, s->actions.at[i].id);
            action(to, &s->actions.at[i]);
        }
    (void)buf_add_char(to, '}');
    annotations(to, self->annotations, &is_first_member);
    (void)buf_add_char(to, '}');
}

/* Text has a namespace without a name even where nothing is in it. */
static bool is_nothing(const struct schema_raw *s, const struct raw_space *self)
{
    if (self->name.len > 0 || self->annotations != NULL)
        return false;
    for (size_t i = 0; i < s->commons.count; i++)
        if (s->commons.at[i].space.len == 0)
            return false;
    for (size_t i = 0; i < s->entities.count; i++)
        if (s->entities.at[i].space.len == 0)
            return false;
    for (size_t i = 0; i < s->actions.count; i++)
        if (s->actions.at[i].space.len == 0)
            return false;
    return true;
}

void schema_write_json(const struct schema_raw *s, struct buf *to)
{
    bool is_first = true;
    (void)buf_add_char(to, '{');
    for (size_t i = 0; i < s->spaces.count; i++) {
        if (is_nothing(s, &s->spaces.at[i]))
            continue;
        name(to, &is_first, s->spaces.at[i].name);
        space(to, s, &s->spaces.at[i]);
    }
    (void)buf_add_char(to, '}');
}
