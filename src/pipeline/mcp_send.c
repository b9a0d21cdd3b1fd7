/* mcp_send.c - what goes out to a server: written from what was decided on. */
#include "base/container.h"
#include "os/loop.h"
#include "pipeline/mcp.h"
#include "pipeline/worker.h"

/* What params may grow by: a number for the progress token. */
enum { EXTRA = 64 };

enum err mcp_send_outgoing(struct action *a)
{
    struct mcp_call *c = mcp_of(a);
    char digits[MESSAGE_DIGITS_MAX];
    struct params_change change = {.name = c->tool};
    struct arena home;
    struct buf body;
    size_t room = (size_t)a->request_bytes + EXTRA;

    if (c->token.type != MESSAGE_ID_NONE)
        change.token = message_id_number(c->call.number, digits);
    arena_init_spare(&home, REQUEST_ARENA_MAX, &a->worker->spare);
    char *at = arena_alloc_raw(&home, room);
    if (at != NULL) {
        buf_init_lent(&body, at, room);
        params_write(&body, &c->params, &change);
    }
    if (at == NULL || !buf_ok(&body)) {
        /* An escape that grew, a number with more digits. */
        buf_init(&body, ACTION_OUTGOING_MAX);
        params_write(&body, &c->params, &change);
    }
    if (!buf_ok(&body)) {
        buf_release(&body);
        arena_release(&home);
        return ERR_LIMIT;
    }
    action_keep_outgoing(a, &home, &body);
    c->params = (struct params){.method = c->method};
    c->about.arguments = c->about.element = NULL;
    return ERR_OK;
}

enum step mcp_send(struct action *a)
{
    struct mcp_call *c = mcp_of(a);
    struct hub_to to = mcp_target_to(a);

    c->call.event = mcp_relay_event;
    enum err e = hub_send(a->worker->hub, &c->call, &to, c->method,
                          buf_str(&a->outgoing));
    if (e != ERR_OK) {
        a->attempt.unsent = true;
        return stage_stop(a, e);
    }
    c->calling = true;
    return STEP_NEXT; /* answers come in later turns, to the relay */
}
