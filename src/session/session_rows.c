/*
 * session_rows.c - sessions as they are listed, stored and put back.
 *
 * The table counts in monotonic milliseconds and rows in Unix time; the same
 * instant in both turns one into the other.
 */
#include <stdlib.h>

#include "base/attr.h"
#include "session/session_table.h"

enum { US = 1000 }; /* in a millisecond */

/* Sessions told under one hold of a lock: as long as a few lookups. */
enum { SLICE = 16 };

struct instant {
    int64_t us, ms;
};

static int64_t to_us(struct instant now, int64_t ms)
{
    return now.us - (now.ms - ms) * US;
}

static struct str next_part(const char **at)
{
    uint32_t len;
    memcpy(&len, *at, sizeof(len));
    struct str part = {*at + sizeof(len), len};
    *at = part.ptr + len;
    return part;
}

static struct session_row row_of(const struct session *s, struct instant now)
{
    const struct session_state state = session_state_of(s);
    const char *at = s->owner;
    struct session_row row = {
        .opened_us = to_us(now, s->opened_ms),
        .used_us = to_us(now, s->used_ms),
        .calls = state.calls,
        .tokens = state.tokens,
    };
    memcpy(row.id, session_id(s), sizeof(row.id));
    memcpy(row.root, session_root(s), sizeof(row.root));
    row.owner.tenant = next_part(&at);
    row.owner.issuer = next_part(&at);
    row.owner.subject = next_part(&at);
    row.owner.actor = next_part(&at);
    return row;
}

void session_table_each(struct session_table *t, int64_t now_us, int64_t now_ms,
                        void (*each)(void *user, const struct session_row *row),
                        void *user)
{
    for (size_t i = 0; i < SESSION_STRIPES; i++) {
        struct session_stripe *p = &t->stripes[i];
        session_table_lock(&p->lock);
        LIST_EACH(it, next, &p->by_age)
        {
            const struct session *s = CONTAINER_OF(it, struct session, by_age);
            if (session_table_is_over(s, now_ms))
                continue;
            struct session_row row =
                row_of(s, (struct instant){now_us, now_ms});
            each(user, &row);
        }
        session_table_unlock(&p->lock);
    }
}

/* ---- what is not stored ---- */

static bool tell_closed(struct session_stripe *p,
                        const struct session_changes *to)
{
    if (p->closed.count == 0)
        return false;
    to->closed(to->user, p->closed.ids[--p->closed.count]);
    return true;
}

/* One that is new, or was used long enough ago. */
static struct session *next_row(struct session_stripe *p, int64_t until_ms)
{
    struct list *first = list_first(&p->fresh);
    if (first != NULL)
        return CONTAINER_OF(first, struct session, unstored);
    first = list_first(&p->used);
    if (first == NULL)
        return NULL;
    struct session *s = CONTAINER_OF(first, struct session, unstored);
    return s->unstored_ms <= until_ms ? s : NULL;
}

static bool tell_row(struct session_stripe *p, int64_t until_ms,
                     struct instant now, const struct session_changes *to)
{
    struct session *s = next_row(p, until_ms);
    /* Without a keeper each call leaves one behind that never began. */
    while (s != NULL && session_handle_is_dead(s)) {
        list_remove(&s->unstored);
        s = next_row(p, until_ms);
    }
    if (s == NULL)
        return false;
    list_remove(&s->unstored);
    s->stored = true;
    struct session_row row = row_of(s, now);
    to->row(to->user, &row);
    return true;
}

static size_t tell_some(struct session_stripe *p, size_t max, int64_t until_ms,
                        struct instant now, const struct session_changes *to)
{
    size_t told = 0;
    session_table_lock(&p->lock);
    while (told < max && (tell_closed(p, to) || tell_row(p, until_ms, now, to)))
        told++;
    session_table_unlock(&p->lock);
    return told;
}

size_t session_table_drain(struct session_table *t, size_t max, int64_t now_us,
                           int64_t now_ms, const struct session_changes *to)
{
    const struct instant now = {now_us, now_ms};
    size_t told = 0;
    for (size_t i = 0; i < SESSION_STRIPES && told < max; i++) {
        struct session_stripe *p = &t->stripes[t->drained];
        size_t want = 0;
        size_t got = 0;
        do {
            want = max - told < SLICE ? max - told : SLICE;
            got = tell_some(p, want, now_ms - to->used_for_ms, now, to);
            told += got;
        } while (got == want && told < max);
        /* Where it was left, it goes on. */
        if (got < want)
            t->drained = (t->drained + 1) % SESSION_STRIPES;
    }
    return told;
}

/* ---- after a restart ---- */

/* Milliseconds since then; a clock that was put back makes it zero. */
static int64_t age_ms(int64_t now_us, int64_t then_us)
{
    if (then_us >= now_us)
        return 0;
    return then_us < 0 ? INT64_MAX / 2 : (now_us - then_us) / US;
}

static struct session *restored(const struct session_row *row, struct str owner)
{
    struct session *s = session_handle_new(owner);
    if (s == NULL)
        return NULL;
    memcpy(s->id, row->id, sizeof(s->id));
    s->restored = true;
    s->stored = true;
    session_count(s, row->calls, row->tokens);
    return s;
}

/* Puts it in; *ret_taken: the table has the caller's reference. */
static enum err put_back(struct session_table *t, struct session *s,
                         int64_t now_ms, bool *ret_taken)
{
    const struct str owner = {s->owner, s->owner_len};
    struct session_stripe *p = session_table_stripe(t, owner);
    enum err e = ERR_OK;

    session_table_lock(&p->lock);
    bool wanted = !session_table_is_over(s, now_ms) &&
                  map_get(&p->sessions, owner) == NULL;
    if (wanted)
        e = session_table_put(t, p, s);
    if (!wanted)
        session_table_note_closed(p, s->id, false);
    session_table_unlock(&p->lock);
    *ret_taken = wanted && e == ERR_OK;
    return e;
}

enum err session_table_restore(struct session_table *t,
                               const struct session_row *row,
                               const struct session_limits *limits,
                               int64_t now_us, int64_t now_ms)
{
    char key[SESSION_OWNER_MAX];
    struct str owner = session_table_join(&row->owner, key);
    if (owner.len == 0)
        return ERR_LIMIT;
    if (memcmp(row->id, row->root, sizeof(row->id)) != 0)
        return ERR_MALFORMED;
    struct session *s = restored(row, owner);
    if (s == NULL)
        return ERR_NO_MEMORY;
    s->limits = *limits;
    s->opened_ms = now_ms - age_ms(now_us, row->opened_us);
    s->used_ms = now_ms - age_ms(now_us, row->used_us);
    bool taken = false;
    enum err e = put_back(t, s, now_ms, &taken);
    if (!taken)
        session_unref(s);
    return e;
}
