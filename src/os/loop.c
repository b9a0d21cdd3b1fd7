/* loop.c - see loop.h. */
#include "os/loop.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <uv.h>

#include "base/container.h"
#include "os/clock.h"
#include "os/timer.h"

enum {
    SCRATCH_LEN = 64 * 1024, /* as much as libuv asks for in one read */
    POSTS_ROOM_MIN = 64,
    HOOK_PASSES_MAX = 8, /* then the sockets get their turn */
};

struct post {
    void (*run)(void *arg);
    void *arg;
};

struct posts {
    struct post *at; /* heap */
    size_t count, room;
};

struct loop {
    uv_loop_t uv;
    uv_async_t wake;
    uv_prepare_t turn_end;
    struct timer_wheel *timers;
    struct siphash_key seed;

    struct list hooks;
    bool again; /* somebody queued work for a hook */
    bool stopping;

    int64_t wall_us; /* of this turn; 0: not read yet */
    int64_t *wall;   /* &wall_us, so that reading it may fill it */

    pthread_mutex_t lock; /* guards the rest */
    struct posts posts;   /* in order of arrival */
    pthread_t owner;      /* while `running` */
    bool running, woken, closing;

    struct posts spare; /* of the owner: swapped with `posts` */
    char scratch[SCRATCH_LEN];
};

static bool grow(struct posts *p)
{
    size_t room = p->room == 0 ? POSTS_ROOM_MIN : p->room * 2;
    struct post *at = realloc(p->at, room * sizeof(*at));
    if (at == NULL)
        return false;
    p->at = at;
    p->room = room;
    return true;
}

/* In the lock, since `wake` is open only while we are not closing. */
static void wake(struct loop *l)
{
    /* The owner looks before it sleeps, so its own posts cost no call. */
    if (l->running && pthread_equal(l->owner, pthread_self())) {
        l->again = true;
    } else if (!l->woken) {
        l->woken = true;
        (void)uv_async_send(&l->wake);
    }
}

/* *ret_closing: that is why not. */
static bool post(struct loop *l, struct post it, bool *ret_closing)
{
    (void)pthread_mutex_lock(&l->lock);
    struct posts *p = &l->posts;
    *ret_closing = l->closing;
    bool ok = !l->closing && p->count < LOOP_POSTS_MAX &&
              (p->count < p->room || grow(p));
    if (ok) {
        p->at[p->count++] = it;
        wake(l);
    }
    (void)pthread_mutex_unlock(&l->lock);
    return ok;
}

bool loop_post(struct loop *l, void (*run)(void *arg), void *arg)
{
    bool closing;
    return post(l, (struct post){run, arg}, &closing);
}

bool loop_post_surely(struct loop *l, void (*run)(void *arg), void *arg)
{
    bool closing;
    bool ok = post(l, (struct post){run, arg}, &closing);
    if (!ok && !closing)
        abort();
    return ok;
}

/* Runs what was posted up to now; what that posts waits for the next call. */
static void run_posts(struct loop *l)
{
    assert(l->spare.count == 0);
    (void)pthread_mutex_lock(&l->lock);
    struct posts taken = l->posts;
    l->posts = l->spare;
    l->woken = false;
    (void)pthread_mutex_unlock(&l->lock);

    l->spare = (struct posts){0};
    for (size_t i = 0; i < taken.count; i++)
        taken.at[i].run(taken.at[i].arg);
    taken.count = 0;
    free(l->spare.at);
    l->spare = taken;
}

/* A marker walks the list, since a hook may remove any hook. */
static void run_hooks(struct loop *l)
{
    struct list marker;
    list_push_front(&l->hooks, &marker);
    while (marker.next != &l->hooks) {
        struct list *node = marker.next;
        list_remove(&marker);
        list_push_front(node, &marker);
        struct loop_hook *h = CONTAINER_OF(node, struct loop_hook, node);
        h->run(h);
    }
    list_remove(&marker);
}

/*
 * Posts and hooks may feed each other; they run until nothing is left, so
 * that nothing waits for a whole sleep, or until the sockets are due.
 */
static void end_turn(struct loop *l)
{
    int pass = 0;
    do {
        l->again = false;
        run_posts(l);
        run_hooks(l);
    } while (l->again && ++pass < HOOK_PASSES_MAX);
    if (l->again)
        (void)uv_async_send(&l->wake);
    l->wall_us = 0;
}

static void on_turn_end(uv_prepare_t *p)
{
    end_turn(CONTAINER_OF(p, struct loop, turn_end));
}

static void on_wake(uv_async_t *a)
{
    run_posts(CONTAINER_OF(a, struct loop, wake));
}

static void draw_seed(struct loop *l)
{
    ssize_t n = getrandom(&l->seed, sizeof(l->seed), 0);
    assert(n == (ssize_t)sizeof(l->seed)); /* small requests do not fail */
    (void)n;
}

static enum err start(struct loop *l)
{
    if (uv_async_init(&l->uv, &l->wake, on_wake) != 0)
        return ERR_IO;
    (void)uv_prepare_init(&l->uv, &l->turn_end);
    (void)uv_prepare_start(&l->turn_end, on_turn_end);
    /* Neither is a reason to go on running. */
    uv_unref((uv_handle_t *)&l->wake);
    uv_unref((uv_handle_t *)&l->turn_end);
    l->timers = timer_wheel_new(l);
    return l->timers == NULL ? ERR_NO_MEMORY : ERR_OK;
}

enum err loop_new(struct loop **ret_loop)
{
    struct loop *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return ERR_NO_MEMORY;
    if (uv_loop_init(&l->uv) != 0) {
        free(l);
        return ERR_IO;
    }
    /* A peer that is gone is an error of the write, not the end of us. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)pthread_mutex_init(&l->lock, NULL);
    list_init(&l->hooks);
    l->wall = &l->wall_us;
    draw_seed(l);
    enum err e = start(l);
    if (e != ERR_OK)
        loop_free(l);
    else
        *ret_loop = l;
    return e;
}

/* A handle nobody closed: its owner is gone or will not be told. */
static void close_left(uv_handle_t *h, void *unused)
{
    (void)unused;
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

void loop_free(struct loop *l)
{
    if (l == NULL)
        return;
    (void)pthread_mutex_lock(&l->lock);
    l->closing = true;
    (void)pthread_mutex_unlock(&l->lock);
    run_posts(l); /* what loop_post() promised still runs */

    if (l->timers != NULL)
        (void)uv_prepare_stop(&l->turn_end);
    (void)uv_run(&l->uv, UV_RUN_NOWAIT); /* closings under way */
    timer_wheel_free(l->timers);
    do {
        uv_walk(&l->uv, close_left, NULL);
        (void)uv_run(&l->uv, UV_RUN_DEFAULT);
    } while (uv_loop_close(&l->uv) != 0);
    (void)pthread_mutex_destroy(&l->lock);
    free(l->posts.at);
    free(l->spare.at);
    free(l);
}

static void set_running(struct loop *l, bool running)
{
    (void)pthread_mutex_lock(&l->lock);
    assert(l->running != running);
    l->running = running;
    l->owner = pthread_self();
    (void)pthread_mutex_unlock(&l->lock);
}

bool loop_is_running(const struct loop *l)
{
    return l->running;
}

void loop_run(struct loop *l)
{
    set_running(l, true);
    l->stopping = false;
    end_turn(l); /* posts from before */
    while (!l->stopping && uv_loop_alive(&l->uv)) {
        (void)uv_run(&l->uv, UV_RUN_DEFAULT);
        end_turn(l);
    }
    set_running(l, false);
}

void loop_stop(struct loop *l)
{
    l->stopping = true;
    uv_stop(&l->uv);
}

int64_t loop_now_ms(const struct loop *l)
{
    return (int64_t)uv_now(&l->uv);
}

int64_t loop_wall_us(const struct loop *l)
{
    if (*l->wall == 0)
        *l->wall = clock_wall_us();
    return *l->wall;
}

void *loop_uv(struct loop *l)
{
    return &l->uv;
}

char *loop_scratch(struct loop *l, size_t *ret_len)
{
    *ret_len = sizeof(l->scratch);
    return l->scratch;
}

struct timer_wheel *loop_timers(struct loop *l)
{
    return l->timers;
}

struct siphash_key loop_seed(const struct loop *l)
{
    return l->seed;
}

void loop_hook_add(struct loop *l, struct loop_hook *h)
{
    list_push(&l->hooks, &h->node);
}

void loop_hook_remove(struct loop_hook *h)
{
    list_remove(&h->node);
}

void loop_hook_again(struct loop *l)
{
    l->again = true;
}
