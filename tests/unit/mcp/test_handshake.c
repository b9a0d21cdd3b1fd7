/* Tests mcp/handshake: what peers announce, and what we say of ourselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/limits.h"
#include "mcp/handshake.h"

static const struct json *parse(struct arena *a, const char *text)
{
    const struct json *v = NULL;
    assert_int_equal(json_read(a, str_from(text), &v, NULL), ERR_OK);
    return v;
}

static void test_capabilities_become_bits(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum revision revision;
        unsigned has;
    } cases[] = {
        {"{}", REVISION_NEWEST, 0},
        {"{\"tools\":{}}", REVISION_NEWEST, METHOD_HAS_TOOLS},
        {"{\"tools\":{\"listChanged\":true}}", REVISION_NEWEST,
         METHOD_HAS_TOOLS | METHOD_HAS_CHANGES},
        {"{\"tools\":{\"listChanged\":false}}", REVISION_NEWEST,
         METHOD_HAS_TOOLS},
        {"{\"resources\":{\"subscribe\":true}}", REVISION_NEWEST,
         METHOD_HAS_RESOURCES | METHOD_HAS_SUBSCRIBE},
        {"{\"prompts\":{},\"completions\":{},\"logging\":{}}", REVISION_NEWEST,
         METHOD_HAS_PROMPTS | METHOD_HAS_COMPLETIONS | METHOD_HAS_LOGGING},
        {"{\"prompts\":{}}", REVISION_2024_11_05,
         METHOD_HAS_PROMPTS | METHOD_HAS_COMPLETIONS},
        {"{\"tools\":{}}", REVISION_2024_11_05, METHOD_HAS_TOOLS},
        {"{\"elicitation\":{}}", REVISION_NEWEST, METHOD_HAS_ELICITATION},
        {"{\"elicitation\":{\"form\":{}}}", REVISION_NEWEST,
         METHOD_HAS_ELICITATION},
        {"{\"elicitation\":{\"url\":{}}}", REVISION_NEWEST,
         METHOD_HAS_ELICITATION_URL},
        {"{\"elicitation\":{\"url\":{},\"form\":{}}}", REVISION_NEWEST,
         METHOD_HAS_ELICITATION | METHOD_HAS_ELICITATION_URL},
        {"{\"roots\":{\"listChanged\":true},\"sampling\":{}}", REVISION_NEWEST,
         METHOD_HAS_ROOTS | METHOD_HAS_SAMPLING | METHOD_HAS_CHANGES},
        {"{\"tasks\":{},\"experimental\":{\"tools\":{}}}", REVISION_NEWEST, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a;
        arena_init(&a, MIB);
        assert_int_equal(handshake_capabilities(parse(&a, cases[i].text),
                                                cases[i].revision),
                         cases[i].has);
        arena_release(&a);
    }
    assert_int_equal(handshake_capabilities(NULL, REVISION_NEWEST), 0);
}

#define INFO "\"serverInfo\":{\"name\":\"s\",\"version\":\"1\"}"

static void test_an_answer_is_read_by_its_list(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err err;
        const char *pointer;
    } cases[] = {
        {"{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{\"tools\":{}}"
         "," INFO ",\"instructions\":\"i\"}",
         ERR_OK, ""},
        {"{\"protocolVersion\":\"2026-07-28\",\"capabilities\":{}," INFO "}",
         ERR_UNSUPPORTED, "/result/protocolVersion"},
        {"{\"capabilities\":{}," INFO "}", ERR_MALFORMED,
         "/result/protocolVersion"},
        {"{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{\"shell\":{}}"
         "," INFO "}",
         ERR_UNKNOWN_FIELD, "/result/capabilities/shell"},
        {"{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{},"
         "\"serverInfo\":{\"name\":\"a\\u001b\",\"version\":\"1\"}}",
         ERR_MALFORMED, "/result/serverInfo/name"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a;
        struct handshake h = {.revision = REVISION_NONE};
        struct fault f = {.err = ERR_OK};
        arena_init(&a, MIB);
        enum err e = handshake_read(&a, parse(&a, cases[i].text), &h, &f);
        assert_int_equal(e, cases[i].err);
        assert_true(str_eq(f.pointer, str_from(cases[i].pointer)));
        assert_int_equal(h.revision,
                         e == ERR_OK ? REVISION_2025_06_18 : REVISION_NONE);
        arena_release(&a);
    }
}

static void test_what_we_say_is_what_they_read(void **state)
{
    (void)state;
    struct arena a;
    struct buf out;
    struct handshake h;
    struct params p;
    struct fault f = {.err = ERR_OK};
    const struct json *v = NULL;
    struct handshake_self self = {
        .revision = REVISION_2025_11_25,
        .has = METHOD_HAS_TOOLS | METHOD_HAS_RESOURCES | METHOD_HAS_SUBSCRIBE |
               METHOD_HAS_CHANGES | METHOD_HAS_LOGGING | METHOD_HAS_PROMPTS |
               METHOD_HAS_COMPLETIONS,
        .name = STR("writ"),
        .title = STR("W\""),
        .version = STR("0"),
        .instructions = STR("i"),
    };
    arena_init(&a, MIB);
    buf_init(&out, 4096);
    handshake_write_result(&out, &self);
    assert_int_equal(json_read(&a, buf_str(&out), &v, NULL), ERR_OK);
    assert_int_equal(handshake_read(&a, v, &h, &f), ERR_OK);
    assert_int_equal(h.revision, REVISION_2025_11_25);
    assert_int_equal(h.has, self.has);
    assert_true(str_eq(h.name, STR("writ")));
    assert_true(str_eq(h.instructions, STR("i")));

    static const unsigned sets[] = {
        0,
        METHOD_HAS_ELICITATION,
        METHOD_HAS_ELICITATION_URL,
        METHOD_HAS_ELICITATION | METHOD_HAS_ELICITATION_URL,
        METHOD_HAS_ROOTS | METHOD_HAS_SAMPLING | METHOD_HAS_CHANGES,
    };
    for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
        buf_clear(&out);
        self.has = sets[i] | METHOD_HAS_TOOLS; /* not a client's */
        handshake_write_params(&out, &self);
        assert_int_equal(json_read(&a, buf_str(&out), &v, NULL), ERR_OK);
        assert_int_equal(params_read(&a, METHOD_INITIALIZE, REVISION_NONE, v,
                                     &p, &f),
                         ERR_OK);
        assert_true(str_eq(p.initialize.revision, STR("2025-11-25")));
        assert_int_equal(handshake_capabilities(p.initialize.capabilities,
                                                REVISION_2025_11_25),
                         sets[i]);
    }
    buf_release(&out);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_capabilities_become_bits),
        cmocka_unit_test(test_an_answer_is_read_by_its_list),
        cmocka_unit_test(test_what_we_say_is_what_they_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
