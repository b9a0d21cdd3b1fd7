/* tickets_decide.c - see tickets.h; a person's word about a ticket. */
#include <stdlib.h>

#include "admin/answer.h"
#include "admin/body.h"
#include "admin/people.h"
#include "admin/tickets.h"
#include "base/container.h"
#include "base/limits.h"
#include "base/text.h"
#include "domain/action.h"
#include "evidence/evidence.h"
#include "os/loop.h"

#define WORD_ARENA_MAX (256 * KIB)

enum { DETAIL_MAX = 512 };

/* What is said, on its way into the evidence. */
struct saying {
    struct admin_pending pending; /* first */
    struct list node;             /* of the host */
    struct admin_host *host;
    struct arena arena; /* what the others borrow from */
    struct approval_word word;
    struct approval_row row;                   /* as it is when this is said */
    struct str groups[DECISION_APPROVALS_MAX]; /* the author's own */
    struct ledger_wait wait;
};

/* ---- the ticket, copied ---- */

struct finding {
    struct saying *to;
    enum err err;
};

static bool copy_row(struct arena *a, const struct approval_row *from,
                     struct approval_row *to)
{
    struct decision_approval *needs =
        ARENA_NEW(a, struct decision_approval, from->need_count);
    struct str *by = ARENA_NEW(a, struct str, from->need_count);
    struct str *chain = ARENA_NEW(a, struct str, from->chain_count);
    bool ok = needs != NULL && by != NULL && chain != NULL;

    *to = *from;
    to->needs = needs;
    to->by = by;
    to->chain = chain;
    to->arguments = (struct str){NULL, 0}; /* nobody needs them here */
    ok = ok && arena_copy(a, from->tenant, &to->tenant) &&
         arena_copy(a, from->action, &to->action) &&
         arena_copy(a, from->resource, &to->resource) &&
         arena_copy(a, from->purpose, &to->purpose) &&
         arena_copy(a, from->destination, &to->destination) &&
         arena_copy(a, from->reason, &to->reason);
    for (unsigned i = 0; ok && i < from->need_count; i++)
        ok = arena_copy(a, from->needs[i].policy, &needs[i].policy) &&
             arena_copy(a, from->needs[i].group, &needs[i].group) &&
             arena_copy(a, from->by[i], &by[i]);
    for (unsigned i = 0; ok && i < from->chain_count; i++)
        ok = arena_copy(a, from->chain[i], &chain[i]);
    return ok;
}

static void on_row(void *user, const struct approval_row *row)
{
    struct finding *f = user;
    struct saying *s = f->to;

    if (memcmp(row->id, s->word.id, sizeof(row->id)) == 0)
        f->err = copy_row(&s->arena, row, &s->row) ? ERR_OK : ERR_NO_MEMORY;
}

static enum err find_row(struct saying *s)
{
    struct finding f = {s, ERR_NOT_FOUND};

    approvals_each(s->host->approvals, s->word.now_us, on_row, &f);
    return f.err;
}

/* ---- may they? ---- */

static bool has(struct names n, struct str name)
{
    for (size_t i = 0; i < n.count; i++) {
        if (str_eq(n.at[i], name))
            return true;
    }
    return false;
}

/* A no may also take back a yes. */
static bool is_needed(const struct saying *s, struct str group)
{
    for (unsigned i = 0; i < s->row.need_count; i++) {
        if (str_eq(s->row.needs[i].group, group) &&
            (!s->word.yes || s->row.by[i].len == 0))
            return true;
    }
    return false;
}

/* The groups for which the word counts: those that the author is a member of,
 * for the ticket's tenant. */
static enum err find_groups(struct saying *s)
{
    const struct admin_hooks *h = &s->host->hooks;
    const struct settings *settings = h->settings(h->user);

    for (size_t i = 0; i < settings->approvals.group_count; i++) {
        const struct approval_group_settings *g =
            &settings->approvals.groups[i];
        bool ours = g->tenants.count == 0 || has(g->tenants, s->row.tenant);
        if (!ours || !has(g->members, s->word.account) ||
            !is_needed(s, g->name))
            continue;
        if (s->word.group_count == DECISION_APPROVALS_MAX)
            return ERR_LIMIT;
        if (!arena_copy(&s->arena, g->name, &s->groups[s->word.group_count]))
            return ERR_NO_MEMORY;
        s->word.group_count++;
    }
    return ERR_OK;
}

static bool is_link(const struct saying *s)
{
    for (unsigned i = 0; i < s->row.chain_count; i++) {
        struct str link = s->row.chain[i];
        if (str_eq(str_skip(link, str_find(link, ' ') + 1), s->word.who))
            return true;
    }
    return false;
}

static void add_groups(struct buf *to, const struct approval_row *row)
{
    bool first = true;

    for (unsigned i = 0; i < row->need_count; i++) {
        if (row->by[i].len > 0)
            continue;
        buf_add(to, first ? STR("") : STR(", "));
        buf_add(to, row->needs[i].group);
        first = false;
    }
}

/* Why the table will not take it; ERR_OK: it will. */
static enum err check(struct saying *s, struct buf *why)
{
    enum err e = find_groups(s);

    if (e != ERR_OK)
        return e;
    e = approvals_may_decide(s->host->approvals, &s->word);
    if (e == ERR_CONFLICT) {
        BUF_LIT(why, "it is not open any more: ");
        buf_add(why, approval_state_name(s->row.state));
    } else if (e == ERR_DENIED && is_link(s)) {
        BUF_LIT(why, "you are a link of the chain that asks for it");
    } else if (e == ERR_DENIED) {
        buf_add(why, s->word.account);
        BUF_LIT(why, " is in none of the groups that still have to approve "
                     "it: ");
        add_groups(why, &s->row);
    }
    return e;
}

/* ---- the word ---- */

static void end(struct saying *s)
{
    ledger_wait_cancel(&s->wait);
    list_remove(&s->node);
    if (s->pending.call != NULL)
        s->pending.call->pending = NULL;
    arena_release(&s->arena);
    free(s);
}

static void refuse(struct saying *s, enum err e, const char *detail)
{
    if (s->pending.call != NULL)
        answer_refuse(s->pending.call, e, detail);
    end(s);
}

static void answer(struct saying *s)
{
    struct admin_call *c = s->pending.call;
    struct buf body;

    if (c != NULL && find_row(s) == ERR_OK) {
        buf_init(&body, ANSWER_MAX);
        tickets_write(&body, &s->row, false);
        answer_json(c, 200, &body);
        buf_release(&body);
    } else if (c != NULL)
        answer_refuse(c, ERR_NOT_FOUND, NULL);
    end(s);
}

static void on_durable(struct ledger_wait *w, enum err e,
                       const struct ledger_receipt *receipt)
{
    struct saying *s = CONTAINER_OF(w, struct saying, wait);
    enum approval_state state = APPROVAL_NONE;

    (void)receipt;
    if (e != ERR_OK) {
        refuse(s, e, NULL);
        return;
    }
    /* Whoever was suspended meanwhile has no word any more. */
    if (!people_may_act(s->host, s->word.who)) {
        refuse(s, ERR_INACTIVE, NULL);
        return;
    }
    s->word.now_us = loop_wall_us(s->host->loop);
    e = approvals_decide(s->host->approvals, &s->word, &state);
    if (e == ERR_OK)
        answer(s);
    else
        refuse(s, e, e == ERR_CONFLICT ? "it is not open any more" : NULL);
}

static enum err write_evidence(struct saying *s)
{
    struct evidence_ticket f = {
        .event = s->word.yes ? STR("approve") : STR("deny"),
        .digest = &s->row.digest,
        .action = s->row.action,
        .resource = s->row.resource,
        .tenant = s->row.tenant,
        .detail = s->word.reason,
        .author = s->word.who,
        .author_method = auth_method_name(AUTH_LOGIN),
        .groups = s->word.groups,
        .group_count = s->word.group_count,
    };
    memcpy(f.ticket, s->row.id, sizeof(f.ticket));
    memcpy(f.id, s->row.decision, sizeof(f.id));
    s->wait.done = on_durable;
    return evidence_approval(s->host->evidence, &f, &s->wait);
}

/* Another word about the same ticket is not in the evidence yet: what stands
 * there in the end is to be what happened. */
static bool is_under_way(const struct saying *s)
{
    LIST_EACH(it, next, &s->host->sayings)
    {
        const struct saying *other = CONTAINER_OF(it, struct saying, node);
        if (other != s &&
            memcmp(other->word.id, s->word.id, sizeof(s->word.id)) == 0)
            return true;
    }
    return false;
}

static void say(struct saying *s)
{
    char room[DETAIL_MAX];
    struct buf why;

    buf_init_lent(&why, room, sizeof(room) - 1);
    enum err e = find_row(s);
    if (e == ERR_NOT_FOUND)
        BUF_LIT(&why, "there is no such ticket");
    if (e == ERR_OK)
        e = check(s, &why);
    if (e == ERR_OK && is_under_way(s)) {
        e = ERR_CONFLICT;
        BUF_LIT(&why, "somebody is deciding about it right now");
    }
    if (e == ERR_OK)
        e = write_evidence(s);
    room[why.len] = 0;
    if (e != ERR_OK)
        refuse(s, e, why.len > 0 ? room : NULL);
}

/* ---- who says it ---- */

/* Only a person who has just proven to be there; NULL: it is one. */
static const char *stranger(const struct admin_call *c)
{
    int64_t age_us = loop_wall_us(c->host->loop) - c->author.login_us;

    if (c->author.method != AUTH_LOGIN)
        return "this takes a person who has logged in: `writ login`";
    if (age_us < 0 || age_us > TICKETS_LOGIN_S * INT64_C(1000000))
        return "this takes a login that is at most 5 minutes old: log in again";
    return NULL;
}

static bool fill(struct saying *s, const struct admin_call *c, bool yes,
                 struct str reason)
{
    s->word.yes = yes;
    s->word.groups = s->groups;
    s->word.now_us = loop_wall_us(c->host->loop);
    if (!arena_copy(&s->arena, c->author.id, &s->word.who) ||
        !arena_copy(&s->arena, reason, &s->word.reason))
        return false;
    s->word.account = str_skip(s->word.who, str_find(s->word.who, '|') + 1);
    return true;
}

static void begin(struct admin_call *c, const unsigned char *id, bool yes,
                  struct str reason)
{
    struct saying *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        answer_refuse(c, ERR_NO_MEMORY, NULL);
        return;
    }
    s->host = c->host;
    memcpy(s->word.id, id, sizeof(s->word.id));
    arena_init(&s->arena, WORD_ARENA_MAX);
    list_init(&s->node);
    list_push(&c->host->sayings, &s->node);
    answer_later(c, &s->pending);
    if (fill(s, c, yes, reason))
        say(s);
    else
        refuse(s, ERR_NO_MEMORY, NULL);
}

static void decide(struct admin_call *c, bool yes)
{
    unsigned char id[APPROVAL_ID_LEN];
    struct str reason = {NULL, 0};
    struct body_problem problem;
    const struct body_field fields[] = {
        {STR("reason"), BODY_TEXT, false, &reason},
    };
    const char *why = stranger(c);

    enum err e = body_read(c->arena, c->body, fields, 1, &problem);
    if (e != ERR_OK)
        answer_problem(c, e, str_from(problem.detail), problem.param);
    else if (why != NULL)
        answer_problem(c, ERR_DENIED, str_from(why), STR("login"));
    else if (!text_unhex(c->argument, id, sizeof(id)))
        answer_refuse(c, ERR_MALFORMED, "a ticket's id has 32 hex digits");
    else
        begin(c, id, yes, reason);
}

void tickets_approve(struct admin_call *c)
{
    decide(c, true);
}

void tickets_deny(struct admin_call *c)
{
    decide(c, false);
}

void tickets_close(struct admin_host *h)
{
    LIST_EACH(it, next, &h->sayings)
    refuse(CONTAINER_OF(it, struct saying, node), ERR_SHUTDOWN, NULL);
}
