/* Tests mcp/refusal: what the gateway answers by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "mcp/refusal.h"

static const struct message_id one = {MESSAGE_ID_INTEGER, STR_INIT("1")};

static void check_text(const struct buf *got, const char *want)
{
    if (!str_eq(buf_str(got), str_from(want)))
        print_error("%s\n%.*s\n", want, STR_FMT(buf_str(got)));
    assert_true(str_eq(buf_str(got), str_from(want)));
}

static void test_a_denied_call_is_a_result_that_a_model_can_read(void **state)
{
    (void)state;
    struct refusal r = {refusal_of(ERR_DENIED), STR("d-1"), STR("")};
    struct buf out;
    buf_init(&out, 4096);
    for (unsigned v = 1; v < REVISION_COUNT; v++)
        assert_true(refusal_is_result(&r, (enum revision)v));
    refusal_write_result(&out, one, &r);
    check_text(&out,
               "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{"
               "\"type\":\"text\",\"text\":\"The gateway refused this call "
               "(denied): policy denies this action. The same call will be "
               "refused again. Decision d-1.\"}],\"isError\":true,\"_meta\":{"
               "\"writ/reason\":\"denied\",\"writ/decision\":\"d-1\"}}}");
    buf_release(&out);
}

static void rule_20_a_pending_approval_is_no_result(void **state)
{
    (void)state;
    struct refusal r = {refusal_of(ERR_APPROVAL_PENDING), STR("d-1"),
                        STR("t-9")};
    struct buf out;
    buf_init(&out, 4096);
    for (unsigned v = 1; v < REVISION_COUNT; v++)
        assert_false(refusal_is_result(&r, (enum revision)v));
    assert_int_equal(err_http_status(r.fault.err), 403);
    refusal_write_error(&out, one, &r);
    check_text(&out,
               "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":403,"
               "\"message\":\"a person has to approve this action first\","
               "\"data\":{\"reason\":\"approval_pending\",\"decision\":"
               "\"d-1\",\"ticket\":\"t-9\"}}}");
    buf_release(&out);
}

static void test_arguments_that_do_not_fit_say_where_and_why(void **state)
{
    (void)state;
    struct arena a;
    struct buf out;
    struct json_schema_failure why = {.keyword = "type"};
    (void)snprintf(why.pointer, sizeof(why.pointer), "/path");
    (void)snprintf(why.text, sizeof(why.text), "expected a string");
    arena_init(&a, MIB);
    buf_init(&out, 4096);
    struct refusal r = {refusal_of_arguments(&a, ERR_MALFORMED, &why), STR("d"),
                        STR("")};
    why.text[0] = 'X'; /* it was copied */
    assert_int_equal(r.fault.code, FAULT_PARAMS);
    assert_false(refusal_is_result(&r, REVISION_2025_06_18));
    assert_true(refusal_is_result(&r, REVISION_2025_11_25));
    refusal_write_error(&out, one, &r);
    check_text(&out, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,"
                     "\"message\":\"expected a string\",\"data\":{\"reason\":"
                     "\"malformed\",\"decision\":\"d\",\"pointer\":"
                     "\"/params/arguments/path\"}}}");
    buf_clear(&out);
    refusal_write_result(&out, one, &r);
    check_text(&out,
               "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{"
               "\"type\":\"text\",\"text\":\"The gateway refused this call "
               "(malformed): expected a string, at /params/arguments/path. "
               "Decision d.\"}],\"isError\":true,\"_meta\":{\"writ/reason\":"
               "\"malformed\",\"writ/decision\":\"d\"}}}");
    buf_release(&out);
    arena_release(&a);
}

static void test_a_batch_is_answered_by_one_error_without_id(void **state)
{
    (void)state;
    struct arena a;
    struct buf out;
    struct message m;
    struct message_id id;
    struct refusal r = {.decision = {NULL, 0}};
    arena_init(&a, MIB);
    buf_init(&out, 4096);
    assert_int_equal(message_read(&a, STR("[{}]"), &m, &id, &r.fault),
                     ERR_UNSUPPORTED);
    assert_int_equal(err_http_status(r.fault.err), 400);
    assert_false(refusal_is_result(&r, REVISION_2025_03_26));
    refusal_write_error(&out, id, &r);
    check_text(&out,
               "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,"
               "\"message\":\"batches are not taken: send one message at a "
               "time\",\"data\":{\"reason\":\"unsupported\"}}}");
    buf_release(&out);
    arena_release(&a);
}

static void test_every_error_has_an_answer_of_either_form(void **state)
{
    (void)state;
    for (unsigned e = ERR_OK + 1; e < ERR_COUNT; e++) {
        struct arena a;
        struct buf out;
        struct message m;
        struct message_id id;
        struct fault f;
        struct refusal r = {refusal_of((enum err)e), STR("d"), STR("")};
        arena_init(&a, MIB);
        buf_init(&out, 8192);
        assert_true(r.fault.code == FAULT_INTERNAL ||
                    (r.fault.code >= 400 && r.fault.code < 500));
        if (refusal_is_result(&r, REVISION_NEWEST))
            refusal_write_result(&out, one, &r);
        else
            refusal_write_error(&out, one, &r);
        assert_true(buf_ok(&out));
        assert_int_equal(message_read(&a, buf_str(&out), &m, &id, &f), ERR_OK);
        assert_true(message_id_eq(m.id, one));
        buf_release(&out);
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_denied_call_is_a_result_that_a_model_can_read),
        cmocka_unit_test(rule_20_a_pending_approval_is_no_result),
        cmocka_unit_test(test_arguments_that_do_not_fit_say_where_and_why),
        cmocka_unit_test(test_a_batch_is_answered_by_one_error_without_id),
        cmocka_unit_test(test_every_error_has_an_answer_of_either_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
