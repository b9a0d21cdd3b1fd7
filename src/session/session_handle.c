/*
 * session_handle.c - one session: its references, its key, and who waits.
 *
 * The phase moves once, from NEW to KEYED or DEAD; who sees KEYED (acquire)
 * sees the key, which is never written again.
 *
 * Whoever waits has a ticket on the heap, so that a wake-up that is on its
 * way to a loop never meets freed memory: cancelling cuts the ticket from its
 * owner, and the ticket goes when the wake-up has arrived.
 */
#include "session/session_handle.h"

#include <assert.h>
#include <stdlib.h>

#include "crypto/hash.h"
#include "os/loop.h"

enum ticket_end {
    TICKET_OPEN = 0,
    TICKET_CANCELLED, /* the owner went; the wake-up frees */
    TICKET_STRANDED,  /* its loop takes no more posts; the owner frees */
};

struct session_ticket {
    struct list node;            /* of the session's tickets */
    bool queued;                 /* on that list; under the session's lock */
    struct session_ticket *next; /* while being woken */
    struct session *session;     /* +1 reference */
    struct loop *loop;
    struct session_wait *wait; /* NULL: cancelled; its own thread's only */
    enum err result;
    _Atomic(enum ticket_end) end;
};

/* These locks have no failure but misuse, which is ours. */
static void lock(struct session *s)
{
    int e = pthread_mutex_lock(&s->lock);
    assert(e == 0);
    (void)e;
}

static void unlock(struct session *s)
{
    int e = pthread_mutex_unlock(&s->lock);
    assert(e == 0);
    (void)e;
}

struct session *session_handle_new(struct str owner)
{
    struct session *s = calloc(1, sizeof(*s) + owner.len);
    if (s == NULL)
        return NULL;
    if (pthread_mutex_init(&s->lock, NULL) != 0) {
        free(s);
        return NULL;
    }
    atomic_init(&s->refs, 1);
    atomic_init(&s->phase, SESSION_NEW);
    list_init(&s->tickets);
    list_init(&s->by_use);
    list_init(&s->by_age);
    list_init(&s->unstored);
    hash_random(s->id, sizeof(s->id));
    memcpy(s->owner, owner.ptr, owner.len);
    s->owner_len = owner.len;
    return s;
}

struct session *session_ref(struct session *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void session_unref(struct session *s)
{
    if (s == NULL)
        return;
    unsigned before =
        atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before > 1)
        return;
    assert(list_empty(&s->tickets)); /* each holds a reference */
    hash_wipe(s->key, sizeof(s->key));
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

const unsigned char *session_id(const struct session *s)
{
    return s->id;
}

const unsigned char *session_root(const struct session *s)
{
    return s->id;
}

bool session_is_ended(const struct session *s)
{
    return atomic_load_explicit(&s->ended, memory_order_acquire);
}

bool session_is_restored(const struct session *s)
{
    return s->restored;
}

void session_count(struct session *s, uint64_t calls, uint64_t tokens)
{
    atomic_fetch_add_explicit(&s->calls, calls, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->tokens, tokens, memory_order_relaxed);
}

struct session_state session_state_of(const struct session *s)
{
    return (struct session_state){
        .calls = atomic_load_explicit(&s->calls, memory_order_relaxed),
        .tokens = atomic_load_explicit(&s->tokens, memory_order_relaxed),
        .opened_ms = s->opened_ms,
    };
}

bool session_has_key(const struct session *s)
{
    return atomic_load_explicit(&s->phase, memory_order_acquire) ==
           SESSION_KEYED;
}

bool session_handle_is_dead(const struct session *s)
{
    return atomic_load_explicit(&s->phase, memory_order_acquire) ==
           SESSION_DEAD;
}

void session_handle_end(struct session *s)
{
    atomic_store_explicit(&s->ended, true, memory_order_release);
}

struct str session_payload_key(const struct session *s)
{
    assert(session_has_key(s));
    return (struct str){(const char *)s->key, sizeof(s->key)};
}

static void ticket_free(struct session_ticket *t)
{
    session_unref(t->session);
    free(t);
}

/* On the loop of the one who waits. */
static void on_arrival(void *arg)
{
    struct session_ticket *t = arg;
    struct session_wait *w = t->wait;
    enum err result = t->result;

    ticket_free(t);
    if (w == NULL)
        return;
    w->ticket = NULL;
    w->done(w, result);
}

/* Sends the wake-up.  A loop that is closing takes none: then the owner, who
 * must cancel, frees the ticket; or it is freed here, if that was first. */
static void wake(struct session_ticket *t)
{
    if (loop_post(t->loop, on_arrival, t))
        return;
    if (atomic_exchange(&t->end, TICKET_STRANDED) == TICKET_CANCELLED)
        ticket_free(t);
}

/* Under the lock: all who wait, as a row, with their result. */
static struct session_ticket *take_tickets(struct session *s, enum err result)
{
    struct session_ticket *taken = NULL;
    LIST_EACH(it, next_it, &s->tickets)
    {
        struct session_ticket *t =
            CONTAINER_OF(it, struct session_ticket, node);
        list_remove(&t->node);
        t->queued = false;
        t->result = result;
        t->next = taken;
        taken = t;
    }
    return taken;
}

static void wake_all(struct session_ticket *woken)
{
    while (woken != NULL) {
        struct session_ticket *t = woken;
        woken = t->next;
        wake(t);
    }
}

/* Moves the phase, and wakes whoever waited for it; not under the lock. */
static void settle(struct session *s, enum session_phase phase, enum err why)
{
    lock(s);
    bool first = atomic_load(&s->phase) == SESSION_NEW;
    if (first) {
        s->why = why;
        atomic_store_explicit(&s->phase, phase, memory_order_release);
    }
    struct session_ticket *woken = take_tickets(s, why);
    unlock(s);
    assert(first || woken == NULL);
    wake_all(woken);
}

/* Its key is there and could not be had now: whoever comes next asks again. */
static void postpone(struct session *s, enum err why)
{
    lock(s);
    struct session_ticket *woken = take_tickets(s, why);
    atomic_store(&s->asked, false);
    unlock(s);
    wake_all(woken);
}

void session_set_key(struct session *s, struct str key)
{
    assert(key.len == SESSION_KEY_LEN);
    assert(atomic_load(&s->phase) == SESSION_NEW); /* once per session */
    memcpy(s->key, key.ptr, SESSION_KEY_LEN);
    settle(s, SESSION_KEYED, ERR_OK);
}

void session_fail(struct session *s, enum err why)
{
    assert(why != ERR_OK);
    if (s->restored && why != ERR_NOT_FOUND)
        postpone(s, why);
    else
        settle(s, SESSION_DEAD, why);
}

enum err session_await(struct session *s, struct loop *l,
                       struct session_wait *w)
{
    assert(w->ticket == NULL);
    struct session_ticket *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return ERR_NO_MEMORY;
    t->session = session_ref(s);
    t->loop = l;
    t->wait = w;
    w->ticket = t;

    lock(s);
    enum session_phase phase = atomic_load(&s->phase);
    t->queued = phase == SESSION_NEW;
    if (t->queued)
        list_push(&s->tickets, &t->node);
    else
        t->result = s->why;
    unlock(s);
    if (phase != SESSION_NEW)
        wake(t);
    return ERR_OK;
}

void session_wait_cancel(struct session_wait *w)
{
    struct session_ticket *t = w->ticket;
    if (t == NULL)
        return;
    w->ticket = NULL;
    t->wait = NULL;

    lock(t->session);
    bool queued = t->queued;
    if (queued)
        list_remove(&t->node);
    unlock(t->session);
    if (queued || atomic_exchange(&t->end, TICKET_CANCELLED) == TICKET_STRANDED)
        ticket_free(t);
}
