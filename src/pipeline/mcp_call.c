/*
 * mcp_call.c - a request that goes on to a server: which tool it is, whether
 * its arguments fit, and what policy says about them.
 */
#include "approval/approval.h"
#include "approval/approval_digest.h"
#include "base/attr.h"
#include "codec/json_pointer.h"
#include "mcp/canon.h"
#include "mcp/listing.h"
#include "pipeline/facts.h"
#include "pipeline/mcp.h"
#include "pipeline/payload.h"
#include "pipeline/snapshot.h"
#include "pipeline/worker.h"

enum {
    ELEMENTS_MAX = 256, /* each is decided on with all arguments, */
    /* ... which together are so many values: a tenth of a second. */
    ELEMENT_VALUES_MAX = 256 * 1024,
    CHECK_STEPS = 1000 * 1000, /* of a schema, on a thread that serves others */
};

static enum step parse(struct action *a)
{
    return stage_stop(a, ERR_INTERNAL); /* mcp_class has parsed */
}

/* ---- route: which tool, and do the arguments fit? ---- */

static enum step refuse(struct action *a, enum err e, int code, struct str text)
{
    return mcp_stop(a, (struct fault){.err = e, .code = code, .text = text},
                    MCP_IN_BAND);
}

static enum step no_such_tool(struct action *a)
{
    return refuse(a, ERR_NOT_FOUND, FAULT_PARAMS,
                  STR("there is no tool of this name here"));
}

/* As this session's server has it; NULL: it does not. */
static const struct tool *find_offered(const struct hub_offer *o,
                                       struct str name)
{
    for (size_t i = 0; o != NULL && i < o->page->count; i++) {
        if (str_eq(o->page->tools[i].name, name))
            return &o->page->tools[i];
    }
    return NULL;
}

/* What is not listed is not called; NEXT: it is. */
static enum step check_tool(struct action *a, const struct catalog_tool *t)
{
    const struct tool *offered = find_offered(mcp_of(a)->offer, t->tool.name);

    if (t->state != CATALOG_PINNED)
        return stage_stop(a, ERR_QUARANTINED);
    if (offered == NULL)
        return no_such_tool(a); /* others have seen it */
    if (memcmp(&t->tool.digest, &offered->digest, sizeof(offered->digest)) != 0)
        return refuse(a, ERR_QUARANTINED, refusal_code(ERR_QUARANTINED),
                      STR("the server of this session offers another "
                          "definition of this tool than the one that is "
                          "approved; begin another session"));
    if (offered->needs_task)
        return refuse(a, ERR_UNSUPPORTED, refusal_code(ERR_UNSUPPORTED),
                      STR("this tool can be called as a task only, which the "
                          "gateway does not do"));
    if (t->input == NULL)
        return refuse(a, ERR_UNSUPPORTED, refusal_code(ERR_UNSUPPORTED),
                      STR("the gateway cannot check arguments against this "
                          "tool's schema, so nobody can call it"));
    return STEP_NEXT;
}

static enum err check_arguments(struct action *a,
                                const struct json_schema *schema,
                                struct fault *ret)
{
    static const struct str none = STR_INIT("{}");
    struct mcp_call *c = mcp_of(a);
    struct json_schema_failure why;
    struct arena scratch;

    /* A call without arguments is one with empty ones, also as it is sent. */
    c->arguments = c->params.call.arguments;
    if (c->arguments == NULL &&
        json_read(&a->question, none, &c->arguments, NULL) != ERR_OK)
        return ERR_NO_MEMORY;
    arena_init_spare(&scratch, REQUEST_ARENA_MAX, &a->worker->spare);
    enum err e =
        json_schema_validate(schema, c->arguments, &scratch, CHECK_STEPS, &why);
    if (e != ERR_OK)
        *ret = refusal_of_arguments(a->arena, e, &why);
    arena_release(&scratch);
    return e;
}

/* As policy and evidence call it, also where it is refused. */
static bool name_tool(struct action *a, const struct catalog_tool *t)
{
    const struct mcp_call *c = mcp_of(a);
    size_t room = t->server.len + 1 + c->tool.len;
    char *at = arena_alloc_raw(a->arena, room);
    struct buf name;

    if (at == NULL)
        return false;
    buf_init_lent(&name, at, room);
    (void)(buf_add(&name, t->server) && buf_add_char(&name, '/') &&
           buf_add(&name, c->tool));
    a->resource_type = STR("Tool");
    a->resource = buf_str(&name);
    return true;
}

static enum step take_tool(struct action *a, const struct catalog_tool *t)
{
    struct mcp_call *c = mcp_of(a);
    struct fault f = {.err = ERR_NO_MEMORY};

    if (!name_tool(a, t))
        return stage_stop(a, ERR_NO_MEMORY);
    enum step s = check_tool(a, t);
    if (s != STEP_NEXT)
        return s;
    if (check_arguments(a, t->input, &f) != ERR_OK)
        return f.err == ERR_NO_MEMORY ? stage_stop(a, f.err)
                                      : mcp_stop(a, f, MCP_IN_BAND);
    a->risk = mcp_list_risk(mcp_server(a), &t->tool);
    c->pinned = t;
    mcp_target_about(a);
    c->about.pinned = true;
    c->about.schema = t->tool.input;
    c->about.arguments = c->arguments;
    return STEP_NEXT;
}

/* The server is open, and what it offers is pinned. */
static enum step look(struct action *a)
{
    struct mcp_call *c = mcp_of(a);

    a->candidate_count = 1;
    if (c->method == METHOD_SET_LEVEL)
        mcp_session_set_level(c->session, (int)c->params.log.level);
    if (c->method != METHOD_TOOLS_CALL) {
        mcp_target_about(a);
        return STEP_NEXT;
    }
    catalog_unref(c->catalog);
    c->catalog = catalog_ref(a->worker->catalog);
    c->state = a->snapshot->digests;
    c->state.schema = catalog_digest(c->catalog);
    const struct catalog_tool *t =
        catalog_find(c->catalog, mcp_server(a)->name, c->tool);
    return t == NULL ? no_such_tool(a) : take_tool(a, t);
}

static void on_opened(struct action *child, void *user)
{
    struct action *a = user;

    if (child->err == ERR_OK) {
        pipeline_resume(a, look(a));
        return;
    }
    a->reason = child->reason;
    pipeline_resume(a, stage_stop(a, child->err));
}

/* The tool's own name, and its server's where the path did not say. */
static bool split_name(struct action *a)
{
    struct mcp_call *c = mcp_of(a);
    struct str name = c->params.call.name, server;

    if (c->server == MCP_ALL && (!listing_split(name, &server, &name) ||
                                 !mcp_target_find(a, server, &c->server)))
        return false;
    return arena_copy(a->arena, name, &c->tool);
}

/* From here on the caller can take it back, whatever it waits for. */
static enum step enter(struct action *a)
{
    struct mcp_call *c = mcp_of(a);

    c->call.number = hub_number(a->worker->hub);
    enum err e = mcp_session_enter(c->session, c->id, c->call.number);
    c->entered = e == ERR_OK;
    if (e != ERR_CONFLICT)
        return e == ERR_OK ? STEP_NEXT : stage_stop(a, e);
    return mcp_stop(a,
                    (struct fault){.err = ERR_CONFLICT,
                                   .code = FAULT_REQUEST,
                                   .text = STR("a request of this id is under "
                                               "way")},
                    MCP_IN_HTTP);
}

static enum step route(struct action *a)
{
    struct mcp_call *c = mcp_of(a);

    enum step s = enter(a);
    if (s != STEP_NEXT)
        return s;
    if (c->method == METHOD_TOOLS_CALL && !split_name(a))
        return no_such_tool(a);
    struct hub_to to = mcp_target_to(a);
    c->offer = hub_known(a->worker->hub, &to);
    if (c->offer != NULL && mcp_target_is_settled(a, c->offer))
        return look(a);
    return mcp_open_spawn(a, c->server, on_opened) == NULL
               ? stage_stop(a, ERR_OVERLOAD)
               : STEP_WAIT;
}

static void route_cancel(struct action *a)
{
    (void)a; /* the child was ended before */
}

/* ---- decide: for every element, where a call is many in one ---- */

static bool has_policy(const struct decision *d, struct str id)
{
    for (unsigned i = 0; i < d->policy_count; i++) {
        if (str_eq(d->policies[i], id))
            return true;
    }
    return false;
}

static bool has_approval(const struct decision *d,
                         const struct decision_approval *n)
{
    for (unsigned i = 0; i < d->approval_count; i++) {
        if (str_eq(d->approvals[i].policy, n->policy))
            return true;
    }
    return false;
}

static void add_policies(struct decision *into, const struct decision *one)
{
    for (unsigned i = 0; i < one->policy_count; i++) {
        if (!has_policy(into, one->policies[i]) &&
            into->policy_count < DECISION_POLICIES_MAX)
            into->policies[into->policy_count++] = one->policies[i];
    }
}

static void add_approvals(struct decision *into, const struct decision *one)
{
    for (unsigned i = 0; i < one->approval_count; i++) {
        if (has_approval(into, &one->approvals[i]))
            continue;
        if (into->approval_count == DECISION_APPROVALS_MAX) {
            into->effect = DECISION_DENY; /* more than anybody can be asked */
            return;
        }
        into->approvals[into->approval_count++] = one->approvals[i];
    }
}

/* Both have to hold.  A denial, else a deferral, names what is its own
 * reason; two of a kind name all of theirs. */
static void merge(struct decision *into, const struct decision *one)
{
    static const unsigned strict[] = {[DECISION_DENY] = 4,
                                      [DECISION_STEP_UP] = 3,
                                      [DECISION_DEFER] = 2,
                                      [DECISION_MODIFY] = 1,
                                      [DECISION_ALLOW] = 0};
    unsigned errors = into->errors + one->errors;

    if (strict[one->effect] > strict[into->effect]) {
        *into = *one;
    } else if (one->effect == into->effect) {
        add_policies(into, one);
        add_approvals(into, one);
    }
    into->errors = errors;
}

/* How many values there are in `v`, itself included; no more than `max`. */
static size_t count_values(const struct json *v, size_t max)
{
    struct json_iter it = json_each(v);
    const struct json *inner;
    size_t n = 1;

    while (n < max && json_next(&it, NULL, &inner))
        n += count_values(inner, max - n);
    return n;
}

/* ERR_LIMIT: to decide on all of them would take too long. */
static enum err check_elements(const struct json *arguments,
                               const struct json *elements)
{
    size_t count = json_count(elements);

    if (count > ELEMENTS_MAX)
        return ERR_LIMIT;
    return count * count_values(arguments, ELEMENT_VALUES_MAX) >
                   ELEMENT_VALUES_MAX
               ? ERR_LIMIT
               : ERR_OK;
}

/* The array that `each` names; NULL: this tool is called once. */
static enum err find_elements(const struct action *a, const struct json **ret)
{
    const struct tool_server_settings *s = mcp_server(a);
    const struct mcp_call *c = mcp_of(a);

    *ret = NULL;
    for (size_t i = 0; i < s->each_count && c->pinned != NULL; i++) {
        if (!str_eq(s->each[i].tool, c->tool))
            continue;
        const struct json *v =
            json_pointer_find(c->about.arguments, s->each[i].pointer);
        if (v == NULL)
            return ERR_OK;
        if (json_type(v) != JSON_ARRAY)
            return ERR_MALFORMED;
        *ret = v;
        return check_elements(c->about.arguments, v);
    }
    return ERR_OK;
}

static void decide_once(struct action *a, struct rules_request *q,
                        const struct json *element, bool first)
{
    struct rules_answer ruling;

    mcp_of(a)->about.element = element;
    facts_decide(a, q, &ruling);
    if (first) {
        a->decision = ruling.decision;
        a->shadow = ruling.shadow;
        return;
    }
    merge(&a->decision, &ruling.decision);
    if (a->shadow.present && ruling.shadow.present)
        merge(&a->shadow.decision, &ruling.shadow.decision);
}

static void digest_arguments(struct action *a)
{
    struct mcp_call *c = mcp_of(a);
    struct buf text;

    if (c->about.arguments == NULL)
        return;
    buf_init(&text, 2 * MCP_BODY_MAX);
    if (canon_write(&text, &a->question, c->about.arguments) == ERR_OK)
        c->has_input_hmac = payload_hmac(a, buf_str(&text), c->input_hmac);
    buf_release(&text);
}

static enum step decide(struct action *a)
{
    const struct json *elements, *element;
    struct facts facts;
    struct rules_request q;
    bool first = true;

    /* Ended while a person was asked: what they agreed to is not used up. */
    if (mcp_session_is_ended(mcp_of(a)->session))
        return refuse(a, ERR_NOT_FOUND, refusal_code(ERR_NOT_FOUND),
                      STR("the session has ended"));
    enum err e = find_elements(a, &elements);
    if (e != ERR_OK)
        return stage_stop(a, e);
    if (!mcp_of(a)->has_input_hmac)
        digest_arguments(a);
    facts_ask(a, &facts, &q);
    mcp_target_facts(a, 0, &q);
    struct json_iter it = json_each(elements);
    while (elements != NULL && json_next(&it, NULL, &element)) {
        decide_once(a, &q, element, first);
        first = false;
    }
    if (first)
        decide_once(a, &q, NULL, true);
    return a->decision.effect == DECISION_DENY ? stage_stop(a, ERR_DENIED)
                                               : STEP_NEXT;
}

/* ---- exactly this action ---- */

/* A request without arguments of a tool: what it is, and all that it says.
 * Whom `_meta` names and what its token is, is no part of it. */
static enum err write_request(struct action *a, struct buf *to)
{
    static const struct json_patch no_meta = {STR_INIT("_meta"), {NULL, 0}};
    const struct mcp_call *c = mcp_of(a);
    const struct json *v = NULL;
    struct buf text;

    buf_init(&text, 2 * MCP_BODY_MAX);
    (void)BUF_LIT(&text, "{\"method\":");
    json_write_str(&text, method_row(c->method)->name);
    (void)BUF_LIT(&text, ",\"params\":");
    if (c->params.body == NULL)
        (void)BUF_LIT(&text, "{}");
    else
        json_write(&text, c->params.body, &no_meta, 1);
    (void)buf_add_char(&text, '}');
    enum err e = buf_ok(&text)
                     ? json_read(&a->question, buf_str(&text), &v, NULL)
                     : ERR_LIMIT;
    if (e == ERR_OK)
        e = canon_write(to, &a->question, v);
    buf_release(&text);
    return e;
}

static enum err exact(struct action *a, struct approval_action *to,
                      struct str *room)
{
    struct mcp_call *c = mcp_of(a);
    struct buf text;

    room[0] = mcp_server(a)->name;
    to->destination_count = 1;
    to->audience = mcp_server(a)->http.host;
    to->tool = c->pinned == NULL ? NULL : &c->pinned->tool.digest;
    buf_init(&text, APPROVAL_TEXT_MAX);
    enum err e = c->about.arguments == NULL
                     ? write_request(a, &text)
                     : canon_write(&text, &a->question, c->about.arguments);
    if (e == ERR_OK && !arena_copy(a->arena, buf_str(&text), &to->arguments))
        e = ERR_NO_MEMORY;
    buf_release(&text);
    return e;
}

const struct action_class mcp_call_class = {
    .name = "tool call",
    .own_size = sizeof(struct mcp_call),
    .parse = parse,
    .route = route,
    .route_cancel = route_cancel,
    .facts = mcp_target_facts,
    .decide = decide,
    .exact = exact,
    .outgoing = mcp_send_outgoing,
    .describe = mcp_target_describe,
    .broker = mcp_target_broker,
    .dispatch = mcp_send,
    .relay = mcp_relay,
    .relay_cancel = mcp_relay_cancel,
    .reply = mcp_answer_refusal,
    .release = mcp_release,
};
