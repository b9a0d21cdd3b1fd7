/* Tests admin/tools: what a person is shown of a tool, and what a yes is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/limits.h"
#include "fixture.h"
#include "mcp/catalog_writer.h"

static struct catalog_writer *writer;
static struct arena arena;
static enum err approval_err;
static struct {
    void (*done)(void *arg, enum err e);
    void *arg;
    unsigned count;
    char author[64], reason[64];
} approval;

static struct catalog *catalog_of(void *user)
{
    (void)user;
    return writer == NULL ? NULL : catalog_writer_current(writer);
}

static void copy(char *to, size_t room, struct str s)
{
    assert_true(s.len < room);
    memcpy(to, s.ptr, s.len);
    to[s.len] = 0;
}

/* What the process does, but for evidence and store. */
static enum err approve(void *user, const struct admin_tool_approval *a,
                        void (*done)(void *arg, enum err e), void *arg)
{
    struct catalog_changes changes;
    (void)user;
    approval.count++;
    approval.done = done;
    approval.arg = arg;
    copy(approval.author, sizeof(approval.author), a->author);
    copy(approval.reason, sizeof(approval.reason), a->reason);
    if (approval_err != ERR_OK)
        return approval_err;
    const struct catalog_approval yes = {a->server, a->name, a->seen,
                                         a->author};
    enum err e = catalog_writer_approve(writer, &yes,
                                        (struct catalog_now){3, 3}, &changes);
    if (e != ERR_OK) {
        done(arg, e);
        return ERR_OK;
    }
    catalog_writer_publish(writer, changes.next);
    catalog_unref(changes.next);
    return ERR_OK; /* and `done` later */
}

static struct tool make(const char *name, const char *says)
{
    char text[256];
    const struct json *v;
    struct fault fault;
    struct tool t;
    (void)snprintf(text, sizeof(text),
                   "{\"name\":\"%s\",\"description\":\"%s\","
                   "\"inputSchema\":{\"type\":\"object\"}}",
                   name, says);
    assert_int_equal(json_read(&arena, str_from(text), &v, NULL), ERR_OK);
    assert_int_equal(tool_read(&arena, STR(""), v, &t, &fault), ERR_OK);
    return t;
}

static void offer(const char *server, struct tool t, bool approve_new)
{
    struct catalog_changes changes;
    const struct catalog_offer o = {str_from(server), &t, 1, approve_new, 0};
    assert_int_equal(catalog_writer_offer(writer, &o,
                                          (struct catalog_now){1, 1}, &changes),
                     ERR_OK);
    catalog_writer_publish(writer, changes.next);
    catalog_unref(changes.next);
}

static int set_up(void **state)
{
    (void)fixture_open(state);
    struct fixture *f = *state;
    f->host.hooks.catalog = catalog_of;
    f->host.hooks.approve_tool = approve;
    arena_init(&arena, 16 * MIB);
    memset(&approval, 0, sizeof(approval));
    approval_err = ERR_OK;
    assert_int_equal(catalog_writer_new(&writer), ERR_OK);
    offer("crm", make("get", "reads"), false);
    offer("crm", make("get", "sends it away"), false);
    offer("crm-2", make("approve", "x"), true);
    offer("erp", make("get", "reads"), false);
    return 0;
}

static int tear_down(void **state)
{
    catalog_writer_free(writer);
    writer = NULL;
    arena_release(&arena);
    return fixture_close(state);
}

static void the_list_shows_states_and_filters(void **state)
{
    struct fixture *f = *state;
    fixture_do(f, "GET", "tools", NULL);
    assert_int_equal(f->status, 200);
    assert_true(fixture_says(f, "\"server\":\"crm\",\"name\":\"get\",\"state\":"
                                "\"quarantined\""));
    assert_true(fixture_says(f, "\"name\":\"approve\",\"state\":\"proposed\""));
    assert_true(fixture_says(f, "\"server\":\"erp\""));
    assert_false(fixture_says(f, "definition"));
    fixture_do(f, "GET", "tools?server=crm", NULL);
    assert_true(fixture_says(f, "\"server\":\"crm\""));
    assert_false(fixture_says(f, "crm-2"));
    fixture_do(f, "GET", "tools?state=pinned", NULL);
    assert_true(fixture_says(f, "\"server\":\"erp\""));
    assert_false(fixture_says(f, "crm"));
    fixture_do(f, "GET", "tools?color=red", NULL);
    assert_int_equal(f->status, 400);
}

static void the_list_comes_in_pages(void **state)
{
    struct fixture *f = *state;
    fixture_do(f, "GET", "tools?limit=1", NULL);
    assert_true(fixture_says(f, "\"next\":\"crm/get\""));
    fixture_do(f, "GET", "tools?limit=1&after=crm%2Fget", NULL);
    assert_true(fixture_says(f, "\"next\":\"crm-2/approve\""));
    fixture_do(f, "GET", "tools?limit=1&after=crm-2%2Fapprove", NULL);
    assert_true(fixture_says(f, "\"server\":\"erp\""));
    assert_false(fixture_says(f, "next"));
}

static void a_quarantined_tool_shows_what_changed(void **state)
{
    struct fixture *f = *state;
    fixture_do(f, "GET", "tools/crm/get", NULL);
    assert_int_equal(f->status, 200);
    assert_true(fixture_says(
        f, "\"changes\":[{\"pointer\":\"/description\",\"was\":\"reads\","
           "\"now\":\"sends it away\"}]"));
    assert_true(fixture_says(f, "\"pinned\":{\"digest\":\""));
    assert_true(fixture_says(f, "\"definition\":{\"description\":\"reads\""));
    fixture_do(f, "GET", "tools/crm-2/approve", NULL);
    assert_int_equal(f->status, 200);
    assert_true(fixture_says(f, "\"offered\":{\"digest\":\""));
    assert_false(fixture_says(f, "\"pinned\""));
    fixture_do(f, "GET", "tools/crm/put", NULL);
    assert_int_equal(f->status, 404);
    fixture_do(f, "GET", "tools/crm", NULL);
    assert_int_equal(f->status, 404);
}

/* Asks for an approval of what `digest` names. */
static void ask(struct fixture *f, const char *path, struct hash digest)
{
    char body[160];
    int len =
        snprintf(body, sizeof(body), "{\"reason\":\"seen\",\"digest\":\"");
    for (size_t i = 0; i < HASH_LEN; i++)
        len += snprintf(body + len, sizeof(body) - (size_t)len, "%02x",
                        (unsigned)digest.bytes[i]);
    (void)snprintf(body + len, sizeof(body) - (size_t)len, "\"}");
    fixture_ask(f, "POST", path, body);
}

static void an_approval_names_what_was_seen(void **state)
{
    struct fixture *f = *state;
    ask(f, "tools/crm/get/approve", make("get", "sends it away").digest);
    assert_int_equal(approval.count, 1);
    assert_string_equal(approval.author, "local|ada");
    assert_string_equal(approval.reason, "seen");
    assert_int_equal(f->replies, 0); /* not before it is durable */
    approval.done(approval.arg, ERR_OK);
    assert_int_equal(f->replies, 1);
    assert_int_equal(f->status, 200);
    assert_true(fixture_says(f, "\"state\":\"pinned\""));
    assert_true(fixture_says(f, "\"approved_by\":\"local|ada\""));
    ask(f, "tools/crm-2/approve/approve", make("approve", "x").digest);
    approval.done(approval.arg, ERR_OK);
    assert_int_equal(f->status, 200);
}

static void another_definition_is_not_approved(void **state)
{
    struct fixture *f = *state;
    ask(f, "tools/crm/get/approve", make("get", "reads").digest);
    assert_int_equal(f->status, 409);
    ask(f, "tools/crm/put/approve", make("get", "reads").digest);
    assert_int_equal(f->status, 404);
    fixture_do(f, "POST", "tools/crm/get/approve", "{}");
    assert_int_equal(f->status, 400);
    fixture_do(f, "POST", "tools/crm/get/approve", "{\"digest\":\"abc\"}");
    assert_int_equal(f->status, 400);
    assert_true(fixture_says(f, "\"param\":\"digest\""));
    fixture_do(f, "POST", "tools/crm/get/approve",
               "{\"digest\":\"\",\"all\":true}");
    assert_int_equal(f->status, 400);
    approval_err = ERR_NO_MEMORY;
    ask(f, "tools/crm/get/approve", make("get", "sends it away").digest);
    assert_int_equal(f->status, 503);
}

static void who_leaves_is_not_answered(void **state)
{
    struct fixture *f = *state;
    ask(f, "tools/crm/get/approve", make("get", "sends it away").digest);
    void (*done)(void *arg, enum err e) = approval.done;
    void *arg = approval.arg;
    fixture_ask(f, "GET", "tools", NULL); /* the one before is cancelled */
    unsigned replies = f->replies;
    done(arg, ERR_OK);
    assert_int_equal(f->replies, replies);
}

static void before_they_are_loaded_nobody_is_told(void **state)
{
    struct fixture *f = *state;
    catalog_writer_free(writer);
    writer = NULL;
    fixture_do(f, "GET", "tools", NULL);
    assert_int_equal(f->status, 503);
    fixture_do(f, "GET", "tools/crm/get", NULL);
    assert_int_equal(f->status, 503);
    fixture_ask_unknown(f, "GET", "tools", NULL);
    assert_int_equal(f->status, 401);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_list_shows_states_and_filters),
        TEST(the_list_comes_in_pages),
        TEST(a_quarantined_tool_shows_what_changed),
        TEST(an_approval_names_what_was_seen),
        TEST(another_definition_is_not_approved),
        TEST(who_leaves_is_not_answered),
        TEST(before_they_are_loaded_nobody_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
