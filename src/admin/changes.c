/* changes.c - see changes.h. */
#include "admin/changes.h"

#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/limits.h"
#include "evidence/evidence.h"
#include "os/loop.h"
#include "os/timer.h"

#define CHANGE_ARENA_MAX (1 * MIB)

struct change {
    struct list node; /* of the host */
    struct admin_host *host;
    struct arena arena; /* the texts */
    struct evidence_admin fact;
    struct registry_entry entry;
    bool holds; /* the registry; also when the process ends */
    bool has_entry, takes;
    uint64_t base; /* revision of what was there before; 0: nothing */
    struct ledger_wait wait;
    struct timer patience, retry;
    int64_t index; /* of the evidence, once it is durable; -1 */
    void (*done)(void *user, enum err e, bool durable);
    void *user;
    bool told;     /* `done` has run */
    bool spreads;  /* the workers have not all answered */
    bool finished; /* only the workers' answer is still to come */
};

/* ---- what it borrows from, copied ---- */

static bool copy_principal(struct arena *a, struct principal *p)
{
    return arena_copy(a, p->issuer, &p->issuer) &&
           arena_copy(a, p->id, &p->id) && arena_copy(a, p->tenant, &p->tenant);
}

static bool copy_entry(struct arena *a, struct registry_entry *e)
{
    struct str *purposes = ARENA_NEW(a, struct str, e->purpose_count);
    struct registry_key *keys = ARENA_NEW(a, struct registry_key, e->key_count);
    bool ok = purposes != NULL && keys != NULL && copy_principal(a, &e->who) &&
              arena_copy(a, e->name, &e->name) &&
              arena_copy(a, e->owner, &e->owner);

    for (unsigned i = 0; ok && i < e->purpose_count; i++)
        ok = arena_copy(a, e->purposes[i], &purposes[i]);
    for (unsigned i = 0; ok && i < e->key_count; i++) {
        keys[i] = e->keys[i];
        ok = arena_copy(a, keys[i].fingerprint, &keys[i].fingerprint);
    }
    e->purposes = purposes;
    e->keys = keys;
    return ok;
}

static bool copy_fact(struct arena *a, struct evidence_admin *f)
{
    return arena_copy(a, f->author, &f->author) &&
           arena_copy(a, f->author_method, &f->author_method) &&
           arena_copy(a, f->event, &f->event) &&
           arena_copy(a, f->detail, &f->detail) &&
           arena_copy(a, f->subject_type, &f->subject_type) &&
           arena_copy(a, f->subject, &f->subject) &&
           arena_copy(a, f->tenant, &f->tenant);
}

/* The whole entry, as evidence has it. */
static enum err write_entry(struct change *c)
{
    struct buf text;

    buf_init(&text, ENTRY_MAX);
    registry_entry_write(&text, &c->entry, true);
    enum err e = ERR_OK;
    if (!buf_ok(&text))
        e = ERR_LIMIT;
    else if (!arena_copy(&c->arena, buf_str(&text), &c->fact.registry))
        e = ERR_NO_MEMORY;
    buf_release(&text);
    return e;
}

static enum err fill(struct change *c, const struct changes_ask *ask)
{
    c->fact = ask->fact;
    c->takes = ask->takes;
    if (!copy_fact(&c->arena, &c->fact))
        return ERR_NO_MEMORY;
    if (ask->entry == NULL)
        return ERR_OK;
    const struct principal *who = &ask->entry->who;
    const struct registry_entry *was =
        registry_view_find(registry_now(c->host->registry), who->kind, who->id);
    c->base = was == NULL ? 0 : was->revision;
    c->has_entry = true;
    c->holds = true;
    registry_hold(c->host->registry, true);
    c->entry = *ask->entry;
    c->entry.revision = c->base + 1;
    return copy_entry(&c->arena, &c->entry) ? write_entry(c) : ERR_NO_MEMORY;
}

/* ---- its ends ---- */

static void free_change(struct change *c)
{
    timer_cancel(&c->patience);
    timer_cancel(&c->retry);
    ledger_wait_cancel(&c->wait);
    list_remove(&c->node);
    c->host->change_count--;
    arena_release(&c->arena);
    free(c);
}

static void tell(struct change *c, enum err e, bool durable)
{
    if (c->told)
        return;
    c->told = true;
    timer_cancel(&c->patience);
    c->done(c->user, e, durable);
}

/* Nothing of it is in the evidence that the registry does not have. */
static void let_go(struct change *c)
{
    if (c->holds)
        registry_hold(c->host->registry, false);
    c->holds = false;
}

static void finish(struct change *c)
{
    c->finished = true;
    let_go(c);
    if (!c->spreads)
        free_change(c);
}

static void fail(struct change *c, enum err e)
{
    tell(c, e, false);
    finish(c);
}

/* ---- the steps ---- */

static void append(struct change *c);

static void on_spread(void *arg)
{
    struct change *c = arg;

    c->spreads = false;
    if (c->takes && !c->finished) {
        append(c);
        return;
    }
    tell(c, ERR_OK, true);
    free_change(c);
}

static void spread(struct change *c)
{
    const struct admin_hooks *h = &c->host->hooks;
    c->spreads = true;
    h->spread(h->user, on_spread, c);
}

/* Is what it was built on still there? */
static const struct registry_entry *present(const struct change *c)
{
    return registry_view_find(registry_now(c->host->registry),
                              c->entry.who.kind, c->entry.who.id);
}

static void give(struct change *c)
{
    const struct registry_entry *now = c->has_entry ? present(c) : NULL;
    enum err e = ERR_OK;

    if (c->has_entry && (now == NULL ? 0 : now->revision) != c->base)
        e = ERR_CONFLICT;
    else if (c->has_entry)
        e = registry_put(c->host->registry, &c->entry, c->index, NULL);
    if (e != ERR_OK)
        fail(c, e);
    else if (c->has_entry)
        spread(c);
    else {
        tell(c, ERR_OK, true);
        finish(c);
    }
}

/* Memory has had it for long; the store gets what is there now, which may be
 * newer than this change and is never older. */
static void take_stored(struct change *c)
{
    const struct registry_entry *now = c->has_entry ? present(c) : NULL;
    /* Without memory the store misses it until the next start, when it is
     * replayed from the evidence: so the registry is held until then. */
    if (now != NULL &&
        registry_put(c->host->registry, now, c->index, NULL) != ERR_OK)
        c->holds = false;
    tell(c, ERR_OK, true);
    finish(c);
}

static void on_retry(struct timer *t)
{
    append(CONTAINER_OF(t, struct change, retry));
}

/* A change that takes: it holds already, only its evidence is missing. */
static void retry_later(struct change *c)
{
    tell(c, ERR_OK, false);
    timer_set(c->host->loop, &c->retry, CHANGES_RETRY_MS, on_retry);
}

/*
 * The answer about its evidence is lost: the entry may stand there all the
 * same, and a replay would let come to pass what was refused.  So what is there
 * now is said again, behind it.  Somebody else's change since does the same.
 */
static void restate(struct change *c, enum err e)
{
    const struct registry_entry *now = c->has_entry ? present(c) : NULL;

    tell(c, e, false);
    if (now == NULL || now->revision != c->base) {
        finish(c);
        return;
    }
    c->entry = *now;
    c->entry.revision++;
    c->fact.event = STR("restate");
    c->fact.detail = STR("the evidence did not answer");
    if (!copy_entry(&c->arena, &c->entry) || write_entry(c) != ERR_OK ||
        registry_put(c->host->registry, &c->entry, -1, NULL) != ERR_OK) {
        finish(c);
        return;
    }
    c->takes = true; /* from nobody; but nothing is given before it */
    retry_later(c);
}

static void on_durable(struct ledger_wait *w, enum err e,
                       const struct ledger_receipt *receipt)
{
    struct change *c = CONTAINER_OF(w, struct change, wait);

    if (e != ERR_OK && c->takes)
        retry_later(c);
    else if (e != ERR_OK)
        restate(c, e);
    if (e != ERR_OK)
        return;
    c->index = (int64_t)receipt->index;
    if (c->takes)
        take_stored(c);
    else
        give(c);
}

static void on_patience(struct timer *t)
{
    tell(CONTAINER_OF(t, struct change, patience), ERR_OK, false);
}

static enum err write_evidence(struct change *c)
{
    c->wait.done = on_durable;
    return evidence_admin(c->host->evidence, &c->fact, &c->wait);
}

/* The evidence of a change that takes. */
static void append(struct change *c)
{
    if (write_evidence(c) != ERR_OK)
        retry_later(c);
    else if (!c->told)
        timer_set(c->host->loop, &c->patience, CHANGES_PATIENCE_MS,
                  on_patience);
}

static bool shares_key(const struct registry_entry *a,
                       const struct registry_entry *b)
{
    for (unsigned i = 0; i < a->key_count; i++) {
        for (unsigned j = 0; j < b->key_count; j++) {
            if (memcmp(&a->keys[i].hmac, &b->keys[j].hmac,
                       sizeof(a->keys[i].hmac)) == 0)
                return true;
        }
    }
    return false;
}

static bool is_about_the_same(const struct change *a, const struct change *b)
{
    if (!a->has_entry || !b->has_entry)
        return false;
    return (a->entry.who.kind == b->entry.who.kind &&
            str_eq(a->entry.who.id, b->entry.who.id)) ||
           shares_key(&a->entry, &b->entry);
}

/* Another change of that identity is in no evidence yet.  If it takes, what is
 * given now must not stand before it; if it gives, only one of the two can take
 * place, and a replay would find both. */
static bool must_wait(const struct change *c)
{
    LIST_EACH(it, next, &c->host->changes)
    {
        const struct change *other = CONTAINER_OF(it, struct change, node);
        if (other != c && other->index == -1 && is_about_the_same(c, other))
            return true;
    }
    return false;
}

static enum err start(struct change *c)
{
    if (!c->takes)
        return must_wait(c) ? ERR_CONFLICT : write_evidence(c);
    enum err e = c->has_entry
                     ? registry_put(c->host->registry, &c->entry, -1, NULL)
                     : ERR_OK;
    if (e == ERR_OK)
        spread(c);
    return e;
}

enum err changes_begin(struct admin_host *h, const struct changes_ask *ask)
{
    if (h->change_count >= CHANGES_MAX && !ask->takes)
        return ERR_OVERLOAD;
    struct change *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return ERR_NO_MEMORY;
    c->host = h;
    c->index = -1;
    c->done = ask->done;
    c->user = ask->user;
    arena_init(&c->arena, CHANGE_ARENA_MAX);
    list_push(&h->changes, &c->node);
    h->change_count++;
    enum err e = fill(c, ask);
    if (e == ERR_OK)
        e = start(c);
    if (e != ERR_OK) {
        let_go(c);
        free_change(c);
    }
    return e;
}

void changes_close(struct admin_host *h)
{
    LIST_EACH(it, next, &h->changes)
    {
        struct change *c = CONTAINER_OF(it, struct change, node);
        tell(c, ERR_SHUTDOWN, false);
        free_change(c);
    }
}
