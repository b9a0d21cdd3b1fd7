/* Tests mcp/catalog.h: what a view shows, and that whoever holds one keeps all
 * of it while the one writer goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>

#include "base/limits.h"
#include "mcp/catalog_writer.h"

enum { ROOM = 160, READERS = 3, TOOLS = 40, ROUNDS = 120 };

static struct tool make(struct arena *a, const char *name, unsigned says)
{
    char text[ROOM];
    const struct json *v;
    struct fault fault;
    struct tool t;
    (void)snprintf(text, sizeof(text),
                   "{\"name\":\"%s\",\"description\":\"%u\","
                   "\"inputSchema\":{\"type\":\"object\"}}",
                   name, says);
    assert_int_equal(json_read(a, str_from(text), &v, NULL), ERR_OK);
    assert_int_equal(tool_read(a, STR(""), v, &t, &fault), ERR_OK);
    return t;
}

static void offer(struct catalog_writer *w, struct str server,
                  const struct tool *at, size_t n)
{
    struct catalog_changes changes;
    const struct catalog_offer o = {server, at, n, false, 0};
    assert_int_equal(catalog_writer_offer(w, &o, (struct catalog_now){1, 1},
                                          &changes),
                     ERR_OK);
    catalog_writer_publish(w, changes.next);
    catalog_unref(changes.next);
}

static void tools_come_in_order_and_by_server(void **state)
{
    struct arena a;
    struct catalog_writer *w;
    char room[ROOM];
    struct buf all;
    const struct catalog_tool *t;
    (void)state;
    arena_init(&a, 16 * MIB);
    assert_int_equal(catalog_writer_new(&w), ERR_OK);
    struct tool two[] = {make(&a, "z", 1), make(&a, "m", 1)};
    for (const char *s = "bac"; *s != 0; s++) {
        uint64_t before = catalog_number(catalog_writer_current(w));
        offer(w, (struct str){s, 1}, two, 2);
        assert_int_not_equal(catalog_number(catalog_writer_current(w)), before);
        assert_int_not_equal(catalog_number(catalog_writer_current(w)), 0);
    }
    struct catalog *c = catalog_writer_current(w);
    buf_init_lent(&all, room, sizeof(room));
    for (size_t i = 0; (t = catalog_at(c, STR(""), i)) != NULL; i++)
        buf_addf(&all, "%.*s/%.*s ", STR_FMT(t->server), STR_FMT(t->tool.name));
    assert_true(str_eq(buf_str(&all), STR("a/m a/z b/m b/z c/m c/z ")));
    assert_int_equal(catalog_count(c, STR("")), 6);
    assert_int_equal(catalog_count(c, STR("b")), 2);
    assert_int_equal(catalog_count(c, STR("bb")), 0);
    assert_true(str_eq(catalog_at(c, STR("b"), 1)->tool.name, STR("z")));
    assert_null(catalog_at(c, STR("b"), 2));
    assert_null(catalog_at(c, STR("zz"), 0));
    assert_null(catalog_at(c, STR("c"), SIZE_MAX));
    assert_null(catalog_find(c, STR(""), STR("z")));
    catalog_writer_free(w);
    arena_release(&a);
}

/* The place where a worker's view stands; in a worker a post to its loop. */
struct place {
    pthread_mutex_t lock;
    struct catalog *catalog; /* +1 */
    bool done;
    unsigned wrong;
};

static struct catalog *take(struct place *p, bool *ret_done)
{
    (void)pthread_mutex_lock(&p->lock);
    struct catalog *c = catalog_ref(p->catalog);
    *ret_done = p->done;
    (void)pthread_mutex_unlock(&p->lock);
    return c;
}

static void put(struct place *p, struct catalog *c)
{
    (void)pthread_mutex_lock(&p->lock);
    struct catalog *old = p->catalog;
    p->catalog = catalog_ref(c);
    (void)pthread_mutex_unlock(&p->lock);
    catalog_unref(old);
}

/* All tools of one view, which are complete. */
static bool is_whole(const struct catalog *c)
{
    const struct catalog_tool *t;
    size_t n = 0;
    for (; (t = catalog_at(c, STR("crm"), n)) != NULL; n++) {
        if (catalog_find(c, STR("crm"), t->tool.name) != t ||
            t->input == NULL || t->tool.text.len == 0 ||
            (t->state == CATALOG_QUARANTINED) != (t->offered.text.len > 0))
            return false;
    }
    return n == catalog_count(c, STR("")) && (n == 0 || n == TOOLS);
}

static void *read_on(void *arg)
{
    struct place *p = arg;
    bool done = false;
    unsigned wrong = 0;
    while (!done) {
        struct catalog *c = take(p, &done);
        wrong += is_whole(c) ? 0 : 1;
        catalog_unref(c);
    }
    (void)pthread_mutex_lock(&p->lock);
    p->wrong += wrong;
    (void)pthread_mutex_unlock(&p->lock);
    return NULL;
}

static void make_offer(struct arena *a, unsigned round, struct tool *to)
{
    for (unsigned i = 0; i < TOOLS; i++) {
        char name[24];
        (void)snprintf(name, sizeof(name), "t%u", i);
        to[i] = make(a, name, i == round % TOOLS ? round : 0);
    }
}

static void views_are_swapped_under_readers(void **state)
{
    (void)state;
    struct place p = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct catalog_writer *w;
    pthread_t readers[READERS];
    assert_int_equal(catalog_writer_new(&w), ERR_OK);
    p.catalog = catalog_ref(catalog_writer_current(w));
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_on, &p), 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct arena a;
        struct tool offered[TOOLS];
        arena_init(&a, 16 * MIB);
        make_offer(&a, round, offered);
        offer(w, STR("crm"), offered, TOOLS);
        arena_release(&a); /* what was offered is not borrowed */
        put(&p, catalog_writer_current(w));
    }
    (void)pthread_mutex_lock(&p.lock);
    p.done = true;
    (void)pthread_mutex_unlock(&p.lock);
    for (size_t i = 0; i < READERS; i++)
        (void)pthread_join(readers[i], NULL);
    assert_int_equal(p.wrong, 0);
    catalog_writer_free(w);
    catalog_unref(p.catalog); /* it outlives the writer */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tools_come_in_order_and_by_server),
        cmocka_unit_test(views_are_swapped_under_readers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
