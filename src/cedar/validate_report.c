/* validate_report.c - findings, calls and names; see validate.h. */
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "cedar/validate.h"

/* Counts from the policy, not from the start of a long text. */
static void locate(const struct validate *v, struct cedar_finding *f)
{
    const char *text = v->set->text.ptr;
    f->line = v->policy->line;
    for (size_t i = v->policy->begin; i < f->offset; i++)
        f->line += text[i] == '\n';
    const char *line = f->offset == 0 ? NULL : memrchr(text, '\n', f->offset);
    size_t start = line == NULL ? 0 : (size_t)(line - text) + 1;
    f->column = (uint32_t)(f->offset - start) + 1;
}

void validate_report(struct validate *v, enum cedar_finding_kind kind,
                     size_t offset, const char *format, ...)
{
    struct cedar_finding f = {.kind = kind,
                              .policy = v->policy_index,
                              .offset = offset};
    va_list args;
    va_start(args, format);
    (void)vsnprintf(f.text, sizeof(f.text), format, args);
    va_end(args);
    f.is_warning =
        kind == CEDAR_FINDING_IMPOSSIBLE ||
        (kind == CEDAR_FINDING_NO_ACTION && !v->options.no_action_is_error);
    for (size_t i = v->first_finding; i < v->findings.count; i++)
        if (v->findings.at[i].offset == offset &&
            strcmp(v->findings.at[i].text, f.text) == 0)
            return;
    /* There are enough, and this one changes nothing: it is no warning, which
     * comes alone, and the others are none either. */
    if (v->findings.count - v->first_finding >= CEDAR_FINDINGS_MAX)
        return;
    if (!PROGRAM_ROOM(v->findings)) {
        v->err = ERR_NO_MEMORY;
        return;
    }
    locate(v, &f);
    v->findings.at[v->findings.count++] = f;
}

void validate_unexpected(struct validate *v, uint32_t node, const char *what,
                         const struct type *found)
{
    char name[96];
    if (found->kind == TYPE_UNKNOWN)
        return;
    type_print(found, name, sizeof(name));
    VALIDATE_REPORT(v, CEDAR_FINDING_TYPE, node, "expected %s, found %s", what,
                    name);
}

bool validate_compatible(struct validate *v, uint32_t node,
                         const struct type *a, const struct type *b)
{
    const struct type *joined;
    char first[72];
    char second[72];
    enum err e = type_join(&v->scratch, a, b, &joined);
    if (e == ERR_LIMIT)
        v->err = e;
    if (e != ERR_MALFORMED)
        return true;
    type_print(a, first, sizeof(first));
    type_print(b, second, sizeof(second));
    VALIDATE_REPORT(v, CEDAR_FINDING_INCOMPATIBLE, node,
                    "%s and %s are different types", first, second);
    return false;
}

unsigned validate_step(struct validate *v, uint32_t node,
                       const struct validate_operand *from)
{
    if (v->options.has_level && from->is_named)
        VALIDATE_REPORT(v, CEDAR_FINDING_LEVEL, node,
                        "attributes, tags and groups of an entity that the "
                        "policy names are not known at any level");
    return from->level + 1;
}

static enum type_kind kind_of(uint8_t value)
{
    static const enum type_kind kinds[] = {
        [CEDAR_NOTHING] = TYPE_UNKNOWN,
        [CEDAR_BOOL] = TYPE_BOOL,
        [CEDAR_LONG] = TYPE_LONG,
        [CEDAR_STRING] = TYPE_STRING,
        [CEDAR_ENTITY] = TYPE_UNKNOWN,
        [CEDAR_SET] = TYPE_UNKNOWN,
        [CEDAR_RECORD] = TYPE_UNKNOWN,
        [CEDAR_DECIMAL] = TYPE_DECIMAL,
        [CEDAR_IP] = TYPE_IP,
        [CEDAR_DATETIME] = TYPE_DATETIME,
        [CEDAR_DURATION] = TYPE_DURATION,
    };
    return kinds[value];
}

/* ip("...") takes a literal, so that the schema's promise holds. */
static void constructor(struct validate *v, uint32_t i,
                        const struct extension *x,
                        const struct validate_operand *o)
{
    struct value_pool pool = {.arena = &v->scratch};
    struct cedar_value made;
    if (o->literal.kind != CEDAR_STRING) {
        if (o->type->kind != TYPE_STRING)
            validate_unexpected(v, o->node, "a String", o->type);
        VALIDATE_REPORT(v, CEDAR_FINDING_NOT_LITERAL, i,
                        "%.*s() takes a string literal", STR_FMT(x->name));
        return;
    }
    enum cedar_fault f = extension_call(x, &o->literal, 1, &pool, &made);
    if (f == CEDAR_FAULT_LIMIT)
        v->err = ERR_LIMIT;
    else if (f != CEDAR_FAULT_NONE)
        VALIDATE_REPORT(v, CEDAR_FINDING_BAD_LITERAL, o->node,
                        "\"%.*s\" is not valid text for %.*s()",
                        STR_FMT(str_first(value_text(o->literal), 60)),
                        STR_FMT(x->name));
}

void validate_call(struct validate *v, uint32_t i)
{
    const struct program_node *n = &v->set->nodes.at[i];
    const struct extension *x = n->as.extension;
    struct validate_operand *o = validate_pop(v, n->a);
    if (n->a != x->argc) {
        VALIDATE_REPORT(v, CEDAR_FINDING_ARITY, i,
                        "%.*s takes %d argument%s, not %u", STR_FMT(x->name),
                        x->argc - x->is_method,
                        x->argc - x->is_method == 1 ? "" : "s",
                        n->a - x->is_method);
    } else if (!x->is_method) {
        constructor(v, i, x, o);
    } else {
        for (uint32_t k = 0; k < n->a; k++) {
            const struct type *wanted = type_simple(kind_of(x->kinds[k]));
            char what[32];
            type_print(wanted, what, sizeof(what));
            if (o[k].type->kind != wanted->kind)
                validate_unexpected(v, o[k].node, what, o[k].type);
        }
    }
    (void)validate_push(v, i, type_simple(kind_of(x->result)), o, n->a);
}

static void consider(struct str name, struct str other, unsigned *best,
                     struct str *nearest)
{
    unsigned distance = text_distance(name, other);
    if (distance < *best) {
        *best = distance;
        *nearest = other;
    }
}

enum { GUESSES_MAX = 2000 };

static void check_type(struct validate *v, size_t offset, struct str type)
{
    const struct cedar_schema *s = v->schema;
    unsigned best = type.len < 4 ? 2 : 3;
    struct str nearest = {0};
    /* Strangely, every type of actions counts as known. */
    if (schema_entity(s, type) != NULL || schema_is_action_type(type))
        return;
    for (uint32_t i = 0; i < s->entity_count && i < GUESSES_MAX; i++)
        consider(type, s->entities[i].name.name, &best, &nearest);
    nearest = str_first(nearest, 60);
    validate_report(v, CEDAR_FINDING_UNKNOWN_TYPE, offset,
                    "the schema has no entity type %.*s%s%.*s%s",
                    STR_FMT(str_first(type, 60)),
                    nearest.len > 0 ? "; did you mean " : "", STR_FMT(nearest),
                    nearest.len > 0 ? "?" : "");
}

static void check_uid(struct validate *v, size_t offset,
                      const struct cedar_uid *uid)
{
    const struct cedar_schema *s = v->schema;
    const struct schema_entity *e = schema_entity(s, uid->type);
    unsigned best = uid->id.len < 4 ? 2 : 3;
    struct str nearest = {0};
    if (!schema_is_action_type(uid->type)) {
        check_type(v, offset, uid->type);
        if (e != NULL && !schema_entity_has_id(e, uid->id))
            validate_report(v, CEDAR_FINDING_UNKNOWN_ID, offset,
                            "%.*s is an enum without \"%.*s\"",
                            STR_FMT(str_first(uid->type, 60)),
                            STR_FMT(str_first(uid->id, 60)));
        return;
    }
    if (schema_action(s, uid) != NULL)
        return;
    for (uint32_t i = 0; i < s->actions.uid_count && i < GUESSES_MAX; i++)
        consider(uid->id, s->actions.uids[i].id, &best, &nearest);
    nearest = str_first(nearest, 40);
    validate_report(v, CEDAR_FINDING_UNKNOWN_ACTION, offset,
                    "the schema has no action %.*s::\"%.*s\"%s%.*s%s",
                    STR_FMT(str_first(uid->type, 40)),
                    STR_FMT(str_first(uid->id, 60)),
                    nearest.len > 0 ? "; did you mean " : "", STR_FMT(nearest),
                    nearest.len > 0 ? "?" : "");
}

/* Of a link, only the entities that it gives are its own. */
static void check_link(struct validate *v)
{
    const struct program_policy *p = v->policy;
    const struct program_policy *from = &v->set->policies.at[p->linked - 1];
    for (unsigned k = VAR_PRINCIPAL; k <= VAR_RESOURCE; k++)
        if (from->scopes[k].is_slot)
            check_uid(v, p->begin, p->scopes[k].uids);
}

void validate_names(struct validate *v)
{
    const struct program_policy *p = v->policy;
    if (p->linked > 0) {
        check_link(v);
        return;
    }
    for (unsigned k = VAR_PRINCIPAL; k <= VAR_RESOURCE; k++) {
        const struct program_scope *s = &p->scopes[k];
        for (uint32_t i = 0; i < s->uid_count; i++)
            check_uid(v, p->begin, &s->uids[i]);
        if (s->kind == SCOPE_IS || s->kind == SCOPE_IS_IN)
            check_type(v, p->begin, s->type);
    }
    for (uint32_t c = 0; c < p->condition_count; c++) {
        const struct program_condition *condition =
            &v->set->conditions.at[p->condition + c];
        for (uint32_t i = condition->first; i < condition->end; i++) {
            const struct program_node *n = &v->set->nodes.at[i];
            if (n->op == OP_ENTITY)
                check_uid(v, v->set->offsets.at[i], n->as.uid);
            else if (n->op == OP_IS || n->op == OP_IS_JUMP)
                check_type(v, v->set->offsets.at[i], *n->as.type);
        }
    }
}
