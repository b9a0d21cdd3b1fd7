/* sessions.c - see sessions.h. */
#include "admin/sessions.h"

#include <stdlib.h>

#include "admin/answer.h"
#include "admin/body.h"
#include "admin/changes.h"
#include "admin/page.h"
#include "base/text.h"
#include "codec/jcs.h"
#include "domain/action.h"
#include "os/loop.h"
#include "session/session.h"

#define ID_TEXT TEXT_HEX_LEN(SESSION_ID_LEN)

static void add_time(struct jcs *w, struct str name, int64_t us)
{
    char text[TEXT_TIME_LEN];
    text_time(us, text);
    jcs_pair_str(w, name, (struct str){text, sizeof(text)});
}

static void write_row(struct buf *to, const struct session_row *row)
{
    struct jcs w;

    jcs_begin(&w, to);
    jcs_object(&w);
    jcs_pair_str(&w, STR("actor"), row->owner.actor);
    jcs_pair_i64(&w, STR("calls"), (int64_t)row->calls);
    jcs_name(&w, STR("id"));
    jcs_hex(&w, row->id, SESSION_ID_LEN);
    jcs_pair_str(&w, STR("issuer"), row->owner.issuer);
    add_time(&w, STR("opened"), row->opened_us);
    jcs_name(&w, STR("root"));
    jcs_hex(&w, row->root, SESSION_ID_LEN);
    jcs_pair_str(&w, STR("subject"), row->owner.subject);
    jcs_pair_str(&w, STR("tenant"), row->owner.tenant);
    jcs_pair_i64(&w, STR("tokens"), (int64_t)row->tokens);
    add_time(&w, STR("used"), row->used_us);
    jcs_end(&w);
}

struct listing {
    struct page page;
    struct str who; /* only sessions of that entity id; empty: all */
};

static void on_row(void *user, const struct session_row *row)
{
    struct listing *l = user;
    char id[ID_TEXT];
    const struct str key = {id, sizeof(id)};

    text_hex(row->id, SESSION_ID_LEN, id);
    if (l->who.len > 0 && !str_eq(l->who, row->owner.actor) &&
        !str_eq(l->who, row->owner.subject))
        return;
    if (page_wants(&l->page, key))
        write_row(page_add(&l->page, key), row);
}

void sessions_list(struct admin_call *c)
{
    struct listing l = {0};
    struct buf body;
    struct str param;
    const struct page_other others[] = {{STR("who"), &l.who}};

    enum err e = page_init(&l.page, c->arena, c->query, others, 1, &param);
    if (e != ERR_OK) {
        answer_problem(c, e, (struct str){NULL, 0}, param);
        return;
    }
    session_table_each(c->host->sessions, loop_wall_us(c->host->loop),
                       loop_now_ms(c->host->loop), on_row, &l);
    buf_init(&body, ANSWER_MAX);
    page_write(&l.page, STR("sessions"), &body);
    answer_json(c, 200, &body);
    buf_release(&body);
    page_release(&l.page);
}

/* ---- the end of one ---- */

struct ending {
    struct admin_pending pending; /* first */
    struct admin_host *host;
    char id[ID_TEXT];
};

/* It is in evidence; and the next process will not bring it back, either. */
static void on_kept(void *user, bool kept)
{
    struct ending *end = user;
    struct admin_call *c = end->pending.call;
    struct buf body;

    if (c != NULL) {
        buf_init(&body, ANSWER_MAX);
        buf_addf(&body, "{\"session\":\"%.*s\",\"ended\":true,\"durable\":%s}",
                 (int)sizeof(end->id), end->id, kept ? "true" : "false");
        answer_json(c, 200, &body);
        buf_release(&body);
    }
    free(end);
}

static void on_ended(void *user, enum err e, bool durable)
{
    struct ending *end = user;
    struct admin_call *c = end->pending.call;

    if (e != ERR_OK) {
        if (c != NULL)
            answer_refuse(c, e, NULL);
        free(end);
        return;
    }
    const struct admin_hooks *h = &end->host->hooks;
    if (durable && h->keep_sessions != NULL)
        h->keep_sessions(h->user, on_kept, end);
    else
        on_kept(end, durable);
}

static enum err end(struct admin_call *c, const unsigned char *id,
                    struct str reason)
{
    struct ending *e = calloc(1, sizeof(*e));
    if (e == NULL)
        return ERR_NO_MEMORY;
    if (!session_table_end(c->host->sessions, id)) {
        free(e);
        return ERR_NOT_FOUND;
    }
    text_hex(id, SESSION_ID_LEN, e->id);
    e->host = c->host;
    answer_later(c, &e->pending);
    const struct changes_ask ask = {
        .fact = {.revokes = true,
                 .author = c->author.id,
                 .author_method = auth_method_name(c->author.method),
                 .action = ACTION_REVOKE_WRITE,
                 .event = STR("end"),
                 .detail = reason,
                 .subject_type = STR("Session"),
                 .subject = {e->id, sizeof(e->id)}},
        .takes = true,
        .done = on_ended,
        .user = e,
    };
    enum err err = changes_begin(c->host, &ask);
    if (err != ERR_OK) {
        c->pending = NULL;
        free(e);
    }
    return err;
}

void sessions_end(struct admin_call *c)
{
    unsigned char id[SESSION_ID_LEN];
    struct str reason = {NULL, 0};
    struct body_problem problem;
    const struct body_field fields[] = {
        {STR("reason"), BODY_TEXT, false, &reason},
    };

    enum err e = body_read(c->arena, c->body, fields, 1, &problem);
    if (e != ERR_OK) {
        answer_problem(c, e, str_from(problem.detail), problem.param);
        return;
    }
    if (!text_unhex(c->argument, id, sizeof(id))) {
        answer_refuse(c, ERR_MALFORMED, "a session's id has 32 hex digits");
        return;
    }
    e = end(c, id, reason);
    if (e != ERR_OK)
        answer_refuse(c, e,
                      e == ERR_NOT_FOUND ? "no such session is open" : NULL);
}
