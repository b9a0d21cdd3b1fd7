/* Tests evidence/entry_approval: what is written of tickets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "evidence/entry_approval.h"

#define HEX4(b) b b b b
#define HEX16(b) HEX4(HEX4(b))
#define HEAD_TIME INT64_C(1795154400000001)
#define TIME "\"time\":\"2026-11-20T06:00:00.000001Z\","
#define SALT "\"salt\":\"" HEX16("5a") "\","

static struct evidence_head head(void)
{
    struct evidence_head h = {.time_us = HEAD_TIME, .node = STR("gw-1")};
    memset(h.salt, 0x5a, sizeof(h.salt));
    return h;
}

static void check(struct buf *b, const char *want)
{
    assert_true(buf_add_char(b, 0));
    assert_string_equal(b->ptr, want);
    buf_clear(b);
}

static struct evidence_ticket ticket(struct str event)
{
    struct evidence_ticket f = {.event = event,
                                .action = STR("tool:call/bank/pay"),
                                .resource_type = STR("Tool"),
                                .resource = STR("bank/pay"),
                                .tenant = STR("acme")};
    memset(f.ticket, 0x11, sizeof(f.ticket));
    memset(f.id, 0x22, sizeof(f.id));
    return f;
}

static void test_what_was_asked_byte_for_byte(void **state)
{
    (void)state;
    static const struct decision_approval needs[] = {
        {STR_INIT("pay"), STR_INIT("finance")}};
    static struct hash digest;
    const struct evidence_head h = head();
    struct chain c = {.count = 1};
    struct evidence_ticket f = ticket(STR("ask"));
    struct buf b;
    c.links[0] = (struct link){.role = LINK_ACTOR,
                               .who = {.kind = PRINCIPAL_AGENT,
                                       .issuer = STR("keys"),
                                       .id = STR("acme/payer")},
                               .method = AUTH_API_KEY};
    memset(&digest, 0x33, sizeof(digest));
    f.digest = &digest;
    f.chain = &c;
    f.needs = needs;
    f.need_count = ARRAY_LEN(needs);
    f.ends_us = HEAD_TIME + 900 * INT64_C(1000000);
    buf_init(&b, 1 << 16);

    assert_int_equal(entry_approval(&b, &h, &f), ERR_OK);
    check(
        &b,
        "{\"action\":\"tool:call/bank/pay\",\"approval\":{\"digest\":\"" HEX16(
            "33")
            HEX16("33") "\",\"ends\":\"2026-11-20T06:15:00.000001Z\",\"id\":"
                        "\"" HEX16(
                            "11") "\",\"needs\":[{\"group\":\"finance\","
                                  "\"policy\":"
                                  "\"pay\"}]},\"chain\":[{\"id\":\"acme/"
                                  "payer\","
                                  "\"issuer\":\"keys\",\"kind\":\"agent\","
                                  "\"method\":"
                                  "\"api_key\",\"role\":\"actor\"}],\"event\":"
                                  "\"ask\","
                                  "\"id\":\"" HEX16(
                                      "22") "\",\"kind\":\"approval\",\"node\":"
                                            "\"gw-1\",\"resource\":{"
                                            "\"id\":\"bank/"
                                            "pay\",\"type\":\"Tool\"}," SALT
                                            "\"tenant\":\"acme\"," TIME
                                            "\"v\":1}");
    buf_release(&b);
}

static void test_a_word_names_who_said_it_and_for_which_groups(void **state)
{
    (void)state;
    static const struct str groups[] = {STR_INIT("finance"), STR_INIT("legal")};
    const struct evidence_head h = head();
    struct evidence_ticket f = ticket(STR("deny"));
    struct buf b;
    f.author = STR("local|ada");
    f.author_method = STR("login");
    f.groups = groups;
    f.group_count = ARRAY_LEN(groups);
    f.detail = STR("wrong account");
    buf_init(&b, 1 << 16);

    assert_int_equal(entry_approval(&b, &h, &f), ERR_OK);
    check(
        &b,
        "{\"action\":\"tool:call/bank/pay\",\"approval\":{\"groups\":["
        "\"finance\",\"legal\"],\"id\":\"" HEX16(
            "11") "\"},\"author\":{\"id\":\"local|ada\",\"method\":\"login\"},"
                  "\"detail\":\"wrong "
                  "account\",\"event\":\"deny\",\"id\":\"" HEX16(
                      "22") "\",\"kind\":\"approval\",\"node\":\"gw-1\","
                            "\"resource\":{\"id\":\"bank/"
                            "pay\",\"type\":\"Tool\"}," SALT
                            "\"tenant\":\"acme\"," TIME "\"v\":1}");
    buf_release(&b);
}

static void test_an_intent_names_the_ticket_that_it_used(void **state)
{
    (void)state;
    static const struct str by[] = {STR_INIT("local|ada"),
                                    STR_INIT("local|bob")};
    const struct evidence_head h = head();
    struct evidence_approval used = {.by = by,
                                     .by_count = ARRAY_LEN(by),
                                     .at_us = HEAD_TIME};
    const struct evidence_intent f = {.action = ACTION_TOOL_CALL,
                                      .approval = &used};
    struct buf b;
    memset(used.id, 0x11, sizeof(used.id));
    buf_init(&b, 1 << 16);

    assert_int_equal(entry_intent(&b, &h, &f), ERR_OK);
    check(&b, "{\"action\":\"tool:call\",\"approval\":{\"at\":"
              "\"2026-11-20T06:00:00.000001Z\",\"by\":[\"local|ada\","
              "\"local|bob\"],\"id\":\"" HEX16(
                  "11") "\"},\"kind\":\"intent\",\"node\":\"gw-1\"," SALT TIME
                        "\"v\":1}");
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_asked_byte_for_byte),
        cmocka_unit_test(test_a_word_names_who_said_it_and_for_which_groups),
        cmocka_unit_test(test_an_intent_names_the_ticket_that_it_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
