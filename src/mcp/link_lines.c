/* link_lines.c - see link_lines.h. */
#include "mcp/link_lines.h"

#include "base/limits.h"

/* Memory that a long line needed is given back; shorter ones keep it. */
#define KEPT_MAX (64 * KIB)

void link_lines_init(struct link_lines *l, size_t max)
{
    *l = (struct link_lines){.skipping = false};
    buf_init(&l->part, max);
}

void link_lines_release(struct link_lines *l)
{
    buf_release(&l->part);
}

static void empty(struct buf *b)
{
    if (b->room > KEPT_MAX)
        buf_release(b);
    buf_clear(b);
}

/* `piece` is the end of a line, or the whole of it. */
static bool end_line(struct link_lines *l, struct str piece,
                     const struct link_lines_events *events, void *user)
{
    bool go_on;
    if (l->skipping) {
        l->skipping = false;
        link_scan_feed(&l->scan, piece);
        return events->too_long(user, &l->scan);
    }
    if (l->part.len == 0)
        return events->line(user, piece);
    (void)buf_add(&l->part, piece); /* it has been looked whether it fits */
    go_on = events->line(user, buf_str(&l->part));
    empty(&l->part);
    return go_on;
}

static void skip(struct link_lines *l)
{
    link_scan_init(&l->scan);
    link_scan_feed(&l->scan, buf_str(&l->part));
    empty(&l->part);
    l->skipping = true;
}

enum err link_lines_feed(struct link_lines *l, struct str bytes,
                         const struct link_lines_events *events, void *user)
{
    while (bytes.len > 0) {
        size_t end = str_find(bytes, '\n');
        struct str piece = str_first(bytes, end);
        bool ends = end < bytes.len;
        bytes = str_skip(bytes, end + 1);
        if (!l->skipping && piece.len > l->part.max - l->part.len)
            skip(l);
        /* Room first, so that what ends a line surely fits. */
        bool joins = !l->skipping && (!ends || l->part.len > 0);
        if (joins && buf_space(&l->part, piece.len) == NULL)
            return ERR_NO_MEMORY;
        if (ends && !end_line(l, piece, events, user))
            return ERR_CLOSED;
        if (ends)
            continue;
        if (l->skipping)
            link_scan_feed(&l->scan, piece);
        else
            (void)buf_add(&l->part, piece);
    }
    return ERR_OK;
}
