/* link_requests.c - requests that are under way, by number, and their time. */
#include <assert.h>
#include <stdlib.h>

#include "base/num.h"
#include "mcp/link_core.h"
#include "os/loop.h"

/* Of `cancelled`: a reason, each byte escaped, and the rest. */
enum { PARAMS_MAX = 8 * PARAMS_REASON_MAX };

static struct str key_of(const uint64_t *number)
{
    return (struct str){(const char *)number, sizeof(*number)};
}

static void free_request(struct link_request *r)
{
    link_stream_free(r->stream);
    buf_release(&r->text);
    free(r);
}

enum err link_requests_add(struct link *l, struct link_call *c, uint64_t number,
                           enum method m, struct str params)
{
    char room[MESSAGE_DIGITS_MAX];
    size_t ours = l->hello.link != NULL ? 1 : 0; /* not of the user's */
    if (map_count(&l->by_number) >= LINK_CALLS_MAX + ours)
        return ERR_OVERLOAD;
    struct link_request *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return ERR_NO_MEMORY;
    r->link = l;
    r->call = c;
    r->number = number;
    r->waiting = true;
    link_text_init(&r->text);
    message_write_call(&r->text, message_id_number(number, room),
                       method_row(m)->name, params);
    enum err e = buf_ok(&r->text) ? ERR_OK : ERR_LIMIT;
    if (e == ERR_OK) {
        assert(link_requests_find(l, number) == NULL);
        e = map_set(&l->by_number, key_of(&r->number), r);
    }
    if (e != ERR_OK) {
        free_request(r);
        return e == ERR_LIMIT ? e : ERR_NO_MEMORY;
    }
    list_push(&l->requests, &r->node);
    c->link = l;
    c->request = r;
    return ERR_OK;
}

struct link_request *link_requests_find(const struct link *l, uint64_t number)
{
    return map_get(&l->by_number, key_of(&number));
}

struct link_request *link_requests_of(const struct link *l,
                                      struct message_id id)
{
    uint64_t number;
    if (id.type != MESSAGE_ID_INTEGER ||
        !num_u64(id.text, (uint64_t)MESSAGE_INTEGER_MAX, &number))
        return NULL;
    return link_requests_find(l, number);
}

struct link_request *link_requests_only(const struct link *l)
{
    struct link_request *only = NULL;
    LIST_EACH(it, next, &l->requests)
    {
        struct link_request *r = CONTAINER_OF(it, struct link_request, node);
        if (r->waiting || r->call == &l->hello)
            continue;
        if (only != NULL)
            return NULL;
        only = r;
    }
    return only;
}

/* --- time --- */

/* Nothing is expected of a server whose question waits for us, or whose
 * notices nobody takes. */
static bool is_ours_to_act(const struct link_request *r)
{
    return r->asks > 0 || r->call->paused;
}

static void on_timer(struct timer *t);

static void set_timer(struct link_request *r)
{
    int64_t due =
        r->idle_due_ms < r->max_due_ms ? r->idle_due_ms : r->max_due_ms;
    timer_set(r->link->loop, &r->timer, due - loop_now_ms(r->link->loop),
              on_timer);
}

static void on_timer(struct timer *t)
{
    struct link_request *r = CONTAINER_OF(t, struct link_request, timer);
    struct link *l = r->link;
    int64_t now = loop_now_ms(l->loop);
    if (is_ours_to_act(r))
        link_requests_alive(r);
    if (now < r->max_due_ms && now < r->idle_due_ms) {
        set_timer(r);
        return;
    }
    link_enter(l);
    if (r->call != &l->hello)
        link_requests_withdraw(r, STR("no answer in time"));
    link_requests_fail(r, ERR_TIMEOUT, l->transport->was_sent(l, r));
    link_leave(l);
}

void link_requests_alive(struct link_request *r)
{
    r->idle_due_ms = loop_now_ms(r->link->loop) + r->link->server->call_ms;
}

enum err link_requests_send(struct link_request *r)
{
    struct link *l = r->link;
    r->waiting = false;
    enum err e = l->transport->send(l, r);
    if (e != ERR_OK)
        return e;
    link_requests_alive(r);
    r->max_due_ms = loop_now_ms(l->loop) + l->server->call_max_ms;
    set_timer(r);
    return ERR_OK;
}

/* --- the end --- */

/* Takes it out; what the user has of it is the user's again. */
static struct link_call *take(struct link_request *r)
{
    struct link *l = r->link;
    struct link_call *c = r->call;
    assert(c != NULL && l->busy > 0);
    r->call = NULL;
    timer_cancel(&r->timer);
    (void)map_take(&l->by_number, key_of(&r->number));
    list_remove(&r->node);
    list_push(&l->dead, &r->node);
    l->transport->drop(l, r);
    link_asks_end(r);
    c->link = NULL;
    c->request = NULL;
    return c;
}

void link_requests_end(struct link_request *r)
{
    (void)take(r);
}

void link_requests_answer(struct link_request *r, const struct message *m)
{
    struct link_call *c = take(r);
    c->events->answered(c, m);
}

void link_requests_fail(struct link_request *r, enum err why, bool sent)
{
    bool was_sent = sent && !r->waiting;
    struct link_call *c = take(r);
    c->events->failed(c, why, was_sent);
}

void link_requests_withdraw(struct link_request *r, struct str reason)
{
    struct link *l = r->link;
    struct buf params, text;
    char room[MESSAGE_DIGITS_MAX];
    if (!link_works(l))
        return;
    buf_init(&params, PARAMS_MAX);
    link_text_init(&text);
    (void)BUF_LIT(&params, "{\"requestId\":");
    message_id_write(&params, message_id_number(r->number, room));
    if (reason.len > 0) {
        (void)BUF_LIT(&params, ",\"reason\":");
        json_write_str(&params, str_first(reason, PARAMS_REASON_MAX));
    }
    (void)buf_add_char(&params, '}');
    message_write_call(&text, (struct message_id){.type = MESSAGE_ID_NONE},
                       method_row(METHOD_CANCELLED)->name, buf_str(&params));
    if (buf_ok(&params) && buf_ok(&text))
        l->transport->tell(l, &text);
    buf_release(&params);
    buf_release(&text);
}

void link_requests_reap(struct link *l)
{
    while (!list_empty(&l->dead)) {
        struct list *first = list_first(&l->dead);
        list_remove(first);
        free_request(CONTAINER_OF(first, struct link_request, node));
    }
}
