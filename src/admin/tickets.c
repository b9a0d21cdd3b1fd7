/* tickets.c - see tickets.h; lists and single tickets. */
#include "admin/tickets.h"

#include "admin/answer.h"
#include "admin/page.h"
#include "admin/shown.h"
#include "base/limits.h"
#include "base/text.h"
#include "codec/jcs.h"
#include "os/loop.h"

#define ID_TEXT TEXT_HEX_LEN(APPROVAL_ID_LEN)

enum { KEY_LEN = TEXT_TIME_LEN + 1 + ID_TEXT, SHOWN_MAX = 256 * 1024 };

/* ---- one ticket as JSON ---- */

static void add_time(struct jcs *w, struct str name, int64_t us)
{
    char text[TEXT_TIME_LEN];
    text_time(us, text);
    jcs_pair_str(w, name, (struct str){text, sizeof(text)});
}

/* `to` is scratch; what does not fit it fails the answer. */
static void put_shown(struct jcs *w, struct buf *scratch, struct str s)
{
    buf_clear(scratch);
    shown_add(scratch, s);
    jcs_str(w, buf_str(scratch));
    w->to->failed = w->to->failed || !buf_ok(scratch);
}

static void pair_shown(struct jcs *w, struct buf *scratch, struct str name,
                       struct str s)
{
    jcs_name(w, name);
    put_shown(w, scratch, s);
}

static void add_needs(struct jcs *w, struct buf *scratch,
                      const struct approval_row *row)
{
    jcs_name(w, STR("needs"));
    jcs_array(w);
    for (unsigned i = 0; i < row->need_count; i++) {
        jcs_object(w);
        pair_shown(w, scratch, STR("by"), row->by[i]);
        pair_shown(w, scratch, STR("group"), row->needs[i].group);
        pair_shown(w, scratch, STR("policy"), row->needs[i].policy);
        jcs_end(w);
    }
    jcs_end(w);
}

static void add_arguments(struct jcs *w, struct buf *scratch,
                          const struct approval_row *row)
{
    buf_clear(scratch);
    shown_add_json(scratch, row->arguments);
    jcs_pair_str(w, STR("arguments"), buf_str(scratch));
    w->to->failed = w->to->failed || !buf_ok(scratch);
}

static void add_chain(struct jcs *w, struct buf *scratch,
                      const struct approval_row *row)
{
    jcs_name(w, STR("chain"));
    jcs_array(w);
    for (unsigned i = 0; i < row->chain_count; i++)
        put_shown(w, scratch, row->chain[i]);
    jcs_end(w);
}

void tickets_write(struct buf *to, const struct approval_row *row, bool whole)
{
    struct buf scratch;
    struct jcs w;

    buf_init(&scratch, SHOWN_MAX);
    jcs_begin(&w, to);
    jcs_object(&w);
    pair_shown(&w, &scratch, STR("action"), row->action);
    if (whole)
        add_arguments(&w, &scratch, row);
    add_time(&w, STR("asked"), row->asked_us);
    add_chain(&w, &scratch, row);
    jcs_name(&w, STR("decision"));
    jcs_hex(&w, row->decision, sizeof(row->decision));
    pair_shown(&w, &scratch, STR("destination"), row->destination);
    jcs_name(&w, STR("digest"));
    jcs_hex(&w, row->digest.bytes, sizeof(row->digest.bytes));
    add_time(&w, STR("ends"), row->ends_us);
    jcs_name(&w, STR("id"));
    jcs_hex(&w, row->id, sizeof(row->id));
    add_needs(&w, &scratch, row);
    pair_shown(&w, &scratch, STR("purpose"), row->purpose);
    pair_shown(&w, &scratch, STR("reason"), row->reason);
    pair_shown(&w, &scratch, STR("resource"), row->resource);
    jcs_pair_str(&w, STR("state"), approval_state_name(row->state));
    pair_shown(&w, &scratch, STR("tenant"), row->tenant);
    jcs_end(&w);
    buf_release(&scratch);
}

/* ---- the list ---- */

struct listing {
    struct page page;
    struct str state; /* its name, "all", or empty: what is not over */
};

static bool is_wanted(struct str state, enum approval_state s)
{
    if (state.len == 0)
        return s == APPROVAL_OPEN || s == APPROVAL_GRANTED ||
               s == APPROVAL_TAKEN;
    return str_eq(state, STR("all")) || str_eq(state, approval_state_name(s));
}

static bool is_state(struct str name)
{
    for (unsigned s = APPROVAL_OPEN; s <= APPROVAL_EXPIRED; s++) {
        if (str_eq(name, approval_state_name((enum approval_state)s)))
            return true;
    }
    return name.len == 0 || str_eq(name, STR("all"));
}

/* Pages are in the order of asking. */
static void on_row(void *user, const struct approval_row *row)
{
    struct listing *l = user;
    char text[KEY_LEN];
    const struct str key = {text, sizeof(text)};

    if (!is_wanted(l->state, row->state))
        return;
    text_time(row->asked_us, text);
    text[TEXT_TIME_LEN] = '-';
    text_hex(row->id, APPROVAL_ID_LEN, text + TEXT_TIME_LEN + 1);
    if (page_wants(&l->page, key))
        tickets_write(page_add(&l->page, key), row, false);
}

void tickets_list(struct admin_call *c)
{
    struct listing l = {0};
    struct buf body;
    struct str param;
    const struct page_other others[] = {{STR("state"), &l.state}};

    enum err e = page_init(&l.page, c->arena, c->query, others, 1, &param);
    if (e == ERR_OK && !is_state(l.state)) {
        e = ERR_MALFORMED;
        param = STR("state");
    }
    if (e != ERR_OK) {
        answer_problem(c, e, (struct str){NULL, 0}, param);
        return;
    }
    approvals_each(c->host->approvals, loop_wall_us(c->host->loop), on_row, &l);
    buf_init(&body, ANSWER_MAX);
    page_write(&l.page, STR("approvals"), &body);
    answer_json(c, 200, &body);
    buf_release(&body);
    page_release(&l.page);
}

/* ---- one ---- */

struct search {
    struct str prefix;
    struct buf body; /* of the one that was found */
    unsigned found;
};

static void on_candidate(void *user, const struct approval_row *row)
{
    struct search *s = user;
    char id[ID_TEXT];

    text_hex(row->id, APPROVAL_ID_LEN, id);
    if (!str_starts((struct str){id, sizeof(id)}, s->prefix))
        return;
    s->found++;
    buf_clear(&s->body);
    tickets_write(&s->body, row, true);
}

void tickets_show(struct admin_call *c)
{
    struct search s = {.prefix = c->argument};

    if (c->argument.len < TICKETS_PREFIX_MIN) {
        answer_refuse(c, ERR_MALFORMED,
                      "at least 8 hex digits of a ticket's id are needed");
        return;
    }
    buf_init(&s.body, ANSWER_MAX);
    approvals_each(c->host->approvals, loop_wall_us(c->host->loop),
                   on_candidate, &s);
    if (s.found == 0)
        answer_refuse(c, ERR_NOT_FOUND, "there is no such ticket");
    else if (s.found > 1)
        answer_refuse(c, ERR_CONFLICT,
                      "the ids of several tickets begin like this");
    else
        answer_json(c, 200, &s.body);
    buf_release(&s.body);
}
