/* Tests registry/registry_entry and registry_names: entries as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "codec/json.h"
#include "domain/risk.h"
#include "fixture.h"
#include "registry/registry_entry.h"
#include "registry/registry_names.h"

static void words_go_both_ways(void **state)
{
    (void)state;
    static const char *const states[] = {"",       "discovered", "proposed",
                                         "active", "suspended",  "retired"};
    for (unsigned i = 0; i < ARRAY_LEN(states); i++) {
        struct str name = registry_state_name((enum registry_state)i);
        assert_true(str_eq(name, str_from(states[i])));
        assert_int_equal(registry_state_from(name), i);
    }
    assert_int_equal(registry_state_from(STR("Active")), REGISTRY_NONE);
    static const char *const modes[] = {"delegated", "autonomous", "both"};
    for (unsigned i = 0; i < ARRAY_LEN(modes); i++) {
        enum registry_mode m = REGISTRY_BOTH;
        struct str name = registry_mode_name((enum registry_mode)i);
        assert_true(str_eq(name, str_from(modes[i])));
        assert_true(registry_mode_from(name, &m));
        assert_int_equal(m, i);
    }
    enum registry_mode m;
    assert_false(registry_mode_from(STR(""), &m));
}

static const char whole[] =
    "{\"created\":\"2026-11-20T00:00:00.000000Z\","
    "\"expires\":\"2027-11-20T00:00:00.000000Z\","
    "\"id\":\"acme/bot\",\"issuer\":\"keys\","
    "\"keys\":[{\"expires\":\"2026-12-20T00:00:00.000000Z\","
    "\"fingerprint\":\"0123456789abcdef\",\"hmac\":"
    "\"0100000001000000010000000100000001000000010000000100000001000000\"}],"
    "\"kind\":\"agent\",\"mode\":\"both\",\"name\":\"bot\","
    "\"owner\":\"keys|alice\",\"purposes\":[\"support\"],\"revision\":1,"
    "\"risk\":[\"read\",\"write\"],\"state\":\"active\",\"tenant\":\"acme\"}";

static struct registry_entry bot(const struct registry_key *key)
{
    struct registry_entry e = fixture_entry(PRINCIPAL_AGENT, "bot");
    e.keys = key;
    e.key_count = 1;
    return e;
}

static void an_entry_is_written_in_canonical_form(void **state)
{
    (void)state;
    const struct registry_key key = fixture_key(1);
    struct registry_entry e = bot(&key);
    struct buf text;
    buf_init(&text, ENTRY_MAX);
    registry_entry_write(&text, &e, true);
    assert_true(str_eq(buf_str(&text), STR(whole)));
    buf_clear(&text);
    registry_entry_write(&text, &e, false);
    assert_true(buf_add_char(&text, '\0'));
    assert_null(strstr(text.ptr, "hmac")); /* for listings */
    assert_non_null(strstr(text.ptr, "0123456789abcdef"));
    buf_release(&text);
}

static void the_largest_entry_fits_its_evidence(void **state)
{
    (void)state;
    static char room[REGISTRY_PURPOSES_MAX][REGISTRY_TEXT_MAX];
    struct str purposes[REGISTRY_PURPOSES_MAX];
    struct registry_key keys[REGISTRY_KEYS_MAX];
    memset(room, '"', sizeof(room));
    for (unsigned i = 0; i < REGISTRY_PURPOSES_MAX; i++) {
        room[i][0] = (char)('a' + i);
        purposes[i] = (struct str){room[i], REGISTRY_TEXT_MAX};
    }
    for (unsigned i = 0; i < REGISTRY_KEYS_MAX; i++)
        keys[i] = fixture_key(i + 1);
    char name[NAME_MAX_LEN + 1] = {0};
    memset(name, '"', NAME_MAX_LEN);
    struct registry_entry e = fixture_entry(PRINCIPAL_AGENT, name);
    e.purposes = purposes;
    e.purpose_count = REGISTRY_PURPOSES_MAX;
    e.keys = keys;
    e.key_count = REGISTRY_KEYS_MAX;
    e.risk = RISK_ALL;
    assert_null(registry_entry_fault(&e));
    struct buf text;
    buf_init(&text, ENTRY_MAX);
    registry_entry_write(&text, &e, true);
    assert_true(buf_ok(&text));
    assert_true(text.len + 1024 < ENTRY_MAX); /* with what is around it */
    buf_release(&text);
}

static enum err read(struct str text, struct buf *ret_again)
{
    struct arena a;
    const struct json *v = NULL;
    struct registry_draft draft;
    arena_init(&a, 1 * MIB);
    enum err e = json_read(&a, text, &v, NULL);
    if (e == ERR_OK)
        e = registry_entry_read(v, &draft);
    if (e == ERR_OK)
        registry_entry_write(ret_again, &draft.entry, true);
    arena_release(&a);
    return e;
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    struct buf again;
    buf_init(&again, ENTRY_MAX);
    assert_int_equal(read(STR(whole), &again), ERR_OK);
    assert_true(str_eq(buf_str(&again), STR(whole)));
    buf_release(&again);
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    /* `from` in the text above becomes `to`. */
    static const struct {
        const char *from, *to;
    } cases[] = {
        {"\"mode\":\"both\",", ""},
        {"\"mode\":\"both\",", "\"mode\":\"both\",\"more\":1,"},
        {"\"mode\":\"both\",", "\"node\":\"both\","},
        {"\"both\"", "\"each\""},
        {"\"both\"", "1"},
        {"\"agent\"", "\"robot\""},
        {"\"agent\"", "\"\""},
        {"\"agent\"", "\"human\""}, /* whose id is another */
        {"\"acme/bot\"", "\"acme/cat\""},
        {"\"bot\"", "\"b/t\""},
        {"\"active\"", "\"Active\""},
        {"\"active\"", "\"\""},
        {"\"revision\":1", "\"revision\":-1"},
        {"\"revision\":1", "\"revision\":1.5"},
        {"\"revision\":1", "\"revision\":\"1\""},
        {"\"revision\":1", "\"revision\":9223372036854775807"},
        {"[\"support\"]", "[\"\"]"},
        {"[\"support\"]", "[1]"},
        {"[\"support\"]", "[\"a\",\"a\"]"},
        {"[\"support\"]", "\"support\""},
        {"[\"support\"]",
         "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\","
         "\"11\",\"12\",\"13\",\"14\",\"15\",\"16\",\"17\"]"},
        {"\"read\",\"write\"", "\"write\",\"read\""},
        {"\"read\",\"write\"", "\"read\",\"read\""},
        {"\"read\",\"write\"", "\"fly\""},
        {"\"2027-11-20T00:00:00.000000Z\"", "\"2027-11-20T00:00:00Z\""},
        {"\"2027-11-20T00:00:00.000000Z\"", "1795132800"},
        {"0123456789abcdef", "0123456789abcde"},
        {"\"hmac\":\"01", "\"hmac\":\"1"},
        {"\"hmac\"", "\"hash\""},
        {",\"hmac\":", ",\"x\":1,\"hmac\":"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *at = strstr(whole, cases[i].from);
        assert_non_null(at);
        struct buf text;
        struct buf again;
        buf_init(&text, ENTRY_MAX);
        buf_init(&again, ENTRY_MAX);
        (void)buf_add(&text, (struct str){whole, (size_t)(at - whole)});
        (void)buf_add(&text, str_from(cases[i].to));
        (void)buf_add(&text, str_from(at + strlen(cases[i].from)));
        assert_int_equal(read(buf_str(&text), &again), ERR_MALFORMED);
        buf_release(&text);
        buf_release(&again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_go_both_ways),
        cmocka_unit_test(an_entry_is_written_in_canonical_form),
        cmocka_unit_test(the_largest_entry_fits_its_evidence),
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
