/* policy_parse.c - see policy_parse.h. */
#include "cedar/policy_parse.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "cedar/expression.h"

static const struct str variables[] = {
    [VAR_PRINCIPAL] = STR_INIT("principal"),
    [VAR_ACTION] = STR_INIT("action"),
    [VAR_RESOURCE] = STR_INIT("resource"),
};

static bool annotation(struct parser *p, struct program_policy *policy)
{
    struct cedar_policies *set = p->set;
    struct program_annotation a = {.key = p->token.text, .value = STR("")};
    size_t offset = p->token.offset;
    if (p->token.kind != TOKEN_NAME) /* reserved words are fine */
        return parser_expected(p, "the name of an annotation");
    if (policy->annotation_count == CEDAR_ANNOTATIONS_MAX)
        return parser_fail(p, offset, "more than %d annotations",
                           CEDAR_ANNOTATIONS_MAX);
    for (uint32_t i = 0; i < policy->annotation_count; i++)
        if (str_eq(set->annotations.at[policy->annotation + i].key, a.key))
            return parser_fail(p, offset, "@%.*s stands here twice",
                               STR_FMT(str_first(a.key, 60)));
    parser_advance(p);
    a.has_value = parser_take(p, LEXER_SIGN('(', 0));
    if (a.has_value &&
        (!parser_string(p, &a.value) || !parser_need(p, LEXER_SIGN(')', 0))))
        return false;
    if (!PROGRAM_ROOM(set->annotations))
        return parser_no_memory(p);
    set->annotations.at[set->annotations.count++] = a;
    policy->annotation_count++;
    return true;
}

/* Parentheses around an entity are allowed and mean nothing. */
static unsigned opening(struct parser *p)
{
    unsigned count = 0;
    while (count < CEDAR_DEPTH_MAX && parser_take(p, LEXER_SIGN('(', 0)))
        count++;
    return count;
}

static bool closing(struct parser *p, unsigned count)
{
    while (count-- > 0)
        if (!parser_need(p, LEXER_SIGN(')', 0)))
            return false;
    return true;
}

/* An entity, or the slot of this variable. */
static bool entity(struct parser *p, enum program_variable variable,
                   struct program_scope *scope)
{
    unsigned parentheses = opening(p);
    struct str own = variables[variable];
    if (p->token.kind == TOKEN_SLOT) {
        if (variable == VAR_ACTION || !str_eq(p->token.text, own))
            return parser_fail(p, p->token.offset,
                               "the slot ?%.*s cannot stand here",
                               STR_FMT(str_first(p->token.text, 60)));
        scope->is_slot = true;
        parser_advance(p);
        return closing(p, parentheses);
    }
    struct parser_path path;
    if (p->token.kind != TOKEN_NAME)
        return parser_expected(p, "an entity like Type::\"id\"");
    if (!parser_path(p, &path))
        return false;
    if (!path.is_uid)
        return parser_fail(p, path.offset,
                           "expected an entity like Type::\"id\", found %.*s",
                           STR_FMT(str_first(path.name, 60)));
    scope->uids = parser_uid(p, &path);
    scope->uid_count = 1;
    return scope->uids != NULL && closing(p, parentheses);
}

static bool is_action_type(struct str type)
{
    struct str word = STR("Action");
    struct str tail =
        str_skip(type, type.len < word.len ? 0 : type.len - word.len);
    return str_eq(tail, word) &&
           (type.len == word.len || type.ptr[type.len - word.len - 1] == ':');
}

static bool check_action(struct parser *p, size_t offset,
                         const struct program_scope *scope)
{
    assert(scope->uids != NULL); /* entity() was content */
    if (is_action_type(scope->uids->type))
        return true;
    return parser_fail(p, offset, "an action's type is Action, not %.*s",
                       STR_FMT(str_first(scope->uids->type, 60)));
}

/* The list after `action in`; its entities lie behind one another. */
static bool action_list(struct parser *p, struct program_scope *scope)
{
    PROGRAM_LIST(struct cedar_uid) list = {0};
    bool ok = true;
    while (ok && !parser_at(p, LEXER_SIGN(']', 0))) {
        struct program_scope one = {0};
        size_t offset = p->token.offset;
        ok = entity(p, VAR_ACTION, &one) && check_action(p, offset, &one);
        if (ok && !PROGRAM_ROOM(list))
            ok = parser_no_memory(p);
        if (ok)
            list.at[list.count++] = *one.uids;
        if (!parser_take(p, LEXER_SIGN(',', 0)))
            break;
    }
    struct cedar_uid *uids =
        ok ? ARENA_NEW(&p->set->arena, struct cedar_uid, list.count) : NULL;
    if (ok && uids == NULL)
        ok = parser_no_memory(p);
    if (uids != NULL && list.at != NULL)
        memcpy(uids, list.at, list.count * sizeof(*uids));
    scope->uids = uids;
    scope->uid_count = (uint32_t)list.count;
    free(list.at);
    return ok && parser_need(p, LEXER_SIGN(']', 0));
}

static bool action_scope(struct parser *p, struct program_scope *scope)
{
    size_t offset = p->token.offset;
    if (parser_take(p, LEXER_SIGN('=', '='))) {
        scope->kind = SCOPE_EQUAL;
    } else if (parser_take_word(p, STR("in"))) {
        unsigned parentheses = opening(p);
        scope->kind = SCOPE_IN;
        if (parser_take(p, LEXER_SIGN('[', 0)))
            return action_list(p, scope) && closing(p, parentheses);
        offset = p->token.offset;
        return entity(p, VAR_ACTION, scope) && check_action(p, offset, scope) &&
               closing(p, parentheses);
    } else if (parser_at_word(p, STR("is"))) {
        return parser_fail(p, offset, "'is' is not for actions");
    } else {
        return true;
    }
    offset = p->token.offset;
    return entity(p, VAR_ACTION, scope) && check_action(p, offset, scope);
}

static bool other_scope(struct parser *p, enum program_variable variable,
                        struct program_scope *scope)
{
    if (parser_take(p, LEXER_SIGN('=', '='))) {
        scope->kind = SCOPE_EQUAL;
        return entity(p, variable, scope);
    }
    if (parser_take_word(p, STR("in"))) {
        scope->kind = SCOPE_IN;
        return entity(p, variable, scope);
    }
    if (!parser_take_word(p, STR("is")))
        return true;
    struct parser_path path;
    scope->kind = SCOPE_IS;
    if (!parser_path(p, &path))
        return false;
    if (path.is_uid)
        return parser_fail(p, path.offset, "expected a type, found an entity");
    scope->type = path.name;
    if (!parser_take_word(p, STR("in")))
        return true;
    scope->kind = SCOPE_IS_IN;
    return entity(p, variable, scope);
}

static bool scopes(struct parser *p, struct program_policy *policy)
{
    if (!parser_need(p, LEXER_SIGN('(', 0)))
        return false;
    for (enum program_variable v = VAR_PRINCIPAL; v <= VAR_RESOURCE; v++) {
        struct program_scope *scope = &policy->scopes[v];
        char what[16];
        (void)snprintf(what, sizeof(what), "'%s'", variables[v].ptr);
        if (v > VAR_PRINCIPAL && !parser_need(p, LEXER_SIGN(',', 0)))
            return false;
        if (!parser_take_word(p, variables[v]))
            return parser_expected_word(p, what, &variables[v], 1);
        if (!(v == VAR_ACTION ? action_scope(p, scope)
                              : other_scope(p, v, scope)))
            return false;
        if (scope->is_slot)
            policy->is_template = true;
    }
    (void)parser_take(p, LEXER_SIGN(',', 0));
    return parser_need(p, LEXER_SIGN(')', 0));
}

static bool condition(struct parser *p, struct program_policy *policy)
{
    struct cedar_policies *set = p->set;
    struct program_condition c = {
        .first = (uint32_t)set->nodes.count,
        .is_unless = parser_at_word(p, STR("unless")),
    };
    parser_advance(p);
    if (parser_at_word(p, STR("temporal")) ||
        parser_at_word(p, STR("guardrails")))
        return parser_fail(p, p->token.offset,
                           "'%.*s' conditions are not supported",
                           STR_FMT(p->token.text));
    if (!parser_need(p, LEXER_SIGN('{', 0)) || !expression_parse(p) ||
        !parser_need(p, LEXER_SIGN('}', 0)))
        return false;
    p->constants.count = 0;
    p->starts.count = 0;
    c.end = (uint32_t)set->nodes.count;
    if (!PROGRAM_ROOM(set->conditions))
        return parser_no_memory(p);
    set->conditions.at[set->conditions.count++] = c;
    policy->condition_count++;
    return true;
}

/* Counts on from the policy before, so that a whole file is counted once. */
static uint32_t line_of(const struct cedar_policies *set, size_t offset)
{
    size_t count = set->policies.count;
    size_t at = count == 0 ? 0 : set->policies.at[count - 1].begin;
    uint32_t line = count == 0 ? 1 : set->policies.at[count - 1].line;
    for (; at < offset; at++)
        line += set->text.ptr[at] == '\n';
    return line;
}

static bool name_policy(struct parser *p, struct program_policy *policy)
{
    char id[32];
    int n = snprintf(id, sizeof(id), "policy%zu", p->set->policies.count);
    if (!arena_copy(&p->set->arena, (struct str){id, (size_t)n}, &policy->id) ||
        !PROGRAM_ROOM(p->set->policies))
        return parser_no_memory(p);
    policy->line = line_of(p->set, policy->begin);
    p->set->policies.at[p->set->policies.count++] = *policy;
    p->set->template_count += policy->is_template;
    return true;
}

bool policy_parse(struct parser *p)
{
    static const struct str effects[] = {STR_INIT("permit"),
                                         STR_INIT("forbid")};
    static const struct str clauses[] = {STR_INIT("when"), STR_INIT("unless")};
    struct program_policy policy = {
        .annotation = (uint32_t)p->set->annotations.count,
        .condition = (uint32_t)p->set->conditions.count,
        .begin = p->token.offset,
    };
    while (parser_take(p, LEXER_SIGN('@', 0)))
        if (!annotation(p, &policy))
            return false;
    policy.is_permit = parser_at_word(p, STR("permit"));
    if (!policy.is_permit && !parser_at_word(p, STR("forbid")))
        return parser_expected_word(p, "'permit' or 'forbid'", effects,
                                    ARRAY_LEN(effects));
    parser_advance(p);
    if (!scopes(p, &policy))
        return false;
    while (parser_at_word(p, STR("when")) || parser_at_word(p, STR("unless")))
        if (!condition(p, &policy))
            return false;
    policy.end = p->lexer.at;
    if (p->token.kind == TOKEN_NAME)
        return parser_expected_word(p, "'when', 'unless' or ';'", clauses,
                                    ARRAY_LEN(clauses));
    return parser_need(p, LEXER_SIGN(';', 0)) && name_policy(p, &policy);
}
