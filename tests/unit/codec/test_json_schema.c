/* Tests codec/json_schema: what it says, what it refuses, what it costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/attr.h"
#include "base/limits.h"
#include "codec/json_schema.h"

static const struct json *read_json(struct arena *a, const char *text)
{
    const struct json *v = NULL;
    struct json_error why = {0};
    if (json_read(a, str_from(text), &v, &why) != ERR_OK)
        fail_msg("%s: %s", text, why.what);
    return v;
}

static const struct json_schema *compile(struct arena *a, const char *text)
{
    const struct json_schema *s = NULL;
    struct json_schema_failure why = {0};
    if (json_schema_compile(a, read_json(a, text), NULL, &s, &why) != ERR_OK)
        fail_msg("%s: %s: %s at %s", text, why.keyword, why.text, why.pointer);
    return s;
}

static enum err validate(struct arena *a, const struct json_schema *s,
                         const char *instance, struct json_schema_failure *why)
{
    return json_schema_validate(s, read_json(a, instance), a, 0, why);
}

static void test_a_failure_says_where_and_what_to_mend(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *instance, *keyword, *pointer, *text;
    } rows[] = {
        {"{\"properties\":{\"path\":{\"type\":\"string\"}}}", "{\"path\":3}",
         "type", "/path", "expected a string, not a number"},
        {"{\"type\":[\"integer\",\"null\"]}", "1.5", "type", "",
         "expected an integer or null, not a number"},
        {"{\"type\":\"boolean\"}", "[]", "type", "",
         "expected true or false, not an array"},
        {"{\"required\":[\"b\",\"a\"]}", "{\"b\":1}", "required", "",
         "the property \"a\" is missing"},
        {"{\"properties\":{\"a\":true},\"additionalProperties\":false}",
         "{\"a\":1,\"b/~\":2}", "additionalProperties", "/b~1~0",
         "this property is not allowed"},
        {"{\"properties\":{\"a\":false}}", "{\"a\":1}", "properties", "/a",
         "this property is not allowed"},
        {"{\"enum\":[\"r\",\"w\",3]}", "\"x\"", "enum", "",
         "expected one of \"r\", \"w\", 3"},
        {"{\"const\":{\"a\":[1]}}", "{}", "const", "", "expected {\"a\":[1]}"},
        {"{\"minimum\":-2.50}", "-2.51", "minimum", "",
         "expected at least -2.50"},
        {"{\"maximum\":10}", "11", "maximum", "", "expected at most 10"},
        {"{\"exclusiveMinimum\":0}", "0", "exclusiveMinimum", "",
         "expected more than 0"},
        {"{\"exclusiveMaximum\":1e2}", "100", "exclusiveMaximum", "",
         "expected less than 1e2"},
        {"{\"multipleOf\":0.01}", "0.005", "multipleOf", "",
         "expected a multiple of 0.01"},
        {"{\"minLength\":1}", "\"\"", "minLength", "",
         "expected at least 1 character"},
        {"{\"maxLength\":2}", "\"äöü\"", "maxLength", "",
         "expected at most 2 characters"},
        {"{\"pattern\":\"^[a-z]+$\"}", "\"A\"", "pattern", "",
         "expected a string that matches the pattern \"^[a-z]+$\""},
        {"{\"items\":{\"type\":\"object\"}}", "[{},[]]", "type", "/1",
         "expected an object, not an array"},
        {"{\"prefixItems\":[true],\"items\":false}", "[1,2]", "items", "/1",
         "this element is not allowed"},
        {"{\"minItems\":1}", "[]", "minItems", "",
         "expected at least 1 element"},
        {"{\"maxItems\":1}", "[1,2]", "maxItems", "",
         "expected at most 1 element"},
        {"{\"uniqueItems\":true}", "[1,2,1.0]", "uniqueItems", "",
         "expected elements that are all different"},
        {"{\"contains\":{\"const\":1}}", "[2]", "contains", "",
         "expected at least 1 element as \"contains\" describes"},
        {"{\"contains\":true,\"maxContains\":1}", "[2,3]", "maxContains", "",
         "expected at most 1 element as \"contains\" describes"},
        {"{\"minProperties\":2}", "{\"a\":1}", "minProperties", "",
         "expected at least 2 members"},
        {"{\"maxProperties\":0}", "{\"a\":1}", "maxProperties", "",
         "expected at most 0 members"},
        {"{\"propertyNames\":{\"maxLength\":1}}", "{\"ab\":1}", "propertyNames",
         "", "the property \"ab\" has a name that is not allowed"},
        {"{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":1}",
         "dependentRequired", "",
         "the property \"b\" has to come with the others"},
        {"{\"dependentSchemas\":{\"a\":false}}", "{\"a\":1}",
         "dependentSchemas", "", "the property \"a\" is not allowed"},
        {"{\"dependencies\":{\"a\":[\"b\"]}}", "{\"a\":1}", "dependencies", "",
         "the property \"b\" has to come with the others"},
        {"{\"not\":{\"type\":\"null\"}}", "null", "not", "",
         "this value is not allowed here"},
        {"false", "1", "", "", "this value is not allowed here"},
        {"{\"if\":{\"type\":\"string\"},\"then\":false}", "\"a\"", "then", "",
         "this value is not allowed here"},
        {"{\"unevaluatedProperties\":false,\"allOf\":[{\"properties\":"
         "{\"a\":true}}]}",
         "{\"a\":1,\"b\":1}", "unevaluatedProperties", "/b",
         "this property is not allowed"},
        {"{\"unevaluatedItems\":false,\"prefixItems\":[true]}", "[1,2]",
         "unevaluatedItems", "/1", "this element is not allowed"},
        /* Of several forms, the one that was meant. */
        {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", "1",
         "anyOf", "", "expected a string or null"},
        {"{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"object\","
         "\"required\":[\"a\"]}]}",
         "{}", "required", "", "the property \"a\" is missing"},
        {"{\"oneOf\":[{\"properties\":{\"k\":{\"const\":1},\"v\":{\"type\":"
         "\"string\"}}},{\"properties\":{\"k\":{\"const\":2},\"v\":{\"type\":"
         "\"array\",\"items\":{\"type\":\"string\"}}}}]}",
         "{\"k\":2,\"v\":[1]}", "type", "/v/0",
         "expected a string, not a number"},
        {"{\"anyOf\":[{\"minimum\":9},{\"maximum\":5}]}", "7", "anyOf", "",
         "expected one of the 2 forms that the schema lists"},
        {"{\"oneOf\":[{\"minimum\":1},{\"maximum\":5}]}", "3", "oneOf", "",
         "expected exactly one of the 2 forms that the schema lists"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct json_schema_failure why = {0};
        arena_init(&a, MIB);
        const struct json_schema *s = compile(&a, rows[i].schema);
        assert_int_equal(validate(&a, s, rows[i].instance, &why),
                         ERR_MALFORMED);
        assert_string_equal(why.text, rows[i].text);
        assert_string_equal(why.keyword, rows[i].keyword);
        assert_string_equal(why.pointer, rows[i].pointer);
        arena_release(&a);
    }
}

static void test_words_from_outside_are_cut_and_stay_json(void **state)
{
    (void)state;
    struct arena a;
    struct buf to;
    struct json_schema_failure why = {0};
    arena_init(&a, MIB);
    buf_init(&to, MIB);
    BUF_LIT(&to, "{\"properties\":{\"a\":{\"enum\":[");
    for (int i = 0; i < 200; i++)
        buf_addf(&to, "%s\"value \\n %d\"", i > 0 ? "," : "", i);
    BUF_LIT(&to, "]}},\"required\":[\"");
    for (int i = 0; i < 1000; i++)
        BUF_LIT(&to, "n");
    BUF_LIT(&to, "\"]}");
    buf_add_char(&to, '\0');
    const struct json_schema *s = compile(&a, to.ptr);
    assert_int_equal(validate(&a, s, "{\"a\":1}", &why), ERR_MALFORMED);
    assert_non_null(strstr(why.text, "one of \"value \\n 0\", "));
    assert_string_equal(why.text + strlen(why.text) - 5, ", ...");
    assert_int_equal(validate(&a, s, "{\"b\":1}", &why), ERR_MALFORMED);
    assert_string_equal(why.text, "the property \"...\" is missing");

    /* Of a place that is too deep to be named, the nearest that is not. */
    s = compile(&a, "{\"additionalProperties\":{\"additionalProperties\":"
                    "{\"type\":\"null\"}}}");
    buf_clear(&to);
    BUF_LIT(&to, "{\"a\":{\"");
    for (int i = 0; i < 1000; i++)
        BUF_LIT(&to, "n");
    BUF_LIT(&to, "\":1}}");
    buf_add_char(&to, '\0');
    assert_int_equal(validate(&a, s, to.ptr, &why), ERR_MALFORMED);
    assert_string_equal(why.pointer, "/a");
    buf_release(&to);
    arena_release(&a);
}

#define S7 "\"$schema\":\"http://json-schema.org/draft-07/schema#\""
#define S2020 "\"$schema\":\"https://json-schema.org/draft/2020-12/schema\""

static void test_what_cannot_be_obeyed_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        enum err e;
        const char *keyword, *pointer;
    } rows[] = {
        {"{\"$dynamicRef\":\"#a\"}", ERR_UNSUPPORTED, "$dynamicRef",
         "/$dynamicRef"},
        {"{\"$dynamicAnchor\":\"a\"}", ERR_UNSUPPORTED, "$dynamicAnchor",
         "/$dynamicAnchor"},
        {"{\"items\":{\"$recursiveRef\":\"#\"}}", ERR_UNSUPPORTED,
         "$recursiveRef", "/items/$recursiveRef"},
        {"{\"$vocabulary\":{}}", ERR_UNSUPPORTED, "$vocabulary",
         "/$vocabulary"},
        {"{\"$schema\":\"http://json-schema.org/draft-04/schema#\"}",
         ERR_UNSUPPORTED, "$schema", "/$schema"},
        {"{\"$schema\":\"https://json-schema.org/draft/2019-09/schema\"}",
         ERR_UNSUPPORTED, "$schema", "/$schema"},
        {"{\"$schema\":1}", ERR_MALFORMED, "$schema", "/$schema"},
        {"{" S2020 ",\"not\":{" S7 "}}", ERR_UNSUPPORTED, "$schema",
         "/not/$schema"},
        {"{\"$ref\":\"https://example.com/x\"}", ERR_UNSUPPORTED, "$ref",
         "/$ref"},
        {"{\"$ref\":\"other.json#/a\"}", ERR_UNSUPPORTED, "$ref", "/$ref"},
        {"{\"$ref\":\"#/nothing\"}", ERR_MALFORMED, "$ref", "/$ref"},
        {"{\"$ref\":\"#nothing\"}", ERR_MALFORMED, "$ref", "/$ref"},
        {"{\"$ref\":\"#/%zz\"}", ERR_MALFORMED, "$ref", "/$ref"},
        {"{\"$ref\":\"#/required\",\"required\":[]}", ERR_MALFORMED, "$ref",
         "/required"},
        {"{\"$defs\":{\"a\":{\"$id\":\"b\"}}}", ERR_UNSUPPORTED, "$id",
         "/$defs/a/$id"},
        {"{\"$id\":\"http://a/#b\"}", ERR_UNSUPPORTED, "$id", "/$id"},
        {"{\"$anchor\":\"1\"}", ERR_MALFORMED, "$anchor", "/$anchor"},
        {"{\"$anchor\":\"a\",\"not\":{\"$anchor\":\"a\"}}", ERR_MALFORMED,
         "$anchor", "/not/$anchor"},
        {"{\"multipleOf\":0.1234567890123456789}", ERR_UNSUPPORTED,
         "multipleOf", "/multipleOf"},
        {"{\"multipleOf\":0}", ERR_MALFORMED, "multipleOf", "/multipleOf"},
        {"{\"pattern\":\"(a)\\\\1\"}", ERR_UNSUPPORTED, "pattern", "/pattern"},
        {"{\"patternProperties\":{\"(?i)a\":true}}", ERR_UNSUPPORTED,
         "patternProperties", "/patternProperties/(?i)a"},
        {"[]", ERR_MALFORMED, "", ""},
        {"{\"type\":\"strin\"}", ERR_MALFORMED, "type", "/type"},
        {"{\"type\":[]}", ERR_MALFORMED, "type", "/type"},
        {"{\"enum\":1}", ERR_MALFORMED, "enum", "/enum"},
        {"{\"minimum\":\"1\"}", ERR_MALFORMED, "minimum", "/minimum"},
        {"{\"exclusiveMinimum\":true}", ERR_MALFORMED, "exclusiveMinimum",
         "/exclusiveMinimum"},
        {"{\"minLength\":-1}", ERR_MALFORMED, "minLength", "/minLength"},
        {"{\"maxItems\":1.5}", ERR_MALFORMED, "maxItems", "/maxItems"},
        {"{\"uniqueItems\":1}", ERR_MALFORMED, "uniqueItems", "/uniqueItems"},
        {"{\"properties\":[]}", ERR_MALFORMED, "properties", "/properties"},
        {"{\"properties\":{\"a\":1}}", ERR_MALFORMED, "properties",
         "/properties/a"},
        {"{\"required\":\"a\"}", ERR_MALFORMED, "required", "/required"},
        {"{\"properties\":{\"a\":{\"required\":true}}}", ERR_MALFORMED,
         "required", "/properties/a/required"},
        {"{\"dependentRequired\":{\"a\":[1]}}", ERR_MALFORMED,
         "dependentRequired", "/dependentRequired/a"},
        {"{\"allOf\":[]}", ERR_MALFORMED, "allOf", "/allOf"},
        {"{\"anyOf\":{}}", ERR_MALFORMED, "anyOf", "/anyOf"},
        {"{\"$defs\":[]}", ERR_MALFORMED, "$defs", "/$defs"},
        /* Where two dialects differ. */
        {"{" S2020 ",\"items\":[true]}", ERR_MALFORMED, "items", "/items"},
        {"{\"items\":[true],\"prefixItems\":[true]}", ERR_MALFORMED, "items",
         "/items"},
        {"{" S7 ",\"prefixItems\":[true]}", ERR_UNSUPPORTED, "prefixItems",
         "/prefixItems"},
        {"{" S7 ",\"not\":{\"unevaluatedProperties\":false}}", ERR_UNSUPPORTED,
         "unevaluatedProperties", "/not/unevaluatedProperties"},
        {"{" S7 ",\"$ref\":\"#/definitions/a\",\"maxLength\":1,"
         "\"definitions\":{\"a\":true}}",
         ERR_UNSUPPORTED, "$ref", "/$ref"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct json_schema_failure why = {0};
        const struct json_schema *s = NULL;
        arena_init(&a, MIB);
        const struct json *v = read_json(&a, rows[i].schema);
        enum err e = json_schema_compile(&a, v, NULL, &s, &why);
        if (e != rows[i].e || strcmp(why.keyword, rows[i].keyword) != 0 ||
            strcmp(why.pointer, rows[i].pointer) != 0 || why.text[0] == '\0')
            fail_msg("%s: %s %s at %s: %s", rows[i].schema, err_name(e),
                     why.keyword, why.pointer, why.text);
        assert_null(s);
        assert_int_equal(json_schema_compile(&a, v, NULL, &s, NULL), e);
        arena_release(&a);
    }
}

static void test_both_dialects_mean_what_they_say(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *fits, *fails;
    } rows[] = {
        {"{" S7 ",\"items\":[{\"type\":\"string\"}],\"additionalItems\":"
         "{\"type\":\"null\"}}",
         "[\"a\",null]", "[\"a\",\"b\"]"},
        {"{\"items\":[{\"type\":\"string\"}],\"additionalItems\":false}",
         "[\"a\"]", "[\"a\",\"b\"]"},
        {"{\"items\":[],\"additionalItems\":false}", "[]", "[1]"},
        {"{\"items\":{\"type\":\"string\"},\"additionalItems\":false}",
         "[\"a\",\"b\"]", "[1]"},
        {"{" S7 ",\"$ref\":\"#/definitions/a\",\"title\":\"t\","
         "\"definitions\":{\"a\":{\"type\":\"null\"}}}",
         "null", "1"},
        {"{" S7 ",\"dependencies\":{\"a\":{\"required\":[\"b\"]}}}",
         "{\"a\":1,\"b\":1}", "{\"a\":1}"},
        {"{" S2020 ",\"$id\":\"https://a/b\",\"not\":{\"$ref\":"
         "\"https://a/b#/$defs/a\"},\"$defs\":{\"a\":{" S2020
         ",\"type\":\"null\"}}}",
         "1", "null"},
        {"{\"properties\":{\"a\":{\"$ref\":\"#n\"}},\"$defs\":{\"b\":"
         "{\"$anchor\":\"n\",\"type\":\"null\"}}}",
         "{\"a\":null}", "{\"a\":1}"},
        {"{\"type\":\"object\",\"properties\":{\"next\":{\"$ref\":\"#\"}},"
         "\"additionalProperties\":false}",
         "{\"next\":{\"next\":{}}}", "{\"next\":{\"next\":{\"x\":1}}}"},
        {"{\"enum\":[{\"a\":1,\"b\":[2]},\"x\",1e2]}", "100.0",
         "{\"a\":1,\"b\":[3]}"},
        {"{\"enum\":[{\"a\":1,\"b\":[2]}]}", "{\"b\":[2.0],\"a\":1}",
         "{\"a\":1}"},
        {"{\"minimum\":9007199254740993}", "9007199254740993",
         "9007199254740992"},
        {"{\"maximum\":9223372036854775807}", "9223372036854775807",
         "9223372036854775808"},
        {"{\"multipleOf\":0.1}", "1e300", "0.25"},
        {"{\"type\":\"integer\"}", "12e0", "1.5"},
        {"{\"format\":\"uuid\",\"nullable\":false,\"maxLength\":1}", "null",
         "\"ab\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        arena_init(&a, MIB);
        const struct json_schema *s = compile(&a, rows[i].schema);
        if (validate(&a, s, rows[i].fits, NULL) != ERR_OK ||
            validate(&a, s, rows[i].fails, NULL) != ERR_MALFORMED)
            fail_msg("%s", rows[i].schema);
        arena_release(&a);
    }
}

/* A pattern as JSON has it, in a schema. */
static enum err compile_pattern(struct arena *a, const char *pattern,
                                const struct json_schema **ret)
{
    struct buf to;
    buf_init(&to, MIB);
    BUF_LIT(&to, "{\"pattern\":");
    json_write_str(&to, str_from(pattern));
    BUF_LIT(&to, "}");
    buf_add_char(&to, '\0');
    enum err e = json_schema_compile(a, read_json(a, to.ptr), NULL, ret, NULL);
    buf_release(&to);
    return e;
}

static void test_patterns_mean_what_ecma_says(void **state)
{
    (void)state;
    /* NULL, NULL: refused. */
    static const struct {
        const char *pattern, *fits, *fails;
    } rows[] = {
        {"", "", NULL},
        {"b", "abc", "ac"},
        {"^b|c$", "xc", "ab"},
        {"a$", "a", "a\n"},
        {"^a.c$", "axc", "a\nc"},
        {"^.$", "\u00e4", "\u2028"},
        {"^\\s$", "\u00a0", "\u200b"},
        {"^[^\\s]$", "\u200b", "\u2003"},
        {"^[\\S]$", "x", "\ufeff"},
        {"^[\\s\\S]$", "\n", ""},
        {"^[\\d\\D]$", "\u0660", ""},
        {"^\\w+$", "a_9", "\u00e4"},
        {"^[\\W]$", "\u00e4", "a"},
        {"^[\\w.-]+$", "a.b-c", "a/b"},
        {"^[\\w-.]+$", "a.b-c", "a/b"},
        {"^[a\\-z]+$", "a-z", "b"},
        {"^[]a]$", NULL, NULL},
        {"^[]$", NULL, ""},
        {"^[^]$", "\n", ""},
        {"[]{1,}|[]b|c", "c", "b"},
        {"^\\u00e4\\x41\\u{1F600}$", "\u00e4A\U0001F600", "a"},
        {"^\\uD83D\\uDE00$", "\U0001F600", "a"},
        {"^[\\u{1F600}-\\u{1F64F}]$", "\U0001F601", "a"},
        {"^\\cJ\\t\\0?$", "\n\t", "\\cJ"},
        {"^\\p{Lu}\\P{L}$", "\u00c41", "\u00e41"},
        {"^\\p{ASCII}\\p{White_Space}$", "a ", "\u00e4 "},
        {"^\\p{gc=Lu}\\p{LC}$", "Ab", "ab"},
        {"\\c1", NULL, NULL},
        {"\\c", NULL, NULL},
        {"^\\p{Letter}[\\p{Nd}]$", "\u00e49", "9a"},
        {"^(?<year>[0-9]{4})-(?:0[1-9]|1[0-2])$", "2026-11", "2026-13"},
        {"^(?!.*\\.\\.)[a-z.]+$", "a.b", "a..b"},
        {"^(?=.*[0-9])(?=.*[a-z]).{3,}$", "a1b", "abc"},
        {"(?<=a)b", "ab", "cb"},
        {"(?<!a)b", "cb", "ab"},
        {"\\bfoo\\b", "a foo b", "afoo"},
        {"^a{2}b{1,}c{0,2}?$", "aabcc", "abc"},
        {"^{a}$", "{a}", "a"},
        {"^a{,2}$", NULL, NULL},
        {"^\\/\\-\\_\\@$", "/-_@", "x"},
        {"^https?://[^\\s/$.?#].[^\\s]*$", "https://example.com/x", "ftp://x"},
        {"^(a+)+$", "aaaa", "aaab"},
        {"x*", "", NULL},
        {"a++", NULL, NULL},
        {"a**", NULL, NULL},
        {"^*", NULL, NULL},
        {"(?=a)*", NULL, NULL},
        {"(?i)a", NULL, NULL},
        {"(?i:a)", NULL, NULL},
        {"(?P<n>a)", NULL, NULL},
        {"(?>a)", NULL, NULL},
        {"(?#a)", NULL, NULL},
        {"(*UTF)a", NULL, NULL},
        {"\\Aa\\z", NULL, NULL},
        {"\\h", NULL, NULL},
        {"\\Qa\\E", NULL, NULL},
        {"\\1", NULL, NULL},
        {"\\k<a>", NULL, NULL},
        {"\\01", NULL, NULL},
        {"\\ud800", NULL, NULL},
        {"\\p{Greek}", NULL, NULL},
        {"\\p{Xan}", NULL, NULL},
        {"[z-a]", NULL, NULL},
        {"[a-\\d]", NULL, NULL},
        {"[[:alpha:]]", NULL, NULL},
        {"^[[:]$", ":", "a"},
        {"(", NULL, NULL},
        {")", NULL, NULL},
        {"[", NULL, NULL},
        {"\\", NULL, NULL},
        {"a{2,1}", NULL, NULL},
        {"a{99999}", NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        const struct json_schema *s = NULL;
        arena_init(&a, 4 * MIB);
        const char *subjects[] = {rows[i].fits, rows[i].fails};
        enum err wanted = subjects[0] == NULL && subjects[1] == NULL
                              ? ERR_UNSUPPORTED
                              : ERR_OK;
        if (compile_pattern(&a, rows[i].pattern, &s) != wanted)
            fail_msg("%s", rows[i].pattern);
        for (size_t j = 0; j < ARRAY_LEN(subjects); j++) {
            struct buf to;
            if (subjects[j] == NULL)
                continue;
            buf_init(&to, MIB);
            json_write_str(&to, str_from(subjects[j]));
            buf_add_char(&to, '\0');
            if (validate(&a, s, to.ptr, NULL) !=
                (j == 0 ? ERR_OK : ERR_MALFORMED))
                fail_msg("%s: %s", rows[i].pattern, subjects[j]);
            buf_release(&to);
        }
        arena_release(&a);
    }
}

/* `n` times `piece` between `head` and `tail`, each piece numbered. */
static const char *repeat(struct buf *to, const char *head, const char *piece,
                          const char *tail, unsigned n)
{
    buf_clear(to);
    buf_add(to, str_from(head));
    for (unsigned i = 0; i < n; i++) {
        if (i > 0)
            buf_add_char(to, ',');
        buf_add(to, str_from(piece));
        buf_add_u64(to, i);
    }
    buf_add(to, str_from(tail));
    buf_add_char(to, '\0');
    assert_true(buf_ok(to));
    return to->ptr;
}

static void test_what_has_no_budget_is_not_passed(void **state)
{
    (void)state;
    struct arena a;
    struct buf to;
    struct json_schema_failure why;
    arena_init(&a, 64 * MIB);
    buf_init(&to, 16 * MIB);

    /* A circle that the instance does not leave. */
    const struct json_schema *s = compile(&a, "{\"$ref\":\"#\"}");
    assert_int_equal(validate(&a, s, "1", &why), ERR_LIMIT);
    assert_string_equal(why.keyword, "");
    assert_true(why.text[0] != '\0');
    s = compile(&a, "{\"not\":{\"$ref\":\"#\"}}");
    assert_int_equal(validate(&a, s, "1", &why), ERR_LIMIT);

    /* Two ways at each of forty steps; "not" does not turn it around. */
    buf_add(&to, STR("{\"not\":{\"$ref\":\"#/$defs/d0\"},\"$defs\":{"));
    for (unsigned i = 0; i < 40; i++)
        buf_addf(&to,
                 "\"d%u\":{\"allOf\":[{\"$ref\":\"#/$defs/d%u\"},"
                 "{\"$ref\":\"#/$defs/d%u\"}]},",
                 i, i + 1, i + 1);
    buf_add(&to, STR("\"d40\":true}}"));
    buf_add_char(&to, '\0');
    s = compile(&a, to.ptr);
    assert_int_equal(validate(&a, s, "1", &why), ERR_LIMIT);

    /* Every state of a pattern at once, over a long string. */
    assert_int_equal(compile_pattern(&a, "(x+x+)+y|(.{0,100}z){3}", &s),
                     ERR_OK);
    buf_clear(&to);
    buf_add_char(&to, '"');
    for (unsigned i = 0; i < 300000; i++)
        buf_add_char(&to, 'x');
    buf_add(&to, STR("\""));
    buf_add_char(&to, '\0');
    assert_int_equal(validate(&a, s, to.ptr, &why), ERR_LIMIT);

    /* Looks ahead, from everywhere to the end. */
    assert_int_equal(compile_pattern(&a, "(?:(?=x*)x)*y", &s), ERR_OK);
    assert_int_equal(validate(&a, s, to.ptr, &why), ERR_LIMIT);
    assert_int_equal(validate(&a, s, "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxy\"", NULL),
                     ERR_OK);

    /* The budget is what the caller says. */
    s = compile(&a, "{\"items\":{\"type\":\"integer\"}}");
    const struct json *v = read_json(&a, repeat(&to, "[", "1", "]", 1000));
    assert_int_equal(json_schema_validate(s, v, &a, 0, NULL), ERR_OK);
    assert_int_equal(json_schema_validate(s, v, &a, 500, NULL), ERR_LIMIT);

    /* Unique elements in time; and not without scratch for them. */
    s = compile(&a, "{\"uniqueItems\":true}");
    v = read_json(&a, repeat(&to, "[", "1", "]", 100000));
    struct arena scratch;
    arena_init(&scratch, 4 * MIB);
    assert_int_equal(json_schema_validate(s, v, &scratch, 0, NULL), ERR_OK);
    assert_int_equal(scratch.used, 0);
    arena_release(&scratch);
    arena_init(&scratch, 1000);
    assert_int_equal(json_schema_validate(s, v, &scratch, 0, NULL), ERR_LIMIT);
    arena_release(&scratch);
    buf_release(&to);
    arena_release(&a);
}

static void test_a_large_schema_is_refused(void **state)
{
    (void)state;
    static const char schema[] =
        "{\"properties\":{\"a\":{\"pattern\":\"a\"},\"b\":{\"pattern\":\"b\"}},"
        "\"enum\":[1,2,3]}";
    static const struct {
        struct json_schema_limits limits;
        enum err e;
    } rows[] = {
        {{3, 2, 3, 1000000}, ERR_OK},    {{2, 2, 3, 1000000}, ERR_LIMIT},
        {{3, 1, 3, 1000000}, ERR_LIMIT}, {{3, 2, 2, 1000000}, ERR_LIMIT},
        {{3, 2, 3, 1000}, ERR_LIMIT},    {{3, 2, 3, 0}, ERR_LIMIT},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct json_schema_failure why = {0};
        const struct json_schema *s;
        arena_init(&a, 4 * MIB);
        const struct json *v = read_json(&a, schema);
        assert_int_equal(json_schema_compile(&a, v, &rows[i].limits, &s, &why),
                         rows[i].e);
        assert_int_equal(why.text[0] != '\0', rows[i].e != ERR_OK);
        arena_release(&a);
    }
}

static void test_a_full_arena_is_a_limit_wherever_it_is_full(void **state)
{
    (void)state;
    static const char schema[] =
        "{\"$defs\":{\"a\":{\"$anchor\":\"x\",\"enum\":[1,\"2\"]}},\"type\":"
        "\"object\",\"properties\":{\"a\":{\"pattern\":\"a(b|c)*\"},\"b\":"
        "{\"$ref\":\"#x\"},\"c\":{\"prefixItems\":[{\"minimum\":1}],"
        "\"uniqueItems\":true}},\"patternProperties\":{\"^d\":{\"anyOf\":"
        "[{\"type\":\"null\"},{\"not\":{}}]}},\"dependentRequired\":{\"a\":"
        "[\"b\"]},\"unevaluatedProperties\":false}";
    static const char instance[] =
        "{\"a\":\"abcb\",\"b\":1,\"c\":[1,2],\"d\":null}";
    struct arena a;
    arena_init(&a, 4 * MIB);
    const struct json *v = read_json(&a, schema);
    const struct json *fits = read_json(&a, instance);
    const struct json_schema *s = NULL;
    enum err e = ERR_LIMIT;
    for (size_t cap = 0; e != ERR_OK; cap += 40) {
        struct arena small;
        arena_init(&small, cap);
        e = json_schema_compile(&small, v, NULL, &s, NULL);
        assert_true(e == ERR_OK || e == ERR_LIMIT);
        arena_release(&small);
        assert_true(cap < MIB);
    }
    s = compile(&a, schema);
    e = ERR_LIMIT;
    for (size_t cap = 0; e != ERR_OK; cap += 8) {
        struct arena small;
        arena_init(&small, cap);
        e = json_schema_validate(s, fits, &small, 0, NULL);
        assert_true(e == ERR_OK || e == ERR_LIMIT);
        arena_release(&small);
        assert_true(cap < 16 * KIB);
    }
    arena_release(&a);
}

static void test_the_walk_shows_types_and_properties(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, MIB);
    const struct json_schema *s = compile(
        &a, "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"},"
            "\"l\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
            "\"o\":{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]},"
            "\"r\":{\"$ref\":\"#\"},\"e\":{\"enum\":[1]}},\"required\":"
            "[\"n\",\"z\"],\"additionalProperties\":false}");
    const struct json_schema_node *root = json_schema_root(s);
    struct json_schema_view view = json_schema_view(root);
    assert_int_equal(view.types, 1U << JSON_OBJECT);
    assert_false(view.is_partial);
    assert_true(json_schema_view(view.additional).is_never);
    assert_int_equal(view.properties, 6);

    static const char names[] = "elnorz";
    for (size_t i = 0; i < view.properties; i++) {
        struct json_schema_property p = json_schema_property(root, i);
        assert_int_equal(p.name.ptr[0], names[i]);
        assert_int_equal(p.is_required, names[i] == 'n' || names[i] == 'z');
        if (names[i] == 'z') {
            assert_null(p.node);
            continue;
        }
        struct json_schema_view of = json_schema_view(p.node);
        assert_int_equal(of.is_partial, names[i] == 'e');
        if (names[i] == 'n')
            assert_int_equal(of.types, JSON_SCHEMA_INTEGER);
        if (names[i] == 'l')
            assert_int_equal(json_schema_view(of.items).types,
                             1U << JSON_STRING);
        if (names[i] == 'r')
            assert_ptr_equal(of.ref, root);
        if (names[i] == 'o') {
            assert_int_equal(of.alternatives, 2);
            of = json_schema_view(json_schema_alternative(p.node, 1));
            assert_int_equal(of.types, 1U << JSON_NULL);
        }
    }
    arena_release(&a);
}

struct job {
    const struct json_schema *schema;
    const struct json *fits, *fails;
    unsigned right;
};

enum { ROUNDS = 300 };

static void *validate_often(void *arg)
{
    struct job *job = arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct arena scratch;
        struct json_schema_failure why;
        arena_init(&scratch, 64 * KIB);
        job->right += json_schema_validate(job->schema, job->fits, &scratch, 0,
                                           &why) == ERR_OK;
        job->right += json_schema_validate(job->schema, job->fails, &scratch, 0,
                                           &why) == ERR_MALFORMED;
        arena_release(&scratch);
    }
    return NULL;
}

static void test_threads_share_a_schema(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    struct job jobs[THREADS];
    struct arena a;
    arena_init(&a, MIB);
    struct job job = {
        compile(&a, "{\"additionalProperties\":{\"pattern\":"
                    "\"^(?=.*[0-9])\\\\w+$\"},\"unevaluatedProperties\":"
                    "false,\"propertyNames\":{\"pattern\":\"a|b\"}}"),
        read_json(&a, "{\"a\":\"x1\",\"b\":\"2y\"}"),
        read_json(&a, "{\"a\":\"x1\",\"b\":\"y\"}"), 0};
    for (size_t i = 0; i < THREADS; i++) {
        jobs[i] = job;
        assert_int_equal(pthread_create(&threads[i], NULL, validate_often,
                                        &jobs[i]),
                         0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(jobs[i].right, 2 * ROUNDS);
    }
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_failure_says_where_and_what_to_mend),
        cmocka_unit_test(test_words_from_outside_are_cut_and_stay_json),
        cmocka_unit_test(test_what_cannot_be_obeyed_is_refused_by_name),
        cmocka_unit_test(test_both_dialects_mean_what_they_say),
        cmocka_unit_test(test_patterns_mean_what_ecma_says),
        cmocka_unit_test(test_what_has_no_budget_is_not_passed),
        cmocka_unit_test(test_a_large_schema_is_refused),
        cmocka_unit_test(test_a_full_arena_is_a_limit_wherever_it_is_full),
        cmocka_unit_test(test_threads_share_a_schema),
        cmocka_unit_test(test_the_walk_shows_types_and_properties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
