/*
 * layout.h - tokens to lines: groups that stand on one line if they fit, else
 * break at all of their own breaks.
 *
 * What is laid out is a row of items.  Comments go with their tokens: those
 * on lines of their own before it, one behind it on its line.  A comment ends
 * a line, so a group that has one in it breaks.
 */
#ifndef CEDAR_LAYOUT_H
#define CEDAR_LAYOUT_H

#include "base/attr.h"
#include "base/buf.h"
#include "cedar/program.h"

enum { LAYOUT_WIDTH = 80, LAYOUT_INDENT = 2 };

struct layout_comment {
    struct str text;
    bool after_blank; /* a blank line stands before it */
};

struct layout_token {
    struct str text;
    uint32_t lead, lead_count; /* comments before it, */
    uint32_t trail;            /* and one behind it, plus 1; 0: none */
    bool after_blank;          /* a blank line stands before it */
};

enum layout_kind {
    LAYOUT_NOTHING,
    LAYOUT_LEAD,  /* the comments before a token */
    LAYOUT_TEXT,  /* the token */
    LAYOUT_TRAIL, /* the comment behind it */
    LAYOUT_SPACE, /* a blank */
    LAYOUT_LINE,  /* a blank, or a new line where the group breaks */
    LAYOUT_SOFT,  /* nothing, or a new line */
    LAYOUT_OPEN,  /* of a group; see `indent` */
    LAYOUT_CLOSE, /* of it */
    LAYOUT_BREAK, /* a new line, always; its group breaks */
    LAYOUT_BLANK, /* the same and a blank line */
};

struct layout_item {
    uint8_t kind;
    uint8_t indent; /* OPEN: of its new lines; LINE, SOFT: 1 is not indented */
    uint32_t token;
};

struct layout {
    PROGRAM_LIST(struct layout_comment) comments;
    PROGRAM_LIST(struct layout_token) tokens;
    PROGRAM_LIST(struct layout_item) items;
    bool failed; /* no memory */
};

/* The tokens of text that is known to be right, and one for the end. */
MUST_CHECK bool layout_scan(struct layout *l, struct str text);

void layout_add(struct layout *l, enum layout_kind kind, uint32_t token);
void layout_open(struct layout *l, uint8_t indent);
/* Indents the group that the item opened. */
void layout_indent(struct layout *l, size_t item);
/* LINE or SOFT before what closes a group. */
void layout_outer(struct layout *l, enum layout_kind kind);

/* False: no memory, or `to` is full. */
MUST_CHECK bool layout_write(const struct layout *l, struct buf *to);
void layout_release(struct layout *l);

#endif
