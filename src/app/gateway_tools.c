/* gateway_tools.c - see gateway_tools.h. */
#include "app/gateway_tools.h"

#include <assert.h>
#include <stdlib.h>

#include "app/gateway_tools_rows.h"
#include "base/container.h"
#include "base/log.h"
#include "evidence/evidence.h"
#include "mcp/catalog_writer.h"
#include "os/loop.h"
#include "store/store.h"

enum { STORE_MS = 10000, SUBJECT_MAX = 2 * NAME_MAX_LEN + 1 };

struct gateway_tools {
    struct gateway_tools_options options;
    struct catalog_writer *writer;
    struct store *store;
    struct gateway_tools_rows *rows; /* while they are read */
    void (*loaded)(void *user, enum err e, struct str why);
    bool ready;

    struct list jobs; /* the first is under way */
    bool stepping;    /* step() runs: it goes on by itself */
    /* Of the first: what is recorded and stored now. */
    struct catalog_changes changes;
    bool takes; /* all of them take something away */
    size_t stored;
    struct ledger_wait wait;
    struct store_call *call;
};

static void step(struct gateway_tools *t);

enum err gateway_tools_new(const struct gateway_tools_options *o,
                           struct gateway_tools **ret)
{
    struct gateway_tools *t = calloc(1, sizeof(*t));

    if (t == NULL)
        return ERR_NO_MEMORY;
    t->options = *o;
    list_init(&t->jobs);
    enum err e = catalog_writer_new(&t->writer);
    if (e != ERR_OK) {
        free(t);
        return e;
    }
    *ret = t;
    return ERR_OK;
}

/* ---- loading ---- */

static void on_loaded(void *user, enum err e, struct str why)
{
    struct gateway_tools *t = user;

    t->rows = NULL;
    t->ready = e == ERR_OK;
    if (t->ready)
        t->options.publish(t->options.user, catalog_writer_current(t->writer));
    t->loaded(t->options.user, e, why);
}

void gateway_tools_load(struct gateway_tools *t, struct store *store,
                        void (*loaded)(void *user, enum err e, struct str why))
{
    const struct gateway_tools_rows_plan plan = {
        .loop = t->options.loop,
        .store = store,
        .node = t->options.node,
        .writer = t->writer,
        .done = on_loaded,
        .user = t,
    };

    t->store = store;
    t->loaded = loaded;
    enum err e = gateway_tools_rows_read(&plan, &t->rows);
    if (e != ERR_OK)
        on_loaded(t, e, str_from(err_text(e)));
}

struct catalog *gateway_tools_current(const struct gateway_tools *t)
{
    return t->ready ? catalog_writer_current(t->writer) : NULL;
}

/* ---- the end of a job ---- */

static struct gateway_tools_job *current(const struct gateway_tools *t)
{
    assert(!list_empty(&t->jobs));
    return CONTAINER_OF(list_first(&t->jobs), struct gateway_tools_job, node);
}

static void drop_changes(struct gateway_tools *t)
{
    catalog_unref(t->changes.next);
    t->changes = (struct catalog_changes){0};
}

static void finish(struct gateway_tools *t, enum err e)
{
    struct gateway_tools_job *j = current(t);

    drop_changes(t);
    list_remove(&j->node);
    j->done(j, e);
}

/* A step that came from outside has ended: on with the next. */
static void go_on(struct gateway_tools *t)
{
    if (!t->stepping)
        step(t);
}

static void fail(struct gateway_tools *t, enum err e)
{
    finish(t, e);
    go_on(t);
}

static void publish(struct gateway_tools *t)
{
    catalog_writer_publish(t->writer, t->changes.next);
    t->options.publish(t->options.user, t->changes.next);
}

/* ---- the store ---- */

static void store_next(struct gateway_tools *t);

static void on_all_stored(struct gateway_tools *t)
{
    if (!t->takes)
        publish(t);
    if (current(t)->approval != NULL)
        finish(t, ERR_OK);
    else
        drop_changes(t); /* there may be more to do */
    go_on(t);
}

/* What takes holds without its row. */
static void on_unstored(struct gateway_tools *t, struct str why)
{
    log_warn("tools.store", {"why", why});
    if (t->takes)
        on_all_stored(t);
    else
        fail(t, ERR_STORE);
}

static void on_stored(void *user, const struct store_result *r)
{
    struct gateway_tools *t = user;

    t->call = NULL;
    if (r->outcome == STORE_DONE)
        store_next(t);
    else
        on_unstored(t, r->why);
}

static void store_next(struct gateway_tools *t)
{
    const struct store_ask ask = {NULL, on_stored, t, STORE_MS};
    struct store_batch *b = NULL;

    if (t->stored == t->changes.count) {
        on_all_stored(t);
        return;
    }
    enum err e =
        gateway_tools_rows_batch(t->options.node, &t->changes, &t->stored, &b);
    if (e == ERR_OK)
        e = store_run(t->store, t->options.loop, b, &ask, &t->call);
    if (e != ERR_OK) {
        t->call = NULL;
        on_unstored(t, str_from(err_text(e)));
    }
}

/* ---- the evidence ---- */

static void on_durable(struct ledger_wait *w, enum err e,
                       const struct ledger_receipt *receipt)
{
    struct gateway_tools *t = CONTAINER_OF(w, struct gateway_tools, wait);

    (void)receipt;
    if (e != ERR_OK) {
        fail(t, ERR_EVIDENCE);
        return;
    }
    if (t->takes)
        publish(t);
    t->stored = 0;
    store_next(t);
}

/* One entry for those from `from` on with which the same has happened; *from
 * moves behind them. */
static enum err record_group(struct gateway_tools *t, size_t *from)
{
    struct evidence_tool tools[ENTRY_TOOLS_MAX];
    const struct catalog_change *at = t->changes.at;
    const struct catalog *next = t->changes.next;
    const enum catalog_event event = at[*from].event;
    struct evidence_tools f = {
        .event = catalog_event_name(event),
        .server = at[*from].row.server,
        .at = tools,
        .catalog = catalog_digest(next),
    };

    for (; *from < t->changes.count && f.count < ENTRY_TOOLS_MAX &&
           at[*from].event == event;
         ++*from) {
        const struct catalog_row *row = &at[*from].row;
        const struct catalog_tool *tool =
            catalog_find(next, row->server, row->name);
        tools[f.count++] =
            (struct evidence_tool){row->name, catalog_state_name(row->state),
                                   tool->tool.digest, tool->offered.digest};
    }
    return evidence_tools(t->options.evidence, &f,
                          *from == t->changes.count ? &t->wait : NULL);
}

static enum err record_tools(struct gateway_tools *t)
{
    enum err e = ERR_OK;

    for (size_t i = 0; e == ERR_OK && i < t->changes.count;)
        e = record_group(t, &i);
    return e;
}

/* Who said yes; what became of the tool follows, as with every change. */
static enum err record_approval(struct gateway_tools *t,
                                const struct gateway_tools_job *j)
{
    const struct gateway_tools_approval *a = j->approval;
    char room[SUBJECT_MAX];
    struct buf subject;

    buf_init_lent(&subject, room, sizeof(room));
    buf_addf(&subject, "%.*s/%.*s", STR_FMT(j->server), STR_FMT(a->name));
    if (!buf_ok(&subject))
        return ERR_LIMIT;
    const struct evidence_admin f = {
        .author = a->author,
        .author_method = a->author_method,
        .action = ACTION_TOOL_APPROVE,
        .event = STR("approve"),
        .detail = a->reason,
        .subject_type = STR("Tool"),
        .subject = buf_str(&subject),
        .tool = &a->seen,
    };
    return evidence_admin(t->options.evidence, &f, NULL);
}

/* Records what is in t->changes; the rest follows from its answer. */
static void record(struct gateway_tools *t)
{
    struct gateway_tools_job *j = current(t);

    t->wait.done = on_durable;
    enum err e = j->approval != NULL ? record_approval(t, j) : ERR_OK;
    if (e == ERR_OK)
        e = record_tools(t); /* the last one's answer is that of all */
    if (e != ERR_OK)
        fail(t, ERR_EVIDENCE);
}

/* ---- jobs ---- */

static struct catalog_now moment(const struct gateway_tools *t)
{
    return (struct catalog_now){loop_wall_us(t->options.loop),
                                loop_now_ms(t->options.loop)};
}

static enum err offer(struct gateway_tools *t,
                      const struct gateway_tools_job *j, const struct tool *at,
                      size_t count)
{
    const struct catalog_offer o = {j->server, at, count, j->approve_new,
                                    j->listed_ms};
    return catalog_writer_offer(t->writer, &o, moment(t), &t->changes);
}

/* Those of an offer that lose what they had: they go first and by themselves,
 * so that nothing else can keep them usable. */
static enum err take_first(struct gateway_tools *t,
                           const struct gateway_tools_job *j)
{
    struct catalog *c = catalog_writer_current(t->writer);
    struct tool *losing = calloc(j->count + 1, sizeof(*losing));
    size_t n = 0;

    if (losing == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < j->count; i++) {
        const struct catalog_tool *known =
            catalog_find(c, j->server, j->offered[i].name);
        if (known != NULL && known->state == CATALOG_PINNED &&
            !catalog_is_settled(c, j->server, &j->offered[i], 1))
            losing[n++] = j->offered[i];
    }
    enum err e = n == 0 ? ERR_OK : offer(t, j, losing, n);
    free(losing);
    t->takes = t->changes.count > 0;
    if (!t->takes)
        drop_changes(t);
    return e;
}

/* What the job changes next. */
static enum err make_changes(struct gateway_tools *t,
                             const struct gateway_tools_job *j)
{
    const struct gateway_tools_approval *a = j->approval;

    t->takes = false;
    if (a != NULL) {
        const struct catalog_approval yes = {j->server, a->name, a->seen,
                                             a->author};
        return catalog_writer_approve(t->writer, &yes, moment(t), &t->changes);
    }
    if (catalog_is_settled(catalog_writer_current(t->writer), j->server,
                           j->offered, j->count))
        return ERR_OK;
    enum err e = take_first(t, j);
    if (e != ERR_OK || t->takes)
        return e;
    return offer(t, j, j->offered, j->count);
}

/* Goes on until somebody has to be waited for. */
static void step(struct gateway_tools *t)
{
    t->stepping = true;
    while (!list_empty(&t->jobs) && t->changes.next == NULL) {
        enum err e = make_changes(t, current(t));
        if (e != ERR_OK || t->changes.count == 0)
            finish(t, e); /* as it should be, or as it cannot be */
        else
            record(t);
    }
    t->stepping = false;
}

void gateway_tools_run(struct gateway_tools *t, struct gateway_tools_job *j)
{
    list_push(&t->jobs, &j->node);
    if (!t->ready) {
        list_remove(&j->node);
        j->done(j, ERR_STORE);
        return;
    }
    go_on(t);
}

void gateway_tools_free(struct gateway_tools *t)
{
    if (t == NULL)
        return;
    ledger_wait_cancel(&t->wait);
    store_call_cancel(t->call);
    gateway_tools_rows_cancel(t->rows);
    t->stepping = true; /* nothing goes on */
    while (!list_empty(&t->jobs))
        finish(t, ERR_SHUTDOWN);
    catalog_writer_free(t->writer);
    free(t);
}
