/*
 * Tests pipeline/pipeline: order, stop, wait, cancel, retry, and the one rule
 * that matters: nothing is dispatched unless it was decided and recorded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/list.h"
#include "pipeline/action.h"
#include "pipeline/pipeline.h"
#include "pipeline/worker.h"

/* What the stages of a case do, and what happened. */
static struct {
    enum step answers[8]; /* of `second`, one per run */
    unsigned second_runs;
    unsigned cancels, replies, settles, dispatches;
    enum err stop_with;
} seen;

static struct worker worker;

static enum step go_next(struct action *a)
{
    (void)a;
    return STEP_NEXT;
}

static enum step second(struct action *a)
{
    enum step s = seen.answers[seen.second_runs++];
    return s == STEP_STOP && seen.stop_with != ERR_OK
               ? stage_stop(a, seen.stop_with)
               : s;
}

static enum step count_dispatch(struct action *a)
{
    (void)a;
    seen.dispatches++;
    return STEP_NEXT;
}

static enum step resume_at_once(struct action *a)
{
    pipeline_resume(a, STEP_NEXT); /* a callback that comes before WAIT */
    return STEP_WAIT;
}

static void count_cancel(struct action *a)
{
    (void)a;
    seen.cancels++;
}

static enum step count_reply(struct action *a)
{
    (void)a;
    seen.replies++;
    return STEP_NEXT;
}

static enum step count_settle(struct action *a)
{
    (void)a;
    seen.settles++;
    return STEP_NEXT;
}

#define REPLY {"reply", count_reply, NULL, 0, FACT_REPLIED, NULL, NULL}
#define SETTLE {"settle", count_settle, NULL, 0, FACT_SETTLED, NULL, NULL}

/* identify, decide (the one that varies), dispatch, reply, settle. */
static const struct stage stages[] = {
    {"identify", go_next, NULL, 0, FACT_IDENTITY, NULL, NULL},
    {"decide", second, count_cancel, FACT_IDENTITY, FACT_DECISION, NULL,
     "identify"},
    {"dispatch", count_dispatch, NULL, FACT_DECISION, FACT_DISPATCHED, NULL,
     NULL},
    REPLY,
    SETTLE,
};
static const struct pipeline line = {stages, ARRAY_LEN(stages)};

static void start(const struct pipeline *p, struct action *a)
{
    *a = (struct action){.worker = &worker};
    list_init(&a->node);
    pipeline_start(p, a);
}

static int setup(void **state)
{
    (void)state;
    memset(&seen, 0, sizeof(seen));
    return 0;
}

static void test_production_table_is_sound(void **state)
{
    (void)state;
    const uint32_t before_dispatch = FACT_IDENTITY | FACT_ADMITTED |
                                     FACT_DECISION | FACT_APPROVAL |
                                     FACT_RESERVATION | FACT_RECORD;
    const struct pipeline *p = pipeline_table();
    uint32_t given = 0;
    bool dispatches = false;

    assert_true(pipeline_check(p));
    for (size_t i = 0; i < p->count; i++) {
        if ((p->stages[i].gives & FACT_DISPATCHED) != 0) {
            dispatches = true;
            assert_int_equal(given & before_dispatch, before_dispatch);
            assert_int_equal(p->stages[i].needs & FACT_RECORD, FACT_RECORD);
            assert_int_equal(p->stages[i].needs & FACT_DECISION, FACT_DECISION);
        }
        given |= p->stages[i].gives;
    }
    assert_true(dispatches);
}

/* Rule 23: what goes back for another attempt loses its intent, so the next
 * byte needs a durable intent of its own. */
static void rule_23_a_retry_goes_back_before_the_record(void **state)
{
    (void)state;
    const struct pipeline *p = pipeline_table();
    size_t record = 0, dispatch = 0, back = 0;

    for (size_t i = 0; i < p->count; i++) {
        if ((p->stages[i].gives & FACT_RECORD) != 0)
            record = i;
        if ((p->stages[i].gives & FACT_DISPATCHED) != 0)
            dispatch = i;
    }
    assert_non_null(p->stages[dispatch].retry_at);
    while (strcmp(p->stages[back].name, p->stages[dispatch].retry_at) != 0)
        back++;
    assert_true(back < record && record < dispatch);
}

static void test_unsound_tables_are_refused(void **state)
{
    (void)state;
    const struct stage before_its_needs[] = {
        {"dispatch", go_next, NULL, FACT_RECORD, FACT_DISPATCHED, NULL, NULL},
        {"record", go_next, NULL, 0, FACT_RECORD, NULL, NULL},
        REPLY,
        SETTLE,
    };
    const struct stage given_twice[] = {
        {"a", go_next, NULL, 0, FACT_RECORD, NULL, NULL},
        {"b", go_next, NULL, 0, FACT_RECORD, NULL, NULL},
        REPLY,
        SETTLE,
    };
    const struct stage goes_forward[] = {
        {"a", go_next, NULL, 0, FACT_RECORD, "b", NULL},
        {"b", go_next, NULL, 0, FACT_CALL, NULL, NULL},
        REPLY,
        SETTLE,
    };
    const struct stage needy_tail[] = {
        {"a", go_next, NULL, 0, FACT_RECORD, NULL, NULL},
        REPLY,
        {"settle", count_settle, NULL, FACT_RECORD, FACT_SETTLED, NULL, NULL},
    };
    const struct pipeline wrong[] = {
        {before_its_needs, ARRAY_LEN(before_its_needs)},
        {given_twice, ARRAY_LEN(given_twice)},
        {goes_forward, ARRAY_LEN(goes_forward)},
        {needy_tail, ARRAY_LEN(needy_tail)},
        {stages, PIPELINE_TAIL},
    };
    assert_true(pipeline_check(&line));
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_false(pipeline_check(&wrong[i]));
}

static void test_next_runs_through(void **state)
{
    (void)state;
    seen.answers[0] = STEP_NEXT;
    struct action a;
    start(&line, &a);
    assert_true(pipeline_ended(&a));
    assert_int_equal(a.err, ERR_OK);
    assert_int_equal(seen.dispatches, 1);
    assert_int_equal(seen.replies, 1);
    assert_int_equal(seen.settles, 1);
}

static void test_stop_skips_to_reply_and_settle(void **state)
{
    (void)state;
    seen.answers[0] = STEP_STOP;
    seen.stop_with = ERR_DENIED;
    struct action a;
    start(&line, &a);
    assert_true(pipeline_ended(&a));
    assert_int_equal(a.err, ERR_DENIED);
    assert_int_equal(seen.dispatches, 0);
    assert_int_equal(a.at.facts & FACT_DECISION, 0);
    assert_int_equal(seen.replies, 1);
    assert_int_equal(seen.settles, 1);
}

static void test_zeroed_step_stops(void **state)
{
    (void)state;
    enum step zero;
    memset(&zero, 0, sizeof(zero));
    assert_int_equal(zero, STEP_STOP);
    struct action a;
    start(&line, &a); /* answers[] is zero */
    assert_true(pipeline_ended(&a));
    assert_int_equal(seen.dispatches, 0);
}

static void test_wait_then_resume(void **state)
{
    (void)state;
    seen.answers[0] = STEP_WAIT;
    struct action a;
    start(&line, &a);
    assert_false(pipeline_ended(&a));
    assert_int_equal(seen.dispatches + seen.settles, 0);

    pipeline_resume(&a, STEP_NEXT);
    assert_true(pipeline_ended(&a));
    assert_int_equal(seen.dispatches, 1);
    assert_int_equal(seen.cancels, 0);
    assert_int_equal(seen.settles, 1);

    pipeline_end(&a, ERR_CLOSED); /* too late: nothing happens */
    assert_int_equal(seen.cancels, 0);
    assert_int_equal(seen.settles, 1);
    assert_int_equal(a.err, ERR_OK);
}

static void test_end_cancels_a_wait_once(void **state)
{
    (void)state;
    seen.answers[0] = STEP_WAIT;
    struct action a;
    start(&line, &a);
    pipeline_end(&a, ERR_CLOSED);
    pipeline_end(&a, ERR_SHUTDOWN);
    assert_true(pipeline_ended(&a));
    assert_int_equal(a.err, ERR_CLOSED);
    assert_int_equal(seen.cancels, 1);
    assert_int_equal(seen.dispatches, 0);
    assert_int_equal(seen.replies, 1);
    assert_int_equal(seen.settles, 1);
}

static void test_an_answer_before_the_wait_counts_once(void **state)
{
    (void)state;
    const struct stage early[] = {
        {"decide", resume_at_once, count_cancel, 0, FACT_DECISION, NULL, NULL},
        {"dispatch", count_dispatch, NULL, FACT_DECISION, FACT_DISPATCHED, NULL,
         NULL},
        REPLY,
        SETTLE,
    };
    const struct pipeline p = {early, ARRAY_LEN(early)};
    struct action a;
    start(&p, &a);
    assert_true(pipeline_ended(&a));
    assert_int_equal(seen.dispatches, 1);
    assert_int_equal(seen.settles, 1);
}

static void test_retry_goes_back_and_forgets(void **state)
{
    (void)state;
    seen.answers[0] = STEP_RETRY;
    seen.answers[1] = STEP_WAIT;
    struct action a;
    start(&line, &a);
    assert_false(pipeline_ended(&a));
    assert_int_equal(a.at.facts, FACT_IDENTITY);
    pipeline_resume(&a, STEP_RETRY);
    assert_true(pipeline_ended(&a)); /* answers[2] is zero: it stops */
    assert_int_equal(seen.second_runs, 3);
    assert_int_equal(seen.settles, 1);
}

static void test_a_long_wait_resumes_where_the_row_says(void **state)
{
    (void)state;
    const struct stage approve[] = {
        {"decide", second, count_cancel, 0, FACT_DECISION, NULL, NULL},
        {"approve", second, count_cancel, FACT_DECISION, FACT_APPROVAL,
         "decide", NULL},
        {"dispatch", count_dispatch, NULL, FACT_APPROVAL, FACT_DISPATCHED, NULL,
         NULL},
        REPLY,
        SETTLE,
    };
    const struct pipeline p = {approve, ARRAY_LEN(approve)};
    const enum step answers[] = {STEP_NEXT, STEP_WAIT, STEP_NEXT, STEP_NEXT};

    memcpy(seen.answers, answers, sizeof(answers));
    struct action a;
    start(&p, &a);
    assert_false(pipeline_ended(&a));
    pipeline_resume(&a, STEP_NEXT);
    assert_true(pipeline_ended(&a));
    assert_int_equal(seen.second_runs, 4); /* decided twice, approved twice */
    assert_int_equal(seen.dispatches, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_production_table_is_sound, setup),
        cmocka_unit_test_setup(rule_23_a_retry_goes_back_before_the_record,
                               setup),
        cmocka_unit_test_setup(test_unsound_tables_are_refused, setup),
        cmocka_unit_test_setup(test_next_runs_through, setup),
        cmocka_unit_test_setup(test_stop_skips_to_reply_and_settle, setup),
        cmocka_unit_test_setup(test_zeroed_step_stops, setup),
        cmocka_unit_test_setup(test_wait_then_resume, setup),
        cmocka_unit_test_setup(test_end_cancels_a_wait_once, setup),
        cmocka_unit_test_setup(test_an_answer_before_the_wait_counts_once,
                               setup),
        cmocka_unit_test_setup(test_retry_goes_back_and_forgets, setup),
        cmocka_unit_test_setup(test_a_long_wait_resumes_where_the_row_says,
                               setup),
    };
    list_init(&worker.actions);
    list_init(&worker.leaving);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
