/*
 * hub_net.c - how hubs reach each other, and the offers that all know.
 *
 * A slot tells where a worker is; its lock is held while something is posted,
 * so that nothing is posted to a loop that may be gone.  What was posted when
 * a hub went finds nobody and is dropped: whoever waits for it is told so by
 * the hub that goes (hub.c).
 */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "mcp/hub_part.h"
#include "os/loop.h"

enum { STRIPES = 16 };

struct slot {
    pthread_mutex_t lock;
    struct loop *loop; /* NULL: nobody is there */
    struct hub *hub;   /* read and written on its own thread only */
};

struct known {
    struct hub_offer *offer;
    size_t len;
    char key[];
};

struct shelf {
    pthread_mutex_t lock;
    struct map offers; /* -> struct known */
};

struct hub_net {
    _Atomic(size_t) refs; /* its owner's, and one for each note on its way */
    struct siphash_key seed;
    struct shelf shelves[STRIPES];
    struct hub_list_set lists;
    unsigned workers;
    struct slot slots[];
};

/* These locks have no failure but misuse, which is ours. */
static void lock(pthread_mutex_t *m)
{
    int e = pthread_mutex_lock(m);
    assert(e == 0);
    (void)e;
}

static void unlock(pthread_mutex_t *m)
{
    int e = pthread_mutex_unlock(m);
    assert(e == 0);
    (void)e;
}

static void init_lock(pthread_mutex_t *m)
{
    int e = pthread_mutex_init(m, NULL);
    assert(e == 0); /* glibc's cannot fail without attributes */
    (void)e;
}

enum err hub_net_new(unsigned workers, struct hub_net **ret)
{
    assert(workers > 0 && workers <= 1u << HUB_WORKERS_BITS);
    struct hub_net *n = calloc(1, sizeof(*n) + workers * sizeof(n->slots[0]));
    if (n == NULL)
        return ERR_NO_MEMORY;
    atomic_init(&n->refs, 1);
    n->workers = workers;
    n->seed = hash_random_seed();
    for (unsigned i = 0; i < workers; i++)
        init_lock(&n->slots[i].lock);
    for (unsigned i = 0; i < STRIPES; i++) {
        init_lock(&n->shelves[i].lock);
        map_init(&n->shelves[i].offers, hash_random_seed(),
                 (size_t)HUB_LINKS_MAX * workers);
    }
    hub_list_init(&n->lists, (size_t)HUB_LINKS_MAX * workers);
    *ret = n;
    return ERR_OK;
}

static void known_free(struct known *k)
{
    if (k == NULL)
        return;
    hub_offer_unref(k->offer);
    free(k);
}

static void unref(struct hub_net *n)
{
    size_t at = 0;
    struct str key;
    void *value;

    if (atomic_fetch_sub_explicit(&n->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (unsigned i = 0; i < n->workers; i++)
        (void)pthread_mutex_destroy(&n->slots[i].lock);
    for (unsigned i = 0; i < STRIPES; i++) {
        for (at = 0; map_next(&n->shelves[i].offers, &at, &key, &value);)
            known_free(value);
        map_release(&n->shelves[i].offers);
        (void)pthread_mutex_destroy(&n->shelves[i].lock);
    }
    hub_list_release(&n->lists);
    free(n);
}

void hub_net_free(struct hub_net *n)
{
    if (n != NULL)
        unref(n);
}

struct hub_list_set *hub_net_lists(struct hub_net *net)
{
    return &net->lists;
}

unsigned hub_net_workers(const struct hub_net *net)
{
    return net->workers;
}

unsigned hub_net_owner(const struct hub_net *net, struct str server)
{
    return (unsigned)(siphash(net->seed, server) % net->workers);
}

void hub_net_enter(struct hub_net *net, struct hub *h)
{
    struct slot *s = &net->slots[h->number];
    lock(&s->lock);
    assert(s->loop == NULL);
    s->loop = h->loop;
    s->hub = h;
    unlock(&s->lock);
}

void hub_net_leave(struct hub_net *net, struct hub *h)
{
    struct slot *s = &net->slots[h->number];
    lock(&s->lock);
    s->loop = NULL;
    s->hub = NULL;
    unlock(&s->lock);
}

static void on_arrival(void *arg)
{
    struct hub_note *n = arg;
    struct hub_net *net = n->net;
    struct hub *h = net->slots[n->to].hub;

    if (h != NULL)
        n->run(h, n);
    else
        n->drop(n);
    unref(net);
}

bool hub_net_post(struct hub_net *net, unsigned to, struct hub_note *n,
                  bool surely)
{
    assert(to < net->workers);
    struct slot *s = &net->slots[to];

    n->net = net;
    n->to = to;
    atomic_fetch_add_explicit(&net->refs, 1, memory_order_relaxed);
    lock(&s->lock);
    bool ok =
        s->loop != NULL && (surely ? loop_post_surely(s->loop, on_arrival, n)
                                   : loop_post(s->loop, on_arrival, n));
    unlock(&s->lock);
    if (!ok)
        unref(net);
    return ok;
}

/* ---- offers ---- */

static struct shelf *shelf_of(struct hub_net *net, struct str key)
{
    return &net->shelves[siphash(net->seed, key) % STRIPES];
}

void hub_net_know(struct hub_net *net, struct str key, struct hub_offer *o)
{
    struct shelf *s = shelf_of(net, key);
    struct known *fresh =
        o == NULL ? NULL : calloc(1, sizeof(*fresh) + key.len);

    if (fresh != NULL) {
        fresh->offer = hub_offer_ref(o);
        fresh->len = key.len;
        memcpy(fresh->key, key.ptr, key.len);
    }
    lock(&s->lock);
    struct known *old = map_take(&s->offers, key);
    /* One that has no room is asked for again. */
    if (fresh != NULL &&
        map_set(&s->offers, (struct str){fresh->key, fresh->len}, fresh) ==
            ERR_OK)
        fresh = NULL;
    unlock(&s->lock);
    known_free(old);
    known_free(fresh);
}

struct hub_offer *hub_net_known(struct hub_net *net, struct str key)
{
    struct shelf *s = shelf_of(net, key);
    struct hub_offer *o = NULL;

    lock(&s->lock);
    struct known *k = map_get(&s->offers, key);
    if (k != NULL)
        o = hub_offer_ref(k->offer);
    unlock(&s->lock);
    return o;
}
