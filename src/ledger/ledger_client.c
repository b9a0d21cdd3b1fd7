/* ledger_client.c - see ledger_client.h. */
#include "ledger/ledger_client.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/container.h"
#include "ledger/commit.h"
#include "ledger/ledger_proto.h"
#include "os/channel.h"
#include "os/loop.h"

struct asked {
    void (*got)(void *user, enum err e, const struct ledger_stats *s);
    void *user;
};

/*
 * Entries are numbered as they are given and answered in that order, so a
 * wait needs no place in a table: its number says which answer is its own.
 */
struct ledger_client {
    struct loop *loop;
    uint64_t generation;
    struct channel *channel; /* NULL: none, or broken */
    bool opened;
    uint64_t given, answered; /* entries on this connection */
    uint64_t next_index;      /* indices only rise */
    struct list waits;        /* struct ledger_wait, by number */
    struct asked asked[LEDGER_ASKED_MAX];
    size_t asked_first, asked_count;
    void (*each)(void *user, uint64_t index); /* orphans are asked for */
    void *each_user;
};

enum err ledger_client_new(struct loop *l, uint64_t generation,
                           struct ledger_client **ret)
{
    struct ledger_client *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return ERR_NO_MEMORY;
    c->loop = l;
    c->generation = generation;
    list_init(&c->waits);
    *ret = c;
    return ERR_OK;
}

/* Answers the waits below `number`, in order.  `done` may do anything but
 * free the client; a wait is off the list before it runs. */
static void answer_waits(struct ledger_client *c, uint64_t number, enum err e,
                         const struct ledger_ack *ack)
{
    uint64_t first = c->answered;
    c->answered = number;
    struct list *node;
    while ((node = list_first(&c->waits)) != NULL) {
        struct ledger_wait *w = CONTAINER_OF(node, struct ledger_wait, node);
        if (w->number >= number)
            return;
        list_remove(node);
        if (e != ERR_OK) {
            w->done(w, e, NULL);
            continue;
        }
        uint64_t i = w->number - first;
        struct ledger_receipt receipt = {.index = ack->first_index + i};
        memcpy(receipt.leaf.bytes, ack->leaves.ptr + i * HASH_LEN, HASH_LEN);
        w->done(w, ERR_OK, &receipt);
    }
}

static void answer_stats(struct ledger_client *c, enum err e,
                         const struct ledger_stats *s)
{
    struct asked a = c->asked[c->asked_first];
    c->asked_first = (c->asked_first + 1) % LEDGER_ASKED_MAX;
    c->asked_count--;
    a.got(a.user, e, s);
}

static void end_orphans(struct ledger_client *c)
{
    void (*each)(void *user, uint64_t index) = c->each;
    c->each = NULL;
    if (each != NULL)
        each(c->each_user, LEDGER_NO_INDEX);
}

/* Refuses all that waits on the connection that is gone. */
static void refuse_all(struct ledger_client *c)
{
    c->opened = false;
    size_t stats = c->asked_count; /* not those that are asked meanwhile */
    answer_waits(c, c->given, ERR_EVIDENCE, NULL);
    while (stats-- > 0)
        answer_stats(c, ERR_EVIDENCE, NULL);
    end_orphans(c);
}

static void on_opened(void *user, struct frame_hello peer)
{
    struct ledger_client *c = user;
    (void)peer;
    c->opened = true;
}

static enum err take_ack(struct ledger_client *c, const struct frame *f)
{
    struct ledger_ack ack;
    enum err e = ledger_proto_get_ack(f, &ack);
    if (e != ERR_OK)
        return e;
    if (ack.count > c->given - c->answered || ack.first_index < c->next_index)
        return ERR_MALFORMED;
    c->next_index = ack.first_index + ack.count;
    answer_waits(c, c->answered + ack.count, ERR_OK, &ack);
    return ERR_OK;
}

static enum err take_failed(struct ledger_client *c, const struct frame *f)
{
    uint32_t count;
    enum err e = ledger_proto_get_failed(f, &count);
    if (e != ERR_OK)
        return e;
    if (count > c->given - c->answered)
        return ERR_MALFORMED;
    answer_waits(c, c->answered + count, ERR_EVIDENCE, NULL);
    return ERR_OK;
}

static enum err take_orphans(struct ledger_client *c, const struct frame *f)
{
    struct frame_reader r = frame_reader(f->payload);
    if (c->each == NULL || f->payload.len % sizeof(uint64_t) != 0)
        return ERR_MALFORMED;
    while (r.left.len > 0) {
        uint64_t index = frame_get_u64(&r);
        if (index == LEDGER_NO_INDEX)
            return ERR_MALFORMED;
        c->each(c->each_user, index);
    }
    if ((f->flags & LEDGER_FLAG_LAST) != 0)
        end_orphans(c);
    return ERR_OK;
}

static enum err take_stats(struct ledger_client *c, const struct frame *f)
{
    struct ledger_stats s;
    enum err e = ledger_proto_get_stats(f, &s);
    if (e != ERR_OK)
        return e;
    if (c->asked_count == 0)
        return ERR_MALFORMED;
    answer_stats(c, ERR_OK, &s);
    return ERR_OK;
}

static enum err on_frame(void *user, const struct frame *f, int fd)
{
    struct ledger_client *c = user;
    if (fd >= 0) {
        (void)close(fd);
        return ERR_MALFORMED;
    }
    switch (f->type) {
    case LEDGER_ACK:
        return take_ack(c, f);
    case LEDGER_FAILED:
        return take_failed(c, f);
    case LEDGER_ORPHANS:
        return take_orphans(c, f);
    case LEDGER_STATS:
        return take_stats(c, f);
    default:
        return ERR_MALFORMED;
    }
}

static void on_closed(void *user, enum err why)
{
    struct ledger_client *c = user;
    (void)why;
    channel_free(c->channel);
    c->channel = NULL;
    refuse_all(c);
}

enum err ledger_client_connect(struct ledger_client *c, int fd)
{
    static const struct channel_events events = {on_opened, on_frame,
                                                 on_closed};
    const struct frame_hello own = {FRAME_PROTOCOL_VERSION, FRAME_ROLE_WORKER,
                                    c->generation};
    channel_free(c->channel);
    c->channel = NULL;
    refuse_all(c);
    c->given = c->answered = 0;
    c->next_index = 0;
    return channel_new(c->loop, fd, own, FRAME_ROLE_LEDGER, &events, c,
                       &c->channel);
}

void ledger_client_free(struct ledger_client *c)
{
    if (c == NULL)
        return;
    channel_free(c->channel);
    c->channel = NULL;
    /* Owners outlive us here only if they said so: nobody is called. */
    struct list *node;
    while ((node = list_first(&c->waits)) != NULL)
        list_remove(node);
    free(c);
}

bool ledger_client_ready(const struct ledger_client *c)
{
    return c->opened;
}

bool ledger_client_lost(const struct ledger_client *c)
{
    return c->channel == NULL;
}

static struct buf *out(struct ledger_client *c)
{
    return c->channel == NULL ? NULL : channel_out(c->channel);
}

enum err ledger_client_append(struct ledger_client *c,
                              const struct ledger_append *a,
                              struct ledger_wait *w)
{
    struct buf *to = out(c);
    if (to == NULL || !commit_entry_ok(a->entry))
        return ERR_EVIDENCE;
    ledger_proto_put_append(to, a);
    /* A full buffer breaks the channel, which then refuses all that waits. */
    if (w != NULL) {
        w->number = c->given;
        list_push(&c->waits, &w->node);
    }
    c->given++;
    return ERR_OK;
}

void ledger_wait_cancel(struct ledger_wait *w)
{
    if (w->node.next != NULL)
        list_remove(&w->node);
}

enum err ledger_client_orphans(struct ledger_client *c,
                               void (*each)(void *user, uint64_t index),
                               void *user)
{
    struct buf *to = out(c);
    if (to == NULL)
        return ERR_EVIDENCE;
    if (c->each != NULL)
        return ERR_OVERLOAD;
    frame_add(to, LEDGER_ASK_ORPHANS, 0, (struct str){NULL, 0});
    c->each = each;
    c->each_user = user;
    return ERR_OK;
}

enum err ledger_client_stats(struct ledger_client *c,
                             void (*got)(void *user, enum err e,
                                         const struct ledger_stats *s),
                             void *user)
{
    struct buf *to = out(c);
    if (to == NULL)
        return ERR_EVIDENCE;
    if (c->asked_count == LEDGER_ASKED_MAX)
        return ERR_OVERLOAD;
    frame_add(to, LEDGER_ASK_STATS, 0, (struct str){NULL, 0});
    size_t last = (c->asked_first + c->asked_count) % LEDGER_ASKED_MAX;
    c->asked[last] = (struct asked){got, user};
    c->asked_count++;
    return ERR_OK;
}
