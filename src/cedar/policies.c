/* policies.c - see policies.h. */
#include "cedar/policies.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/text.h"
#include "cedar/paths.h"
#include "cedar/policy_parse.h"

/* What the arena may hold for each byte of text: the densest are nested
 * lists of one-letter constants, kept once per level. */
enum { ARENA_PER_BYTE = 128 };

/* True where the policy before only lacks its semicolon, it seems. */
static bool begins_policy(const struct parser *p)
{
    return parser_at(p, LEXER_SIGN('@', 0)) ||
           parser_at_word(p, STR("permit")) || parser_at_word(p, STR("forbid"));
}

/* To behind the semicolon of the policy that has an error in it, unless the
 * error is that there is none. */
static void skip_policy(struct parser *p)
{
    if (!begins_policy(p))
        while (p->token.kind != TOKEN_END &&
               !parser_take(p, LEXER_SIGN(';', 0)))
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

enum err policies_check_text(struct str text, struct cedar_errors *errors)
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

struct cedar_policies *policies_new(size_t len)
{
    struct cedar_policies *set = calloc(1, sizeof(*set));
    if (set != NULL)
        arena_init(&set->arena, len * ARENA_PER_BYTE + MIB);
    return set;
}

enum err policies_parse(struct cedar_policies *set, struct str text,
                        struct cedar_errors *errors)
{
    if (!arena_copy(&set->arena, text, &set->text))
        return ERR_NO_MEMORY;
    struct parser p = {
        .set = set,
        .errors = errors,
        .lexer = {.text = set->text},
        .pool = {.arena = &set->arena},
    };
    parse_all(&p);
    free(p.constants.at);
    free(p.starts.at);
    free(p.keys.at);
    return p.err;
}

enum err policies_finish(struct cedar_policies *set)
{
    PROGRAM_FIT(set->policies);
    PROGRAM_FIT(set->conditions);
    PROGRAM_FIT(set->annotations);
    PROGRAM_FIT(set->nodes);
    PROGRAM_FIT(set->starts);
    PROGRAM_FIT(set->offsets);
    return paths_number(set) && index_build(&set->index, set) ? ERR_OK
                                                              : ERR_NO_MEMORY;
}
