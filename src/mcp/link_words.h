/*
 * link_words.h - what a server said, as text for people: printable ASCII, of
 * bounded length.
 */
#ifndef MCP_LINK_WORDS_H
#define MCP_LINK_WORDS_H

#include "base/buf.h"

enum { LINK_WORDS_MAX = 4096, LINK_WORDS_QUOTE_MAX = 200 };

/* Appends the first LINK_WORDS_QUOTE_MAX bytes of `s`, escaped. */
void link_words_add(struct buf *to, struct str s);
/* The same in quotes. */
void link_words_quote(struct buf *to, struct str s);

/* Appends `before` and the last lines of `s`; nothing when it has none. */
void link_words_add_last(struct buf *to, struct str before, struct str s);

#endif
