/* Tests mcp/catalog.h and mcp/catalog_writer.h: which tools are usable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/limits.h"
#include "mcp/catalog_writer.h"

enum { MANY = 3000, NOW = 1000 };

struct bench {
    struct catalog_writer *writer;
    struct arena arena;
    struct catalog_changes last;
    int64_t now, listed;
};

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    assert_non_null(b);
    arena_init(&b->arena, 256 * MIB);
    assert_int_equal(catalog_writer_new(&b->writer), ERR_OK);
    b->now = NOW;
    *state = b;
    return 0;
}

static void forget(struct bench *b)
{
    catalog_unref(b->last.next);
    b->last = (struct catalog_changes){0};
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    forget(b);
    catalog_writer_free(b->writer);
    arena_release(&b->arena);
    free(b);
    return 0;
}

/* What a server lists: a name, a description and a schema. */
static struct tool make(struct bench *b, const char *name, const char *says,
                        const char *schema)
{
    struct buf text;
    struct tool t;
    struct fault fault;
    const struct json *v;
    buf_init(&text, 2 * MIB);
    buf_addf(&text,
             "{\"name\":\"%s\",\"description\":\"%s\",\"inputSchema\":", name,
             says);
    (void)buf_add(&text, str_from(schema));
    BUF_LIT(&text, "}");
    assert_true(buf_ok(&text));
    assert_int_equal(json_read(&b->arena, buf_str(&text), &v, NULL), ERR_OK);
    assert_int_equal(tool_read(&b->arena, STR(""), v, &t, &fault), ERR_OK);
    buf_release(&text);
    return t;
}

#define PLAIN "{\"type\":\"object\"}"

static struct tool plain(struct bench *b, const char *name, const char *says)
{
    return make(b, name, says, PLAIN);
}

static struct tool unreadable(const char *name)
{
    return (struct tool){.name = str_from(name)};
}

static enum err try_offer(struct bench *b, const struct tool *at, size_t n,
                          bool approve_new)
{
    forget(b);
    b->now++;
    const struct catalog_offer o = {STR("crm"), at, n, approve_new, b->listed};
    return catalog_writer_offer(b->writer, &o,
                                (struct catalog_now){b->now, b->now}, &b->last);
}

/* Offers, publishes, and says how much has changed. */
static size_t offer(struct bench *b, const struct tool *at, size_t n,
                    bool approve_new)
{
    bool settled = catalog_is_settled(catalog_writer_current(b->writer),
                                      STR("crm"), at, n);
    assert_int_equal(try_offer(b, at, n, approve_new), ERR_OK);
    assert_int_equal(settled, b->last.count == 0);
    catalog_writer_publish(b->writer, b->last.next);
    assert_true(catalog_is_settled(catalog_writer_current(b->writer),
                                   STR("crm"), at, n));
    return b->last.count;
}

static enum catalog_event offer_one(struct bench *b, struct tool t)
{
    size_t n = offer(b, &t, 1, false);
    return n == 0 ? (enum catalog_event)0 : b->last.at[0].event;
}

static enum err approve(struct bench *b, const char *name, struct hash seen)
{
    forget(b);
    const struct catalog_approval a = {STR("crm"), str_from(name), seen,
                                       STR("local|ada")};
    b->now++;
    enum err e =
        catalog_writer_approve(b->writer, &a,
                               (struct catalog_now){b->now, b->now}, &b->last);
    if (e == ERR_OK)
        catalog_writer_publish(b->writer, b->last.next);
    return e;
}

static const struct catalog_tool *find(const struct bench *b, const char *name)
{
    return catalog_find(catalog_writer_current(b->writer), STR("crm"),
                        str_from(name));
}

static enum catalog_state state_of(const struct bench *b, const char *name)
{
    const struct catalog_tool *t = find(b, name);
    return t == NULL ? CATALOG_NONE : t->state;
}

static struct hash digest(const struct bench *b)
{
    return catalog_digest(catalog_writer_current(b->writer));
}

static bool is_zero(struct hash h)
{
    static const struct hash zero;
    return memcmp(&h, &zero, sizeof(h)) == 0;
}

static void a_tool_is_pinned_when_it_is_first_seen(void **state)
{
    struct bench *b = *state;
    struct tool t = plain(b, "get", "reads");
    assert_true(is_zero(digest(b)));
    assert_int_equal(offer_one(b, t), CATALOG_SEEN);
    const struct catalog_tool *known = find(b, "get");
    assert_non_null(known);
    assert_int_equal(known->state, CATALOG_PINNED);
    assert_true(str_eq(known->server, STR("crm")));
    assert_memory_equal(&known->tool.digest, &t.digest, sizeof(t.digest));
    assert_true(str_eq(known->tool.description, STR("reads")));
    assert_non_null(known->input);
    assert_int_equal(known->approved_by.len, 0);
    assert_int_equal(known->first_us, b->now);
    assert_false(is_zero(digest(b)));
    assert_int_equal(offer_one(b, t), 0);
    assert_null(find(b, "Get"));
    assert_null(catalog_find(catalog_writer_current(b->writer), STR("erp"),
                             STR("get")));
}

static void a_changed_tool_is_quarantined_until_it_returns(void **state)
{
    struct bench *b = *state;
    struct tool was = plain(b, "get", "reads");
    (void)offer_one(b, was);
    struct hash before = digest(b);
    assert_int_equal(offer_one(b, plain(b, "get", "reads all")),
                     CATALOG_CHANGED);
    const struct catalog_tool *t = find(b, "get");
    assert_int_equal(t->state, CATALOG_QUARANTINED);
    assert_true(str_eq(t->tool.description, STR("reads")));
    assert_true(str_eq(t->offered.description, STR("reads all")));
    assert_true(is_zero(digest(b)));
    assert_int_equal(offer_one(b, plain(b, "get", "reads all")), 0);
    struct tool wider =
        make(b, "get", "reads", "{\"type\":\"object\",\"maxProperties\":9}");
    assert_int_equal(offer_one(b, wider), CATALOG_CHANGED);
    assert_int_equal(state_of(b, "get"), CATALOG_QUARANTINED);
    assert_int_equal(offer_one(b, was), CATALOG_RETURNED);
    t = find(b, "get");
    assert_int_equal(t->state, CATALOG_PINNED);
    assert_int_equal(t->offered.text.len, 0);
    assert_int_equal(t->first_us, NOW + 1);
    struct hash after = digest(b);
    assert_memory_equal(&before, &after, sizeof(before));
}

static void only_what_the_person_has_seen_is_approved(void **state)
{
    struct bench *b = *state;
    struct tool was = plain(b, "get", "reads");
    struct tool second = plain(b, "get", "reads all");
    struct tool third = plain(b, "get", "sends it away");
    assert_int_equal(approve(b, "get", was.digest), ERR_NOT_FOUND);
    (void)offer_one(b, was);
    assert_int_equal(approve(b, "get", was.digest), ERR_CONFLICT);
    (void)offer_one(b, second);
    (void)offer_one(b, third); /* while the person looks at the second */
    assert_int_equal(approve(b, "get", second.digest), ERR_CONFLICT);
    assert_int_equal(approve(b, "get", was.digest), ERR_CONFLICT);
    assert_int_equal(state_of(b, "get"), CATALOG_QUARANTINED);
    assert_int_equal(approve(b, "get", third.digest), ERR_OK);
    assert_int_equal(b->last.count, 1);
    assert_int_equal(b->last.at[0].event, CATALOG_APPROVED);
    const struct catalog_tool *t = find(b, "get");
    assert_int_equal(t->state, CATALOG_PINNED);
    assert_true(str_eq(t->tool.description, STR("sends it away")));
    assert_true(str_eq(t->approved_by, STR("local|ada")));
    assert_int_equal(offer_one(b, third), 0);
    assert_int_equal(offer_one(b, was), CATALOG_CHANGED);
}

static void where_new_tools_wait_nothing_is_usable_before_a_person(void **state)
{
    struct bench *b = *state;
    struct tool first = plain(b, "get", "reads");
    struct tool other = plain(b, "get", "reads all");
    assert_int_equal(offer(b, &first, 1, true), 1);
    assert_int_equal(state_of(b, "get"), CATALOG_PROPOSED);
    assert_true(is_zero(digest(b)));
    assert_int_equal(offer(b, &other, 1, true), 1);
    assert_int_equal(b->last.at[0].event, CATALOG_CHANGED);
    assert_int_equal(state_of(b, "get"), CATALOG_PROPOSED);
    assert_int_equal(offer(b, &other, 1, false), 0); /* it does not slip in */
    assert_int_equal(approve(b, "get", first.digest), ERR_CONFLICT);
    assert_int_equal(approve(b, "get", other.digest), ERR_OK);
    assert_int_equal(state_of(b, "get"), CATALOG_PINNED);
}

static void what_was_listed_before_undoes_nothing(void **state)
{
    struct bench *b = *state;
    struct tool was = plain(b, "get", "reads");
    struct tool two[] = {plain(b, "get", "all"), plain(b, "new", "x")};
    (void)offer_one(b, was);
    int64_t long_ago = b->now;
    (void)offer_one(b, two[0]);
    b->listed = long_ago; /* a session that has not asked since */
    assert_int_equal(try_offer(b, &was, 1, false), ERR_OK);
    assert_int_equal(b->last.count, 0);
    assert_int_equal(state_of(b, "get"), CATALOG_QUARANTINED);
    assert_int_equal(approve(b, "get", two[0].digest), ERR_OK);
    assert_int_equal(try_offer(b, &was, 1, false), ERR_OK);
    assert_int_equal(b->last.count, 0);
    assert_int_equal(state_of(b, "get"), CATALOG_PINNED);
    two[0] = was; /* what is new in it, is new all the same */
    assert_int_equal(try_offer(b, two, 2, false), ERR_OK);
    assert_int_equal(b->last.count, 1);
    b->listed = b->now; /* it has asked again */
    assert_int_equal(offer_one(b, was), CATALOG_CHANGED);
    b->listed = 0;
    assert_int_equal(offer_one(b, two[0]), 0);
}

static void rule_13_names_that_differ_in_case_are_not_pinned(void **state)
{
    struct bench *b = *state;
    struct tool two[] = {plain(b, "get", "reads"), plain(b, "Get", "x"),
                         plain(b, "put", "writes")};
    assert_int_equal(offer(b, two, 3, false), 3);
    assert_int_equal(state_of(b, "get"), CATALOG_PROPOSED);
    assert_int_equal(state_of(b, "Get"), CATALOG_PROPOSED);
    assert_int_equal(state_of(b, "put"), CATALOG_PINNED);
    struct tool later = plain(b, "PUT", "x"); /* in an offer of its own */
    assert_int_equal(offer(b, &later, 1, false), 1);
    assert_int_equal(state_of(b, "PUT"), CATALOG_PROPOSED);
    assert_int_equal(state_of(b, "put"), CATALOG_PINNED);
    struct tool all[] = {plain(b, "put", "writes"), plain(b, "PUT", "x"),
                         plain(b, "Put", "y")};
    assert_int_equal(offer(b, all, 3, false), 1);
    assert_int_equal(state_of(b, "Put"), CATALOG_PROPOSED);
    assert_int_equal(state_of(b, "put"), CATALOG_PINNED);
    assert_int_equal(approve(b, "get", two[0].digest), ERR_OK);
    assert_int_equal(offer(b, two, 3, false), 0); /* the person knew */
    assert_int_equal(state_of(b, "get"), CATALOG_PINNED);
}

static void one_name_twice_is_no_offer(void **state)
{
    struct bench *b = *state;
    (void)offer_one(b, plain(b, "get", "reads"));
    struct tool two[] = {plain(b, "get", "reads"), plain(b, "get", "x")};
    assert_int_equal(try_offer(b, two, 2, false), ERR_MALFORMED);
    assert_int_equal(state_of(b, "get"), CATALOG_PINNED);
}

static void a_definition_that_cannot_be_read_quarantines(void **state)
{
    struct bench *b = *state;
    struct tool was = plain(b, "get", "reads");
    assert_int_equal(offer_one(b, unreadable("get")), 0);
    assert_null(find(b, "get"));
    (void)offer_one(b, was);
    assert_int_equal(offer_one(b, unreadable("get")), CATALOG_CHANGED);
    assert_int_equal(state_of(b, "get"), CATALOG_QUARANTINED);
    assert_int_equal(find(b, "get")->offered.text.len, 0);
    assert_int_equal(offer_one(b, unreadable("get")), 0);
    assert_int_equal(approve(b, "get", (struct hash){{0}}), ERR_CONFLICT);
    assert_int_equal(offer_one(b, was), CATALOG_RETURNED);
    assert_int_equal(state_of(b, "get"), CATALOG_PINNED);
}

static void a_definition_that_is_too_long_is_not_kept(void **state)
{
    struct bench *b = *state;
    struct buf schema;
    buf_init(&schema, 2 * MIB);
    BUF_LIT(&schema, "{\"type\":\"object\",\"examples\":[0");
    while (schema.len <= CATALOG_TEXT_MAX)
        BUF_LIT(&schema, ",\"xxxxxxxxxxxxxxxx\"");
    BUF_LIT(&schema, "]}");
    buf_add_char(&schema, 0);
    struct tool t = make(b, "get", "reads", schema.ptr);
    assert_int_equal(offer_one(b, t), 0);
    assert_null(find(b, "get"));
    (void)offer_one(b, plain(b, "get", "reads"));
    assert_int_equal(offer_one(b, t), CATALOG_CHANGED);
    assert_int_equal(state_of(b, "get"), CATALOG_QUARANTINED);
    assert_int_equal(find(b, "get")->offered.text.len, 0);
    buf_release(&schema);
}

static void
a_schema_that_is_not_understood_is_kept_with_the_reason(void **state)
{
    struct bench *b = *state;
    struct tool t =
        make(b, "get", "reads", "{\"type\":\"object\",\"$dynamicRef\":\"#x\"}");
    assert_int_equal(offer_one(b, t), CATALOG_SEEN);
    const struct catalog_tool *known = find(b, "get");
    assert_int_equal(known->state, CATALOG_PINNED);
    assert_null(known->input);
    assert_non_null(memmem(known->why.ptr, known->why.len, "$dynamicRef", 11));
}

/* What a server answers, read as a link reads it. */
static void tools_of_a_page_are_pinned_and_its_garbage_is_not(void **state)
{
    struct bench *b = *state;
    static const char page[] =
        "{\"tools\":["
        "{\"name\":\"ok\",\"inputSchema\":{\"type\":\"object\"}},"
        "{\"name\":\"no schema\",\"inputSchema\":{\"type\":\"object\"}},"
        "{\"name\":\"list\",\"inputSchema\":[]},"
        "{\"name\":\"\",\"inputSchema\":{\"type\":\"object\"}},"
        "{\"name\":\"a/b\",\"inputSchema\":{\"type\":\"object\"}},"
        "{\"name\":\"g\xc3\xa9t\",\"inputSchema\":{\"type\":\"object\"}}]}";
    const struct json *v;
    struct tool_page read;
    struct fault fault;
    assert_int_equal(json_read(&b->arena, str_from(page), &v, NULL), ERR_OK);
    assert_int_equal(tool_read_page(&b->arena, v, &read, &fault), ERR_OK);
    assert_int_equal(read.count, 1);
    assert_int_equal(offer(b, read.tools, read.count, false), 1);
    struct tool names[8];
    for (size_t i = 0; i < read.refused_count; i++)
        names[i] = (struct tool){.name = read.refused[i].name};
    assert_int_equal(offer(b, names, read.refused_count, false), 0);
    assert_int_equal(catalog_count(catalog_writer_current(b->writer), STR("")),
                     1);
}

/* Takes all rows, as a store would, into a new writer. */
static struct catalog_writer *restart(struct bench *b)
{
    struct catalog *c = catalog_writer_current(b->writer);
    size_t n = catalog_count(c, STR(""));
    struct catalog_row *rows = calloc(n + 1, sizeof(*rows));
    struct catalog_writer *w;
    assert_non_null(rows);
    for (size_t i = 0; i < n; i++) {
        const struct catalog_tool *t = catalog_at(c, STR(""), n - 1 - i);
        rows[i] =
            (struct catalog_row){t->server,     t->tool.name,    t->state,
                                 t->tool.text,  t->offered.text, t->first_us,
                                 t->changed_us, t->approved_by};
    }
    assert_int_equal(catalog_writer_new(&w), ERR_OK);
    assert_int_equal(catalog_writer_load(w, rows, n), ERR_OK);
    free(rows);
    return w;
}

static void a_restart_forgets_nothing(void **state)
{
    struct bench *b = *state;
    struct tool three[] = {plain(b, "a", "x"), plain(b, "b", "x"),
                           plain(b, "c", "x")};
    (void)offer(b, three, 2, false);
    (void)offer(b, &three[2], 1, true);
    (void)offer_one(b, plain(b, "a", "y"));
    (void)offer_one(b, unreadable("b"));
    struct catalog_writer *w = restart(b);
    catalog_writer_free(b->writer);
    b->writer = w;
    assert_int_equal(state_of(b, "a"), CATALOG_QUARANTINED);
    assert_true(str_eq(find(b, "a")->offered.description, STR("y")));
    assert_int_equal(state_of(b, "b"), CATALOG_QUARANTINED);
    assert_int_equal(state_of(b, "c"), CATALOG_PROPOSED);
    assert_int_equal(offer(b, three, 3, false), 2);
    assert_int_equal(state_of(b, "a"), CATALOG_PINNED);
    assert_int_equal(state_of(b, "b"), CATALOG_PINNED);
    assert_int_equal(state_of(b, "c"), CATALOG_PROPOSED);
}

static void rows_that_are_not_ours_are_not_loaded(void **state)
{
    struct bench *b = *state;
    struct tool t = plain(b, "a", "x"), u = plain(b, "a", "y");
    const struct catalog_row good = {STR("crm"), STR("a"), CATALOG_PINNED,
                                     t.text,     {0},      1,
                                     1,          {0}};
    struct catalog_row bad[9];
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        bad[i] = good;
    bad[0].name = STR("b");
    bad[1].server = STR("");
    bad[2].state = CATALOG_NONE;
    bad[3].pinned = STR("{}");
    bad[4].pinned = str_first(t.text, t.text.len - 1);
    bad[5].offered = u.text; /* though it is pinned */
    bad[6].state = CATALOG_QUARANTINED;
    bad[6].offered = t.text; /* what is pinned */
    bad[7].pinned = STR("");
    bad[8].server = STR("a/b");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(catalog_writer_load(b->writer, &bad[i], 1),
                         ERR_CORRUPT);
    const struct catalog_row twice[] = {good, good};
    assert_int_equal(catalog_writer_load(b->writer, twice, 2), ERR_CORRUPT);
    assert_int_equal(catalog_writer_load(b->writer, &good, 1), ERR_OK);
    assert_int_equal(state_of(b, "a"), CATALOG_PINNED);
}

static void thousands_of_tools_are_settled_at_once(void **state)
{
    struct bench *b = *state;
    struct tool *at = calloc(MANY, sizeof(*at));
    assert_non_null(at);
    for (unsigned i = 0; i < MANY; i++) {
        char name[24];
        (void)snprintf(name, sizeof(name), "tool-%u", i);
        at[i] = plain(b, name, "does something");
    }
    assert_int_equal(offer(b, at, MANY, false), MANY);
    struct catalog *first = catalog_ref(catalog_writer_current(b->writer));
    const struct catalog_tool *shared =
        catalog_find(first, STR("crm"), STR("tool-7"));
    at[9] = plain(b, "tool-9", "does more");
    assert_int_equal(offer(b, at, MANY, false), 1);
    /* One change: all others are the same memory. */
    assert_ptr_equal(find(b, "tool-7"), shared);
    assert_ptr_not_equal(find(b, "tool-9"),
                         catalog_find(first, STR("crm"), STR("tool-9")));
    assert_int_equal(
        catalog_find(first, STR("crm"), STR("tool-9"))->state,
        CATALOG_PINNED); /* whoever holds it keeps what it began with */
    catalog_unref(first);
    assert_int_equal(offer(b, at, MANY, false), 0);
    free(at);
}

static void too_many_tools_of_one_server_are_refused(void **state)
{
    struct bench *b = *state;
    size_t n = CATALOG_SERVER_MAX + 1;
    struct tool *at = calloc(n, sizeof(*at));
    assert_non_null(at);
    for (unsigned i = 0; i < n; i++) {
        char name[24];
        (void)snprintf(name, sizeof(name), "t%u", i);
        at[i] = plain(b, name, "");
    }
    assert_int_equal(try_offer(b, at, n, false), ERR_LIMIT);
    assert_int_equal(offer(b, at, n - 1, false), n - 1);
    assert_int_equal(try_offer(b, at + n - 1, 1, false), ERR_LIMIT);
    assert_int_equal(state_of(b, "t0"), CATALOG_PINNED);
    free(at);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_tool_is_pinned_when_it_is_first_seen),
        TEST(a_changed_tool_is_quarantined_until_it_returns),
        TEST(only_what_the_person_has_seen_is_approved),
        TEST(where_new_tools_wait_nothing_is_usable_before_a_person),
        TEST(what_was_listed_before_undoes_nothing),
        TEST(rule_13_names_that_differ_in_case_are_not_pinned),
        TEST(one_name_twice_is_no_offer),
        TEST(a_definition_that_cannot_be_read_quarantines),
        TEST(a_definition_that_is_too_long_is_not_kept),
        TEST(a_schema_that_is_not_understood_is_kept_with_the_reason),
        TEST(tools_of_a_page_are_pinned_and_its_garbage_is_not),
        TEST(a_restart_forgets_nothing),
        TEST(rows_that_are_not_ours_are_not_loaded),
        TEST(thousands_of_tools_are_settled_at_once),
        TEST(too_many_tools_of_one_server_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
