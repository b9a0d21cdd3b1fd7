/* Tests mcp/ids: whose request an answer belongs to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/attr.h"
#include "mcp/ids.h"

static const struct siphash_key seed = {1, 2};

static struct message_id word(const char *s)
{
    return (struct message_id){MESSAGE_ID_STRING, str_from(s)};
}

static struct message_id digits(const char *s)
{
    return (struct message_id){MESSAGE_ID_INTEGER, str_from(s)};
}

static uint64_t add(struct ids *t, uint64_t owner, struct message_id id)
{
    struct ids_entry like = {.owner = owner, .id = id, .token = word("tok")};
    uint64_t n = 0;
    assert_int_equal(ids_add(t, &like, &n), ERR_OK);
    return n;
}

static void test_an_answer_finds_its_request_once(void **state)
{
    (void)state;
    struct ids t;
    char text[] = "their id";
    char room[MESSAGE_DIGITS_MAX];
    ids_init(&t, seed, 8);
    uint64_t n = add(&t, 1, word(text));
    uint64_t other = add(&t, 2, word("their id"));
    assert_int_not_equal(n, other);
    memset(text, 'x', sizeof(text) - 1); /* it was copied */

    const struct ids_entry *e = ids_find(&t, message_id_number(n, room));
    assert_non_null(e);
    assert_int_equal(e->owner, 1);
    assert_true(message_id_eq(e->id, word("their id")));
    assert_true(message_id_eq(e->token, word("tok")));
    assert_ptr_equal(e, ids_find_of(&t, 1, word("their id")));
    assert_int_equal(ids_find_of(&t, 2, word("their id"))->number, other);

    struct ids_entry *taken = ids_take(&t, message_id_number(n, room));
    assert_ptr_equal(taken, e);
    ids_entry_free(taken);
    assert_null(ids_take(&t, message_id_number(n, room)));
    assert_null(ids_find_of(&t, 1, word("their id")));
    assert_int_equal(ids_count(&t), 1);
    /* The id is free again, the number is not. */
    assert_true(add(&t, 1, word("their id")) > other);
    ids_release(&t);
}

static void test_what_we_did_not_send_finds_nothing(void **state)
{
    (void)state;
    static const char *const others[] = {"2",   "0",
                                         "01",  "-1",
                                         "1.0", "1 ",
                                         "",    "99999999999999999999"};
    struct ids t;
    ids_init(&t, seed, 8);
    assert_int_equal(add(&t, 1, digits("5")), 1);
    assert_non_null(ids_find(&t, digits("1")));
    assert_null(ids_find(&t, word("1")));
    assert_null(ids_find(&t, (struct message_id){MESSAGE_ID_NONE, {NULL, 0}}));
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        assert_null(ids_find(&t, digits(others[i])));
        assert_null(ids_take(&t, digits(others[i])));
    }
    assert_null(ids_find_of(&t, 1, word("5")));
    assert_null(ids_find_of(&t, 2, digits("5")));
    assert_non_null(ids_find_of(&t, 1, digits("5")));
    ids_release(&t);
}

static void test_an_id_under_way_and_a_full_table_are_refused(void **state)
{
    (void)state;
    struct ids t;
    uint64_t n = 77;
    struct ids_entry like = {.owner = 1, .id = digits("1")};
    struct ids_entry ours = {.owner = 1};
    ids_init(&t, seed, 3);
    (void)add(&t, 1, digits("1"));
    assert_int_equal(ids_add(&t, &like, &n), ERR_CONFLICT);
    assert_int_equal(ids_add(&t, &ours, &n), ERR_OK);
    assert_int_equal(ids_add(&t, &ours, &n), ERR_OK);
    n = 77;
    assert_int_equal(ids_add(&t, &ours, &n), ERR_OVERLOAD);
    assert_int_equal(n, 77);
    assert_int_equal(ids_count(&t), 3);
    ids_release(&t);
}

static void test_the_requests_of_who_has_gone_are_taken_out(void **state)
{
    (void)state;
    struct ids t;
    char name[16];
    unsigned taken = 0;
    struct ids_entry *e;
    ids_init(&t, seed, 1000);
    for (unsigned i = 0; i < 600; i++) {
        (void)snprintf(name, sizeof(name), "%u", i);
        (void)add(&t, i % 3, word(name));
    }
    while ((e = ids_take_any(&t, 1)) != NULL) {
        assert_int_equal(e->owner, 1);
        ids_entry_free(e);
        taken++;
    }
    assert_int_equal(taken, 200);
    assert_int_equal(ids_count(&t), 400);
    assert_null(ids_find_of(&t, 1, word("1")));
    assert_non_null(ids_find_of(&t, 2, word("2")));
    ids_release(&t);
    ids_entry_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_finds_its_request_once),
        cmocka_unit_test(test_what_we_did_not_send_finds_nothing),
        cmocka_unit_test(test_an_id_under_way_and_a_full_table_are_refused),
        cmocka_unit_test(test_the_requests_of_who_has_gone_are_taken_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
