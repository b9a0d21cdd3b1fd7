/* link_words.c - see link_words.h. */
#include "mcp/link_words.h"

enum { LAST_MAX = 400 /* bytes; each may need four */, ESCAPED_LEN = 4 };

/* Whole or not at all, so that a buffer's end cuts nothing in two. */
static void add(struct buf *to, char c)
{
    if (to->max - to->len < ESCAPED_LEN)
        return;
    if (c == '\n')
        (void)BUF_LIT(to, "\\n");
    else if (c == '"' || c == '\\')
        (void)buf_addf(to, "\\%c", c);
    else if (c >= ' ' && c <= '~')
        (void)buf_add_char(to, c);
    else
        (void)buf_addf(to, "\\x%02x", (unsigned)(unsigned char)c);
}

void link_words_add(struct buf *to, struct str s)
{
    struct str first = str_first(s, LINK_WORDS_QUOTE_MAX);
    for (size_t i = 0; i < first.len; i++)
        add(to, first.ptr[i]);
}

void link_words_quote(struct buf *to, struct str s)
{
    (void)buf_add_char(to, '"');
    link_words_add(to, s);
    (void)buf_add(to, s.len > LINK_WORDS_QUOTE_MAX ? STR("\" and more")
                                                   : STR("\""));
}

void link_words_add_last(struct buf *to, struct str before, struct str s)
{
    while (s.len > 0 && str_find(STR(" \t\r\n"), s.ptr[s.len - 1]) < 4)
        s.len--;
    if (s.len == 0)
        return;
    if (s.len > LAST_MAX) {
        s = str_skip(s, s.len - LAST_MAX);
        size_t line = str_find(s, '\n'); /* from a line's beginning */
        if (line < s.len)
            s = str_skip(s, line + 1);
    }
    (void)buf_add(to, before);
    for (size_t i = 0; i < s.len; i++)
        add(to, s.ptr[i]);
}
