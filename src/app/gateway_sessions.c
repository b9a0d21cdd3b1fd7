/*
 * gateway_sessions.c - see gateway_sessions.h.
 *
 * One batch is on its way at a time, so rows are written in the order in
 * which things happened.  What the table has told is kept until it is
 * stored: a batch that failed is built again.
 *
 * Nothing is written before everything is read: a page must not bring back a
 * session of this gateway, or one that it has ended.
 */
#include "app/gateway_sessions.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/container.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/log.h"
#include "os/loop.h"
#include "os/timer.h"
#include "session/session.h"
#include "store/table_session.h"

enum {
    PAGE_ROWS = 1000,
    BATCH_CHANGES = STORE_STATEMENTS_MAX,
    ROUND_BATCHES = 32,  /* at once, 8192 changes */
    USED_FOR_MS = 60000, /* how old a stored use may be */
    STORE_MS = 10000,    /* for a batch */
    FORGET_ROUNDS = 12,  /* once a minute */
    FORGET_ROWS = 1000,  /* at once */
    NEXT_TURN_MS = 1,
};
#define KEPT_MAX (1 * MIB) /* bytes of the names in a batch */
#define FORGET_AFTER_US (INT64_C(7) * 24 * 3600 * 1000000)

enum phase {
    WAITING = 0, /* for the store */
    READING,
    KEEPING,
    STOPPING,
    STOPPED,
};

/* What the table told: a row, or of one that closed its id alone. */
struct change {
    bool closed;
    struct session_row row; /* its texts are in `memory` */
};

struct gateway_sessions {
    struct gateway_sessions_options options;
    enum phase phase;
    struct store *store;
    struct session_limits limits;
    struct store_call *call; /* NULL: none is on its way */
    struct timer next;       /* the next round, or a page again */
    struct timer told;       /* `done`, at the latest */
    void (*done)(void *user);
    void *user;
    bool failing; /* said so in the log */

    struct { /* the page that is read */
        int64_t after_us;
        unsigned char after_id[TABLE_SESSION_ID_LEN];
        size_t after_len; /* 0: the first page */
        size_t rows, read;
        bool full; /* the table, so there is no point in reading on */
        size_t skipped;
    } page;

    struct arena memory;
    struct change changes[BATCH_CHANGES];
    size_t change_count;
    unsigned batches; /* of this round */
    unsigned rounds;
    struct list waits; /* struct wait */
};

/* Somebody who wants to know that what has ended is stored. */
struct wait {
    struct list node;
    struct timer patience;
    void (*done)(void *user, bool stored);
    void *user;
};

static void read_page(struct gateway_sessions *s);
static void write_batch(struct gateway_sessions *s);
static void on_round(struct timer *t);

static void end_wait(struct wait *w, bool stored)
{
    list_remove(&w->node);
    timer_cancel(&w->patience);
    w->done(w->user, stored);
    free(w);
}

static void end_waits(struct gateway_sessions *s, bool stored)
{
    LIST_EACH(it, next, &s->waits)
    {
        end_wait(CONTAINER_OF(it, struct wait, node), stored);
    }
}

static void run_again(struct gateway_sessions *s)
{
    timer_set(s->options.loop, &s->next,
              list_empty(&s->waits) ? s->options.write_ms : NEXT_TURN_MS,
              on_round);
}

static void on_told(struct timer *t)
{
    struct gateway_sessions *s = CONTAINER_OF(t, struct gateway_sessions, told);
    void (*done)(void *user) = s->done;

    s->done = NULL;
    if (s->phase == STOPPING)
        s->phase = STOPPED;
    if (done != NULL)
        done(s->user);
}

/* `done` is to run: now, which is the next turn, or then. */
static void tell(struct gateway_sessions *s, int64_t in_ms)
{
    if (s->done != NULL)
        timer_set(s->options.loop, &s->told, in_ms, on_told);
}

/* True when the store answered; says when that changes. */
static bool answered(struct gateway_sessions *s, bool well, struct str why)
{
    if (!well && !s->failing)
        log_warn("sessions.store", {"why", why});
    s->failing = !well;
    return well;
}

enum err gateway_sessions_new(const struct gateway_sessions_options *o,
                              struct gateway_sessions **ret)
{
    struct gateway_sessions *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return ERR_NO_MEMORY;
    s->options = *o;
    arena_init(&s->memory, KEPT_MAX);
    list_init(&s->waits);
    *ret = s;
    return ERR_OK;
}

void gateway_sessions_free(struct gateway_sessions *s)
{
    if (s == NULL)
        return;
    end_waits(s, false);
    store_call_cancel(s->call);
    timer_cancel(&s->next);
    timer_cancel(&s->told);
    arena_release(&s->memory);
    free(s);
}

/* Runs a batch, whose end is `done`. */
static bool run(struct gateway_sessions *s, struct store_batch *b,
                const struct store_ask *ask)
{
    enum err e = store_run(s->store, s->options.loop, b, ask, &s->call);

    if (e != ERR_OK)
        s->call = NULL;
    return answered(s, e == ERR_OK, str_from(err_text(e)));
}

/* ---- reading ---- */

void gateway_sessions_load(struct gateway_sessions *s,
                           const struct session_limits *limits,
                           void (*loaded)(void *user), void *user)
{
    assert(s->done == NULL && s->phase == WAITING);
    s->limits = *limits;
    s->done = loaded;
    s->user = user;
    tell(s, GATEWAY_SESSIONS_LOAD_MS);
}

void gateway_sessions_opened(struct gateway_sessions *s, struct store *store)
{
    assert(s->store == NULL);
    if (store == NULL) {
        tell(s, NEXT_TURN_MS);
        return;
    }
    s->store = store;
    if (s->phase != WAITING)
        return; /* it stops already */
    s->phase = READING;
    s->page.after_us = INT64_MIN;
    read_page(s);
}

static void restore(struct gateway_sessions *s, const struct table_session *t)
{
    struct session_row row = {
        .owner = {t->tenant, t->issuer, t->subject, t->actor},
        .opened_us = t->opened_us,
        .used_us = t->used_us,
        .calls = t->calls,
        .tokens = t->tokens,
    };

    memcpy(row.id, t->id.ptr, sizeof(row.id));
    memcpy(row.root, t->root.ptr, sizeof(row.root));
    enum err e = session_table_restore(s->options.table, &row, &s->limits,
                                       loop_wall_us(s->options.loop),
                                       loop_now_ms(s->options.loop));
    s->page.full = e == ERR_OVERLOAD || e == ERR_NO_MEMORY;
    if (e != ERR_OK)
        s->page.skipped++;
}

static void on_row(void *user, size_t statement,
                   const struct store_value *columns, size_t n)
{
    struct gateway_sessions *s = user;
    struct table_session t;

    (void)statement;
    s->page.rows++;
    if (s->page.full || !table_session_read(columns, n, &t)) {
        s->page.skipped++;
        return;
    }
    s->page.read++;
    s->page.after_us = t.opened_us;
    memcpy(s->page.after_id, t.id.ptr, sizeof(s->page.after_id));
    s->page.after_len = sizeof(s->page.after_id);
    restore(s, &t);
}

static void end_reading(struct gateway_sessions *s)
{
    char n[24];

    s->phase = KEEPING;
    if (s->page.skipped > 0) {
        (void)snprintf(n, sizeof(n), "%zu", s->page.skipped);
        log_warn("sessions.skipped", {"rows", str_from(n)});
    }
    run_again(s);
    tell(s, NEXT_TURN_MS);
}

static void on_page(void *user, const struct store_result *r)
{
    struct gateway_sessions *s = user;

    s->call = NULL;
    if (!answered(s, r->outcome == STORE_DONE, r->why)) {
        run_again(s);
        return;
    }
    if (s->page.rows < PAGE_ROWS || s->page.read == 0 || s->page.full)
        end_reading(s);
    else
        read_page(s);
}

static void read_page(struct gateway_sessions *s)
{
    const struct store_ask ask = {on_row, on_page, s, STORE_MS};
    const struct str id = {(const char *)s->page.after_id, s->page.after_len};
    struct store_batch *b = NULL;

    s->page.rows = s->page.read = 0;
    enum err e = store_batch_new(&b);
    if (e == ERR_OK)
        e = table_session_list(b, s->options.node, s->page.after_us, id,
                               PAGE_ROWS);
    if (e == ERR_OK) {
        if (run(s, b, &ask))
            return;
    } else {
        store_batch_free(b);
        (void)answered(s, false, str_from(err_text(e)));
    }
    run_again(s);
}

/* ---- writing ---- */

static void keep_closed(void *user, const unsigned char id[SESSION_ID_LEN])
{
    struct gateway_sessions *s = user;
    struct change *c = &s->changes[s->change_count++];

    *c = (struct change){.closed = true};
    memcpy(c->row.id, id, sizeof(c->row.id));
}

/* Under a lock of the table: copies. */
static void keep_row(void *user, const struct session_row *row)
{
    struct gateway_sessions *s = user;
    struct change *c = &s->changes[s->change_count];
    struct session_owner *to = &c->row.owner;

    *c = (struct change){.row = *row};
    /* Out of memory: it is not stored, and told again when it is used. */
    if (arena_copy(&s->memory, row->owner.tenant, &to->tenant) &&
        arena_copy(&s->memory, row->owner.issuer, &to->issuer) &&
        arena_copy(&s->memory, row->owner.subject, &to->subject) &&
        arena_copy(&s->memory, row->owner.actor, &to->actor))
        s->change_count++;
}

/* Fewer than that: there is no more now. */
static bool take_changes(struct gateway_sessions *s)
{
    const struct session_changes to = {
        .row = keep_row,
        .closed = keep_closed,
        .user = s,
        .used_for_ms = s->phase == STOPPING ? 0 : USED_FOR_MS,
    };

    assert(s->change_count == 0);
    arena_release(&s->memory);
    return session_table_drain(s->options.table, BATCH_CHANGES,
                               loop_wall_us(s->options.loop),
                               loop_now_ms(s->options.loop), &to) > 0;
}

static enum err add_change(struct gateway_sessions *s, struct store_batch *b,
                           const struct change *c)
{
    const struct session_row *r = &c->row;
    const struct str id = {(const char *)r->id, sizeof(r->id)};

    if (c->closed)
        return table_session_close(b, id, loop_wall_us(s->options.loop));
    const struct table_session t = {
        .id = id,
        .root = {(const char *)r->root, sizeof(r->root)},
        .tenant = r->owner.tenant,
        .issuer = r->owner.issuer,
        .subject = r->owner.subject,
        .actor = r->owner.actor,
        .opened_us = r->opened_us,
        .used_us = r->used_us,
        .calls = r->calls,
        .tokens = r->tokens,
    };
    return table_session_put(b, s->options.node, &t);
}

/* What is kept, and once in a while the removal of what is old. */
static struct store_batch *make_batch(struct gateway_sessions *s)
{
    struct store_batch *b = NULL;

    if (store_batch_new(&b) != ERR_OK)
        return NULL;
    for (size_t i = 0; i < s->change_count; i++) {
        enum err e = add_change(s, b, &s->changes[i]);
        if (e != ERR_OK) /* a name that no store can hold */
            log_warn("sessions.unstored", {"why", str_from(err_text(e))});
    }
    if (s->change_count == 0 && s->rounds % FORGET_ROUNDS == 0 &&
        table_session_forget(b, s->options.node,
                             loop_wall_us(s->options.loop) - FORGET_AFTER_US,
                             FORGET_ROWS) == ERR_OK)
        return b;
    if (s->change_count > 0)
        return b;
    store_batch_free(b);
    return NULL;
}

static void end_round(struct gateway_sessions *s)
{
    if (s->failing)
        end_waits(s, false);
    s->batches = 0;
    s->rounds++;
    if (s->phase == STOPPING)
        tell(s, NEXT_TURN_MS);
    else if (s->phase == KEEPING)
        run_again(s);
}

static void on_written(void *user, const struct store_result *r)
{
    struct gateway_sessions *s = user;
    bool was_last = s->change_count == 0; /* but for what was forgotten */

    s->call = NULL;
    /* A refusal will be one the next time, too. */
    if (answered(s, r->outcome == STORE_DONE, r->why) ||
        r->outcome == STORE_CONFLICT || r->err == ERR_LIMIT)
        s->change_count = 0;
    if (r->outcome != STORE_DONE)
        end_waits(s, false);
    s->batches++;
    if (was_last || s->change_count > 0 ||
        (s->phase == KEEPING && s->batches >= ROUND_BATCHES))
        end_round(s);
    else
        write_batch(s);
}

static void write_batch(struct gateway_sessions *s)
{
    const struct store_ask ask = {NULL, on_written, s, STORE_MS};

    if (s->phase == STOPPED)
        return;
    if (s->change_count == 0 && !take_changes(s))
        end_waits(s, true); /* all that there was is stored */
    struct store_batch *b = make_batch(s);
    if (b == NULL || !run(s, b, &ask))
        end_round(s);
}

static void on_round(struct timer *t)
{
    struct gateway_sessions *s = CONTAINER_OF(t, struct gateway_sessions, next);

    assert(s->call == NULL);
    if (s->phase == READING)
        read_page(s);
    else
        write_batch(s);
}

static void on_impatient(struct timer *t)
{
    end_wait(CONTAINER_OF(t, struct wait, patience), false);
}

void gateway_sessions_keep(struct gateway_sessions *s,
                           void (*done)(void *user, bool stored), void *user)
{
    struct wait *w = s->phase == KEEPING ? calloc(1, sizeof(*w)) : NULL;

    if (w == NULL) {
        done(user, false);
        return;
    }
    w->done = done;
    w->user = user;
    list_push(&s->waits, &w->node);
    timer_set(s->options.loop, &w->patience, GATEWAY_SESSIONS_KEEP_MS,
              on_impatient);
    if (s->call != NULL)
        return; /* what comes behind it is written next */
    timer_cancel(&s->next);
    write_batch(s);
}

/* ---- the end ---- */

void gateway_sessions_stop(struct gateway_sessions *s,
                           void (*stopped)(void *user), void *user)
{
    bool writes = s->phase == KEEPING;

    s->done = stopped;
    s->user = user;
    s->phase = STOPPING;
    timer_cancel(&s->next);
    tell(s, writes ? GATEWAY_SESSIONS_STOP_MS : NEXT_TURN_MS);
    if (writes && s->call == NULL)
        write_batch(s);
    if (writes)
        return;
    /* What was not read to its end is not written, either: see above. */
    store_call_cancel(s->call);
    s->call = NULL;
}
