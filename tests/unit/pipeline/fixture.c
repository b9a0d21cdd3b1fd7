/* fixture.c - see fixture.h. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/container.h"
#include "base/limits.h"
#include "evidence/evidence.h"
#include "identity/proof.h"
#include "limit/limit.h"
#include "pipeline/action.h"
#include "pipeline/exchange.h"
#include "pipeline/snapshot.h"
#include "policy/rules.h"
#include "session/session.h"

static const unsigned char key32[32] = {1, 2, 3};

/* ---- the server ---- */

const struct http_request_head *http_request_head(const struct http_request *r)
{
    return &r->head;
}

struct arena *http_request_arena(struct http_request *r)
{
    return &r->arena;
}

void http_request_set_user(struct http_request *r, void *user)
{
    r->user = user;
}

void *http_request_user(const struct http_request *r)
{
    return r->user;
}

struct str http_request_peer(const struct http_request *r)
{
    (void)r;
    return STR("192.0.2.1:5000");
}

struct str http_request_certificate(const struct http_request *r)
{
    (void)r;
    return (struct str){0};
}

void http_request_read(struct http_request *r, size_t max, http_body_read *read,
                       void *user)
{
    enum err e = r->body.len > max ? ERR_LIMIT : ERR_OK;
    read(user, r->body, r->body_fails ? ERR_MALFORMED : e);
}

void http_request_drop_body(struct http_request *r)
{
    r->dropped = true;
}

static void keep_head(struct http_request *r,
                      const struct http_response_head *head)
{
    r->replies++;
    assert_int_equal(r->replies, 1);
    r->status = head->status;
    for (size_t i = 0; i < head->fields.count; i++) {
        buf_add(&r->reply_fields, head->fields.at[i].name);
        BUF_LIT(&r->reply_fields, ": ");
        buf_add(&r->reply_fields, head->fields.at[i].value);
        BUF_LIT(&r->reply_fields, "\n");
    }
}

void http_request_reply(struct http_request *r,
                        const struct http_response_head *head, struct str body)
{
    keep_head(r, head);
    buf_add(&r->text, body);
    r->ended = true;
}

void http_request_reply_stream(struct http_request *r,
                               const struct http_response_head *head,
                               struct body_source *src)
{
    keep_head(r, head);
    r->streamed = true;
    r->source = src;
    if (r->over)
        request_leave(r);
}

void http_request_cut(struct http_request *r)
{
    r->cut = true;
    request_leave(r);
}

bool http_request_queued(const struct http_request *r)
{
    return r->queued;
}

static void on_answer(void *reader, struct str piece, bool last, enum err e)
{
    struct http_request *r = reader;

    r->pulling = false;
    buf_add(&r->text, piece);
    if (!last && e == ERR_OK)
        return;
    r->ended = true;
    r->why = e;
    r->source = NULL;
}

void request_pull(struct http_request *r)
{
    assert_non_null(r->source);
    r->pulling = true;
    r->source->pull(r->source, on_answer, r);
}

void request_leave(struct http_request *r)
{
    struct body_source *src = r->source;

    r->source = NULL;
    if (src != NULL)
        src->cancel(src);
}

bool request_says(const struct http_request *r, const char *part)
{
    return r->text.len > 0 &&
           memmem(r->text.ptr, r->text.len, part, strlen(part)) != NULL;
}

/* ---- the destination ---- */

enum err http_client_send(struct http_client *c,
                          const struct http_call_request *r,
                          const struct http_call_events *events, void *user,
                          struct http_call **ret)
{
    assert_true(c->count < CALLS_MAX);
    if (c->answer != ERR_OK)
        return c->answer;
    struct http_call *call = &c->calls[c->count++];
    call->events = *events;
    call->user = user;
    call->host = r->origin->host;
    buf_init(&call->body, HTTP_BODY_MAX);
    buf_add(&call->body, r->body);
    *ret = call;
    return ERR_OK;
}

enum err http_client_leave(struct http_client *c,
                           const struct http_call_request *r)
{
    (void)r;
    return c->answer;
}

static void on_pull(struct body_source *src, body_sink *sink, void *reader)
{
    struct http_call *c = CONTAINER_OF(src, struct http_call, source);

    assert_null(c->sink);
    assert_false(c->over || c->cancelled);
    c->pulls++;
    c->sink = sink;
    c->reader = reader;
    if (c->now != NULL)
        call_piece(c, c->now, true, ERR_OK);
}

static void on_cancel(struct body_source *src)
{
    struct http_call *c = CONTAINER_OF(src, struct http_call, source);

    assert_false(c->over || c->cancelled);
    c->cancelled = true;
    c->sink = NULL;
}

struct body_source *http_call_body(struct http_call *c)
{
    assert_null(c->source.pull);
    c->source = (struct body_source){on_pull, on_cancel};
    return &c->source;
}

void http_call_cancel(struct http_call *c)
{
    assert_false(c->over || c->cancelled);
    c->cancelled = true;
}

void call_head(struct http_call *c, int status, const char *content_type)
{
    const struct http_field fields[] = {
        {STR("content-type"), str_from(content_type)},
        {STR("set-cookie"), STR("secret=1")},
        {STR("x-request-id"), STR("req-1")},
    };
    const struct http_response_head head = {.status = status,
                                            .fields = {fields,
                                                       ARRAY_LEN(fields)}};

    assert_false(c->over || c->cancelled);
    c->events.head(c->user, &head);
}

void call_piece(struct http_call *c, const char *text, bool last, enum err e)
{
    body_sink *sink = c->sink;

    assert_non_null(sink);
    c->sink = NULL;
    c->over = last || e != ERR_OK;
    /* Only as long as the call: what is kept of it is the reader's. */
    char *copy = strdup(text);
    assert_non_null(copy);
    sink(c->reader, str_from(copy), last, e);
    free(copy);
}

void call_fail(struct http_call *c, enum err why, bool sent)
{
    c->over = true;
    c->events.failed(c->user, why, sent);
}

/* ---- the ledger and the keeper ---- */

enum err ledger_client_append(struct ledger_client *c,
                              const struct ledger_append *a,
                              struct ledger_wait *w)
{
    if (c->answer != ERR_OK)
        return c->answer;
    assert_true(c->count < ENTRIES_MAX);
    buf_init(&c->entries[c->count], ENTRY_MAX);
    buf_add(&c->entries[c->count], a->entry);
    c->how[c->count] = *a;
    for (size_t i = 0; i < c->count; i++) {
        if (c->waits[i] == w) /* of one that gave up, at the same place */
            c->waits[i] = NULL;
    }
    c->waits[c->count] = w;
    c->count++;
    if (w != NULL)
        list_push(&c->waiting, &w->node);
    return ERR_OK;
}

void ledger_wait_cancel(struct ledger_wait *w)
{
    if (w->node.next != NULL)
        list_remove(&w->node);
}

/* Who gave up may be gone: they are looked for by address alone. */
static bool waits(const struct ledger_client *c, const struct ledger_wait *w)
{
    LIST_EACH(it, next, &c->waiting)
    {
        if (CONTAINER_OF(it, struct ledger_wait, node) == w)
            return true;
    }
    return false;
}

void world_ack(struct world *w, enum err e)
{
    for (size_t i = 0; i < w->ledger.count; i++) {
        struct ledger_wait *wait = w->ledger.waits[i];
        const struct ledger_receipt receipt = {.index = i};
        w->ledger.waits[i] = NULL;
        if (wait == NULL || !waits(&w->ledger, wait))
            continue;
        list_remove(&wait->node);
        wait->done(wait, e, e == ERR_OK ? &receipt : NULL);
    }
}

size_t world_entries(const struct world *w, const char *part)
{
    size_t n = 0;

    for (size_t i = 0; i < w->ledger.count; i++) {
        const struct buf *b = &w->ledger.entries[i];
        n += memmem(b->ptr, b->len, part, strlen(part)) != NULL;
    }
    return n;
}

bool world_last(const struct world *w, const char *part)
{
    const struct buf *b = &w->ledger.entries[w->ledger.count - 1];
    return memmem(b->ptr, b->len, part, strlen(part)) != NULL;
}

static enum err ask_keeper(struct keeper_client *c, struct keeper_wait *w)
{
    c->asked++;
    if (c->answer != ERR_OK)
        return c->answer;
    assert_null(c->wait);
    c->wait = w;
    return ERR_OK;
}

enum err keeper_client_session_key_new(
    struct keeper_client *c,
    const unsigned char session_id[KEEPER_SESSION_ID_LEN],
    struct keeper_wait *w)
{
    (void)session_id;
    return ask_keeper(c, w);
}

enum err keeper_client_session_key_get(
    struct keeper_client *c,
    const unsigned char session_id[KEEPER_SESSION_ID_LEN],
    struct keeper_wait *w)
{
    (void)session_id;
    return ask_keeper(c, w);
}

void world_key(struct world *w, enum err e)
{
    struct keeper_wait *wait = w->keeper.wait;

    assert_non_null(wait);
    w->keeper.wait = NULL;
    wait->done(wait, e,
               e == ERR_OK ? (struct str){(const char *)key32, sizeof(key32)}
                           : (struct str){0});
    world_turn(w);
}

/* ---- the registry ---- */

static struct str key_text(void)
{
    return (struct str){(const char *)key32, sizeof(key32)};
}

const struct registry_entry *
registry_view_by_key(const struct registry_view *v, const struct hash *hmac,
                     const struct registry_key **ret_key)
{
    if (memcmp(v->alice.keys[0].hmac.bytes, hmac->bytes, HASH_LEN) != 0)
        return NULL;
    *ret_key = &v->alice.keys[0];
    return &v->alice;
}

const struct registry_entry *registry_view_find(const struct registry_view *v,
                                                enum principal_kind kind,
                                                struct str id)
{
    bool found =
        !v->hidden && kind == v->alice.who.kind && str_eq(id, v->alice.who.id);
    return found ? &v->alice : NULL;
}

enum err registry_view_check(const struct registry_view *v,
                             const struct principal *who, int64_t now_us,
                             const struct registry_entry **ret)
{
    (void)now_us;
    *ret = registry_view_find(v, who->kind, who->id);
    return *ret == NULL ? ERR_UNREGISTERED : v->standing;
}

uint64_t registry_view_epoch(const struct registry_view *v)
{
    return v->epoch;
}

uint64_t registry_view_keys_number(const struct registry_view *v)
{
    (void)v;
    return 1;
}

static void on_discovered(struct worker *w, const struct principal *who)
{
    (void)who;
    w->registry->discovered++;
}

static void add_alice(struct registry_view *v)
{
    static const struct str purposes[] = {STR_INIT("testing")};
    static struct registry_key key;

    key = (struct registry_key){proof_key_hash(key_text(), STR(FIXTURE_KEY)),
                                STR("0123456789abcdef"), INT64_MAX};
    *v =
        (struct registry_view){.alice = {.who = {PRINCIPAL_APPLICATION,
                                                 STR("keys"), STR("keys|alice"),
                                                 STR("acme")},
                                         .name = STR("alice"),
                                         .owner = STR("keys|owner"),
                                         .purposes = purposes,
                                         .purpose_count = 1,
                                         .risk = RISK_ALL,
                                         .state = REGISTRY_ACTIVE,
                                         .expires_us = INT64_MAX,
                                         .keys = &key,
                                         .key_count = 1},
                               .epoch = 1};
}

/* ---- the world ---- */

static struct provider_settings provider(const char *name, const char *host,
                                         const struct credential_settings *c)
{
    return (struct provider_settings){.name = str_from(name),
                                      .dialect = DIALECT_OPENAI,
                                      .host = str_from(host),
                                      .port = 80,
                                      .path = STR("/v1"),
                                      .local = true,
                                      .region = STR("eu"),
                                      .credentials = c,
                                      .credential_count = 1,
                                      .connect_ms = 1000,
                                      .head_ms = 1000,
                                      .idle_ms = 1000};
}

struct settings fixture_settings(struct arena *a)
{
    static const struct str region = STR_INIT("eu");
    static const struct credential_settings credentials[] = {
        {.env = STR_INIT("FIXTURE_SECRET"), .id = STR_INIT("one/1")},
        {.env = STR_INIT("FIXTURE_SECRET"), .id = STR_INIT("two/1")},
    };
    static const struct route_settings routes[] = {
        {.provider = 0, .model = STR_INIT("m-1"), .weight = 1},
        {.provider = 1, .model = STR_INIT("m-2"), .weight = 1},
    };
    static const struct model_settings models[] = {
        {.name = STR_INIT("plain"),
         .routes = routes,
         .route_count = 1,
         .attempts = 1},
        {.name = STR_INIT("pair"),
         .routes = routes,
         .route_count = 1,
         .fallback = routes + 1,
         .fallback_count = 1,
         .attempts = 3},
    };
    static const struct tenant_settings tenant = {.name = STR_INIT("acme"),
                                                  .regions = {&region, 1}};
    struct provider_settings *p = ARENA_NEW(a, struct provider_settings, 2);

    assert_non_null(p);
    p[0] = provider("one", "one.example", &credentials[0]);
    p[1] = provider("two", "two.example", &credentials[1]);
    return (struct settings){.node = STR("gw-1"),
                             .tenants = &tenant,
                             .tenant_count = 1,
                             .providers = p,
                             .provider_count = 2,
                             .models = models,
                             .model_count = 2,
                             .sessions = {60000, 60000, 60000, 60000},
                             .server = {.body_max = 1024 * 1024}};
}

struct rules *fixture_rules(const struct settings *s)
{
    static const struct rules_file file = {
        STR_INIT("alice.cedar"),
        STR_INIT("@id(\"alice\") permit(principal == "
                 "Writ::Application::\"keys|alice\", action, resource);")};
    const struct rules_sources from = {.policies = &file, .policy_count = 1};
    struct rules_errors errors = {0};
    struct rules *rules = NULL;

    assert_int_equal(rules_new(s, &from, &errors, &rules), ERR_OK);
    return rules;
}

static void no_record(struct http_request *r)
{
    buf_release(&r->text);
    buf_release(&r->reply_fields);
    arena_release(&r->arena);
    *r = (struct http_request){0};
}

int world_open(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct arena a;
    const char *why = NULL;

    assert_non_null(w);
    assert_int_equal(setenv("FIXTURE_SECRET", "sk-fixture", 1), 0);
    arena_init(&a, 1024 * 1024);
    struct settings s = fixture_settings(&a);
    struct rules *rules = fixture_rules(&s);
    assert_int_equal(snapshot_new(&a, &s, rules, 1, &w->w.snapshot, &why),
                     ERR_OK);
    rules_unref(rules);
    list_init(&w->ledger.waiting);
    list_init(&w->w.actions);
    list_init(&w->w.leaving);
    list_init(&w->w.key_waiters);
    add_alice(&w->registry);
    w->w.registry = &w->registry;
    w->w.discovered = on_discovered;
    memcpy(w->w.caller_key, key32, sizeof(key32));
    w->w.ledger = &w->ledger;
    w->w.keeper = &w->keeper;
    w->w.client = &w->client;
    w->w.dice = 1;
    assert_int_equal(loop_new(&w->w.loop), ERR_OK);
    assert_int_equal(evidence_new(w->w.loop, &w->ledger, STR("gw-1"),
                                  &w->w.evidence),
                     ERR_OK);
    assert_int_equal(proof_cache_new(loop_seed(w->w.loop), &w->w.proofs),
                     ERR_OK);
    assert_int_equal(rules_evaluator_new(&w->w.evaluator), ERR_OK);
    assert_int_equal(limit_counters_new(&w->w.limits), ERR_OK);
    assert_int_equal(session_table_new(&w->w.sessions), ERR_OK);
    *state = w;
    return 0;
}

int world_close(void **state)
{
    struct world *w = *state;

    if (w->r.user != NULL)
        world_done(w, ERR_CLOSED);
    assert_true(list_empty(&w->w.actions));
    assert_true(list_empty(&w->w.leaving));
    assert_int_equal(w->w.counters.open, 0);
    world_ack(w, ERR_EVIDENCE);
    if (w->keeper.wait != NULL)
        world_key(w, ERR_KEEPER);
    for (size_t i = 0; i < w->client.count; i++) {
        assert_true(w->client.calls[i].over || w->client.calls[i].cancelled);
        buf_release(&w->client.calls[i].body);
    }
    for (size_t i = 0; i < w->ledger.count; i++)
        buf_release(&w->ledger.entries[i]);
    payload_keys_release(&w->w.payload_keys);
    arena_spare_release(&w->w.spare);
    pool_release(&w->w.intents);
    evidence_free(w->w.evidence);
    proof_cache_free(w->w.proofs);
    rules_evaluator_free(w->w.evaluator);
    limit_counters_free(w->w.limits);
    snapshot_unref(w->w.snapshot);
    loop_free(w->w.loop);
    session_table_free(w->w.sessions);
    free(w);
    return 0;
}

static void stop(void *arg)
{
    loop_stop(arg);
}

void world_turn(struct world *w)
{
    assert_true(loop_post(w->w.loop, stop, w->w.loop));
    loop_run(w->w.loop);
}

void world_prepare(struct world *w, const char *path, const char *body)
{
    struct http_request *r = &w->r;

    no_record(r);
    arena_init(&r->arena, REQUEST_ARENA_MAX);
    buf_init(&r->text, HTTP_BODY_MAX);
    buf_init(&r->reply_fields, 64 * 1024);
    r->fields[0] =
        (struct http_field){STR("authorization"), STR("Bearer " FIXTURE_KEY)};
    r->fields[1] =
        (struct http_field){STR("content-type"), STR("application/json")};
    r->head = (struct http_request_head){.method = body == NULL ? STR("GET")
                                                                : STR("POST"),
                                         .path = str_from(path),
                                         .fields = {r->fields, 2},
                                         .body_bytes = -1};
    r->body = str_from(body == NULL ? "" : body);
}

void world_send(struct world *w)
{
    exchange_request(&w->w, &w->r);
}

void world_ask(struct world *w, const char *path, const char *body)
{
    world_prepare(w, path, body);
    world_send(w);
}

void world_done(struct world *w, enum err why)
{
    request_leave(&w->r);
    exchange_done(&w->w, &w->r, why);
    no_record(&w->r);
}

struct http_call *world_call(struct world *w, const char *path,
                             const char *body, size_t n)
{
    world_ask(w, path, body);
    if (w->keeper.wait != NULL)
        world_key(w, ERR_OK);
    world_ack(w, ERR_OK);
    assert_int_equal(w->client.count, n);
    return &w->client.calls[n - 1];
}
