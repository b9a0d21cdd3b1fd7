/* Tests app/gateway_tools: evidence, store and catalog of tools, in a real
 * store; the ledger answers when a test says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/gateway_tools.h"
#include "base/attr.h"
#include "base/container.h"
#include "base/limits.h"
#include "evidence/evidence.h"
#include "mcp/catalog_writer.h"
#include "os/loop.h"
#include "os/timer.h"
#include "store/store.h"

enum { PATIENCE_MS = 20000, MANY = 1500 };

/* --- a ledger that remembers; it stands in for ledger_client.c ------------ */

struct ledger_client {
    enum err answer;
    bool holds_back; /* answers only by ledger_says() */
    struct ledger_wait *wait;
    struct timer timer;
    struct loop *loop;
    struct buf entries;
};

static struct ledger_client ledger;

static void ledger_says(enum err e)
{
    static const struct ledger_receipt receipt;
    struct ledger_wait *w = ledger.wait;
    assert_non_null(w);
    ledger.wait = NULL;
    w->done(w, e, e == ERR_OK ? &receipt : NULL);
}

static void on_answer(struct timer *t)
{
    (void)t;
    if (ledger.wait != NULL)
        ledger_says(ledger.answer);
}

enum err ledger_client_append(struct ledger_client *c,
                              const struct ledger_append *a,
                              struct ledger_wait *w)
{
    assert_int_equal(a->class, LEDGER_AWAITED);
    buf_add(&c->entries, a->entry);
    buf_add_char(&c->entries, '\n');
    if (w == NULL)
        return ERR_OK;
    assert_null(c->wait);
    c->wait = w;
    if (!c->holds_back)
        timer_set(c->loop, &c->timer, 1, on_answer);
    return ERR_OK;
}

void ledger_wait_cancel(struct ledger_wait *w)
{
    if (ledger.wait == w)
        ledger.wait = NULL;
}

/* How often it was said. */
static size_t says(const char *part)
{
    size_t n = 0, at = 0, len = strlen(part);
    for (; at + len <= ledger.entries.len; at++)
        n += memcmp(ledger.entries.ptr + at, part, len) == 0 ? 1 : 0;
    return n;
}

/* --- one life of a gateway, as far as its tools go ------------------------ */

struct life {
    struct loop *loop;
    struct store *store;
    struct evidence *evidence;
    struct gateway_tools *tools;
    struct catalog *published; /* +1 */
    unsigned publishes;
    struct timer patience;
    bool loaded;
    enum err load_err;
    bool dropped;
};

struct asked {
    struct gateway_tools_job job;
    struct life *life;
    bool done;
    enum err err;
};

static char dir[64];
static struct arena arena;

static void too_late(struct timer *t)
{
    (void)t;
    fail_msg("nothing came");
}

static void on_publish(void *user, struct catalog *c)
{
    struct life *l = user;
    catalog_unref(l->published);
    l->published = catalog_ref(c);
    l->publishes++;
}

static void on_loaded(void *user, enum err e, struct str why)
{
    struct life *l = user;
    (void)why;
    l->loaded = true;
    l->load_err = e;
    loop_stop(l->loop);
}

static void on_opened(void *user, enum err e, struct str why)
{
    struct life *l = user;
    (void)why;
    assert_int_equal(e, ERR_OK);
    gateway_tools_load(l->tools, l->store, on_loaded);
}

static void start(struct life *l, const char *node)
{
    *l = (struct life){0};
    assert_int_equal(loop_new(&l->loop), ERR_OK);
    ledger = (struct ledger_client){.loop = l->loop};
    buf_init(&ledger.entries, 64 * MIB);
    assert_int_equal(evidence_new(l->loop, &ledger, str_from(node),
                                  &l->evidence),
                     ERR_OK);
    const struct gateway_tools_options o = {l->loop, l->evidence,
                                            str_from(node), on_publish, l};
    assert_int_equal(gateway_tools_new(&o, &l->tools), ERR_OK);
    assert_null(gateway_tools_current(l->tools));
    const struct store_options store = {.url = STR("sqlite"), .data_dir = dir};
    const struct store_events events = {on_opened, NULL, l};
    const char *why = "";
    assert_int_equal(store_open(l->loop, &store, &events, &l->store, &why),
                     ERR_OK);
    timer_set(l->loop, &l->patience, PATIENCE_MS, too_late);
    loop_run(l->loop);
    assert_true(l->loaded);
}

static void end(struct life *l)
{
    timer_cancel(&l->patience);
    timer_cancel(&ledger.timer);
    gateway_tools_free(l->tools);
    evidence_free(l->evidence);
    store_close(l->store);
    catalog_unref(l->published);
    loop_free(l->loop);
    buf_release(&ledger.entries);
}

static void start_again(struct life *l, const char *node)
{
    end(l);
    start(l, node);
    assert_int_equal(l->load_err, ERR_OK);
}

static int set_up(void **state)
{
    static struct life l;
    (void)snprintf(dir, sizeof(dir), "/tmp/writ-tools-XXXXXX");
    assert_non_null(mkdtemp(dir));
    arena_init(&arena, 256 * MIB);
    start(&l, "n1");
    assert_int_equal(l.load_err, ERR_OK);
    *state = &l;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const files[] = {"store.db", "store.db-wal",
                                        "store.db-shm"};
    end(*state);
    arena_release(&arena);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char path[128];
        (void)snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(dir);
    return 0;
}

static struct tool make(const char *name, const char *says_what)
{
    char text[256];
    const struct json *v;
    struct fault fault;
    struct tool t;
    (void)snprintf(text, sizeof(text),
                   "{\"name\":\"%s\",\"description\":\"%s\","
                   "\"inputSchema\":{\"type\":\"object\"}}",
                   name, says_what);
    assert_int_equal(json_read(&arena, str_from(text), &v, NULL), ERR_OK);
    assert_int_equal(tool_read(&arena, STR(""), v, &t, &fault), ERR_OK);
    return t;
}

static void on_done(struct gateway_tools_job *j, enum err e)
{
    struct asked *a = CONTAINER_OF(j, struct asked, job);
    assert_false(a->done);
    a->done = true;
    a->err = e;
    loop_stop(a->life->loop);
}

static void begin(struct life *l, struct asked *a, const struct tool *at,
                  size_t n)
{
    *a = (struct asked){.life = l,
                        .job = {.server = STR("crm"),
                                .offered = at,
                                .count = n,
                                .done = on_done}};
    gateway_tools_run(l->tools, &a->job);
}

static enum err wait_for(struct asked *a)
{
    while (!a->done)
        loop_run(a->life->loop);
    return a->err;
}

static enum err offer(struct life *l, struct tool t)
{
    struct asked a;
    begin(l, &a, &t, 1);
    return wait_for(&a);
}

static enum err approve(struct life *l, const char *name, struct hash seen)
{
    const struct gateway_tools_approval approval = {str_from(name), seen,
                                                    STR("local|ada"),
                                                    STR("login"),
                                                    STR("looks well")};
    struct asked a = {.life = l,
                      .job = {.server = STR("crm"),
                              .approval = &approval,
                              .done = on_done}};
    gateway_tools_run(l->tools, &a.job);
    return wait_for(&a);
}

/* What every worker was told. */
static enum catalog_state state_of(const struct life *l, const char *name)
{
    const struct catalog_tool *t =
        catalog_find(l->published, STR("crm"), str_from(name));
    return t == NULL ? CATALOG_NONE : t->state;
}

/* From now on the store refuses every tool. */
static void on_dropped(void *user, const struct store_result *r)
{
    struct life *l = user;
    assert_int_equal(r->outcome, STORE_DONE);
    l->dropped = true;
    loop_stop(l->loop);
}

static void break_store(struct life *l)
{
    static const struct store_sql drop = {"DROP TABLE tool", 0};
    const struct store_ask ask = {NULL, on_dropped, l, PATIENCE_MS};
    struct store_batch *b;
    assert_int_equal(store_batch_new(&b), ERR_OK);
    assert_int_equal(store_batch_add(b, &drop, NULL, 0), ERR_OK);
    assert_int_equal(store_run(l->store, l->loop, b, &ask, NULL), ERR_OK);
    while (!l->dropped)
        loop_run(l->loop);
}

static void a_pin_counts_when_its_evidence_is_durable(void **state)
{
    struct life *l = *state;
    struct tool t = make("get", "reads");
    struct asked a;
    ledger.holds_back = true;
    begin(l, &a, &t, 1);
    assert_int_equal(says("\"event\":\"seen\",\"kind\":\"tool\""), 1);
    assert_int_equal(state_of(l, "get"), CATALOG_NONE);
    ledger_says(ERR_OK);
    assert_int_equal(state_of(l, "get"), CATALOG_NONE); /* not stored yet */
    assert_int_equal(wait_for(&a), ERR_OK);
    assert_int_equal(state_of(l, "get"), CATALOG_PINNED);
    assert_ptr_equal(l->published, gateway_tools_current(l->tools));
    ledger.holds_back = false;
    size_t entries = ledger.entries.len;
    assert_int_equal(offer(l, t), ERR_OK); /* nothing new */
    assert_int_equal(ledger.entries.len, entries);
}

static void without_evidence_nothing_is_pinned(void **state)
{
    struct life *l = *state;
    struct tool t = make("get", "reads");
    ledger.answer = ERR_EVIDENCE;
    assert_int_equal(offer(l, t), ERR_EVIDENCE);
    assert_int_equal(state_of(l, "get"), CATALOG_NONE);
    start_again(l, "n1");
    assert_int_equal(state_of(l, "get"), CATALOG_NONE);
    assert_int_equal(offer(l, t), ERR_OK);
    assert_int_equal(state_of(l, "get"), CATALOG_PINNED);
}

static void without_its_row_nothing_is_pinned(void **state)
{
    struct life *l = *state;
    break_store(l);
    assert_int_equal(offer(l, make("get", "reads")), ERR_STORE);
    assert_int_equal(state_of(l, "get"), CATALOG_NONE);
}

static void a_quarantine_holds_without_its_row(void **state)
{
    struct life *l = *state;
    struct tool was = make("get", "reads");
    struct tool two[] = {make("get", "sends it away"), make("new", "x")};
    struct asked a;
    assert_int_equal(offer(l, was), ERR_OK);
    break_store(l);
    begin(l, &a, two, 2);
    assert_int_equal(wait_for(&a), ERR_STORE);
    assert_int_equal(state_of(l, "get"), CATALOG_QUARANTINED);
    assert_int_equal(state_of(l, "new"), CATALOG_NONE);
    assert_int_equal(approve(l, "get", two[0].digest), ERR_STORE);
    assert_int_equal(state_of(l, "get"), CATALOG_QUARANTINED);
}

static void a_restart_forgets_no_quarantine_and_no_approval(void **state)
{
    struct life *l = *state;
    struct tool was = make("get", "reads"), other = make("get", "all");
    assert_int_equal(offer(l, was), ERR_OK);
    assert_int_equal(offer(l, other), ERR_OK);
    assert_int_equal(says("\"event\":\"changed\""), 1);
    start_again(l, "n1");
    assert_int_equal(state_of(l, "get"), CATALOG_QUARANTINED);
    assert_int_equal(approve(l, "get", was.digest), ERR_CONFLICT);
    assert_int_equal(says("approve"), 0);
    assert_int_equal(approve(l, "get", other.digest), ERR_OK);
    assert_int_equal(says("\"action\":\"tool:approve\",\"author\":{\"id\":"
                          "\"local|ada\",\"method\":\"login\"},\"detail\":"
                          "\"looks well\",\"event\":\"approve\",\"kind\":"
                          "\"admin\""),
                     1);
    assert_int_equal(says("\"event\":\"approved\",\"kind\":\"tool\""), 1);
    assert_int_equal(says("\"subject\":{\"id\":\"crm/get\",\"type\":\"Tool\"}"),
                     1);
    start_again(l, "n1");
    assert_int_equal(state_of(l, "get"), CATALOG_PINNED);
    assert_true(str_eq(catalog_at(l->published, STR(""), 0)->approved_by,
                       STR("local|ada")));
    start_again(l, "n2"); /* another node has looked at nothing */
    assert_int_equal(state_of(l, "get"), CATALOG_NONE);
}

static void an_approval_waits_for_its_evidence(void **state)
{
    struct life *l = *state;
    struct tool was = make("get", "reads"), other = make("get", "all");
    assert_int_equal(approve(l, "get", was.digest), ERR_NOT_FOUND);
    assert_int_equal(offer(l, was), ERR_OK);
    assert_int_equal(offer(l, other), ERR_OK);
    ledger.answer = ERR_EVIDENCE;
    assert_int_equal(approve(l, "get", other.digest), ERR_EVIDENCE);
    assert_int_equal(state_of(l, "get"), CATALOG_QUARANTINED);
    assert_int_equal(offer(l, was), ERR_EVIDENCE); /* nor does it return */
    assert_int_equal(state_of(l, "get"), CATALOG_QUARANTINED);
}

static void an_old_listing_undoes_no_quarantine(void **state)
{
    struct life *l = *state;
    struct tool was = make("get", "reads"), other = make("get", "all");
    struct tool two[] = {was, make("new", "x")};
    struct asked a = {.life = l,
                      .job = {.server = STR("crm"),
                              .offered = two,
                              .count = 2,
                              .listed_ms = 1, /* long ago */
                              .done = on_done}};
    assert_int_equal(offer(l, was), ERR_OK);
    assert_int_equal(offer(l, other), ERR_OK);
    gateway_tools_run(l->tools, &a.job);
    assert_int_equal(wait_for(&a), ERR_OK);
    assert_int_equal(state_of(l, "get"), CATALOG_QUARANTINED);
    assert_int_equal(state_of(l, "new"), CATALOG_PINNED);
    assert_int_equal(approve(l, "get", other.digest), ERR_OK);
    a.done = false;
    gateway_tools_run(l->tools, &a.job);
    assert_int_equal(wait_for(&a), ERR_OK);
    assert_int_equal(state_of(l, "get"), CATALOG_PINNED);
}

static void thousands_of_tools_come_back(void **state)
{
    struct life *l = *state;
    struct tool *at = calloc(MANY, sizeof(*at));
    struct asked a;
    assert_non_null(at);
    for (unsigned i = 0; i < MANY; i++) {
        char name[24];
        (void)snprintf(name, sizeof(name), "tool-%u", i);
        at[i] = make(name, "does something");
    }
    begin(l, &a, at, MANY);
    assert_int_equal(wait_for(&a), ERR_OK);
    assert_int_equal(says("\"kind\":\"tool\""), (MANY + 31) / 32);
    struct hash before = catalog_digest(l->published);
    start_again(l, "n1");
    assert_int_equal(catalog_count(l->published, STR("crm")), MANY);
    struct hash after = catalog_digest(l->published);
    assert_memory_equal(&before, &after, sizeof(before));
    assert_int_equal(l->publishes, 1);
    begin(l, &a, at, MANY);
    assert_true(a.done); /* at once: nothing is new */
    assert_int_equal(a.err, ERR_OK);
    free(at);
}

static void jobs_are_done_in_order_and_the_end_ends_them(void **state)
{
    struct life *l = *state;
    struct tool t = make("get", "reads"), u = make("get", "all");
    struct asked a, b, c;
    begin(l, &a, &t, 1);
    begin(l, &b, &u, 1);
    assert_int_equal(wait_for(&a), ERR_OK);
    assert_false(b.done);
    assert_int_equal(state_of(l, "get"), CATALOG_PINNED);
    assert_int_equal(wait_for(&b), ERR_OK);
    assert_int_equal(state_of(l, "get"), CATALOG_QUARANTINED);
    ledger.holds_back = true;
    begin(l, &a, &t, 1);
    begin(l, &c, &u, 1);
    gateway_tools_free(l->tools);
    l->tools = NULL;
    assert_int_equal(a.err, ERR_SHUTDOWN);
    assert_int_equal(c.err, ERR_SHUTDOWN);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_pin_counts_when_its_evidence_is_durable),
        TEST(without_evidence_nothing_is_pinned),
        TEST(without_its_row_nothing_is_pinned),
        TEST(a_quarantine_holds_without_its_row),
        TEST(a_restart_forgets_no_quarantine_and_no_approval),
        TEST(an_approval_waits_for_its_evidence),
        TEST(an_old_listing_undoes_no_quarantine),
        TEST(thousands_of_tools_come_back),
        TEST(jobs_are_done_in_order_and_the_end_ends_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
