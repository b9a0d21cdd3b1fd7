/* mcp_fixture.c - see mcp_fixture.h. */
#include "mcp_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "domain/risk.h"
#include "mcp/catalog_writer.h"
#include "pipeline/exchange.h"
#include "pipeline/snapshot.h"
#include "policy/rules.h"

struct fake_hub hub;
char mcp_files_session[33];

static struct {
    struct hub_offer *offer;
    struct catalog_writer *writer;
    struct catalog_wait *waiting;
} made;

static void copy(char *to, size_t room, struct str from)
{
    assert_true(from.len < room);
    if (from.len > 0)
        memcpy(to, from.ptr, from.len);
    to[from.len] = '\0';
}

/* ---- the hub ---- */

uint64_t hub_number(struct hub *h)
{
    (void)h;
    return ++hub.next << 6;
}

struct hub_offer *hub_known(struct hub *h, const struct hub_to *to)
{
    (void)h;
    assert_non_null(to->session);
    return hub.knows ? hub_offer_ref(made.offer) : NULL;
}

static enum err take(struct hub_call *c, const struct hub_to *to, char kind,
                     enum method m, struct str params)
{
    if (hub.answer != ERR_OK)
        return hub.answer;
    assert_true(hub.count < SENT_MAX);
    struct sent *s = &hub.sent[hub.count++];
    *s = (struct sent){.call = c, .kind = kind, .method = m};
    s->number = c->number;
    copy(s->server, sizeof(s->server), to->server->name);
    copy(s->params, sizeof(s->params),
         str_first(params, sizeof(s->params) - 1));
    copy(s->authorization, sizeof(s->authorization), to->authorization);
    return ERR_OK;
}

enum err hub_open(struct hub *h, struct hub_call *c, const struct hub_to *to)
{
    (void)h;
    return take(c, to, 'o', METHOD_NONE, (struct str){0});
}

enum err hub_send(struct hub *h, struct hub_call *c, const struct hub_to *to,
                  enum method m, struct str params)
{
    (void)h;
    return take(c, to, 's', m, params);
}

enum err hub_listen(struct hub *h, struct hub_call *c, const struct hub_to *to)
{
    (void)h;
    return take(c, to, 'l', METHOD_NONE, (struct str){0});
}

void hub_next(struct hub *h, struct hub_call *c)
{
    (void)h;
    (void)c;
    hub.nexts++;
}

void hub_cancel(struct hub *h, struct hub_call *c, struct str reason)
{
    (void)h;
    (void)reason;
    for (size_t i = 0; i < hub.count; i++) {
        if (hub.sent[i].call != c)
            continue;
        hub.sent[i].call = NULL;
        hub.sent[i].cancelled = true;
    }
}

void hub_answer(struct hub *h, struct hub_call *c, struct message_id id,
                bool is_error, struct str text)
{
    (void)h;
    (void)c;
    assert_true(hub.answer_count < SENT_MAX);
    struct answered *a = &hub.answers[hub.answer_count++];
    a->is_error = is_error;
    copy(a->id, sizeof(a->id), id.text);
    copy(a->text, sizeof(a->text), text);
}

void hub_notify(struct hub *h, struct mcp_session *s, enum method m,
                struct str params)
{
    (void)h;
    (void)s;
    (void)m;
    (void)params;
    hub.notified++;
}

enum err hub_say(struct hub *h, const struct hub_word *w)
{
    (void)h;
    hub.words++;
    hub.word = *w;
    copy(hub.word_text, sizeof(hub.word_text), w->text);
    hub.word.text = str_from(hub.word_text);
    return ERR_OK;
}

static void tell(struct sent *s, const struct hub_event *e)
{
    struct hub_call *c = s->call;
    bool goes_on = e->kind == HUB_NOTICE || e->kind == HUB_ASKED;

    assert_non_null(c);
    if (!goes_on)
        s->call = NULL;
    c->event(c, e);
}

struct sent *mcp_last(void)
{
    assert_true(hub.count > 0);
    return &hub.sent[hub.count - 1];
}

void mcp_opened(struct sent *s)
{
    assert_int_equal(s->kind, 'o');
    const struct hub_event e = {.kind = HUB_OPENED, .offer = made.offer};
    tell(s, &e);
}

void mcp_answered(struct sent *s, const char *text, bool is_error)
{
    const struct hub_event e = {.kind = HUB_ANSWERED,
                                .text = str_from(text),
                                .is_error = is_error};
    tell(s, &e);
}

void mcp_failed(struct sent *s, enum err e, bool sent)
{
    const struct hub_event event = {.kind = HUB_FAILED,
                                    .err = e,
                                    .sent = sent,
                                    .why = STR("it is gone")};
    tell(s, &event);
}

void mcp_notice(struct sent *s, enum method m, const char *text)
{
    const struct hub_event e = {.kind = HUB_NOTICE,
                                .method = m,
                                .text = str_from(text)};
    tell(s, &e);
}

void mcp_asks(struct sent *s, enum method m, const char *id, const char *text)
{
    const struct hub_event e = {.kind = HUB_ASKED,
                                .method = m,
                                .id = {MESSAGE_ID_INTEGER, str_from(id)},
                                .text = str_from(text)};
    tell(s, &e);
}

/* ---- the catalog ---- */

void mcp_offer_listed(const char *tools, int64_t listed_ms)
{
    hub_offer_unref(made.offer);
    made.offer = mcp_fixture_offer(tools, listed_ms);
}

void mcp_offer(const char *tools)
{
    mcp_offer_listed(tools, 0);
}

static struct catalog_now now(struct world *w)
{
    return (struct catalog_now){loop_wall_us(w->w.loop),
                                loop_now_ms(w->w.loop)};
}

static void publish(struct world *w, struct catalog_changes *changes)
{
    catalog_writer_publish(made.writer, changes->next);
    catalog_unref(changes->next);
    catalog_unref(w->w.catalog);
    w->w.catalog = catalog_ref(catalog_writer_current(made.writer));
}

static void pin(struct world *w, const char *server)
{
    struct catalog_changes changes;
    const struct catalog_offer o = {.server = str_from(server),
                                    .offered = made.offer->page->tools,
                                    .count = made.offer->page->count,
                                    .listed_ms = made.offer->listed_ms};

    assert_int_equal(catalog_writer_offer(made.writer, &o, now(w), &changes),
                     ERR_OK);
    publish(w, &changes);
}

void mcp_pin(struct world *w)
{
    pin(w, "files");
}

void mcp_approve_tool(struct world *w, const char *name)
{
    struct catalog_changes changes;
    const struct catalog_tool *t =
        catalog_find(w->w.catalog, STR("files"), str_from(name));

    assert_non_null(t);
    const struct catalog_approval a = {.server = STR("files"),
                                       .name = str_from(name),
                                       .seen = t->offered.digest,
                                       .who = STR("local|bob")};
    assert_int_equal(catalog_writer_approve(made.writer, &a, now(w), &changes),
                     ERR_OK);
    publish(w, &changes);
}

static enum err on_offer(struct worker *w, const struct worker_offer *o,
                         struct catalog_wait *wait)
{
    (void)w;
    (void)o;
    assert_null(made.waiting);
    made.waiting = wait;
    wait->held = &made.waiting;
    return ERR_OK;
}

bool mcp_pinned(struct world *w, enum err e)
{
    struct catalog_wait *wait = made.waiting;

    if (wait == NULL)
        return false;
    made.waiting = NULL;
    wait->held = NULL;
    if (e == ERR_OK)
        pin(w, mcp_last()->server);
    wait->done(wait, e);
    return true;
}

/* ---- the world ---- */

static void add_tools(struct settings *s)
{
    static const struct credential_settings credential = {
        .env = STR_INIT("FIXTURE_SECRET"), .id = STR_INIT("files/1")};
    static const struct tool_risk_settings risk = {STR_INIT("read_*"),
                                                   RISK_READ};
    static const struct tool_each_settings each = {STR_INIT("pay"),
                                                   STR_INIT("/items")};
    static const struct str other = STR_INIT("other"), bob = STR_INIT("bob");
    static const struct tool_server_settings servers[] = {
        {.name = STR_INIT("files"),
         .transport = TRANSPORT_HTTP,
         .http = {.host = STR_INIT("files.example"),
                  .port = 80,
                  .path = STR_INIT("/")},
         .credentials = &credential,
         .credential_count = 1,
         .region = STR_INIT("eu"),
         .risk = &risk,
         .risk_count = 1,
         .each = &each,
         .each_count = 1,
         .sampling = true},
        {.name = STR_INIT("crm"),
         .transport = TRANSPORT_STDIO,
         .region = STR_INIT("eu")},
        {.name = STR_INIT("hidden"),
         .transport = TRANSPORT_STDIO,
         .region = STR_INIT("eu"),
         .tenants = {&other, 1}},
    };
    static const struct approval_group_settings groups[] = {
        {.name = STR_INIT("finance"), .members = {&bob, 1}},
        {.name = STR_INIT("legal"), .members = {&bob, 1}},
    };

    s->tools = servers;
    s->tool_count = ARRAY_LEN(servers);
    s->approvals.groups = groups;
    s->approvals.group_count = ARRAY_LEN(groups);
    s->approvals.ttl_ms = s->approvals.used_ms = 60000;
}

void mcp_policies(struct world *w, const char *text, int64_t hold_ms)
{
    static uint64_t serial = 1;
    const struct rules_file file = {STR("some.cedar"), str_from(text)};
    const struct rules_sources from = {.policies = &file, .policy_count = 1};
    struct rules_errors errors = {0};
    struct rules *rules = NULL;
    const char *why = NULL;
    struct arena a;

    arena_init(&a, 1024 * 1024);
    struct settings s = fixture_settings(&a);
    add_tools(&s);
    s.approvals.hold_ms = hold_ms;
    assert_int_equal(rules_new(&s, &from, &errors, &rules), ERR_OK);
    snapshot_unref(w->w.snapshot);
    assert_int_equal(snapshot_new(&a, &s, rules, ++serial, &w->w.snapshot,
                                  &why),
                     ERR_OK);
    rules_unref(rules);
}

int mcp_world_open(void **state)
{
    int failed = world_open(state);
    struct world *w = *state;

    hub = (struct fake_hub){.next = 6};
    w->w.hub = (struct hub *)(void *)&hub;
    w->w.offer = on_offer;
    w->w.version = STR("1.0");
    list_init(&w->w.asks);
    assert_int_equal(mcp_sessions_new(&w->w.mcp_sessions), ERR_OK);
    assert_int_equal(approvals_new(&w->w.approvals), ERR_OK);
    assert_int_equal(catalog_writer_new(&made.writer), ERR_OK);
    w->w.catalog = catalog_ref(catalog_writer_current(made.writer));
    mcp_policies(w, PERMIT_ALL, 0);
    mcp_offer(TOOLS);
    return failed;
}

int mcp_world_close(void **state)
{
    struct world *w = *state;

    if (w->r.user != NULL)
        world_done(w, ERR_CLOSED);
    world_ack(w, ERR_EVIDENCE); /* gives back what was taken */
    assert_true(list_empty(&w->w.asks));
    for (size_t i = 0; i < hub.count; i++)
        assert_null(hub.sent[i].call);
    assert_null(made.waiting);
    mcp_sessions_free(w->w.mcp_sessions);
    approvals_free(w->w.approvals);
    catalog_unref(w->w.catalog);
    catalog_writer_free(made.writer);
    hub_offer_unref(made.offer);
    made.offer = NULL;
    return world_close(state);
}

/* ---- requests ---- */

void mcp_add_field(struct world *w, const char *name, const char *value)
{
    struct http_fields *f = &w->r.head.fields;

    assert_true(f->count < ARRAY_LEN(w->r.fields));
    w->r.fields[f->count++] =
        (struct http_field){str_from(name), str_from(value)};
}

void mcp_prepare(struct world *w, const char *path, const char *session,
                 const char *body)
{
    if (w->r.user != NULL)
        mcp_end(w);
    world_prepare(w, path, body);
    w->r.head.authority = STR("writ.example");
    mcp_add_field(w, "accept", "application/json, text/event-stream");
    if (session != NULL)
        mcp_add_field(w, "mcp-session-id", session);
}

void mcp_go(struct world *w)
{
    world_send(w);
    if (w->keeper.wait != NULL)
        world_key(w, ERR_OK);
    world_ack(w, ERR_OK);
}

void mcp_post(struct world *w, const char *path, const char *session,
              const char *body)
{
    mcp_prepare(w, path, session, body);
    mcp_go(w);
}

void mcp_end(struct world *w)
{
    world_done(w, w->r.ended ? ERR_OK : ERR_CLOSED);
}

void mcp_session_of(const struct world *w, char to[33])
{
    static const char name[] = "mcp-session-id: ";
    const struct buf *b = &w->r.reply_fields;
    const char *at = memmem(b->ptr, b->len, name, sizeof(name) - 1);

    assert_non_null(at);
    memcpy(to, at + sizeof(name) - 1, 32);
    to[32] = '\0';
}

void mcp_begin(struct world *w, const char *path, char to[33])
{
    mcp_post(w, path, NULL, CAPABLE);
    if (w->r.replies == 0) {
        mcp_opened(mcp_last());
        (void)mcp_pinned(w, ERR_OK);
    }
    assert_int_equal(w->r.status, 200);
    mcp_session_of(w, to);
    world_ack(w, ERR_OK);
    mcp_end(w);
}

int mcp_files_open(void **state)
{
    int failed = mcp_world_open(state);

    mcp_begin(*state, FILES, mcp_files_session);
    hub.knows = true;
    hub.count = 0;
    return failed;
}

void mcp_call_read(struct world *w)
{
    mcp_post(w, FILES, mcp_files_session,
             CALL("7", "read_file", "{\"path\":\"a\"}"));
}

void mcp_suspend(struct world *w)
{
    w->registry.standing = ERR_REVOKED;
    w->registry.epoch++;
    worker_revoked(&w->w);
}

/* ---- people ---- */

struct looking {
    unsigned char *id;
    enum approval_state state;
};

static void look(void *user, const struct approval_row *row)
{
    struct looking *l = user;

    memcpy(l->id, row->id, APPROVAL_ID_LEN);
    l->state = row->state;
}

enum approval_state mcp_ticket(struct world *w, char to[APPROVAL_ID_LEN])
{
    struct looking l = {(unsigned char *)to, APPROVAL_NONE};

    approvals_each(w->w.approvals, loop_wall_us(w->w.loop), look, &l);
    return l.state;
}

void mcp_decide(struct world *w, const char *group, bool yes)
{
    const struct str groups[] = {str_from(group)};
    char id[APPROVAL_ID_LEN];
    enum approval_state state;
    struct approval_word word = {.who = STR("local|bob"),
                                 .account = STR("bob"),
                                 .groups = groups,
                                 .group_count = 1,
                                 .yes = yes,
                                 .now_us = loop_wall_us(w->w.loop)};

    assert_int_equal(mcp_ticket(w, id), APPROVAL_OPEN);
    memcpy(word.id, id, sizeof(word.id));
    assert_int_equal(approvals_decide(w->w.approvals, &word, &state), ERR_OK);
    world_turn(w);
    world_turn(w);
}
