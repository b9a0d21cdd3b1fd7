/* Tests codec/yaml: trees, places, what is refused, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/limits.h"
#include "codec/yaml.h"

struct fixture {
    struct arena a;
    struct buf text;
};

static int setup(void **state)
{
    static struct fixture f;
    arena_init(&f.a, REQUEST_ARENA_MAX);
    buf_init(&f.text, 16 * MIB);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_release(&f->a);
    buf_release(&f->text);
    return 0;
}

static const struct yaml_node *must_read(struct fixture *f, struct str text)
{
    const struct yaml_node *root = NULL;
    struct yaml_error error = {0};
    enum err e = yaml_read(&f->a, text, &root, &error);
    if (e != ERR_OK)
        fail_msg("%u:%u: %s", error.line, error.column, error.what);
    return root;
}

static void check_place(const struct yaml_node *node, unsigned line,
                        unsigned column)
{
    assert_int_equal(yaml_line(node), line);
    assert_int_equal(yaml_column(node), column);
}

static void test_a_file_becomes_a_tree_that_knows_its_places(void **state)
{
    const struct yaml_node *root =
        must_read(*state, STR("# comment\n"
                              "node: gw-1\n"
                              "listen:\n"
                              "  - {address: \"127.0.0.1:8080\"}   # loopback\n"
                              "  - address: '0.0.0.0:8443'\n"
                              "    tls: {cert: c.pem, key: k.pem}\n"
                              "empty:\n"
                              "\"quoted key\": ~\n"
                              "text: |\n"
                              "  two\n"
                              "  lines\n"));
    assert_int_equal(yaml_type(root), YAML_MAP);
    assert_int_equal(yaml_count(root), 5);
    check_place(root, 2, 1);

    const struct yaml_node *node = yaml_get(root, STR("node"));
    assert_int_equal(yaml_type(node), YAML_SCALAR);
    assert_true(str_eq(yaml_text(node), STR("gw-1")));
    assert_false(yaml_is_quoted(node));
    check_place(node, 2, 7);

    const struct yaml_node *listen = yaml_get(root, STR("listen"));
    assert_int_equal(yaml_type(listen), YAML_LIST);
    assert_int_equal(yaml_count(listen), 2);
    assert_null(yaml_at(listen, 2));
    assert_null(yaml_key_at(listen, 0));
    const struct yaml_node *address =
        yaml_get(yaml_at(listen, 0), STR("address"));
    assert_true(str_eq(yaml_text(address), STR("127.0.0.1:8080")));
    assert_true(yaml_is_quoted(address));
    check_place(address, 4, 15);
    const struct yaml_node *key =
        yaml_get(yaml_get(yaml_at(listen, 1), STR("tls")), STR("key"));
    assert_true(str_eq(yaml_text(key), STR("k.pem")));
    check_place(key, 6, 29);

    assert_int_equal(yaml_type(yaml_get(root, STR("empty"))), YAML_NULL);
    assert_int_equal(yaml_type(yaml_get(root, STR("quoted key"))), YAML_NULL);
    check_place(yaml_key_at(root, 3), 8, 1);
    assert_true(str_eq(yaml_text(yaml_key_at(root, 3)), STR("quoted key")));
    assert_true(str_eq(yaml_text(yaml_at(root, 4)), STR("two\nlines\n")));
    assert_true(yaml_is_quoted(yaml_at(root, 4)));
    assert_null(yaml_get(root, STR("nothing")));
    assert_null(yaml_get(root, STR("")));
}

static void test_a_missing_value_answers_everything(void **state)
{
    (void)state;
    assert_int_equal(yaml_type(NULL), YAML_NULL);
    assert_int_equal(yaml_count(NULL), 0);
    assert_null(yaml_at(NULL, 0));
    assert_null(yaml_key_at(NULL, 0));
    assert_null(yaml_get(yaml_get(NULL, STR("a")), STR("b")));
    assert_int_equal(yaml_text(NULL).len, 0);
    assert_false(yaml_is_quoted(NULL));
    check_place(NULL, 0, 0);
}

static void test_only_plain_nothing_is_null(void **state)
{
    static const struct {
        struct str text;
        enum yaml_type type;
    } cases[] = {
        {STR_INIT(""), YAML_NULL},
        {STR_INIT("# only\n"), YAML_NULL},
        {STR_INIT("---\n"), YAML_NULL},
        {STR_INIT("~"), YAML_NULL},
        {STR_INIT("null"), YAML_NULL},
        {STR_INIT("NULL"), YAML_NULL},
        {STR_INIT("\"\""), YAML_SCALAR},
        {STR_INIT("'null'"), YAML_SCALAR},
        {STR_INIT("nUll"), YAML_SCALAR},
        {STR_INIT("no"), YAML_SCALAR},
        {STR_INIT("[]"), YAML_LIST},
        {STR_INIT("{}"), YAML_MAP},
        {STR_INIT("\xef\xbb\xbf"
                  "a"),
         YAML_SCALAR},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct yaml_node *root = must_read(*state, cases[i].text);
        assert_int_equal(yaml_type(root), cases[i].type);
        assert_int_equal(yaml_count(root), 0);
        assert_true(yaml_line(root) > 0);
    }
}

static void test_what_is_refused_says_where_and_why(void **state)
{
    struct fixture *f = *state;
    static const struct {
        struct str text;
        unsigned line, column;
        const char *what; /* how it begins */
    } cases[] = {
        {STR_INIT("a: 1\nb: 2\na: 3\n"), 3, 1,
         "the key \"a\" stands in line 1 already"},
        {STR_INIT("x: {a: 1, \"a\": 2}\n"), 1, 11,
         "the key \"a\" stands in line 1 already"},
        {STR_INIT("a: &x 1\n"), 1, 4, "anchors"},
        {STR_INIT("a: &x [1]\n"), 1, 4, "anchors"},
        {STR_INIT("a: &x {b: 1}\n"), 1, 4, "anchors"},
        {STR_INIT("b: *x\n"), 1, 4, "aliases"},
        {STR_INIT("a: !!int 1\n"), 1, 4, "tags"},
        {STR_INIT("a: ! 1\n"), 1, 4, "tags"},
        {STR_INIT("a: !x [1]\n"), 1, 4, "tags"},
        {STR_INIT("a: !x {b: 1}\n"), 1, 4, "tags"},
        {STR_INIT("? [a]\n: 1\n"), 1, 3, "a key must be a single value"},
        {STR_INIT("{[a]: 1}"), 1, 2, "a key must be a single value"},
        {STR_INIT("? {a: 1}\n: 1\n"), 1, 3, "a key must be a single value"},
        {STR_INIT("~: 1\n"), 1, 1, "expected a key, found nothing"},
        {STR_INIT("a: 1\n: 2\n"), 2, 1, "did not find expected key"},
        {STR_INIT("a: 1\n---\nb: 2\n"), 2, 1, "a second document"},
        {STR_INIT("a: \"x\\0y\"\n"), 1, 4, "a value contains NUL"},
        {STR_INIT("a:\n\tb: 1\n"), 2, 1, "indent with blanks, not tabs"},
        {STR_INIT("a: [1, 2\nb: 3\n"), 2, 2,
         "did not find expected ',' or ']', while parsing a flow sequence "
         "that begins in line 1"},
        {STR_INIT("a: 1\n b: 2\n"), 2, 3,
         "mapping values are not allowed in this context"},
        {STR_INIT("a: \"x\n"), 2, 1, "found unexpected end of stream"},
        {STR_INIT("a: 1\nb: x\xff\n"), 2, 5, "invalid leading UTF-8 octet"},
        {STR_INIT("a: \x01\n"), 1, 4, "control characters are not allowed"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct yaml_node *root = NULL;
        struct yaml_error e = {0};
        assert_int_equal(yaml_read(&f->a, cases[i].text, &root, &e),
                         ERR_MALFORMED);
        assert_null(root);
        if (e.line != cases[i].line || e.column != cases[i].column ||
            !str_starts(str_from(e.what), str_from(cases[i].what)))
            fail_msg("%.*s: %u:%u: %s", STR_FMT(cases[i].text), e.line,
                     e.column, e.what);
        assert_int_equal(yaml_read(&f->a, cases[i].text, &root, NULL),
                         ERR_MALFORMED);
    }
}

static void test_columns_count_characters(void **state)
{
    const struct yaml_node *root =
        must_read(*state, STR("\xc3\xa4\xe2\x82\xac: x\n"));
    check_place(yaml_at(root, 0), 1, 5);
}

static enum err read_nested(struct fixture *f, size_t depth)
{
    const struct yaml_node *root;
    struct yaml_error error;
    buf_clear(&f->text);
    for (size_t i = 0; i < depth; i++)
        (void)buf_add(&f->text, i % 2 == 0 ? STR("[") : STR("{a: "));
    for (size_t i = depth; i-- > 0;)
        (void)buf_add_char(&f->text, i % 2 == 0 ? ']' : '}');
    return yaml_read(&f->a, buf_str(&f->text), &root, &error);
}

static enum err read_many(struct fixture *f, size_t elements)
{
    const struct yaml_node *root;
    struct yaml_error error;
    buf_clear(&f->text);
    (void)buf_add_char(&f->text, '[');
    for (size_t i = 0; i < elements; i++)
        (void)buf_add(&f->text, STR("1,\n"));
    (void)buf_add_char(&f->text, ']');
    return yaml_read(&f->a, buf_str(&f->text), &root, &error);
}

static void test_limits_are_exact(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_nested(f, YAML_DEPTH_MAX), ERR_OK);
    assert_int_equal(read_nested(f, YAML_DEPTH_MAX + 1), ERR_MALFORMED);
    assert_int_equal(read_many(f, YAML_NODES_MAX - 1), ERR_OK);
    assert_int_equal(read_many(f, YAML_NODES_MAX), ERR_MALFORMED);

    const struct yaml_node *root;
    struct yaml_error error = {0};
    buf_clear(&f->text);
    char *p = buf_space(&f->text, CONFIG_FILE_MAX + 1);
    assert_non_null(p);
    memset(p, '\n', CONFIG_FILE_MAX + 1);
    assert_int_equal(yaml_read(&f->a, (struct str){p, CONFIG_FILE_MAX + 1},
                               &root, &error),
                     ERR_MALFORMED);
    assert_string_equal(error.what, "the file is too long");
    assert_int_equal(yaml_read(&f->a, (struct str){p, CONFIG_FILE_MAX}, &root,
                               &error),
                     ERR_OK);
}

static void test_keys_are_found_among_many(void **state)
{
    struct fixture *f = *state;
    enum { KEYS = 1000 };
    for (unsigned i = 0; i < KEYS; i++)
        (void)buf_addf(&f->text, "k%u: v%u\n", i * 7919 % KEYS, i);
    const struct yaml_node *root = must_read(f, buf_str(&f->text));
    assert_int_equal(yaml_count(root), KEYS);
    for (unsigned i = 0; i < KEYS; i++) {
        struct str key = yaml_text(yaml_key_at(root, i));
        assert_ptr_equal(yaml_get(root, key), yaml_at(root, i));
        assert_int_equal(yaml_line(yaml_at(root, i)), i + 1);
    }
    assert_null(yaml_get(root, STR("k1000")));
}

static void test_every_lack_of_memory_is_a_limit(void **state)
{
    (void)state;
    static const struct str text =
        STR_INIT("a: [1, {b: c}]\nd: 'x'\ne:\n  - f\n");
    static const struct str broken = STR_INIT("a: 1\na: [2\n");
    size_t failures = 0;
    for (size_t cap = 0;; cap += 16) {
        struct arena a;
        const struct yaml_node *root = NULL;
        struct yaml_error error = {0};
        arena_init(&a, cap);
        enum err e = yaml_read(&a, text, &root, &error);
        enum err e_broken = yaml_read(&a, broken, &root, &error);
        assert_true(e_broken == ERR_LIMIT || e_broken == ERR_MALFORMED);
        arena_release(&a);
        if (e == ERR_OK)
            break;
        assert_int_equal(e, ERR_LIMIT);
        assert_null(root);
        failures++;
    }
    assert_true(failures > 20);
}

/* clang-format off */
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
/* clang-format on */

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_file_becomes_a_tree_that_knows_its_places),
        TEST(test_a_missing_value_answers_everything),
        TEST(test_only_plain_nothing_is_null),
        TEST(test_what_is_refused_says_where_and_why),
        TEST(test_columns_count_characters),
        TEST(test_limits_are_exact),
        TEST(test_keys_are_found_among_many),
        TEST(test_every_lack_of_memory_is_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
