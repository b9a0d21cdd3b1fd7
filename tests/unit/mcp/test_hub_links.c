/* Tests mcp/hub: the links of a worker, what their servers offer, and how
 * they fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <malloc.h>
#include <time.h>

#include "hub_fixture.h"

#define PAGE(tools, cursor)                                                    \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[" tools "]" cursor   \
    "}}"
#define TOOL(name)                                                             \
    "{\"name\":\"" name "\",\"inputSchema\":{\"type\":\"object\"}}"

static const char *const changed_text =
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}";
static const char *const result_text =
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[]}}";

static void fake_at(unsigned worker, struct fake_event e)
{
    fake_do(node.places[worker].loop, e);
}

static void change_tools(unsigned worker)
{
    fake_at(worker, (struct fake_event){.kind = FAKE_NOTICE,
                                        .method = METHOD_TOOLS_CHANGED,
                                        .text = changed_text});
}

static void nap(long ms)
{
    struct timespec t = {.tv_nsec = ms * 1000000};
    (void)nanosleep(&t, NULL);
    settle(); /* and so the loops have seen that time passed */
}

static void sweep_all(void)
{
    for (unsigned i = 0; i < WORKERS; i++)
        at(i, sweep, NULL);
    settle();
}

/* ---- what a server offers ---- */

static void test_who_opens_one_link_shares_it(void **state)
{
    (void)state;
    struct mcp_session *s = session_at(1);
    struct hub_to to = to_server(s, &server);
    struct probe *p[6];
    fake.is_mute = true;
    for (unsigned i = 0; i < ARRAY_LEN(p); i++) {
        p[i] = probe_at(i % WORKERS);
        open_by(p[i], &to);
    }
    settle();
    assert_int_equal(fake.opens, 1);
    assert_int_equal(fake.lists, 1);
    /* Nobody else's list: it is answered by number. */
    struct link *l = fake_find(node.places[1].loop, 0);
    uint64_t number =
        CONTAINER_OF(list_first(&l->calls), struct link_request, node)->number;
    fake_at(1, (struct fake_event){.kind = FAKE_ANSWER,
                                   .number = number,
                                   .text = PAGE(TOOL("a"), "")});
    for (unsigned i = 0; i < ARRAY_LEN(p); i++) {
        await(p[i], 1);
        assert_int_equal(p[i]->events[0].kind, HUB_OPENED);
        assert_ptr_equal(p[i]->offer, p[0]->offer);
    }
    open_by(p[0], &to);
    await(p[0], 2);
    assert_int_equal(fake.lists, 1);
    for (unsigned i = 0; i < ARRAY_LEN(p); i++)
        probe_free(p[i]);
    mcp_session_unref(s);
}

static void test_who_knows_too_little_has_the_tools_listed_anew(void **state)
{
    (void)state;
    struct mcp_session *s = session_at(1);
    struct hub_to to = to_server(s, &server);
    struct probe *p = probe_at(0);
    open_by(p, &to);
    await(p, 1);
    assert_int_equal(fake.lists, 1);
    struct hub_to again = to;
    again.offer = hub_offer_ref(p->offer);
    open_by(p, &again);
    await(p, 2);
    assert_int_equal(p->events[1].kind, HUB_OPENED);
    assert_int_equal(fake.lists, 2);
    hub_offer_unref(again.offer);
    probe_free(p);
    mcp_session_unref(s);
}

static void test_pages_are_one_offer(void **state)
{
    (void)state;
    struct mcp_session *s = session_at(0);
    struct hub_to to = to_server(s, &server);
    struct probe *p = probe_at(1);
    fake.pages[0] =
        PAGE(TOOL("b") "," TOOL("bad name"), ",\"nextCursor\":\"\"");
    fake.pages[1] = PAGE("", ",\"nextCursor\":\"\\\"x\"");
    fake.pages[2] = PAGE(TOOL("a"), "");
    open_by(p, &to);
    await(p, 1);
    assert_int_equal(p->events[0].kind, HUB_OPENED);
    const struct tool_page *page = p->offer->page;
    assert_int_equal(fake.lists, 3);
    assert_int_equal(page->count, 2);
    assert_true(str_eq(page->tools[0].name, STR("b")));
    assert_true(str_eq(page->tools[1].name, STR("a")));
    assert_int_equal(page->refused_count, 1); /* kept for people */
    assert_true(str_eq(page->refused[0].name, STR("bad name")));
    assert_false(page->has_cursor);
    mcp_session_unref(s);
    probe_free(p);
}

static void test_lists_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *pages[2], *why;
        int lists;
    } cases[] = {
        {{PAGE(TOOL("a"), ",\"nextCursor\":\"1\""), PAGE(TOOL("a"), "")},
         "two tools have one name, or there are too many",
         2},
        {{PAGE(TOOL("a") "," TOOL("a"), ""), NULL},
         "two tools have one name",
         1},
        /* A list without an end: it always goes on. */
        {{PAGE("", ",\"nextCursor\":\"1\""), NULL},
         "the server lists too many tools",
         64},
        {{PAGE("", ",\"x\":1"), NULL}, "", 1},
        {{"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32603,"
          "\"message\":\"not today\"}}",
          NULL},
         "not today",
         1},
    };
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct mcp_session *s = session_at(0);
        struct hub_to to = to_server(s, &server);
        struct probe *p = probe_at(1);
        fake.pages[0] = cases[i].pages[0];
        fake.pages[1] = cases[i].pages[1];
        fake.lists = 0;
        open_by(p, &to);
        await(p, 1);
        assert_int_equal(p->events[0].kind, HUB_FAILED);
        assert_int_equal(p->events[0].err, ERR_UPSTREAM);
        assert_false(p->events[0].sent);
        if (cases[i].why[0] != 0)
            assert_string_equal(p->events[0].why, cases[i].why);
        assert_int_equal(fake.lists, cases[i].lists);
        assert_false(is_known(1, &to));
        mcp_session_unref(s);
        probe_free(p);
    }
}

static void test_a_server_without_tools_is_not_asked(void **state)
{
    (void)state;
    struct mcp_session *s = session_at(0);
    struct hub_to to = to_server(s, &server);
    struct probe *p = probe_at(0);
    fake.has = METHOD_HAS_RESOURCES;
    open_by(p, &to);
    await(p, 1);
    assert_int_equal(p->offer->has, METHOD_HAS_RESOURCES);
    assert_int_equal(p->offer->page->count, 0);
    assert_int_equal(fake.lists, 0);
    mcp_session_unref(s);
    probe_free(p);
}

/* ---- tools that change ---- */

static void test_a_tool_is_called_only_as_it_was_told(void **state)
{
    (void)state;
    struct mcp_session *s = session_at(1);
    struct hub_to to = to_server(s, &server);
    struct probe *p = probe_at(0);
    fake.echoes = true;

    /* Nobody has been told anything. */
    send_by(p, &to, METHOD_TOOLS_CALL);
    await(p, 1);
    assert_int_equal(p->events[0].kind, HUB_FAILED);
    assert_int_equal(p->events[0].err, ERR_CONFLICT);
    assert_false(p->events[0].sent);
    open_by(p, &to);
    await(p, 2);
    struct hub_to decided = to;
    decided.offer = hub_offer_ref(p->offer);
    send_by(p, &to, METHOD_TOOLS_CALL);
    await(p, 3);
    assert_int_equal(p->events[2].kind, HUB_ANSWERED);

    /* It says that they changed, and they have not: the call goes out. */
    change_tools(1);
    settle();
    assert_false(is_known(0, &to));
    send_by(p, &to, METHOD_TOOLS_CALL);
    await(p, 4);
    assert_int_equal(p->events[3].kind, HUB_ANSWERED);
    assert_int_equal(fake.lists, 2);
    assert_int_equal(fake.calls, 2);

    /* And now they have. */
    fake.pages[0] = PAGE(TOOL("echo") "," TOOL("more"), "");
    change_tools(1);
    settle();
    send_by(p, &to, METHOD_TOOLS_CALL);
    await(p, 5);
    assert_int_equal(p->events[4].err, ERR_CONFLICT);
    assert_int_equal(fake.calls, 2);
    /* Others were told meanwhile, but this was decided on the old ones. */
    open_by(p, &to);
    await(p, 6);
    assert_int_equal(p->offer->page->count, 2);
    send_by(p, &decided, METHOD_TOOLS_CALL);
    await(p, 7);
    assert_int_equal(p->events[6].err, ERR_CONFLICT);
    hub_offer_unref(decided.offer);
    decided.offer = p->offer;
    send_by(p, &decided, METHOD_TOOLS_CALL);
    await(p, 8);
    assert_int_equal(p->events[7].kind, HUB_ANSWERED);
    /* What is no tool does not wait for tools. */
    change_tools(1);
    send_by(p, &to, METHOD_RESOURCES_READ);
    await(p, 9);
    assert_int_equal(p->events[8].kind, HUB_ANSWERED);
    mcp_session_unref(s);
    probe_free(p);
}

/* ---- failures ---- */

static int64_t clock_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void test_a_link_that_failed_pauses_longer_each_time(void **state)
{
    (void)state;
    enum { SLACK_MS = 50 }; /* the time of a loop is that of its turn */
    struct mcp_session *s = session_at(1);
    struct mcp_session *other = session_at(1);
    struct hub_to to = to_server(s, &server);
    struct hub_to to_other = to_server(other, &server);
    struct probe *p = probe_at(0);
    struct probe *beside = probe_at(0);
    int64_t from_ms = clock_ms();
    unsigned n = 0;
    fake.fails = true;
    /* Whoever comes between is told at once, with the same reason. */
    while (fake.opens < 3) {
        open_by(p, &to);
        await(p, ++n);
        assert_int_equal(p->events[n - 1].kind, HUB_FAILED);
        assert_int_equal(p->events[n - 1].err, ERR_CONNECT);
        assert_string_equal(p->events[n - 1].why, "it died of a fake");
        assert_false(p->events[n - 1].sent);
        nap(5);
    }
    assert_true(clock_ms() - from_ms >= 100 + 200 - SLACK_MS);
    fake.fails = false;
    /* Another session's link has nothing to do with it. */
    open_by(beside, &to_other);
    await(beside, 1);
    assert_int_equal(beside->events[0].kind, HUB_OPENED);
    do {
        nap(5);
        open_by(p, &to);
        await(p, ++n);
    } while (p->events[n - 1].kind == HUB_FAILED);
    assert_int_equal(p->events[n - 1].kind, HUB_OPENED);
    assert_true(clock_ms() - from_ms >= 100 + 200 + 400 - SLACK_MS);
    assert_int_equal(fake.opens, 5);
    mcp_session_unref(s);
    mcp_session_unref(other);
    probe_free(p);
    probe_free(beside);
}

static void test_calls_are_told_why_their_link_died(void **state)
{
    (void)state;
    struct mcp_session *s = session_at(1);
    struct hub_to to = to_server(s, &server);
    struct probe *p = probe_at(0);
    struct probe *listener = probe_at(0);
    open_by(p, &to);
    await(p, 1);
    request((struct request){.probe = listener, .to = &to, .what = ASK_LISTEN});
    send_by(p, &to, METHOD_TOOLS_CALL);
    settle();
    fake_at(1, (struct fake_event){.kind = FAKE_CLOSED,
                                   .err = ERR_UPSTREAM,
                                   .sent = true});
    await(p, 2);
    await(listener, 1);
    assert_int_equal(p->events[1].kind, HUB_FAILED);
    assert_int_equal(p->events[1].err, ERR_UPSTREAM);
    assert_true(p->events[1].sent);
    assert_string_equal(p->events[1].why, "it died of a fake");
    assert_string_equal(listener->events[0].why, "it died of a fake");
    assert_false(is_known(0, &to));
    mcp_session_unref(s);
    probe_free(p);
    probe_free(listener);
}

/* The server forgets our session: what was not acted on goes out once more. */
static void forget(const struct probe *p, bool sent)
{
    fake_at(1, (struct fake_event){.kind = FAKE_FAIL,
                                   .number = p->call.number,
                                   .err = ERR_NOT_FOUND,
                                   .sent = sent});
    fake_at(1, (struct fake_event){.kind = FAKE_CLOSED,
                                   .err = ERR_NOT_FOUND,
                                   .sent = true});
}

static void test_a_forgotten_session_is_opened_again_once(void **state)
{
    (void)state;
    struct mcp_session *s = session_at(1);
    struct hub_to to = to_server(s, &server);
    struct probe *p = probe_at(0);
    open_by(p, &to);
    await(p, 1);
    send_by(p, &to, METHOD_TOOLS_CALL);
    settle();
    forget(p, false);
    settle();
    assert_int_equal(count_of(p), 1);
    assert_int_equal(fake.opens, 2);
    assert_int_equal(fake.lists, 2); /* and its tools are the same */
    assert_int_equal(fake.calls, 2);
    assert_true(fake.authorized);
    fake_at(1, (struct fake_event){.kind = FAKE_ANSWER,
                                   .number = p->call.number,
                                   .text = result_text});
    await(p, 2);
    assert_int_equal(p->events[1].kind, HUB_ANSWERED);

    /* Not twice, */
    send_by(p, &to, METHOD_TOOLS_CALL);
    settle();
    forget(p, false);
    settle();
    forget(p, false);
    await(p, 3);
    assert_int_equal(p->events[2].kind, HUB_FAILED);
    assert_int_equal(p->events[2].err, ERR_NOT_FOUND);
    assert_int_equal(fake.calls, 4);
    /* not what it may have acted on, */
    send_by(p, &to, METHOD_RESOURCES_READ);
    settle();
    forget(p, true);
    await(p, 4);
    assert_int_equal(p->events[3].err, ERR_NOT_FOUND);
    assert_true(p->events[3].sent);
    mcp_session_unref(s);
    probe_free(p);
}

static void test_a_call_is_not_repeated_on_other_tools(void **state)
{
    (void)state;
    struct mcp_session *s = session_at(1);
    struct hub_to to = to_server(s, &server);
    struct probe *p = probe_at(0);
    open_by(p, &to);
    await(p, 1);
    send_by(p, &to, METHOD_TOOLS_CALL);
    settle();
    fake.pages[0] = PAGE(TOOL("other"), "");
    forget(p, false);
    await(p, 2);
    assert_int_equal(p->events[1].kind, HUB_FAILED);
    assert_int_equal(p->events[1].err, ERR_CONFLICT);
    assert_false(p->events[1].sent);
    assert_int_equal(fake.calls, 1);
    mcp_session_unref(s);
    probe_free(p);
}

/* ---- how long a link lives ---- */

static void test_a_link_closes_when_nobody_uses_it(void **state)
{
    (void)state;
    struct tool_server_settings brief = server;
    struct mcp_session *s = session_at(1);
    struct hub_to to = to_server(s, &brief);
    struct probe *p = probe_at(0);
    struct probe *listener = probe_at(0);
    brief.idle_ms = 1;
    send_by(p, &to, METHOD_RESOURCES_READ);
    nap(5);
    sweep_all();
    assert_int_equal(fake.live, 1); /* in use */
    request((struct request){.probe = listener, .to = &to, .what = ASK_LISTEN});
    cancel_by(p);
    nap(5);
    sweep_all();
    assert_int_equal(fake.live, 1); /* somebody listens */
    cancel_by(listener);
    nap(5);
    sweep_all();
    assert_int_equal(fake.live, 0);
    /* A notice of its end came to nobody, and the next one opens another. */
    open_by(p, &to);
    await(p, 1);
    assert_int_equal(fake.opens, 2);
    mcp_session_end(s);
    sweep_all();
    assert_int_equal(fake.live, 0);
    assert_false(is_known(0, &to));
    open_by(p, &to);
    await(p, 2);
    assert_int_equal(p->events[1].err, ERR_NOT_FOUND);
    mcp_session_unref(s);
    probe_free(p);
    probe_free(listener);
}

static void test_new_settings_replace_a_link(void **state)
{
    (void)state;
    struct mcp_session *s = session_at(1);
    struct hub_to before = to_server(s, &server);
    struct hub_to after = before;
    struct probe *p = probe_at(0);
    struct probe *old = probe_at(0);
    after.digest = &digest_2;
    send_by(old, &before, METHOD_RESOURCES_READ);
    settle();
    assert_int_equal(node.kept, 2); /* the call's, and the link's */
    open_by(p, &after);
    await(p, 1);
    sweep_all();
    assert_int_equal(fake.live, 2); /* the old one is still at work */
    fake_at(1, (struct fake_event){.kind = FAKE_ANSWER,
                                   .number = old->call.number,
                                   .text = result_text});
    await(old, 1);
    assert_int_equal(old->events[0].kind, HUB_ANSWERED);
    sweep_all();
    assert_int_equal(fake.live, 1);
    assert_int_equal(node.kept, 1); /* the old settings are free */
    assert_true(is_known(0, &after));
    mcp_session_unref(s);
    probe_free(p);
    probe_free(old);
}

static void test_a_new_credential_opens_a_new_link(void **state)
{
    (void)state;
    struct mcp_session *s = session_at(1);
    struct hub_to before = to_server(s, &server);
    struct hub_to after = before;
    struct probe *p = probe_at(0);
    struct probe *old = probe_at(0);
    fake.echoes = true;
    after.authorization = STR("Bearer other");
    open_by(p, &before);
    await(p, 1);
    fake.echoes = false;
    send_by(old, &before, METHOD_RESOURCES_READ);
    settle();
    fake.echoes = true;
    send_by(p, &after, METHOD_TOOLS_CALL);
    await(p, 2);
    assert_int_equal(fake.opens, 1); /* it is in use */
    cancel_by(old);
    send_by(p, &after, METHOD_TOOLS_CALL);
    await(p, 3);
    assert_int_equal(p->events[2].kind, HUB_ANSWERED);
    assert_int_equal(fake.opens, 2);
    assert_false(fake.authorized);
    send_by(p, &after, METHOD_TOOLS_CALL);
    await(p, 4);
    assert_int_equal(fake.opens, 2);
    assert_int_equal(fake.live, 1);
    mcp_session_unref(s);
    probe_free(p);
    probe_free(old);
}

static void test_a_shared_server_has_one_link_for_all(void **state)
{
    (void)state;
    static const char *const updated =
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/updated\","
        "\"params\":{\"uri\":\"file:///secret\"}}";
    struct mcp_session *s[2] = {session_at(0), session_at(1)};
    struct probe *p[2] = {probe_at(0), probe_at(1)};
    struct probe *hears[2] = {probe_at(0), probe_at(1)};
    for (unsigned i = 0; i < 2; i++) {
        struct hub_to to = to_server(s[i], &shared_server);
        open_by(p[i], &to);
        await(p[i], 1);
        request(
            (struct request){.probe = hears[i], .to = &to, .what = ASK_LISTEN});
    }
    settle();
    assert_int_equal(fake.opens, 1);
    assert_int_equal(fake.offers, 0); /* whom would it ask? */
    unsigned owner = fake_find(node.places[1].loop, 0) != NULL;
    /* What one of them subscribed to is not for the other. */
    fake_at(owner, (struct fake_event){.kind = FAKE_NOTICE,
                                       .method = METHOD_RESOURCE_UPDATED,
                                       .text = updated});
    change_tools(owner);
    for (unsigned i = 0; i < 2; i++) {
        await(hears[i], 1);
        assert_int_equal(hears[i]->events[0].method, METHOD_TOOLS_CHANGED);
    }
    mcp_session_end(s[0]);
    sweep_all();
    await(hears[0], 2);
    assert_int_equal(hears[0]->events[1].err, ERR_NOT_FOUND);
    assert_int_equal(count_of(hears[1]), 1);
    assert_int_equal(fake.live, 1);
    cancel_by(hears[1]);
    for (unsigned i = 0; i < 2; i++) {
        mcp_session_unref(s[i]);
        probe_free(p[i]);
        probe_free(hears[i]);
    }
}

static void test_there_are_so_many_links_and_no_more(void **state)
{
    (void)state;
    enum { MORE = 5 };
    struct mcp_session *busy = session_at(0);
    struct hub_to to_busy = to_server(busy, &server);
    struct probe *works = probe_at(0);
    struct probe *p = probe_at(0);
    send_by(works, &to_busy, METHOD_RESOURCES_READ);
    for (unsigned i = 0; i < HUB_LINKS_MAX + MORE; i++) {
        struct mcp_session *s = session_at(0);
        struct hub_to to = to_server(s, &server);
        p->count = 0; /* nothing is on its way */
        open_by(p, &to);
        await(p, 1);
        assert_int_equal(p->events[0].kind, HUB_OPENED);
        mcp_session_unref(s);
    }
    assert_int_equal(fake.opens, 1 + HUB_LINKS_MAX + MORE);
    assert_int_equal(fake.live, HUB_LINKS_MAX);
    /* The oldest went, but for the one that is in use. */
    assert_int_equal(count_of(works), 0);
    cancel_by(works);
    mcp_session_unref(busy);
    probe_free(p);
    probe_free(works);
}

static void churn(void)
{
    fake.echoes = true;
    for (unsigned i = 0; i < 1000; i++) {
        struct mcp_session *s = session_at(i % WORKERS);
        struct hub_to to = to_server(s, &server);
        struct probe *p = probe_at(i / 2 % WORKERS);
        open_by(p, &to);
        await(p, 1);
        send_by(p, &to, METHOD_TOOLS_CALL);
        if (i % 3 != 0)
            await(p, 2);
        cancel_by(p);
        mcp_session_end(s);
        mcp_session_unref(s);
        probe_free(p);
        if (i % 100 == 0)
            sweep_all();
    }
    sweep_all();
}

static void test_sessions_come_and_go_and_leave_nothing(void **state)
{
    (void)state;
    churn();
    size_t before = mallinfo2().uordblks; /* 0 where a sanitizer allocates */
    churn();
    size_t after = mallinfo2().uordblks;
    assert_int_equal(fake.live, 0);
    assert_int_equal(node.kept, 0);
    assert_true(after <= before + (size_t)64 * 1024);
}

#define NODE_TEST(f) cmocka_unit_test_setup_teardown(f, start_node, stop_node)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NODE_TEST(test_who_opens_one_link_shares_it),
        NODE_TEST(test_who_knows_too_little_has_the_tools_listed_anew),
        NODE_TEST(test_pages_are_one_offer),
        NODE_TEST(test_lists_that_cannot_be_are_refused),
        NODE_TEST(test_a_server_without_tools_is_not_asked),
        NODE_TEST(test_a_tool_is_called_only_as_it_was_told),
        NODE_TEST(test_a_link_that_failed_pauses_longer_each_time),
        NODE_TEST(test_calls_are_told_why_their_link_died),
        NODE_TEST(test_a_forgotten_session_is_opened_again_once),
        NODE_TEST(test_a_call_is_not_repeated_on_other_tools),
        NODE_TEST(test_a_link_closes_when_nobody_uses_it),
        NODE_TEST(test_new_settings_replace_a_link),
        NODE_TEST(test_a_new_credential_opens_a_new_link),
        NODE_TEST(test_a_shared_server_has_one_link_for_all),
        NODE_TEST(test_there_are_so_many_links_and_no_more),
        NODE_TEST(test_sessions_come_and_go_and_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
