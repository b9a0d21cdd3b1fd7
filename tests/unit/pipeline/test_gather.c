/* Tests pipeline/gather: one piece, many, at once and later, errors, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/container.h"
#include "pipeline/gather.h"

/* Answers pulls from a list, at once, or when it is told to. */
struct script {
    struct body_source source;
    const char *const *pieces; /* ends with NULL */
    size_t next;
    enum err end;
    bool later;
    body_sink *sink;
    void *reader;
    unsigned cancels, depth, deepest;
};

static void answer(struct script *s)
{
    body_sink *sink = s->sink;
    const char *piece = s->pieces[s->next];

    s->sink = NULL;
    if (piece == NULL) {
        sink(s->reader, (struct str){0}, s->end == ERR_OK, s->end);
        return;
    }
    s->next++;
    bool last = s->pieces[s->next] == NULL && s->end == ERR_OK;
    sink(s->reader, str_from(piece), last, ERR_OK);
}

static void on_pull(struct body_source *src, body_sink *sink, void *reader)
{
    struct script *s = CONTAINER_OF(src, struct script, source);

    assert_null(s->sink);
    s->sink = sink;
    s->reader = reader;
    s->depth++;
    s->deepest = s->depth > s->deepest ? s->depth : s->deepest;
    if (!s->later)
        answer(s);
    s->depth--;
}

static void on_cancel(struct body_source *src)
{
    CONTAINER_OF(src, struct script, source)->cancels++;
}

struct result {
    unsigned calls;
    enum err err;
    char text[64];
};

static void on_done(void *user, struct str body, enum err e)
{
    struct result *r = user;

    r->calls++;
    r->err = e;
    assert_true(body.len < sizeof(r->text));
    memcpy(r->text, body.ptr == NULL ? "" : body.ptr, body.len);
    r->text[body.len] = '\0';
}

static struct script make(const char *const *pieces, enum err end, bool later)
{
    return (struct script){.source = {on_pull, on_cancel},
                           .pieces = pieces,
                           .end = end,
                           .later = later};
}

static void test_bodies_come_whole_however_they_are_cut(void **state)
{
    (void)state;
    static const char *const none[] = {NULL};
    static const char *const one[] = {"hello", NULL};
    static const char *const many[] = {"h", "", "el", "l", "o", NULL};
    static const struct {
        const char *const *pieces;
        const char *text;
    } cases[] = {{none, ""}, {one, "hello"}, {many, "hello"}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int later = 0; later <= 1; later++) {
            struct script s = make(cases[i].pieces, ERR_OK, later);
            struct gather g = {0};
            struct result r = {0};
            gather_start(&g, &s.source, 32, on_done, &r);
            while (s.sink != NULL)
                answer(&s);
            assert_int_equal(r.calls, 1);
            assert_int_equal(r.err, ERR_OK);
            assert_string_equal(r.text, cases[i].text);
            assert_int_equal(s.deepest, 1); /* pulling does not recurse */
            assert_int_equal(s.cancels, 0);
        }
    }
}

static void test_too_much_cancels_the_source(void **state)
{
    (void)state;
    static const char *const pieces[] = {"0123456789", "0123456789", "x", NULL};
    struct script s = make(pieces, ERR_OK, false);
    struct gather g = {0};
    struct result r = {0};

    gather_start(&g, &s.source, 16, on_done, &r);
    assert_int_equal(r.calls, 1);
    assert_int_equal(r.err, ERR_LIMIT);
    assert_int_equal(s.cancels, 1);
}

static void test_an_error_of_the_source_is_passed_on(void **state)
{
    (void)state;
    static const char *const pieces[] = {"half", NULL};
    struct script s = make(pieces, ERR_UPSTREAM, false);
    struct gather g = {0};
    struct result r = {0};

    gather_start(&g, &s.source, 16, on_done, &r);
    assert_int_equal(r.calls, 1);
    assert_int_equal(r.err, ERR_UPSTREAM);
    assert_string_equal(r.text, "");
    assert_int_equal(s.cancels, 0); /* it is gone already */
}

static void test_cancel_is_final_and_harmless_when_idle(void **state)
{
    (void)state;
    static const char *const pieces[] = {"a", "b", NULL};
    struct script s = make(pieces, ERR_OK, true);
    struct gather g = {0};
    struct result r = {0};

    gather_cancel(&g);
    gather_start(&g, &s.source, 16, on_done, &r);
    answer(&s);
    gather_cancel(&g);
    gather_cancel(&g);
    assert_int_equal(r.calls, 0);
    assert_int_equal(s.cancels, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies_come_whole_however_they_are_cut),
        cmocka_unit_test(test_too_much_cancels_the_source),
        cmocka_unit_test(test_an_error_of_the_source_is_passed_on),
        cmocka_unit_test(test_cancel_is_final_and_harmless_when_idle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
