/* Tests pipeline/model_relay: plain answers, streams, and every way in which
 * one of the two sides can leave the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "fixture.h"
#include "pipeline/action.h"
#include "pipeline/exchange.h"

static void a_plain_answer_passes_with_receipt_and_without_cookies(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, PLAIN_BODY, 1);

    call_head(c, 200, JSON_TYPE);
    call_piece(c, ANSWER, true, ERR_OK);
    assert_int_equal(w->r.status, 200);
    assert_true(request_says(&w->r, "Hello"));
    buf_add(&w->r.reply_fields, (struct str){"", 1});
    const char *fields = w->r.reply_fields.ptr;
    assert_non_null(strstr(fields, "content-type: application/json\n"));
    assert_non_null(strstr(fields, "x-request-id: req-1\n"));
    assert_non_null(strstr(fields, "writ-receipt: origin=\"gw-1\", index="));
    assert_null(strstr(fields, "set-cookie"));
    assert_true(world_last(w, "\"kind\":\"outcome\""));
    assert_true(world_last(w, "\"status\":\"ok\""));
}

static void a_source_that_answers_at_once_is_relayed(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, PLAIN_BODY, 1);

    c->now = ANSWER;
    call_head(c, 200, JSON_TYPE);
    assert_int_equal(w->r.status, 200);
    assert_true(world_last(w, "\"status\":\"ok\""));
    assert_true(world_last(w, "\"model\":\"m-1\""));
}

static void an_answer_that_is_none_is_no_success(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, PLAIN_BODY, 1);

    call_head(c, 200, JSON_TYPE);
    call_piece(c, "<html>hello</html>", true, ERR_OK);
    assert_int_equal(world_entries(w, "\"status\":\"ok\""), 0);
    assert_true(world_last(w, "\"status\":\"failed\""));
}

static void a_plain_answer_that_is_cut_is_a_bad_gateway(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, PLAIN_BODY, 1);

    call_head(c, 200, JSON_TYPE);
    call_piece(c, "{\"mo", false, ERR_OK);
    call_piece(c, "", false, ERR_UPSTREAM);
    assert_int_equal(w->r.status, 502);
    assert_false(request_says(&w->r, "{\"mo"));
    assert_true(world_last(w, "\"status\":\"failed\""));
}

static void a_stream_where_none_was_asked_for_is_refused(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, PLAIN_BODY, 1);

    call_head(c, 200, SSE_TYPE);
    assert_int_equal(w->r.status, 502);
    assert_true(c->cancelled);
    assert_true(world_last(w, "\"status\":\"failed\""));
}

static void what_a_destination_says_of_our_credential_stays_here(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, PLAIN_BODY, 1);

    call_head(c, 401, JSON_TYPE);
    call_piece(c, "{\"error\":{\"message\":\"bad key sk-fixture\"}}", true,
               ERR_OK);
    assert_int_equal(w->r.status, 502);
    assert_false(request_says(&w->r, "sk-fixture"));
    assert_true(world_last(w, "\"status\":401"));
}

static void an_error_about_the_question_passes(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, PLAIN_BODY, 1);

    call_head(c, 422, JSON_TYPE);
    call_piece(c, "{\"error\":{\"message\":\"too long\"}}", true, ERR_OK);
    assert_int_equal(w->r.status, 422);
    assert_true(request_says(&w->r, "too long"));
    assert_true(world_last(w, "\"status\":\"error\""));
}

static void a_stream_is_pulled_piece_by_piece(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, STREAM_BODY, 1);

    call_head(c, 200, SSE_TYPE);
    assert_int_equal(c->pulls, 0); /* nobody has asked yet */
    request_pull(&w->r);
    call_piece(c, CHUNK, false, ERR_OK);
    assert_int_equal(c->pulls, 1);
    request_pull(&w->r);
    call_piece(c, DONE, true, ERR_OK);
    assert_true(w->r.ended && w->r.why == ERR_OK);
    assert_string_equal((buf_add(&w->r.text, (struct str){"", 1}),
                         w->r.text.ptr),
                        CHUNK DONE);
    assert_true(world_last(w, "\"status\":\"ok\""));
    assert_true(w->w.counters.failed == 0);
}

static void a_media_type_is_read_as_one(void **state)
{
    static const struct {
        const char *type;
        int status;
    } cases[] = {
        {"Text/Event-Stream ; charset=utf-8", 200},
        {"text/event-streams", 502},
        {"", 502},
        {"application/json", 502},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_call *c = world_call(w, CHAT, STREAM_BODY, i + 1);
        call_head(c, 200, cases[i].type);
        assert_int_equal(w->r.status, cases[i].status);
        assert_int_equal(w->r.streamed, cases[i].status == 200);
        world_done(w, ERR_CLOSED);
        assert_true(c->cancelled);
    }
}

static void a_stream_that_ends_without_its_end_tells_so(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, STREAM_BODY, 1);

    call_head(c, 200, SSE_TYPE);
    request_pull(&w->r);
    call_piece(c, CHUNK, true, ERR_OK);
    assert_false(w->r.ended); /* the error is an event, and then the end */
    assert_true(request_says(&w->r, "\"error\""));
    assert_true(world_last(w, "\"status\":\"failed\""));
    request_pull(&w->r);
    assert_true(w->r.ended && w->r.why != ERR_OK);
}

static void a_stream_that_breaks_behind_its_end_is_whole(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, STREAM_BODY, 1);

    call_head(c, 200, SSE_TYPE);
    request_pull(&w->r);
    call_piece(c, CHUNK DONE, false, ERR_OK);
    request_pull(&w->r);
    call_piece(c, "", false, ERR_UPSTREAM);
    assert_true(w->r.ended && w->r.why == ERR_OK);
    assert_false(request_says(&w->r, "error"));
    assert_true(world_last(w, "\"status\":\"ok\""));
}

static void a_caller_who_leaves_in_the_middle_is_accounted(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, STREAM_BODY, 1);

    call_head(c, 200, SSE_TYPE);
    request_pull(&w->r);
    call_piece(c, CHUNK, false, ERR_OK);
    world_done(w, ERR_CLOSED);
    assert_true(c->cancelled);
    assert_true(world_last(w, "\"status\":\"interrupted\""));
    assert_true(world_last(w, "\"response\":{\"bytes\""));
    assert_int_equal(world_entries(w, "\"kind\":\"outcome\""), 1);
}

static void a_caller_who_leaves_behind_the_end_has_had_it_all(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, STREAM_BODY, 1);

    call_head(c, 200, SSE_TYPE);
    request_pull(&w->r);
    call_piece(c, CHUNK DONE, false, ERR_OK);
    world_done(w, ERR_CLOSED);
    assert_true(c->cancelled);
    assert_true(world_last(w, "\"status\":\"ok\""));
    assert_int_equal(world_entries(w, "\"kind\":\"outcome\""), 1);
}

static void a_cut_stream_lingers_to_tell_its_caller(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, STREAM_BODY, 1);
    struct exchange *x = w->r.user;

    call_head(c, 200, SSE_TYPE);
    request_pull(&w->r);
    call_piece(c, CHUNK, false, ERR_OK);
    pipeline_end(x->action, ERR_SHUTDOWN); /* nobody pulls just now */
    assert_true(c->cancelled);
    assert_true(world_last(w, "\"status\":\"interrupted\""));
    request_pull(&w->r);
    assert_true(request_says(&w->r, "\"error\""));
    request_pull(&w->r);
    assert_true(w->r.ended && w->r.why == ERR_SHUTDOWN);
    assert_int_equal(world_entries(w, "\"kind\":\"outcome\""), 1);
}

static void a_cut_stream_whose_caller_leaves_first_is_let_go(void **state)
{
    struct world *w = *state;
    struct http_call *c = world_call(w, CHAT, STREAM_BODY, 1);
    struct exchange *x = w->r.user;

    call_head(c, 200, SSE_TYPE);
    request_pull(&w->r);
    pipeline_end(x->action, ERR_SHUTDOWN); /* while a pull waits: told now */
    assert_true(request_says(&w->r, "\"error\""));
    world_done(w, ERR_CLOSED);
    assert_int_equal(world_entries(w, "\"kind\":\"outcome\""), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_plain_answer_passes_with_receipt_and_without_cookies),
        TEST(a_source_that_answers_at_once_is_relayed),
        TEST(an_answer_that_is_none_is_no_success),
        TEST(a_plain_answer_that_is_cut_is_a_bad_gateway),
        TEST(a_stream_where_none_was_asked_for_is_refused),
        TEST(what_a_destination_says_of_our_credential_stays_here),
        TEST(an_error_about_the_question_passes),
        TEST(a_stream_is_pulled_piece_by_piece),
        TEST(a_media_type_is_read_as_one),
        TEST(a_stream_that_ends_without_its_end_tells_so),
        TEST(a_stream_that_breaks_behind_its_end_is_whole),
        TEST(a_caller_who_leaves_in_the_middle_is_accounted),
        TEST(a_caller_who_leaves_behind_the_end_has_had_it_all),
        TEST(a_cut_stream_lingers_to_tell_its_caller),
        TEST(a_cut_stream_whose_caller_leaves_first_is_let_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
