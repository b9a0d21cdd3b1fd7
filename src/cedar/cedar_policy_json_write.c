/* cedar_policy_json_write.c - policies to JSON; see cedar_policy_json.h. */
#include <assert.h>

#include "base/text.h"
#include "cedar/cedar_policy_json.h"
#include "cedar/exprs.h"
#include "cedar/fold.h"
#include "codec/json.h"

/* The member that stands for an operator with the operands left and right, or
 * with "arg". */
static const char *const names[OP_COUNT] = {
    [OP_NOT] = "!",
    [OP_NEGATE] = "neg",
    [OP_IS_EMPTY] = "isEmpty",
    [OP_EQUAL] = "==",
    [OP_DIFFERENT] = "!=",
    [OP_IN] = "in",
    [OP_LESS] = "<",
    [OP_LESS_EQUAL] = "<=",
    [OP_GREATER] = ">",
    [OP_GREATER_EQUAL] = ">=",
    [OP_AND] = "&&",
    [OP_OR] = "||",
    [OP_ADD] = "+",
    [OP_SUBTRACT] = "-",
    [OP_MULTIPLY] = "*",
    [OP_CONTAINS] = "contains",
    [OP_CONTAINS_ALL] = "containsAll",
    [OP_CONTAINS_ANY] = "containsAny",
    [OP_HAS_TAG] = "hasTag",
    [OP_GET_TAG] = "getTag",
};

static void add_buf(struct fold *f, const struct rope **to, struct buf *b)
{
    fold_add_rope(f, to, rope_buf(&f->pen, b));
}

static void write_uid(struct buf *b, const struct cedar_uid *uid)
{
    (void)buf_add(b, STR("{\"type\":"));
    json_write_str(b, uid->type);
    (void)buf_add(b, STR(",\"id\":"));
    json_write_str(b, uid->id);
    (void)buf_add_char(b, '}');
}

static void write_constant(struct buf *b, const struct program_node *node)
{
    static const char *const variables[] = {
        [VAR_PRINCIPAL] = "principal",
        [VAR_ACTION] = "action",
        [VAR_RESOURCE] = "resource",
        [VAR_CONTEXT] = "context",
    };
    if (node->op == OP_VARIABLE) {
        (void)buf_addf(b, "{\"Var\":\"%s\"}", variables[node->a]);
        return;
    }
    (void)buf_add(b, STR("{\"Value\":"));
    if (node->op == OP_BOOL)
        (void)buf_add(b, node->as.number ? STR("true") : STR("false"));
    else if (node->op == OP_LONG)
        (void)buf_addf(b, "%lld", (long long)node->as.number);
    else if (node->op == OP_STRING)
        json_write_str(b, (struct str){node->as.text, node->a});
    if (node->op == OP_ENTITY) {
        (void)buf_add(b, STR("{\"__entity\":"));
        write_uid(b, node->as.uid);
        (void)buf_add_char(b, '}');
    }
    (void)buf_add_char(b, '}');
}

/* Each character is a literal of its own, as the Rust implementation has it. */
static void write_pattern(struct buf *b, const struct program_pattern *p)
{
    bool is_first = true;
    (void)buf_add(b, STR(",\"pattern\":["));
    for (uint32_t i = 0; i < p->count; i++) {
        struct str piece = p->pieces[i];
        if (i > 0) {
            (void)buf_add(b, is_first ? STR("\"Wildcard\"")
                                      : STR(",\"Wildcard\""));
            is_first = false;
        }
        for (size_t at = 0; at < piece.len;) {
            size_t n = text_utf8_len(str_skip(piece, at));
            assert(n > 0); /* the text was checked */
            (void)buf_add(b, is_first ? STR("{\"Literal\":")
                                      : STR(",{\"Literal\":"));
            json_write_str(b, (struct str){piece.ptr + at, n});
            (void)buf_add_char(b, '}');
            is_first = false;
            at += n;
        }
    }
    (void)buf_add_char(b, ']');
}

/* "attr": the name, or an array of several. */
static void write_names(struct buf *b, const struct program_node *node)
{
    uint32_t count = node->op == OP_GET ? 1 : node->a;
    (void)buf_add(b, STR(",\"attr\":"));
    for (uint32_t i = 0; i < count; i++) {
        if (count > 1)
            (void)buf_add_char(b, i == 0 ? '[' : ',');
        json_write_str(b, node->as.keys[i].name);
    }
    if (count > 1)
        (void)buf_add_char(b, ']');
}

/* {"has": {"left": ..., and more}} */
static const struct rope *with_left(struct fold *f, uint32_t i,
                                    const struct fold_part *parts)
{
    const struct program_node *node = &f->set->nodes.at[i];
    bool is_type = node->op == OP_IS || node->op == OP_IS_IN;
    const struct rope *r = NULL;
    struct buf b;
    fold_buf_init(&b);
    fold_add(f, &r,
             node->op == OP_GET    ? "{\".\":{\"left\":"
             : node->op == OP_HAS  ? "{\"has\":{\"left\":"
             : node->op == OP_LIKE ? "{\"like\":{\"left\":"
                                   : "{\"is\":{\"left\":");
    fold_add_rope(f, &r, parts[0].text);
    if (node->op == OP_LIKE)
        write_pattern(&b, node->as.pattern);
    else if (!is_type)
        write_names(&b, node);
    if (is_type) {
        (void)buf_add(&b, STR(",\"entity_type\":"));
        json_write_str(&b, node->op == OP_IS ? *node->as.type
                                             : *fold_is_in_type(f->set, i));
    }
    add_buf(f, &r, &b);
    if (node->op == OP_IS_IN) {
        fold_add(f, &r, ",\"in\":");
        fold_add_rope(f, &r, parts[1].text);
    }
    fold_add(f, &r, "}}");
    return r;
}

static void add_list(struct fold *f, const struct rope **to,
                     const struct fold_part *parts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            fold_add(f, to, ",");
        fold_add_rope(f, to, parts[i].text);
    }
}

/* Sets, records, calls: any number of operands. */
static const struct rope *with_many(struct fold *f, uint32_t i,
                                    const struct fold_part *parts)
{
    const struct program_node *node = &f->set->nodes.at[i];
    const struct rope *r = NULL;
    if (node->op == OP_RECORD) {
        fold_add(f, &r, "{\"Record\":{");
        for (uint32_t k = 0; k < node->a; k++) {
            struct buf b;
            fold_buf_init(&b);
            if (k > 0)
                (void)buf_add_char(&b, ',');
            json_write_str(&b, node->as.keys[k].name);
            (void)buf_add_char(&b, ':');
            add_buf(f, &r, &b);
            fold_add_rope(f, &r, parts[k].text);
        }
        fold_add(f, &r, "}}");
        return r;
    }
    fold_add(f, &r, "{\"");
    fold_add_rope(f, &r,
                  rope_text(&f->pen, node->op == OP_SET
                                         ? STR("Set")
                                         : node->as.extension->name));
    fold_add(f, &r, "\":[");
    add_list(f, &r, parts, node->a);
    fold_add(f, &r, "]}");
    return r;
}

static const struct rope *with_names(struct fold *f, uint32_t i,
                                     const struct fold_part *parts)
{
    static const char *const members[][3] = {
        {"\":{\"arg\":", "", ""},
        {"\":{\"left\":", ",\"right\":", ""},
        {":{\"if\":", ",\"then\":", ",\"else\":"},
    };
    const struct program_node *node = &f->set->nodes.at[i];
    uint32_t count = exprs_operands(node);
    const struct rope *r = NULL;
    assert(count >= 1 && count <= ARRAY_LEN(members));
    if (node->op == OP_IF) {
        fold_add(f, &r, "{\"if-then-else\"");
    } else {
        fold_add(f, &r, "{\"");
        fold_add(f, &r, names[node->op]);
    }
    for (uint32_t k = 0; k < count; k++) {
        fold_add(f, &r, members[count - 1][k]);
        fold_add_rope(f, &r, parts[k].text);
    }
    fold_add(f, &r, "}}");
    return r;
}

static const struct rope *expression(struct fold *f, uint32_t i,
                                     const struct fold_part *parts)
{
    const struct program_node *node = &f->set->nodes.at[i];
    const struct rope *r = NULL;
    struct buf b;
    switch (node->op) {
    case OP_BOOL:
    case OP_LONG:
    case OP_STRING:
    case OP_ENTITY:
    case OP_VARIABLE:
        fold_buf_init(&b);
        write_constant(&b, node);
        add_buf(f, &r, &b);
        return r;
    case OP_GET:
    case OP_HAS:
    case OP_LIKE:
    case OP_IS:
    case OP_IS_IN:
        return with_left(f, i, parts);
    case OP_SET:
    case OP_RECORD:
    case OP_CALL:
        return with_many(f, i, parts);
    default:
        return with_names(f, i, parts);
    }
}

/* "entity": ..., "slot": ... or "entities": [...] */
static void write_whom(struct buf *b, const struct program_scope *s,
                       const char *variable)
{
    if (s->is_slot) {
        (void)buf_addf(b, "\"slot\":\"?%s\"", variable);
    } else if (s->uid_count == 1) {
        (void)buf_add(b, STR("\"entity\":"));
        write_uid(b, s->uids);
    } else {
        (void)buf_add(b, STR("\"entities\":["));
        for (uint32_t i = 0; i < s->uid_count; i++) {
            if (i > 0)
                (void)buf_add_char(b, ',');
            write_uid(b, &s->uids[i]);
        }
        (void)buf_add_char(b, ']');
    }
}

static void write_scope(struct buf *b, const struct program_scope *s,
                        const char *variable)
{
    static const char *const ops[] = {
        [SCOPE_ANY] = "All", [SCOPE_EQUAL] = "==", [SCOPE_IN] = "in",
        [SCOPE_IS] = "is",   [SCOPE_IS_IN] = "is",
    };
    bool is_type = s->kind == SCOPE_IS || s->kind == SCOPE_IS_IN;
    (void)buf_addf(b, ",\"%s\":{\"op\":\"%s\"", variable, ops[s->kind]);
    if (is_type) {
        (void)buf_add(b, STR(",\"entity_type\":"));
        json_write_str(b, s->type);
    }
    if (s->kind == SCOPE_IS_IN)
        (void)buf_add(b, STR(",\"in\":{"));
    else if (s->kind == SCOPE_EQUAL || s->kind == SCOPE_IN)
        (void)buf_add_char(b, ',');
    if (s->kind != SCOPE_ANY && s->kind != SCOPE_IS)
        write_whom(b, s, variable);
    (void)buf_add(b, s->kind == SCOPE_IS_IN ? STR("}}") : STR("}"));
}

static void write_head(struct buf *b, const struct program_policy *policy)
{
    static const char *const variables[] = {"principal", "action", "resource"};
    (void)buf_add(b, policy->is_permit ? STR("{\"effect\":\"permit\"")
                                       : STR("{\"effect\":\"forbid\""));
    for (unsigned v = VAR_PRINCIPAL; v <= VAR_RESOURCE; v++)
        write_scope(b, &policy->scopes[v], variables[v]);
    (void)buf_add(b, STR(",\"conditions\":["));
}

static void write_annotations(struct buf *b, const struct cedar_policies *set,
                              const struct program_policy *policy)
{
    (void)buf_add_char(b, ']');
    for (uint32_t i = 0; i < policy->annotation_count; i++) {
        const struct program_annotation *a =
            &set->annotations.at[policy->annotation + i];
        (void)buf_add(b, i == 0 ? STR(",\"annotations\":{") : STR(","));
        json_write_str(b, a->key);
        (void)buf_add_char(b, ':');
        if (a->has_value)
            json_write_str(b, a->value);
        else
            (void)buf_add(b, STR("null"));
    }
    if (policy->annotation_count > 0)
        (void)buf_add_char(b, '}');
    (void)buf_add_char(b, '}');
}

enum err cedar_policy_json_write(const struct cedar_policies *p, size_t index,
                                 struct buf *to)
{
    const struct program_policy *policy = &p->policies.at[index];
    struct arena arena;
    struct fold f;
    bool ok = true;
    assert(index < p->policies.count);
    arena_init(&arena, (size_t)8 * CEDAR_TEXT_MAX);
    if (!fold_init(&f, &arena, p))
        return ERR_NO_MEMORY;
    write_head(to, policy);
    for (uint32_t i = 0; ok && i < policy->condition_count; i++) {
        const struct program_condition *c =
            &p->conditions.at[policy->condition + i];
        const struct rope *body = fold_condition(&f, c, expression);
        (void)buf_addf(to, "%s{\"kind\":\"%s\",\"body\":", i == 0 ? "" : ",",
                       c->is_unless ? "unless" : "when");
        ok = !f.pen.failed && rope_write(body, to, NULL) &&
             buf_add_char(to, '}');
    }
    write_annotations(to, p, policy);
    fold_release(&f);
    arena_release(&arena);
    return ok && buf_ok(to) ? ERR_OK : ERR_LIMIT;
}

static void write_link(const struct cedar_policies *p,
                       const struct program_policy *link, struct buf *to)
{
    const struct program_policy *from = &p->policies.at[link->linked - 1];
    const char *before = "";
    (void)buf_add(to, STR("{\"templateId\":"));
    json_write_str(to, from->id);
    (void)buf_add(to, STR(",\"newId\":"));
    json_write_str(to, link->id);
    (void)buf_add(to, STR(",\"values\":{"));
    if (from->scopes[VAR_PRINCIPAL].is_slot) {
        (void)buf_add(to, STR("\"?principal\":"));
        write_uid(to, link->scopes[VAR_PRINCIPAL].uids);
        before = ",";
    }
    if (from->scopes[VAR_RESOURCE].is_slot) {
        (void)buf_addf(to, "%s\"?resource\":", before);
        write_uid(to, link->scopes[VAR_RESOURCE].uids);
    }
    (void)buf_add(to, STR("}}"));
}

/* The policies that are templates, or those that are not. */
static enum err write_policies(const struct cedar_policies *p, bool templates,
                               struct buf *to)
{
    bool is_first = true;
    for (size_t i = 0; i < p->policies.count; i++) {
        const struct program_policy *policy = &p->policies.at[i];
        if (policy->is_template != templates || policy->linked > 0)
            continue;
        if (!is_first)
            (void)buf_add_char(to, ',');
        is_first = false;
        json_write_str(to, policy->id);
        (void)buf_add_char(to, ':');
        enum err e = cedar_policy_json_write(p, i, to);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

enum err cedar_policy_json_write_set(const struct cedar_policies *p,
                                     struct buf *to)
{
    bool is_first = true;
    (void)buf_add(to, STR("{\"staticPolicies\":{"));
    enum err e = write_policies(p, false, to);
    (void)buf_add(to, STR("},\"templates\":{"));
    if (e == ERR_OK)
        e = write_policies(p, true, to);
    (void)buf_add(to, STR("},\"templateLinks\":["));
    for (size_t i = 0; e == ERR_OK && i < p->policies.count; i++) {
        if (p->policies.at[i].linked == 0)
            continue;
        if (!is_first)
            (void)buf_add_char(to, ',');
        is_first = false;
        write_link(p, &p->policies.at[i], to);
    }
    (void)buf_add(to, STR("]}"));
    if (e == ERR_OK && !buf_ok(to))
        e = ERR_LIMIT;
    return e;
}
