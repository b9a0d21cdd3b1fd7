/*
 * schema_print.c - see schema_print.h.
 *
 * Recursion is that of types and bounded by CEDAR_TYPE_DEPTH_MAX.
 */
#include "cedar/schema_print.h"

#include "cedar/quote.h"

enum { STEP = 2 }; /* columns of one level */

struct print {
    struct schema_raw *raw;
    struct buf *to;
    unsigned indent;
    bool follows; /* something stands before: a blank line goes first */
};

static void add(struct print *p, const char *text)
{
    (void)buf_add(p->to, str_from(text));
}

static void line(struct print *p)
{
    (void)buf_add_char(p->to, '\n');
    for (unsigned i = 0; i < p->indent; i++)
        (void)buf_add_char(p->to, ' ');
}

static void annotations(struct print *p, const struct raw_annotation *a)
{
    for (; a != NULL; a = a->next) {
        add(p, "@");
        (void)buf_add(p->to, a->key);
        if (a->value.len > 0) {
            add(p, "(");
            quote_string(p->to, a->value);
            add(p, ")");
        }
        line(p);
    }
}

static void type(struct print *p, const struct raw_type *t);

static void record(struct print *p, const struct raw_type *t)
{
    bool is_first = true;
    add(p, "{");
    p->indent += STEP;
    for (const struct raw_member *m = t->members; m != NULL; m = m->next) {
        if (m->is_hidden)
            continue;
        if (!is_first)
            add(p, ",");
        is_first = false;
        line(p);
        annotations(p, m->type->annotations);
        quote_name(p->to, m->name);
        add(p, m->is_required ? ": " : "?: ");
        type(p, m->type);
    }
    p->indent -= STEP;
    if (!is_first)
        line(p);
    add(p, "}");
}

static void type(struct print *p, const struct raw_type *t)
{
    static const char *const simple[TYPE_SIMPLE] = {
        [TYPE_BOOL] = "Bool",         [TYPE_LONG] = "Long",
        [TYPE_STRING] = "String",     [TYPE_DECIMAL] = "decimal",
        [TYPE_IP] = "ipaddr",         [TYPE_DATETIME] = "datetime",
        [TYPE_DURATION] = "duration",
    };
    if (t->kind == RAW_SIMPLE) { /* whatever else has that name */
        add(p, "__cedar::");
        add(p, simple[t->simple]);
    } else if (t->kind == RAW_SET) {
        add(p, "Set<");
        type(p, t->element);
        add(p, ">");
    } else if (t->kind == RAW_RECORD) {
        record(p, t);
    } else {
        (void)buf_add(p->to, t->name);
    }
}

static void names(struct print *p, const struct raw_name *n, bool are_ids)
{
    add(p, "[");
    for (; n != NULL; n = n->next) {
        if (are_ids)
            quote_string(p->to, n->id);
        else
            (void)buf_add(p->to, n->name);
        if (n->next != NULL)
            add(p, ", ");
    }
    add(p, "]");
}

/* Before a declaration. */
static void begin(struct print *p, const struct raw_annotation *a)
{
    if (p->follows)
        (void)buf_add_char(p->to, '\n');
    if (p->to->len > 0)
        line(p);
    p->follows = true;
    annotations(p, a);
}

static void common(struct print *p, const struct raw_common *c)
{
    begin(p, c->type->annotations);
    add(p, "type ");
    (void)buf_add(p->to, c->name);
    add(p, " = ");
    type(p, c->type);
    add(p, ";");
}

static bool entity(struct print *p, const struct raw_entity *e)
{
    if (e->shape != NULL && e->shape->kind != RAW_RECORD)
        return schema_raw_fail(
            p->raw, e->offset,
            "the attributes of %.*s are a common type, for which the Cedar "
            "schema syntax has no words",
            STR_FMT(str_first(e->name, 60)));
    begin(p, e->annotations);
    add(p, "entity ");
    (void)buf_add(p->to, e->name);
    if (e->is_enum) {
        add(p, " enum ");
        names(p, e->ids, true);
    }
    if (e->parents != NULL) {
        add(p, " in ");
        names(p, e->parents, false);
    }
    if (e->shape != NULL && e->shape->members != NULL) {
        add(p, " = ");
        record(p, e->shape);
    }
    if (e->tags != NULL) {
        add(p, " tags ");
        type(p, e->tags);
    }
    add(p, ";");
    return true;
}

static void groups(struct print *p, const struct raw_name *n)
{
    add(p, " in [");
    for (; n != NULL; n = n->next) {
        if (n->name.len > 0) {
            (void)buf_add(p->to, n->name);
            add(p, "::");
        }
        quote_string(p->to, n->id);
        if (n->next != NULL)
            add(p, ", ");
    }
    add(p, "]");
}

static void action(struct print *p, const struct raw_action *a)
{
    begin(p, a->annotations);
    add(p, "action ");
    quote_name(p->to, a->id);
    if (a->groups != NULL)
        groups(p, a->groups);
    if (a->principals != NULL && a->resources != NULL) {
        add(p, " appliesTo {");
        p->indent += STEP;
        line(p);
        add(p, "principal: ");
        names(p, a->principals, false);
        add(p, ",");
        line(p);
        add(p, "resource: ");
        names(p, a->resources, false);
        if (a->context != NULL) {
            add(p, ",");
            line(p);
            add(p, "context: ");
            type(p, a->context);
        }
        p->indent -= STEP;
        line(p);
        add(p, "}");
    }
    add(p, ";");
}

static bool space(struct print *p, const struct raw_space *self)
{
    struct schema_raw *s = p->raw;
    bool ok = true;
    for (size_t i = 0; i < s->commons.count; i++)
        if (str_eq(s->commons.at[i].space, self->name))
            common(p, &s->commons.at[i]);
    for (size_t i = 0; i < s->entities.count; i++)
        if (str_eq(s->entities.at[i].space, self->name))
            ok = entity(p, &s->entities.at[i]) && ok;
    for (size_t i = 0; i < s->actions.count; i++)
        if (str_eq(s->actions.at[i].space, self->name))
            action(p, &s->actions.at[i]);
    return ok;
}

static bool named_space(struct print *p, const struct raw_space *self)
{
    if (self->name.len == 0)
        return space(p, self);
    begin(p, self->annotations);
    add(p, "namespace ");
    (void)buf_add(p->to, self->name);
    add(p, " {");
    p->indent = STEP;
    p->follows = false;
    bool ok = space(p, self);
    p->indent = 0;
    p->follows = true;
    line(p);
    add(p, "}");
    return ok;
}

bool schema_print(struct schema_raw *s, struct buf *to)
{
    struct print p = {.raw = s, .to = to};
    bool ok = true;
    for (size_t i = 0; i < s->spaces.count; i++)
        ok = named_space(&p, &s->spaces.at[i]) && ok;
    if (to->len > 0)
        (void)buf_add_char(to, '\n');
    return ok;
}
