/*
 * loop.h - one event loop per thread, over libuv.
 *
 * A loop belongs to the thread that runs it; only loop_post() may be called
 * from elsewhere.  Time is read once per turn: loop_now_ms() is monotonic,
 * loop_wall_us() is Unix time; both are cached, so a turn sees one instant.
 *
 * A turn: events run; then the turn hooks run, once, before the loop sleeps.
 * What should be sent "once per turn, in one write" is flushed in a hook.
 */
#ifndef OS_LOOP_H
#define OS_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/list.h"
#include "base/siphash.h"

struct loop;

MUST_CHECK enum err loop_new(struct loop **ret_loop);
/* The loop must have stopped; closes what is left, then frees. */
void loop_free(struct loop *l);

/* Runs until loop_stop(), or until nothing is left to wait for. */
void loop_run(struct loop *l);
/* Inside loop_run(): what is left to a hook will be done.  Own thread only. */
bool loop_is_running(const struct loop *l);
/* Ends loop_run() after the current turn.  Own thread only. */
void loop_stop(struct loop *l);

int64_t loop_now_ms(const struct loop *l);
int64_t loop_wall_us(const struct loop *l);

/* The loop of the calling thread's run, as libuv knows it (uv_loop_t *). */
void *loop_uv(struct loop *l);

/* A buffer of the loop for reads, valid until the next event; *ret_len bytes.
 */
char *loop_scratch(struct loop *l, size_t *ret_len);

/* The wheel of the loop's timers, for os/timer.h. */
struct timer_wheel;
struct timer_wheel *loop_timers(struct loop *l);

/* A hash seed drawn when the loop was made. */
struct siphash_key loop_seed(const struct loop *l);

/* Turn hooks: embedded in their owner, run in the order added. */
struct loop_hook {
    struct list node;
    void (*run)(struct loop_hook *h);
};
void loop_hook_add(struct loop *l, struct loop_hook *h);
void loop_hook_remove(struct loop_hook *h);

/*
 * Work was queued for a hook, perhaps by a hook that runs after it: the
 * hooks run once more before the loop sleeps.  Costs nothing otherwise.
 */
void loop_hook_again(struct loop *l);

/*
 * Runs `run(arg)` on the loop's own thread, soon, in order.  Any thread.
 * False once the loop has begun to close, or when LOOP_POSTS_MAX wait
 * already; then `run` is never called.
 */
enum { LOOP_POSTS_MAX = 1 << 20 };
MUST_CHECK bool loop_post(struct loop *l, void (*run)(void *arg), void *arg);

/* The same for what must not be lost, such as a revocation: false means that
 * the loop has begun to close, and nothing else.  Where there is no room for
 * it, the process ends; it will be started again. */
MUST_CHECK bool loop_post_surely(struct loop *l, void (*run)(void *arg),
                                 void *arg);

/*
 * Calls `ready` whenever `fd` is as loop_poll_set() asks (level-triggered). The
 * fd stays the caller's.  Used by channels and by databases' sockets.
 */
struct loop_poll;
enum { LOOP_READABLE = 1, LOOP_WRITABLE = 2 };
MUST_CHECK enum err loop_poll_new(struct loop *l, int fd,
                                  void (*ready)(void *user, int events),
                                  void *user, struct loop_poll **ret);
/*
 * `events` is LOOP_READABLE and/or LOOP_WRITABLE; 0, as after _new, pauses.
 * An error of the socket is reported once as both, and pauses.
 */
MUST_CHECK enum err loop_poll_set(struct loop_poll *p, int events);
/* Stops at once; frees later.  NULL is allowed. */
void loop_poll_free(struct loop_poll *p);

#endif
