/* Tests approval: tickets, people's words, and that a yes is used once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <stdatomic.h>

#include "approval/approval.h"
#include "base/arena.h"
#include "base/attr.h"
#include "base/container.h"
#include "os/loop.h"
#include "os/thread.h"
#include "os/timer.h"

enum { TTL_MS = 10000, USED_MS = 2000 };
#define SECOND INT64_C(1000000)

static const struct decision_approval finance[] = {
    {STR_INIT("pay"), STR_INIT("finance")}};
static const struct decision_approval both[] = {
    {STR_INIT("pay"), STR_INIT("finance")},
    {STR_INIT("abroad"), STR_INIT("legal")},
    {STR_INIT("large"), STR_INIT("finance")}};
static const struct str in_finance[] = {STR_INIT("finance")};
static const struct str in_legal[] = {STR_INIT("legal")};
static const struct str in_both[] = {STR_INIT("legal"), STR_INIT("finance")};

static struct chain chain_of(struct str agent)
{
    struct chain c = {.count = 2};
    c.links[0].who = (struct principal){PRINCIPAL_USER, STR("local"),
                                        STR("local|ann"), STR("acme")};
    c.links[1].who =
        (struct principal){PRINCIPAL_AGENT, STR("keys"), agent, STR("acme")};
    return c;
}

static struct approval_ask ask_for(const struct chain *c, unsigned char digest)
{
    return (struct approval_ask){
        .digest = {{digest}},
        .tenant = STR("acme"),
        .chain = c,
        .needs = finance,
        .need_count = ARRAY_LEN(finance),
        .action = STR("tool:call/bank/pay"),
        .resource = STR("bank/pay"),
        .purpose = STR("invoices"),
        .destination = STR("bank"),
        .arguments = STR("{\"amount\":7}"),
        .decision = {9},
        .ttl_ms = TTL_MS,
        .used_ms = USED_MS,
    };
}

struct asked {
    unsigned char id[APPROVAL_ID_LEN];
    enum approval_state state;
    bool is_new;
};

static struct asked asks(struct approvals *t, const struct approval_ask *a)
{
    struct asked r;
    assert_int_equal(approvals_ask(t, a, r.id, &r.state, &r.is_new), ERR_OK);
    return r;
}

static struct approval_word word(const struct asked *k, struct str who,
                                 const struct str *groups, size_t n)
{
    struct approval_word w = {.who = who,
                              .account = str_skip(who, 6),
                              .groups = groups,
                              .group_count = n,
                              .yes = true,
                              .now_us = SECOND};
    memcpy(w.id, k->id, sizeof(w.id));
    return w;
}

static enum approval_state says(struct approvals *t,
                                const struct approval_word *w)
{
    enum approval_state s;
    assert_int_equal(approvals_may_decide(t, w), ERR_OK);
    assert_int_equal(approvals_decide(t, w, &s), ERR_OK);
    return s;
}

static struct approvals *table(void)
{
    struct approvals *t;
    assert_int_equal(approvals_new(&t), ERR_OK);
    return t;
}

static void rule_17_the_same_action_joins_one_ticket(void **state)
{
    (void)state;
    const struct chain c = chain_of(STR("acme/payer"));
    struct approval_ask a = ask_for(&c, 1);
    struct approval_ask b = ask_for(&c, 2);
    struct approvals *t = table();
    struct asked first = asks(t, &a);
    struct asked again = asks(t, &a);
    struct asked other = asks(t, &b);

    assert_true(first.is_new);
    assert_int_equal(first.state, APPROVAL_OPEN);
    assert_false(again.is_new);
    assert_memory_equal(first.id, again.id, sizeof(first.id));
    assert_true(other.is_new);
    assert_memory_not_equal(first.id, other.id, sizeof(first.id));
    assert_int_equal(approvals_counts_of(t).open, 2);
    approvals_free(t);
    approvals_free(NULL);
}

static void rule_17_a_yes_is_for_one_digest_and_one_use(void **state)
{
    (void)state;
    const struct chain c = chain_of(STR("acme/payer"));
    struct approval_ask a = ask_for(&c, 1);
    struct approval_ask b = ask_for(&c, 2);
    struct approvals *t = table();
    struct approval_grant g;
    struct arena arena;
    struct asked k = asks(t, &a);
    struct approval_word w = word(&k, STR("local|bob"), in_finance, 1);

    arena_init(&arena, 4096);
    assert_int_equal(approvals_look(t, &arena, &a.digest, 0, &g),
                     ERR_APPROVAL_PENDING);
    assert_int_equal(approvals_take(t, k.id, &a.digest, 0), ERR_CONFLICT);
    assert_int_equal(says(t, &w), APPROVAL_GRANTED);
    assert_int_equal(asks(t, &a).state, APPROVAL_GRANTED);
    assert_int_equal(approvals_look(t, &arena, &b.digest, 0, &g),
                     ERR_NOT_FOUND);
    assert_int_equal(approvals_look(t, &arena, &a.digest, 0, &g), ERR_OK);
    assert_memory_equal(g.id, k.id, sizeof(g.id));
    assert_int_equal(g.policy_count, 1);
    assert_true(g.groups[0].len > 0);
    assert_true(str_eq(g.policies[0], STR("pay")));
    assert_int_equal(g.by_count, 1);
    assert_true(str_eq(g.by[0], STR("local|bob")));
    assert_int_equal(g.at_us, SECOND);

    assert_int_equal(approvals_take(t, k.id, &b.digest, 0), ERR_CONFLICT);
    assert_int_equal(approvals_take(t, k.id, &a.digest, 0), ERR_OK);
    assert_int_equal(approvals_take(t, k.id, &a.digest, 0), ERR_CONFLICT);
    assert_int_equal(asks(t, &a).state, APPROVAL_TAKEN);
    assert_int_equal(approvals_look(t, &arena, &a.digest, 0, &g),
                     ERR_APPROVAL_PENDING);
    /* The intent could not be written: it is as before. */
    approvals_settle(t, k.id, false);
    assert_int_equal(approvals_take(t, k.id, &a.digest, 0), ERR_OK);
    approvals_settle(t, k.id, true);
    assert_int_equal(approvals_take(t, k.id, &a.digest, 0), ERR_CONFLICT);
    assert_int_equal(approvals_look(t, &arena, &a.digest, 0, &g),
                     ERR_NOT_FOUND);
    struct asked next = asks(t, &a);
    assert_true(next.is_new);
    assert_memory_not_equal(next.id, k.id, sizeof(k.id));
    assert_int_equal(approvals_counts_of(t).used, 1);
    arena_release(&arena);
    approvals_free(t);
}

static void rule_10_every_group_has_to_say_yes(void **state)
{
    (void)state;
    const struct chain c = chain_of(STR("acme/payer"));
    struct approval_ask a = ask_for(&c, 1);
    struct approvals *t = table();
    struct approval_grant g;
    struct arena arena;
    enum approval_state s;
    a.needs = both;
    a.need_count = ARRAY_LEN(both);
    struct asked k = asks(t, &a);
    struct approval_word bob = word(&k, STR("local|bob"), in_finance, 1);
    struct approval_word eve = word(&k, STR("local|eve"), in_finance, 1);
    struct approval_word lea = word(&k, STR("local|lea"), in_legal, 1);

    arena_init(&arena, 4096);
    assert_int_equal(says(t, &bob), APPROVAL_OPEN);
    assert_int_equal(approvals_decide(t, &bob, &s), ERR_DENIED);
    assert_int_equal(approvals_decide(t, &eve, &s), ERR_DENIED); /* no need */
    assert_int_equal(says(t, &lea), APPROVAL_GRANTED);
    assert_int_equal(approvals_decide(t, &lea, &s), ERR_CONFLICT);
    assert_int_equal(approvals_look(t, &arena, &a.digest, 0, &g), ERR_OK);
    assert_int_equal(g.policy_count, 3);
    assert_int_equal(g.by_count, 2);
    assert_true(str_eq(g.by[0], STR("local|bob")));
    assert_true(str_eq(g.by[1], STR("local|lea")));

    /* Who is in both groups speaks for both. */
    a.digest.bytes[0] = 2;
    k = asks(t, &a);
    bob = word(&k, STR("local|bob"), in_both, ARRAY_LEN(in_both));
    assert_int_equal(says(t, &bob), APPROVAL_GRANTED);
    arena_release(&arena);
    approvals_free(t);
}

static void rule_18_no_link_of_the_chain_and_no_stranger_decides(void **state)
{
    (void)state;
    static const struct str others[] = {STR_INIT("ops"), STR_INIT("financ")};
    const struct chain c = chain_of(STR("acme/payer"));
    struct approval_ask a = ask_for(&c, 1);
    struct approvals *t = table();
    enum approval_state s;
    struct asked k = asks(t, &a);
    struct asked nobody = {.id = {1, 2, 3}};
    struct approval_word words[] = {
        word(&k, STR("local|ann"), in_finance, 1),
        word(&k, STR("acme/payer"), in_finance, 1),
        word(&k, STR("local|bob"), others, ARRAY_LEN(others)),
        word(&k, STR("local|bob"), NULL, 0),
        word(&k, STR(""), in_finance, 1),
    };
    struct approval_word w = word(&nobody, STR("local|bob"), in_finance, 1);

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        assert_int_equal(approvals_may_decide(t, &words[i]), ERR_DENIED);
        assert_int_equal(approvals_decide(t, &words[i], &s), ERR_DENIED);
        words[i].yes = false;
        assert_int_equal(approvals_decide(t, &words[i], &s), ERR_DENIED);
    }
    assert_int_equal(approvals_may_decide(t, &w), ERR_NOT_FOUND);
    assert_int_equal(asks(t, &a).state, APPROVAL_OPEN);
    approvals_free(t);
}

static void test_one_no_ends_it_also_after_a_yes_of_the_same(void **state)
{
    (void)state;
    const struct chain c = chain_of(STR("acme/payer"));
    struct approval_ask a = ask_for(&c, 1);
    struct approvals *t = table();
    struct approval_grant g;
    struct arena arena;
    enum approval_state s;
    a.needs = both;
    a.need_count = ARRAY_LEN(both);
    struct asked k = asks(t, &a);
    struct approval_word bob = word(&k, STR("local|bob"), in_finance, 1);
    struct approval_word lea = word(&k, STR("local|lea"), in_legal, 1);

    arena_init(&arena, 4096);
    assert_int_equal(says(t, &bob), APPROVAL_OPEN);
    bob.yes = false;
    bob.reason = STR("wrong account");
    assert_int_equal(says(t, &bob), APPROVAL_DENIED);
    assert_int_equal(approvals_decide(t, &lea, &s), ERR_CONFLICT);
    assert_int_equal(approvals_look(t, &arena, &a.digest, 0, &g), ERR_DENIED);
    assert_true(asks(t, &a).is_new); /* whoever wants it, asks anew */
    assert_int_equal(approvals_look(t, &arena, &a.digest, 0, &g),
                     ERR_APPROVAL_PENDING);
    arena_release(&arena);
    approvals_free(t);
}

static void test_a_ticket_that_lifts_too_little_is_replaced(void **state)
{
    (void)state;
    const struct chain c = chain_of(STR("acme/payer"));
    struct approval_ask a = ask_for(&c, 1);
    struct approvals *t = table();
    struct asked k = asks(t, &a);
    struct approval_word w = word(&k, STR("local|bob"), in_finance, 1);

    assert_int_equal(says(t, &w), APPROVAL_GRANTED);
    a.needs = both;
    a.need_count = ARRAY_LEN(both);
    struct asked next = asks(t, &a);
    assert_true(next.is_new);
    assert_int_equal(next.state, APPROVAL_OPEN);
    assert_int_equal(approvals_take(t, k.id, &a.digest, 0), ERR_CONFLICT);
    a.needs = finance; /* one that lifts more is good enough */
    a.need_count = ARRAY_LEN(finance);
    assert_false(asks(t, &a).is_new);
    approvals_free(t);
}

/* ---- time ---- */

struct ended {
    unsigned count, unused;
    struct str action;
};

static void on_expired(void *user, const struct approval_row *row, bool unused)
{
    struct ended *e = user;
    e->count++;
    e->unused += unused;
    assert_int_equal(row->state, APPROVAL_EXPIRED);
}

static void sweep(struct approvals *t, int64_t now_us, struct ended *e)
{
    const struct approvals_expired to = {on_expired, e};
    *e = (struct ended){0};
    approvals_sweep(t, now_us, &to);
}

static void count_rows(void *user, const struct approval_row *row)
{
    (void)row;
    (*(unsigned *)user)++;
}

static unsigned rows(struct approvals *t, int64_t now_us)
{
    unsigned n = 0;
    approvals_each(t, now_us, count_rows, &n);
    return n;
}

static void test_silence_is_no_and_a_yes_does_not_wait_forever(void **state)
{
    (void)state;
    const struct chain c = chain_of(STR("acme/payer"));
    struct approval_ask a = ask_for(&c, 1);
    struct approval_ask b = ask_for(&c, 2);
    struct approvals *t = table();
    enum approval_state s;
    struct ended e;
    struct asked k = asks(t, &a);
    struct asked granted = asks(t, &b);
    struct approval_word w = word(&granted, STR("local|bob"), in_finance, 1);

    assert_int_equal(says(t, &w), APPROVAL_GRANTED); /* at 1 s */
    sweep(t, 3 * SECOND - 1, &e);
    assert_int_equal(e.count, 0);
    assert_int_equal(approvals_take(t, granted.id, &b.digest, 3 * SECOND),
                     ERR_CONFLICT); /* nobody has to sweep for that */
    sweep(t, 3 * SECOND, &e);
    assert_int_equal(e.count, 1);
    assert_int_equal(e.unused, 1);
    w = word(&k, STR("local|bob"), in_finance, 1);
    w.now_us = 10 * SECOND;
    assert_int_equal(approvals_decide(t, &w, &s), ERR_CONFLICT);
    sweep(t, 10 * SECOND, &e);
    assert_int_equal(e.count, 1);
    assert_int_equal(e.unused, 0);
    sweep(t, 11 * SECOND, &e);
    assert_int_equal(e.count, 0); /* told once */
    assert_int_equal(rows(t, 11 * SECOND), 2);
    sweep(t, (int64_t)APPROVALS_KEPT_MS * 1000 + 10 * SECOND, &e);
    assert_int_equal(rows(t, 11 * SECOND), 0);
    assert_int_equal(approvals_counts_of(t).expired, 2);

    /* One that is in use does not expire under the hands of its user. */
    k = asks(t, &a);
    w = word(&k, STR("local|bob"), in_finance, 1);
    assert_int_equal(says(t, &w), APPROVAL_GRANTED);
    assert_int_equal(approvals_take(t, k.id, &a.digest, SECOND), ERR_OK);
    sweep(t, 100 * SECOND, &e);
    assert_int_equal(e.count, 0);
    approvals_settle(t, k.id, false);
    assert_int_equal(approvals_take(t, k.id, &a.digest, 100 * SECOND),
                     ERR_CONFLICT);
    approvals_free(t);
}

static void test_many_that_expire_at_once_are_all_told(void **state)
{
    (void)state;
    struct approvals *t = table();
    struct ended e;

    for (unsigned i = 0; i < 3000; i++) {
        char name[24];
        (void)snprintf(name, sizeof(name), "acme/agent%u", i);
        struct chain c = chain_of(str_from(name));
        c.links[0] = c.links[1]; /* counts once */
        struct approval_ask a = ask_for(&c, 0);
        memcpy(a.digest.bytes, &i, sizeof(i));
        assert_true(asks(t, &a).is_new);
    }
    sweep(t, 60 * SECOND, &e);
    assert_int_equal(e.count, 3000);
    assert_int_equal(rows(t, 60 * SECOND), APPROVALS_KEPT_MAX);
    approvals_free(t);
}

/* ---- limits ---- */

static void test_open_tickets_of_one_principal_are_limited(void **state)
{
    (void)state;
    const struct chain c = chain_of(STR("acme/payer"));
    struct approval_ask a = ask_for(&c, 0);
    struct approvals *t = table();
    struct asked k = {.is_new = false};
    unsigned char id[APPROVAL_ID_LEN];
    enum approval_state s;
    bool is_new;

    for (unsigned i = 0; i < APPROVALS_PER_LINK_MAX; i++) {
        a.digest.bytes[0] = (unsigned char)i;
        k = asks(t, &a);
    }
    assert_false(asks(t, &a).is_new); /* joining is free */
    a.digest.bytes[0] = 100;
    assert_int_equal(approvals_ask(t, &a, id, &s, &is_new), ERR_LIMIT);
    /* The same person through another agent counts as well. */
    const struct chain other = chain_of(STR("acme/other"));
    struct approval_ask b = ask_for(&other, 101);
    assert_int_equal(approvals_ask(t, &b, id, &s, &is_new), ERR_LIMIT);
    /* What is over counts no more. */
    struct approval_word w = word(&k, STR("local|bob"), in_finance, 1);
    w.yes = false;
    assert_int_equal(says(t, &w), APPROVAL_DENIED);
    assert_true(asks(t, &b).is_new);
    assert_int_equal(approvals_ask(t, &a, id, &s, &is_new), ERR_LIMIT);
    approvals_free(t);
}

static void test_there_is_an_end_to_all_tickets(void **state)
{
    (void)state;
    struct approvals *t = table();
    unsigned char id[APPROVAL_ID_LEN];
    enum approval_state s;
    bool is_new;

    for (unsigned i = 0; i <= APPROVALS_MAX; i++) {
        char name[24];
        (void)snprintf(name, sizeof(name), "acme/agent%u", i);
        struct chain c = chain_of(str_from(name));
        c.count = 1;
        c.links[0] = c.links[1];
        struct approval_ask a = ask_for(&c, 0);
        memcpy(a.digest.bytes, &i, sizeof(i));
        assert_int_equal(approvals_ask(t, &a, id, &s, &is_new),
                         i < APPROVALS_MAX ? ERR_OK : ERR_LIMIT);
    }
    assert_int_equal(approvals_counts_of(t).open, APPROVALS_MAX);
    approvals_free(t);
}

static void rule_19_what_cannot_be_shown_whole_is_not_asked(void **state)
{
    (void)state;
    static char longest[APPROVAL_TEXT_MAX + 1];
    const struct chain c = chain_of(STR("acme/payer"));
    struct approval_ask a = ask_for(&c, 1);
    struct approvals *t = table();
    unsigned char id[APPROVAL_ID_LEN];
    enum approval_state s;
    bool is_new;

    memset(longest, 'x', sizeof(longest));
    a.arguments = (struct str){longest, sizeof(longest)};
    assert_int_equal(approvals_ask(t, &a, id, &s, &is_new), ERR_LIMIT);
    a.arguments.len--;
    a.purpose = (struct str){longest, APPROVAL_PART_MAX + 1};
    assert_int_equal(approvals_ask(t, &a, id, &s, &is_new), ERR_LIMIT);
    a.purpose.len--;
    assert_true(asks(t, &a).is_new);
    approvals_free(t);
}

static void on_row(void *user, const struct approval_row *row)
{
    unsigned *count = user;
    (*count)++;
    assert_int_equal(row->state, APPROVAL_OPEN);
    assert_int_equal(row->chain_count, 2);
    assert_true(str_eq(row->chain[0], STR("User local|ann")));
    assert_true(str_eq(row->chain[1], STR("Agent acme/payer")));
    assert_int_equal(row->need_count, 3);
    assert_true(str_eq(row->needs[1].group, STR("legal")));
    assert_true(str_eq(row->by[0], STR("local|bob")));
    assert_true(str_eq(row->by[1], STR("")));
    assert_true(str_eq(row->by[2], STR("local|bob")));
    assert_true(str_eq(row->arguments, STR("{\"amount\":7}")));
    assert_true(str_eq(row->destination, STR("bank")));
    assert_int_equal(row->decision[0], 9);
    assert_int_equal(row->asked_us, 5);
    assert_int_equal(row->ends_us, 10 * SECOND + 5);
}

static void test_a_row_says_what_was_asked_and_who_agreed(void **state)
{
    (void)state;
    static const struct {
        enum approval_state state;
        struct str name;
    } names[] = {
        {APPROVAL_NONE, STR_INIT("")},
        {APPROVAL_OPEN, STR_INIT("open")},
        {APPROVAL_GRANTED, STR_INIT("granted")},
        {APPROVAL_TAKEN, STR_INIT("taken")},
        {APPROVAL_USED, STR_INIT("used")},
        {APPROVAL_DENIED, STR_INIT("denied")},
        {APPROVAL_EXPIRED, STR_INIT("expired")},
    };
    const struct chain c = chain_of(STR("acme/payer"));
    struct approval_ask a = ask_for(&c, 1);
    struct approvals *t = table();
    unsigned count = 0;
    a.needs = both;
    a.need_count = ARRAY_LEN(both);
    a.now_us = 5;
    struct asked k = asks(t, &a);
    struct approval_word w = word(&k, STR("local|bob"), in_finance, 1);

    assert_int_equal(says(t, &w), APPROVAL_OPEN);
    approvals_each(t, SECOND, on_row, &count);
    assert_int_equal(count, 1);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_true(str_eq(approval_state_name(names[i].state), names[i].name));
    approvals_free(t);
}

/* ---- waiting ---- */

struct waiter {
    struct approval_wait wait;
    unsigned runs;
    enum approval_state state;
};

static void on_done(struct approval_wait *w, enum approval_state state)
{
    struct waiter *me = CONTAINER_OF(w, struct waiter, wait);
    me->runs++;
    me->state = state;
    assert_null(w->waiter);
}

static void stop(void *arg)
{
    loop_stop(arg);
}

/* Runs what was posted so far. */
static void turn(struct loop *l)
{
    assert_true(loop_post(l, stop, l));
    loop_run(l);
}

static void test_all_who_wait_are_told_once(void **state)
{
    (void)state;
    const struct chain c = chain_of(STR("acme/payer"));
    struct approval_ask a = ask_for(&c, 1);
    struct approvals *t = table();
    struct waiter w[4] = {{.wait = {.done = on_done}},
                          {.wait = {.done = on_done}},
                          {.wait = {.done = on_done}},
                          {.wait = {.done = on_done}}};
    struct asked k = asks(t, &a);
    struct approval_word bob = word(&k, STR("local|bob"), in_finance, 1);
    struct loop *l;
    assert_int_equal(loop_new(&l), ERR_OK);

    for (size_t i = 0; i < 3; i++)
        assert_int_equal(approvals_await(t, k.id, l, &w[i].wait), ERR_OK);
    approval_wait_cancel(&w[1].wait);
    approval_wait_cancel(&w[1].wait); /* twice is fine */
    turn(l);
    assert_int_equal(w[0].runs, 0);
    assert_int_equal(says(t, &bob), APPROVAL_GRANTED);
    approval_wait_cancel(&w[2].wait); /* its wake-up is on the way */
    assert_int_equal(w[0].runs, 0);   /* in a later turn */
    turn(l);
    assert_int_equal(w[0].runs, 1);
    assert_int_equal(w[0].state, APPROVAL_GRANTED);
    assert_int_equal(w[1].runs + w[2].runs, 0);

    /* What is decided already, and what there is not. */
    assert_int_equal(approvals_await(t, k.id, l, &w[1].wait), ERR_OK);
    memset(k.id, 0, sizeof(k.id));
    assert_int_equal(approvals_await(t, k.id, l, &w[2].wait), ERR_OK);
    assert_int_equal(w[1].runs, 0);
    turn(l);
    assert_int_equal(w[1].state, APPROVAL_GRANTED);
    assert_int_equal(w[2].runs, 1);
    assert_int_equal(w[2].state, APPROVAL_NONE);

    /* Time runs out. */
    struct ended e;
    a.digest.bytes[0] = 7;
    k = asks(t, &a);
    assert_int_equal(approvals_await(t, k.id, l, &w[3].wait), ERR_OK);
    sweep(t, 60 * SECOND, &e);
    turn(l);
    assert_int_equal(w[3].state, APPROVAL_EXPIRED);
    approvals_free(t);
    loop_free(l);
}

static void test_a_loop_that_closes_leaves_nothing_behind(void **state)
{
    (void)state;
    const struct chain c = chain_of(STR("acme/payer"));
    struct approval_ask a = ask_for(&c, 1);
    struct approvals *t = table();
    struct waiter w[2] = {{.wait = {.done = on_done}},
                          {.wait = {.done = on_done}}};
    struct asked k = asks(t, &a);
    struct ended e;
    struct loop *l;
    assert_int_equal(loop_new(&l), ERR_OK);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(approvals_await(t, k.id, l, &w[i].wait), ERR_OK);
    approval_wait_cancel(&w[0].wait);
    sweep(t, 60 * SECOND, &e);
    approval_wait_cancel(&w[1].wait);
    loop_free(l);
    approvals_free(t);
}

/* ---- threads ---- */

enum { RACERS = 8, ROUNDS = 200 };

struct racer {
    struct thread thread;
    struct approvals *table;
    const struct hash *digest;
    const unsigned char *id;
    atomic_uint *start, *taken;
};

static void race(void *arg)
{
    struct racer *me = arg;

    atomic_fetch_add(me->start, 1);
    while (atomic_load(me->start) < RACERS)
        (void)sched_yield();
    if (approvals_take(me->table, me->id, me->digest, SECOND) == ERR_OK) {
        atomic_fetch_add(me->taken, 1);
        approvals_settle(me->table, me->id, true);
    }
}

static void rule_17_of_many_who_take_at_once_one_does(void **state)
{
    (void)state;
    const struct chain c = chain_of(STR("acme/payer"));
    struct approvals *t = table();

    for (unsigned round = 0; round < ROUNDS / 10; round++) {
        struct approval_ask a = ask_for(&c, (unsigned char)round);
        struct asked k = asks(t, &a);
        struct approval_word w = word(&k, STR("local|bob"), in_finance, 1);
        struct racer racers[RACERS];
        atomic_uint start = 0, taken = 0;

        assert_int_equal(says(t, &w), APPROVAL_GRANTED);
        for (unsigned i = 0; i < RACERS; i++) {
            racers[i] = (struct racer){.table = t,
                                       .digest = &a.digest,
                                       .id = k.id,
                                       .start = &start,
                                       .taken = &taken};
            assert_int_equal(thread_start(&racers[i].thread, "racer", race,
                                          &racers[i]),
                             ERR_OK);
        }
        for (unsigned i = 0; i < RACERS; i++)
            thread_join(&racers[i].thread);
        assert_int_equal(atomic_load(&taken), 1);
    }
    assert_int_equal(approvals_counts_of(t).used, ROUNDS / 10);
    approvals_free(t);
}

enum { WORKERS = 4, WAITS = 3 };

struct worker {
    struct thread thread;
    struct approvals *table;
    struct loop *loop;
    struct timer alive; /* a loop without anything to wait for ends */
    unsigned seed, round;
    struct waiter waits[WAITS];
    atomic_uint *used;
};

static unsigned dice(struct worker *me)
{
    me->seed = me->seed * 1664525u + 1013904223u;
    return me->seed >> 16;
}

static void use(struct worker *me, const struct asked *k, const struct hash *d)
{
    struct approval_grant g;
    struct arena arena;

    arena_init(&arena, 4096);
    if (approvals_look(me->table, &arena, d, me->round, &g) == ERR_OK &&
        approvals_take(me->table, k->id, d, me->round) == ERR_OK) {
        bool used = dice(me) % 2 == 0;
        assert_true(str_eq(g.by[0], STR("local|bob")));
        approvals_settle(me->table, k->id, used);
        atomic_fetch_add(me->used, used);
    }
    arena_release(&arena);
}

static void next_round(void *arg)
{
    struct worker *me = arg;
    const struct chain c = chain_of(STR("acme/payer"));
    struct approval_ask a = ask_for(&c, (unsigned char)(dice(me) % 4));
    struct waiter *w = &me->waits[dice(me) % WAITS];
    enum approval_state s;

    approval_wait_cancel(&w->wait);
    if (me->round++ == ROUNDS) {
        for (unsigned i = 0; i < WAITS; i++)
            approval_wait_cancel(&me->waits[i].wait);
        timer_cancel(&me->alive);
        loop_stop(me->loop);
        return;
    }
    a.now_us = me->round;
    struct asked k = asks(me->table, &a);
    struct approval_word said = word(&k, STR("local|bob"), in_finance, 1);
    said.now_us = me->round;
    said.yes = dice(me) % 4 != 0;
    *w = (struct waiter){.wait = {.done = on_done}};
    assert_int_equal(approvals_await(me->table, k.id, me->loop, &w->wait),
                     ERR_OK);
    if (dice(me) % 2 == 0)
        (void)!approvals_decide(me->table, &said, &s);
    use(me, &k, &a.digest);
    if (me->seed % 3 == 0)
        assert_true(rows(me->table, me->round) > 0);
    if (dice(me) % 64 == 0)
        (void)approvals_counts_of(me->table);
    assert_true(loop_post(me->loop, next_round, me));
}

static void too_late(struct timer *t)
{
    (void)t;
    fail_msg("the threads have stopped moving");
}

static void run_worker(void *arg)
{
    struct worker *me = arg;
    timer_set(me->loop, &me->alive, 25000, too_late);
    loop_run(me->loop);
}

static void test_threads_share_the_table(void **state)
{
    (void)state;
    static struct worker workers[WORKERS];
    atomic_uint used = 0;
    struct approvals *t = table();
    struct ended e;

    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){.table = t, .seed = i, .used = &used};
        assert_int_equal(loop_new(&workers[i].loop), ERR_OK);
        assert_true(loop_post(workers[i].loop, next_round, &workers[i]));
        assert_int_equal(thread_start(&workers[i].thread, "worker", run_worker,
                                      &workers[i]),
                         ERR_OK);
    }
    for (unsigned i = 0; i < ROUNDS; i++)
        sweep(t, i, &e);
    for (unsigned i = 0; i < WORKERS; i++) {
        thread_join(&workers[i].thread);
        assert_int_equal(workers[i].round, ROUNDS + 1);
        loop_free(workers[i].loop);
    }
    assert_int_equal(approvals_counts_of(t).used, atomic_load(&used));
    approvals_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_17_the_same_action_joins_one_ticket),
        cmocka_unit_test(rule_17_a_yes_is_for_one_digest_and_one_use),
        cmocka_unit_test(rule_10_every_group_has_to_say_yes),
        cmocka_unit_test(rule_18_no_link_of_the_chain_and_no_stranger_decides),
        cmocka_unit_test(test_one_no_ends_it_also_after_a_yes_of_the_same),
        cmocka_unit_test(test_a_ticket_that_lifts_too_little_is_replaced),
        cmocka_unit_test(test_silence_is_no_and_a_yes_does_not_wait_forever),
        cmocka_unit_test(test_many_that_expire_at_once_are_all_told),
        cmocka_unit_test(test_open_tickets_of_one_principal_are_limited),
        cmocka_unit_test(test_there_is_an_end_to_all_tickets),
        cmocka_unit_test(rule_19_what_cannot_be_shown_whole_is_not_asked),
        cmocka_unit_test(test_a_row_says_what_was_asked_and_who_agreed),
        cmocka_unit_test(test_all_who_wait_are_told_once),
        cmocka_unit_test(test_a_loop_that_closes_leaves_nothing_behind),
        cmocka_unit_test(rule_17_of_many_who_take_at_once_one_does),
        cmocka_unit_test(test_threads_share_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
