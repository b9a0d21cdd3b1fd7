/* gather.c - see gather.h. */
#include "pipeline/gather.h"

static void pump(struct gather *g);

static void finish(struct gather *g, struct str body, enum err e)
{
    /* The owner may start over inside `done`: let go of everything first. */
    struct buf kept = g->body;
    gather_done *done = g->done;
    void *user = g->user;

    *g = (struct gather){0};
    done(user, body, e);
    buf_release(&kept);
}

static void on_piece(void *reader, struct str piece, bool last, enum err e)
{
    struct gather *g = reader;

    if (e != ERR_OK || last)
        g->src = NULL;
    if (e != ERR_OK) {
        finish(g, (struct str){0}, e);
        return;
    }
    if (last && g->body.len == 0) {
        finish(g, piece, ERR_OK); /* it came in one piece: no copy */
        return;
    }
    if (!buf_add(&g->body, piece)) {
        if (g->src != NULL)
            g->src->cancel(g->src);
        finish(g, (struct str){0}, ERR_LIMIT);
        return;
    }
    if (last)
        finish(g, buf_str(&g->body), ERR_OK);
    else if (g->pulling)
        g->again = true;
    else
        pump(g);
}

/* A source may answer at once, so pulling is a loop and not a recursion. */
static void pump(struct gather *g)
{
    g->pulling = true;
    do {
        g->again = false;
        g->src->pull(g->src, on_piece, g);
    } while (g->again);
    g->pulling = false;
}

void gather_start(struct gather *g, struct body_source *src, size_t max,
                  gather_done *done, void *user)
{
    *g = (struct gather){.src = src, .done = done, .user = user};
    buf_init(&g->body, max);
    pump(g);
}

void gather_cancel(struct gather *g)
{
    if (g->src == NULL)
        return;
    g->src->cancel(g->src);
    buf_release(&g->body);
    *g = (struct gather){0};
}
