/* layout.c - see layout.h. */
#include "cedar/layout.h"

#include <assert.h>
#include <stdlib.h>

void layout_add(struct layout *l, enum layout_kind kind, uint32_t token)
{
    if (l->failed || !PROGRAM_ROOM(l->items)) {
        l->failed = true;
        return;
    }
    l->items.at[l->items.count++] =
        (struct layout_item){.kind = (uint8_t)kind, .token = token};
}

void layout_open(struct layout *l, uint8_t indent)
{
    layout_add(l, LAYOUT_OPEN, 0);
    if (!l->failed)
        l->items.at[l->items.count - 1].indent = indent;
}

void layout_indent(struct layout *l, size_t item)
{
    if (!l->failed)
        l->items.at[item].indent = LAYOUT_INDENT;
}

void layout_outer(struct layout *l, enum layout_kind kind)
{
    layout_add(l, kind, 0);
    if (!l->failed)
        l->items.at[l->items.count - 1].indent = 1;
}

/* Behind each item, counted from the start. */
struct extent {
    size_t width; /* of all on one line */
    size_t hard;  /* comments and breaks, which no line takes */
};

/* New lines in a group are indented from its first one on, so what begins on
 * the line of its operator does not stand deeper for it. */
struct group {
    size_t base, indent; /* of the next new line */
    size_t step;
    bool breaks;
};

struct writing {
    const struct layout *l;
    struct buf *to;
    struct extent *extents; /* one more than items */
    size_t *ends;           /* by OPEN: its CLOSE */
    size_t *stops;          /* by item: the next that may be a new line */
    PROGRAM_LIST(struct group) groups;
    size_t column;
    bool wants_space, wants_line; /* before what comes next */
};

static size_t width_of(struct str s)
{
    size_t width = 0;
    for (size_t i = 0; i < s.len; i++)
        width += ((unsigned char)s.ptr[i] & 0xC0) != 0x80;
    return width;
}

static void new_line(struct writing *w)
{
    size_t indent =
        w->groups.count == 0 ? 0 : w->groups.at[w->groups.count - 1].indent;
    (void)buf_add_char(w->to, '\n');
    w->column = indent;
    w->wants_space = false;
    w->wants_line = false;
}

static void put(struct writing *w, struct str text)
{
    if (w->wants_line)
        new_line(w);
    bool starts_line = w->to->len == 0 || w->to->ptr[w->to->len - 1] == '\n';
    if (starts_line)
        for (size_t i = 0; i < w->column; i++)
            (void)buf_add_char(w->to, ' ');
    else if (w->wants_space) {
        (void)buf_add_char(w->to, ' ');
        w->column++;
    }
    w->wants_space = false;
    (void)buf_add(w->to, text);
    size_t last = text.len;
    while (last > 0 && text.ptr[last - 1] != '\n')
        last--;
    w->column = width_of(str_skip(text, last)) + (last > 0 ? 0 : w->column);
}

static void put_lead(struct writing *w, const struct layout_token *t)
{
    for (uint32_t i = 0; i < t->lead_count; i++) {
        bool starts_line =
            w->to->len == 0 || w->to->ptr[w->to->len - 1] == '\n';
        if (!starts_line && !w->wants_line)
            new_line(w);
        /* Blank lines are kept where policies begin and at the end. */
        const struct layout_comment *c = &w->l->comments.at[t->lead + i];
        if (w->groups.count == 0 && c->after_blank && i > 0)
            (void)buf_add_char(w->to, '\n');
        put(w, c->text);
        w->wants_line = true;
    }
    if (w->groups.count == 0 && t->lead_count > 0 && t->after_blank &&
        t->text.len > 0) {
        new_line(w);
        w->wants_line = true;
    }
}

static void put_trail(struct writing *w, const struct layout_token *t)
{
    if (t->trail == 0)
        return;
    w->wants_space = true;
    put(w, w->l->comments.at[t->trail - 1].text);
    w->wants_line = true;
}

static bool open_group(struct writing *w, size_t i)
{
    const struct layout_item *item = &w->l->items.at[i];
    size_t end = w->ends[i];
    size_t width = w->extents[w->stops[end]].width - w->extents[i].width;
    size_t indent =
        w->groups.count == 0 ? 0 : w->groups.at[w->groups.count - 1].indent;
    bool breaks = w->extents[end].hard > w->extents[i].hard ||
                  w->column + w->wants_space + width > LAYOUT_WIDTH;
    if (!PROGRAM_ROOM(w->groups))
        return false;
    w->groups.at[w->groups.count++] =
        (struct group){indent, indent, item->indent, breaks};
    return true;
}

static void may_break(struct writing *w, const struct layout_item *item)
{
    assert(w->groups.count > 0);
    struct group *g = &w->groups.at[w->groups.count - 1];
    if (!g->breaks) {
        w->wants_space |= item->kind == LAYOUT_LINE;
        return;
    }
    /* What follows an outer one is no longer inside. */
    g->indent = item->indent > 0 ? g->base : g->base + g->step;
    new_line(w);
}

static void must_break(struct writing *w)
{
    if (w->groups.count > 0) {
        struct group *g = &w->groups.at[w->groups.count - 1];
        g->indent = g->base + g->step;
    }
    new_line(w);
}

static bool write_item(struct writing *w, size_t i)
{
    const struct layout_item *item = &w->l->items.at[i];
    const struct layout_token *t = &w->l->tokens.at[item->token];
    switch ((enum layout_kind)item->kind) {
    case LAYOUT_NOTHING:
        return true;
    case LAYOUT_LEAD:
        put_lead(w, t);
        return true;
    case LAYOUT_TEXT:
        put(w, t->text);
        return true;
    case LAYOUT_TRAIL:
        put_trail(w, t);
        return true;
    case LAYOUT_SPACE:
        w->wants_space = true;
        return true;
    case LAYOUT_LINE:
    case LAYOUT_SOFT:
        may_break(w, item);
        return true;
    case LAYOUT_OPEN:
        return open_group(w, i);
    case LAYOUT_CLOSE:
        w->groups.count--;
        return true;
    case LAYOUT_BREAK:
        must_break(w);
        return true;
    case LAYOUT_BLANK:
        must_break(w);
        must_break(w);
        return true;
    }
    return false;
}

/* Fills in extents and ends; `stack` has room for all items. */
static void measure(struct writing *w, size_t *stack)
{
    const struct layout *l = w->l;
    size_t depth = 0;
    struct extent sum = {0};
    for (size_t i = 0; i < l->items.count; i++) {
        const struct layout_item *item = &l->items.at[i];
        const struct layout_token *t = &l->tokens.at[item->token];
        w->extents[i] = sum;
        if (item->kind == LAYOUT_TEXT)
            sum.width += width_of(t->text);
        else if (item->kind == LAYOUT_SPACE || item->kind == LAYOUT_LINE)
            sum.width++;
        else if (item->kind == LAYOUT_LEAD)
            sum.hard += t->lead_count;
        else if (item->kind == LAYOUT_TRAIL)
            sum.hard += t->trail > 0;
        else if (item->kind == LAYOUT_BREAK || item->kind == LAYOUT_BLANK)
            sum.hard++;
        else if (item->kind == LAYOUT_OPEN)
            stack[depth++] = i;
        else if (item->kind == LAYOUT_CLOSE)
            w->ends[stack[--depth]] = i;
    }
    assert(depth == 0);
    w->extents[l->items.count] = sum;
    w->stops[l->items.count] = l->items.count;
    for (size_t i = l->items.count; i-- > 0;) {
        enum layout_kind kind = (enum layout_kind)l->items.at[i].kind;
        bool is_stop = kind == LAYOUT_LINE || kind == LAYOUT_SOFT ||
                       kind == LAYOUT_BREAK || kind == LAYOUT_BLANK ||
                       kind == LAYOUT_TRAIL;
        w->stops[i] = is_stop ? i : w->stops[i + 1];
    }
}

bool layout_write(const struct layout *l, struct buf *to)
{
    size_t room = l->items.count + 1;
    struct writing w = {.l = l, .to = to};
    size_t *stack = calloc(room, sizeof(*stack));
    w.extents = calloc(room, sizeof(*w.extents));
    w.ends = calloc(room, sizeof(*w.ends));
    w.stops = calloc(room, sizeof(*w.stops));
    bool ok = !l->failed && stack != NULL && w.extents != NULL &&
              w.ends != NULL && w.stops != NULL;
    if (ok)
        measure(&w, stack);
    for (size_t i = 0; ok && i < l->items.count; i++)
        ok = write_item(&w, i);
    if (to->len > 0 && to->ptr[to->len - 1] != '\n')
        (void)buf_add_char(to, '\n');
    free(stack);
    free(w.extents);
    free(w.ends);
    free(w.stops);
    free(w.groups.at);
    return ok && buf_ok(to);
}
