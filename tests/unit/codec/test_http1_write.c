/* Tests codec/http1_write: exactly these bytes, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "codec/http1.h"
#include "codec/http1_write.h"

static void assert_wrote(const struct buf *b, const char *expected)
{
    if (!str_eq(buf_str(b), str_from(expected)))
        fail_msg("wrote\n%.*s\nnot\n%s", STR_FMT(buf_str(b)), expected);
}

static void test_a_request_is_written_in_one_form(void **state)
{
    (void)state;
    const struct http_field fields[] = {
        {STR("content-type"), STR("application/json")},
        {STR("x-empty"), STR("")},
    };
    static const struct {
        int64_t body_bytes;
        const char *framing;
    } rows[] = {
        {0, "content-length: 0\r\n"},
        {12345, "content-length: 12345\r\n"},
        {HTTP1_WRITE_CHUNKED, "transfer-encoding: chunked\r\n"},
        {HTTP1_WRITE_NO_LENGTH, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct http1_write_request r = {
            .method = STR("POST"),
            .target = STR("/v1/x?y=z"),
            .authority = STR("api.test:8443"),
            .fields = {fields, ARRAY_LEN(fields)},
            .body_bytes = rows[i].body_bytes,
        };
        struct buf b, expected;
        buf_init(&b, HTTP_HEAD_MAX);
        buf_init(&expected, HTTP_HEAD_MAX);
        assert_int_equal(http1_write_request(&b, &r), ERR_OK);
        buf_addf(&expected,
                 "POST /v1/x?y=z HTTP/1.1\r\nhost: api.test:8443\r\n"
                 "content-type: application/json\r\nx-empty: \r\n%s\r\n",
                 rows[i].framing);
        buf_add_char(&expected, '\0');
        assert_wrote(&b, expected.ptr);
        buf_release(&b);
        buf_release(&expected);
    }
}

static void test_a_response_is_written_in_one_form(void **state)
{
    (void)state;
    const struct http_field field = {STR("x-a"), STR("b")};
    struct http1_write_response r = {
        .status = 200,
        .fields = {&field, 1},
        .body_bytes = 2,
        .date = STR("Fri, 20 Nov 2026 07:00:00 GMT"),
    };
    struct buf b;
    buf_init(&b, HTTP_HEAD_MAX);
    assert_int_equal(http1_write_response(&b, &r), ERR_OK);
    assert_wrote(&b, "HTTP/1.1 200 OK\r\n"
                     "date: Fri, 20 Nov 2026 07:00:00 GMT\r\n"
                     "x-a: b\r\ncontent-length: 2\r\n\r\n");

    buf_clear(&b);
    r = (struct http1_write_response){.status = 299,
                                      .body_bytes = HTTP1_WRITE_UNTIL_CLOSE,
                                      .close = true};
    assert_int_equal(http1_write_response(&b, &r), ERR_OK);
    assert_wrote(&b, "HTTP/1.1 299 Unknown\r\nconnection: close\r\n\r\n");
    buf_release(&b);
}

static void test_what_must_not_be_sent_is_refused(void **state)
{
    (void)state;
    static const struct http_field rows[] = {
        {STR_INIT(""), STR_INIT("x")},
        {STR_INIT("X-Upper"), STR_INIT("x")},
        {STR_INIT("a b"), STR_INIT("x")},
        {STR_INIT("a:"), STR_INIT("x")},
        {STR_INIT("a\r\nb"), STR_INIT("x")},
        {STR_INIT("x"), STR_INIT("a\r\nb: c")},
        {STR_INIT("x"), STR_INIT("a\nb")},
        {STR_INIT("x"), STR_INIT("a\0b")},
        {STR_INIT("x"), STR_INIT(" a")},
        {STR_INIT("x"), STR_INIT("a\t")},
        {STR_INIT("x"), STR_INIT("\x7f")},
        {STR_INIT("host"), STR_INIT("a")},
        {STR_INIT("content-length"), STR_INIT("5")},
        {STR_INIT("transfer-encoding"), STR_INIT("chunked")},
        {STR_INIT("connection"), STR_INIT("close")},
        {STR_INIT("upgrade"), STR_INIT("h2c")},
        {STR_INIT("te"), STR_INIT("trailers")},
        {STR_INIT("trailer"), STR_INIT("x")},
        {STR_INIT("keep-alive"), STR_INIT("5")},
        {STR_INIT("expect"), STR_INIT("100-continue")},
        {STR_INIT("proxy-connection"), STR_INIT("close")},
        {STR_INIT("proxy-authorization"), STR_INIT("x")},
        {STR_INIT("http2-settings"), STR_INIT("x")},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct http1_write_response r = {.status = 200,
                                               .fields = {&rows[i], 1},
                                               .body_bytes = 0};
        struct buf b;
        buf_init(&b, HTTP_HEAD_MAX);
        if (http1_write_response(&b, &r) != ERR_MALFORMED)
            fail_msg("sent %.*s: %.*s", STR_FMT(rows[i].name),
                     STR_FMT(rows[i].value));
        buf_release(&b);
    }
}

static void test_a_request_line_cannot_be_broken_out_of(void **state)
{
    (void)state;
    static const struct {
        struct str method, target, authority;
    } rows[] = {
        {STR_INIT("GET /"), STR_INIT("/"), STR_INIT("a")},
        {STR_INIT(""), STR_INIT("/"), STR_INIT("a")},
        {STR_INIT("GET"), STR_INIT("/ x"), STR_INIT("a")},
        {STR_INIT("GET"), STR_INIT("/\r\nx: y"), STR_INIT("a")},
        {STR_INIT("GET"), STR_INIT(""), STR_INIT("a")},
        {STR_INIT("GET"), STR_INIT("/\xff"), STR_INIT("a")},
        {STR_INIT("GET"), STR_INIT("/"), STR_INIT("")},
        {STR_INIT("GET"), STR_INIT("/"), STR_INIT("a\r\nb")},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct http1_write_request r = {.method = rows[i].method,
                                              .target = rows[i].target,
                                              .authority = rows[i].authority};
        struct buf b;
        buf_init(&b, HTTP_HEAD_MAX);
        assert_int_equal(http1_write_request(&b, &r), ERR_MALFORMED);
        buf_release(&b);
    }
}

static void test_a_full_buffer_is_an_error(void **state)
{
    (void)state;
    const struct http_field field = {STR("x-a"), STR("b")};
    const struct http1_write_response r = {.status = 200,
                                           .fields = {&field, 1},
                                           .body_bytes = 2};
    struct buf whole;
    buf_init(&whole, HTTP_HEAD_MAX);
    assert_int_equal(http1_write_response(&whole, &r), ERR_OK);
    for (size_t max = 0; max < whole.len; max++) {
        struct buf b;
        buf_init(&b, max);
        assert_int_equal(http1_write_response(&b, &r), ERR_LIMIT);
        buf_release(&b);
    }
    buf_release(&whole);
}

static void test_chunk_heads(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        const char *text;
    } rows[] = {
        {1, "1\r\n"},
        {15, "f\r\n"},
        {16, "10\r\n"},
        {65536, "10000\r\n"},
        {SIZE_MAX, "ffffffffffffffff\r\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char to[HTTP1_WRITE_CHUNK_MAX];
        size_t n = http1_write_chunk(to, rows[i].n);
        assert_true(str_eq((struct str){to, n}, str_from(rows[i].text)));
    }
}

static void test_dates(void **state)
{
    (void)state;
    static const struct {
        int64_t unix_s;
        const char *text;
    } rows[] = {
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"}, /* RFC 9110, 5.6.7 */
        {1795158000, "Fri, 20 Nov 2026 07:00:00 GMT"},
        {951782399, "Mon, 28 Feb 2000 23:59:59 GMT"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char to[HTTP1_DATE_LEN];
        http1_write_date(rows[i].unix_s, to);
        if (memcmp(to, rows[i].text, sizeof(to)) != 0)
            fail_msg("%.*s, not %s", (int)sizeof(to), to, rows[i].text);
    }
}

/* What we write we read back: the two halves agree on framing and fields. */
static void test_what_is_written_is_read_the_same(void **state)
{
    (void)state;
    const struct http_field field = {STR("x-a"), STR("b")};
    const struct http1_write_request r = {.method = STR("PUT"),
                                          .target = STR("/x?y"),
                                          .authority = STR("a.test"),
                                          .fields = {&field, 1},
                                          .body_bytes = 7};
    struct buf b;
    buf_init(&b, HTTP_HEAD_MAX);
    assert_int_equal(http1_write_request(&b, &r), ERR_OK);

    struct http1 p;
    struct arena a;
    enum http1_event event;
    struct str in = buf_str(&b);
    arena_init(&a, MIB);
    http1_init(&p, HTTP1_REQUEST);
    http1_start(&p, &a);
    assert_int_equal(http1_next(&p, &in, &event), ERR_OK);
    assert_int_equal(event, HTTP1_HEAD);
    assert_true(str_eq(p.request.method, STR("PUT")));
    assert_true(str_eq(p.request.path, STR("/x")));
    assert_true(str_eq(p.request.query, STR("y")));
    assert_int_equal(p.request.body_bytes, 7);
    assert_int_equal(p.request.fields.count, 1);
    assert_true(
        str_eq(http_fields_get(p.request.fields, STR("x-a")), STR("b")));
    arena_release(&a);
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_is_written_in_one_form),
        cmocka_unit_test(test_a_response_is_written_in_one_form),
        cmocka_unit_test(test_what_must_not_be_sent_is_refused),
        cmocka_unit_test(test_a_request_line_cannot_be_broken_out_of),
        cmocka_unit_test(test_a_full_buffer_is_an_error),
        cmocka_unit_test(test_chunk_heads),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_what_is_written_is_read_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
