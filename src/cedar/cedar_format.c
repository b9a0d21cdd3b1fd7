/*
 * cedar_format.c - see cedar_format.h.
 *
 * The text was parsed before, so the walk over its tokens knows what comes;
 * it recurses as the parser does, within CEDAR_DEPTH_MAX.
 */
#include "cedar/cedar_format.h"

#include <assert.h>

#include "cedar/cedar.h"
#include "cedar/layout.h"

struct format {
    struct layout layout;
    uint32_t at; /* the token to be placed */
};

static struct str word(const struct format *f)
{
    return f->layout.tokens.at[f->at].text;
}

static bool is(const struct format *f, const char *text)
{
    return str_eq(word(f), str_from(text));
}

static bool at_end(const struct format *f)
{
    return word(f).len == 0;
}

static void add(struct format *f, enum layout_kind kind)
{
    layout_add(&f->layout, kind, f->at);
}

/* Places the token. */
static void take(struct format *f)
{
    assert(!at_end(f));
    add(f, LAYOUT_LEAD);
    add(f, LAYOUT_TEXT);
    add(f, LAYOUT_TRAIL);
    f->at++;
}

/* Places the token that closes a group, on a line of its own if that breaks;
 * a comment behind it is outside. */
static void take_closing(struct format *f, enum layout_kind before)
{
    add(f, LAYOUT_LEAD);
    layout_outer(&f->layout, before);
    add(f, LAYOUT_TEXT);
    add(f, LAYOUT_CLOSE);
    add(f, LAYOUT_TRAIL);
    f->at++;
}

static bool has_comments(const struct format *f, uint32_t token)
{
    const struct layout_token *t = &f->layout.tokens.at[token];
    return t->lead_count > 0 || t->trail > 0;
}

static void expression(struct format *f);

/* A comma; one before the closing sign goes, unless a comment is on it. */
static bool comma(struct format *f, const char *close)
{
    if (!is(f, ","))
        return false;
    bool is_last = str_eq(f->layout.tokens.at[f->at + 1].text, str_from(close));
    if (!is_last || has_comments(f, f->at)) {
        take(f);
        if (!is_last)
            add(f, LAYOUT_LINE);
    } else {
        f->at++;
    }
    return !is_last;
}

/* From an opening sign to its closing one. */
static void list(struct format *f, const char *close, bool is_record)
{
    layout_open(&f->layout, LAYOUT_INDENT);
    take(f);
    bool more = !is(f, close);
    enum layout_kind before = more ? LAYOUT_SOFT : LAYOUT_NOTHING;
    add(f, before);
    while (more) {
        if (is_record) {
            take(f);
            take(f); /* the colon */
            add(f, LAYOUT_SPACE);
        }
        expression(f);
        more = comma(f, close);
    }
    take_closing(f, before);
}

static void parentheses(struct format *f)
{
    layout_open(&f->layout, LAYOUT_INDENT);
    take(f);
    add(f, LAYOUT_SOFT);
    expression(f);
    take_closing(f, LAYOUT_SOFT);
}

/* A::B::"c", or what else begins with a name. */
static void path(struct format *f)
{
    take(f);
    while (is(f, "::")) {
        take(f);
        take(f);
    }
}

static void primary(struct format *f)
{
    if (is(f, "("))
        parentheses(f);
    else if (is(f, "["))
        list(f, "]", false);
    else if (is(f, "{"))
        list(f, "}", true);
    else
        path(f);
    for (;;) {
        if (is(f, "(")) {
            list(f, ")", false);
        } else if (is(f, ".")) {
            take(f);
            take(f);
        } else if (is(f, "[")) {
            take(f);
            take(f);
            take(f);
        } else {
            return;
        }
    }
}

static void unary(struct format *f)
{
    while (is(f, "!") || is(f, "-"))
        take(f);
    primary(f);
}

enum level { LEVEL_OR, LEVEL_AND, LEVEL_RELATION, LEVEL_ADD, LEVEL_MULTIPLY };

static bool is_sign(const struct format *f, enum level level)
{
    static const char *const signs[][11] = {
        [LEVEL_OR] = {"||"},
        [LEVEL_AND] = {"&&"},
        [LEVEL_RELATION] = {"==", "!=", "<", "<=", ">", ">=", "in", "has",
                            "like", "is"},
        [LEVEL_ADD] = {"+", "-"},
        [LEVEL_MULTIPLY] = {"*"},
    };
    for (size_t i = 0; signs[level][i] != NULL; i++)
        if (is(f, signs[level][i]))
            return true;
    return false;
}

/* A chain of operands, which breaks behind its operators. */
static void binary(struct format *f, enum level level)
{
    size_t open = f->layout.items.count;
    layout_open(&f->layout, 0);
    for (;;) {
        if (level == LEVEL_MULTIPLY)
            unary(f);
        else
            binary(f, (enum level)(level + 1));
        if (!is_sign(f, level))
            break;
        if (level > LEVEL_AND) /* with an operator there are new lines */
            layout_indent(&f->layout, open);
        add(f, LAYOUT_SPACE);
        take(f);
        add(f, LAYOUT_LINE);
    }
    add(f, LAYOUT_CLOSE);
}

static void expression(struct format *f)
{
    if (!is(f, "if")) {
        binary(f, LEVEL_OR);
        return;
    }
    layout_open(&f->layout, 0);
    for (unsigned i = 0; i < 3; i++) { /* if, then, else */
        if (i > 0)
            add(f, LAYOUT_LINE);
        take(f);
        add(f, LAYOUT_SPACE);
        layout_open(&f->layout, LAYOUT_INDENT);
        expression(f);
        add(f, LAYOUT_CLOSE);
    }
    add(f, LAYOUT_CLOSE);
}

static void annotations(struct format *f)
{
    while (is(f, "@")) {
        take(f);
        take(f);
        while (is(f, "(")) {
            take(f);
            take(f);
            take(f);
        }
        add(f, LAYOUT_BREAK);
    }
}

/* One variable and what it is limited to. */
static void scope(struct format *f)
{
    take(f);
    while (!is(f, ",") && !is(f, ")")) {
        add(f, LAYOUT_SPACE);
        take(f); /* ==, in, is */
        add(f, LAYOUT_SPACE);
        primary(f);
    }
}

/* Variables that are limited, and comments in the way, from "(" on. */
static void look_at_scopes(const struct format *f, unsigned *ret_limits,
                           bool *ret_comments)
{
    unsigned depth = 0;
    unsigned words = 0; /* since "(" or "," */
    *ret_limits = 0;
    *ret_comments = false;
    for (uint32_t at = f->at;; at++) {
        struct str text = f->layout.tokens.at[at].text;
        depth += str_eq(text, STR("(")) || str_eq(text, STR("["));
        depth -= str_eq(text, STR(")")) || str_eq(text, STR("]"));
        if (depth == 0)
            return;
        *ret_comments = *ret_comments || has_comments(f, at);
        bool is_start = depth == 1 && str_eq(text, STR(","));
        words = is_start || at == f->at ? 0 : words + 1;
        *ret_limits += words == 2;
    }
}

/* On one line if that is short and not much is said; else, one a line. */
static void scopes(struct format *f)
{
    unsigned limits;
    bool comments;
    look_at_scopes(f, &limits, &comments);
    layout_open(&f->layout, LAYOUT_INDENT);
    take(f);
    add(f, limits > 1 || comments ? LAYOUT_BREAK : LAYOUT_SOFT);
    for (bool more = true; more;) {
        scope(f);
        more = comma(f, ")");
    }
    take_closing(f, LAYOUT_SOFT);
}

static void condition(struct format *f)
{
    add(f, LAYOUT_BREAK);
    take(f);
    add(f, LAYOUT_SPACE);
    layout_open(&f->layout, LAYOUT_INDENT);
    take(f);
    add(f, LAYOUT_LINE);
    expression(f);
    take_closing(f, LAYOUT_LINE);
}

static void policy(struct format *f)
{
    annotations(f);
    take(f); /* the effect */
    add(f, LAYOUT_SPACE);
    scopes(f);
    while (!is(f, ";"))
        condition(f);
    take(f);
}

static void policies(struct format *f)
{
    while (!at_end(f)) {
        policy(f);
        if (!at_end(f))
            add(f, LAYOUT_BLANK);
    }
    const struct layout_token *end = &f->layout.tokens.at[f->at];
    bool is_alone = f->at == 0 || end->lead_count == 0;
    if (!is_alone)
        add(f, f->layout.comments.at[end->lead].after_blank ? LAYOUT_BLANK
                                                            : LAYOUT_BREAK);
    add(f, LAYOUT_LEAD);
}

enum err cedar_format_policies(struct str text, struct cedar_errors *ret_errors,
                               struct buf *to)
{
    struct cedar_policies *set;
    struct format f = {0};
    enum err e = cedar_policies_load(text, ret_errors, &set);
    if (e != ERR_OK)
        return e;
    cedar_policies_free(set);
    f.layout.failed = !layout_scan(&f.layout, text);
    if (!f.layout.failed)
        policies(&f);
    bool ok = layout_write(&f.layout, to);
    layout_release(&f.layout);
    if (!ok)
        e = buf_ok(to) ? ERR_NO_MEMORY : ERR_LIMIT;
    return e;
}
