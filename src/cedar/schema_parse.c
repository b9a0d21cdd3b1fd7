/*
 * schema_parse.c - the Cedar schema syntax; see schema_raw.h.
 *
 * The tokens are those of policies, so are most helpers.  Recursion is that
 * of types and bounded by CEDAR_DEPTH_MAX.
 */
#include "cedar/parser.h"
#include "cedar/schema_raw.h"

struct reader {
    struct parser p;
    struct schema_raw *raw;
    struct str space; /* the namespace that the declarations are in */
    const struct raw_annotation *notes; /* of the declaration */
};

static void *make(struct reader *r, size_t size)
{
    void *made = arena_alloc(&r->p.set->arena, size);
    if (made == NULL)
        (void)parser_no_memory(&r->p);
    return made;
}

/* One annotation behind its @. */
static bool annotation(struct reader *r, struct raw_annotation *to)
{
    struct parser *p = &r->p;
    if (p->token.kind != TOKEN_NAME)
        return parser_expected(p, "the name of an annotation");
    to->key = p->token.text;
    to->value = STR("");
    parser_advance(p);
    return !parser_take(p, LEXER_SIGN('(', 0)) ||
           (parser_string(p, &to->value) && parser_need(p, LEXER_SIGN(')', 0)));
}

static bool annotations(struct reader *r, const struct raw_annotation **ret)
{
    struct parser *p = &r->p;
    struct raw_annotation *first = NULL;
    struct raw_annotation **end = &first;
    unsigned count = 0;
    while (parser_take(p, LEXER_SIGN('@', 0))) {
        struct raw_annotation *a = make(r, sizeof(*a));
        size_t offset = p->token.offset;
        if (a == NULL || !annotation(r, a))
            return false;
        for (struct raw_annotation *other = first; other != NULL;
             other = other->next)
            if (str_eq(other->key, a->key))
                return parser_fail(p, offset,
                                   "the annotation @%.*s is there twice",
                                   STR_FMT(str_first(a->key, 60)));
        if (++count > CEDAR_ANNOTATIONS_MAX)
            return parser_fail(p, offset,
                               "more than %d annotations at one place",
                               CEDAR_ANNOTATIONS_MAX);
        *end = a;
        end = &a->next;
    }
    *ret = first;
    return true;
}

/* A::B, or __cedar::Long when a type is meant. */
static bool path(struct reader *r, struct parser_path *ret, bool is_type)
{
    struct parser *p = &r->p;
    if (!is_type || !parser_at_word(p, STR("__cedar")))
        return parser_path(p, ret);
    struct str name = STR("");
    *ret =
        (struct parser_path){.offset = p->token.offset, .is_qualified = true};
    parser_advance(p);
    if (!parser_need(p, LEXER_SIGN(':', ':')) || !parser_name(p, &name))
        return false;
    if (!schema_raw_join(&p->set->arena, STR("__cedar"), name, &ret->name))
        return parser_no_memory(p);
    return true;
}

static bool type_name(struct reader *r, struct parser_path *ret)
{
    if (!path(r, ret, true))
        return false;
    if (ret->is_uid)
        return parser_fail(&r->p, ret->offset,
                           "expected a type, found an entity");
    return true;
}

/* An identifier or a string, of what has no namespace: even __cedar. */
static bool free_name(struct parser *p, struct str *ret)
{
    if (p->token.kind == TOKEN_STRING)
        return parser_string(p, ret);
    if (!parser_at_word(p, STR("__cedar")))
        return parser_name(p, ret);
    *ret = p->token.text;
    parser_advance(p);
    return true;
}

static bool type(struct reader *r, struct raw_type **ret);

static bool attribute(struct reader *r, struct raw_member ***end)
{
    struct parser *p = &r->p;
    struct raw_member *m = make(r, sizeof(*m));
    const struct raw_annotation *notes;
    if (m == NULL || !annotations(r, &notes) || !free_name(p, &m->name))
        return false;
    m->is_required =
        p->token.kind != TOKEN_BAD || !str_eq(p->token.text, STR("?"));
    if (!m->is_required)
        parser_advance(p);
    if (!parser_need(p, LEXER_SIGN(':', 0)) || !type(r, &m->type))
        return false;
    m->type->annotations = notes;
    **end = m;
    *end = &m->next;
    return true;
}

/* From behind "{" to behind "}". */
static bool record(struct reader *r, struct raw_type *to)
{
    struct parser *p = &r->p;
    struct raw_member **end = &to->members;
    to->kind = RAW_RECORD;
    while (!parser_at(p, LEXER_SIGN('}', 0))) {
        if (!attribute(r, &end))
            return false;
        to->count++;
        if (!parser_take(p, LEXER_SIGN(',', 0)))
            break;
    }
    return parser_need(p, LEXER_SIGN('}', 0));
}

static bool named_type(struct reader *r, struct raw_type *to)
{
    struct parser *p = &r->p;
    struct parser_path name;
    if (!type_name(r, &name))
        return false;
    to->kind = RAW_NAME;
    to->name = name.name;
    if (!str_eq(name.name, STR("Set")) || !parser_take(p, LEXER_SIGN('<', 0)))
        return true;
    to->kind = RAW_SET;
    return type(r, &to->element) && parser_need(p, LEXER_SIGN('>', 0));
}

static bool type(struct reader *r, struct raw_type **ret)
{
    struct parser *p = &r->p;
    struct raw_type *t = make(r, sizeof(*t));
    if (t == NULL)
        return false;
    if (p->depth == CEDAR_TYPE_DEPTH_MAX)
        return parser_fail(p, p->token.offset,
                           "a type nests deeper than %d levels",
                           CEDAR_TYPE_DEPTH_MAX);
    p->depth++;
    t->offset = p->token.offset;
    *ret = t;
    bool ok =
        parser_take(p, LEXER_SIGN('{', 0)) ? record(r, t) : named_type(r, t);
    p->depth--;
    return ok;
}

/* What stands in a list, or one alone; a list may be empty. */
typedef bool item_fn(struct reader *r, struct raw_name *to);
static bool one_or_list(struct reader *r, item_fn *item, struct raw_name **end)
{
    struct parser *p = &r->p;
    bool is_list = parser_take(p, LEXER_SIGN('[', 0));
    bool more = !is_list || !parser_at(p, LEXER_SIGN(']', 0));
    while (more) {
        struct raw_name *n = make(r, sizeof(*n));
        if (n == NULL)
            return false;
        n->offset = p->token.offset;
        if (!item(r, n))
            return false;
        *end = n;
        end = &n->next;
        more = is_list && parser_take(p, LEXER_SIGN(',', 0));
    }
    return !is_list || parser_need(p, LEXER_SIGN(']', 0));
}

static bool entity_item(struct reader *r, struct raw_name *to)
{
    struct parser_path name;
    if (!type_name(r, &name))
        return false;
    to->name = name.name;
    return true;
}

/* view, "view", or N::Action::"view". */
static bool action_item(struct reader *r, struct raw_name *to)
{
    struct parser_path name;
    if (r->p.token.kind == TOKEN_STRING ||
        parser_at_word(&r->p, STR("__cedar")))
        return free_name(&r->p, &to->id);
    if (!path(r, &name, false))
        return false;
    if (!name.is_uid && name.is_qualified)
        return parser_fail(&r->p, name.offset,
                           "expected an action like Action::\"id\"");
    to->name = name.is_uid ? name.name : STR("");
    to->id = name.is_uid ? name.id : name.name;
    return true;
}

static bool enum_item(struct reader *r, struct raw_name *to)
{
    return parser_string(&r->p, &to->id);
}

/* The names that one declaration gives, with commas between. */
static bool names(struct reader *r, item_fn *item, struct raw_name **end)
{
    do {
        struct raw_name *n = make(r, sizeof(*n));
        if (n == NULL)
            return false;
        n->offset = r->p.token.offset;
        if (!item(r, n))
            return false;
        *end = n;
        end = &n->next;
    } while (parser_take(&r->p, LEXER_SIGN(',', 0)));
    return true;
}

static bool plain_item(struct reader *r, struct raw_name *to)
{
    return parser_name(&r->p, &to->name);
}

static bool free_item(struct reader *r, struct raw_name *to)
{
    return free_name(&r->p, &to->id);
}

static bool entity_body(struct reader *r, struct raw_entity *e)
{
    struct parser *p = &r->p;
    if (parser_take_word(p, STR("enum"))) {
        e->is_enum = true;
        if (!parser_at(p, LEXER_SIGN('[', 0)))
            return parser_expected(p, "'['");
        if (!one_or_list(r, enum_item, &e->ids))
            return false;
        return e->ids != NULL ||
               parser_fail(p, e->offset, "an enum has at least one id");
    }
    if (parser_take_word(p, STR("in")) &&
        !one_or_list(r, entity_item, &e->parents))
        return false;
    bool equals = parser_take(p, LEXER_SIGN('=', 0));
    if (equals || parser_at(p, LEXER_SIGN('{', 0))) {
        e->shape = make(r, sizeof(*e->shape));
        if (e->shape == NULL || !parser_need(p, LEXER_SIGN('{', 0)) ||
            !record(r, e->shape))
            return false;
    }
    return !parser_take_word(p, STR("tags")) || type(r, &e->tags);
}

static bool entity(struct reader *r)
{
    struct raw_entity e = {.space = r->space,
                           .annotations = r->notes,
                           .offset = r->p.token.offset};
    struct raw_name *all = NULL;
    if (!names(r, plain_item, &all) || !entity_body(r, &e) ||
        !parser_need(&r->p, LEXER_SIGN(';', 0)))
        return false;
    for (; all != NULL; all = all->next) {
        e.name = all->name;
        e.offset = all->offset;
        if (!PROGRAM_ROOM(r->raw->entities))
            return parser_no_memory(&r->p);
        r->raw->entities.at[r->raw->entities.count++] = e;
    }
    return true;
}

static bool context(struct reader *r, struct raw_action *a)
{
    if (a->context != NULL)
        return parser_fail(&r->p, r->p.token.offset, "context is there twice");
    return type(r, &a->context);
}

static bool applicants(struct reader *r, struct raw_name **to, const char *what)
{
    size_t offset = r->p.token.offset;
    if (*to != NULL)
        return parser_fail(&r->p, offset, "%s is there twice", what);
    if (!one_or_list(r, entity_item, to))
        return false;
    return *to != NULL ||
           parser_fail(&r->p, offset, "%s needs at least one type", what);
}

static bool applies(struct reader *r, struct raw_action *a)
{
    struct parser *p = &r->p;
    size_t offset = p->token.offset;
    if (!parser_need(p, LEXER_SIGN('{', 0)))
        return false;
    while (!parser_at(p, LEXER_SIGN('}', 0))) {
        bool is_principal = parser_at_word(p, STR("principal"));
        bool is_resource = parser_at_word(p, STR("resource"));
        if (!is_principal && !is_resource && !parser_at_word(p, STR("context")))
            return parser_expected(p, "'principal', 'resource' or 'context'");
        parser_advance(p);
        if (!parser_need(p, LEXER_SIGN(':', 0)))
            return false;
        bool ok = is_principal  ? applicants(r, &a->principals, "principal")
                  : is_resource ? applicants(r, &a->resources, "resource")
                                : context(r, a);
        if (!ok)
            return false;
        if (!parser_take(p, LEXER_SIGN(',', 0)))
            break;
    }
    if (!parser_need(p, LEXER_SIGN('}', 0)))
        return false;
    if (a->principals == NULL || a->resources == NULL)
        return parser_fail(p, offset, "appliesTo needs a %s",
                           a->principals == NULL ? "principal" : "resource");
    return true;
}

static bool action(struct reader *r)
{
    struct parser *p = &r->p;
    struct raw_action a = {.space = r->space, .annotations = r->notes};
    struct raw_name *all = NULL;
    if (!names(r, free_item, &all))
        return false;
    if (parser_take_word(p, STR("in"))) {
        size_t offset = p->token.offset;
        if (!one_or_list(r, action_item, &a.groups))
            return false;
        if (a.groups == NULL)
            return parser_fail(p, offset,
                               "the groups of an action are missing");
    }
    if (parser_take_word(p, STR("appliesTo")) && !applies(r, &a))
        return false;
    if (parser_take_word(p, STR("attributes")) &&
        (!parser_need(p, LEXER_SIGN('{', 0)) ||
         !parser_need(p, LEXER_SIGN('}', 0))))
        return false;
    if (!parser_need(p, LEXER_SIGN(';', 0)))
        return false;
    for (; all != NULL; all = all->next) {
        a.id = all->id;
        a.offset = all->offset;
        if (!PROGRAM_ROOM(r->raw->actions))
            return parser_no_memory(p);
        r->raw->actions.at[r->raw->actions.count++] = a;
    }
    return true;
}

static bool common(struct reader *r)
{
    struct parser *p = &r->p;
    struct raw_common c = {.space = r->space, .offset = p->token.offset};
    if (!parser_name(p, &c.name))
        return false;
    if (schema_raw_is_taken(c.name))
        return parser_fail(p, c.offset,
                           "%.*s is a type of Cedar and cannot be declared",
                           STR_FMT(c.name));
    if (!parser_need(p, LEXER_SIGN('=', 0)) || !type(r, &c.type) ||
        !parser_need(p, LEXER_SIGN(';', 0)))
        return false;
    c.type->annotations = r->notes;
    if (!PROGRAM_ROOM(r->raw->commons))
        return parser_no_memory(p);
    r->raw->commons.at[r->raw->commons.count++] = c;
    return true;
}

static bool declaration(struct reader *r)
{
    struct parser *p = &r->p;
    if (parser_take_word(p, STR("entity")))
        return entity(r);
    if (parser_take_word(p, STR("action")))
        return action(r);
    if (parser_take_word(p, STR("type")))
        return common(r);
    return parser_expected(p, r->space.len == 0
                                  ? "'namespace', 'entity', 'action' or 'type'"
                                  : "'entity', 'action' or 'type'");
}

/* To behind the semicolon of what has an error in it. */
static void skip(struct parser *p)
{
    while (p->token.kind != TOKEN_END && !parser_at(p, LEXER_SIGN(';', 0)))
        parser_advance(p);
    if (p->token.kind != TOKEN_END)
        parser_advance(p);
    p->depth = 0;
}

static bool may_go_on(const struct reader *r)
{
    return r->p.err != ERR_LIMIT && r->p.errors != NULL &&
           r->p.errors->count < CEDAR_ERRORS_MAX;
}

static bool open_space(struct reader *r)
{
    struct parser *p = &r->p;
    struct parser_path name;
    if (!path(r, &name, false))
        return false;
    if (name.is_uid)
        return parser_fail(p, name.offset, "expected the name of a namespace");
    for (size_t i = 0; i < r->raw->spaces.count; i++)
        if (str_eq(r->raw->spaces.at[i].name, name.name))
            return parser_fail(p, name.offset,
                               "the namespace %.*s is there twice",
                               STR_FMT(str_first(name.name, 60)));
    if (!PROGRAM_ROOM(r->raw->spaces))
        return parser_no_memory(p);
    r->raw->spaces.at[r->raw->spaces.count++] =
        (struct raw_space){name.name, r->notes};
    r->space = name.name;
    return parser_need(p, LEXER_SIGN('{', 0));
}

/* One declaration, or the way into or out of a namespace. */
static bool step(struct reader *r)
{
    struct parser *p = &r->p;
    if (r->space.len > 0 && parser_take(p, LEXER_SIGN('}', 0))) {
        r->space = STR("");
        return true;
    }
    if (!annotations(r, &r->notes))
        return false;
    if (r->space.len == 0 && parser_take_word(p, STR("namespace")))
        return open_space(r);
    return declaration(r);
}

bool schema_parse(struct schema_raw *s)
{
    /* Helpers of the parser want a set of policies: its arena, its text. */
    struct cedar_policies set = {.arena = s->schema->arena, .text = s->text};
    struct reader r = {.raw = s, .space = STR("")};
    r.p = (struct parser){.set = &set,
                          .errors = s->errors,
                          .lexer = {.text = s->text}};
    if (!PROGRAM_ROOM(s->spaces))
        return schema_raw_no_memory(s);
    s->spaces.at[s->spaces.count++] = (struct raw_space){STR(""), NULL};
    parser_advance(&r.p);
    while (r.p.token.kind != TOKEN_END) {
        if (step(&r))
            continue;
        if (!may_go_on(&r))
            break;
        skip(&r.p);
    }
    if (r.p.err == ERR_OK && r.space.len > 0)
        (void)parser_expected(&r.p, "'}'");
    s->schema->arena = set.arena;
    s->err = r.p.err;
    return s->err == ERR_OK;
}
