/* Tests evidence/entry: the bytes of every kind of entry, their order, their
 * sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "codec/jcs.h"
#include "evidence/entry.h"
#include "evidence/entry_tool.h"

static struct evidence_head head(void)
{
    struct evidence_head h = {.time_us = INT64_C(1795154400000001),
                              .node = STR("gw-1")};
    memset(h.salt, 0x5a, sizeof(h.salt));
    return h;
}

static struct hash digest(unsigned char byte)
{
    struct hash h;
    memset(h.bytes, byte, sizeof(h.bytes));
    return h;
}

static struct chain one_agent(void)
{
    struct chain c = {.count = 1};
    c.links[0] = (struct link){
        .role = LINK_ACTOR,
        .who = {.kind = PRINCIPAL_AGENT,
                .issuer = STR("keys"),
                .id = STR("acme/writer"),
                .tenant = STR("acme")},
        .method = AUTH_API_KEY,
        .credential = STR("00112233445566ff"),
    };
    return c;
}

/* Everything that a usual call says; borrows from statics only. */
static struct evidence_intent intent(const struct chain *chain,
                                     const struct decision *decision,
                                     const struct evidence_state *state,
                                     const struct evidence_route *route)
{
    struct evidence_intent f = {
        .chain = chain,
        .action = ACTION_MODEL_INVOKE,
        .resource_type = STR("Model"),
        .resource = STR("small"),
        .destination = {STR("openai"), STR("api.openai.com"), STR("us")},
        .tenant = STR("acme"),
        .decision = decision,
        .state = state,
        .route = route,
        .request = {.has_hmac = true, .bytes = 2048},
        .dialect = STR("openai"),
        .credential = STR("openai/0"),
    };
    memset(f.id, 1, sizeof(f.id));
    memset(f.session, 2, sizeof(f.session));
    memset(f.request.hmac, 3, sizeof(f.request.hmac));
    return f;
}

static struct decision permit(void)
{
    struct decision d = {.effect = DECISION_ALLOW,
                         .policy_count = 1,
                         .pdp = STR("writ")};
    d.policies[0] = STR("callers/writer");
    return d;
}

static struct evidence_route two_routes(void)
{
    struct evidence_route r = {.alias = STR("small"),
                               .candidate_count = 2,
                               .why = STR("weight"),
                               .attempt = 1};
    r.candidates[0] =
        (struct evidence_candidate){STR("openai"), STR("gpt-4o-mini")};
    r.candidates[1] =
        (struct evidence_candidate){STR("other"), STR("gpt-4o-mini")};
    return r;
}

/* `got` is `want`, and canonical: sorted again it is the same. */
static void check(const struct buf *got, const char *want)
{
    struct arena a;
    struct buf again;
    const struct json *v;
    if (want != NULL && !str_eq(buf_str(got), str_from(want)))
        print_error("got %.*s\n", STR_FMT(buf_str(got)));
    if (want != NULL)
        assert_true(str_eq(buf_str(got), str_from(want)));
    arena_init(&a, MIB);
    buf_init(&again, 2 * ENTRY_MAX);
    assert_int_equal(json_read(&a, buf_str(got), &v, NULL), ERR_OK);
    assert_int_equal(jcs_canonical(&again, &a, v), ERR_OK);
    assert_true(str_eq(buf_str(got), buf_str(&again)));
    buf_release(&again);
    arena_release(&a);
}

#define SALT "\"salt\":\"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a\","
#define TIME "\"time\":\"2026-11-20T06:00:00.000001Z\","
#define HEX16(b) b b b b b b b b b b b b b b b b
#define CHAIN                                                                  \
    "\"chain\":[{\"credential\":\"00112233445566ff\",\"id\":\"acme/writer\","  \
    "\"issuer\":\"keys\",\"kind\":\"agent\",\"method\":\"api_key\","           \
    "\"role\":\"actor\"}],"

static void test_an_intent_byte_for_byte(void **state)
{
    (void)state;
    struct buf b;
    const struct evidence_head h = head();
    const struct chain chain = one_agent();
    const struct decision d = permit();
    const struct evidence_route route = two_routes();
    const struct evidence_state s = {.config = digest(0xc0),
                                     .policy_set = digest(0x40),
                                     .prices = digest(0x50)};
    struct evidence_intent f = intent(&chain, &d, &s, &route);
    buf_init(&b, 2 * ENTRY_MAX);
    assert_int_equal(entry_intent(&b, &h, &f), ERR_OK);
    check(&b,
          "{\"action\":\"model:invoke\"," CHAIN
          "\"credential\":{\"broker\":\"config\",\"id\":\"openai/0\"},"
          "\"decision\":{\"effect\":\"allow\",\"pdp\":\"writ\","
          "\"policies\":[\"callers/writer\"]},"
          "\"destination\":{\"host\":\"api.openai.com\","
          "\"provider\":\"openai\"},"
          "\"id\":\"" HEX16(
              "01") "\",\"kind\":\"intent\",\"node\":\"gw-1\","
                    "\"region\":\"us\",\"request\":{\"bytes\":2048,\"dialect\":"
                    "\"openai\",\"hmac\":\"" HEX16("03") HEX16(
                        "03") "\"},"
                              "\"resource\":{\"id\":\"small\",\"type\":"
                              "\"Model\"},"
                              "\"route\":{\"alias\":\"small\",\"attempt\":1,"
                              "\"candidates\":["
                              "{\"model\":\"gpt-4o-mini\",\"provider\":"
                              "\"openai\"},"
                              "{\"model\":\"gpt-4o-mini\",\"provider\":"
                              "\"other\"}],"
                              "\"chosen\":0,\"why\":\"weight\"}," SALT
                              "\"session\":\"" HEX16(
                                  "02") "\","
                                        "\"state\":{\"config\":"
                                        "\"c0c0c0c0c0c0c0c0\","
                                        "\"policy_set\":\"4040404040404040\","
                                        "\"prices\":\"5050505050505050\"},"
                                        "\"tenant\":\"acme\"," TIME "\"v\":1}");
    assert_true(b.len <= KIB); /* the typical size that is promised */
    buf_release(&b);
}

static void test_an_intent_with_everything(void **state)
{
    (void)state;
    struct buf b;
    const struct evidence_head h = head();
    const struct chain chain = one_agent();
    const struct decision d = {.effect = DECISION_DENY, .errors = 2};
    const struct evidence_route route = two_routes();
    const struct evidence_state s = {.config = digest(1),
                                     .policy_set = digest(2),
                                     .schema = digest(3),
                                     .registry = digest(4),
                                     .detectors = digest(5),
                                     .prices = digest(6)};
    struct labels labels = {.count = 1, .all = true};
    labels.names[0] = LABEL_UNSCANNED;
    struct evidence_intent f = intent(&chain, &d, &s, &route);
    f.purpose = STR("support");
    f.task = STR("task-1");
    f.labels = &labels;
    f.has_input_hmac = true;
    memset(f.parent, 7, sizeof(f.parent));
    memset(f.trace, 8, sizeof(f.trace));
    buf_init(&b, 2 * ENTRY_MAX);
    assert_int_equal(entry_intent(&b, &h, &f), ERR_OK);
    check(&b, NULL);
    static const char *const parts[] = {
        "\"decision\":{\"effect\":\"deny\",\"errors\":2},",
        "\"input_hmac\":\"0000",
        "\"labels\":[\"*\",\"unscanned\"],",
        "\"parent\":\"0707",
        "\"purpose\":\"support\",",
        "\"state\":{\"config\":\"0101010101010101\",\"detectors\":\"0505",
        "\"task\":\"task-1\",",
        "\"trace\":\"0808"};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        assert_non_null(memmem(b.ptr, b.len, parts[i], strlen(parts[i])));
    buf_release(&b);
}

static void test_an_intent_with_nothing_is_still_an_entry(void **state)
{
    (void)state;
    struct buf b;
    const struct evidence_head h = head();
    const struct evidence_intent f = {.action = ACTION_NONE};
    buf_init(&b, 2 * ENTRY_MAX);
    assert_int_equal(entry_intent(&b, &h, &f), ERR_OK);
    check(&b, "{\"kind\":\"intent\",\"node\":\"gw-1\"," SALT TIME "\"v\":1}");
    buf_release(&b);
}

static void test_an_intent_names_what_it_reserved(void **state)
{
    (void)state;
    static const char want[] =
        ",\"limits\":[{\"generation\":7,\"limit\":\"agent tokens\","
        "\"requests\":1,\"tokens\":4112,\"whom\":\"agent:acme/writer\","
        "\"window_start_us\":1795132800000000,\"window_us\":86400000000},"
        "{\"generation\":7,\"limit\":\"\\\"\",\"requests\":1,"
        "\"tokens\":9007199254740991,\"whom\":\"acme\","
        "\"window_start_us\":0,\"window_us\":1000000}],\"node\":";
    const struct evidence_limit limits[] = {
        {STR("agent tokens"), STR("agent:acme/writer"),
         INT64_C(1795132800000000), INT64_C(86400000000), 1, 4112, 7},
        {STR("\""), STR("acme"), 0, 1000000, 1, UINT64_C(9007199254740991), 7},
    };
    const struct evidence_head h = head();
    const struct chain chain = one_agent();
    struct evidence_intent f = intent(&chain, NULL, NULL, NULL);
    struct buf b;
    f.limits = limits;
    f.limit_count = ARRAY_LEN(limits);
    buf_init(&b, 2 * ENTRY_MAX);
    assert_int_equal(entry_intent(&b, &h, &f), ERR_OK);
    assert_non_null(memmem(b.ptr, b.len, want, sizeof(want) - 1));
    buf_release(&b);
}

static void test_outcomes_byte_for_byte(void **state)
{
    (void)state;
    struct buf b;
    const struct evidence_head h = head();
    const struct usage usage = {19, 10, 4, -1, true};
    struct evidence_outcome f = {
        .intent = 4711,
        .tenant = STR("acme"),
        .status = OUTCOME_OK,
        .http_status = 200,
        .duration_ms = 12,
        .response = {.has_hmac = true, .bytes = 99},
        .model = STR("gpt-4o-mini-2024-07-18"),
        .finish = STR("stop"),
        .usage = &usage,
    };
    memset(f.id, 1, sizeof(f.id));
    memset(f.session, 2, sizeof(f.session));
    memset(f.response.hmac, 4, sizeof(f.response.hmac));
    buf_init(&b, 2 * ENTRY_MAX);
    assert_int_equal(entry_outcome(&b, &h, &f), ERR_OK);
    check(&b, "{\"duration_ms\":12,\"id\":\"" HEX16(
                  "01") "\",\"intent\":4711,\"kind\":\"outcome\","
                        "\"node\":\"gw-1\",\"response\":{\"bytes\":99,"
                        "\"finish\":\"stop\",\"hmac\":\"" HEX16("04")
                            HEX16("04") "\",\"model\":"
                                        "\"gpt-4o-mini-2024-07-18\","
                                        "\"status\":200,\"usage\":{"
                                        "\"cached_tokens\":4,"
                                        "\"estimated\":true,"
                                        "\"input_tokens\":19,"
                                        "\"output_tokens\":10}}," SALT
                                        "\"session\":\"" HEX16(
                                            "02") "\","
                                                  "\"status\":\"ok\","
                                                  "\"tenant\":\"acme\"," TIME
                                                  "\"v\":1}");
    buf_clear(&b);

    const struct usage unknown = USAGE_UNKNOWN;
    f = (struct evidence_outcome){.intent = 0,
                                  .status = OUTCOME_FAILED,
                                  .error = ERR_CONNECT,
                                  .duration_ms = -1,
                                  .usage = &unknown};
    assert_int_equal(entry_outcome(&b, &h, &f), ERR_OK);
    check(&b, "{\"error\":{\"code\":\"upstream_connect\"},\"intent\":0,"
              "\"kind\":\"outcome\",\"node\":\"gw-1\"," SALT
              "\"status\":\"failed\"," TIME "\"v\":1}");
    buf_release(&b);
}

static void test_the_other_kinds_byte_for_byte(void **state)
{
    (void)state;
    struct buf b;
    const struct evidence_head h = head();
    const struct chain chain = one_agent();
    const struct decision d = {.effect = DECISION_DENY, .pdp = STR("writ")};
    const struct evidence_state s = {.config = digest(0xc0)};
    buf_init(&b, 2 * ENTRY_MAX);

    const struct evidence_refusal refusal = {
        .chain = &chain,
        .action = ACTION_MODEL_EMBED,
        .resource_type = STR("Model"),
        .resource = STR("a\"b"),
        .tenant = STR("acme"),
        .error = ERR_DENIED,
        .param = STR("model"),
        .decision = &d,
        .state = &s,
        .request = {.bytes = 7},
    };
    assert_int_equal(entry_refusal(&b, &h, &refusal), ERR_OK);
    check(&b, "{\"action\":\"model:embed\"," CHAIN
              "\"decision\":{\"effect\":\"deny\",\"pdp\":\"writ\"},"
              "\"error\":{\"code\":\"denied\",\"param\":\"model\"},"
              "\"kind\":\"refusal\",\"node\":\"gw-1\","
              "\"request\":{\"bytes\":7},"
              "\"resource\":{\"id\":\"a\\\"b\",\"type\":\"Model\"}," SALT
              "\"state\":{\"config\":\"c0c0c0c0c0c0c0c0\"},"
              "\"tenant\":\"acme\"," TIME "\"v\":1}");
    buf_clear(&b);

    const struct evidence_unknown unknown = {.error = ERR_UNAUTHENTICATED,
                                             .source = STR("192.0.2.1"),
                                             .count = 12,
                                             .first_us = 1000000};
    assert_int_equal(entry_unknown(&b, &h, &unknown), ERR_OK);
    check(&b, "{\"count\":12,\"error\":{\"code\":\"invalid_credential\"},"
              "\"first\":\"1970-01-01T00:00:01.000000Z\","
              "\"kind\":\"refusal\",\"node\":\"gw-1\"," SALT
              "\"source\":\"192.0.2.1\"," TIME "\"v\":1}");
    buf_clear(&b);

    struct evidence_session session = {.chain = &chain, .tenant = STR("acme")};
    memset(session.id, 2, sizeof(session.id));
    memset(session.root, 2, sizeof(session.root));
    assert_int_equal(entry_session(&b, &h, &session), ERR_OK);
    check(&b,
          "{" CHAIN "\"kind\":\"session\",\"node\":\"gw-1\",\"root\":\"" HEX16(
              "02") "\"," SALT
                    "\"session\":\"" HEX16("02") "\",\"tenant\":\"acme\"," TIME
                                                 "\"v\":1}");
    buf_clear(&b);

    const struct evidence_lifecycle life = {.event = STR("start"), .state = &s};
    assert_int_equal(entry_lifecycle(&b, &h, &life), ERR_OK);
    check(&b,
          "{\"event\":\"start\",\"kind\":\"lifecycle\",\"node\":\"gw-1\"," SALT
          "\"state\":{\"config\":\"" HEX16("c0") HEX16("c0") "\"}," TIME
                                                             "\"v\":1}");
    buf_release(&b);
}

static void test_a_shadow_stands_beside_the_decision(void **state)
{
    (void)state;
    const struct evidence_head h = head();
    const struct chain chain = one_agent();
    const struct decision d = permit();
    struct shadow_decision shadow = {.present = true};
    shadow.decision.errors = 1;
    shadow.decision.policies[shadow.decision.policy_count++] = STR("no-us");
    struct evidence_intent f = intent(&chain, &d, NULL, NULL);
    const struct evidence_refusal r = {.chain = &chain,
                                       .decision = &d,
                                       .shadow = &shadow};
    struct buf b;
    f.shadow = &shadow;
    buf_init(&b, 2 * ENTRY_MAX);
    static const char want[] =
        "\"policies\":[\"callers/writer\"],\"shadow\":{\"effect\":\"deny\","
        "\"errors\":1,\"policies\":[\"no-us\"]}}";
    assert_int_equal(entry_intent(&b, &h, &f), ERR_OK);
    assert_non_null(memmem(b.ptr, b.len, want, sizeof(want) - 1));
    check(&b, NULL);
    buf_clear(&b);
    assert_int_equal(entry_refusal(&b, &h, &r), ERR_OK);
    assert_non_null(memmem(b.ptr, b.len, want, sizeof(want) - 1));
    buf_clear(&b);
    shadow.present = false;
    assert_int_equal(entry_intent(&b, &h, &f), ERR_OK);
    assert_null(memmem(b.ptr, b.len, "shadow", 6));
    buf_release(&b);
}

/* --- sizes ---------------------------------------------------------------- */

static char long_text[NAME_MAX_LEN * 2 + 1];

static void test_the_longest_names_fit(void **state)
{
    (void)state;
    struct buf b;
    const struct evidence_head h = head();
    struct chain chain = {.count = CHAIN_LINKS_MAX};
    struct decision d = {.effect = DECISION_ALLOW,
                         .policy_count = DECISION_POLICIES_MAX};
    struct evidence_route route = {.alias = STR("a"),
                                   .candidate_count = ENTRY_CANDIDATES_MAX};
    memset(long_text, 'n', sizeof(long_text));
    const struct str name = {long_text, NAME_MAX_LEN};
    for (unsigned i = 0; i < chain.count; i++) {
        chain.links[i] = one_agent().links[0];
        chain.links[i].who.id = (struct str){long_text, sizeof(long_text)};
        chain.links[i].who.issuer = name;
    }
    for (unsigned i = 0; i < d.policy_count; i++)
        d.policies[i] = name;
    for (unsigned i = 0; i < route.candidate_count; i++)
        route.candidates[i] = (struct evidence_candidate){name, name};
    struct evidence_intent f = intent(&chain, &d, NULL, &route);
    f.resource = f.tenant = f.purpose = f.task = name;
    f.destination = (struct evidence_destination){name, name, name};
    buf_init(&b, 2 * ENTRY_MAX);
    assert_int_equal(entry_intent(&b, &h, &f), ERR_OK);
    assert_true(b.len <= ENTRY_MAX);
    check(&b, NULL);
    buf_release(&b);
}

static void test_long_texts_are_cut_at_a_character_and_marked(void **state)
{
    (void)state;
    static const struct {
        const char *unit;
        size_t times;
        size_t kept; /* bytes before the mark; 0: whole */
    } cases[] = {
        {"x", ENTRY_TEXT_MAX, 0},
        {"x", ENTRY_TEXT_MAX + 1, ENTRY_TEXT_MAX - 3},
        {"\u00e9", ENTRY_TEXT_MAX / 2, 0},
        {"\u00e9", ENTRY_TEXT_MAX / 2 + 1, ENTRY_TEXT_MAX - 4},
        {"\U0001F600", ENTRY_TEXT_MAX, 316},
        {"\xff", 1, SIZE_MAX}, /* never came through a reader of ours */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf text;
        struct buf b;
        const struct evidence_head h = head();
        buf_init(&text, 8 * KIB);
        buf_init(&b, 2 * ENTRY_MAX);
        for (size_t n = 0; n < cases[i].times; n++)
            assert_true(buf_add(&text, str_from(cases[i].unit)));
        const struct evidence_lifecycle f = {.event = buf_str(&text)};
        assert_int_equal(entry_lifecycle(&b, &h, &f), ERR_OK);
        check(&b, NULL);
        size_t kept = cases[i].kept == 0          ? text.len
                      : cases[i].kept == SIZE_MAX ? 0
                                                  : cases[i].kept;
        assert_memory_equal(b.ptr, "{\"event\":\"", 10);
        assert_memory_equal(b.ptr + 10, text.ptr, kept);
        struct str rest = str_skip(buf_str(&b), 10 + kept);
        assert_true(str_starts(rest, cases[i].kept == 0
                                         ? STR("\",")
                                         : STR(ENTRY_CUT "\",")));
        buf_release(&b);
        buf_release(&text);
    }
}

static void test_what_does_not_fit_leaves_the_buffer_as_it_was(void **state)
{
    (void)state;
    struct buf b;
    const struct evidence_head h = head();
    struct chain chain = {.count = CHAIN_LINKS_MAX};
    struct evidence_route route = {.candidate_count = ENTRY_CANDIDATES_MAX};
    char control[ENTRY_TEXT_MAX];
    memset(control, 1, sizeof(control)); /* six bytes each, once escaped */
    const struct str s = {control, sizeof(control)};
    for (unsigned i = 0; i < chain.count; i++)
        chain.links[i].who = (struct principal){.id = s, .issuer = s};
    for (unsigned i = 0; i < route.candidate_count; i++)
        route.candidates[i] = (struct evidence_candidate){s, s};
    struct evidence_intent f = intent(&chain, NULL, NULL, &route);
    for (size_t max = 16; max <= 8 * ENTRY_MAX; max *= 2) {
        buf_init(&b, max);
        assert_true(BUF_LIT(&b, "before"));
        assert_int_equal(entry_intent(&b, &h, &f), ERR_LIMIT);
        assert_true(str_eq(buf_str(&b), STR("before")));
        assert_true(buf_ok(&b));
        buf_release(&b);
    }
}

static void test_a_change_names_author_subject_and_what_is_now(void **state)
{
    (void)state;
    struct evidence_head h = head();
    struct buf b;
    struct evidence_admin f = {
        .revokes = true,
        .author = STR("local|uid:0"),
        .author_method = STR("peer"),
        .action = ACTION_AGENT_WRITE,
        .event = STR("suspend"),
        .detail = STR("it was stolen"),
        .subject_type = STR("Agent"),
        .subject = STR("acme/writer"),
        .tenant = STR("acme"),
        .registry = STR("{\"id\":\"acme/writer\"}"),
    };

    buf_init(&b, 2 * ENTRY_MAX);
    assert_int_equal(entry_admin(&b, &h, &f), ERR_OK);
    check(&b, "{\"action\":\"agent:write\",\"author\":{\"id\":\"local|uid:0\","
              "\"method\":\"peer\"},\"detail\":\"it was stolen\","
              "\"event\":\"suspend\",\"kind\":\"revocation\",\"node\":\"gw-1\","
              "\"registry\":{\"id\":\"acme/writer\"}," SALT
              "\"subject\":{\"id\":\"acme/writer\",\"type\":\"Agent\"},"
              "\"tenant\":\"acme\"," TIME "\"v\":1}");
    buf_clear(&b);
    f = (struct evidence_admin){.author = STR("local|alice"),
                                .action = ACTION_ADMIN_READ};
    assert_int_equal(entry_admin(&b, &h, &f), ERR_OK);
    check(&b, "{\"action\":\"admin:read\",\"author\":{\"id\":\"local|alice\"}"
              ",\"kind\":\"admin\",\"node\":\"gw-1\"," SALT TIME "\"v\":1}");
    buf_release(&b);
}

static void test_a_tool_is_named_by_its_pinned_definition(void **state)
{
    (void)state;
    struct buf b;
    const struct evidence_head h = head();
    const struct hash digest = {{0xab, 0xcd}};
    const struct evidence_intent f = {.action = ACTION_TOOL_CALL,
                                      .tool = &digest};
    const struct evidence_admin a = {.action = ACTION_TOOL_APPROVE,
                                     .author = STR("local|alice"),
                                     .tool = &digest};
    static const char want[] = "\"tool\":{\"digest\":\"abcd0000";

    buf_init(&b, 2 * ENTRY_MAX);
    assert_int_equal(entry_intent(&b, &h, &f), ERR_OK);
    check(&b, NULL);
    assert_non_null(memmem(b.ptr, b.len, want, sizeof(want) - 1));
    buf_clear(&b);
    assert_int_equal(entry_admin(&b, &h, &a), ERR_OK);
    check(&b, NULL);
    assert_non_null(memmem(b.ptr, b.len, want, sizeof(want) - 1));
    buf_release(&b);
}

static void test_what_became_of_tools_byte_for_byte(void **state)
{
    (void)state;
    struct buf b;
    const struct evidence_head h = head();
    struct evidence_tool tools[ENTRY_TOOLS_MAX];
    struct evidence_tools f = {STR("changed"), STR("crm"), tools, 1, {{0}}};
    char name[NAME_MAX_LEN];

    memset(name, 'x', sizeof(name));
    memset(tools, 0xc0, sizeof(tools));
    tools[0].name = STR("get");
    tools[0].state = STR("quarantined");
    buf_init(&b, 2 * ENTRY_MAX);
    assert_int_equal(entry_tool(&b, &h, &f), ERR_OK);
    check(&b, "{\"event\":\"changed\",\"kind\":\"tool\",\"node\":\"gw-1\"," SALT
              "\"subject\":{\"id\":\"crm\",\"type\":\"ToolServer\"}," TIME
              "\"tools\":[{\"name\":\"get\",\"offered\":\"" HEX16("c0")
                  HEX16("c0") "\",\"pinned\":\"" HEX16("c0")
                      HEX16("c0") "\",\"state\":\"quarantined\"}],\"v\":1}");
    buf_clear(&b);
    for (size_t i = 0; i < ENTRY_TOOLS_MAX; i++) { /* the longest fit */
        tools[i].name = (struct str){name, sizeof(name)};
        tools[i].state = STR("quarantined");
    }
    f.count = ENTRY_TOOLS_MAX;
    assert_int_equal(entry_tool(&b, &h, &f), ERR_OK);
    check(&b, NULL);
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_intent_byte_for_byte),
        cmocka_unit_test(test_an_intent_with_everything),
        cmocka_unit_test(test_an_intent_with_nothing_is_still_an_entry),
        cmocka_unit_test(test_an_intent_names_what_it_reserved),
        cmocka_unit_test(test_outcomes_byte_for_byte),
        cmocka_unit_test(test_the_other_kinds_byte_for_byte),
        cmocka_unit_test(test_a_shadow_stands_beside_the_decision),
        cmocka_unit_test(test_the_longest_names_fit),
        cmocka_unit_test(test_long_texts_are_cut_at_a_character_and_marked),
        cmocka_unit_test(test_what_does_not_fit_leaves_the_buffer_as_it_was),
        cmocka_unit_test(test_a_tool_is_named_by_its_pinned_definition),
        cmocka_unit_test(test_what_became_of_tools_byte_for_byte),
        cmocka_unit_test(test_a_change_names_author_subject_and_what_is_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
