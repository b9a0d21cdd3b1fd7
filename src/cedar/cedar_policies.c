/* cedar_policies.c - policy sets; see cedar.h. */
#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/text.h"
#include "cedar/cedar.h"
#include "cedar/errors.h"
#include "cedar/policy_parse.h"
#include "cedar/program.h"

/* What the arena may hold for each byte of text: the densest are nested
 * lists of one-letter constants, kept once per level. */
enum { ARENA_PER_BYTE = 128 };

/* To behind the semicolon of the policy that has an error in it. */
static void skip_policy(struct parser *p)
{
    while (p->token.kind != TOKEN_END && !parser_at(p, LEXER_SIGN(';', 0)))
        parser_advance(p);
    if (p->token.kind != TOKEN_END)
        parser_advance(p);
    p->constants.count = 0;
    p->starts.count = 0;
    p->keys.count = 0;
    p->depth = 0;
}

static void parse_all(struct parser *p)
{
    parser_advance(p);
    while (p->token.kind != TOKEN_END && p->err != ERR_LIMIT) {
        if (policy_parse(p))
            continue;
        if (p->errors == NULL || p->errors->count == CEDAR_ERRORS_MAX)
            break;
        skip_policy(p);
    }
}

static enum err check_text(struct str text, struct cedar_errors *errors)
{
    if (text.len > CEDAR_TEXT_MAX) {
        errors_add(errors, (struct str){0}, 0, "the text is too long");
        return ERR_LIMIT;
    }
    size_t at = 0;
    while (at < text.len) {
        size_t n = text_utf8_len(str_skip(text, at));
        if (n == 0) {
            errors_add(errors, text, at, "the text is not UTF-8");
            return ERR_MALFORMED;
        }
        at += n;
    }
    return ERR_OK;
}

enum err cedar_policies_load(struct str text, struct cedar_errors *ret_errors,
                             struct cedar_policies **ret)
{
    if (ret_errors != NULL)
        ret_errors->count = 0;
    enum err e = check_text(text, ret_errors);
    if (e != ERR_OK)
        return e;
    struct cedar_policies *set = calloc(1, sizeof(*set));
    if (set == NULL)
        return ERR_NO_MEMORY;
    arena_init(&set->arena, text.len * ARENA_PER_BYTE + MIB);
    if (!arena_copy(&set->arena, text, &set->text)) {
        cedar_policies_free(set);
        return ERR_NO_MEMORY;
    }
    struct parser p = {
        .set = set,
        .errors = ret_errors,
        .lexer = {.text = set->text},
        .pool = {.arena = &set->arena},
    };
    parse_all(&p);
    free(p.constants.at);
    free(p.starts.at);
    free(p.keys.at);
    if (p.err == ERR_OK &&
        !index_build(&set->index, set->policies.at, set->policies.count))
        p.err = ERR_NO_MEMORY;
    if (p.err != ERR_OK) {
        cedar_policies_free(set);
        return p.err;
    }
    *ret = set;
    return ERR_OK;
}

void cedar_policies_free(struct cedar_policies *p)
{
    if (p == NULL)
        return;
    index_release(&p->index);
    free(p->policies.at);
    free(p->conditions.at);
    free(p->annotations.at);
    free(p->nodes.at);
    free(p->starts.at);
    free(p->offsets.at);
    arena_release(&p->arena);
    free(p);
}

size_t cedar_policies_count(const struct cedar_policies *p)
{
    return p->policies.count;
}

size_t cedar_policies_templates(const struct cedar_policies *p)
{
    return p->template_count;
}

struct cedar_policy_view cedar_policies_at(const struct cedar_policies *p,
                                           size_t index)
{
    assert(index < p->policies.count);
    const struct program_policy *policy = &p->policies.at[index];
    return (struct cedar_policy_view){
        .id = policy->id,
        .text = {p->text.ptr + policy->begin, policy->end - policy->begin},
        .effect = policy->is_permit ? CEDAR_PERMIT : CEDAR_FORBID,
        .is_template = policy->is_template,
        .offset = policy->begin,
        .line = policy->line,
    };
}

bool cedar_policies_annotation(const struct cedar_policies *p, size_t index,
                               size_t nth, struct str *ret_key,
                               struct str *ret_value)
{
    assert(index < p->policies.count);
    const struct program_policy *policy = &p->policies.at[index];
    if (nth >= policy->annotation_count)
        return false;
    const struct program_annotation *a =
        &p->annotations.at[policy->annotation + nth];
    *ret_key = a->key;
    *ret_value = a->value;
    return true;
}

void cedar_policies_locate(const struct cedar_policies *p, size_t offset,
                           uint32_t *ret_line, uint32_t *ret_column)
{
    errors_locate(p->text, offset, ret_line, ret_column);
}
