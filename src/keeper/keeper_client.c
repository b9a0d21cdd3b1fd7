/*
 * keeper_client.c - a ring of questions in the order they were sent.
 *
 * A question that is cancelled keeps its place, empty: its answer still
 * comes and must not be taken for the next one's.  A place holds its waiter
 * as a list of at most one, so that cancelling needs nothing but the waiter.
 */
#include "keeper/keeper_client.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "os/channel.h"

static_assert((KEEPER_IN_FLIGHT_MAX & (KEEPER_IN_FLIGHT_MAX - 1)) == 0,
              "positions in the ring are masked");

struct place {
    struct list waiter; /* head; empty: cancelled */
    uint16_t type;
};

struct keeper_client {
    struct loop *loop;
    uint64_t generation;
    struct channel *channel; /* NULL: not connected, or broken */
    bool opened;
    bool failing;        /* fail_all() runs */
    uint32_t head, tail; /* answered and asked so far */
    struct place ring[KEEPER_IN_FLIGHT_MAX];
};

static struct place *place_at(struct keeper_client *c, uint32_t position)
{
    return &c->ring[position & (KEEPER_IN_FLIGHT_MAX - 1)];
}

/* The waiter of the oldest question, which leaves the ring; NULL: nobody. */
static struct keeper_wait *take_oldest(struct keeper_client *c)
{
    struct list *first = list_first(&place_at(c, c->head)->waiter);
    c->head++;
    if (first == NULL)
        return NULL;
    list_remove(first);
    return CONTAINER_OF(first, struct keeper_wait, node);
}

static void fail_all(struct keeper_client *c)
{
    /* Only those that waited now: `done` may ask again, on a new connection. */
    uint32_t end = c->tail;
    c->failing = true;
    while ((int32_t)(end - c->head) > 0) { /* a nested call may be ahead */
        struct keeper_wait *w = take_oldest(c);
        if (w != NULL)
            w->done(w, ERR_KEEPER, (struct str){NULL, 0});
    }
    c->failing = false;
}

static void disconnect(struct keeper_client *c)
{
    channel_free(c->channel);
    c->channel = NULL;
    c->opened = false;
}

static void on_opened(void *user, struct frame_hello peer)
{
    (void)peer;
    struct keeper_client *c = user;
    c->opened = true;
}

/* Which question may be answered so: a keeper that says that a key is there
 * already to someone who did not ask for a new one is none of ours. */
static bool answers(unsigned status, uint16_t asked)
{
    switch (status) {
    case KEEPER_FAILED:
    case KEEPER_OK:
        return true;
    case KEEPER_EXISTS:
        return asked == KEEPER_SESSION_KEY_NEW;
    case KEEPER_MISSING:
        return asked == KEEPER_SESSION_KEY_GET;
    default:
        return false;
    }
}

static enum err read_answer(const struct frame *f, uint16_t asked,
                            enum keeper_status *ret, struct str *ret_key)
{
    struct frame_reader r = frame_reader(f->payload);
    unsigned status = frame_get_u8(&r);
    struct str key = {NULL, 0};
    if (status == KEEPER_OK)
        key = frame_get_bytes(&r, KEEPER_KEY_LEN);
    if (f->type != asked || f->flags != 0 || !frame_reader_done(&r) ||
        !answers(status, asked))
        return ERR_MALFORMED;
    *ret = (enum keeper_status)status;
    *ret_key = key;
    return ERR_OK;
}

/* The bytes are the channel's own, and still there after `done`. */
static void wipe(struct str key)
{
    const union {
        const char *borrowed;
        void *ours;
    } at = {key.ptr};
    if (key.len > 0)
        hash_wipe(at.ours, key.len);
}

static enum err on_frame(void *user, const struct frame *f, int fd)
{
    struct keeper_client *c = user;
    if (fd >= 0) {
        (void)close(fd);
        return ERR_MALFORMED;
    }
    enum keeper_status status;
    struct str key;
    if (c->head == c->tail)
        return ERR_MALFORMED; /* nobody asked */
    enum err e = read_answer(f, place_at(c, c->head)->type, &status, &key);
    if (e != ERR_OK)
        return e;
    static const enum err told[KEEPER_STATUS_COUNT] = {
        [KEEPER_FAILED] = ERR_KEEPER,
        [KEEPER_OK] = ERR_OK,
        [KEEPER_EXISTS] = ERR_LIMIT,
        [KEEPER_MISSING] = ERR_NOT_FOUND,
    };
    struct keeper_wait *w = take_oldest(c);
    if (w != NULL)
        w->done(w, told[status], key);
    wipe(key);
    return ERR_OK;
}

static void on_closed(void *user, enum err why)
{
    (void)why;
    struct keeper_client *c = user;
    disconnect(c);
    fail_all(c);
}

enum err keeper_client_new(struct loop *l, uint64_t generation,
                           struct keeper_client **ret)
{
    struct keeper_client *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return ERR_NO_MEMORY;
    c->loop = l;
    c->generation = generation;
    for (size_t i = 0; i < KEEPER_IN_FLIGHT_MAX; i++)
        list_init(&c->ring[i].waiter);
    *ret = c;
    return ERR_OK;
}

void keeper_client_free(struct keeper_client *c)
{
    if (c == NULL)
        return;
    assert(!c->failing);
    disconnect(c);
    while (c->head != c->tail)
        (void)take_oldest(c);
    free(c);
}

enum err keeper_client_connect(struct keeper_client *c, int fd)
{
    static const struct channel_events events = {on_opened, on_frame,
                                                 on_closed};
    disconnect(c);
    fail_all(c);
    struct frame_hello own = {FRAME_PROTOCOL_VERSION, FRAME_ROLE_WORKER,
                              c->generation};
    return channel_new(c->loop, fd, own, FRAME_ROLE_KEEPER, &events, c,
                       &c->channel);
}

bool keeper_client_ready(const struct keeper_client *c)
{
    return c->channel != NULL && c->opened;
}

bool keeper_client_lost(const struct keeper_client *c)
{
    return c->channel == NULL;
}

void keeper_wait_cancel(struct keeper_wait *w)
{
    if (w->node.next != NULL)
        list_remove(&w->node);
}

static enum err ask(struct keeper_client *c, uint16_t type, struct str payload,
                    struct keeper_wait *w)
{
    struct buf *out = c->channel == NULL ? NULL : channel_out(c->channel);
    if (out == NULL)
        return ERR_KEEPER;
    if (c->tail - c->head == KEEPER_IN_FLIGHT_MAX)
        return ERR_OVERLOAD;
    frame_add(out, type, 0, payload);
    if (!buf_ok(out))
        return ERR_KEEPER; /* and the channel will say that it failed */
    struct place *p = place_at(c, c->tail);
    p->type = type;
    list_init(&w->node);
    list_push(&p->waiter, &w->node);
    c->tail++;
    return ERR_OK;
}

enum err keeper_client_caller_key(struct keeper_client *c,
                                  struct keeper_wait *w)
{
    return ask(c, KEEPER_CALLER_KEY, (struct str){NULL, 0}, w);
}

enum err keeper_client_session_key_new(
    struct keeper_client *c,
    const unsigned char session_id[KEEPER_SESSION_ID_LEN],
    struct keeper_wait *w)
{
    struct str id = {(const char *)session_id, KEEPER_SESSION_ID_LEN};
    return ask(c, KEEPER_SESSION_KEY_NEW, id, w);
}

enum err keeper_client_session_key_get(
    struct keeper_client *c,
    const unsigned char session_id[KEEPER_SESSION_ID_LEN],
    struct keeper_wait *w)
{
    struct str id = {(const char *)session_id, KEEPER_SESSION_ID_LEN};
    return ask(c, KEEPER_SESSION_KEY_GET, id, w);
}
