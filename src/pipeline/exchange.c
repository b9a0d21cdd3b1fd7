/* exchange.c - see exchange.h. */
#include "pipeline/exchange.h"

#include <assert.h>

#include "base/attr.h"
#include "base/text.h"
#include "codec/problem.h"
#include "http/server.h"
#include "llm/openai.h"
#include "pipeline/action.h"
#include "pipeline/limit_fields.h"
#include "pipeline/snapshot.h"
#include "pipeline/worker.h"

enum { EXTRA_MAX = 12, ERROR_BODY_MAX = 4096, RECEIPT_MAX = 256 };

static const struct str json_type_name = STR_INIT("application/json");

/* What an answer carries besides its body; lives while a reply is made. */
struct envelope {
    struct http_field fields[EXTRA_MAX + LIMIT_FIELDS_MAX + 3];
    size_t count;
    char id[TEXT_HEX_LEN(ACTION_ID_LEN)];
    struct limit_fields_room limits;
    struct buf receipt;
    char receipt_text[RECEIPT_MAX + NAME_MAX_LEN];
};

/* RFC 9457 beside the data plane, whose dialects are those of providers. */
static bool is_problem(const struct exchange *x)
{
    return x->worker->plane > PLANE_DATA;
}

static void write_error(const struct exchange *x, struct buf *to, enum err why,
                        struct str text, struct str param)
{
    if (is_problem(x))
        problem_write(to, why, text, param);
    else
        openai_error(to, why, text.len > 0 ? text : str_from(err_text(why)),
                     param);
}

static struct str error_type(const struct exchange *x)
{
    return is_problem(x) ? PROBLEM_MEDIA_TYPE : json_type_name;
}

static void envelope_add(struct envelope *e, struct str name, struct str value)
{
    assert(e->count < ARRAY_LEN(e->fields));
    e->fields[e->count++] = (struct http_field){name, value};
}

/* writ-receipt: origin="gw-1", index=12, leaf="…" (RFC 9651 dictionary). */
static void add_receipt(struct envelope *e, const struct action *a)
{
    char leaf[TEXT_HEX_LEN(HASH_LEN)];

    if (a->receipt.index == LEDGER_NO_INDEX)
        return;
    text_hex(a->receipt.leaf.bytes, HASH_LEN, leaf);
    BUF_LIT(&e->receipt, "origin=\"");
    buf_add(&e->receipt, a->snapshot->settings.node);
    BUF_LIT(&e->receipt, "\", index=");
    buf_add_u64(&e->receipt, a->receipt.index);
    BUF_LIT(&e->receipt, ", leaf=\"");
    buf_add(&e->receipt, (struct str){leaf, sizeof(leaf)});
    BUF_LIT(&e->receipt, "\"");
    if (buf_ok(&e->receipt))
        envelope_add(e, STR("writ-receipt"), buf_str(&e->receipt));
}

static void envelope_make(struct envelope *e, const struct exchange *x,
                          struct http_fields extra, struct str content_type)
{
    e->count = 0;
    buf_init_lent(&e->receipt, e->receipt_text, sizeof(e->receipt_text));
    if (content_type.len > 0)
        envelope_add(e, STR("content-type"), content_type);
    if (x->action != NULL) {
        text_hex(x->action->id, ACTION_ID_LEN, e->id);
        envelope_add(e, STR("writ-decision-id"),
                     (struct str){e->id, sizeof(e->id)});
        add_receipt(e, x->action);
        e->count += limit_fields_write(&x->action->limits, &e->limits,
                                       e->fields + e->count);
    }
    assert(extra.count <= EXTRA_MAX);
    for (size_t i = 0; i < extra.count; i++)
        envelope_add(e, extra.at[i].name, extra.at[i].value);
}

void exchange_reply(struct exchange *x, int status, struct http_fields extra,
                    struct str content_type, struct str body)
{
    struct envelope e UNINITIALIZED;

    if (x->gone)
        return;
    assert(!x->replied);
    x->replied = true;
    envelope_make(&e, x, extra, content_type);
    const struct http_response_head head = {.status = status,
                                            .fields = {e.fields, e.count}};
    http_request_reply(x->http, &head, body);
}

void exchange_reply_stream(struct exchange *x, int status,
                           struct http_fields extra, struct str content_type,
                           struct body_source *src)
{
    struct envelope e UNINITIALIZED;

    if (x->gone) {
        src->cancel(src);
        return;
    }
    assert(!x->replied);
    x->replied = true;
    envelope_make(&e, x, extra, content_type);
    const struct http_response_head head = {.status = status,
                                            .fields = {e.fields, e.count},
                                            .body_bytes = -1};
    http_request_reply_stream(x->http, &head, src);
}

/* RFC 9110, 15.5.6: a 405 says which methods there are. */
static void reply_method(struct exchange *x, enum plane plane)
{
    struct buf allowed, body;

    buf_init(&allowed, ERROR_BODY_MAX);
    buf_init(&body, ERROR_BODY_MAX);
    routes_allowed(plane, http_request_head(x->http)->path, &allowed);
    write_error(x, &body, ERR_METHOD, (struct str){0}, (struct str){0});
    const struct http_field allow = {STR("allow"), buf_str(&allowed)};
    exchange_reply(x, err_http_status(ERR_METHOD),
                   (struct http_fields){&allow, 1}, error_type(x),
                   buf_str(&body));
    buf_release(&allowed);
    buf_release(&body);
}

void exchange_reply_refusal(struct exchange *x, enum err why,
                            struct str content_type, struct str body)
{
    static const struct http_field challenge = {STR_INIT("www-authenticate"),
                                                STR_INIT(
                                                    "Bearer realm=\"writ\"")};
    char seconds[LIMIT_FIELDS_TEXT];
    int64_t wait_ms = x->action == NULL ? 0 : x->action->limits.retry_ms;
    const struct http_field retry = {STR("retry-after"),
                                     limit_fields_retry_after(wait_ms,
                                                              seconds)};
    struct http_fields extra = {0};
    int status = err_http_status(why);

    if (x->gone || x->replied)
        return;
    if (status == 401)
        extra = (struct http_fields){&challenge, 1};
    else if (status == 503 || status == 429 || why == ERR_APPROVAL_PENDING)
        extra = (struct http_fields){&retry, 1};
    exchange_reply(x, status, extra, content_type, body);
}

void exchange_reply_error(struct exchange *x, enum err why, struct str text,
                          struct str param)
{
    struct buf body;

    if (x->gone || x->replied)
        return;
    buf_init(&body, ERROR_BODY_MAX);
    write_error(x, &body, why, text, param);
    if (!buf_ok(&body)) {
        buf_clear(&body);
        write_error(x, &body, why, (struct str){0}, (struct str){0});
    }
    exchange_reply_refusal(x, why, error_type(x), buf_str(&body));
    buf_release(&body);
}

/* The server read a head that no handler may see; speak the same dialect. */
static void refuse(struct exchange *x, enum err why)
{
    exchange_reply_error(x, why, (struct str){0}, (struct str){0});
}

static void on_health_body(void *user, struct str body, enum err e)
{
    struct exchange *x = user;
    (void)body;
    if (e != ERR_OK) {
        refuse(x, e);
        return;
    }
    exchange_reply(x, 200, (struct http_fields){0}, STR("text/plain"),
                   STR("ok\n"));
}

static void answer(struct exchange *x)
{
    switch (x->endpoint->kind) {
    case ENDPOINT_HEALTH:
        /* A body says nothing here, but one that does not keep to its framing
         * must not be answered as if it did. */
        http_request_read(x->http, x->endpoint->body_max, on_health_body, x);
        return;
    case ENDPOINT_ADMIN:
    case ENDPOINT_METRICS:
    case ENDPOINT_READY:
        x->worker->admin(x->worker, x);
        return;
    case ENDPOINT_ACTION:
        if (x->endpoint->class == NULL)
            break;
        if (action_begin(x->worker, x, http_request_arena(x->http)) == NULL)
            refuse(x, ERR_NO_MEMORY);
        return;
    case ENDPOINT_NONE:
        break;
    }
    refuse(x, ERR_INTERNAL);
}

void exchange_request(void *user, struct http_request *r)
{
    static const struct http_response_head out_of_memory = {.status = 503};
    struct worker *w = user;
    const struct http_request_head *head = http_request_head(r);
    enum plane plane = w->plane == 0 ? PLANE_DATA : (enum plane)w->plane;

    struct exchange *x = ARENA_NEW(http_request_arena(r), struct exchange, 1);
    if (x == NULL) {
        http_request_reply(r, &out_of_memory, (struct str){0});
        return;
    }
    x->worker = w;
    x->http = r;
    http_request_set_user(r, x);

    switch (routes_find(plane, head->method, head->path, &x->endpoint,
                        &x->argument)) {
    case ENDPOINT_MATCH_NONE:
        refuse(x, ERR_NOT_FOUND);
        return;
    case ENDPOINT_MATCH_PATH:
        reply_method(x, plane);
        return;
    case ENDPOINT_MATCH:
        answer(x);
        return;
    }
}

void exchange_done(void *user, struct http_request *r, enum err why)
{
    struct exchange *x = http_request_user(r);

    (void)user;
    if (x == NULL)
        return;
    x->gone = true;
    if (x->left != NULL)
        x->left(x);
    if (x->action == NULL)
        return;
    pipeline_end(x->action, why == ERR_OK ? ERR_CLOSED : why);
    assert(pipeline_ended(x->action));
    action_left(x->action);
}
