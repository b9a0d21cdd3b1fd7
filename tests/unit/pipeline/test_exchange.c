/* Tests pipeline/exchange: one answer, in the caller's dialect, and none to
 * somebody who has gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/container.h"
#include "evidence/evidence.h"
#include "fixture.h"
#include "pipeline/action.h"
#include "pipeline/exchange.h"

static bool field_is(struct http_request *r, const char *line)
{
    return memmem(r->reply_fields.ptr, r->reply_fields.len, line,
                  strlen(line)) != NULL;
}

static void what_no_row_names_is_refused_in_the_dialect(void **state)
{
    static const struct {
        const char *path, *body, *code;
        int status;
    } cases[] = {
        {"/", NULL, "not_found", 404},
        {"/v1/chat/completions", NULL, "method", 405},
        {"/v1/chat/completions/x", "{}", "not_found", 404},
        {"/admin/v1/status", NULL, "not_found", 404},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        world_ask(w, cases[i].path, cases[i].body);
        assert_int_equal(w->r.status, cases[i].status);
        assert_true(request_says(&w->r, cases[i].code));
        assert_true(field_is(&w->r, "content-type: application/json\n"));
        world_done(w, ERR_OK);
    }
    assert_int_equal(w->ledger.count, 0);
}

static void an_unknown_key_is_challenged_and_counted(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 3; i++) {
        world_prepare(w, CHAT, PLAIN_BODY);
        w->r.fields[0].value = STR("Bearer writ-somebody-else-0123456789");
        world_send(w);
        assert_int_equal(w->r.status, 401);
        assert_true(field_is(&w->r, "www-authenticate: Bearer"));
        world_done(w, ERR_OK);
    }
    assert_int_equal(w->ledger.count, 0);
    assert_int_equal(w->keeper.asked, 0);
    evidence_flush(w->w.evidence);
    assert_int_equal(w->ledger.count, 1);
    assert_true(world_last(w, "192.0.2.1"));
    assert_false(world_last(w, "somebody"));
}

static void health_asks_nobody_and_reads_the_body(void **state)
{
    struct world *w = *state;

    world_ask(w, "/healthz", NULL);
    assert_int_equal(w->r.status, 200);
    world_done(w, ERR_OK);
    world_ask(w, "/healthz", "{}");
    assert_int_equal(w->r.status, 200);
    assert_int_equal(w->ledger.count, 0);
}

static void an_error_after_the_answer_is_not_a_second_one(void **state)
{
    struct world *w = *state;

    world_ask(w, "/healthz", NULL);
    struct exchange *x = w->r.user;
    assert_true(x->replied);
    exchange_reply_error(x, ERR_INTERNAL, (struct str){0}, (struct str){0});
    assert_int_equal(w->r.replies, 1);
}

struct source {
    struct body_source body;
    unsigned cancels;
};

static void never_pulled(struct body_source *src, body_sink *sink, void *reader)
{
    (void)src;
    (void)sink;
    (void)reader;
    fail();
}

static void count_cancel(struct body_source *src)
{
    CONTAINER_OF(src, struct source, body)->cancels++;
}

static void nothing_is_written_to_who_has_gone(void **state)
{
    struct world *w = *state;
    struct source src = {{never_pulled, count_cancel}, 0};

    world_ask(w, CHAT, PLAIN_BODY); /* waits for the keeper */
    struct exchange *x = w->r.user;
    x->gone = true;
    exchange_reply(x, 200, (struct http_fields){0}, STR("text/plain"),
                   STR("x"));
    exchange_reply_error(x, ERR_INTERNAL, (struct str){0}, (struct str){0});
    exchange_reply_stream(x, 200, (struct http_fields){0}, STR("text/plain"),
                          &src.body);
    assert_int_equal(w->r.replies, 0);
    assert_int_equal(src.cancels, 1);
}

static void who_leaves_ends_the_action_wherever_it_is(void **state)
{
    struct world *w = *state;

    world_ask(w, CHAT, PLAIN_BODY); /* at admit */
    world_done(w, ERR_CLOSED);
    assert_int_equal(w->w.counters.open, 0);
    world_key(w, ERR_OK); /* the key comes all the same */

    world_ask(w, CHAT, PLAIN_BODY); /* at record: the session has its key */
    assert_true(world_last(w, "\"kind\":\"intent\""));
    world_done(w, ERR_CLOSED);
    world_ack(w, ERR_OK);

    struct http_call *c = world_call(w, CHAT, PLAIN_BODY, 1); /* dispatch */
    world_done(w, ERR_CLOSED);
    assert_true(c->cancelled);

    c = world_call(w, CHAT, PLAIN_BODY, 2); /* an error's body */
    call_head(c, 500, JSON_TYPE);
    world_done(w, ERR_CLOSED);
    assert_true(c->cancelled);

    c = world_call(w, CHAT, PLAIN_BODY, 3); /* relay */
    call_head(c, 200, JSON_TYPE);
    world_done(w, ERR_CLOSED);
    assert_true(c->cancelled);
    assert_int_equal(w->w.counters.open, 0);
    assert_int_equal(world_entries(w, "\"kind\":\"intent\""),
                     world_entries(w, "\"kind\":\"outcome\""));
}

static void a_body_that_breaks_its_framing_is_refused(void **state)
{
    struct world *w = *state;

    world_prepare(w, CHAT, PLAIN_BODY);
    w->r.body_fails = true;
    world_send(w);
    world_key(w, ERR_OK);
    assert_int_equal(w->r.status, 400);
    assert_true(w->r.dropped);
    assert_true(world_last(w, "\"kind\":\"refusal\""));
    assert_int_equal(w->client.count, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_no_row_names_is_refused_in_the_dialect),
        TEST(an_unknown_key_is_challenged_and_counted),
        TEST(health_asks_nobody_and_reads_the_body),
        TEST(an_error_after_the_answer_is_not_a_second_one),
        TEST(nothing_is_written_to_who_has_gone),
        TEST(who_leaves_ends_the_action_wherever_it_is),
        TEST(a_body_that_breaks_its_framing_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
