/* layout_scan.c - text to tokens with their comments; see layout.h. */
#include <stdlib.h>

#include "cedar/layout.h"
#include "cedar/lexer.h"

/* Between two tokens. */
struct gap {
    struct str text; /* all of it */
    size_t at, end;
    unsigned breaks; /* lines that ended since the last comment or token */
};

static bool is_break(const struct gap *g)
{
    char c = g->text.ptr[g->at];
    bool is_pair =
        c == '\r' && g->at + 1 < g->end && g->text.ptr[g->at + 1] == '\n';
    return c == '\n' || (c == '\r' && !is_pair);
}

/* To the next comment; false: there is none. */
static bool next_comment(struct gap *g, struct str *ret)
{
    for (; g->at < g->end; g->at++) {
        if (g->text.ptr[g->at] == '/')
            break;
        g->breaks += is_break(g);
    }
    if (g->at == g->end)
        return false;
    size_t from = g->at;
    while (g->at < g->end && g->text.ptr[g->at] != '\n' &&
           g->text.ptr[g->at] != '\r')
        g->at++;
    size_t to = g->at;
    while (g->text.ptr[to - 1] == ' ' || g->text.ptr[to - 1] == '\t')
        to--;
    *ret = (struct str){g->text.ptr + from, to - from};
    return true;
}

/* The comments in the gap before `t`; one may belong to the token before. */
static bool scan_gap(struct layout *l, struct gap g, struct layout_token *t)
{
    struct str text;
    t->lead = (uint32_t)l->comments.count;
    while (next_comment(&g, &text)) {
        bool is_trail = g.breaks == 0 && l->tokens.count > 0;
        if (!PROGRAM_ROOM(l->comments))
            return false;
        l->comments.at[l->comments.count++] =
            (struct layout_comment){text, g.breaks > 1};
        if (is_trail) {
            l->tokens.at[l->tokens.count - 1].trail =
                (uint32_t)l->comments.count;
            t->lead++;
        }
        g.breaks = 0;
    }
    t->lead_count = (uint32_t)l->comments.count - t->lead;
    t->after_blank = g.breaks > 1;
    return true;
}

bool layout_scan(struct layout *l, struct str text)
{
    struct lexer lexer = {.text = text};
    struct lexer_token token;
    size_t end = 0;
    do {
        token = lexer_next(&lexer);
        struct layout_token t = {
            .text = {text.ptr + token.offset, lexer.at - token.offset}};
        if (!scan_gap(l, (struct gap){text, end, token.offset, 0}, &t) ||
            !PROGRAM_ROOM(l->tokens))
            return false;
        l->tokens.at[l->tokens.count++] = t;
        end = lexer.at;
    } while (token.kind != TOKEN_END);
    return true;
}

void layout_release(struct layout *l)
{
    free(l->comments.at);
    free(l->tokens.at);
    free(l->items.at);
}
