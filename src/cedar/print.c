/* print.c - see print.h. */
#include "cedar/print.h"

#include <stdlib.h>

#include "cedar/exprs.h"
#include "cedar/fold.h"
#include "cedar/quote.h"

/* From loose to tight, as the parser binds. */
enum level {
    LEVEL_IF,
    LEVEL_OR,
    LEVEL_AND,
    LEVEL_RELATION,
    LEVEL_ADD,
    LEVEL_MULTIPLY,
    LEVEL_UNARY,
    LEVEL_MEMBER
};

/* How an operator between two operands, or a method of one, is written. */
static const struct shape {
    enum level level;
    const char *sign; /* or the name of the method */
} shapes[OP_COUNT] = {
    [OP_OR] = {LEVEL_OR, "||"},
    [OP_AND] = {LEVEL_AND, "&&"},
    [OP_EQUAL] = {LEVEL_RELATION, "=="},
    [OP_DIFFERENT] = {LEVEL_RELATION, "!="},
    [OP_LESS] = {LEVEL_RELATION, "<"},
    [OP_LESS_EQUAL] = {LEVEL_RELATION, "<="},
    [OP_GREATER] = {LEVEL_RELATION, ">"},
    [OP_GREATER_EQUAL] = {LEVEL_RELATION, ">="},
    [OP_IN] = {LEVEL_RELATION, "in"},
    [OP_HAS] = {LEVEL_RELATION, "has"},
    [OP_LIKE] = {LEVEL_RELATION, "like"},
    [OP_IS] = {LEVEL_RELATION, "is"},
    [OP_IS_IN] = {LEVEL_RELATION, "is"},
    [OP_ADD] = {LEVEL_ADD, "+"},
    [OP_SUBTRACT] = {LEVEL_ADD, "-"},
    [OP_MULTIPLY] = {LEVEL_MULTIPLY, "*"},
    [OP_NOT] = {LEVEL_UNARY, "!"},
    [OP_NEGATE] = {LEVEL_UNARY, "-"},
    [OP_CONTAINS] = {LEVEL_MEMBER, "contains"},
    [OP_CONTAINS_ALL] = {LEVEL_MEMBER, "containsAll"},
    [OP_CONTAINS_ANY] = {LEVEL_MEMBER, "containsAny"},
    [OP_IS_EMPTY] = {LEVEL_MEMBER, "isEmpty"},
    [OP_HAS_TAG] = {LEVEL_MEMBER, "hasTag"},
    [OP_GET_TAG] = {LEVEL_MEMBER, "getTag"},
};

static enum level level_of(const struct program_node *node)
{
    if (node->op == OP_IF)
        return LEVEL_IF;
    if (node->op == OP_LONG)
        return node->as.number < 0 ? LEVEL_UNARY : LEVEL_MEMBER;
    return shapes[node->op].sign == NULL ? LEVEL_MEMBER
                                         : shapes[node->op].level;
}

static void add_buf(struct fold *f, const struct rope **to, struct buf *b)
{
    fold_add_rope(f, to, rope_buf(&f->pen, b));
}

/* An operand where only what binds as tight as `least` may stand bare. */
static void add_operand(struct fold *f, const struct rope **to,
                        const struct fold_part *part, enum level least)
{
    bool is_bare = level_of(&f->set->nodes.at[part->node]) >= least;
    if (!is_bare)
        fold_add(f, to, "(");
    fold_add_rope(f, to, part->text);
    if (!is_bare)
        fold_add(f, to, ")");
}

static void add_mark(struct fold *f, const struct rope **to, uint32_t node)
{
    fold_add_rope(f, to, rope_mark(&f->pen, node));
}

/* What stands right of has, like and is. */
static void add_right(struct fold *f, const struct rope **to, uint32_t i)
{
    const struct program_node *node = &f->set->nodes.at[i];
    struct buf b;
    fold_buf_init(&b);
    if (node->op == OP_LIKE)
        quote_pattern(&b, node->as.pattern);
    else if (node->op == OP_IS)
        (void)buf_add(&b, *node->as.type);
    else if (node->op == OP_IS_IN)
        (void)buf_add(&b, *fold_is_in_type(f->set, i));
    for (uint32_t k = 0; node->op == OP_HAS && k < node->a; k++) {
        if (k > 0)
            (void)buf_add_char(&b, '.');
        quote_name(&b, node->as.keys[k].name);
    }
    add_buf(f, to, &b);
}

static const struct rope *relation(struct fold *f, uint32_t i,
                                   const struct fold_part *parts)
{
    const struct program_node *node = &f->set->nodes.at[i];
    const struct shape *shape = &shapes[node->op];
    bool chains = node->op == OP_OR || node->op == OP_AND ||
                  node->op == OP_ADD || node->op == OP_SUBTRACT ||
                  node->op == OP_MULTIPLY;
    enum level above = (enum level)(shape->level + 1);
    const struct rope *r = NULL;
    add_operand(f, &r, &parts[0], chains ? shape->level : above);
    fold_add(f, &r, " ");
    add_mark(f, &r, node->op == OP_IS_IN ? f->set->starts.at[i - 1] - 1 : i);
    fold_add(f, &r, shape->sign);
    fold_add(f, &r, " ");
    add_right(f, &r, i);
    if (node->op == OP_IS_IN) {
        fold_add(f, &r, " ");
        add_mark(f, &r, i);
        fold_add(f, &r, "in ");
    }
    if (exprs_operands(node) == 2)
        add_operand(f, &r, &parts[1], above);
    return r;
}

static void add_list(struct fold *f, const struct rope **to,
                     const struct fold_part *parts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            fold_add(f, to, ", ");
        fold_add_rope(f, to, parts[i].text);
    }
}

/* x.f(...), f(...), or an operator that looks like a method. */
static const struct rope *call(struct fold *f, uint32_t i,
                               const struct fold_part *parts)
{
    const struct program_node *node = &f->set->nodes.at[i];
    const struct rope *r = NULL;
    bool is_extension = node->op == OP_CALL;
    bool is_method = !is_extension || node->as.extension->is_method;
    if (is_method) {
        add_operand(f, &r, &parts[0], LEVEL_MEMBER);
        fold_add(f, &r, ".");
    }
    add_mark(f, &r, i);
    fold_add_rope(f, &r,
                  rope_text(&f->pen, is_extension
                                         ? node->as.extension->name
                                         : str_from(shapes[node->op].sign)));
    fold_add(f, &r, "(");
    add_list(f, &r, parts + is_method, exprs_operands(node) - is_method);
    fold_add(f, &r, ")");
    return r;
}

static const struct rope *record(struct fold *f, uint32_t i,
                                 const struct fold_part *parts)
{
    const struct program_node *node = &f->set->nodes.at[i];
    const struct rope *r = NULL;
    add_mark(f, &r, i);
    fold_add(f, &r, "{");
    for (uint32_t k = 0; k < node->a; k++) {
        struct buf b;
        fold_buf_init(&b);
        if (k > 0)
            (void)buf_add(&b, STR(", "));
        quote_name(&b, node->as.keys[k].name);
        (void)buf_add(&b, STR(": "));
        add_buf(f, &r, &b);
        fold_add_rope(f, &r, parts[k].text);
    }
    fold_add(f, &r, "}");
    return r;
}

static const struct rope *attribute(struct fold *f, uint32_t i,
                                    const struct fold_part *parts)
{
    struct str name = f->set->nodes.at[i].as.keys->name;
    bool is_bare = quote_is_name(name);
    const struct rope *r = NULL;
    struct buf b;
    fold_buf_init(&b);
    if (!is_bare)
        (void)buf_add_char(&b, '[');
    quote_name(&b, name);
    if (!is_bare)
        (void)buf_add_char(&b, ']');
    add_operand(f, &r, parts, LEVEL_MEMBER);
    if (is_bare)
        fold_add(f, &r, ".");
    add_mark(f, &r, i);
    add_buf(f, &r, &b);
    return r;
}

static const struct rope *constant(struct fold *f, uint32_t i)
{
    static const char *const variables[] = {
        [VAR_PRINCIPAL] = "principal",
        [VAR_ACTION] = "action",
        [VAR_RESOURCE] = "resource",
        [VAR_CONTEXT] = "context",
    };
    const struct program_node *node = &f->set->nodes.at[i];
    const struct rope *r = NULL;
    struct buf b;
    bool is_negative = node->op == OP_LONG && node->as.number < 0;
    fold_buf_init(&b);
    if (node->op == OP_BOOL)
        (void)buf_add(&b, node->as.number ? STR("true") : STR("false"));
    else if (node->op == OP_LONG)
        (void)buf_addf(&b, "%llu",
                       is_negative ? 0 - (unsigned long long)node->as.number
                                   : (unsigned long long)node->as.number);
    else if (node->op == OP_STRING)
        quote_string(&b, (struct str){node->as.text, node->a});
    else if (node->op == OP_ENTITY)
        quote_uid(&b, node->as.uid);
    else
        (void)buf_add(&b, str_from(variables[node->a]));
    if (is_negative)
        fold_add(f, &r, "-");
    add_mark(f, &r, i);
    add_buf(f, &r, &b);
    return r;
}

static const struct rope *choice(struct fold *f, uint32_t i,
                                 const struct fold_part *parts)
{
    static const char *const words[] = {"if ", " then ", " else "};
    const struct rope *r = NULL;
    add_mark(f, &r, i);
    for (size_t k = 0; k < ARRAY_LEN(words); k++) {
        fold_add(f, &r, words[k]);
        fold_add_rope(f, &r, parts[k].text);
    }
    return r;
}

/* The operand of a minus is in parentheses if it is a number: -5 and -(5)
 * are not the same tree. */
static const struct rope *unary(struct fold *f, uint32_t i,
                                const struct fold_part *parts)
{
    const struct program_node *node = &f->set->nodes.at[i];
    bool is_number = f->set->nodes.at[parts->node].op == OP_LONG;
    const struct rope *r = NULL;
    add_mark(f, &r, i);
    fold_add(f, &r, shapes[node->op].sign);
    if (node->op == OP_NEGATE && is_number) {
        fold_add(f, &r, "(");
        fold_add_rope(f, &r, parts->text);
        fold_add(f, &r, ")");
    } else {
        add_operand(f, &r, parts, LEVEL_MEMBER);
    }
    return r;
}

static const struct rope *expression(struct fold *f, uint32_t i,
                                     const struct fold_part *parts)
{
    const struct program_node *node = &f->set->nodes.at[i];
    const struct rope *r = NULL;
    switch (node->op) {
    case OP_BOOL:
    case OP_LONG:
    case OP_STRING:
    case OP_ENTITY:
    case OP_VARIABLE:
        return constant(f, i);
    case OP_SET:
        add_mark(f, &r, i);
        fold_add(f, &r, "[");
        add_list(f, &r, parts, node->a);
        fold_add(f, &r, "]");
        return r;
    case OP_RECORD:
        return record(f, i, parts);
    case OP_GET:
        return attribute(f, i, parts);
    case OP_IF:
        return choice(f, i, parts);
    case OP_NOT:
    case OP_NEGATE:
        return unary(f, i, parts);
    default:
        return node->op == OP_CALL || shapes[node->op].level == LEVEL_MEMBER
                   ? call(f, i, parts)
                   : relation(f, i, parts);
    }
}

static void scope(struct buf *b, const struct program_scope *s,
                  enum program_variable variable)
{
    static const char *const names[] = {"principal", "action", "resource"};
    (void)buf_add(b, str_from(names[variable]));
    if (s->kind == SCOPE_IS || s->kind == SCOPE_IS_IN) {
        (void)buf_add(b, STR(" is "));
        (void)buf_add(b, s->type);
    }
    if (s->kind == SCOPE_ANY || s->kind == SCOPE_IS)
        return;
    bool is_list = !s->is_slot && s->uid_count != 1;
    (void)buf_add(b, s->kind == SCOPE_EQUAL ? STR(" == ") : STR(" in "));
    if (is_list)
        (void)buf_add_char(b, '[');
    if (s->is_slot)
        (void)buf_addf(b, "?%s", names[variable]);
    for (uint32_t i = 0; !s->is_slot && i < s->uid_count; i++) {
        if (i > 0)
            (void)buf_add(b, STR(", "));
        quote_uid(b, &s->uids[i]);
    }
    if (is_list)
        (void)buf_add_char(b, ']');
}

/* Annotations, effect and scopes. */
static void head(struct buf *b, const struct cedar_policies *set,
                 const struct program_policy *policy)
{
    for (uint32_t i = 0; i < policy->annotation_count; i++) {
        const struct program_annotation *a =
            &set->annotations.at[policy->annotation + i];
        (void)buf_add_char(b, '@');
        (void)buf_add(b, a->key);
        if (a->has_value) {
            (void)buf_add_char(b, '(');
            quote_string(b, a->value);
            (void)buf_add_char(b, ')');
        }
        (void)buf_add_char(b, '\n');
    }
    (void)buf_add(b, policy->is_permit ? STR("permit (") : STR("forbid ("));
    for (unsigned v = VAR_PRINCIPAL; v <= VAR_RESOURCE; v++) {
        if (v > VAR_PRINCIPAL)
            (void)buf_add(b, STR(", "));
        scope(b, &policy->scopes[v], v);
    }
    (void)buf_add_char(b, ')');
}

/* Appends a policy; places of nodes go to `marks`, unless it is NULL. */
static enum err print(const struct cedar_policies *set,
                      const struct program_policy *policy, struct buf *to,
                      uint32_t *marks)
{
    struct arena arena;
    struct fold f;
    const struct rope *all = NULL;
    struct buf b;
    arena_init(&arena, (size_t)8 * CEDAR_TEXT_MAX);
    if (!fold_init(&f, &arena, set))
        return ERR_NO_MEMORY;
    fold_buf_init(&b);
    head(&b, set, policy);
    add_buf(&f, &all, &b);
    for (uint32_t i = 0; i < policy->condition_count; i++) {
        const struct program_condition *c =
            &set->conditions.at[policy->condition + i];
        fold_add(&f, &all, c->is_unless ? "\nunless { " : "\nwhen { ");
        fold_add_rope(&f, &all, fold_condition(&f, c, expression));
        fold_add(&f, &all, " }");
    }
    fold_add(&f, &all, ";");
    bool ok = !f.pen.failed && rope_write(all, to, marks) && buf_ok(to);
    fold_release(&f);
    arena_release(&arena);
    return ok ? ERR_OK : ERR_LIMIT;
}

enum err print_policy(const struct cedar_policies *set, size_t index,
                      struct buf *to)
{
    return print(set, &set->policies.at[index], to, NULL);
}

/* Jumps and OPEN are where their operator is. */
static void place_jumps(struct cedar_policies *set)
{
    uint32_t *offsets = set->offsets.at;
    for (size_t i = set->nodes.count; i-- > 0;) {
        const struct program_node *node = &set->nodes.at[i];
        if (set->nodes.at[set->starts.at[i]].op == OP_OPEN &&
            !exprs_is_jump(node))
            offsets[set->starts.at[i]] = offsets[i];
        if (node->op == OP_ELSE_JUMP)
            offsets[i] = offsets[node->a];
        else if (exprs_is_jump(node) && node->op != OP_OPEN &&
                 node->op != OP_IS_JUMP) /* that has a place of its own */
            offsets[i] = offsets[node->a - 1];
    }
}

static enum err print_all(struct cedar_policies *set, struct buf *to)
{
    uint32_t line = 1;
    for (size_t i = 0; i < set->policies.count; i++) {
        struct program_policy *policy = &set->policies.at[i];
        if (policy->linked > 0)
            continue;
        policy->begin = to->len;
        policy->line = line;
        enum err e = print(set, policy, to, set->offsets.at);
        if (e != ERR_OK)
            return e;
        policy->end = to->len;
        for (size_t at = policy->begin; at < policy->end; at++)
            line += to->ptr[at] == '\n';
        (void)buf_add_char(to, '\n');
        line++;
    }
    for (size_t i = 0; i < set->policies.count; i++) {
        struct program_policy *link = &set->policies.at[i];
        if (link->linked == 0)
            continue;
        const struct program_policy *from = &set->policies.at[link->linked - 1];
        link->begin = from->begin;
        link->end = from->end;
        link->line = from->line;
    }
    return buf_ok(to) ? ERR_OK : ERR_LIMIT;
}

enum err print_set(struct cedar_policies *set)
{
    struct buf to;
    buf_init(&to, CEDAR_TEXT_MAX);
    enum err e = print_all(set, &to);
    if (e == ERR_OK && !arena_copy(&set->arena, buf_str(&to), &set->text))
        e = ERR_LIMIT;
    if (e == ERR_OK)
        place_jumps(set);
    buf_release(&to);
    return e;
}
