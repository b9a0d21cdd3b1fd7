/* Tests pipeline/mcp_stream.c against readers of every temper. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/limits.h"
#include "http/body.h"
#include "pipeline/mcp_stream.h"

enum { MAX = 64 * 1024 };

struct probe {
    struct mcp_stream *stream;
    struct body_source *source; /* NULL: over, for the reader */
    struct buf got;
    unsigned pieces, drained, gone;
    size_t longest;
    bool ended;
    enum err why;
    bool greedy;        /* pulls again inside the sink */
    unsigned leaves_at; /* gives up inside the sink of that piece; 0: never */
    bool writes_on;     /* writes once more whenever it is drained */
    bool ends_inside;   /* ends the stream inside the sink */
};

static void pull(struct probe *p);

static void on_piece(void *reader, struct str piece, bool last, enum err e)
{
    struct probe *p = reader;

    p->pieces++;
    assert_true(buf_add(&p->got, piece));
    if (piece.len > p->longest)
        p->longest = piece.len;
    if (last || e != ERR_OK) {
        p->ended = true;
        p->why = e;
        p->source = NULL;
        return;
    }
    if (p->leaves_at == p->pieces) {
        struct body_source *src = p->source;
        p->source = NULL;
        src->cancel(src);
        return;
    }
    if (p->ends_inside && p->stream != NULL) {
        struct mcp_stream *s = p->stream;
        p->stream = NULL;
        mcp_stream_end(s);
    }
    if (p->greedy)
        pull(p);
}

static void pull(struct probe *p)
{
    assert_non_null(p->source);
    p->source->pull(p->source, on_piece, p);
}

static void on_drained(void *user)
{
    struct probe *p = user;

    p->drained++;
    assert_true(mcp_stream_is_empty(p->stream));
    if (p->writes_on && p->drained < 1000)
        assert_true(mcp_stream_write(p->stream, STR("1")));
}

static void on_gone(void *user)
{
    struct probe *p = user;

    p->gone++;
    p->stream = NULL;
}

static void begin(struct probe *p, size_t max)
{
    static const struct mcp_stream_events events = {on_drained, on_gone};

    buf_init(&p->got, 4 * MIB);
    assert_int_equal(mcp_stream_new(max, &events, p, &p->stream), ERR_OK);
    p->source = mcp_stream_source(p->stream);
}

/* Something waits for who comes. */
static void begin_with_one(struct probe *p)
{
    begin(p, MAX);
    assert_true(mcp_stream_write(p->stream, STR("1")));
}

/* Somebody waits for what comes. */
static void begin_and_wait(struct probe *p)
{
    begin(p, MAX);
    pull(p);
}

static void end(struct probe *p)
{
    if (p->stream != NULL)
        mcp_stream_end(p->stream);
    p->stream = NULL;
    p->greedy = false;
    while (p->source != NULL)
        pull(p);
    buf_release(&p->got);
}

#define EVENT(text) "event: message\ndata: " text "\n\n"

static bool got(const struct probe *p, const char *text)
{
    return str_eq(buf_str(&p->got), str_from(text));
}

static void what_is_written_goes_to_who_waits(void **state)
{
    struct probe p = {0};

    (void)state;
    begin_and_wait(&p);
    assert_int_equal(p.pieces, 0);
    assert_true(mcp_stream_write(p.stream, STR("{}")));
    assert_true(got(&p, EVENT("{}")));
    assert_int_equal(p.drained, 1);
    mcp_stream_end(p.stream);
    p.stream = NULL;
    pull(&p);
    assert_true(p.ended);
    assert_int_equal(p.why, ERR_OK);
    assert_int_equal(p.gone, 0);
    end(&p);
}

static void what_is_written_waits_for_who_comes(void **state)
{
    struct probe p = {0};

    (void)state;
    begin(&p, MAX);
    assert_true(mcp_stream_is_empty(p.stream));
    assert_true(mcp_stream_write(p.stream, STR("1")));
    assert_true(mcp_stream_write(p.stream, STR("2")));
    assert_false(mcp_stream_is_empty(p.stream));
    assert_int_equal(p.drained, 0);
    pull(&p);
    assert_true(got(&p, EVENT("1") EVENT("2")));
    assert_int_equal(p.drained, 1);
    end(&p);
}

static void the_end_comes_with_what_is_queued(void **state)
{
    struct probe p = {0};

    (void)state;
    begin_with_one(&p);
    mcp_stream_end(p.stream);
    p.stream = NULL;
    pull(&p);
    assert_true(p.ended);
    assert_int_equal(p.why, ERR_OK);
    assert_true(got(&p, EVENT("1")));
    assert_int_equal(p.drained, 0); /* nobody wants to know */
    end(&p);
}

static void a_cut_drops_what_is_queued(void **state)
{
    struct probe p = {0};

    (void)state;
    begin_with_one(&p);
    mcp_stream_cut(p.stream, ERR_REVOKED);
    p.stream = NULL;
    pull(&p);
    assert_true(p.ended);
    assert_int_equal(p.why, ERR_REVOKED);
    assert_int_equal(p.got.len, 0);
    end(&p);
}

static void a_cut_tells_who_waits(void **state)
{
    struct probe p = {0};

    (void)state;
    begin_and_wait(&p);
    mcp_stream_cut(p.stream, ERR_REVOKED);
    p.stream = NULL;
    assert_true(p.ended);
    assert_int_equal(p.why, ERR_REVOKED);
    end(&p);
}

static void long_events_come_in_pieces(void **state)
{
    static char text[3 * BODY_PIECE_MAX];
    struct probe p = {.greedy = true};

    (void)state;
    memset(text, '1', sizeof(text));
    begin(&p, 8 * sizeof(text));
    assert_true(mcp_stream_write(p.stream, (struct str){text, sizeof(text)}));
    pull(&p);
    assert_true(p.longest <= BODY_PIECE_MAX);
    assert_int_equal(p.got.len, sizeof(text) + sizeof(EVENT("")) - 1);
    assert_true(p.pieces > 3);
    assert_int_equal(p.drained, 1);
    end(&p);
}

static void what_waits_is_bounded(void **state)
{
    struct probe p = {0};
    char text[1000];
    unsigned n = 0;

    (void)state;
    memset(text, '1', sizeof(text));
    begin(&p, MAX);
    while (mcp_stream_write(p.stream, (struct str){text, sizeof(text)}))
        n++;
    assert_true(n > 0 && n <= MAX / sizeof(text));
    /* The stream is as it was: whole events, and room once they are taken. */
    while (!mcp_stream_is_empty(p.stream))
        pull(&p);
    assert_int_equal(p.got.len, n * (sizeof(text) + sizeof(EVENT("")) - 1));
    assert_true(mcp_stream_write(p.stream, (struct str){text, sizeof(text)}));
    end(&p);
}

static void who_leaves_is_told_of_once(void **state)
{
    struct probe p = {0};

    (void)state;
    begin(&p, MAX);
    p.source->cancel(p.source);
    p.source = NULL;
    assert_int_equal(p.gone, 1);
    assert_null(p.stream);
    end(&p);
}

static void who_leaves_after_the_end_is_not_told_of(void **state)
{
    struct probe p = {0};

    (void)state;
    begin_with_one(&p);
    mcp_stream_end(p.stream);
    p.stream = NULL;
    p.source->cancel(p.source);
    p.source = NULL;
    assert_int_equal(p.gone, 0);
    end(&p);
}

static void who_leaves_inside_the_sink_frees_it(void **state)
{
    static char text[3 * BODY_PIECE_MAX];

    (void)state;
    memset(text, '1', sizeof(text));
    for (unsigned at = 1; at <= 3; at++) {
        struct probe p = {.greedy = true, .leaves_at = at};
        begin(&p, 8 * sizeof(text));
        assert_true(
            mcp_stream_write(p.stream, (struct str){text, sizeof(text)}));
        pull(&p);
        assert_int_equal(p.gone, 1);
        assert_int_equal(p.pieces, at);
        end(&p);
    }
}

static void who_leaves_inside_a_write_frees_it_after(void **state)
{
    struct probe p = {.leaves_at = 1};

    (void)state;
    begin_and_wait(&p);
    assert_true(mcp_stream_write(p.stream, STR("1"))); /* it was taken */
    assert_int_equal(p.gone, 1);
    assert_null(p.stream);
    end(&p);
}

static void an_end_inside_the_sink_comes_with_the_next_pull(void **state)
{
    for (int greedy = 0; greedy < 2; greedy++) {
        struct probe p = {.ends_inside = true, .greedy = greedy == 1};
        (void)state;
        begin(&p, MAX);
        pull(&p);
        assert_true(mcp_stream_write(p.stream, STR("1")));
        assert_int_equal(p.ended, greedy == 1);
        end(&p);
        assert_true(p.ended);
        assert_int_equal(p.why, ERR_OK);
    }
}

static void a_writer_that_goes_on_when_drained_does_not_recurse(void **state)
{
    struct probe p = {.greedy = true, .writes_on = true};

    (void)state;
    begin_and_wait(&p);
    assert_true(mcp_stream_write(p.stream, STR("1")));
    assert_int_equal(p.drained, 1000);
    assert_int_equal(p.pieces, 1000);
    end(&p);
}

static void a_ping_is_for_who_waits_alone(void **state)
{
    struct probe p = {0};

    (void)state;
    begin_with_one(&p);
    mcp_stream_ping(p.stream); /* something comes anyway */
    pull(&p);
    assert_true(got(&p, EVENT("1")));
    pull(&p);
    mcp_stream_ping(p.stream);
    assert_true(got(&p, EVENT("1") ":\n\n"));
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_goes_to_who_waits),
        cmocka_unit_test(what_is_written_waits_for_who_comes),
        cmocka_unit_test(the_end_comes_with_what_is_queued),
        cmocka_unit_test(a_cut_drops_what_is_queued),
        cmocka_unit_test(a_cut_tells_who_waits),
        cmocka_unit_test(long_events_come_in_pieces),
        cmocka_unit_test(what_waits_is_bounded),
        cmocka_unit_test(who_leaves_is_told_of_once),
        cmocka_unit_test(who_leaves_after_the_end_is_not_told_of),
        cmocka_unit_test(who_leaves_inside_the_sink_frees_it),
        cmocka_unit_test(who_leaves_inside_a_write_frees_it_after),
        cmocka_unit_test(an_end_inside_the_sink_comes_with_the_next_pull),
        cmocka_unit_test(a_writer_that_goes_on_when_drained_does_not_recurse),
        cmocka_unit_test(a_ping_is_for_who_waits_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
