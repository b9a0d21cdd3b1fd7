/* Tests codec/sse: reference streams cut everywhere, limits, writing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "base/attr.h"
#include "base/limits.h"
#include "base/text.h"
#include "codec/json.h"
#include "codec/sse.h"

/* Events as text: each "type|id|data;". */
static bool add_event(void *user, const struct sse_event *e)
{
    struct buf *b = user;
    assert_true(buf_add(b, e->type) && buf_add_char(b, '|') &&
                buf_add(b, e->id) && buf_add_char(b, '|') &&
                buf_add(b, e->data) && buf_add_char(b, ';'));
    return true;
}

/* Feeds `bytes` in pieces of `piece` bytes, the first one of `first`. */
static enum err read_in_pieces(struct str bytes, size_t first, size_t piece,
                               size_t event_max, struct buf *events)
{
    struct sse_reader r;
    sse_reader_init(&r, event_max);
    enum err e = ERR_OK;
    size_t n = first;
    while (e == ERR_OK && bytes.len > 0) {
        /* A copy of its own, so that a sanitizer sees what outlives it. */
        struct str part = str_first(bytes, n);
        char *copy = malloc(part.len > 0 ? part.len : 1);
        assert_non_null(copy);
        if (part.len > 0)
            memcpy(copy, part.ptr, part.len);
        e = sse_feed(&r, (struct str){copy, part.len}, add_event, events);
        free(copy);
        bytes = str_skip(bytes, n);
        n = piece;
    }
    sse_reader_release(&r);
    return e;
}

static void check_cut(struct str bytes, size_t first, size_t piece,
                      struct str expected)
{
    struct buf events;
    buf_init(&events, 4 * MIB);
    assert_int_equal(read_in_pieces(bytes, first, piece, SSE_EVENT_MAX,
                                    &events),
                     ERR_OK);
    if (!str_eq(buf_str(&events), expected))
        fail_msg("cut at %zu, then every %zu: %.*s instead of %.*s", first,
                 piece, STR_FMT(str_first(buf_str(&events), 200)),
                 STR_FMT(str_first(expected, 200)));
    buf_release(&events);
}

/* Cuts once at every place, then everywhere. */
static void check_all_cuts(struct str bytes, struct str expected)
{
    /* A long stream is cut at every place near its ends, else here and
     * there. */
    size_t step = bytes.len > 20000 ? 4999 : 1;
    size_t at = 0;
    while (at <= bytes.len) {
        check_cut(bytes, at, SIZE_MAX, expected);
        at += at < 200 || bytes.len - at < 200 ? 1 : step;
    }
    check_cut(bytes, 1, 1, expected);
    check_cut(bytes, 3, 7, expected);
}

/* In the corpus a byte is a character; U+0100 stands for NUL. */
static void add_latin1(struct buf *to, struct str s)
{
    while (s.len > 0) {
        size_t len = text_utf8_len(s);
        unsigned c = (unsigned char)s.ptr[0];
        if (len == 2)
            c = (c & 0x1f) << 6 | ((unsigned char)s.ptr[1] & 0x3f);
        assert_true(len <= 2 && c <= 0x100);
        assert_true(buf_add_char(to, (char)(c & 0xff)));
        s = str_skip(s, len);
    }
}

/* The reference decoded its events: what is no UTF-8 became U+FFFD. */
static void add_decoded(struct buf *to, struct str s)
{
    while (s.len > 0) {
        size_t len = text_utf8_len(s);
        (void)buf_add(to, len > 0 ? str_first(s, len) : STR("\xef\xbf\xbd"));
        s = str_skip(s, len > 0 ? len : 1);
    }
}

/* The same events with "message" where there is no type, as read whole. */
static void check_reference(struct str bytes, const struct json *events)
{
    struct buf ours, decoded, reference;
    buf_init(&ours, 4 * MIB);
    buf_init(&decoded, 4 * MIB);
    buf_init(&reference, 4 * MIB);
    assert_int_equal(read_in_pieces(bytes, SIZE_MAX, 1, SSE_EVENT_MAX, &ours),
                     ERR_OK);
    add_decoded(&decoded, buf_str(&ours));

    struct json_iter it = json_each(events);
    const struct json *event;
    while (json_next(&it, NULL, &event)) {
        struct str type, data, id;
        assert_true(json_str(json_get(event, STR("event")), &type));
        assert_true(json_str(json_get(event, STR("data")), &data));
        assert_true(json_str(json_get(event, STR("id")), &id));
        if (str_eq(type, STR("message")) && !str_starts(bytes, STR("id: 1")))
            type = STR(""); /* only one stream names that type */
        add_event(&reference, &(struct sse_event){type, data, id});
    }
    assert_true(str_eq(buf_str(&decoded), buf_str(&reference)));
    check_all_cuts(bytes, buf_str(&ours));
    buf_release(&ours);
    buf_release(&decoded);
    buf_release(&reference);
}

static void replace_nul(char *text, size_t len)
{
    static const char nul[] = "\\u0000";
    for (size_t i = 0; i + 6 <= len; i++) {
        if (memcmp(text + i, nul, 6) == 0)
            text[i + 3] = '1'; /* U+0100 */
    }
}

static void test_the_reference_streams_survive_every_cut(void **state)
{
    (void)state;
    struct archive archive;
    if (!archive_open(&archive, "reliability/sse"))
        skip();
    size_t len = 0;
    char *text = archive_read(&archive, "sse/sse_corpus.json", &len);
    assert_non_null(text);
    replace_nul(text, len);

    struct arena a;
    const struct json *corpus, *stream;
    arena_init(&a, 64 * MIB);
    assert_int_equal(json_read(&a, (struct str){text, len}, &corpus, NULL),
                     ERR_OK);
    struct json_iter it = json_each(corpus);
    size_t count = 0;
    while (json_next(&it, NULL, &stream)) {
        struct str bytes;
        struct buf raw;
        buf_init(&raw, 4 * MIB);
        assert_true(json_str(json_get(stream, STR("bytes")), &bytes));
        add_latin1(&raw, bytes);
        check_reference(buf_str(&raw), json_get(stream, STR("events")));
        buf_release(&raw);
        count++;
    }
    assert_int_equal(count, 16);
    arena_release(&a);
    free(text);
    archive_close(&archive);
}

static void test_streams_are_read_as_the_standard_says(void **state)
{
    (void)state;
    static const struct {
        struct str bytes, events;
    } cases[] = {
        {STR_INIT(""), STR_INIT("")},
        {STR_INIT("data: a\n\n"), STR_INIT("||a;")},
        {STR_INIT("data: a\r\n\r\n"), STR_INIT("||a;")},
        {STR_INIT("data: a\r\r"), STR_INIT("||a;")},
        {STR_INIT("data: a\n\r\n"), STR_INIT("||a;")},
        {STR_INIT("data: a\r\n\ndata: b\n\r"), STR_INIT("||a;||b;")},
        {STR_INIT("data: a\n"), STR_INIT("")},
        {STR_INIT("data: a"), STR_INIT("")},
        {STR_INIT("data:a\ndata:  b\ndata\ndata:\n\n"),
         STR_INIT("||a\n b\n\n;")},
        {STR_INIT("data\n\n"), STR_INIT("||;")},
        {STR_INIT("event: x\n\ndata: a\n\n"), STR_INIT("||a;")},
        {STR_INIT("event: x\nevent:y\ndata: a\n\ndata: b\n\n"),
         STR_INIT("y||a;||b;")},
        {STR_INIT("id: 1\n\ndata: a\n\nid\ndata: b\n\n"),
         STR_INIT("|1|a;||b;")},
        {STR_INIT("id: 1\nid: 2\0\ndata: a\n\n"), STR_INIT("|1|a;")},
        {STR_INIT(":\n: x\n:\n\ndata: a\n\n"), STR_INIT("||a;")},
        {STR_INIT("Data: a\n data: b\ndata : c\nretry: 3\n\n"), STR_INIT("")},
        {STR_INIT("\xef\xbb\xbf"
                  "data: a\n\n"),
         STR_INIT("||a;")},
        {STR_INIT("\xef\xbb\xbf\xef\xbb\xbf"
                  "data: a\n\n"),
         STR_INIT("")},
        {STR_INIT("\n\xef\xbb\xbf"
                  "data: a\n\n"),
         STR_INIT("")},
        {STR_INIT("\xef\xbb"
                  "data: a\n\n"),
         STR_INIT("")},
        {STR_INIT("\n\n\r\r\n\n"), STR_INIT("")},
        {STR_INIT("data: \0\n\n"), STR_INIT("||\0;")},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_all_cuts(cases[i].bytes, cases[i].events);
}

static void test_limits_do_not_depend_on_the_cut(void **state)
{
    (void)state;
    enum { MAX = 16 };
    static const struct {
        struct str bytes;
        enum err e;
        struct str events;
    } cases[] = {
        {STR_INIT("data: 0123456789\n\n"), ERR_OK, STR_INIT("||0123456789;")},
        {STR_INIT("data: 0123456789x\n\n"), ERR_LIMIT, STR_INIT("")},
        {STR_INIT("data: a\n\n: 3456789012345678"), ERR_LIMIT,
         STR_INIT("||a;")},
        {STR_INIT("data:0123456\ndata:89012345\n\n"), ERR_OK,
         STR_INIT("||0123456\n89012345;")},
        {STR_INIT("data:0123456\ndata:890123456\n\n"), ERR_LIMIT, STR_INIT("")},
        {STR_INIT("data\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata"
                  "\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\n\n"),
         ERR_LIMIT, STR_INIT("")},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t at = 0; at <= cases[i].bytes.len; at++) {
            struct buf events;
            buf_init(&events, KIB);
            assert_int_equal(read_in_pieces(cases[i].bytes, at,
                                            at % 3 == 0 ? 1 : SIZE_MAX, MAX,
                                            &events),
                             cases[i].e);
            assert_true(str_eq(buf_str(&events), cases[i].events));
            buf_release(&events);
        }
    }
}

static bool stop_at_second(void *user, const struct sse_event *e)
{
    int *count = user;
    assert_true(str_eq(e->data, *count == 0 ? STR("a") : STR("b")));
    return ++*count < 2;
}

static void test_the_sink_can_stop_the_reader(void **state)
{
    (void)state;
    struct sse_reader r;
    int count = 0;
    sse_reader_init(&r, KIB);
    assert_int_equal(sse_feed(&r, STR("data:a\n\ndata:b\n\ndata:c\n\n"),
                              stop_at_second, &count),
                     ERR_CLOSED);
    assert_int_equal(count, 2);
    sse_reader_release(&r);
}

static void test_comments_are_counted(void **state)
{
    (void)state;
    struct sse_reader r;
    struct buf events;
    buf_init(&events, KIB);
    sse_reader_init(&r, KIB);
    assert_int_equal(sse_feed(&r, STR(": a\n:\nx: y\n\n: "), add_event,
                              &events),
                     ERR_OK);
    assert_int_equal(r.comments, 2);
    assert_int_equal(sse_feed(&r, STR("b\r\n"), add_event, &events), ERR_OK);
    assert_int_equal(r.comments, 3);
    assert_int_equal(events.len, 0);
    sse_reader_release(&r);
}

static void test_the_last_valid_retry_is_kept(void **state)
{
    static const struct {
        const char *bytes;
        int64_t retry_ms;
    } cases[] = {
        {"data: a\n\n", -1},
        {"retry: 20\n", 20},
        {"retry:0\n\n", 0},
        {"retry: 20\nretry: 3s\nretry: -1\nretry:\n", 20},
        {"retry: 20\nretry: 86400001\nretry: 86400000\n", 86400000},
        {"retry: 99999999999999999999\n", -1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sse_reader r;
        struct buf events;
        buf_init(&events, 100);
        sse_reader_init(&r, 100);
        assert_int_equal(sse_feed(&r, str_from(cases[i].bytes), add_event,
                                  &events),
                         ERR_OK);
        assert_int_equal(r.retry_ms, cases[i].retry_ms);
        sse_reader_release(&r);
        buf_release(&events);
    }
}

static void test_a_waiting_stream_keeps_little_memory(void **state)
{
    (void)state;
    struct sse_reader r;
    struct buf events;
    char piece[1000];
    memset(piece, 'x', sizeof(piece));
    buf_init(&events, MIB);
    sse_reader_init(&r, MIB);
    assert_int_equal(sse_feed(&r, STR("data: "), add_event, &events), ERR_OK);
    for (int i = 0; i < 300; i++)
        assert_int_equal(sse_feed(&r, (struct str){piece, sizeof(piece)},
                                  add_event, &events),
                         ERR_OK);
    assert_true(r.line.room >= 300000);
    assert_int_equal(sse_feed(&r, STR("\n\n"), add_event, &events), ERR_OK);
    assert_int_equal(events.len, 300003);
    assert_true(r.line.room + r.data.room + r.type.room <= 16 * KIB);
    buf_release(&events);
    sse_reader_release(&r);
}

static void test_many_short_lines_take_linear_time(void **state)
{
    (void)state;
    /* With a search for the other line end at each, this would not end. */
    size_t len = 8 * MIB;
    char *bytes = malloc(len);
    struct buf events;
    assert_non_null(bytes);
    buf_init(&events, KIB);
    memset(bytes, '\r', len);
    assert_int_equal(read_in_pieces((struct str){bytes, len}, SIZE_MAX, 1, KIB,
                                    &events),
                     ERR_OK);
    memset(bytes, '\n', len);
    assert_int_equal(read_in_pieces((struct str){bytes, len}, SIZE_MAX, 1, KIB,
                                    &events),
                     ERR_OK);
    free(bytes);
}

static void test_what_is_written_reads_back(void **state)
{
    (void)state;
    static const struct {
        struct str type, data, text, events;
    } cases[] = {
        {STR_INIT(""), STR_INIT("[DONE]"), STR_INIT("data: [DONE]\n\n"),
         STR_INIT("||[DONE];")},
        {STR_INIT("ping"), STR_INIT(""), STR_INIT("event: ping\ndata: \n\n"),
         STR_INIT("ping||;")},
        {STR_INIT(" a:b"), STR_INIT(" x\n\ny\n"),
         STR_INIT("event:  a:b\ndata:  x\ndata: \ndata: y\ndata: \n\n"),
         STR_INIT(" a:b|| x\n\ny\n;")},
        {STR_INIT("x\ndata: forged"), STR_INIT("a\rb\r\nc\r"),
         STR_INIT("event: x\ndata: a\ndata: b\ndata: c\ndata: \n\n"),
         STR_INIT("x||a\nb\nc\n;")},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b;
        buf_init(&b, KIB);
        sse_write(&b, cases[i].type, cases[i].data);
        assert_true(str_eq(buf_str(&b), cases[i].text));
        check_all_cuts(buf_str(&b), cases[i].events);
        buf_release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_reference_streams_survive_every_cut),
        cmocka_unit_test(test_streams_are_read_as_the_standard_says),
        cmocka_unit_test(test_limits_do_not_depend_on_the_cut),
        cmocka_unit_test(test_the_sink_can_stop_the_reader),
        cmocka_unit_test(test_comments_are_counted),
        cmocka_unit_test(test_the_last_valid_retry_is_kept),
        cmocka_unit_test(test_a_waiting_stream_keeps_little_memory),
        cmocka_unit_test(test_many_short_lines_take_linear_time),
        cmocka_unit_test(test_what_is_written_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
