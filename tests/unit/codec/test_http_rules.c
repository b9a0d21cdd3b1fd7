/* Tests codec/http_rules: tokens, faults, and what Connection may name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/limits.h"
#include "codec/http_rules.h"

static void test_tokens_are_those_of_rfc_9110(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        bool expected = c < 128 && c != 0 &&
                        (isalnum(c) || strchr("!#$%&'*+-.^_`|~", c) != NULL);
        if (http_rules_is_token((struct str){&byte, 1}) != expected)
            fail_msg("byte %d", c);
    }
    assert_false(http_rules_is_token((struct str){NULL, 0}));
    assert_false(http_rules_is_token(STR("a b")));
    assert_true(http_rules_is_token(STR("x-a1")));
}

static void test_every_fault_has_a_status_and_words(void **state)
{
    (void)state;
    for (int f = 0; f < HTTP_FAULT_COUNT; f++) {
        int status = http_fault_status((enum http_fault)f);
        assert_true(f == HTTP_FAULT_NONE ? status == 200
                                         : status >= 400 && status < 600);
        /* They go into JSON as they are. */
        const char *text = http_fault_text((enum http_fault)f);
        assert_null(strpbrk(text, "\"\\"));
        assert_non_null(http_fault_code((enum http_fault)f));
    }
}

/* A minimal HTTP/1.1 head with one more field. */
static enum http_fault judge(struct str name, struct str value,
                             struct http_hop *ret_hop, size_t *ret_left)
{
    struct arena a;
    struct http_request_head head;
    struct http_field fields[] = {
        {STR("host"), STR("a.test")},
        {STR("x-a"), STR("1")},
        {name, value},
    };
    struct http_raw_head raw = {.method = STR("POST"),
                                .target = STR("/"),
                                .fields = fields,
                                .count = ARRAY_LEN(fields),
                                .version = HTTP_VERSION_1_1};
    arena_init(&a, MIB);
    enum http_fault fault = http_rules_request(&a, &raw, &head, ret_hop);
    *ret_left = fault == HTTP_FAULT_NONE ? head.fields.count : 0;
    arena_release(&a);
    return fault;
}

static void test_every_special_field_is_known(void **state)
{
    (void)state;
    static const struct {
        struct str name, value;
        enum http_fault fault;
        size_t left; /* fields, without Host */
    } rows[] = {
        {STR_INIT("x-b"), STR_INIT("2"), HTTP_FAULT_NONE, 2},
        {STR_INIT("te"), STR_INIT("trailers"), HTTP_FAULT_NONE, 1},
        {STR_INIT("trailer"), STR_INIT("x"), HTTP_FAULT_NONE, 1},
        {STR_INIT("upgrade"), STR_INIT("x"), HTTP_FAULT_NONE, 1},
        {STR_INIT("keep-alive"), STR_INIT("5"), HTTP_FAULT_NONE, 1},
        {STR_INIT("proxy-connection"), STR_INIT("x"), HTTP_FAULT_NONE, 1},
        {STR_INIT("proxy-authorization"), STR_INIT("x"), HTTP_FAULT_NONE, 1},
        {STR_INIT("proxy-authenticate"), STR_INIT("x"), HTTP_FAULT_NONE, 1},
        {STR_INIT("http2-settings"), STR_INIT("x"), HTTP_FAULT_NONE, 1},
        {STR_INIT("connection"), STR_INIT("close"), HTTP_FAULT_NONE, 1},
        {STR_INIT("connection"), STR_INIT("x-a"), HTTP_FAULT_NONE, 0},
        {STR_INIT("connection"), STR_INIT(" , ,keep-alive"), HTTP_FAULT_NONE,
         1},
        {STR_INIT("content-length"), STR_INIT("5"), HTTP_FAULT_NONE, 1},
        {STR_INIT("content-length"), STR_INIT("+5"), HTTP_FAULT_FRAMING, 0},
        {STR_INIT("transfer-encoding"), STR_INIT("Chunked"), HTTP_FAULT_NONE,
         1},
        {STR_INIT("transfer-encoding"), STR_INIT("gzip"), HTTP_FAULT_CODING, 0},
        {STR_INIT("expect"), STR_INIT("100-Continue"), HTTP_FAULT_NONE, 1},
        {STR_INIT("expect"), STR_INIT("x"), HTTP_FAULT_EXPECT, 0},
        {STR_INIT("host"), STR_INIT("a.test"), HTTP_FAULT_HOST, 0},
        {STR_INIT("authorization"), STR_INIT("x"), HTTP_FAULT_NONE, 2},
        {STR_INIT("cookie"), STR_INIT("x"), HTTP_FAULT_NONE, 2},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_hop hop;
        size_t left;
        enum http_fault fault = judge(rows[i].name, rows[i].value, &hop, &left);
        if (fault != rows[i].fault || left != rows[i].left)
            fail_msg("%.*s: %s, %zu left", STR_FMT(rows[i].name),
                     http_fault_code(fault), left);
    }
}

/* RFC 9110, 7.6.1, and stricter: what others rely on cannot be deleted. */
static void test_connection_must_not_name_what_others_rely_on(void **state)
{
    (void)state;
    static const char *const names[] = {
        "authorization",     "cookie",        "host",
        "content-length",    "content-type",  "content-encoding",
        "transfer-encoding", "expect",        "forwarded",
        "x-forwarded-for",   "X-Forwarded-X", "x-real-ip",
        "traceparent",       "tracestate",    "mcp-session-id",
        "Mcp-Name",          "x-api-key",     "api-key",
        "x-goog-api-key",    "dpop",          "writ-decision-id",
        "connection",        "x-spiffe-id",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct http_hop hop;
        size_t left;
        enum http_fault fault =
            judge(STR("connection"), str_from(names[i]), &hop, &left);
        if (fault != HTTP_FAULT_CONNECTION)
            fail_msg("%s: %s", names[i], http_fault_code(fault));
    }
}

static void test_hop_says_what_was_dropped(void **state)
{
    (void)state;
    struct http_hop hop;
    size_t left;
    assert_int_equal(judge(STR("connection"), STR("x, Close"), &hop, &left),
                     HTTP_FAULT_NONE);
    assert_true(hop.close);
    assert_int_equal(judge(STR("content-length"), STR("42"), &hop, &left),
                     HTTP_FAULT_NONE);
    assert_true(hop.has_length && !hop.has_coding);
    assert_int_equal(hop.content_length, 42);
    assert_int_equal(judge(STR("transfer-encoding"), STR("chunked"), &hop,
                           &left),
                     HTTP_FAULT_NONE);
    assert_true(hop.has_coding && hop.is_chunked && !hop.has_length);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens_are_those_of_rfc_9110),
        cmocka_unit_test(test_every_fault_has_a_status_and_words),
        cmocka_unit_test(test_every_special_field_is_known),
        cmocka_unit_test(test_connection_must_not_name_what_others_rely_on),
        cmocka_unit_test(test_hop_says_what_was_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
