/* Tests keeper/keeper_client, against the real process and a lying one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#include "base/container.h"
#include "fixture.h"
#include "keeper/keeper_client.h"
#include "os/loop.h"

/* A waiter that notes what it was told and stops the loop at the last one. */
struct asker {
    struct keeper_wait wait;
    struct loop *loop;
    unsigned *left;
    unsigned told;
    enum err e;
    char key[KEEPER_KEY_LEN];
    size_t key_len;
};

static void on_done(struct keeper_wait *w, enum err e, struct str key)
{
    struct asker *a = CONTAINER_OF(w, struct asker, wait);
    a->told++;
    a->e = e;
    a->key_len = key.len;
    assert_true(key.len <= sizeof(a->key));
    if (key.len > 0)
        memcpy(a->key, key.ptr, key.len);
    if (--*a->left == 0)
        loop_stop(a->loop);
}

struct bench {
    struct loop *loop;
    struct keeper_client *client;
    unsigned left;
};

static struct bench bench_new(void)
{
    struct bench b = {0};
    assert_int_equal(loop_new(&b.loop), ERR_OK);
    assert_int_equal(keeper_client_new(b.loop, 1, &b.client), ERR_OK);
    return b;
}

static void bench_free(struct bench *b)
{
    keeper_client_free(b->client);
    loop_free(b->loop);
}

static struct asker asker_of(struct bench *b)
{
    b->left++;
    return (
        struct asker){.wait.done = on_done, .loop = b->loop, .left = &b->left};
}

static void test_the_real_process_answers(void **state)
{
    struct fixture *x = *state;
    fixture_start(x, NULL);
    struct bench b = bench_new();
    int fd = fixture_connect_fd(x, FRAME_ROLE_WORKER);
    assert_int_equal(keeper_client_connect(b.client, fd), ERR_OK);
    assert_false(keeper_client_ready(b.client));

    struct asker a[4];
    struct fixture_id id = fixture_id(1), other = fixture_id(2);
    for (size_t i = 0; i < 4; i++)
        a[i] = asker_of(&b);
    const unsigned char *first = (const unsigned char *)id.bytes;
    const unsigned char *second = (const unsigned char *)other.bytes;
    assert_int_equal(keeper_client_caller_key(b.client, &a[0].wait), ERR_OK);
    assert_int_equal(keeper_client_session_key_new(b.client, first, &a[1].wait),
                     ERR_OK);
    assert_int_equal(keeper_client_session_key_new(b.client, first, &a[2].wait),
                     ERR_OK);
    assert_int_equal(keeper_client_session_key_new(b.client, second,
                                                   &a[3].wait),
                     ERR_OK);
    loop_run(b.loop);

    assert_true(keeper_client_ready(b.client));
    static const enum err want[] = {ERR_OK, ERR_OK, ERR_LIMIT, ERR_OK};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(a[i].told, 1);
        assert_int_equal(a[i].e, want[i]);
        assert_int_equal(a[i].key_len, want[i] == ERR_OK ? KEEPER_KEY_LEN : 0);
    }
    assert_memory_not_equal(a[0].key, a[1].key, KEEPER_KEY_LEN);
    assert_memory_not_equal(a[1].key, a[3].key, KEEPER_KEY_LEN);
    bench_free(&b);
}

static void test_a_session_keeps_its_key_over_a_crash(void **state)
{
    struct fixture *x = *state;
    struct bench b = bench_new();
    struct fixture_id id = fixture_id(1), other = fixture_id(2);
    const unsigned char *session = (const unsigned char *)id.bytes;
    fixture_start(x, NULL);
    int fd = fixture_connect_fd(x, FRAME_ROLE_WORKER);
    assert_int_equal(keeper_client_connect(b.client, fd), ERR_OK);
    struct asker made = asker_of(&b);
    assert_int_equal(keeper_client_session_key_new(b.client, session,
                                                   &made.wait),
                     ERR_OK);
    loop_run(b.loop);
    fixture_kill(x);

    fixture_start(x, NULL);
    fd = fixture_connect_fd(x, FRAME_ROLE_WORKER);
    assert_int_equal(keeper_client_connect(b.client, fd), ERR_OK);
    struct asker got = asker_of(&b), none = asker_of(&b);
    assert_int_equal(keeper_client_session_key_get(b.client, session,
                                                   &got.wait),
                     ERR_OK);
    session = (const unsigned char *)other.bytes;
    assert_int_equal(keeper_client_session_key_get(b.client, session,
                                                   &none.wait),
                     ERR_OK);
    loop_run(b.loop);
    assert_int_equal(got.e, ERR_OK);
    assert_memory_equal(got.key, made.key, KEEPER_KEY_LEN);
    assert_int_equal(none.e, ERR_NOT_FOUND);
    assert_int_equal(none.key_len, 0);
    bench_free(&b);
}

static void test_without_a_connection_nothing_is_taken(void **state)
{
    (void)state;
    struct bench b = bench_new();
    struct asker a = asker_of(&b);
    assert_false(keeper_client_ready(b.client));
    assert_int_equal(keeper_client_caller_key(b.client, &a.wait), ERR_KEEPER);
    keeper_wait_cancel(&a.wait); /* was never taken */
    assert_int_equal(a.told, 0);
    bench_free(&b);
    keeper_client_free(NULL);
}

static void
test_a_crash_answers_all_that_wait_and_a_new_one_serves(void **state)
{
    struct fixture *x = *state;
    struct bench b = bench_new();
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
                     0);
    assert_int_equal(keeper_client_connect(b.client, ends[0]), ERR_OK);
    struct asker a[3];
    for (size_t i = 0; i < 3; i++) {
        a[i] = asker_of(&b);
        assert_int_equal(keeper_client_caller_key(b.client, &a[i].wait),
                         ERR_OK);
    }
    (void)close(ends[1]);
    loop_run(b.loop);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(a[i].told, 1);
        assert_int_equal(a[i].e, ERR_KEEPER);
        assert_int_equal(a[i].key_len, 0);
    }
    assert_false(keeper_client_ready(b.client));

    fixture_start(x, NULL);
    int fd = fixture_connect_fd(x, FRAME_ROLE_WORKER);
    assert_int_equal(keeper_client_connect(b.client, fd), ERR_OK);
    a[0] = asker_of(&b);
    assert_int_equal(keeper_client_caller_key(b.client, &a[0].wait), ERR_OK);
    loop_run(b.loop);
    assert_int_equal(a[0].e, ERR_OK);
    bench_free(&b);
}

static void test_a_cancelled_question_keeps_its_place(void **state)
{
    struct fixture *x = *state;
    fixture_start(x, NULL);
    struct bench b = bench_new();
    int fd = fixture_connect_fd(x, FRAME_ROLE_WORKER);
    assert_int_equal(keeper_client_connect(b.client, fd), ERR_OK);
    struct fixture_id id = fixture_id(1);
    struct asker gone = asker_of(&b), stays = asker_of(&b);
    b.left--;
    assert_int_equal(keeper_client_caller_key(b.client, &gone.wait), ERR_OK);
    assert_int_equal(
        keeper_client_session_key_new(b.client, (const unsigned char *)id.bytes,
                                      &stays.wait),
        ERR_OK);
    keeper_wait_cancel(&gone.wait);
    keeper_wait_cancel(&gone.wait);
    loop_run(b.loop);
    assert_int_equal(gone.told, 0);
    assert_int_equal(stays.told, 1);
    assert_int_equal(stays.e, ERR_OK);

    struct wire w; /* and it was the caller's key that was dropped */
    unsigned char caller[KEEPER_KEY_LEN];
    fixture_connect(x, FRAME_ROLE_WORKER, &w);
    assert_int_equal(fixture_ask(&w, KEEPER_CALLER_KEY, (struct str){NULL, 0},
                                 caller),
                     KEEPER_OK);
    assert_memory_not_equal(stays.key, caller, KEEPER_KEY_LEN);
    wire_release(&w);
    bench_free(&b);
}

static void test_what_waits_is_bounded(void **state)
{
    (void)state;
    static struct asker a[KEEPER_IN_FLIGHT_MAX + 1];
    struct bench b = bench_new();
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
                     0);
    assert_int_equal(keeper_client_connect(b.client, ends[0]), ERR_OK);
    for (size_t i = 0; i <= KEEPER_IN_FLIGHT_MAX; i++) {
        a[i] = asker_of(&b);
        assert_int_equal(keeper_client_caller_key(b.client, &a[i].wait),
                         i < KEEPER_IN_FLIGHT_MAX ? ERR_OK : ERR_OVERLOAD);
    }
    bench_free(&b);
    assert_int_equal(a[0].told, 0); /* freeing tells nobody */
    (void)close(ends[1]);
}

#define HELLO "\0\0\0\20\0\1\0\0\0\0\0\1\0\0\0\2\0\0\0\0\0\0\0\0"

static void test_lies_break_the_connection(void **state)
{
    (void)state;
    static const struct str lies[] = {
        STR_INIT("\0\0\0\20\0\1\0\0\0\0\0\1\0\0\0\3\0\0\0\0\0\0\0\0"),
        STR_INIT(HELLO "\0\0\0\0\0\20\0\0"),     /* no status */
        STR_INIT(HELLO "\0\0\0\1\0\20\0\0\1"),   /* no key */
        STR_INIT(HELLO "\0\0\0\1\0\20\0\0\4"),   /* no such status */
        STR_INIT(HELLO "\0\0\0\2\0\20\0\0\2x"),  /* a byte too many */
        STR_INIT(HELLO "\0\0\0\1\0\20\0\0\2"),   /* another's status: exists */
        STR_INIT(HELLO "\0\0\0\1\0\20\0\0\3"),   /* and missing */
        STR_INIT(HELLO "\0\0\0\1\0\21\0\0\0"),   /* of another request */
        STR_INIT(HELLO "\0\0\0\1\0\20\0\1\0"),   /* flags */
        STR_INIT(HELLO "\0\0\0\1\0\20\x80\0\0"), /* a descriptor that */
                                                 /* did not come */
        STR_INIT("\0\0\0\1\0\20\0\0\0"),         /* before the hello */
        STR_INIT(HELLO "\xff\0\0\0\0\20\0\0"),   /* too long */
    };
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct bench b = bench_new();
        int ends[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
                                    ends),
                         0);
        assert_int_equal(keeper_client_connect(b.client, ends[0]), ERR_OK);
        struct asker a = asker_of(&b);
        assert_int_equal(keeper_client_caller_key(b.client, &a.wait), ERR_OK);
        assert_int_equal(write(ends[1], lies[i].ptr, lies[i].len),
                         (ssize_t)lies[i].len);
        loop_run(b.loop);
        assert_int_equal(a.told, 1);
        assert_int_equal(a.e, ERR_KEEPER);
        assert_false(keeper_client_ready(b.client));
        bench_free(&b);
        (void)close(ends[1]);
    }
}

static void test_an_answer_nobody_asked_for_breaks_the_connection(void **state)
{
    (void)state;
    struct bench b = bench_new();
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
                     0);
    assert_int_equal(keeper_client_connect(b.client, ends[0]), ERR_OK);
    static const struct str lie =
        STR_INIT(HELLO "\0\0\0\1\0\20\0\0\0\0\0\0\1\0\20\0\0\0");
    assert_int_equal(write(ends[1], lie.ptr, lie.len), (ssize_t)lie.len);
    struct asker a = asker_of(&b);
    assert_int_equal(keeper_client_caller_key(b.client, &a.wait), ERR_OK);
    loop_run(b.loop); /* the first answer is for `a` and stops the loop */
    assert_int_equal(a.e, ERR_KEEPER);
    loop_run(b.loop); /* until nothing is left: the connection is gone */
    assert_false(keeper_client_ready(b.client));
    bench_free(&b);
    (void)close(ends[1]);
}

#define WITH_FIXTURE(test)                                                     \
    cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_the_real_process_answers),
        WITH_FIXTURE(test_a_session_keeps_its_key_over_a_crash),
        cmocka_unit_test(test_without_a_connection_nothing_is_taken),
        WITH_FIXTURE(test_a_crash_answers_all_that_wait_and_a_new_one_serves),
        WITH_FIXTURE(test_a_cancelled_question_keeps_its_place),
        cmocka_unit_test(test_what_waits_is_bounded),
        cmocka_unit_test(test_lies_break_the_connection),
        cmocka_unit_test(test_an_answer_nobody_asked_for_breaks_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
