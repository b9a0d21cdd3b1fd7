/* Tests mcp/message: what is a message, what is none, and how it is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "mcp/message.h"

#define HEAD "{\"jsonrpc\":\"2.0\","

static const struct message_id none = {MESSAGE_ID_NONE, {NULL, 0}};

struct good {
    const char *body;
    enum message_kind kind;
    const char *written; /* NULL: as it came */
};

static void test_messages_are_read_and_written_in_one_form(void **state)
{
    (void)state;
    static const struct good cases[] = {
        {HEAD "\"id\":1,\"method\":\"ping\"}", MESSAGE_REQUEST, NULL},
        {HEAD "\"id\":\"a\\\"b\",\"method\":\"tools/list\",\"params\":{}}",
         MESSAGE_REQUEST, NULL},
        {HEAD "\"id\":\"\",\"method\":\"ping\"}", MESSAGE_REQUEST, NULL},
        {HEAD "\"id\":-7,\"method\":\"ping\"}", MESSAGE_REQUEST, NULL},
        {HEAD "\"id\":9007199254740991,\"method\":\"ping\"}", MESSAGE_REQUEST,
         NULL},
        {" { \"params\" : { \"a\" : 1.0e2 , \"b\":[ ] } , \"method\":\"x\","
         "\"id\" : \"1\", \"jsonrpc\":\"2.0\" } ",
         MESSAGE_REQUEST,
         HEAD "\"id\":\"1\",\"method\":\"x\",\"params\":{\"a\":1.0e2,"
              "\"b\":[]}}"},
        {HEAD "\"method\":\"notifications/initialized\"}", MESSAGE_NOTIFICATION,
         NULL},
        {HEAD "\"id\":1,\"result\":{}}", MESSAGE_RESULT, NULL},
        {HEAD "\"id\":1,\"result\":{\"n\":12345678901234567890123}}",
         MESSAGE_RESULT, NULL},
        {HEAD "\"id\":1,\"error\":{\"code\":-32601,\"message\":\"m\"}}",
         MESSAGE_ERROR, NULL},
        {HEAD "\"id\":null,\"error\":{\"code\":1,\"message\":\"m\","
              "\"data\":[null]}}",
         MESSAGE_ERROR, NULL},
        {HEAD "\"error\":{\"message\":\"m\",\"code\":1}}", MESSAGE_ERROR,
         HEAD "\"id\":null,\"error\":{\"code\":1,\"message\":\"m\"}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct good *c = &cases[i];
        struct arena a;
        struct message m;
        struct message_id id;
        struct fault f = {.err = ERR_OK};
        struct buf out;
        arena_init(&a, MIB);
        buf_init(&out, MIB);
        enum err e = message_read(&a, str_from(c->body), &m, &id, &f);
        if (e != ERR_OK)
            print_error("%s: %.*s\n", c->body, STR_FMT(f.text));
        assert_int_equal(e, ERR_OK);
        assert_int_equal(m.kind, c->kind);
        message_write(&out, &m, m.id);
        struct str want = str_from(c->written != NULL ? c->written : c->body);
        if (!str_eq(buf_str(&out), want))
            print_error("%.*s\n", STR_FMT(buf_str(&out)));
        assert_true(str_eq(buf_str(&out), want));
        buf_release(&out);
        arena_release(&a);
    }
}

struct bad {
    const char *body;
    enum err err;
    int code;
    const char *pointer;
    const char *id; /* of the answer, as JSON */
};

static void check_bad(const struct bad *c)
{
    struct arena a;
    struct message m = {.kind = MESSAGE_NONE};
    struct message_id id;
    struct fault f = {.err = ERR_OK};
    struct buf out;
    arena_init(&a, MIB);
    buf_init(&out, MIB);
    enum err e = message_read(&a, str_from(c->body), &m, &id, &f);
    message_id_write(&out, id);
    if (e != c->err || f.code != c->code ||
        !str_eq(f.pointer, str_from(c->pointer)) ||
        !str_eq(buf_str(&out), str_from(c->id)))
        print_error("%s\n -> %s %d %.*s id %.*s: %.*s\n", c->body, err_name(e),
                    f.code, STR_FMT(f.pointer), STR_FMT(buf_str(&out)),
                    STR_FMT(f.text));
    assert_int_equal(e, c->err);
    assert_int_equal(f.err, c->err);
    assert_int_equal(f.code, c->code);
    assert_true(str_eq(f.pointer, str_from(c->pointer)));
    assert_true(str_eq(buf_str(&out), str_from(c->id)));
    assert_true(f.text.len > 0);
    assert_int_equal(m.kind, MESSAGE_NONE); /* written on success only */
    buf_release(&out);
    arena_release(&a);
}

#define CALL(id) HEAD "\"id\":" id ",\"method\":\"ping\"}"

static void test_what_is_no_message_is_refused(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        {"", ERR_MALFORMED, FAULT_PARSE, "", "null"},
        {"{", ERR_MALFORMED, FAULT_PARSE, "", "null"},
        {"\"x\"", ERR_MALFORMED, FAULT_REQUEST, "", "null"},
        {"null", ERR_MALFORMED, FAULT_REQUEST, "", "null"},
        {"{}", ERR_MALFORMED, FAULT_REQUEST, "", "null"},
        {"{\"id\":1,\"method\":\"ping\"}", ERR_MALFORMED, FAULT_REQUEST, "",
         "1"},
        {"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}", ERR_MALFORMED,
         FAULT_REQUEST, "/jsonrpc", "1"},
        {"{\"jsonrpc\":2.0,\"id\":1,\"method\":\"ping\"}", ERR_MALFORMED,
         FAULT_REQUEST, "/jsonrpc", "1"},
        {HEAD "\"id\":1}", ERR_MALFORMED, FAULT_REQUEST, "", "1"},
        {HEAD "\"id\":1,\"method\":\"ping\",\"x\":1}", ERR_UNKNOWN_FIELD,
         FAULT_REQUEST, "/x", "1"},
        {HEAD "\"id\":1,\"METHOD\":\"tools/call\",\"method\":\"ping\"}",
         ERR_UNKNOWN_FIELD, FAULT_REQUEST, "/METHOD", "1"},
        {HEAD "\"id\":1,\"method\":\"ping\",\"params\":[]}", ERR_MALFORMED,
         FAULT_REQUEST, "/params", "1"},
        {HEAD "\"id\":1,\"method\":\"ping\",\"params\":null}", ERR_MALFORMED,
         FAULT_REQUEST, "/params", "1"},
        {HEAD "\"id\":1,\"method\":\"\"}", ERR_MALFORMED, FAULT_REQUEST,
         "/method", "1"},
        {HEAD "\"id\":1,\"method\":7}", ERR_MALFORMED, FAULT_REQUEST, "/method",
         "1"},
        {HEAD "\"id\":1,\"method\":\"tools/call \"}", ERR_MALFORMED,
         FAULT_REQUEST, "/method", "1"},
        {HEAD "\"id\":1,\"method\":\"tools\\/c\xd0\xb0ll\"}", ERR_MALFORMED,
         FAULT_REQUEST, "/method", "1"},
        {HEAD "\"id\":1,\"method\":\"tools/call\\u0000\"}", ERR_MALFORMED,
         FAULT_PARSE, "", "null"},
        {HEAD "\"id\":1,\"result\":{},\"error\":{\"code\":1,"
              "\"message\":\"m\"}}",
         ERR_MALFORMED, FAULT_REQUEST, "/error", "1"},
        {HEAD "\"id\":1,\"result\":{},\"method\":\"tools/call\"}",
         ERR_MALFORMED, FAULT_REQUEST, "/result", "1"},
        {HEAD "\"id\":1,\"error\":{},\"method\":\"tools/call\"}", ERR_MALFORMED,
         FAULT_REQUEST, "/error", "1"},
        {HEAD "\"id\":1,\"result\":{},\"params\":{}}", ERR_MALFORMED,
         FAULT_REQUEST, "/params", "1"},
        {HEAD "\"id\":1,\"result\":[]}", ERR_MALFORMED, FAULT_REQUEST,
         "/result", "1"},
        {HEAD "\"result\":{}}", ERR_MALFORMED, FAULT_REQUEST, "", "null"},
        {HEAD "\"id\":null,\"result\":{}}", ERR_MALFORMED, FAULT_REQUEST, "/id",
         "null"},
        {HEAD "\"id\":1,\"error\":null}", ERR_MALFORMED, FAULT_REQUEST,
         "/error", "1"},
        {HEAD "\"id\":1,\"error\":{\"code\":1}}", ERR_MALFORMED, FAULT_REQUEST,
         "/error", "1"},
        {HEAD "\"id\":1,\"error\":{\"code\":1.5,\"message\":\"\"}}",
         ERR_MALFORMED, FAULT_REQUEST, "/error", "1"},
        {HEAD "\"id\":1,\"error\":{\"code\":1,\"message\":\"\",\"x\":1}}",
         ERR_UNKNOWN_FIELD, FAULT_REQUEST, "/error/x", "1"},
        {CALL("null"), ERR_MALFORMED, FAULT_REQUEST, "/id", "null"},
        {CALL("{}"), ERR_MALFORMED, FAULT_REQUEST, "/id", "null"},
        {CALL("[1]"), ERR_MALFORMED, FAULT_REQUEST, "/id", "null"},
        {CALL("true"), ERR_MALFORMED, FAULT_REQUEST, "/id", "null"},
        {CALL("1.0"), ERR_MALFORMED, FAULT_REQUEST, "/id", "null"},
        {CALL("1e3"), ERR_MALFORMED, FAULT_REQUEST, "/id", "null"},
        {CALL("-0"), ERR_MALFORMED, FAULT_REQUEST, "/id", "null"},
        {CALL("9007199254740992"), ERR_MALFORMED, FAULT_REQUEST, "/id", "null"},
        {CALL("123456789012345678901234567890"), ERR_MALFORMED, FAULT_REQUEST,
         "/id", "null"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_bad(&cases[i]);
}

static void rule_12_duplicate_members_are_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        HEAD "\"id\":1,\"method\":\"tools/list\",\"method\":\"tools/call\"}",
        HEAD "\"id\":1,\"method\":\"x\",\"params\":{},\"params\":{}}",
        HEAD "\"id\":1,\"id\":2,\"method\":\"x\"}",
        HEAD "\"id\":1,\"method\":\"x\",\"params\":{\"name\":\"a\","
             "\"n\\u0061me\":\"b\"}}",
        HEAD "\"id\":1,\"method\":\"x\",\"params\":{\"o\":{\"x\":1,"
             "\"x\":2}}}",
    };
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
        check_bad(
            &(struct bad){bodies[i], ERR_MALFORMED, FAULT_PARSE, "", "null"});
}

static void test_batches_and_streams_of_messages_are_refused(void **state)
{
    (void)state;
    static const char *const batches[] = {
        "[]",
        " \r\n\t[" HEAD "\"id\":1,\"method\":\"ping\"}]",
        "[[]]",
        "[",
    };
    static const char *const streams[] = {
        CALL("1") "\n" CALL("2"),
        CALL("1") CALL("2"),
        CALL("1") "]",
    };
    for (size_t i = 0; i < ARRAY_LEN(batches); i++)
        check_bad(&(struct bad){batches[i], ERR_UNSUPPORTED, FAULT_REQUEST, "",
                                "null"});
    for (size_t i = 0; i < ARRAY_LEN(streams); i++)
        check_bad(
            &(struct bad){streams[i], ERR_MALFORMED, FAULT_PARSE, "", "null"});
}

/* `n` times `c` between `before` and `after`. */
static enum err read_long(const char *before, char c, size_t n,
                          const char *after)
{
    struct arena a;
    struct message m;
    struct message_id id;
    struct fault f = {.err = ERR_OK};
    struct buf body;
    arena_init(&a, 4 * MIB);
    buf_init(&body, MIB);
    (void)buf_add(&body, str_from(before));
    for (size_t i = 0; i < n; i++)
        (void)buf_add_char(&body, c);
    (void)buf_add(&body, str_from(after));
    assert_true(buf_ok(&body));
    enum err e = message_read(&a, buf_str(&body), &m, &id, &f);
    buf_release(&body);
    arena_release(&a);
    return e;
}

static void test_everything_is_bounded(void **state)
{
    (void)state;
    static const char tail[] = "\",\"method\":\"ping\"}";
    static const char text[] =
        HEAD "\"id\":1,\"error\":{\"code\":1,\"message\":\"";
    assert_int_equal(read_long(HEAD "\"id\":\"", 'a', MESSAGE_ID_MAX, tail),
                     ERR_OK);
    assert_int_equal(read_long(HEAD "\"id\":\"", 'a', MESSAGE_ID_MAX + 1, tail),
                     ERR_LIMIT);
    assert_int_equal(read_long(HEAD "\"id\":1,\"method\":\"", 'a',
                               MESSAGE_METHOD_MAX, "\"}"),
                     ERR_OK);
    assert_int_equal(read_long(HEAD "\"id\":1,\"method\":\"", 'a',
                               MESSAGE_METHOD_MAX + 1, "\"}"),
                     ERR_LIMIT);
    assert_int_equal(read_long(text, 'a', MESSAGE_TEXT_MAX, "\"}}"), ERR_OK);
    assert_int_equal(read_long(text, 'a', MESSAGE_TEXT_MAX + 1, "\"}}"),
                     ERR_LIMIT);
    /* As deep as that nobody reads, complete or not. */
    assert_int_not_equal(
        read_long(HEAD "\"id\":1,\"method\":\"x\",\"params\":{\"a\":", '[',
                  100000, "}}"),
        ERR_OK);
}

static void test_ids_are_compared_with_their_type(void **state)
{
    (void)state;
    char room[MESSAGE_DIGITS_MAX];
    struct message_id seven = message_id_number(7, room);
    struct message_id word = {MESSAGE_ID_STRING, STR("7")};
    assert_true(message_id_eq(seven, seven));
    assert_false(message_id_eq(seven, word));
    assert_false(message_id_eq(seven, none));
    assert_true(message_id_eq(none, none));
    assert_true(str_eq(message_id_number(0, room).text, STR("0")));
    assert_true(
        str_eq(message_id_number((uint64_t)MESSAGE_INTEGER_MAX, room).text,
               STR("9007199254740991")));
}

static void test_parts_become_the_same_messages(void **state)
{
    (void)state;
    struct buf out;
    char room[MESSAGE_DIGITS_MAX];
    struct message_id id = message_id_number(12, room);
    buf_init(&out, 4096);
    message_write_call(&out, id, STR("ping"), STR(""));
    message_write_call(&out, none, STR("x"), STR("{}"));
    message_write_result(&out, id, STR("{\"a\":1}"));
    message_write_error(&out, none, -32700, STR("\"m\""), STR("{\"d\":1}"));
    assert_true(
        str_eq(buf_str(&out),
               STR(HEAD "\"id\":12,\"method\":\"ping\"}" HEAD
                        "\"method\":\"x\",\"params\":{}}" HEAD
                        "\"id\":12,\"result\":{\"a\":1}}" HEAD
                        "\"id\":null,\"error\":{\"code\":-32700,"
                        "\"message\":\"\\\"m\\\"\",\"data\":{\"d\":1}}}")));
    buf_release(&out);
}

static void test_a_small_arena_refuses_and_never_crashes(void **state)
{
    (void)state;
    static const char body[] =
        HEAD "\"id\":\"abc\",\"method\":\"tools/call\",\"params\":{\"a\":1}}";
    for (size_t cap = 0; cap < 4096; cap += 8) {
        struct arena a;
        struct message m;
        struct message_id id;
        struct fault f = {.err = ERR_OK};
        arena_init(&a, cap);
        enum err e = message_read(&a, STR(body), &m, &id, &f);
        assert_true(e == ERR_OK || (e == ERR_LIMIT && f.text.len > 0));
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_are_read_and_written_in_one_form),
        cmocka_unit_test(test_what_is_no_message_is_refused),
        cmocka_unit_test(rule_12_duplicate_members_are_refused),
        cmocka_unit_test(test_batches_and_streams_of_messages_are_refused),
        cmocka_unit_test(test_everything_is_bounded),
        cmocka_unit_test(test_ids_are_compared_with_their_type),
        cmocka_unit_test(test_parts_become_the_same_messages),
        cmocka_unit_test(test_a_small_arena_refuses_and_never_crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
