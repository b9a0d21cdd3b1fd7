/* Tests os/loop: posts from other threads, hooks, polls, the end of a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/container.h"
#include "base/err.h"
#include "os/clock.h"
#include "os/loop.h"
#include "os/timer.h"

enum { POSTERS = 4, POSTS_EACH = 5000 };

struct tally {
    struct loop *l;
    struct timer keep; /* keeps the loop running meanwhile */
    int next[POSTERS];
    int total;
};

struct note {
    struct tally *t;
    int poster, number;
};

struct poster {
    pthread_t thread;
    struct tally *t;
    int id;
    struct note notes[POSTS_EACH];
};

static void never(struct timer *t)
{
    (void)t;
    fail_msg("the loop should have ended before");
}

static void on_note(void *arg)
{
    struct note *n = arg;
    /* Each poster's notes come in its own order. */
    assert_int_equal(n->number, n->t->next[n->poster]++);
    if (++n->t->total == POSTERS * POSTS_EACH) {
        timer_cancel(&n->t->keep);
        loop_stop(n->t->l);
    }
}

static void *post_all(void *arg)
{
    struct poster *p = arg;
    for (int i = 0; i < POSTS_EACH; i++) {
        p->notes[i] = (struct note){p->t, p->id, i};
        assert_true(loop_post(p->t->l, on_note, &p->notes[i]));
    }
    return NULL;
}

static void test_posts_of_other_threads_all_run_in_order(void **state)
{
    (void)state;
    static struct poster posters[POSTERS];
    struct tally t = {0};
    assert_int_equal(loop_new(&t.l), ERR_OK);
    timer_set(t.l, &t.keep, 20000, never);
    for (int i = 0; i < POSTERS; i++) {
        posters[i].t = &t;
        posters[i].id = i;
        pthread_create(&posters[i].thread, NULL, post_all, &posters[i]);
    }
    loop_run(t.l);
    assert_int_equal(t.total, POSTERS * POSTS_EACH);
    for (int i = 0; i < POSTERS; i++)
        pthread_join(posters[i].thread, NULL);
    loop_free(t.l);
}

/* A hook that appends its letter; what it does besides is in its fields. */
struct letter {
    struct loop_hook hook;
    struct loop *l;
    char c;
    char *word;
    struct loop_hook *removes;
    struct letter *feeds; /* queued work for a hook that ran before us */
    void (*posts)(void *arg);
    int wanted; /* times it has something to say */
};

static void say(struct loop_hook *h)
{
    struct letter *me = CONTAINER_OF(h, struct letter, hook);
    if (me->wanted == 0)
        return;
    me->wanted--;
    char *end = me->word;
    while (*end != '\0')
        end++;
    end[0] = me->c;
    end[1] = '\0';
    if (me->removes != NULL)
        loop_hook_remove(me->removes);
    if (me->feeds != NULL) {
        me->feeds->wanted++;
        loop_hook_again(me->l);
    }
    if (me->posts != NULL)
        assert_true(loop_post(me->l, me->posts, me));
}

static void test_hooks_run_in_order_before_the_loop_sleeps(void **state)
{
    (void)state;
    struct loop *l;
    assert_int_equal(loop_new(&l), ERR_OK);
    char word[32] = "";
    struct letter a = {{.run = say}, .l = l, .c = 'a', .word = word},
                  b = {{.run = say}, .l = l, .c = 'b', .word = word},
                  c = {{.run = say}, .l = l, .c = 'c', .word = word},
                  d = {{.run = say}, .l = l, .c = 'd', .word = word};
    a.wanted = b.wanted = c.wanted = d.wanted = 1;
    b.removes = &c.hook; /* the next one */
    d.removes = &d.hook; /* itself */
    d.feeds = &a;
    loop_hook_add(l, &a.hook);
    loop_hook_add(l, &b.hook);
    loop_hook_add(l, &c.hook);
    loop_hook_add(l, &d.hook);
    loop_run(l);
    assert_string_equal(word, "abda");
    loop_hook_remove(&a.hook);
    loop_hook_remove(&b.hook);
    loop_free(l);
}

static void finish(void *arg)
{
    struct letter *me = arg;
    me->word[0] = '!';
    loop_stop(me->l);
}

static void test_a_post_of_a_hook_does_not_wait_for_the_sleep(void **state)
{
    (void)state;
    struct loop *l;
    assert_int_equal(loop_new(&l), ERR_OK);
    char word[32] = "";
    struct letter a = {{.run = say}, .l = l,          .c = 'a',
                       .word = word, .posts = finish, .wanted = 1};
    struct timer keep = {0};
    timer_set(l, &keep, 20000, never);
    loop_hook_add(l, &a.hook);
    int64_t from = clock_monotonic_ms();
    loop_run(l);
    assert_true(clock_monotonic_ms() - from < 5000);
    assert_int_equal(word[0], '!');
    timer_cancel(&keep);
    loop_hook_remove(&a.hook);
    loop_free(l);
}

static void count(void *arg)
{
    ++*(int *)arg;
}

static void test_posts_before_the_run_and_at_the_end_are_kept(void **state)
{
    (void)state;
    struct loop *l;
    assert_int_equal(loop_new(&l), ERR_OK);
    int n = 0;
    assert_true(loop_post(l, count, &n));
    loop_run(l);
    assert_int_equal(n, 1);
    assert_true(loop_post(l, count, &n));
    loop_free(l); /* runs what was promised */
    assert_int_equal(n, 2);
}

/* What ends somebody's rights is never lost because a queue is full. */
static void rule_21_a_full_queue_loses_nothing_that_matters(void **state)
{
    (void)state;
    struct loop *l;
    int n = 0;
    int status = 0;
    assert_int_equal(loop_new(&l), ERR_OK);
    assert_true(loop_post_surely(l, count, &n));
    for (int i = 1; i < LOOP_POSTS_MAX; i++)
        assert_true(loop_post(l, count, &n));
    assert_false(loop_post(l, count, &n));
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)signal(SIGABRT, SIG_DFL);
        (void)!loop_post_surely(l, count, &n);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    loop_free(l);
    assert_int_equal(n, LOOP_POSTS_MAX);
}

struct reader {
    struct loop_poll *poll;
    int fd, events, calls;
};

static void on_ready(void *user, int events)
{
    struct reader *r = user;
    r->events |= events;
    r->calls++;
    char c;
    if ((events & LOOP_READABLE) != 0 && read(r->fd, &c, 1) == 1)
        return; /* level-triggered: the rest comes again */
    loop_poll_free(r->poll);
}

static void test_a_poll_tells_until_everything_is_read(void **state)
{
    (void)state;
    struct loop *l;
    assert_int_equal(loop_new(&l), ERR_OK);
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct reader r = {.fd = pair[0]};
    assert_int_equal(loop_poll_new(l, pair[0], on_ready, &r, &r.poll), ERR_OK);
    assert_int_equal(loop_poll_set(r.poll, LOOP_READABLE), ERR_OK);
    assert_int_equal(write(pair[1], "abc", 3), 3);
    close(pair[1]);
    loop_run(l); /* ends, since the poll was the last thing to wait for */
    assert_int_equal(r.calls, 4);
    assert_int_equal(r.events, LOOP_READABLE);
    close(pair[0]);
    loop_free(l);
}

static void test_the_clocks_of_a_turn_are_near_the_systems(void **state)
{
    (void)state;
    struct loop *l;
    assert_int_equal(loop_new(&l), ERR_OK);
    int64_t wall = loop_wall_us(l);
    assert_true(wall - clock_wall_us() < 1000000);
    assert_int_equal(loop_wall_us(l), wall); /* cached */
    assert_true(clock_monotonic_ms() - loop_now_ms(l) < 1000);
    struct siphash_key seed = loop_seed(l);
    assert_true(seed.k0 != 0 || seed.k1 != 0);
    loop_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_posts_of_other_threads_all_run_in_order),
        cmocka_unit_test(test_hooks_run_in_order_before_the_loop_sleeps),
        cmocka_unit_test(test_a_post_of_a_hook_does_not_wait_for_the_sleep),
        cmocka_unit_test(test_posts_before_the_run_and_at_the_end_are_kept),
        cmocka_unit_test(rule_21_a_full_queue_loses_nothing_that_matters),
        cmocka_unit_test(test_a_poll_tells_until_everything_is_read),
        cmocka_unit_test(test_the_clocks_of_a_turn_are_near_the_systems),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
