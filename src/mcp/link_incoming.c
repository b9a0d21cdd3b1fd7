/* link_incoming.c - one message of the server's, and whose it is. */
#include "base/limits.h"
#include "mcp/link_core.h"

enum { READ_ROOM = 64 * 1024, READ_FACTOR = 32 };

/* One message on its way to whoever it belongs to. */
struct incoming {
    struct link *link;
    struct link_request *own; /* it came on that one's stream, or NULL */
    bool piped;
    struct message m;
};

static enum err take_response(struct incoming *in)
{
    struct link *l = in->link;
    struct link_request *r = link_requests_of(l, in->m.id);
    if (in->own != NULL && r != in->own)
        return ERR_UPSTREAM; /* on a stream that has one answer alone */
    if (r == NULL || r->waiting || (in->own == NULL && !in->piped)) {
        l->strays++;
        return ERR_OK;
    }
    link_requests_answer(r, &in->m);
    return ERR_OK;
}

/* Before the handshake there are ping, progress and cancelled. */
static enum err find_method(const struct incoming *in, enum method *ret,
                            struct fault *ret_fault)
{
    const struct link *l = in->link;
    bool agreed = l->revision != REVISION_NONE;
    return method_find(&in->m, agreed ? l->revision : REVISION_NEWEST,
                       METHOD_SERVER, agreed ? l->has : 0, ret, ret_fault);
}

static void give_notice(struct link_request *r, enum method m,
                        const struct incoming *in)
{
    struct link_call *c = r->call;
    if (!in->piped || !c->paused)
        c->events->notice(c, m, &in->m);
}

static struct message_id id_in(const struct message *m, struct str name)
{
    struct message_id id = {.type = MESSAGE_ID_NONE};
    (void)!message_id_read(json_get(m->params, name), &id);
    return id;
}

static void take_notice(struct incoming *in)
{
    struct link *l = in->link;
    struct fault fault;
    enum method m;
    struct link_request *r = NULL;
    if (find_method(in, &m, &fault) != ERR_OK) {
        l->strays++;
        return;
    }
    if (m == METHOD_PROGRESS) {
        r = link_requests_of(l, id_in(&in->m, STR("progressToken")));
        if (r != NULL && r->waiting)
            r = NULL;
        if (r != NULL)
            link_requests_alive(r);
    } else if (m == METHOD_CANCELLED) {
        r = link_asks_take(l, id_in(&in->m, STR("requestId")));
    } else if (m == METHOD_LOG && in->own != NULL) {
        r = in->own;
    } else if (l->state == LINK_OPEN) {
        l->events.notice(l->user, m, &in->m);
        return;
    }
    if (r != NULL && r->call != &l->hello)
        give_notice(r, m, in);
    else
        l->strays++;
}

static void ask(struct incoming *in, enum method m)
{
    struct link *l = in->link;
    struct link_request *r = in->own != NULL ? in->own : link_requests_only(l);
    if (r == NULL || r->call == &l->hello) {
        link_asks_refuse(l, in->m.id, FAULT_REQUEST,
                         STR("no request of yours is under way that this "
                             "could belong to"));
        return;
    }
    enum err e = link_asks_add(r, in->m.id);
    if (e == ERR_CONFLICT)
        l->strays++; /* an error would answer the one that waits */
    else if (e != ERR_OK)
        link_asks_refuse(l, in->m.id, FAULT_INTERNAL, str_from(err_text(e)));
    else
        r->call->events->asked(r->call, m, &in->m);
}

static void pong(struct link *l, struct message_id id)
{
    struct buf out;
    link_text_init(&out);
    message_write_result(&out, id, STR("{}"));
    if (buf_ok(&out))
        l->transport->tell(l, &out);
    buf_release(&out);
}

static void take_request(struct incoming *in)
{
    struct fault fault;
    enum method m;
    if (find_method(in, &m, &fault) != ERR_OK)
        link_asks_refuse(in->link, in->m.id, fault.code, fault.text);
    else if (m == METHOD_PING)
        pong(in->link, in->m.id);
    else
        ask(in, m);
}

static size_t room_for(struct str text)
{
    size_t room = READ_ROOM + text.len * READ_FACTOR;
    return room < REQUEST_ARENA_MAX ? room : REQUEST_ARENA_MAX;
}

enum err link_incoming_take(struct link *l, struct str text,
                            struct link_request *own, bool piped)
{
    struct incoming in = {.link = l, .own = own, .piped = piped};
    struct arena a;
    struct message_id id;
    struct fault fault;
    arena_init(&a, room_for(text));
    enum err e = message_read(&a, text, &in.m, &id, &fault);
    if (e == ERR_OK && in.m.kind == MESSAGE_NOTIFICATION)
        take_notice(&in);
    else if (e == ERR_OK && in.m.kind == MESSAGE_REQUEST)
        take_request(&in);
    else if (e == ERR_OK)
        e = take_response(&in);
    arena_release(&a);
    return e;
}
