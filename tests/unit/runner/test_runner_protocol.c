/* Tests runner/runner_protocol: what a client may say, and what it hears. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "runner/runner_protocol.h"

#define TAG "\1\2\3\4\5\6\7\x8"

static void test_only_what_is_known_is_read(void **state)
{
    (void)state;
    static const struct {
        uint16_t type, flags;
        enum frame_role from;
        struct str payload;
        enum err want;
    } cases[] = {
        {RUNNER_START, 0, FRAME_ROLE_WORKER, STR_INIT(TAG "\0\0\0\3cat"),
         ERR_OK},
        {RUNNER_START, 0, FRAME_ROLE_CONTROL, STR_INIT(TAG "\0\0\0\3cat"),
         ERR_OK},
        {RUNNER_START, 0, FRAME_ROLE_TOOL, STR_INIT(TAG "\0\0\0\3cat"),
         ERR_MALFORMED},
        {RUNNER_START, 1, FRAME_ROLE_WORKER, STR_INIT(TAG "\0\0\0\3cat"),
         ERR_MALFORMED},
        {RUNNER_START, 0, FRAME_ROLE_WORKER, STR_INIT(TAG "\0\0\0\0"),
         ERR_MALFORMED},
        {RUNNER_START, 0, FRAME_ROLE_WORKER, STR_INIT(TAG "\0\0\0\4cat"),
         ERR_MALFORMED},
        {RUNNER_START, 0, FRAME_ROLE_WORKER, STR_INIT(TAG "\0\0\0\2cat"),
         ERR_MALFORMED},
        {RUNNER_START, 0, FRAME_ROLE_WORKER, STR_INIT("\1\2\3"), ERR_MALFORMED},
        {RUNNER_STOP, 0, FRAME_ROLE_WORKER, STR_INIT(TAG), ERR_OK},
        {RUNNER_STOP, 0, FRAME_ROLE_WORKER, STR_INIT(TAG "x"), ERR_MALFORMED},
        {RUNNER_STARTED, 0, FRAME_ROLE_WORKER, STR_INIT(TAG), ERR_MALFORMED},
        {FRAME_SHUTDOWN, 0, FRAME_ROLE_WORKER, STR_INIT(""), ERR_MALFORMED},
        {0xffff, 0, FRAME_ROLE_WORKER, STR_INIT(TAG), ERR_MALFORMED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct frame f = {cases[i].type, cases[i].flags,
                                cases[i].payload};
        struct runner_request q = {0};
        assert_int_equal(runner_protocol_read(&f, cases[i].from, &q),
                         cases[i].want);
        if (cases[i].want != ERR_OK)
            continue;
        assert_int_equal(q.type, cases[i].type);
        assert_true(q.tag == 0x0102030405060708);
        if (q.type == RUNNER_START)
            assert_true(str_eq(q.name, STR("cat")));
    }
}

static void test_a_name_is_bounded(void **state)
{
    (void)state;
    struct buf payload;
    buf_init(&payload, 4096);
    for (size_t n = NAME_MAX_LEN; n <= NAME_MAX_LEN + 1; n++) {
        char name[NAME_MAX_LEN + 1] = {0};
        memset(name, 'n', n);
        buf_clear(&payload);
        frame_put_u64(&payload, 1);
        frame_put_str(&payload, (struct str){name, n});
        const struct frame f = {RUNNER_START, 0, buf_str(&payload)};
        struct runner_request q;
        assert_int_equal(runner_protocol_read(&f, FRAME_ROLE_WORKER, &q),
                         n <= NAME_MAX_LEN ? ERR_OK : ERR_MALFORMED);
    }
    buf_release(&payload);
}

static void test_answers_have_the_stated_form(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    runner_protocol_started(&out, 0x0102030405060708, 5);
    runner_protocol_refused(&out, 0x0102030405060708, STR("no"));
    runner_protocol_refused(&out, 0x0102030405060708, STR("a\033b"));
    runner_protocol_exited(&out, 0x0102030405060708, 3, 9);
    static const struct {
        uint16_t type;
        struct str payload;
    } want[] = {
        {RUNNER_STARTED, STR_INIT(TAG "\0\0\0\5")},
        {RUNNER_REFUSED, STR_INIT(TAG "\0\0\0\2no")},
        {RUNNER_REFUSED, STR_INIT(TAG "\0\0\0\3a?b")},
        {RUNNER_EXITED, STR_INIT(TAG "\0\0\0\3\0\0\0\x9")},
    };
    struct str left = buf_str(&out);
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        struct frame f;
        size_t used;
        assert_int_equal(frame_next(left, &f, &used), ERR_OK);
        assert_true(used > 0);
        assert_int_equal(f.type, want[i].type);
        assert_true(str_eq(f.payload, want[i].payload));
        left = str_skip(left, used);
    }
    assert_int_equal(left.len, 0);
    buf_release(&out);
    struct runner_pipe_payload p =
        runner_protocol_pipe(0x0102030405060708, RUNNER_STDERR);
    assert_memory_equal(p.bytes, TAG "\2", RUNNER_PIPE_LEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_what_is_known_is_read),
        cmocka_unit_test(test_a_name_is_bounded),
        cmocka_unit_test(test_answers_have_the_stated_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
