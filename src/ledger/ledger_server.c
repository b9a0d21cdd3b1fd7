/* ledger_server.c - see ledger_server.h. */
#include "ledger/ledger_server.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger/be.h"
#include "ledger/ledger_proto.h"
#include "os/clock.h"
#include "os/wire.h"

/* A connection.  Its number as an owner of intents is never used again. */
struct peer {
    struct wire wire; /* fd -1: none */
    uint32_t owner;
    unsigned stats_asked; /* answered once all is durable */
    bool orphans_asked;
};

/* Entries of one peer that are answered together, in the order they came. */
struct run {
    unsigned peer;
    uint32_t owner;
    uint32_t count;
    uint64_t first_index;
    bool refused;
};

struct ledger_server {
    struct journal *journal;
    struct peer peers[LEDGER_SERVER_PEERS_MAX];
    uint32_t owners;     /* given out so far */
    bool failed;         /* the journal has */
    bool awaited;        /* somebody waits for what is pending */
    int64_t lazy_due_ms; /* or INT64_MAX */
    size_t run_count;
    struct run runs[COMMIT_COUNT_MAX];
};

static_assert((int)COMMIT_COUNT_MAX <= (int)LEDGER_ACK_MAX,
              "a run fits an ACK");

struct ledger_server *ledger_server_new(struct journal *j)
{
    struct ledger_server *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    s->journal = j;
    s->lazy_due_ms = INT64_MAX;
    for (unsigned i = 0; i < LEDGER_SERVER_PEERS_MAX; i++)
        s->peers[i].wire.fd = -1;
    return s;
}

void ledger_server_free(struct ledger_server *s)
{
    if (s == NULL)
        return;
    for (unsigned i = 0; i < LEDGER_SERVER_PEERS_MAX; i++)
        wire_release(&s->peers[i].wire);
    free(s);
}

void ledger_server_add(struct ledger_server *s, int fd)
{
    /* A thread of a gateway, its control thread too, says it is a worker. */
    static const struct frame_hello own = {FRAME_PROTOCOL_VERSION,
                                           FRAME_ROLE_LEDGER, 0};
    for (unsigned i = 0; i < LEDGER_SERVER_PEERS_MAX; i++) {
        struct peer *p = &s->peers[i];
        if (p->wire.fd >= 0)
            continue;
        *p = (struct peer){.owner = ++s->owners};
        if (p->owner == INTENTS_ORPHAN)
            p->owner = ++s->owners;
        if (wire_init(&p->wire, fd, own, FRAME_ROLE_WORKER) != ERR_OK)
            p->wire.fd = -1;
        return;
    }
    (void)close(fd);
}

static bool unread(const struct peer *p)
{
    return p->wire.out.len - p->wire.out_at > LEDGER_SERVER_UNREAD_MAX;
}

struct ledger_server_poll ledger_server_poll(const struct ledger_server *s,
                                             unsigned peer)
{
    const struct peer *p = &s->peers[peer];
    return (struct ledger_server_poll){p->wire.fd, !unread(p),
                                       wire_pending(&p->wire)};
}

static struct peer *peer_of(struct ledger_server *s, const struct run *r)
{
    struct peer *p = &s->peers[r->peer];
    return p->wire.fd >= 0 && p->owner == r->owner ? p : NULL;
}

static void answer_run(struct ledger_server *s, const struct run *r)
{
    struct peer *p = peer_of(s, r);
    if (p == NULL)
        return; /* gone; its entries are committed all the same */
    struct buf *out = wire_out(&p->wire);
    if (r->refused || s->failed) {
        ledger_proto_put_failed(out, r->count);
        return;
    }
    char *leaves = ledger_proto_put_ack(out, r->first_index, r->count);
    if (leaves != NULL)
        memcpy(leaves, journal_leaf(s->journal, r->first_index),
               (size_t)r->count * HASH_LEN);
}

static struct ledger_stats stats(struct ledger_server *s)
{
    struct journal_counts c = journal_counts(s->journal);
    return (struct ledger_stats){
        .entries = journal_tree(s->journal)->size,
        .syncs = c.syncs,
        .commits = c.entries,
        .open_intents = journal_open_intents(s->journal)->count,
        .cut_bytes = c.cut_bytes,
        .root = tree_root(journal_tree(s->journal)),
    };
}

static void put_orphans(struct ledger_server *s, struct buf *out)
{
    uint64_t found[512];
    size_t n = 0;
    struct intent it;
    size_t at = 0;
    bool more = true;
    while (more) {
        more = intents_next(journal_open_intents(s->journal), &at, &it);
        if (more && it.owner == INTENTS_ORPHAN)
            found[n++] = it.index;
        if (more && n < ARRAY_LEN(found))
            continue;
        frame_add_head(out, LEDGER_ORPHANS, more ? 0 : LEDGER_FLAG_LAST,
                       n * sizeof(uint64_t));
        for (size_t i = 0; i < n; i++)
            frame_put_u64(out, found[i]);
        n = 0;
    }
}

static void answer_questions(struct ledger_server *s, struct peer *p)
{
    struct buf *out = wire_out(&p->wire);
    if (p->stats_asked > 0) {
        struct ledger_stats now = stats(s);
        for (; p->stats_asked > 0; p->stats_asked--)
            ledger_proto_put_stats(out, &now);
    }
    if (p->orphans_asked)
        put_orphans(s, out);
    p->orphans_asked = false;
}

/* Commits what is pending, and answers it in the order it came. */
static void commit(struct ledger_server *s)
{
    if (journal_commit(s->journal, clock_wall_us()) != ERR_OK)
        s->failed = true;
    for (size_t i = 0; i < s->run_count; i++)
        answer_run(s, &s->runs[i]);
    s->run_count = 0;
    s->awaited = false;
    s->lazy_due_ms = INT64_MAX;
}

/* What a connection left open has to be closed by somebody else. */
static void drop(struct ledger_server *s, struct peer *p)
{
    wire_release(&p->wire);
    if (journal_pending(s->journal) > 0)
        commit(s);
    (void)intents_disown(journal_open_intents(s->journal), p->owner);
}

static void note(struct ledger_server *s, const struct peer *p, uint64_t index,
                 bool refused)
{
    unsigned peer = (unsigned)(p - s->peers);
    struct run *last = s->run_count > 0 ? &s->runs[s->run_count - 1] : NULL;
    if (last != NULL && last->peer == peer && last->owner == p->owner &&
        last->refused == refused &&
        (refused || last->first_index + last->count == index)) {
        last->count++;
        return;
    }
    s->runs[s->run_count++] = (struct run){peer, p->owner, 1, index, refused};
}

static enum err take_append(struct ledger_server *s, struct peer *p,
                            const struct frame *f)
{
    struct ledger_append a;
    enum err e = ledger_proto_get_append(f, &a);
    if (e != ERR_OK)
        return e;
    if (s->run_count == COMMIT_COUNT_MAX ||
        !journal_has_room(s->journal, a.entry.len))
        commit(s);
    const struct journal_entry entry = {a.entry, a.opens, p->owner, a.closes};
    uint64_t index = 0;
    if (!s->failed)
        e = journal_add(s->journal, &entry, &index);
    if (e == ERR_MALFORMED)
        return e;
    note(s, p, index, s->failed || e != ERR_OK);
    s->awaited = s->awaited || a.class == LEDGER_AWAITED;
    return ERR_OK;
}

static enum err take(struct ledger_server *s, struct peer *p,
                     const struct frame *f)
{
    if (f->type == LEDGER_APPEND)
        return take_append(s, p, f);
    if (f->payload.len != 0 || f->flags != 0)
        return ERR_MALFORMED;
    if (f->type == LEDGER_ASK_STATS && p->stats_asked < LEDGER_ASKED_MAX)
        p->stats_asked++;
    else if (f->type == LEDGER_ASK_ORPHANS)
        p->orphans_asked = true;
    else
        return ERR_MALFORMED;
    s->awaited = true;
    return ERR_OK;
}

/* A frame that has begun and is larger than any that a client may send. */
static bool too_long(const struct wire *w)
{
    struct str left = str_skip(buf_str(&w->in), w->in_at);
    return left.len >= sizeof(uint32_t) &&
           be_get_u32(left.ptr) > LEDGER_APPEND_MAX;
}

void ledger_server_read(struct ledger_server *s, unsigned peer)
{
    struct peer *p = &s->peers[peer];
    if (p->wire.fd < 0)
        return;
    struct frame f;
    enum err e = wire_fill(&p->wire);
    while (e == ERR_OK && wire_next(&p->wire, &f, NULL, &e))
        e = take(s, p, &f);
    if (e == ERR_OK && too_long(&p->wire))
        e = ERR_LIMIT;
    if (e != ERR_OK)
        drop(s, p);
}

static enum err send_all(struct ledger_server *s)
{
    for (unsigned i = 0; i < LEDGER_SERVER_PEERS_MAX; i++) {
        struct peer *p = &s->peers[i];
        if (p->wire.fd < 0)
            continue;
        answer_questions(s, p);
        if (wire_pending(&p->wire) && wire_flush(&p->wire) != ERR_OK)
            drop(s, p);
    }
    return s->failed ? ERR_IO : ERR_OK;
}

enum err ledger_server_turn(struct ledger_server *s, int64_t now_ms)
{
    if (s->run_count > 0 && s->lazy_due_ms == INT64_MAX)
        s->lazy_due_ms = now_ms + LEDGER_LAZY_MS;
    if (s->awaited || s->failed || now_ms >= s->lazy_due_ms)
        commit(s);
    return send_all(s);
}

enum err ledger_server_finish(struct ledger_server *s)
{
    commit(s);
    return send_all(s);
}

int64_t ledger_server_due_ms(const struct ledger_server *s)
{
    return s->lazy_due_ms;
}
