/* Tests keeper/keeper_request: who may ask what, in which form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "fixture.h"
#include "keeper/keeper_file.h"
#include "keeper/keeper_request.h"

struct desk {
    struct fixture *x;
    struct keeper_keys *keys;
    struct keeper_state s;
};

static struct desk open_desk(void **state)
{
    struct desk d = {.x = *state};
    int dir = -1;
    const char *why;
    assert_int_equal(keeper_file_open_dir(d.x->keys_dir, &dir), ERR_OK);
    assert_int_equal(keeper_keys_load(dir, &d.keys, &why), ERR_OK);
    d.s.keys = d.keys;
    d.s.now_us = 1795000000000000;
    assert_int_equal(seal_key_new(d.keys->payload, &d.s.payload), ERR_OK);
    assert_int_equal(keeper_records_open(dir, (struct siphash_key){1, 2},
                                         &d.s.records),
                     ERR_OK);
    (void)close(dir);
    return d;
}

static void close_desk(struct desk *d)
{
    keeper_records_close(d->s.records);
    seal_key_free(d->s.payload);
    keeper_keys_free(d->keys);
}

static const struct str sixteen = STR_INIT("0123456789abcdef");

static void test_only_what_the_table_names_is_answered(void **state)
{
    static const struct {
        uint16_t type;
        size_t len; /* of the payload */
        uint16_t flags;
        enum frame_role from;
        enum err want;
    } cases[] = {
        {KEEPER_CALLER_KEY, 0, 0, FRAME_ROLE_WORKER, ERR_OK},
        {KEEPER_CALLER_KEY, 0, 0, FRAME_ROLE_CONTROL, ERR_OK},
        {KEEPER_CALLER_KEY, 0, 0, FRAME_ROLE_TOOL, ERR_OK},
        {KEEPER_CALLER_KEY, 0, 0, FRAME_ROLE_NONE, ERR_MALFORMED},
        {KEEPER_CALLER_KEY, 0, 0, FRAME_ROLE_SUPERVISOR, ERR_MALFORMED},
        {KEEPER_CALLER_KEY, 0, 0, FRAME_ROLE_LEDGER, ERR_MALFORMED},
        {KEEPER_CALLER_KEY, 0, 0, FRAME_ROLE_RUNNER, ERR_MALFORMED},
        {KEEPER_CALLER_KEY, 1, 0, FRAME_ROLE_WORKER, ERR_MALFORMED},
        {KEEPER_CALLER_KEY, 0, 1, FRAME_ROLE_WORKER, ERR_MALFORMED},
        {KEEPER_SESSION_KEY_NEW, 16, 0, FRAME_ROLE_WORKER, ERR_OK},
        {KEEPER_SESSION_KEY_NEW, 16, 0, FRAME_ROLE_TOOL, ERR_MALFORMED},
        {KEEPER_SESSION_KEY_NEW, 15, 0, FRAME_ROLE_WORKER, ERR_MALFORMED},
        {KEEPER_SESSION_KEY_NEW, 0, 0, FRAME_ROLE_WORKER, ERR_MALFORMED},
        {KEEPER_SESSION_KEY_GET, 16, 0, FRAME_ROLE_WORKER, ERR_OK},
        {KEEPER_SESSION_KEY_GET, 16, 0, FRAME_ROLE_CONTROL, ERR_OK},
        {KEEPER_SESSION_KEY_GET, 16, 0, FRAME_ROLE_TOOL, ERR_MALFORMED},
        {KEEPER_SESSION_KEY_GET, 16, 1, FRAME_ROLE_WORKER, ERR_MALFORMED},
        {KEEPER_SESSION_KEY_GET, 15, 0, FRAME_ROLE_WORKER, ERR_MALFORMED},
        {0, 0, 0, FRAME_ROLE_WORKER, ERR_MALFORMED},
        {FRAME_HELLO, 0, 0, FRAME_ROLE_WORKER, ERR_MALFORMED},
        {FRAME_CONNECT, 4, 0, FRAME_ROLE_WORKER, ERR_MALFORMED},
        {FRAME_SHUTDOWN, 0, 0, FRAME_ROLE_WORKER, ERR_MALFORMED},
        {0xffff, 0, 0, FRAME_ROLE_WORKER, ERR_MALFORMED},
    };
    struct desk d = open_desk(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct frame f = {cases[i].type, cases[i].flags,
                                str_first(sixteen, cases[i].len)};
        struct keeper_answer a;
        assert_int_equal(keeper_request_handle(&d.s, cases[i].from, &f, &a),
                         cases[i].want);
    }
    close_desk(&d);
}

static struct keeper_answer ask(struct desk *d, uint16_t type,
                                struct str payload)
{
    const struct frame f = {type, 0, payload};
    struct keeper_answer a = {0};
    assert_int_equal(keeper_request_handle(&d->s, FRAME_ROLE_WORKER, &f, &a),
                     ERR_OK);
    return a;
}

static void test_a_session_key_is_stored_wrapped_for_its_session(void **state)
{
    struct desk d = open_desk(state);
    struct fixture_id id = fixture_id(7), other = fixture_id(8);
    struct keeper_answer a =
        ask(&d, KEEPER_SESSION_KEY_NEW, fixture_id_str(&id));
    assert_int_equal(a.status, KEEPER_OK);
    assert_true(a.staged);
    assert_int_equal(keeper_records_commit(d.s.records), ERR_OK);

    struct keeper_record r;
    assert_int_equal(keeper_records_read(d.s.records, 0, &r), ERR_OK);
    assert_memory_equal(r.session_id, id.bytes, sizeof(id.bytes));
    assert_int_equal(r.created_us, d.s.now_us);
    assert_memory_not_equal(r.wrapped, a.key, KEEPER_KEY_LEN);
    unsigned char key[KEEPER_KEY_LEN];
    const struct str wrapped = {(const char *)r.wrapped, sizeof(r.wrapped)};
    assert_int_equal(seal_open(d.s.payload, fixture_id_str(&id), &r.stamp,
                               wrapped, key),
                     ERR_OK);
    assert_memory_equal(key, a.key, sizeof(key));
    assert_int_equal(seal_open(d.s.payload, fixture_id_str(&other), &r.stamp,
                               wrapped, key),
                     ERR_CORRUPT);
    close_desk(&d);
}

static void test_a_session_gets_one_key_and_no_session_gets_none(void **state)
{
    struct desk d = open_desk(state);
    static const char zeros[KEEPER_SESSION_ID_LEN];
    struct keeper_answer a =
        ask(&d, KEEPER_SESSION_KEY_NEW, (struct str){zeros, sizeof(zeros)});
    assert_int_equal(a.status, KEEPER_FAILED);
    a = ask(&d, KEEPER_SESSION_KEY_NEW, sixteen);
    assert_int_equal(a.status, KEEPER_OK);
    a = ask(&d, KEEPER_SESSION_KEY_NEW, sixteen); /* in the same batch */
    assert_int_equal(a.status, KEEPER_EXISTS);
    assert_int_equal(keeper_records_commit(d.s.records), ERR_OK);
    a = ask(&d, KEEPER_SESSION_KEY_NEW, sixteen);
    assert_int_equal(a.status, KEEPER_EXISTS);
    close_desk(&d);
}

static void test_a_key_that_was_not_committed_is_not_given_out(void **state)
{
    struct desk d = open_desk(state);
    struct buf out;
    buf_init(&out, 1024);
    for (int committed = 0; committed < 2; committed++) {
        struct fixture_id id = fixture_id((unsigned)committed);
        struct keeper_answer a =
            ask(&d, KEEPER_SESSION_KEY_NEW, fixture_id_str(&id));
        buf_clear(&out);
        keeper_request_write(&out, &a, committed != 0);
        struct frame f;
        size_t used;
        assert_int_equal(frame_next(buf_str(&out), &f, &used), ERR_OK);
        assert_int_equal(used, out.len);
        assert_int_equal(f.payload.ptr[0],
                         committed ? KEEPER_OK : KEEPER_FAILED);
        assert_int_equal(f.payload.len, committed ? KEEPER_ANSWER_MAX : 1);
        static const unsigned char wiped[KEEPER_KEY_LEN];
        assert_memory_equal(a.key, wiped, sizeof(wiped));
    }
    buf_release(&out);
    close_desk(&d);
}

static void test_a_session_key_is_given_out_again(void **state)
{
    struct desk d = open_desk(state);
    struct fixture_id id = fixture_id(7), other = fixture_id(8);
    struct str session = fixture_id_str(&id);
    static const char zeros[KEEPER_SESSION_ID_LEN];
    struct keeper_answer a = ask(&d, KEEPER_SESSION_KEY_GET, session);
    assert_int_equal(a.status, KEEPER_MISSING);
    struct keeper_answer made = ask(&d, KEEPER_SESSION_KEY_NEW, session);
    /* What is not durable yet is known to nobody. */
    a = ask(&d, KEEPER_SESSION_KEY_GET, session);
    assert_int_equal(a.status, KEEPER_MISSING);
    assert_int_equal(keeper_records_commit(d.s.records), ERR_OK);
    a = ask(&d, KEEPER_SESSION_KEY_GET, session);
    assert_int_equal(a.status, KEEPER_OK);
    assert_false(a.staged);
    assert_memory_equal(a.key, made.key, KEEPER_KEY_LEN);
    a = ask(&d, KEEPER_SESSION_KEY_GET, fixture_id_str(&other));
    assert_int_equal(a.status, KEEPER_MISSING);
    a = ask(&d, KEEPER_SESSION_KEY_GET, (struct str){zeros, sizeof(zeros)});
    assert_int_equal(a.status, KEEPER_FAILED);
    close_desk(&d);
}

/* A record whose box was sealed for another session, or under another key. */
static void test_a_record_that_does_not_open_gives_no_key(void **state)
{
    static const unsigned char none[KEEPER_KEY_LEN];
    struct desk d = open_desk(state);
    struct fixture_id id = fixture_id(7), other = fixture_id(8);
    struct keeper_record r;
    (void)ask(&d, KEEPER_SESSION_KEY_NEW, fixture_id_str(&id));
    assert_int_equal(keeper_records_commit(d.s.records), ERR_OK);
    assert_int_equal(keeper_records_read(d.s.records, 0, &r), ERR_OK);
    memcpy(r.session_id, other.bytes, sizeof(r.session_id));
    assert_int_equal(keeper_records_stage(d.s.records, &r), ERR_OK);
    assert_int_equal(keeper_records_commit(d.s.records), ERR_OK);
    struct keeper_answer a =
        ask(&d, KEEPER_SESSION_KEY_GET, fixture_id_str(&other));
    assert_int_equal(a.status, KEEPER_FAILED);
    assert_memory_equal(a.key, none, sizeof(none));
    close_desk(&d);
}

#define WITH_FIXTURE(test)                                                     \
    cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_only_what_the_table_names_is_answered),
        WITH_FIXTURE(test_a_session_key_is_stored_wrapped_for_its_session),
        WITH_FIXTURE(test_a_session_gets_one_key_and_no_session_gets_none),
        WITH_FIXTURE(test_a_key_that_was_not_committed_is_not_given_out),
        WITH_FIXTURE(test_a_session_key_is_given_out_again),
        WITH_FIXTURE(test_a_record_that_does_not_open_gives_no_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
