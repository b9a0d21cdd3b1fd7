/* agents.c - see agents.h; what changes nothing, and the changes of state. */
#include "admin/agents.h"

#include <stdlib.h>

#include "admin/agents_find.h"
#include "admin/answer.h"
#include "admin/body.h"
#include "admin/changes.h"
#include "admin/page.h"
#include "base/container.h"
#include "os/loop.h"

enum { CHUNK = 256 };

/* ---- reading ---- */

struct filter {
    struct str state, kind, owner;
};

static bool fits(const struct filter *f, const struct registry_entry *e)
{
    return (f->state.len == 0 ||
            str_eq(f->state, registry_state_name(e->state))) &&
           (f->kind.len == 0 ||
            str_eq(f->kind, principal_kind_name(e->who.kind))) &&
           (f->owner.len == 0 || str_eq(f->owner, e->owner));
}

/* False: the page is full. */
static bool put(struct page *p, const struct filter *f,
                const struct registry_entry *e)
{
    if (!fits(f, e))
        return true;
    struct buf *to = page_append(p, e->who.id);
    if (to != NULL)
        registry_entry_write(to, e, false);
    return to != NULL;
}

/* The registry is in order already: the first that fit are the page. */
static void fill(struct page *p, const struct registry_view *v,
                 const struct filter *f)
{
    const struct registry_entry *at[CHUNK];
    struct str after = p->after;
    size_t n;

    while (!p->more && (n = registry_view_list(v, after, at, CHUNK)) > 0) {
        for (size_t i = 0; i < n && put(p, f, at[i]); i++)
            ;
        after = at[n - 1]->who.id;
    }
}

void agents_list(struct admin_call *c)
{
    struct filter f;
    struct page page;
    struct buf body;
    struct str param;
    const struct page_other others[] = {{STR("state"), &f.state},
                                        {STR("kind"), &f.kind},
                                        {STR("owner"), &f.owner}};

    if (c->host->registry == NULL) {
        answer_refuse(c, ERR_STORE, "the registry is not loaded yet");
        return;
    }
    enum err e = page_init(&page, c->arena, c->query, others, 3, &param);
    if (e != ERR_OK) {
        answer_problem(c, e, (struct str){NULL, 0}, param);
        return;
    }
    fill(&page, registry_now(c->host->registry), &f);
    buf_init(&body, ANSWER_MAX);
    page_write(&page, STR("agents"), &body);
    answer_json(c, 200, &body);
    buf_release(&body);
    page_release(&page);
}

void agents_show(struct admin_call *c)
{
    const struct registry_entry *e = agents_find(c);
    struct buf body;

    if (e == NULL)
        return;
    buf_init(&body, ANSWER_MAX);
    registry_entry_write(&body, e, false);
    answer_json(c, 200, &body);
    buf_release(&body);
}

/* ---- changes of state ---- */

struct step {
    const char *event;
    enum registry_state to;
    bool takes;
};

struct state_change {
    struct admin_pending pending; /* first */
    bool takes;
    enum principal_kind kind;
    size_t id_len;
    char id[PRINCIPAL_ID_ROOM];
};

static void on_changed(void *user, enum err e, bool durable)
{
    struct state_change *s = user;
    struct admin_call *c = s->pending.call;
    struct buf body;

    if (c != NULL && e != ERR_OK) {
        answer_refuse(c, e, NULL);
    } else if (c != NULL) {
        const struct registry_entry *now =
            registry_view_find(registry_now(c->host->registry), s->kind,
                               (struct str){s->id, s->id_len});
        buf_init(&body, ANSWER_MAX);
        BUF_LIT(&body, "{\"agent\":");
        registry_entry_write(&body, now, false);
        buf_addf(&body, ",\"durable\":%s}", durable ? "true" : "false");
        answer_json(c, 200, &body);
        buf_release(&body);
    }
    free(s);
}

/* From which states is this step possible? */
static const char *why_not(const struct registry_entry *e,
                           const struct step *step)
{
    if (e->state == REGISTRY_RETIRED)
        return "it is retired, for good";
    if (e->state == step->to)
        return "it is in that state already";
    if (e->state == REGISTRY_DISCOVERED && step->to != REGISTRY_RETIRED)
        return "it is not registered; adopt it first";
    return NULL;
}

/* Rule "Kill and break glass": a suspension is lifted by somebody else. */
static bool is_owners_own(const struct admin_call *c,
                          const struct registry_entry *was,
                          const struct step *step)
{
    return was->state == REGISTRY_SUSPENDED && step->to == REGISTRY_ACTIVE &&
           (str_eq(c->author.id, was->owner) ||
            str_eq(c->author.id, was->who.id));
}

/* Stopping needs no reason to be allowed; going on does: an owner who is
 * there, a time that is not over. */
static enum err check(struct admin_call *c, const struct registry_entry *was,
                      const struct step *step, const char **ret_why)
{
    struct registry_entry entry = *was;

    if (step->takes)
        return ERR_OK;
    entry.state = step->to;
    entry.revision++;
    return registry_check_new(c->host->registry, &entry,
                              loop_wall_us(c->host->loop), ret_why);
}

static enum err begin(struct admin_call *c, const struct registry_entry *was,
                      const struct step *step, struct str reason)
{
    struct registry_entry entry = *was;
    struct state_change *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return ERR_NO_MEMORY;
    entry.state = step->to;
    if (step->to == REGISTRY_RETIRED)
        entry.key_count = 0;
    s->kind = was->who.kind;
    s->id_len = was->who.id.len;
    memcpy(s->id, was->who.id.ptr, s->id_len);
    answer_later(c, &s->pending);
    const struct changes_ask ask = {
        .fact = agents_fact(c, &entry, step->event, step->takes, reason),
        .entry = &entry,
        .takes = step->takes,
        .done = on_changed,
        .user = s,
    };
    enum err e = changes_begin(c->host, &ask);
    if (e != ERR_OK) {
        c->pending = NULL;
        free(s);
    }
    return e;
}

static void change_state(struct admin_call *c, const struct step *step)
{
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
    const struct registry_entry *was = agents_find(c);
    if (was == NULL)
        return;
    const char *why = was->who.id.len > PRINCIPAL_ID_ROOM ? "its id is too long"
                                                          : why_not(was, step);
    if (why != NULL) {
        answer_refuse(c, ERR_CONFLICT, why);
        return;
    }
    if (is_owners_own(c, was, step)) {
        answer_refuse(c, ERR_DENIED, "its owner cannot lift its suspension");
        return;
    }
    e = check(c, was, step, &why);
    if (e != ERR_OK) {
        answer_refuse(c, e, why);
        return;
    }
    e = begin(c, was, step, reason);
    if (e != ERR_OK)
        answer_refuse(c, e, NULL);
}

void agents_suspend(struct admin_call *c)
{
    static const struct step step = {"suspend", REGISTRY_SUSPENDED, true};
    change_state(c, &step);
}

void agents_resume(struct admin_call *c)
{
    static const struct step step = {"resume", REGISTRY_ACTIVE, false};
    change_state(c, &step);
}

void agents_retire(struct admin_call *c)
{
    static const struct step step = {"retire", REGISTRY_RETIRED, true};
    change_state(c, &step);
}
