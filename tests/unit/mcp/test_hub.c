/* Tests mcp/hub: what goes from worker to worker, and who is told what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <time.h>

#include "hub_fixture.h"

static const char *const result_text =
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[],\"isError\":true}"
    "}";
static const char *const error_text =
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,\"message\":"
    "\"no\",\"data\":{\"a\":1}}}";
static const char *const progress_text =
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{"
    "\"progressToken\":1, \"progress\":1}}";
static const char *const ask_text =
    "{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"elicitation/create\","
    "\"params\":{\"message\":\"who?\"}}";

/* On the owner's loop: something comes for the call of `p`. */
static void fake_for(unsigned owner, const struct probe *p, enum fake_kind kind,
                     const char *text)
{
    enum method m = kind == FAKE_ASK ? METHOD_ELICIT : METHOD_PROGRESS;
    fake_do(node.places[owner].loop,
            (struct fake_event){.kind = kind,
                                .number = p->call.number,
                                .err = ERR_UPSTREAM,
                                .sent = true,
                                .method = m,
                                .text = text});
}

static void test_numbers_are_unique_and_name_their_worker(void **state)
{
    (void)state;
    uint64_t last = 0;
    for (unsigned w = 0; w < WORKERS; w++) {
        for (unsigned i = 0; i < 100; i++) {
            uint64_t n = hub_number(node.places[w].hub);
            assert_true(n != last && n != 0);
            assert_true(n < MESSAGE_INTEGER_MAX);
            assert_int_equal(hub_number_worker(n), w);
            last = n;
        }
    }
    assert_true(hub_number(node.places[0].hub) !=
                hub_number(node.places[1].hub));
}

static void test_an_answer_comes_to_the_worker_that_asked(void **state)
{
    (void)state;
    for (unsigned asker = 0; asker < WORKERS; asker++) {
        struct mcp_session *s = session_at(1);
        struct hub_to to = to_server(s, &server);
        struct probe *p = probe_at(asker);
        assert_false(is_known(asker, &to));
        open_by(p, &to);
        await(p, 1);
        assert_int_equal(p->events[0].kind, HUB_OPENED);
        assert_int_equal(p->offer->page->count, 1);
        assert_true(str_eq(p->offer->page->tools[0].name, STR("echo")));
        assert_true(str_eq(p->offer->name, STR("fake")));
        assert_true(str_eq(p->offer->instructions, STR("be kind")));
        assert_int_equal(fake.offers, METHOD_HAS_SAMPLING);
        assert_true(fake.authorized);
        assert_false(hub_offer_is_settled(p->offer, 7));
        hub_offer_settle(p->offer, 7);
        assert_true(hub_offer_is_settled(p->offer, 7));
        hub_offer_settle(p->offer, 8); /* of one catalog, the latest */
        assert_false(hub_offer_is_settled(p->offer, 7));
        /* What one worker knows, all do. */
        assert_true(is_known(0, &to));
        assert_true(is_known(1, &to));

        send_by(p, &to, METHOD_TOOLS_CALL);
        settle();
        fake_for(1, p, FAKE_ANSWER, result_text);
        await(p, 2);
        assert_int_equal(p->events[1].kind, HUB_ANSWERED);
        assert_int_equal(p->events[1].method, METHOD_TOOLS_CALL);
        assert_true(p->events[1].is_tool_error);
        assert_false(p->events[1].is_error);
        assert_string_equal(p->events[1].text,
                            "{\"content\":[],\"isError\":true}");

        send_by(p, &to, METHOD_RESOURCES_READ);
        settle();
        fake_for(1, p, FAKE_ANSWER, error_text);
        await(p, 3);
        assert_true(p->events[2].is_error);
        assert_int_equal(p->events[2].code, -32602);
        assert_string_equal(
            p->events[2].text,
            "{\"code\":-32602,\"message\":\"no\",\"data\":{\"a\":1}}");

        send_by(p, &to, METHOD_RESOURCES_READ);
        settle();
        fake_for(1, p, FAKE_FAIL, NULL);
        await(p, 4);
        assert_int_equal(p->events[3].kind, HUB_FAILED);
        assert_int_equal(p->events[3].err, ERR_UPSTREAM);
        assert_true(p->events[3].sent);
        assert_int_equal(fake.opens, asker + 1);
        assert_int_equal(fake.lists, asker + 1);
        mcp_session_unref(s);
        probe_free(p);
    }
}

static void test_notices_wait_for_credit(void **state)
{
    (void)state;
    enum { SENT = 200 };
    struct mcp_session *s = session_at(1);
    struct hub_to to = to_server(s, &server);
    struct probe *p = probe_at(0);
    send_by(p, &to, METHOD_RESOURCES_READ);
    settle();
    for (unsigned i = 0; i < SENT; i++)
        fake_for(1, p, FAKE_NOTICE, progress_text);
    settle();
    /* One may come from the beginning. */
    assert_int_equal(count_of(p), 1);
    assert_int_equal(p->events[0].kind, HUB_NOTICE);
    assert_int_equal(p->events[0].method, METHOD_PROGRESS);
    assert_string_equal(p->events[0].text,
                        "{\"progressToken\":1,\"progress\":1}");
    assert_int_equal(fake.pauses, 1);
    next_by(p);
    next_by(p);
    settle();
    assert_int_equal(count_of(p), 3);
    assert_int_equal(fake.resumes, 0);
    for (unsigned i = 0; i < HUB_EVENTS_MAX; i++)
        next_by(p);
    settle();
    /* The others were dropped, and there is credit again. */
    assert_int_equal(count_of(p), 1 + HUB_EVENTS_MAX);
    assert_int_equal(fake.resumes, 1);
    for (unsigned i = 0; i < 10; i++)
        fake_for(1, p, FAKE_NOTICE, progress_text);
    settle();
    assert_int_equal(count_of(p), 1 + HUB_EVENTS_MAX + 2);
    /* The answer needs no credit; what came before it comes before. */
    fake_for(1, p, FAKE_ANSWER, result_text);
    await(p, 1 + HUB_EVENTS_MAX + 2 + 8 + 1);
    for (unsigned i = 0; i + 1 < p->count; i++)
        assert_int_equal(p->events[i].kind, HUB_NOTICE);
    assert_int_equal(p->events[p->count - 1].kind, HUB_ANSWERED);
    mcp_session_unref(s);
    probe_free(p);
}

/* A notice with `n` bytes of text. */
static void fill(char *to, size_t n)
{
    static const struct str before =
        STR_INIT("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\","
                 "\"params\":{\"message\":\"");
    static const char after[] = "\"}}";
    memcpy(to, before.ptr, before.len);
    memset(to + before.len, 'x', n);
    memcpy(to + before.len + n, after, sizeof(after));
}

static void test_waiting_notices_are_bounded_in_bytes(void **state)
{
    (void)state;
    enum { PART = 400 * 1024, WHOLE = HUB_EVENT_BYTES_MAX };
    static char large[PART + 128], too_large[WHOLE + 128];
    struct mcp_session *s = session_at(1);
    struct hub_to to = to_server(s, &server);
    struct probe *p = probe_at(0);
    fill(large, PART);
    fill(too_large, WHOLE);
    send_by(p, &to, METHOD_RESOURCES_READ);
    settle();
    fake_for(1, p, FAKE_NOTICE, too_large); /* it never could be handed on */
    for (unsigned i = 0; i < 10; i++)
        fake_for(1, p, FAKE_NOTICE, large);
    fake_for(1, p, FAKE_ANSWER, result_text);
    await(p, 1 + WHOLE / PART + 1);
    settle();
    assert_int_equal(count_of(p), 1 + WHOLE / PART + 1);
    assert_int_equal(fake.pauses, 1);
    mcp_session_unref(s);
    probe_free(p);
}

static void test_what_a_server_takes_back_is_not_answered(void **state)
{
    (void)state;
    static const char *const taken_back =
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
        "\"params\":{\"requestId\":\"q\"}}";
    struct mcp_session *s = session_at(1);
    struct hub_to to = to_server(s, &server);
    struct probe *p = probe_at(0);
    p->asks_for_more = true;
    send_by(p, &to, METHOD_RESOURCES_READ);
    settle();
    fake_for(1, p, FAKE_ASK, ask_text);
    await(p, 1);
    fake_do(node.places[1].loop, (struct fake_event){.kind = FAKE_NOTICE,
                                                     .number = p->call.number,
                                                     .method = METHOD_CANCELLED,
                                                     .text = taken_back});
    await(p, 2);
    assert_int_equal(p->events[1].kind, HUB_NOTICE);
    assert_int_equal(p->events[1].method, METHOD_CANCELLED);
    assert_string_equal(p->events[1].text, "{\"requestId\":\"q\"}");
    request((struct request){.probe = p, .what = ASK_ANSWER, .text = "q"});
    cancel_by(p);
    settle();
    assert_int_equal(fake.answers, 0);
    assert_int_equal(fake.refusals, 0);
    mcp_session_unref(s);
    probe_free(p);
}

static void test_what_a_server_asks_is_answered_once(void **state)
{
    (void)state;
    struct mcp_session *s = session_at(1);
    struct hub_to to = to_server(s, &server);
    struct probe *p = probe_at(0);
    p->asks_for_more = true;
    send_by(p, &to, METHOD_RESOURCES_READ);
    settle();
    fake_for(1, p, FAKE_ASK, ask_text);
    await(p, 1);
    assert_int_equal(p->events[0].kind, HUB_ASKED);
    assert_int_equal(p->events[0].method, METHOD_ELICIT);
    assert_string_equal(p->events[0].id, "q");
    assert_string_equal(p->events[0].text, "{\"message\":\"who?\"}");
    request((struct request){.probe = p, .what = ASK_ANSWER, .text = "other"});
    settle();
    assert_int_equal(fake.answers, 0);
    request((struct request){.probe = p, .what = ASK_ANSWER, .text = "q"});
    request((struct request){.probe = p, .what = ASK_ANSWER, .text = "q"});
    settle();
    assert_int_equal(fake.answers, 1);

    /* So many may wait for an answer; the others are refused. */
    for (unsigned i = 0; i < 20; i++)
        fake_for(1, p, FAKE_ASK, ask_text);
    await(p, 1 + 16);
    settle();
    assert_int_equal(count_of(p), 1 + 16);
    assert_int_equal(fake.refusals, 4);
    /* Those nobody has answered are answered when the call ends. */
    fake_for(1, p, FAKE_ANSWER, result_text);
    await(p, 18);
    assert_int_equal(p->events[17].kind, HUB_ANSWERED);
    settle();
    assert_int_equal(fake.refusals, 20);

    send_by(p, &to, METHOD_RESOURCES_READ);
    settle();
    fake_for(1, p, FAKE_ASK, ask_text);
    settle();
    cancel_by(p);
    settle();
    assert_int_equal(fake.refusals, 21);
    assert_int_equal(fake.cancels, 1);
    mcp_session_unref(s);
    probe_free(p);
}

/* Whatever is on its way when somebody gives up: nothing comes after. */
static void test_nothing_comes_after_a_cancel(void **state)
{
    (void)state;
    enum { ROUNDS = 300 };
    struct mcp_session *s[2] = {session_at(0), session_at(1)};
    fake.echoes = true;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct hub_to to = to_server(s[i % 2], &server);
        struct probe *p = probe_at(i / 2 % 2);
        switch (i % 5) {
        case 0:
            open_by(p, &to);
            break;
        case 1:
            request(
                (struct request){.probe = p, .to = &to, .what = ASK_LISTEN});
            break;
        default:
            fake.echoes = i % 5 == 2;
            send_by(p, &to, METHOD_RESOURCES_READ);
            break;
        }
        if (i % 3 == 0)
            at(i % 2, do_nothing, NULL);
        if (i % 5 == 4)
            fake_for(i % 2, p, FAKE_NOTICE, progress_text);
        cancel_by(p);
        unsigned n = count_of(p);
        assert_null(p->call.state);
        settle();
        assert_int_equal(count_of(p), n);
        cancel_by(p); /* allowed when idle */
        probe_free(p);
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        mcp_session_unref(s[i]);
        assert_null(fake_find(node.places[i].loop, 1));
    }
    assert_int_equal(fake.opens, 2);
}

static void test_one_listens_and_the_next_takes_over(void **state)
{
    (void)state;
    static const char *const log_text =
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\","
        "\"params\":{\"level\":\"info\",\"data\":1}}";
    struct mcp_session *s = session_at(1);
    struct hub_to to = to_server(s, &server);
    struct probe *first = probe_at(1);
    struct probe *second = probe_at(0);
    struct probe *user = probe_at(0);
    /* Listening opens no link: nobody has decided that. */
    request((struct request){.probe = first, .to = &to, .what = ASK_LISTEN});
    settle();
    assert_int_equal(fake.opens, 0);
    open_by(user, &to);
    await(user, 1);
    struct fake_event log = {.kind = FAKE_NOTICE,
                             .method = METHOD_LOG,
                             .text = log_text};
    fake_do(node.places[1].loop, log);
    await(first, 1);
    assert_int_equal(first->events[0].method, METHOD_LOG);
    assert_string_equal(first->events[0].text,
                        "{\"level\":\"info\",\"data\":1}");

    request((struct request){.probe = second, .to = &to, .what = ASK_LISTEN});
    await(first, 2);
    assert_int_equal(first->events[1].kind, HUB_FAILED);
    assert_int_equal(first->events[1].err, ERR_CONFLICT);
    fake_do(node.places[1].loop, log);
    await(second, 1);
    /* The end of the session is the end of who listens. */
    mcp_session_end(s);
    at(1, sweep, NULL);
    await(second, 2);
    assert_int_equal(second->events[1].kind, HUB_FAILED);
    assert_int_equal(second->events[1].err, ERR_NOT_FOUND);
    assert_int_equal(fake.live, 0);
    assert_int_equal(count_of(first), 2);
    mcp_session_unref(s);
    probe_free(first);
    probe_free(second);
    probe_free(user);
}

/* ---- words ---- */

struct heard {
    pthread_mutex_t lock;
    unsigned count;
    uint64_t number;
    bool is_cancel;
    char text[32];
    const struct mcp_session *session;
};

static void on_word(void *user, const struct hub_word *w)
{
    struct heard *to = user;
    (void)pthread_mutex_lock(&to->lock);
    to->count++;
    to->number = w->number;
    to->is_cancel = w->is_cancel;
    to->session = w->session;
    copy(to->text, sizeof(to->text), w->text);
    (void)pthread_mutex_unlock(&to->lock);
}

static void say_word(struct place *p, void *arg)
{
    enum err e = hub_say(p->hub, arg);
    assert(e == ERR_OK);
    (void)e;
}

static void hear(struct place *p, void *arg)
{
    hub_on_word(p->hub, on_word, arg);
}

static void notify(struct place *p, void *arg)
{
    hub_notify(p->hub, arg, METHOD_ROOTS_CHANGED, STR(""));
}

static void test_a_word_goes_to_the_worker_that_a_number_names(void **state)
{
    (void)state;
    struct heard heard = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct mcp_session *s = session_at(0);
    struct hub_word w = {.number = hub_number(node.places[1].hub),
                         .session = s,
                         .is_cancel = true,
                         .text = STR("enough")};
    at(1, say_word, &w); /* nobody listens there yet: it is dropped */
    settle();
    at(1, hear, &heard);
    for (unsigned from = 0; from < WORKERS; from++) {
        at(from, say_word, &w);
        settle();
        assert_int_equal(heard.count, from + 1);
        assert_true(heard.number == w.number && heard.is_cancel);
        assert_string_equal(heard.text, "enough");
        assert_ptr_equal(heard.session, s);
    }
    w.number = 63; /* no such worker */
    at(0, say_word, &w);
    mcp_session_unref(s);
}

static void test_a_notification_goes_to_the_links_of_its_session(void **state)
{
    (void)state;
    struct mcp_session *s = session_at(1);
    struct mcp_session *other = session_at(1);
    struct hub_to to[] = {to_server(s, &server), to_server(s, &shared_server),
                          to_server(other, &server)};
    struct probe *p = probe_at(0);
    for (unsigned i = 0; i < ARRAY_LEN(to); i++) {
        open_by(p, &to[i]);
        await(p, i + 1);
    }
    at(0, notify, s);
    settle();
    assert_int_equal(fake.notes, 1);
    mcp_session_unref(s);
    mcp_session_unref(other);
    probe_free(p);
}

/* ---- the end of a worker ---- */

static void test_calls_fail_when_their_worker_goes(void **state)
{
    (void)state;
    struct mcp_session *s = session_at(1);
    struct mcp_session *mine = session_at(0);
    struct hub_to to = to_server(s, &server);
    struct hub_to to_mine = to_server(mine, &server);
    struct probe *sent = probe_at(0);
    struct probe *heard = probe_at(0);
    struct probe *stays = probe_at(0);
    struct probe *late = probe_at(0);
    send_by(sent, &to, METHOD_RESOURCES_READ);
    send_by(stays, &to_mine, METHOD_RESOURCES_READ);
    request((struct request){.probe = heard, .to = &to, .what = ASK_LISTEN});
    settle();
    at(1, free_hub, NULL);
    await(sent, 1);
    await(heard, 1);
    assert_int_equal(sent->events[0].kind, HUB_FAILED);
    assert_int_equal(sent->events[0].err, ERR_SHUTDOWN);
    assert_true(sent->events[0].sent);
    assert_false(heard->events[0].sent);
    struct request r = {.probe = late, .to = &to, .what = ASK_OPEN};
    at(0, run_request, &r);
    assert_int_equal(r.result, ERR_OVERLOAD);
    assert_int_equal(count_of(stays), 0);
    fake_for(0, stays, FAKE_ANSWER, result_text);
    await(stays, 1);
    assert_int_equal(stays->events[0].kind, HUB_ANSWERED);
    mcp_session_unref(s);
    mcp_session_unref(mine);
    probe_free(sent);
    probe_free(heard);
    probe_free(stays);
    probe_free(late);
}

static void test_a_worker_goes_with_calls_of_its_own(void **state)
{
    (void)state;
    struct mcp_session *s[2] = {session_at(0), session_at(1)};
    struct probe *p[2] = {probe_at(0), probe_at(0)};
    for (unsigned i = 0; i < 2; i++) {
        struct hub_to to = to_server(s[i], &server);
        send_by(p[i], &to, METHOD_RESOURCES_READ);
    }
    settle();
    at(0, free_hub, NULL); /* its call at the other worker is given up */
    settle();
    assert_int_equal(fake.cancels, 1);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(count_of(p[i]), 0);
        mcp_session_unref(s[i]);
        probe_free(p[i]);
    }
}

/* ---- many at once ---- */

enum { RUNNERS = 24, LAPS = 40 };

struct runner {
    struct hub_call call;
    struct place *place;
    struct hub_to to;
    unsigned laps, ended;
    _Atomic(unsigned) *left;
};

static void run_lap(struct runner *r);

static void on_lap(struct hub_call *c, const struct hub_event *e)
{
    struct runner *r = CONTAINER_OF(c, struct runner, call);
    if (e->kind == HUB_NOTICE || e->kind == HUB_ASKED) {
        hub_next(r->place->hub, c);
        return;
    }
    r->ended++;
    run_lap(r);
}

static void run_lap(struct runner *r)
{
    struct hub *h = r->place->hub;
    if (r->laps == LAPS) {
        atomic_fetch_sub(r->left, 1);
        return;
    }
    r->laps++;
    r->call.number = hub_number(h);
    assert_int_equal(hub_send(h, &r->call, &r->to, METHOD_RESOURCES_READ,
                              STR("{}")),
                     ERR_OK);
    if (r->laps % 4 == 0) {
        hub_cancel(h, &r->call, STR(""));
        run_lap(r);
    }
}

static void start_runners(struct place *p, void *arg)
{
    struct runner *runners = arg;
    for (unsigned i = 0; i < RUNNERS; i++) {
        if (runners[i].place == p)
            run_lap(&runners[i]);
    }
}

static void test_many_calls_cross_at_once(void **state)
{
    (void)state;
    static struct runner runners[RUNNERS];
    _Atomic(unsigned) left = RUNNERS;
    struct mcp_session *s[4];
    fake.echoes = true;
    for (unsigned i = 0; i < ARRAY_LEN(s); i++)
        s[i] = session_at(i % WORKERS);
    for (unsigned i = 0; i < RUNNERS; i++)
        runners[i] = (struct runner){.call = {.event = on_lap},
                                     .place = &node.places[i % 3 == 0],
                                     .to = to_server(s[i % 4],
                                                     i % 5 == 0 ? &shared_server
                                                                : &server),
                                     .left = &left};
    for (unsigned i = 0; i < WORKERS; i++)
        at(i, start_runners, runners);
    for (unsigned i = 0; left > 0 && i < 100000; i++)
        settle();
    assert_int_equal(left, 0);
    for (unsigned i = 0; i < RUNNERS; i++)
        assert_int_equal(runners[i].ended, LAPS - LAPS / 4);
    assert_true(fake.opens <= 5);
    for (unsigned i = 0; i < ARRAY_LEN(s); i++)
        mcp_session_unref(s[i]);
}

#define NODE_TEST(f) cmocka_unit_test_setup_teardown(f, start_node, stop_node)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NODE_TEST(test_numbers_are_unique_and_name_their_worker),
        NODE_TEST(test_an_answer_comes_to_the_worker_that_asked),
        NODE_TEST(test_notices_wait_for_credit),
        NODE_TEST(test_waiting_notices_are_bounded_in_bytes),
        NODE_TEST(test_what_a_server_takes_back_is_not_answered),
        NODE_TEST(test_what_a_server_asks_is_answered_once),
        NODE_TEST(test_nothing_comes_after_a_cancel),
        NODE_TEST(test_one_listens_and_the_next_takes_over),
        NODE_TEST(test_a_word_goes_to_the_worker_that_a_number_names),
        NODE_TEST(test_a_notification_goes_to_the_links_of_its_session),
        NODE_TEST(test_calls_fail_when_their_worker_goes),
        NODE_TEST(test_a_worker_goes_with_calls_of_its_own),
        NODE_TEST(test_many_calls_cross_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
