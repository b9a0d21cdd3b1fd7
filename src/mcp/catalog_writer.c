/* catalog_writer.c - see catalog_writer.h. */
#include "mcp/catalog_writer.h"

#include <assert.h>
#include <stdlib.h>

#include "mcp/catalog_view.h"

struct catalog_writer {
    struct siphash_key seed;
    struct catalog *current; /* +1 */
};

/* Entries on their way into a view. */
struct draft {
    const struct catalog_writer *writer;
    struct catalog_now now;
    struct catalog_entry **entries; /* heap; +1 each */
    enum catalog_event *events;     /* heap; of each */
    size_t count;
};

struct str catalog_event_name(enum catalog_event e)
{
    switch (e) {
    case CATALOG_SEEN:
        return STR("seen");
    case CATALOG_CHANGED:
        return STR("changed");
    case CATALOG_RETURNED:
        return STR("returned");
    case CATALOG_APPROVED:
        return STR("approved");
    }
    return (struct str){NULL, 0};
}

enum err catalog_writer_new(struct catalog_writer **ret)
{
    struct catalog_writer *w = calloc(1, sizeof(*w));

    if (w == NULL)
        return ERR_NO_MEMORY;
    w->seed = hash_random_seed();
    enum err e = catalog_view_new(w->seed, NULL, NULL, 0, &w->current);
    if (e != ERR_OK) {
        free(w);
        return e;
    }
    *ret = w;
    return ERR_OK;
}

void catalog_writer_free(struct catalog_writer *w)
{
    if (w == NULL)
        return;
    catalog_unref(w->current);
    free(w);
}

struct catalog *catalog_writer_current(const struct catalog_writer *w)
{
    return w->current;
}

void catalog_writer_publish(struct catalog_writer *w, struct catalog *next)
{
    struct catalog *old = w->current;
    w->current = catalog_ref(next);
    catalog_unref(old);
}

/* ---- drafts ---- */

static void draft_release(struct draft *d)
{
    for (size_t i = 0; i < d->count; i++)
        catalog_entry_unref(d->entries[i]);
    free((void *)d->entries);
    free(d->events);
}

/* Room for `n` entries; release it also on failure. */
static enum err draft_begin(struct draft *d, const struct catalog_writer *w,
                            struct catalog_now now, size_t n)
{
    *d = (struct draft){.writer = w, .now = now};
    d->entries = (struct catalog_entry **)calloc(n + 1, sizeof(*d->entries));
    d->events = calloc(n + 1, sizeof(*d->events));
    return d->entries == NULL || d->events == NULL ? ERR_NO_MEMORY : ERR_OK;
}

static enum err draft_add(struct draft *d, enum catalog_event event,
                          const struct catalog_row *row)
{
    enum err e = catalog_entry_new(d->writer->seed, row, d->now.ms,
                                   &d->entries[d->count]);
    if (e == ERR_OK)
        d->events[d->count++] = event;
    return e;
}

/* The view with the draft's entries, which are in order. */
static enum err draft_end(const struct draft *d, struct catalog_changes *ret)
{
    struct catalog *next = NULL;

    enum err e = catalog_view_new(d->writer->seed, d->writer->current,
                                  d->entries, d->count, &next);
    if (e != ERR_OK)
        return e;
    next->changes = calloc(d->count + 1, sizeof(*next->changes));
    if (next->changes == NULL) {
        catalog_unref(next);
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < d->count; i++)
        next->changes[i] =
            (struct catalog_change){d->events[i],
                                    catalog_entry_row(&d->entries[i]->tool)};
    next->change_count = d->count;
    *ret = (struct catalog_changes){next->changes, d->count, next};
    return ERR_OK;
}

/* ---- what was stored ---- */

static int by_name(const void *a, const void *b)
{
    const struct catalog_entry *const *x =
        (const struct catalog_entry *const *)a;
    const struct catalog_entry *const *y =
        (const struct catalog_entry *const *)b;
    return catalog_entry_compare(&(*x)->tool, (*y)->tool.server,
                                 (*y)->tool.tool.name);
}

enum err catalog_writer_load(struct catalog_writer *w,
                             const struct catalog_row *rows, size_t count)
{
    struct catalog_changes changes;
    struct draft d;

    enum err e = draft_begin(&d, w, (struct catalog_now){0, 0}, count);
    for (size_t i = 0; e == ERR_OK && i < count; i++)
        e = draft_add(&d, CATALOG_SEEN, &rows[i]);
    if (e == ERR_OK && count > 1)
        qsort((void *)d.entries, d.count, sizeof(*d.entries), by_name);
    for (size_t i = 1; e == ERR_OK && i < d.count; i++)
        e = by_name((const void *)&d.entries[i - 1],
                    (const void *)&d.entries[i]) == 0
                ? ERR_CORRUPT
                : ERR_OK;
    if (e == ERR_OK)
        e = draft_end(&d, &changes);
    if (e == ERR_OK) {
        catalog_writer_publish(w, changes.next);
        catalog_unref(changes.next);
    }
    draft_release(&d);
    return e;
}

/* ---- an offer ---- */

/* A name of the offer, or (offered NULL) of what is known. */
struct named {
    struct str name;
    const struct tool *offered;
    bool has_twin; /* another one, but for case */
};

static int compare_nocase(struct str a, struct str b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++) {
        char x = a.ptr[i], y = b.ptr[i];
        x = (char)(x >= 'A' && x <= 'Z' ? x + ('a' - 'A') : x);
        y = (char)(y >= 'A' && y <= 'Z' ? y + ('a' - 'A') : y);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return (a.len > b.len) - (a.len < b.len);
}

static int by_nocase(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int order = compare_nocase(x->name, y->name);
    if (order == 0)
        order = str_compare(x->name, y->name);
    return order != 0 ? order : (x->offered != NULL) - (y->offered != NULL);
}

static int by_exact(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    return str_compare(x->name, y->name);
}

static size_t gather(const struct catalog *c, const struct catalog_offer *o,
                     struct named *to)
{
    const struct catalog_tool *t;
    size_t n = 0;

    for (size_t i = 0; i < o->count; i++)
        to[n++] = (struct named){o->offered[i].name, &o->offered[i], false};
    for (size_t i = 0; (t = catalog_at(c, o->server, i)) != NULL; i++)
        to[n++] = (struct named){t->tool.name, NULL, false};
    qsort(to, n, sizeof(*to), by_nocase);
    return n;
}

/* Finds twins, then keeps what is offered, in order.  ERR_MALFORMED: one name
 * is offered twice. */
static enum err look_at_names(struct named *at, size_t n, size_t *ret_count)
{
    size_t count = 0;

    for (size_t i = 1; i < n; i++) {
        if (compare_nocase(at[i - 1].name, at[i].name) != 0)
            continue;
        if (!str_eq(at[i - 1].name, at[i].name))
            at[i - 1].has_twin = at[i].has_twin = true;
        else if (at[i - 1].offered != NULL && at[i].offered != NULL)
            return ERR_MALFORMED;
        else
            at[i].has_twin = at[i - 1].has_twin;
    }
    /* Of "A", "A", "a" the first does not stand beside the last. */
    for (size_t i = n; i > 1; i--) {
        if (str_eq(at[i - 2].name, at[i - 1].name) && at[i - 1].has_twin)
            at[i - 2].has_twin = true;
    }
    for (size_t i = 0; i < n; i++) {
        if (at[i].offered != NULL)
            at[count++] = at[i];
    }
    if (count > 1)
        qsort(at, count, sizeof(*at), by_exact);
    *ret_count = count;
    return ERR_OK;
}

static enum err add_new(struct draft *d, const struct catalog_offer *o,
                        const struct named *n)
{
    const struct catalog_row row = {
        .server = o->server,
        .name = n->name,
        .state =
            o->approve_new || n->has_twin ? CATALOG_PROPOSED : CATALOG_PINNED,
        .pinned = n->offered->text,
        .first_us = d->now.us,
        .changed_us = d->now.us,
    };
    return draft_add(d, CATALOG_SEEN, &row);
}

static enum err add_changed(struct draft *d, const struct catalog_tool *t,
                            const struct tool *offered)
{
    struct catalog_row row = catalog_entry_row(t);
    bool readable = catalog_entry_readable(offered);

    row.changed_us = d->now.us;
    if (t->state == CATALOG_PROPOSED) {
        row.pinned = offered->text;
        return draft_add(d, CATALOG_CHANGED, &row);
    }
    row.offered = readable ? offered->text : (struct str){NULL, 0};
    if (str_eq(row.offered, row.pinned)) {
        row.state = CATALOG_PINNED;
        row.offered = (struct str){NULL, 0};
        return draft_add(d, CATALOG_RETURNED, &row);
    }
    row.state = CATALOG_QUARANTINED;
    return draft_add(d, CATALOG_CHANGED, &row);
}

/* Something newer is known of it. */
static bool is_stale(const struct catalog_offer *o,
                     const struct catalog_tool *t)
{
    return t != NULL && o->listed_ms != 0 && o->listed_ms < t->changed_ms;
}

static enum err add_offered(struct draft *d, const struct catalog_offer *o,
                            const struct named *names, size_t n)
{
    enum err e = ERR_OK;

    for (size_t i = 0; e == ERR_OK && i < n; i++) {
        const struct catalog_tool *t =
            catalog_find(d->writer->current, o->server, names[i].name);
        if (catalog_entry_follows(t, names[i].offered) || is_stale(o, t))
            continue;
        e = t == NULL ? add_new(d, o, &names[i])
                      : add_changed(d, t, names[i].offered);
    }
    return e;
}

static bool is_too_much(const struct tool *offered, size_t count)
{
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        bytes += offered[i].text.len;
    return count > CATALOG_SERVER_MAX || bytes > CATALOG_SERVER_TEXT_MAX;
}

enum err catalog_writer_offer(struct catalog_writer *w,
                              const struct catalog_offer *o,
                              struct catalog_now now,
                              struct catalog_changes *ret)
{
    size_t known = catalog_count(w->current, o->server), n = 0;
    struct draft d = {0};

    if (is_too_much(o->offered, o->count))
        return ERR_LIMIT;
    struct named *names = calloc(o->count + known + 1, sizeof(*names));
    enum err e =
        names == NULL ? ERR_NO_MEMORY : draft_begin(&d, w, now, o->count);
    if (e == ERR_OK)
        e = look_at_names(names, gather(w->current, o, names), &n);
    if (e == ERR_OK)
        e = add_offered(&d, o, names, n);
    if (e == ERR_OK)
        e = draft_end(&d, ret);
    draft_release(&d);
    free(names);
    return e;
}

/* ---- a person's word ---- */

static enum err approved(const struct catalog_tool *t, const struct hash *seen,
                         struct catalog_row *ret)
{
    const struct tool *offered =
        t->state == CATALOG_PROPOSED ? &t->tool : &t->offered;

    if (t->state != CATALOG_PROPOSED && t->state != CATALOG_QUARANTINED)
        return ERR_CONFLICT;
    if (offered->text.len == 0 ||
        memcmp(offered->digest.bytes, seen->bytes, HASH_LEN) != 0)
        return ERR_CONFLICT;
    *ret = catalog_entry_row(t);
    ret->pinned = offered->text;
    ret->offered = (struct str){NULL, 0};
    ret->state = CATALOG_PINNED;
    return ERR_OK;
}

enum err catalog_writer_approve(struct catalog_writer *w,
                                const struct catalog_approval *a,
                                struct catalog_now now,
                                struct catalog_changes *ret)
{
    const struct catalog_tool *t = catalog_find(w->current, a->server, a->name);
    struct catalog_row row;
    struct draft d;

    if (t == NULL)
        return ERR_NOT_FOUND;
    enum err e = approved(t, &a->seen, &row);
    if (e != ERR_OK)
        return e;
    row.changed_us = now.us;
    row.approved_by = a->who;
    e = draft_begin(&d, w, now, 1);
    if (e == ERR_OK)
        e = draft_add(&d, CATALOG_APPROVED, &row);
    if (e == ERR_OK)
        e = draft_end(&d, ret);
    draft_release(&d);
    return e;
}
