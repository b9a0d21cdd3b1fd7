/*
 * hub_link.c - one link of a hub: how it opens, who waits for it, and what it
 * tells.
 */
#include <assert.h>

#include "base/container.h"
#include "mcp/hub_link.h"
#include "os/loop.h"

static const struct link_events link_events;
static const struct link_call_events call_events;

static struct str why_of(const struct hub_link *l)
{
    return (struct str){l->why, l->why_len};
}

static void set_why(struct hub_link *l, struct str why)
{
    l->why_len = why.len < sizeof(l->why) ? why.len : sizeof(l->why);
    if (l->why_len > 0)
        memcpy(l->why, why.ptr, l->why_len);
}

/* Without what the server itself has said: it may be a secret. */
static struct str for_callers(struct str text)
{
    static const struct str said = STR_INIT(LINK_SAID);
    size_t i = 0;

    while (i < text.len && !str_starts(str_skip(text, i), said))
        i++;
    return str_first(text, i);
}

static struct hub_far *first_of(const struct list *halves)
{
    struct list *it = list_first(halves);
    return it == NULL ? NULL : CONTAINER_OF(it, struct hub_far, node);
}

/* Each is told what it failed with before, or else `e`. */
void hub_link_fail_all(struct list *halves, enum err e, bool sent,
                       struct str why)
{
    struct hub_far *f;
    while ((f = first_of(halves)) != NULL) {
        bool own = f->failed != ERR_OK;
        hub_far_fail(f, own ? f->failed : e, own ? f->sent : sent, why);
    }
}

/* ---- opening and closing ---- */

/* What we announce is what its caller can do, and its settings let it. */
static unsigned offers_of(const struct hub_to *to)
{
    unsigned may = 0;
    if (to->server->shared)
        return 0;
    if (to->server->sampling)
        may |= METHOD_HAS_SAMPLING;
    if (to->server->elicitation)
        may |= METHOD_HAS_ELICITATION | METHOD_HAS_ELICITATION_URL;
    return may & mcp_session_about(to->session)->client_has;
}

static enum err open_link(struct hub_link *l, const struct hub_far *f)
{
    const struct hub_to *to = &f->to;
    struct hub *h = l->hub;
    bool over_pipes = to->server->transport == TRANSPORT_STDIO;

    if (loop_now_ms(h->loop) < l->retry_ms)
        return ERR_CONNECT;
    if (over_pipes ? h->runner == NULL : h->http == NULL) {
        set_why(l, STR("nobody here starts servers of this kind"));
        return ERR_CONNECT;
    }
    const struct link_options o = {
        .loop = h->loop,
        .http = h->http,
        .runner = h->runner,
        .server = to->server,
        .tls = to->tls,
        .partition = to->server->shared ? to->server->name : to->tenant,
        .authorization = to->authorization,
        .offers = offers_of(to),
        .version = {h->version, h->version_len},
    };
    set_why(l, STR(""));
    enum err e = link_open(&o, &link_events, l, &l->link);
    if (e != ERR_OK)
        return e;
    l->keep = to->keep;
    l->keep.ref(l->keep.it);
    l->server = to->server;
    l->credential = hash_sha256(&to->authorization, 1);
    l->idle_ms = to->server->idle_ms;
    l->opened = l->worked = l->dropped = false;
    l->opened_ms = loop_now_ms(h->loop);
    return ERR_OK;
}

bool hub_link_differs(const struct hub_link *l, const struct hub_far *f)
{
    struct hash own = hash_sha256(&f->to.authorization, 1);
    return l->link != NULL &&
           memcmp(own.bytes, l->credential.bytes, HASH_LEN) != 0;
}

void hub_link_close(struct hub_link *l)
{
    if (l->link == NULL)
        return;
    link_close(l->link); /* calls on it are over, without a word */
    l->link = NULL;
    LIST_EACH(it, next_it, &l->calls)
    {
        CONTAINER_OF(it, struct hub_far, node)->sending = false;
    }
    hub_tools_stop(l);
    hub_tools_forget(l);
    hub_offer_unref(l->about);
    l->about = NULL;
    l->opened = false;
    l->server = NULL;
    l->keep.unref(l->keep.it);
}

/* A pause that grows with every failure in a row. */
static void note_failure(struct hub_link *l)
{
    int64_t now_ms = loop_now_ms(l->hub->loop);
    int64_t pause_ms = HUB_PAUSE_MIN_MS;
    if (l->worked && now_ms - l->opened_ms >= HUB_STEADY_MS)
        l->failures = 0;
    for (unsigned i = 0; i < l->failures && pause_ms < HUB_PAUSE_MAX_MS; i++)
        pause_ms *= 2;
    if (pause_ms > HUB_PAUSE_MAX_MS)
        pause_ms = HUB_PAUSE_MAX_MS;
    l->failures++;
    l->retry_ms = now_ms + pause_ms;
}

static void on_opened(void *user, const struct handshake *hs)
{
    struct hub_link *l = user;
    assert(l->about == NULL);
    l->about = hub_offer_about(hs);
    if (l->about == NULL) {
        hub_link_close(l);
        hub_link_fail_all(&l->waiting, ERR_NO_MEMORY, false, STR(""));
        return;
    }
    l->opened = true;
    hub_link_serve(l);
}

static void on_closed(void *user, enum err why, struct str text)
{
    struct hub_link *l = user;
    bool again = l->dropped && l->worked;
    enum err e = why == ERR_OK ? ERR_CONNECT : why;

    if (l->hub->closed != NULL && !again && text.len > 0)
        l->hub->closed(l->hub->closed_user, l->server->name, text);
    set_why(l, for_callers(text));
    if (!again)
        note_failure(l);
    hub_link_close(l);
    hub_link_fail_all(&l->calls, e, true, why_of(l));
    hub_link_fail_all(&l->listeners, e, false, why_of(l));
    if (again)
        hub_link_serve(l);
    else
        hub_link_fail_all(&l->waiting, e, false, why_of(l));
}

void hub_link_notice(struct hub_link *l, enum method m,
                     const struct message *msg)
{
    bool is_change = m == METHOD_TOOLS_CHANGED ||
                     m == METHOD_RESOURCES_CHANGED ||
                     m == METHOD_PROMPTS_CHANGED;
    if (m == METHOD_TOOLS_CHANGED)
        hub_tools_changed(l);
    /* What else a shared server says may be meant for another tenant. */
    if (l->session == NULL && !is_change)
        return;
    LIST_EACH(it, next_it, &l->listeners)
    {
        hub_far_notice(CONTAINER_OF(it, struct hub_far, node), m, msg);
    }
}

static void on_notice(void *user, enum method m, const struct message *msg)
{
    hub_link_notice(user, m, msg);
}

static const struct link_events link_events = {
    .opened = on_opened,
    .notice = on_notice,
    .closed = on_closed,
};

/* ---- calls ---- */

static struct hub_far *far_of(struct link_call *c)
{
    return CONTAINER_OF(c, struct hub_far, call);
}

static void on_call_notice(struct link_call *c, enum method m,
                           const struct message *msg)
{
    struct hub_far *f = far_of(c);
    if (m == METHOD_TOOLS_CHANGED)
        hub_tools_changed(f->on);
    hub_far_notice(f, m, msg);
}

static void on_call_asked(struct link_call *c, enum method m,
                          const struct message *msg)
{
    hub_far_asked(far_of(c), m, msg);
}

static void on_call_answered(struct link_call *c, const struct message *msg)
{
    struct hub_far *f = far_of(c);
    f->sending = false;
    f->on->worked = true;
    hub_far_answered(f, msg);
}

static void on_call_failed(struct link_call *c, enum err why, bool sent)
{
    struct hub_far *f = far_of(c);
    struct hub_link *l = f->on;

    f->sending = false;
    l->dropped = l->dropped || why == ERR_NOT_FOUND;
    if (why == ERR_NOT_FOUND && !sent && !f->repeated && f->texts != NULL) {
        /* Surely not acted on: once more, on the next link. */
        f->repeated = true;
        list_remove(&f->node);
        list_push(&l->waiting, &f->node);
    } else if (l->dropped || !link_is_open(l->link)) {
        f->failed = why; /* the link's last word says more */
        f->sent = sent;
    } else {
        hub_far_fail(f, why, sent, STR(""));
    }
}

static const struct link_call_events call_events = {
    .notice = on_call_notice,
    .asked = on_call_asked,
    .answered = on_call_answered,
    .failed = on_call_failed,
};

/* ---- who needs what ---- */

void hub_link_send(struct hub_link *l, struct hub_far *f)
{
    list_remove(&f->node);
    enum err e = link_send(l->link, &f->call, f->number, f->method, f->params,
                           &call_events);
    if (e != ERR_OK) {
        hub_far_fail(f, e, false, STR(""));
        return;
    }
    f->sending = true;
    f->paused = false;
    list_push(&l->calls, &f->node);
    /* Pipes do not forget sessions, so it is not sent again. */
    if (l->server->transport == TRANSPORT_STDIO)
        hub_far_forget(f);
}

static void refuse_waiting(struct hub_link *l, enum err e)
{
    hub_link_fail_all(&l->waiting, e, false, why_of(l));
}

void hub_link_serve(struct hub_link *l)
{
    struct hub_far *f = first_of(&l->waiting);
    bool tools = false;

    if (f == NULL)
        return;
    if (l->link == NULL) {
        enum err e = open_link(l, f);
        if (e != ERR_OK)
            refuse_waiting(l, e);
        return;
    }
    if (!l->opened || l->dropped)
        return; /* an event of the link will go on here */
    LIST_EACH(it, next_it, &l->waiting)
    {
        f = CONTAINER_OF(it, struct hub_far, node);
        if (hub_tools_needed(l, f))
            tools = true;
        else
            hub_link_send(l, f);
    }
    if (tools)
        hub_tools_list(l);
}
