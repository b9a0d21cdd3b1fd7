/* Tests pipeline/stage_approve.c and pipeline/approving.c, with calls of tools
 * that people have to agree to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/container.h"
#include "mcp_fixture.h"
#include "pipeline/action.h"
#include "pipeline/mcp.h"

#define ASK_FINANCE PERMIT_ALL FORBID("money", "finance", "pay")
#define ASK_BOTH ASK_FINANCE FORBID("law", "legal", "pay")
#define PAY(id) CALL(id, "pay", "{\"amount\":1}")

enum { LONG_MS = 60000 };

static struct loop *running;

static void pay(struct world *w, const char *call)
{
    mcp_post(w, FILES, mcp_files_session, call);
}

/* A call that waits for the yes of "finance", and has it. */
static void ask_and_agree(struct world *w)
{
    mcp_policies(w, ASK_FINANCE, 0);
    pay(w, PAY("7"));
    mcp_decide(w, "finance", true);
}

/* A call that is held until then. */
static void hold(struct world *w)
{
    mcp_policies(w, ASK_FINANCE, LONG_MS);
    pay(w, PAY("7"));
}

static bool is_pending(const struct world *w)
{
    return w->r.status == 403 && request_says(&w->r, "approval_pending");
}

static enum approval_state state_of(struct world *w)
{
    char id[APPROVAL_ID_LEN];

    return mcp_ticket(w, id);
}

/* The call has gone out, and ends well. */
static void finish(struct world *w)
{
    assert_int_equal(hub.count, 1);
    mcp_answered(mcp_last(), RESULT, false);
    world_ack(w, ERR_OK);
    assert_int_equal(w->r.status, 200);
}

static void rule_20_deferred_is_no_success(void **state)
{
    struct world *w = *state;

    mcp_policies(w, ASK_FINANCE, 0);
    pay(w, PAY("7"));
    assert_true(is_pending(w));
    assert_int_equal(hub.count, 0);
    assert_non_null(memmem(w->r.reply_fields.ptr, w->r.reply_fields.len,
                           "retry-after: ", 13));
    assert_true(request_says(&w->r, "\"ticket\""));
    assert_true(request_says(&w->r, "\"id\":7"));
    assert_false(request_says(&w->r, "isError"));
    assert_int_equal(world_entries(w, "\"event\":\"ask\""), 1);
}

static void rule_17_a_yes_lets_the_same_call_pass_once(void **state)
{
    struct world *w = *state;

    ask_and_agree(w);
    mcp_prepare(w, FILES, mcp_files_session, PAY("8"));
    world_send(w);
    assert_int_equal(state_of(w), APPROVAL_TAKEN); /* not durable yet */
    assert_int_equal(hub.count, 0);
    assert_true(world_last(w, "\"kind\":\"intent\""));
    assert_true(world_last(w, "local|bob"));
    world_ack(w, ERR_OK);
    assert_int_equal(state_of(w), APPROVAL_USED);
    finish(w);
    pay(w, PAY("9"));
    assert_true(is_pending(w));
    assert_int_equal(hub.count, 1);
}

static void rule_17_other_arguments_are_another_action(void **state)
{
    struct world *w = *state;

    ask_and_agree(w);
    pay(w, CALL("8", "pay", "{\"amount\":2}"));
    assert_true(is_pending(w));
    assert_int_equal(hub.count, 0);
    pay(w, CALL("9", "pay", "{ \"amount\" : 1 }")); /* the same, written so */
    finish(w);
}

static void rule_17_a_failure_before_the_intent_leaves_it_unused(void **state)
{
    struct world *w = *state;

    ask_and_agree(w);

    w->ledger.answer = ERR_OVERLOAD; /* not even taken */
    pay(w, PAY("8"));
    assert_int_equal(state_of(w), APPROVAL_GRANTED);
    assert_int_equal(hub.count, 0);
    w->ledger.answer = ERR_OK;

    mcp_prepare(w, FILES, mcp_files_session, PAY("9"));
    world_send(w);
    assert_int_equal(state_of(w), APPROVAL_TAKEN);
    world_ack(w, ERR_EVIDENCE); /* taken, and lost */
    assert_int_equal(state_of(w), APPROVAL_GRANTED);
    assert_int_equal(hub.count, 0);

    pay(w, PAY("10"));
    finish(w);
}

static void rule_17_who_leaves_while_it_is_recorded_has_used_it(void **state)
{
    struct world *w = *state;

    ask_and_agree(w);
    mcp_prepare(w, FILES, mcp_files_session, PAY("8"));
    world_send(w);
    mcp_end(w);
    assert_int_equal(state_of(w), APPROVAL_TAKEN);
    world_ack(w, ERR_OK);
    assert_int_equal(state_of(w), APPROVAL_USED);
    assert_int_equal(hub.count, 0);
}

static void rule_10_a_forbid_that_came_after_the_yes_asks_for_both(void **state)
{
    struct world *w = *state;

    ask_and_agree(w);
    mcp_policies(w, ASK_BOTH, 0);
    pay(w, PAY("8"));
    assert_true(is_pending(w));
    assert_int_equal(state_of(w), APPROVAL_OPEN);
    mcp_decide(w, "legal", true);
    assert_int_equal(state_of(w), APPROVAL_OPEN); /* finance anew */
    mcp_decide(w, "finance", true);
    pay(w, PAY("9"));
    finish(w);
}

static void rule_10_a_plain_forbid_after_the_yes_denies(void **state)
{
    struct world *w = *state;

    ask_and_agree(w);
    mcp_policies(w,
                 ASK_FINANCE "@id(\"no\") forbid(principal, action, "
                             "resource);",
                 0);
    hub.knows = true;
    pay(w, PAY("8"));
    assert_int_equal(hub.count, 0);
    assert_true(request_says(&w->r, "\"isError\":true"));
    assert_int_equal(state_of(w), APPROVAL_GRANTED); /* not used for that */
}

static void a_yes_without_a_permit_is_none(void **state)
{
    struct world *w = *state;

    mcp_policies(w, FORBID("money", "finance", "pay"), 0);
    pay(w, PAY("7"));
    assert_int_equal(state_of(w), APPROVAL_NONE);
    assert_true(request_says(&w->r, "\"isError\":true"));
}

static void a_held_call_goes_on_with_the_yes(void **state)
{
    struct world *w = *state;

    hold(w);
    assert_int_equal(w->r.replies, 0);
    assert_int_equal(hub.count, 0);
    mcp_decide(w, "finance", true);
    world_ack(w, ERR_OK);
    finish(w);
}

static void a_held_call_ends_with_the_no(void **state)
{
    struct world *w = *state;

    hold(w);
    mcp_decide(w, "finance", false);
    assert_int_equal(w->r.status, 200);
    assert_true(request_says(&w->r, "\"isError\":true"));
    assert_true(request_says(&w->r, "a person has refused"));
    assert_int_equal(hub.count, 0);
}

static void on_later(struct timer *t)
{
    (void)t;
    loop_stop(running);
}

static void a_held_call_is_told_to_come_back_after_a_while(void **state)
{
    struct world *w = *state;
    struct timer later = {0};

    mcp_policies(w, ASK_FINANCE, 5);
    pay(w, PAY("7"));
    running = w->w.loop;
    timer_set(w->w.loop, &later, 5, on_later); /* behind the call's */
    loop_run(w->w.loop);
    assert_true(is_pending(w));
    assert_int_equal(state_of(w), APPROVAL_OPEN); /* it can still be given */
}

static void policies_that_came_meanwhile_have_a_say(void **state)
{
    struct world *w = *state;

    hold(w);
    mcp_policies(w, ASK_BOTH, LONG_MS);
    mcp_decide(w, "finance", true);
    assert_true(is_pending(w));
    assert_int_equal(hub.count, 0);
}

static void rule_21_a_held_call_of_who_is_cut_off_ends(void **state)
{
    struct world *w = *state;

    hold(w);
    mcp_suspend(w);
    assert_int_equal(w->r.status, 401);
    mcp_decide(w, "finance", true);
    assert_int_equal(hub.count, 0);
}

static void a_caller_who_leaves_waits_no_more(void **state)
{
    struct world *w = *state;

    hold(w);
    mcp_end(w);
    mcp_decide(w, "finance", true);
    assert_int_equal(hub.count, 0);
    assert_int_equal(state_of(w), APPROVAL_GRANTED); /* for who asks again */
}

static void a_session_that_has_ended_uses_no_yes(void **state)
{
    struct world *w = *state;

    hold(w);
    const struct action *a =
        CONTAINER_OF(list_first(&w->w.actions), struct action, node);
    mcp_session_end(mcp_of(a)->session);
    mcp_decide(w, "finance", true);
    world_ack(w, ERR_OK);
    assert_int_equal(hub.count, 0);
    assert_int_equal(state_of(w), APPROVAL_GRANTED);
    assert_true(request_says(&w->r, "the session has ended"));
}

static void a_node_that_goes_holds_nobody(void **state)
{
    struct world *w = *state;

    hold(w);
    worker_drain(&w->w);
    assert_int_equal(w->r.status, 200);
    assert_true(request_says(&w->r, "\"isError\":true"));
    assert_int_equal(hub.count, 0);
}

/* The caller's word, as the other workers pass it on. */
static void cancel(struct world *w, struct mcp_session *s, uint64_t number)
{
    const struct hub_word word = {.number = number,
                                  .session = s,
                                  .is_cancel = true};

    mcp_ask_word(&w->w, &word);
}

static void a_held_call_that_was_cancelled_never_goes_out(void **state)
{
    struct world *w = *state;

    hold(w);
    struct action *a =
        CONTAINER_OF(list_first(&w->w.actions), struct action, node);
    struct mcp_session *s = mcp_of(a)->session;
    uint64_t number =
        mcp_session_number(s,
                           (struct message_id){MESSAGE_ID_INTEGER, STR("7")});
    assert_int_not_equal(number, 0);
    cancel(w, s, number);
    assert_int_equal(w->r.replies, 1);
    mcp_decide(w, "finance", true);
    world_ack(w, ERR_OK);
    assert_int_equal(hub.count, 0);
}

/* Two requests in one world: the first waits beside the second. */
static struct http_request put_aside(struct world *w)
{
    struct http_request r = w->r;

    w->r = (struct http_request){0};
    return r;
}

static void one_yes_is_for_one_of_two(void **state)
{
    struct world *w = *state;

    hold(w);
    struct http_request first = put_aside(w);
    pay(w, PAY("8"));
    assert_int_equal(world_entries(w, "\"event\":\"ask\""), 1); /* joined */
    mcp_decide(w, "finance", true);
    world_ack(w, ERR_OK);
    assert_int_equal(hub.count, 1);
    bool second_has_it = w->r.replies == 0;
    if (second_has_it)
        mcp_answered(mcp_last(), RESULT, false);
    world_ack(w, ERR_OK);
    assert_int_not_equal(w->r.replies, 0);
    mcp_end(w);
    w->r = first;
    if (!second_has_it)
        mcp_answered(mcp_last(), RESULT, false);
    world_ack(w, ERR_OK);
    mcp_end(w);
    assert_int_equal(hub.count, 1);
}

#define PROMPT(id, value)                                                      \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"prompts/get\","           \
    "\"params\":{\"name\":\"pay\",\"arguments\":{\"to\":\"" value "\"}}}"

static void rule_17_other_arguments_of_a_prompt_are_another_action(void **state)
{
    struct world *w = *state;

    mcp_policies(w, ASK_FINANCE, 0);
    pay(w, PROMPT("7", "bob"));
    assert_true(is_pending(w));
    mcp_decide(w, "finance", true);
    pay(w, PROMPT("8", "eve"));
    assert_true(is_pending(w));
    assert_int_equal(hub.count, 0);
    pay(w, PROMPT("9", "bob"));
    assert_int_equal(hub.count, 1);
    mcp_answered(mcp_last(), "{\"messages\":[]}", false);
}

#define RESOURCE(id, method)                                                   \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"resources/" method        \
    "\",\"params\":{\"uri\":\"x:y\"}}"

static void rule_17_a_yes_to_read_is_none_to_subscribe(void **state)
{
    struct world *w = *state;

    mcp_policies(w, PERMIT_ALL FORBID("money", "finance", "x:y"), 0);
    pay(w, RESOURCE("7", "read"));
    assert_true(is_pending(w));
    mcp_decide(w, "finance", true);
    pay(w, RESOURCE("8", "subscribe"));
    assert_true(is_pending(w));
    assert_int_equal(hub.count, 0);
}

/* `each` decides for every element; together they need what any needs. */
static void rule_11_a_yes_is_for_all_elements(void **state)
{
    static const char policies[] = PERMIT_ALL
        "@id(\"big\") @approval(\"finance\") forbid(principal, action, "
        "resource) when { context has element && context.element > 100 };"
        "@id(\"odd\") @approval(\"legal\") forbid(principal, action, "
        "resource) when { context has element && context.element == 13 };"
        "@id(\"none\") forbid(principal, action, resource) when { context has "
        "element && context.element == 66 };";
    struct world *w = *state;

    mcp_policies(w, policies, 0);
    pay(w, CALL("7", "pay", "{\"items\":[1,13,200]}"));
    assert_true(is_pending(w));
    mcp_decide(w, "finance", true);
    assert_int_equal(state_of(w), APPROVAL_OPEN);
    mcp_decide(w, "legal", true);
    pay(w, CALL("8", "pay", "{\"items\":[1,13,66,200]}"));
    assert_true(request_says(&w->r, "\"isError\":true"));
    pay(w, CALL("9", "pay", "{\"items\":[1,13,200]}"));
    finish(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, mcp_files_open, mcp_world_close)
        T(rule_20_deferred_is_no_success),
        T(rule_17_a_yes_lets_the_same_call_pass_once),
        T(rule_17_other_arguments_are_another_action),
        T(rule_17_a_failure_before_the_intent_leaves_it_unused),
        T(rule_17_who_leaves_while_it_is_recorded_has_used_it),
        T(rule_10_a_forbid_that_came_after_the_yes_asks_for_both),
        T(rule_10_a_plain_forbid_after_the_yes_denies),
        T(a_yes_without_a_permit_is_none),
        T(a_held_call_goes_on_with_the_yes),
        T(a_held_call_ends_with_the_no),
        T(a_held_call_is_told_to_come_back_after_a_while),
        T(policies_that_came_meanwhile_have_a_say),
        T(rule_21_a_held_call_of_who_is_cut_off_ends),
        T(a_caller_who_leaves_waits_no_more),
        T(a_session_that_has_ended_uses_no_yes),
        T(a_node_that_goes_holds_nobody),
        T(a_held_call_that_was_cancelled_never_goes_out),
        T(one_yes_is_for_one_of_two),
        T(rule_17_other_arguments_of_a_prompt_are_another_action),
        T(rule_17_a_yes_to_read_is_none_to_subscribe),
        T(rule_11_a_yes_is_for_all_elements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
