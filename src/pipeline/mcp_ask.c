/*
 * mcp_ask.c - what a server asks of its caller in the middle of a call: text
 * of the caller's model (sampling), or a person's word (elicitation).
 *
 * Each is an action of its own, a child of the call: decided, recorded, then
 * sent on the call's stream under a number of ours.  The answer is a request
 * of the caller's, at whatever worker, and finds its way back by that number.
 */
#include <string.h>

#include "base/container.h"
#include "os/loop.h"
#include "pipeline/mcp.h"
#include "pipeline/payload.h"
#include "pipeline/snapshot.h"
#include "pipeline/standing.h"
#include "pipeline/worker.h"

enum { ASK_MAX = 1024 * 1024 };

static const struct str refused =
    STR_INIT("{\"code\":-32600,\"message\":\"the gateway refused what this "
             "server asked\"}");

static bool may_ask(const struct action *a, enum method m)
{
    const struct tool_server_settings *s = mcp_server(a);
    unsigned has = mcp_session_about(mcp_of(a)->session)->client_has;

    if (m == METHOD_SAMPLE)
        return s->sampling && (has & METHOD_HAS_SAMPLING) != 0;
    if (m == METHOD_ELICIT)
        return s->elicitation && (has & (METHOD_HAS_ELICITATION |
                                         METHOD_HAS_ELICITATION_URL)) != 0;
    return false;
}

static void prepare(struct action *child, const void *input)
{
    const struct hub_event *e = input;
    struct mcp_call *c = mcp_of(child);
    const struct mcp_call *of = mcp_of(child->parent);
    struct str text = {0};

    c->action = child;
    c->method = e->method;
    c->revision = of->revision;
    c->session = mcp_session_ref(of->session);
    c->server = of->server;
    c->asked.type = e->id.type;
    list_init(&c->node);
    child->risk = RISK_READ;
    child->resource_type = STR("ToolServer");
    child->resource = mcp_server(child)->name;
    child->request_bytes = e->text.len;
    /* What has no room is no request, which parse finds. */
    if (arena_copy(child->arena, e->id.text, &c->asked.text) &&
        arena_copy(&child->question, e->text, &text))
        c->text = text;
}

static void on_ended(struct action *child, void *user)
{
    struct action *a = user;
    const struct mcp_call *c = mcp_of(child);

    if (!c->answered && mcp_of(a)->calling)
        hub_answer(a->worker->hub, &mcp_of(a)->call, c->asked, true, refused);
}

bool mcp_ask_begin(struct action *a, const struct hub_event *e)
{
    const struct action_child o = {
        .kind = method_row(e->method)->action,
        .prepare = prepare,
        .input = e,
        .ended = on_ended,
        .user = a,
    };

    /* A child that ends at once has answered by on_ended(). */
    return may_ask(a, e->method) && mcp_of(a)->may_stream &&
           e->text.len <= ASK_MAX &&
           action_spawn(a, &mcp_ask_class, &o) != NULL;
}

/* ---- taken back ---- */

/* The child that asks under this id of the server's, or NULL. */
static struct action *find_asked(const struct action *a, struct message_id id)
{
    LIST_EACH(it, next, &a->children)
    {
        struct action *child = CONTAINER_OF(it, struct action, sibling);
        if (child->class == &mcp_ask_class &&
            message_id_eq(mcp_of(child)->asked, id))
            return child;
    }
    return NULL;
}

/* The caller knows it by our number, if it knows it. */
static void tell_taken_back(struct action *a, const struct action *child)
{
    struct buf message, params;

    if ((child->at.facts & FACT_DISPATCHED) == 0)
        return;
    buf_init(&params, 64);
    buf_init(&message, 256);
    (void)BUF_LIT(&params, "{\"requestId\":");
    (void)buf_add_u64(&params, mcp_of(child)->call.number);
    (void)buf_add_char(&params, '}');
    message_write_call(&message, (struct message_id){0},
                       method_row(METHOD_CANCELLED)->name, buf_str(&params));
    if (buf_ok(&params) && buf_ok(&message))
        (void)mcp_answer_event(a, buf_str(&message));
    buf_release(&message);
    buf_release(&params);
}

void mcp_ask_take_back(struct action *a, const struct hub_event *e)
{
    const struct json *v;
    struct message_id id;
    struct arena room;
    struct action *child = NULL;

    arena_init_spare(&room, REQUEST_ARENA_MAX, &a->worker->spare);
    if (json_read(&room, e->text, &v, NULL) == ERR_OK &&
        message_id_read(json_get(v, STR("requestId")), &id))
        child = find_asked(a, id);
    arena_release(&room);
    if (child == NULL)
        return;
    tell_taken_back(a, child);
    pipeline_end(child, ERR_CLOSED);
}

/* ---- the action ---- */

static enum step parse(struct action *a)
{
    struct mcp_call *c = mcp_of(a);
    const struct json *v;
    struct fault f;

    a->has_request_hmac = payload_hmac(a, c->text, a->request_hmac);
    if (json_read(&a->question, c->text, &v, NULL) != ERR_OK)
        return stage_stop(a, ERR_MALFORMED);
    enum err e =
        params_read(&a->question, c->method, c->revision, v, &c->params, &f);
    c->text = (struct str){0}; /* read; what is sent is written from that */
    return e == ERR_OK ? STEP_NEXT : stage_stop(a, e);
}

static enum step route(struct action *a)
{
    a->candidate_count = 1;
    mcp_target_about(a);
    return STEP_NEXT;
}

/* It goes to the caller itself, so to no destination. */
static void facts(const struct action *a, unsigned candidate,
                  struct rules_request *q)
{
    mcp_target_facts(a, candidate, q);
    q->destination = (struct rules_destination){0};
}

static enum err outgoing(struct action *a)
{
    struct mcp_call *c = mcp_of(a);
    char digits[MESSAGE_DIGITS_MAX];
    struct arena home;
    struct buf body, params;

    c->call.number = hub_number(a->worker->hub);
    arena_init_spare(&home, REQUEST_ARENA_MAX, &a->worker->spare);
    buf_init(&body, ACTION_OUTGOING_MAX);
    buf_init(&params, ACTION_OUTGOING_MAX);
    params_write(&params, &c->params, NULL);
    message_write_call(&body, message_id_number(c->call.number, digits),
                       method_row(c->method)->name, buf_str(&params));
    bool ok = buf_ok(&params) && buf_ok(&body);
    buf_release(&params);
    if (!ok) {
        buf_release(&body);
        arena_release(&home);
        return ERR_LIMIT;
    }
    action_keep_outgoing(a, &home, &body);
    c->params = (struct params){.method = c->method};
    return ERR_OK;
}

static void describe(const struct action *a, struct evidence_intent *f,
                     struct evidence_route *room)
{
    (void)room;
    (void)a;
    f->destination.provider = STR("caller");
    f->dialect = STR("mcp");
}

static enum err broker(struct action *a)
{
    (void)a;
    return ERR_OK; /* nobody's credential goes to the caller */
}

static enum step dispatch(struct action *a)
{
    if (!mcp_answer_event(a->parent, buf_str(&a->outgoing))) {
        a->attempt.unsent = true;
        return stage_stop(a, ERR_CLOSED);
    }
    list_push(&a->worker->asks, &mcp_of(a)->node);
    return STEP_NEXT;
}

static enum step relay(struct action *a)
{
    (void)a;
    return STEP_WAIT; /* for mcp_ask_word() */
}

static void cancel(struct action *a)
{
    list_remove(&mcp_of(a)->node);
}

const struct action_class mcp_ask_class = {
    .name = "ask",
    .own_size = sizeof(struct mcp_call),
    .parse = parse,
    .route = route,
    .facts = facts,
    .outgoing = outgoing,
    .describe = describe,
    .broker = broker,
    .dispatch = dispatch,
    .relay = relay,
    .relay_cancel = cancel,
    .release = mcp_release,
};

/* ---- a caller's word ---- */

static void take_answer(struct action *a, const struct hub_word *w)
{
    struct mcp_call *c = mcp_of(a);

    list_remove(&c->node);
    /* Revoked meanwhile: what they say is not passed on. */
    enum err e = standing_holds(a);
    if (e != ERR_OK) {
        pipeline_resume(a, stage_stop(a, e));
        return;
    }
    c->answered = true;
    a->outcome = w->is_error ? OUTCOME_ERROR : OUTCOME_OK;
    a->attempt.answer_bytes = w->text.len;
    a->attempt.has_answer_hmac =
        payload_hmac(a, w->text, a->attempt.answer_hmac);
    hub_answer(a->worker->hub, &mcp_of(a->parent)->call, c->asked, w->is_error,
               w->text);
    pipeline_resume(a, STEP_NEXT);
}

static struct action *find_ask(struct worker *worker, const struct hub_word *w)
{
    for (struct list *it = worker->asks.next; it != &worker->asks;
         it = it->next) {
        struct mcp_call *c = CONTAINER_OF(it, struct mcp_call, node);
        if (c->call.number == w->number && c->session == w->session)
            return c->action;
    }
    return NULL;
}

static struct action *find_call(struct worker *worker, const struct hub_word *w)
{
    for (struct list *it = worker->actions.next; it != &worker->actions;
         it = it->next) {
        struct action *a = CONTAINER_OF(it, struct action, node);
        if (a->class != &mcp_call_class)
            continue;
        const struct mcp_call *c = mcp_of(a);
        if (c->entered && c->call.number == w->number &&
            c->session == w->session)
            return c->settling ? NULL : a; /* it is answered already */
    }
    return NULL;
}

void mcp_ask_word(void *user, const struct hub_word *w)
{
    struct worker *worker = user;
    struct action *a =
        w->is_cancel ? find_call(worker, w) : find_ask(worker, w);

    if (a == NULL)
        return; /* too late, or nothing of theirs */
    if (w->is_cancel)
        pipeline_end(a, ERR_CLOSED);
    else
        take_answer(a, w);
}
