/* model_relay.c - see model_relay.h. */
#include "pipeline/model_relay.h"

#include <assert.h>

#include "base/container.h"
#include "http/client.h"
#include "http/server.h"
#include "llm/openai.h"
#include "pipeline/exchange.h"
#include "pipeline/model.h"
#include "pipeline/payload.h"
#include "pipeline/standing.h"

enum { KEPT_FIELDS_MAX = 8 };

struct model_relay {
    struct action *action; /* NULL: it has ended, the stream lingers */
    int status;
    struct http_field fields[KEPT_FIELDS_MAX];
    size_t field_count;
    struct str content_type;
    bool coded; /* compressed, which nobody asked for */
    bool has_error_body;
    struct str error_body; /* in the action's arena */

    /* a stream */
    struct body_source out; /* what the caller's connection pulls */
    struct body_source *in; /* NULL: ended */
    body_sink *sink;        /* of the pull that is outstanding, or NULL */
    void *reader;
    struct openai_stream *meter;
    struct payload_digest digest;
    struct buf piece; /* what the caller sees of one piece */
    enum err broken;  /* why the stream ends early */
    bool said;        /* ... and the caller was told */
};

/* Of the destination's fields, what may reach a caller. */
static bool passes(struct str name)
{
    static const struct str list[] = {
        STR_INIT("openai-processing-ms"), STR_INIT("openai-version"),
        STR_INIT("retry-after"),          STR_INIT("retry-after-ms"),
        STR_INIT("x-request-id"),         STR_INIT("x-should-retry"),
    };
    for (size_t i = 0; i < ARRAY_LEN(list); i++) {
        if (str_eq(list[i], name))
            return true;
    }
    return false;
}

static bool keep(struct arena *a, struct str from, struct str *ret)
{
    char *copy = arena_strdup(a, from);
    *ret = (struct str){copy, from.len};
    return copy != NULL;
}

enum step model_relay_keep_head(struct action *a,
                                const struct http_response_head *head)
{
    struct model_relay *r = ARENA_NEW(a->arena, struct model_relay, 1);
    if (r == NULL)
        return stage_stop(a, ERR_NO_MEMORY);
    r->action = a;
    r->status = head->status;
    for (size_t i = 0; i < head->fields.count; i++) {
        const struct http_field *f = &head->fields.at[i];
        if (str_eq(f->name, STR("content-type")) &&
            !keep(a->arena, f->value, &r->content_type))
            return stage_stop(a, ERR_NO_MEMORY);
        if (str_eq(f->name, STR("content-encoding")) &&
            !str_eq_nocase(f->value, STR("identity")))
            r->coded = true;
        if (!passes(f->name) || r->field_count == KEPT_FIELDS_MAX)
            continue;
        struct http_field *to = &r->fields[r->field_count++];
        if (!keep(a->arena, f->name, &to->name) ||
            !keep(a->arena, f->value, &to->value))
            return stage_stop(a, ERR_NO_MEMORY);
    }
    model_of(a)->relay = r;
    return STEP_NEXT;
}

enum step model_relay_keep_error(struct action *a, struct str body)
{
    struct model_relay *r = model_of(a)->relay;

    if (!keep(a->arena, body, &r->error_body))
        return stage_stop(a, ERR_NO_MEMORY);
    r->has_error_body = true;
    return STEP_NEXT;
}

void model_relay_drop(struct action *a)
{
    model_of(a)->relay = NULL; /* its memory goes with the arena */
}

static struct http_fields kept_fields(const struct model_relay *r)
{
    return (struct http_fields){r->fields, r->field_count};
}

static void book(struct action *a, const struct openai_answer *answer)
{
    a->attempt.usage = answer->usage;
    a->attempt.finish = answer->finish;
    (void)keep(a->arena, answer->model, &a->attempt.model);
}

/* The action goes on; whatever still streams does so without it. */
static void leave(struct model_relay *r, enum step outcome)
{
    struct action *a = r->action;

    r->action = NULL;
    model_of(a)->relay = NULL;
    pipeline_resume(a, outcome);
}

/* ---- answers that are read whole ---- */

static void on_whole(void *user, struct str body, enum err e)
{
    struct action *a = user;
    struct model_relay *r = model_of(a)->relay;

    if (e != ERR_OK) {
        /* More than one piece of memory may hold is no usable answer. */
        leave(r, stage_stop(a, e == ERR_LIMIT ? ERR_UPSTREAM : e));
        return;
    }
    struct openai_answer answer =
        openai_meter(a->arena, body, &model_of(a)->request);
    book(a, &answer);
    a->attempt.answer_bytes = body.len;
    a->attempt.has_answer_hmac = payload_hmac(a, body, a->attempt.answer_hmac);
    if (answer.garbage) {
        leave(r, stage_stop(a, ERR_UPSTREAM));
        return;
    }
    a->outcome = answer.failed ? OUTCOME_FAILED : OUTCOME_OK;
    exchange_reply(a->exchange, r->status, kept_fields(r), r->content_type,
                   body);
    leave(r, STEP_NEXT);
}

/* The destination's own refusal: what it says of the question is the
 * caller's business, what it says of our credential is not. */
static void relay_error(struct model_relay *r)
{
    struct action *a = r->action;

    a->outcome = OUTCOME_ERROR;
    a->attempt.answer_bytes = r->error_body.len;
    a->attempt.has_answer_hmac =
        payload_hmac(a, r->error_body, a->attempt.answer_hmac);
    if (r->status == 401 || r->status == 403 || r->status == 407 ||
        r->status < 400) {
        leave(r, stage_stop(a, ERR_UPSTREAM));
        return;
    }
    exchange_reply(a->exchange, r->status, kept_fields(r), r->content_type,
                   r->error_body);
    leave(r, STEP_NEXT);
}

/* ---- streams ---- */

static void release_stream(struct model_relay *r)
{
    openai_stream_free(r->meter);
    r->meter = NULL;
    buf_release(&r->piece);
    payload_digest_drop(&r->digest);
}

static void answer_pull(struct model_relay *r, struct str piece, bool last,
                        enum err e)
{
    body_sink *sink = r->sink;
    void *reader = r->reader;

    r->sink = NULL;
    r->reader = NULL;
    if (last || e != ERR_OK) {
        sink(reader, piece, last, e);
        release_stream(r);
    } else {
        sink(reader, piece, false, ERR_OK);
    }
}

/* Books what was counted up to here; the destination's side has ended. */
static void finish(struct model_relay *r, enum outcome_status outcome)
{
    struct action *a = r->action;
    struct openai_answer answer = openai_stream_answer(r->meter);

    book(a, &answer);
    a->outcome =
        answer.failed && outcome == OUTCOME_OK ? OUTCOME_FAILED : outcome;
    a->attempt.has_answer_hmac =
        payload_digest_end(&r->digest, a->attempt.answer_hmac);
}

/* The destination broke off: the caller is told so inside the stream, and
 * then sees it end as broken, not as complete. */
static void tell_broken(struct model_relay *r)
{
    buf_clear(&r->piece);
    openai_stream_error(&r->piece, r->broken, str_from(err_text(r->broken)));
    r->said = true;
    answer_pull(r, buf_str(&r->piece), false, ERR_OK);
}

static void on_piece(void *reader, struct str piece, bool last, enum err e)
{
    struct model_relay *r = reader;
    struct action *a = r->action;

    if (last || e != ERR_OK)
        r->in = NULL;
    if (e != ERR_OK && openai_stream_done(r->meter)) {
        piece = (struct str){0}; /* it broke behind the end: all is there */
        last = true;
        e = ERR_OK;
    }
    buf_clear(&r->piece);
    if (e == ERR_OK)
        e = openai_stream_feed(r->meter, piece, &r->piece);
    if (e == ERR_OK && last && !openai_stream_done(r->meter))
        e = ERR_UPSTREAM; /* it ended well in HTTP, but not in its dialect */
    if (e == ERR_OK) {
        payload_digest_add(&r->digest, buf_str(&r->piece));
        a->attempt.answer_bytes += r->piece.len;
        if (last)
            finish(r, OUTCOME_OK);
        answer_pull(r, buf_str(&r->piece), last, ERR_OK);
        if (last)
            leave(r, STEP_NEXT);
        return;
    }
    if (r->in != NULL)
        r->in->cancel(r->in);
    r->in = NULL;
    r->broken = e;
    finish(r, OUTCOME_FAILED);
    tell_broken(r);
    leave(r, stage_stop(a, e == ERR_LIMIT ? ERR_UPSTREAM : e));
}

static void on_pull(struct body_source *src, body_sink *sink, void *reader)
{
    struct model_relay *r = CONTAINER_OF(src, struct model_relay, out);

    assert(r->sink == NULL);
    r->sink = sink;
    r->reader = reader;
    if (r->broken == ERR_OK)
        r->in->pull(r->in, on_piece, r);
    else if (!r->said)
        tell_broken(r);
    else
        answer_pull(r, (struct str){0}, false, r->broken);
}

/* The caller's connection gave up.  Who has the end of the stream has all of
 * it, and may well leave before the destination does; else `done` will end
 * the action. */
static void on_cancel(struct body_source *src)
{
    struct model_relay *r = CONTAINER_OF(src, struct model_relay, out);
    bool goes_on = r->action != NULL && r->broken == ERR_OK;
    bool whole = goes_on && openai_stream_done(r->meter);

    if (r->in != NULL)
        r->in->cancel(r->in);
    r->in = NULL;
    r->sink = NULL;
    r->broken = ERR_CLOSED;
    r->said = true;
    if (goes_on)
        finish(r, whole ? OUTCOME_OK : OUTCOME_INTERRUPTED);
    release_stream(r);
    if (whole)
        leave(r, STEP_NEXT);
}

static enum step start_stream(struct model_relay *r)
{
    struct action *a = r->action;
    struct model_call *m = model_of(a);

    enum err e = openai_stream_new(a->arena, &m->request, &r->meter);
    if (e != ERR_OK) {
        http_call_cancel(m->call);
        m->call = NULL;
        return stage_stop(a, e);
    }
    r->out = (struct body_source){on_pull, on_cancel};
    buf_init(&r->piece, SSE_EVENT_MAX + 2 * BODY_PIECE_MAX);
    payload_digest_begin(&r->digest, a);
    r->in = http_call_body(m->call);
    m->call = NULL;
    model_drop_question(a);
    exchange_reply_stream(a->exchange, r->status, kept_fields(r),
                          r->content_type, &r->out);
    return STEP_WAIT;
}

static bool has_type(const struct model_relay *r, struct str type)
{
    struct str has = str_first(r->content_type, str_find(r->content_type, ';'));
    return str_eq_nocase(str_trim(has), type);
}

enum step model_relay(struct action *a)
{
    struct model_call *m = model_of(a);
    struct model_relay *r = m->relay;
    bool streamed = has_type(r, STR("text/event-stream"));

    if (r->has_error_body) {
        relay_error(r);
        return STEP_WAIT;
    }
    if (streamed != m->request.stream || r->coded || r->status != 200 ||
        (!streamed && !has_type(r, STR("application/json")))) {
        /* Not what was asked for: nothing that the meter could read. */
        http_call_cancel(m->call);
        m->call = NULL;
        leave(r, stage_stop(a, ERR_UPSTREAM));
        return STEP_WAIT;
    }
    if (!streamed) {
        model_drop_question(a);
        struct body_source *src = http_call_body(m->call);
        m->call = NULL;
        gather_start(&m->gather, src, HTTP_BODY_MAX, on_whole, a);
        return STEP_WAIT;
    }
    enum step started = start_stream(r);
    if (started != STEP_WAIT)
        leave(r, started);
    return STEP_WAIT;
}

void model_relay_cancel(struct action *a)
{
    struct model_call *m = model_of(a);
    struct model_relay *r = m->relay;

    gather_cancel(&m->gather);
    if (r == NULL)
        return;
    if (r->meter != NULL)
        finish(r, OUTCOME_INTERRUPTED);
    m->relay = NULL;
    r->action = NULL;
    if (r->meter == NULL)
        return; /* not streamed, or the caller's side has ended */
    if (r->in != NULL)
        r->in->cancel(r->in);
    r->in = NULL;
    r->broken = a->err;
    bool lost = standing_is_lost(a->err);
    if (lost && (r->sink == NULL || http_request_queued(a->exchange->http)))
        http_request_cut(a->exchange->http); /* and what it has not taken */
    else if (r->sink != NULL)
        tell_broken(r);
}
