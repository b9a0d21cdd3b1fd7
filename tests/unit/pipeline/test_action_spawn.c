/* Tests pipeline/action_spawn: children walk the table by themselves, and end
 * with their parent, or tell it once that they have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/text.h"
#include "evidence/evidence.h"
#include "fixture.h"
#include "identity/proof.h"
#include "limit/limit.h"
#include "pipeline/action.h"
#include "pipeline/action_class.h"
#include "pipeline/exchange.h"
#include "pipeline/snapshot.h"
#include "policy/rules.h"
#include "session/session.h"

/* What an action of the class below does; its a->own. */
struct probe {
    enum step parse, route, dispatch;
    bool nowhere;              /* finds no candidate */
    const struct probe *child; /* spawned in `route` */
    unsigned route_runs;
};

/* What was told about children. */
static struct seen {
    unsigned told;
    enum err err;
    const struct action *last;
    struct action *resumes; /* the parent is resumed with NEXT */
    struct action *stops;   /* ... or stopped */
    struct action *spawns;  /* tries another child in `ended` */
    bool spawned;
    unsigned route_cancels, dispatch_cancels, releases;
} seen;

static struct action *spawn(struct action *parent, const struct probe *p);

static struct probe *probe_of(const struct action *a)
{
    return a->own;
}

static enum step parse(struct action *a)
{
    if (a->exchange != NULL)
        a->kind = a->exchange->endpoint->action;
    a->resource_type = STR("Model");
    a->resource = STR("plain");
    if (probe_of(a)->parse == STEP_STOP)
        return stage_stop(a, ERR_MALFORMED);
    return STEP_NEXT;
}

static void cancel_parse(struct action *a)
{
    (void)a;
}

static enum step route(struct action *a)
{
    struct probe *p = probe_of(a);

    p->route_runs++;
    if (!p->nowhere)
        a->candidates[a->candidate_count++] = (struct candidate){0};
    if (p->child != NULL) {
        seen.resumes = a;
        assert_non_null(spawn(a, p->child));
    }
    return p->route;
}

static void cancel_route(struct action *a)
{
    (void)a;
    seen.route_cancels++;
}

static void add_facts(const struct action *a, unsigned candidate,
                      struct rules_request *q)
{
    const struct provider_settings *p = &a->snapshot->settings.providers[0];
    (void)candidate;
    q->destination = (struct rules_destination){p->name, p->host, p->region};
}

static enum err write_nothing(struct action *a)
{
    (void)a;
    return ERR_OK;
}

static enum step dispatch(struct action *a)
{
    return probe_of(a)->dispatch;
}

static void cancel_dispatch(struct action *a)
{
    (void)a;
    seen.dispatch_cancels++;
}

static enum step relay(struct action *a)
{
    a->outcome = OUTCOME_OK;
    return STEP_NEXT;
}

static void release(struct action *a)
{
    (void)a;
    seen.releases++;
}

static const struct action_class probe_class = {
    .name = "probe",
    .own_size = sizeof(struct probe),
    .parse = parse,
    .parse_cancel = cancel_parse,
    .route = route,
    .route_cancel = cancel_route,
    .facts = add_facts,
    .outgoing = write_nothing,
    .broker = write_nothing,
    .dispatch = dispatch,
    .dispatch_cancel = cancel_dispatch,
    .relay = relay,
    .release = release,
};

static const struct probe waits = {.parse = STEP_NEXT,
                                   .route = STEP_NEXT,
                                   .dispatch = STEP_WAIT};
static const struct probe goes = {.parse = STEP_NEXT,
                                  .route = STEP_NEXT,
                                  .dispatch = STEP_NEXT};
static const struct probe denied = {.parse = STEP_NEXT,
                                    .route = STEP_NEXT,
                                    .nowhere = true};
/* Of a parent: waits in `route` for a child that does as the name says. */
static const struct probe asks_who_waits = {.parse = STEP_NEXT,
                                            .route = STEP_WAIT,
                                            .dispatch = STEP_WAIT,
                                            .child = &waits};
static const struct probe asks_in_vain = {.parse = STEP_NEXT,
                                          .route = STEP_WAIT,
                                          .dispatch = STEP_WAIT,
                                          .child = &denied};

static void on_ended(struct action *child, void *user)
{
    assert_ptr_equal(user, child->parent);
    assert_true(pipeline_ended(child));
    seen.told++;
    seen.err = child->err;
    seen.last = child;
    if (seen.spawns != NULL)
        seen.spawned |= spawn(seen.spawns, &waits) != NULL;
    if (seen.resumes != NULL)
        pipeline_resume(seen.resumes, STEP_NEXT);
    if (seen.stops != NULL)
        pipeline_resume(seen.stops, stage_stop(seen.stops, ERR_UPSTREAM));
}

static void prepare(struct action *child, const void *input)
{
    assert_int_equal(child->at.facts, 0);
    *probe_of(child) = *(const struct probe *)input;
}

static struct action *spawn(struct action *parent, const struct probe *p)
{
    const struct action_child o = {.kind = ACTION_MODEL_INVOKE,
                                   .prepare = prepare,
                                   .input = p,
                                   .ended = on_ended,
                                   .user = parent};
    return action_spawn(parent, &probe_class, &o);
}

static int open_world(void **state)
{
    seen = (struct seen){0};
    return world_open(state);
}

static struct action *action_of(struct world *w)
{
    struct exchange *x = w->r.user;
    return x->action;
}

/* A model call of alice that waits for its destination. */
static struct action *parent_of(struct world *w)
{
    world_call(w, CHAT, PLAIN_BODY, 1);
    return action_of(w);
}

/* An action of the class above, with a request; it is told how to behave when
 * `identify` is over, by way of the session's key that it waits for. */
static struct action *begin(struct world *w, const struct probe *p)
{
    static const struct endpoint endpoint = {.kind = ENDPOINT_ACTION,
                                             .planes = PLANE_DATA,
                                             .class = &probe_class,
                                             .action = ACTION_MODEL_INVOKE};
    static struct exchange x;

    x = (struct exchange){.worker = &w->w,
                          .http = &w->r,
                          .endpoint = &endpoint};
    world_prepare(w, CHAT, PLAIN_BODY);
    http_request_set_user(&w->r, &x);
    struct action *a = action_begin(&w->w, &x, &w->r.arena);
    assert_non_null(a);
    *probe_of(a) = *p;
    world_key(w, ERR_OK);
    return a;
}

static size_t named_as_parent(const struct world *w, const struct action *a)
{
    char part[64] = "\"parent\":\"";
    char *at = part + strlen(part);

    text_hex(a->id, sizeof(a->id), at);
    at[TEXT_HEX_LEN(ACTION_ID_LEN)] = '\0';
    return world_entries(w, part);
}

/* ---- of its own ---- */

static void a_child_walks_the_table_with_an_intent_of_its_own(void **state)
{
    struct world *w = *state;
    struct action *parent = parent_of(w);
    struct action *child = spawn(parent, &waits);

    assert_non_null(child);
    assert_memory_not_equal(child->id, parent->id, sizeof(child->id));
    assert_ptr_equal(child->session, parent->session);
    assert_ptr_equal(child->snapshot, parent->snapshot);
    assert_int_equal(child->at.facts & FACT_RECORD, 0);
    assert_int_equal(child->held.count, parent->held.count);
    world_ack(w, ERR_OK);
    assert_int_not_equal(child->at.facts & FACT_DISPATCHED, 0);
    assert_int_equal(named_as_parent(w, parent), 1);
    assert_int_equal(world_entries(w, "\"kind\":\"intent\""), 2);
    assert_int_equal(seen.told, 0);
    assert_int_equal(w->w.counters.open, 2);

    pipeline_resume(child, STEP_NEXT);
    assert_int_equal(seen.told, 1);
    assert_int_equal(seen.err, ERR_OK);
    assert_int_equal(seen.releases, 1);
    assert_true(world_last(w, "\"status\":\"ok\""));
    assert_int_equal(parent->child_count, 0);
    assert_int_equal(w->w.counters.open, 1);

    call_head(&w->client.calls[0], 200, JSON_TYPE);
    call_piece(&w->client.calls[0], ANSWER, true, ERR_OK);
    assert_int_equal(w->r.status, 200);
    assert_int_equal(seen.told, 1);
}

static void a_child_that_is_refused_says_whose_it_was(void **state)
{
    struct world *w = *state;
    struct action *parent = parent_of(w);

    assert_non_null(spawn(parent, &denied));
    assert_int_equal(seen.told, 1);
    assert_int_equal(seen.err, ERR_DENIED);
    assert_int_equal(named_as_parent(w, parent), 1);
    assert_true(world_last(w, "\"kind\":\"refusal\""));
    assert_false(pipeline_ended(parent));
    assert_int_equal(w->r.replies, 0);
}

static void a_child_is_looked_at_as_its_parent_was(void **state)
{
    struct world *w = *state;
    struct action *parent = parent_of(w);

    /* The worker has not been told yet. */
    w->registry.standing = ERR_INACTIVE;
    w->registry.epoch++;
    assert_non_null(spawn(parent, &goes));
    assert_int_equal(seen.err, ERR_INACTIVE);
    w->registry.standing = ERR_OK;

    int64_t expires_us = parent->proof->expires_us;
    parent->proof->expires_us = 1;
    assert_non_null(spawn(parent, &goes));
    assert_int_equal(seen.err, ERR_REVOKED);
    parent->proof->expires_us = expires_us;
    assert_int_equal(seen.told, 2);
    assert_int_equal(world_entries(w, "\"kind\":\"intent\""), 1);
}

/* ---- what the parent hears ---- */

static void a_parent_waits_for_its_child(void **state)
{
    struct world *w = *state;
    struct action *parent = begin(w, &asks_who_waits);

    assert_int_equal(parent->child_count, 1);
    assert_int_equal(parent->at.facts & FACT_ROUTE, 0);
    world_ack(w, ERR_OK);
    pipeline_resume(CONTAINER_OF(list_first(&parent->children), struct action,
                                 sibling),
                    STEP_NEXT);
    assert_int_equal(seen.told, 1);
    assert_int_not_equal(parent->at.facts & FACT_DECISION, 0);
    assert_int_equal(probe_of(parent)->route_runs, 1);
    world_ack(w, ERR_OK);
    pipeline_resume(parent, STEP_NEXT);
    assert_true(pipeline_ended(parent));
    assert_int_equal(parent->err, ERR_OK);
}

static void
a_child_may_end_while_the_stage_that_spawned_it_is_on_the_stack(void **state)
{
    struct world *w = *state;
    struct action *parent = begin(w, &asks_in_vain);

    assert_int_equal(seen.told, 1);
    assert_int_equal(seen.err, ERR_DENIED);
    assert_int_not_equal(parent->at.facts & FACT_DECISION, 0);
    assert_int_equal(probe_of(parent)->route_runs, 1);
    seen.resumes = NULL;
    pipeline_end(parent, ERR_CLOSED);
    assert_int_equal(seen.told, 1);
}

/* ---- the parent ends ---- */

static void a_parent_that_is_told_to_end_ends_its_children_first(void **state)
{
    struct world *w = *state;
    struct action *parent = begin(w, &asks_who_waits);

    seen.spawns = parent; /* and is not heard: no child, no resume */
    world_ack(w, ERR_OK);
    pipeline_end(parent, ERR_SHUTDOWN);
    assert_int_equal(seen.told, 1);
    assert_int_equal(seen.err, ERR_SHUTDOWN);
    assert_int_equal(seen.dispatch_cancels, 1);
    assert_int_equal(seen.route_cancels, 1);
    assert_int_equal(seen.releases, 2);
    assert_false(seen.spawned);
    assert_int_equal(parent->err, ERR_SHUTDOWN);
    assert_true(pipeline_ended(parent));
    assert_int_equal(world_entries(w, "\"kind\":\"outcome\""), 1);
    assert_null(spawn(parent, &waits));
}

static void a_hang_up_ends_the_children_of_children(void **state)
{
    struct world *w = *state;
    struct action *parent = parent_of(w);
    struct action *child = spawn(parent, &waits);

    assert_non_null(spawn(child, &waits));
    assert_non_null(spawn(child, &waits));
    assert_non_null(spawn(parent, &waits));
    world_done(w, ERR_CLOSED);
    assert_int_equal(seen.told, 4);
    assert_int_equal(seen.err, ERR_CLOSED);
    assert_true(list_empty(&w->w.actions));
    /* Their intents were on their way to the disk. */
    world_ack(w, ERR_OK);
    assert_int_equal(world_entries(w, "\"kind\":\"intent\""), 5);
    assert_int_equal(world_entries(w, "\"status\":\"not_sent\""), 4);
}

static void a_parent_that_has_its_answer_ends_its_children(void **state)
{
    struct world *w = *state;
    struct action *parent = parent_of(w);

    assert_non_null(spawn(parent, &waits));
    seen.stops = parent; /* which it does not hear: it has its answer */
    world_ack(w, ERR_OK);
    call_head(&w->client.calls[0], 200, JSON_TYPE);
    call_piece(&w->client.calls[0], ANSWER, true, ERR_OK);
    assert_int_equal(parent->err, ERR_OK);
    assert_int_equal(w->w.counters.failed, 1); /* the child */
    assert_int_equal(seen.told, 1);
    assert_int_equal(seen.err, ERR_CLOSED);
    assert_int_equal(w->r.status, 200);
    assert_int_equal(world_entries(w, "\"status\":\"interrupted\""), 1);
    assert_int_equal(world_entries(w, "\"status\":\"ok\""), 1);
}

/* Rule 21: nothing of a revoked chain goes on, however deep. */
static void rule_21_a_revocation_reaches_children(void **state)
{
    struct world *w = *state;
    struct action *parent = parent_of(w);

    for (unsigned i = 0; i < 3; i++) {
        struct action *child = spawn(parent, &waits);
        assert_non_null(child);
        assert_non_null(spawn(child, &waits));
    }
    world_ack(w, ERR_OK);
    w->registry.standing = ERR_REVOKED;
    w->registry.epoch++;
    worker_revoked(&w->w);
    assert_int_equal(seen.told, 6);
    assert_int_equal(seen.err, ERR_REVOKED);
    assert_int_equal(seen.dispatch_cancels, 6);
    assert_true(pipeline_ended(parent));
    assert_int_equal(parent->err, ERR_REVOKED);
    assert_true(list_empty(&w->w.actions));
    assert_int_equal(world_entries(w, "\"kind\":\"outcome\""), 7);
}

static void a_drain_ends_parents_before_it_comes_to_their_children(void **state)
{
    struct world *w = *state;
    struct action *parent = begin(w, &asks_who_waits);

    assert_int_equal(parent->child_count, 1);
    worker_end_all(&w->w, ERR_SHUTDOWN);
    assert_int_equal(seen.told, 1);
    assert_int_equal(seen.err, ERR_SHUTDOWN);
    assert_int_equal(probe_of(parent)->route_runs, 1);
    assert_true(list_empty(&w->w.actions));
}

/* ---- bounds ---- */

static void ancestors_are_bounded(void **state)
{
    struct world *w = *state;
    struct action *parent = parent_of(w);
    struct action *deep = parent;

    for (unsigned i = 0; i < ACTION_DEPTH_MAX; i++) {
        deep = spawn(deep, &waits);
        assert_non_null(deep);
    }
    assert_null(spawn(deep, &waits));
}

static void children_are_bounded_in_number(void **state)
{
    static const struct probe asks_none = {.parse = STEP_NEXT,
                                           .route = STEP_WAIT};
    struct world *w = *state;
    struct action *parent = parent_of(w);
    struct action *some = NULL;

    for (unsigned i = 0; i < ACTION_CHILDREN_MAX; i++) {
        some = spawn(parent, &asks_none);
        assert_non_null(some);
    }
    unsigned told = seen.told;
    assert_null(spawn(parent, &asks_none));
    assert_int_equal(seen.told, told);
    pipeline_end(some, ERR_CLOSED);
    assert_non_null(spawn(parent, &asks_none));
    assert_null(spawn(parent, &asks_none));
}

static void children_are_bounded_in_all(void **state)
{
    static const struct probe malformed = {.parse = STEP_STOP};
    struct world *w = *state;
    struct action *parent = parent_of(w);
    unsigned started = 0;

    w->ledger.answer = ERR_EVIDENCE; /* which takes no refusal */
    while (started <= ACTION_SPAWNED_MAX && spawn(parent, &malformed) != NULL)
        started++;
    assert_int_equal(started, ACTION_SPAWNED_MAX);
    assert_int_equal(seen.told, ACTION_SPAWNED_MAX);
}

static void nobody_who_is_not_admitted_has_children(void **state)
{
    struct world *w = *state;

    world_ask(w, CHAT, PLAIN_BODY); /* waits for the session's key */
    assert_null(spawn(action_of(w), &waits));
    assert_int_equal(seen.told, 0);
}

/* ---- classes ---- */

/* What a class does not have denies, wherever it is missed. */
static void a_class_that_lacks_something_denies(void **state)
{
    struct world *w = *state;
    struct action *parent = parent_of(w);
    struct action_class poor[7];

    for (size_t i = 0; i < ARRAY_LEN(poor); i++)
        poor[i] = probe_class;
    poor[0].parse = NULL;
    poor[1].route = NULL;
    poor[2].facts = NULL;
    poor[3].outgoing = NULL;
    poor[4].broker = NULL;
    poor[5].dispatch = NULL;
    poor[6].relay = NULL;
    for (size_t i = 0; i < ARRAY_LEN(poor); i++) {
        const struct action_child o = {.kind = ACTION_MODEL_INVOKE,
                                       .prepare = prepare,
                                       .input = &goes,
                                       .ended = on_ended,
                                       .user = parent};
        assert_non_null(action_spawn(parent, &poor[i], &o));
        world_ack(w, ERR_OK);
        assert_int_equal(seen.told, i + 1);
        assert_int_equal(seen.err, ERR_INTERNAL);
    }
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, open_world, world_close)
    const struct CMUnitTest tests[] = {
        CASE(a_child_walks_the_table_with_an_intent_of_its_own),
        CASE(a_child_that_is_refused_says_whose_it_was),
        CASE(a_child_is_looked_at_as_its_parent_was),
        CASE(a_parent_waits_for_its_child),
        CASE(a_child_may_end_while_the_stage_that_spawned_it_is_on_the_stack),
        CASE(a_parent_that_is_told_to_end_ends_its_children_first),
        CASE(a_hang_up_ends_the_children_of_children),
        CASE(a_parent_that_has_its_answer_ends_its_children),
        CASE(rule_21_a_revocation_reaches_children),
        CASE(a_drain_ends_parents_before_it_comes_to_their_children),
        CASE(ancestors_are_bounded),
        CASE(children_are_bounded_in_number),
        CASE(children_are_bounded_in_all),
        CASE(nobody_who_is_not_admitted_has_children),
        CASE(a_class_that_lacks_something_denies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
