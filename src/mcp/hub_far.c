/*
 * hub_far.c - the owner's half of a call: what its link tells it, and the
 * credit that the other half has given.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/container.h"
#include "mcp/hub_link.h"
#include "os/loop.h"

/* Above half of what may wait, the link is asked to pause; below a quarter it
 * goes on. */
enum { PAUSE_AT = HUB_EVENTS_MAX / 2, RESUME_AT = HUB_EVENTS_MAX / 4 };

/* What the server has asked and nobody has answered. */
struct ask {
    struct list node;
    struct message_id id;
    char text[]; /* of the id */
};

/* ---- from one worker to the other ---- */

static void arrive(struct hub *h, struct hub_note *n)
{
    hub_far_start(h, CONTAINER_OF(n, struct hub_far, note));
}

static void drop(struct hub_note *n)
{
    hub_far_free(CONTAINER_OF(n, struct hub_far, note));
}

static struct str add_text(struct hub_far *f, struct str text)
{
    struct str at = {f->texts + f->texts_len, text.len};
    if (text.len > 0)
        memcpy(f->texts + f->texts_len, text.ptr, text.len);
    f->texts_len += text.len;
    return at;
}

struct hub_far *hub_far_new(struct hub_net *net, const struct hub_to *to,
                            struct str params)
{
    struct hub_far *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return NULL;
    size_t room = to->tenant.len + to->authorization.len + params.len;
    f->last = hub_mail_new();
    f->texts = malloc(room + 1); /* never nothing */
    if (f->last == NULL || f->texts == NULL) {
        free(f->last);
        free(f->texts);
        free(f);
        return NULL;
    }
    list_init(&f->node);
    list_init(&f->queued);
    list_init(&f->asks);
    f->note = (struct hub_note){.net = net, .run = arrive, .drop = drop};
    f->to = *to;
    f->digest = *to->digest;
    f->to.digest = &f->digest;
    f->to.tenant = add_text(f, to->tenant);
    f->to.authorization = add_text(f, to->authorization);
    f->params = add_text(f, params);
    if (to->session != NULL)
        mcp_session_ref(to->session);
    to->keep.ref(to->keep.it);
    f->has_tools = f->knew = to->offer != NULL;
    if (f->has_tools)
        f->tools = *hub_offer_digest(to->offer);
    f->to.offer = NULL; /* borrowed for the call */
    f->credit = 1;
    return f;
}

void hub_far_forget(struct hub_far *f)
{
    if (f->texts == NULL)
        return;
    hash_wipe(f->texts, f->texts_len);
    free(f->texts);
    f->texts = NULL;
    f->params = f->to.tenant = f->to.authorization = (struct str){NULL, 0};
}

void hub_far_free(struct hub_far *f)
{
    if (f == NULL)
        return;
    list_remove(&f->node);
    LIST_EACH(it, next_mail, &f->queued)
    {
        hub_mail_free(CONTAINER_OF(it, struct hub_mail, node));
    }
    LIST_EACH(at, next_ask, &f->asks)
    {
        free(CONTAINER_OF(at, struct ask, node));
    }
    hub_far_forget(f);
    hub_mail_free(f->last);
    mcp_session_unref(f->to.session);
    f->to.keep.unref(f->to.keep.it);
    free(f);
}

void hub_far_start(struct hub *h, struct hub_far *f)
{
    f->hub = h;
    if (map_set(&h->far, hub_key(&f->key), f) != ERR_OK) {
        hub_far_fail(f, ERR_OVERLOAD, false, STR(""));
        return;
    }
    hub_links_join(h, f);
}

/* ---- events that wait for credit ---- */

static struct hub_mail *first_queued(const struct hub_far *f)
{
    struct list *it = list_first(&f->queued);
    return it == NULL ? NULL : CONTAINER_OF(it, struct hub_mail, node);
}

static void unqueue(struct hub_far *f, struct hub_mail *m)
{
    list_remove(&m->node);
    f->queued_count--;
    f->queued_bytes -= m->event.text.len;
}

static void set_paused(struct hub_far *f, bool on)
{
    if (!f->sending || f->paused == on)
        return;
    f->paused = on;
    link_pause(&f->call, on);
}

static bool is_over(const struct hub_far *f)
{
    return f->queued_count > HUB_EVENTS_MAX ||
           f->queued_bytes > HUB_EVENT_BYTES_MAX;
}

/* Drops the oldest notices, and never what was asked. */
static void trim(struct hub_far *f)
{
    LIST_EACH(it, next_it, &f->queued)
    {
        struct hub_mail *m = CONTAINER_OF(it, struct hub_mail, node);
        if (!is_over(f))
            return;
        if (m->event.kind != HUB_NOTICE)
            continue;
        unqueue(f, m);
        hub_mail_free(m);
    }
}

static void post(struct hub_far *f, struct hub_mail *m, bool surely)
{
    m->key = f->key;
    hub_mail_post(f->hub->net, f->from, m, surely);
}

static void deliver(struct hub_far *f, struct hub_mail *m)
{
    if (f->credit > 0 && list_empty(&f->queued)) {
        f->credit--;
        post(f, m, m->event.kind == HUB_ASKED);
        return;
    }
    list_push(&f->queued, &m->node);
    f->queued_count++;
    f->queued_bytes += m->event.text.len;
    trim(f);
    if (f->queued_count >= PAUSE_AT ||
        f->queued_bytes >= HUB_EVENT_BYTES_MAX / 2)
        set_paused(f, true);
}

void hub_far_next(struct hub *h, uint64_t key)
{
    struct hub_far *f = map_get(&h->far, hub_key(&key));
    if (f == NULL)
        return;
    struct hub_mail *m = first_queued(f);
    if (m == NULL) {
        f->credit += f->credit < HUB_EVENTS_MAX ? 1 : 0;
        return;
    }
    unqueue(f, m);
    post(f, m, m->event.kind == HUB_ASKED);
    if (f->queued_count <= RESUME_AT &&
        f->queued_bytes <= HUB_EVENT_BYTES_MAX / 4)
        set_paused(f, false);
}

/* ---- what the server asks ---- */

static void refuse(struct hub_far *f, struct message_id id)
{
    if (f->on != NULL && f->on->link != NULL)
        link_answer(f->on->link, id, true,
                    STR("{\"code\":-32603,\"message\":"
                        "\"nobody is there to answer\"}"));
}

static struct ask *ask_new(struct message_id id)
{
    struct ask *a = calloc(1, sizeof(*a) + id.text.len);
    if (a == NULL)
        return NULL;
    a->id = id;
    a->id.text.ptr = a->text;
    if (id.text.len > 0)
        memcpy(a->text, id.text.ptr, id.text.len);
    return a;
}

void hub_far_asked(struct hub_far *f, enum method m, const struct message *msg)
{
    struct ask *a = NULL;
    struct hub_mail *mail = NULL;

    if (f->ask_count < HUB_ASKS_MAX && f->queued_bytes <= HUB_EVENT_BYTES_MAX) {
        a = ask_new(msg->id);
        mail = hub_mail_message(HUB_ASKED, m, msg);
    }
    if (a == NULL || mail == NULL) {
        free(a);
        hub_mail_free(mail);
        refuse(f, msg->id);
        return;
    }
    list_push(&f->asks, &a->node);
    f->ask_count++;
    deliver(f, mail);
}

static void take_ask(struct hub_far *f, struct ask *a)
{
    list_remove(&a->node);
    f->ask_count--;
    free(a);
}

/* The server has taken back what it asked. */
static void retract(struct hub_far *f, const struct message *msg)
{
    struct message_id id;
    if (!message_id_read(json_get(msg->params, STR("requestId")), &id))
        return;
    LIST_EACH(it, next_it, &f->asks)
    {
        struct ask *a = CONTAINER_OF(it, struct ask, node);
        if (message_id_eq(a->id, id))
            take_ask(f, a);
    }
}

void hub_far_reply(struct hub *h, uint64_t key, const struct hub_reply *r)
{
    struct hub_far *f = map_get(&h->far, hub_key(&key));
    if (f == NULL)
        return;
    LIST_EACH(it, next_it, &f->asks)
    {
        struct ask *a = CONTAINER_OF(it, struct ask, node);
        if (!message_id_eq(a->id, r->id))
            continue;
        take_ask(f, a);
        if (f->on->link != NULL)
            link_answer(f->on->link, r->id, r->is_error, r->text);
        return;
    }
}

void hub_far_notice(struct hub_far *f, enum method m, const struct message *msg)
{
    if (m == METHOD_CANCELLED)
        retract(f, msg);
    struct hub_mail *mail = hub_mail_message(HUB_NOTICE, m, msg);
    if (mail != NULL)
        deliver(f, mail);
}

/* ---- the end ---- */

/* Off its link and off the map; questions are answered with an error. */
static void leave(struct hub_far *f)
{
    LIST_EACH(it, next_it, &f->asks)
    {
        struct ask *a = CONTAINER_OF(it, struct ask, node);
        refuse(f, a->id);
        take_ask(f, a);
    }
    f->sending = false;
    list_remove(&f->node);
    if (map_get(&f->hub->far, hub_key(&f->key)) == f)
        (void)map_take(&f->hub->far, hub_key(&f->key));
    if (f->on != NULL)
        f->on->used_ms = loop_now_ms(f->hub->loop);
}

/* The last event comes after what came before, which needs no credit now. */
static void end(struct hub_far *f)
{
    struct hub_mail *last = f->last;
    struct hub_mail *m;

    f->last = NULL;
    leave(f);
    while ((m = first_queued(f)) != NULL) {
        unqueue(f, m);
        if (m->event.kind == HUB_ASKED)
            hub_mail_free(m); /* it was refused */
        else
            post(f, m, false);
    }
    post(f, last, true);
    hub_far_free(f);
}

void hub_far_fail(struct hub_far *f, enum err why, bool sent, struct str text)
{
    hub_mail_failure(f->last, why, sent, text);
    end(f);
}

void hub_far_opened(struct hub_far *f, struct hub_offer *o)
{
    f->last->event.kind = HUB_OPENED;
    f->last->event.offer = hub_offer_ref(o);
    end(f);
}

void hub_far_answered(struct hub_far *f, const struct message *response)
{
    f->last->event.method = f->method;
    if (hub_mail_answer(f->last, response, f->on->server->result_max))
        end(f);
    else
        hub_far_fail(f, ERR_NO_MEMORY, true, STR(""));
}

void hub_far_cancel(struct hub *h, uint64_t key, struct str reason)
{
    struct hub_far *f = map_get(&h->far, hub_key(&key));
    if (f == NULL)
        return;
    bool sending = f->sending;
    struct hub_link *on = f->on;
    leave(f);
    if (sending && on->link != NULL)
        link_cancel(&f->call, reason);
    hub_far_free(f);
}
