/* Tests admin/accounts and people: who comes in, and that nothing tells why
 * somebody does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "admin/accounts.h"
#include "admin/enrolment.h"
#include "admin/people_enrolment.h"
#include "base/attr.h"
#include "fixture.h"
#include "os/clock.h"
#include "os/loop.h"

#define PASSPHRASE "correct horse battery"

/* The step of the clock when a test began: its code and that of the next step
 * are good even when the clock goes on by a step meanwhile. */
static int64_t first_step;

static void code_of(const struct fixture *f, int64_t steps_later, char to[8])
{
    const struct people_enrolment *p = f->host.enrolment;
    const struct str secret = {(const char *)p->secret, sizeof(p->secret)};
    memset(to, 0, 8);
    assert_int_equal(totp_code(secret, first_step + steps_later, to), ERR_OK);
}

static void wait_for_reply(struct fixture *f)
{
    int64_t until = clock_monotonic_ms() + 20000;
    while (f->replies == 0 && clock_monotonic_ms() < until) {
        fixture_ack(f, ERR_OK);
        fixture_spread(f);
        fixture_run(f, NULL);
    }
    assert_int_equal(f->replies, 1);
}

static void post(struct fixture *f, const char *path, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

static void post(struct fixture *f, const char *path, const char *fmt, ...)
{
    char body[512];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(body, sizeof(body), fmt, args);
    va_end(args);
    fixture_ask_unknown(f, "POST", path, body);
    wait_for_reply(f);
}

static void log_in(struct fixture *f, const char *name, const char *passphrase,
                   const char *code)
{
    post(f, "login", "{\"name\":\"%s\",\"passphrase\":\"%s\",\"totp\":\"%s\"}",
         name, passphrase, code);
}

static void make_code(struct fixture *f, char to[ENROLMENT_CODE_LEN + 1])
{
    assert_int_equal(enrolment_make(f->dir, f->host.caller_key,
                                    loop_wall_us(f->loop), to),
                     ERR_OK);
    to[ENROLMENT_CODE_LEN] = 0;
}

/* "ada" is enrolled with the code of the first step. */
static void enrol(struct fixture *f, char code[ENROLMENT_CODE_LEN + 1])
{
    char totp[8];

    make_code(f, code);
    post(f, "enrol",
         "{\"code\":\"%s\",\"name\":\"ada\",\"passphrase\":\"" PASSPHRASE "\"}",
         code);
    assert_int_equal(f->status, 200);
    assert_true(fixture_says(f, "otpauth://totp/Writ:ada?secret="));
    first_step = totp_step(loop_wall_us(f->loop));
    code_of(f, 0, totp);
    post(f, "enrol",
         "{\"code\":\"%s\",\"name\":\"ada\",\"passphrase\":\"" PASSPHRASE
         "\",\"totp\":\"%s\"}",
         code, totp);
    assert_int_equal(f->status, 201);
    assert_true(fixture_says(f, "\"token\":\"writ_admin_"));
}

static void test_an_enrolment_makes_account_identity_and_login(void **state)
{
    struct fixture *f = *state;
    char code[ENROLMENT_CODE_LEN + 1], totp[8];

    enrol(f, code);
    assert_int_equal(fixture_entries(f, "\"event\":\"enrol\""), 1);
    assert_int_equal(fixture_entries(f, "\"id\":\"local|ada\",\"method\":"
                                        "\"enrolment\""),
                     1);
    assert_int_equal(fixture_entries(f, PASSPHRASE), 0);
    post(f, "enrol",
         "{\"code\":\"%s\",\"name\":\"eve\",\"passphrase\":\"" PASSPHRASE "\"}",
         code);
    assert_int_equal(f->status, 401); /* used */
    code_of(f, 1, totp);
    log_in(f, "ada", PASSPHRASE, totp);
    assert_int_equal(f->status, 200);
}

static void test_a_one_time_code_is_taken_once(void **state)
{
    struct fixture *f = *state;
    char code[ENROLMENT_CODE_LEN + 1], totp[8];

    enrol(f, code);
    code_of(f, 0, totp); /* it was the enrolment's */
    log_in(f, "ada", PASSPHRASE, totp);
    assert_int_equal(f->status, 401);
    code_of(f, 1, totp);
    log_in(f, "ada", PASSPHRASE, totp);
    assert_int_equal(f->status, 200);
    log_in(f, "ada", PASSPHRASE, totp);
    assert_int_equal(f->status, 401);
    code_of(f, 0, totp); /* nor does one before it come later */
    log_in(f, "ada", PASSPHRASE, totp);
    assert_int_equal(f->status, 401);
}

static void test_nothing_tells_a_wrong_name_from_a_wrong_secret(void **state)
{
    struct fixture *f = *state;
    char code[ENROLMENT_CODE_LEN + 1], totp[8], first[512] = "";

    enrol(f, code);
    code_of(f, 1, totp);
    const struct {
        const char *name, *passphrase, *totp;
    } cases[] = {
        {"nobody", PASSPHRASE, totp},
        {"ada", "wrong horse battery", totp},
        {"ada", PASSPHRASE, "12345"},
        {"ADA", PASSPHRASE, totp},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        log_in(f, cases[i].name, cases[i].passphrase, cases[i].totp);
        assert_int_equal(f->status, 401);
        buf_add_char(&f->text, 0);
        if (i == 0)
            (void)snprintf(first, sizeof(first), "%s", f->text.ptr);
        assert_string_equal(f->text.ptr, first);
    }
    log_in(f, "ada", PASSPHRASE, totp);
    assert_int_equal(f->status, 200);
}

static void test_who_guesses_has_to_wait(void **state)
{
    struct fixture *f = *state;
    unsigned i = 0;

    do {
        log_in(f, "nobody", "wrong horse battery", "000000");
        assert_true(f->status == 401 || f->status == 429);
        i++;
    } while (f->status == 401 && i < 20);
    assert_int_equal(f->status, 429);
    assert_true(i > 3 && i < 12);
}

static void test_a_suspended_person_is_not_let_in(void **state)
{
    struct fixture *f = *state;
    char code[ENROLMENT_CODE_LEN + 1], totp[8];

    enrol(f, code);
    fixture_do(f, "POST", "agents/local%7Cada/suspend", "");
    assert_int_equal(f->status, 200);
    code_of(f, 1, totp);
    log_in(f, "ada", PASSPHRASE, totp);
    assert_int_equal(f->status, 401);
}

static void
test_an_enrolment_wants_a_real_code_name_and_passphrase(void **state)
{
    struct fixture *f = *state;
    char code[ENROLMENT_CODE_LEN + 1];

    make_code(f, code);
    post(f, "enrol",
         "{\"code\":\"AAAAA-AAAAA-AAAAA-AAAAA\",\"name\":\"ada\","
         "\"passphrase\":\"" PASSPHRASE "\"}");
    assert_int_equal(f->status, 401);
    post(f, "enrol",
         "{\"code\":\"%s\",\"name\":\"ada\",\"passphrase\":\"short\"}", code);
    assert_int_equal(f->status, 400);
    post(f, "enrol",
         "{\"code\":\"%s\",\"name\":\"Ada|x\",\"passphrase\":\"" PASSPHRASE
         "\"}",
         code);
    assert_int_equal(f->status, 400);
    post(f, "enrol",
         "{\"code\":\"%s\",\"name\":\"ada\",\"passphrase\":\"" PASSPHRASE
         "\",\"totp\":\"123456\"}",
         code);
    assert_int_equal(f->status, 401); /* nothing was begun */
}

static void test_an_invitation_is_in_evidence_before_its_code(void **state)
{
    struct fixture *f = *state;

    fixture_ask(f, "POST", "enrol/code", "");
    assert_int_equal(f->replies, 0);
    fixture_ack(f, ERR_OK);
    assert_int_equal(f->status, 201);
    assert_true(fixture_says(f, "{\"code\":\""));
    assert_int_equal(fixture_entries(f, "\"event\":\"invite\""), 1);
}

static void test_what_is_under_way_at_the_end_leaves_nothing(void **state)
{
    struct fixture *f = *state;

    fixture_ask_unknown(f, "POST", "login",
                        "{\"name\":\"ada\",\"passphrase\":\"" PASSPHRASE
                        "\",\"totp\":\"000000\"}");
    assert_int_equal(f->replies, 0); /* the leak checker sees the rest */
}

static void test_names_of_accounts_are_plain(void **state)
{
    (void)state;
    static const struct str good[] = {STR_INIT("a"), STR_INIT("ada.l-1_x")};
    static const struct str bad[] = {
        STR_INIT(""),
        STR_INIT("1a"),
        STR_INIT("Ada"),
        STR_INIT("a|b"),
        STR_INIT("a b"),
        STR_INIT("\xc3\xa9"),
        STR_INIT("-a"),
        STR_INIT(
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            "aaaa"),
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(accounts_name_ok(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(accounts_name_ok(bad[i]));
}

#define WITH(name)                                                             \
    cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(test_an_enrolment_makes_account_identity_and_login),
        WITH(test_a_one_time_code_is_taken_once),
        WITH(test_nothing_tells_a_wrong_name_from_a_wrong_secret),
        WITH(test_who_guesses_has_to_wait),
        WITH(test_a_suspended_person_is_not_let_in),
        WITH(test_an_enrolment_wants_a_real_code_name_and_passphrase),
        WITH(test_an_invitation_is_in_evidence_before_its_code),
        WITH(test_what_is_under_way_at_the_end_leaves_nothing),
        cmocka_unit_test(test_names_of_accounts_are_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
