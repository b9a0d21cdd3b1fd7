/* hub.c - see hub.h: the hub of a worker, and words from one to another. */
#include "mcp/hub.h"

#include <assert.h>
#include <stdlib.h>

#include "base/container.h"
#include "mcp/hub_link.h"
#include "os/loop.h"

/* ---- words for others ---- */

struct saying {
    struct hub_note note;
    enum method method; /* NONE: a word, else for all links of the session */
    struct hub_word word;
    char text[];
};

static void saying_free(struct saying *s)
{
    mcp_session_unref(s->word.session);
    hash_wipe(s->text, s->word.text.len);
    free(s);
}

static void run_saying(struct hub *h, struct hub_note *n)
{
    struct saying *s = CONTAINER_OF(n, struct saying, note);
    if (s->method != METHOD_NONE)
        hub_links_notify(h, s->word.session, s->method, s->word.text);
    else if (h->word != NULL)
        h->word(h->word_user, &s->word);
    saying_free(s);
}

static void drop_saying(struct hub_note *n)
{
    saying_free(CONTAINER_OF(n, struct saying, note));
}

static enum err post_saying(struct hub *h, unsigned to,
                            const struct hub_word *w, enum method m)
{
    struct saying *s = calloc(1, sizeof(*s) + w->text.len);
    if (s == NULL)
        return ERR_NO_MEMORY;
    s->note.run = run_saying;
    s->note.drop = drop_saying;
    s->method = m;
    s->word = *w;
    if (w->text.len > 0)
        memcpy(s->text, w->text.ptr, w->text.len);
    s->word.text.ptr = s->text;
    mcp_session_ref(w->session);
    if (hub_net_post(h->net, to, &s->note, false))
        return ERR_OK;
    saying_free(s);
    return ERR_OVERLOAD;
}

void hub_notify(struct hub *h, struct mcp_session *s, enum method m,
                struct str params)
{
    unsigned owner = mcp_session_about(s)->owner;
    assert(m != METHOD_NONE && owner < hub_net_workers(h->net));
    /* A notification that is lost is lost. */
    (void)!post_saying(h, owner,
                       &(struct hub_word){.session = s, .text = params}, m);
}

void hub_on_word(struct hub *h,
                 void (*word)(void *user, const struct hub_word *w), void *user)
{
    h->word = word;
    h->word_user = user;
}

enum err hub_say(struct hub *h, const struct hub_word *w)
{
    unsigned to = hub_number_worker(w->number);
    if (to >= hub_net_workers(h->net))
        return ERR_OK; /* nobody has that number */
    return post_saying(h, to, w, METHOD_NONE);
}

/* ---- the hub ---- */

uint64_t hub_number(struct hub *h)
{
    return ++h->next << HUB_WORKERS_BITS | h->number;
}

unsigned hub_number_worker(uint64_t number)
{
    return (unsigned)(number & ((1u << HUB_WORKERS_BITS) - 1));
}

enum err hub_new(const struct hub_options *o, struct hub **ret)
{
    assert(o->number < hub_net_workers(o->net));
    struct hub *h = calloc(1, sizeof(*h) + o->version.len);
    if (h == NULL)
        return ERR_NO_MEMORY;
    struct siphash_key seed = loop_seed(o->loop);
    h->net = o->net;
    h->number = o->number;
    h->loop = o->loop;
    h->http = o->http;
    h->runner = o->runner;
    h->closed = o->closed;
    h->closed_user = o->user;
    h->version_len = o->version.len;
    if (o->version.len > 0)
        memcpy(h->version, o->version.ptr, o->version.len);
    map_init(&h->near, seed, HUB_CALLS_MAX);
    map_init(&h->far, seed, HUB_CALLS_MAX);
    map_init(&h->links, seed, HUB_LINKS_MAX);
    map_init(&h->newest, seed, HUB_LINKS_MAX);
    list_init(&h->by_use);
    hub_net_enter(h->net, h);
    *ret = h;
    return ERR_OK;
}

/* A worker has gone. */
struct farewell {
    struct hub_note note;
    unsigned number;
};

static void on_farewell(struct hub *h, struct hub_note *note)
{
    struct farewell *gone = CONTAINER_OF(note, struct farewell, note);
    unsigned number = gone->number;
    free(gone);
    hub_near_lost(h, number);
}

static void drop_farewell(struct hub_note *n)
{
    free(CONTAINER_OF(n, struct farewell, note));
}

static void say_farewell(struct hub *h)
{
    for (unsigned i = 0; i < hub_net_workers(h->net); i++) {
        struct farewell *f = i == h->number ? NULL : calloc(1, sizeof(*f));
        if (f == NULL)
            continue;
        f->note.run = on_farewell;
        f->note.drop = drop_farewell;
        f->number = h->number;
        if (!hub_net_post(h->net, i, &f->note, true))
            free(f);
    }
}

void hub_free(struct hub *h)
{
    if (h == NULL)
        return;
    hub_net_leave(h->net, h); /* from here on nothing comes */
    say_farewell(h);
    hub_links_free(h);
    hub_near_free(h);
    map_release(&h->near);
    map_release(&h->far);
    map_release(&h->links);
    map_release(&h->newest);
    free(h);
}

void hub_sweep(struct hub *h)
{
    hub_links_sweep(h);
    hub_list_sweep(hub_net_lists(h->net));
}
