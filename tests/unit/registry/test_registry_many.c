/* Tests registry/: many entries, folding, and readers beside the writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"
#include "os/clock.h"
#include "os/thread.h"
#include "registry/registry_fold.h"
#include "registry/registry_table.h"

/* ---- tables against a plain array ---- */

enum { MODEL_IDS = 300 };
static const struct siphash_key seed = {1, 2};

static struct registry_record *record(unsigned n, unsigned revision)
{
    char name[16];
    (void)snprintf(name, sizeof(name), "n%03u", n);
    struct registry_key keys[] = {fixture_key(n * 1000 + revision),
                                  fixture_key(n * 1000 + revision + 500)};
    struct registry_entry e = fixture_entry(PRINCIPAL_AGENT, name);
    e.revision = revision;
    e.keys = keys;
    e.key_count = n % 3;
    struct registry_record *r = registry_record_new(seed, &e);
    assert_non_null(r);
    return r;
}

static void assert_table(const struct registry_table *t,
                         const unsigned revisions[MODEL_IDS])
{
    size_t count = 0;
    for (unsigned n = 0; n < MODEL_IDS; n++) {
        struct registry_record *want = record(n, revisions[n]);
        const struct principal *who = &want->entry.who;
        const struct registry_key *key = NULL;
        struct registry_record *got =
            registry_table_find(t, want->hash, who->kind, who->id);
        assert_true((got != NULL) == (revisions[n] > 0));
        if (got != NULL) {
            assert_true(registry_record_same(&got->entry, &want->entry));
            assert_ptr_equal(got, t->sorted[count]); /* "n000" and so on */
            count++;
        }
        for (unsigned k = 0; k < want->entry.key_count; k++)
            assert_ptr_equal(registry_table_by_key(t, &want->entry.keys[k].hmac,
                                                   &key),
                             got);
        registry_record_unref(want);
    }
    assert_int_equal(t->count, count);
}

static struct registry_table *table_of(unsigned from, unsigned step,
                                       unsigned revision,
                                       unsigned revisions[MODEL_IDS])
{
    struct registry_record **sorted =
        (struct registry_record **)calloc(MODEL_IDS, sizeof(*sorted));
    assert_non_null(sorted);
    size_t count = 0;
    for (unsigned n = from; n < MODEL_IDS; n += step) {
        sorted[count++] = record(n, revision);
        revisions[n] = revision;
    }
    struct registry_table *t = registry_table_make(sorted, count);
    assert_non_null(t);
    return t;
}

static void a_merge_keeps_the_newer_of_each(void **state)
{
    (void)state;
    static const struct {
        unsigned from, step;
    } layers[] = {{MODEL_IDS, 1}, {5, 7},   {0, 2},   {1, 2},
                  {299, 1},       {0, 299}, {100, 50}};
    unsigned revisions[MODEL_IDS] = {0};
    struct registry_table *all = registry_table_make(NULL, 0);
    assert_non_null(all);
    for (unsigned i = 0; i < ARRAY_LEN(layers); i++) {
        struct registry_table *layer =
            table_of(layers[i].from, layers[i].step, i + 1, revisions);
        struct registry_table *merged = registry_table_merge(all, layer);
        assert_non_null(merged);
        assert_table(merged, revisions);
        struct registry_table *rest = registry_table_without(merged, layer);
        assert_int_equal(rest->count, merged->count - layer->count);
        registry_table_unref(rest);
        registry_table_unref(all);
        registry_table_unref(layer);
        all = merged;
    }
    registry_table_unref(all);
}

struct folded {
    struct loop *loop;
    struct registry_table *table;
    unsigned count;
};

static void on_folded(void *user, struct registry_table *t)
{
    struct folded *f = user;
    f->table = t;
    f->count++;
    loop_stop(f->loop);
}

/* A database may sort otherwise than we do. */
static void records_in_any_order_become_a_table(void **state)
{
    (void)state;
    struct folded got = {0};
    assert_int_equal(loop_new(&got.loop), ERR_OK);
    for (unsigned twice = 0; twice < 2; twice++) {
        unsigned revisions[MODEL_IDS];
        struct registry_fold_input in = {0};
        struct registry_fold *fold;
        in.records = (struct registry_record **)calloc(MODEL_IDS + 1,
                                                       sizeof(*in.records));
        assert_non_null(in.records);
        for (unsigned n = 0; n < MODEL_IDS; n++) {
            in.records[n] = record(n * 7 % MODEL_IDS, 1);
            revisions[n] = 1;
        }
        in.count = MODEL_IDS;
        if (twice == 1)
            in.records[in.count++] = record(3, 1);
        const struct registry_fold_events events = {on_folded, &got};
        assert_int_equal(registry_fold_start(got.loop, &in, &events, &fold),
                         ERR_OK);
        while (got.count <= twice)
            loop_run(got.loop);
        assert_true((got.table == NULL) == (twice == 1));
        if (got.table != NULL)
            assert_table(got.table, revisions);
        registry_table_unref(got.table);
    }
    loop_free(got.loop);
}

/* ---- a registry of many ---- */

/* Sanitizers look at each byte that SQLite copies. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define MANY 20000
#else
#define MANY 200000
#endif
#define TEXT_OF(n) #n
#define NUMBERS(n)                                                             \
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"           \
    " WHERE i < " TEXT_OF(n) ")"

/* Many agents with a key each, and Alice. */
static const struct store_sql many[] = {
    {"INSERT INTO identity VALUES ('keys|alice', 'human', 'acme', 'keys',"
     " 'alice', 'keys|alice', '[]', 'both', 0, 'active', 1,"
     " 2000000000000000, 1)",
     0},
    {NUMBERS(MANY) " INSERT INTO identity SELECT 'acme/agent-' || i, 'agent', "
                   "'acme',"
                   " 'keys', 'agent-' || i, 'keys|alice', '[\"support\"]', "
                   "'both', 3,"
                   " 'active', 1, 2000000000000000, 1 FROM n",
     0},
    {NUMBERS(MANY) " INSERT INTO identity_key SELECT CAST(printf('%032d', i) "
                   "AS BLOB),"
                   " 'acme/agent-' || i, 'agent', '0123456789abcdef', "
                   "2000000000000000"
                   " FROM n",
     0},
};

static int set_up(void **state)
{
    static struct fixture f;
    fixture_init(&f);
    fixture_open_store(&f);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_release(*state);
    return 0;
}

static struct registry_entry agent(unsigned n)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "agent-%u", n);
    struct registry_entry e = fixture_entry(PRINCIPAL_AGENT, name);
    e.name = str_skip(e.who.id, 5); /* which is kept for a while */
    return e;
}

static void assert_many(const struct registry_view *v, uint64_t revision,
                        unsigned changed)
{
    for (unsigned i = 1; i <= MANY; i += 97) {
        struct registry_entry e = agent(i);
        const struct registry_entry *got = NULL;
        const struct registry_key *key = NULL;
        char hmac[HASH_LEN + 1];
        struct hash hash;
        (void)snprintf(hmac, sizeof(hmac), "%032u", i);
        memcpy(hash.bytes, hmac, HASH_LEN);
        assert_int_equal(registry_view_check(v, &e.who, NOW_US, &got), ERR_OK);
        assert_int_equal(got->revision, i <= changed ? revision : 1);
        bool has_key = i > changed; /* a change drops it */
        got = registry_view_by_key(v, &hash, &key);
        assert_true((got != NULL) == has_key);
        assert_true(got == NULL || str_eq(got->who.id, e.who.id));
    }
}

static void many_are_loaded_and_folded(void **state)
{
    enum { CHANGED = 2100 }; /* an overlay is folded from 2048 on */
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        fixture_run_sql(f, &many[i]);
    fixture_open(f);
    assert_int_equal(f->open_err, ERR_OK);
    assert_int_equal(registry_view_count(f->view), MANY + 1);
    assert_many(f->view, 1, 0);

    struct registry_view *before = registry_view_ref(f->view);
    for (unsigned i = 1; i <= CHANGED; i++) {
        struct registry_entry e = agent(i);
        e.revision = 2;
        assert_int_equal(registry_put(f->registry, &e, -1, NULL), ERR_OK);
    }
    assert_many(f->view, 2, CHANGED);
    /* A fold is announced as a change, too. */
    fixture_wait(f, &f->changes, 1 + CHANGED + 1);
    assert_many(f->view, 2, CHANGED);
    assert_many(before, 1, 0); /* a view stays as it was */
    assert_int_equal(registry_view_count(f->view), MANY + 1);
    assert_int_equal(registry_view_epoch(f->view),
                     registry_view_epoch(before) + CHANGED);
    registry_view_unref(before);
}

/* ---- readers beside the writer ---- */

enum { READERS = 2, SHARED_IDS = 64, OTHERS_A_ROUND = 64 };

struct shared {
    pthread_mutex_t lock;
    struct registry_view *view;
    atomic_bool stop;
    atomic_uint looks, wrong;
};

static struct registry_view *take(struct shared *s)
{
    (void)pthread_mutex_lock(&s->lock);
    struct registry_view *v = registry_view_ref(s->view);
    (void)pthread_mutex_unlock(&s->lock);
    return v;
}

/* The writer changes all in turn, so in a view no two differ by more than
 * one, and the first is ahead. */
static bool is_whole(const struct registry_view *v)
{
    const struct registry_entry *list[SHARED_IDS];
    if (registry_view_list(v, STR(""), list, SHARED_IDS) != SHARED_IDS)
        return false;
    uint64_t last = list[0]->revision;
    for (size_t i = 1; i < SHARED_IDS; i++) {
        const struct registry_entry *e = list[i];
        if (e->revision > last || e->revision + 1 < list[0]->revision ||
            registry_view_find(v, e->who.kind, e->who.id) != e)
            return false;
        last = e->revision;
    }
    return true;
}

static void read_on(void *arg)
{
    struct shared *s = arg;
    while (!atomic_load(&s->stop)) {
        struct registry_view *v = take(s);
        if (!is_whole(v))
            (void)atomic_fetch_add(&s->wrong, 1);
        (void)atomic_fetch_add(&s->looks, 1);
        registry_view_unref(v);
    }
}

static void show(void *user, struct registry_view *v)
{
    struct shared *s = user;
    (void)pthread_mutex_lock(&s->lock);
    struct registry_view *old = s->view;
    s->view = v;
    (void)pthread_mutex_unlock(&s->lock);
    registry_view_unref(old);
}

static void on_opened(void *user, enum err e, struct str why)
{
    (void)user;
    (void)why;
    assert_int_equal(e, ERR_OK);
}

/* So that the overlay grows; they stand behind the others in lists. */
static void put_others(struct fixture *f, unsigned round)
{
    for (unsigned n = 0; n < OTHERS_A_ROUND; n++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "other-%u-%u", round, n);
        struct registry_entry e = fixture_entry(PRINCIPAL_AGENT, name);
        assert_int_equal(registry_put(f->registry, &e, -1, NULL), ERR_OK);
    }
}

static void put_all(struct fixture *f, uint64_t revision)
{
    for (unsigned n = 0; n < SHARED_IDS; n++) {
        struct registry_entry e = agent(100 + n);
        e.revision = revision;
        assert_int_equal(registry_put(f->registry, &e, -1, NULL), ERR_OK);
    }
}

static void readers_see_whole_views_while_others_are_made(void **state)
{
    enum { ROUNDS = 36, LOOKS = 200 };
    struct fixture *f = *state;
    static struct shared s;
    s = (struct shared){0};
    (void)pthread_mutex_init(&s.lock, NULL);
    const struct registry_events events = {on_opened, show, &s};
    assert_int_equal(registry_open(f->loop, f->store, STR("gw-1"), &events,
                                   &f->registry),
                     ERR_OK);
    while (s.view == NULL)
        loop_run(f->loop);
    put_all(f, 1);
    struct thread readers[READERS];
    for (unsigned i = 0; i < READERS; i++)
        assert_int_equal(thread_start(&readers[i], "reader", read_on, &s),
                         ERR_OK);
    uint64_t revision = 2;
    for (; revision < ROUNDS || atomic_load(&s.looks) < LOOKS; revision++) {
        put_all(f, revision);
        if (revision < ROUNDS)
            put_others(f, (unsigned)revision);
        fixture_turn(f); /* a fold's result comes with the loop */
    }
    atomic_store(&s.stop, true);
    for (unsigned i = 0; i < READERS; i++)
        thread_join(&readers[i]);
    assert_int_equal(atomic_load(&s.wrong), 0);
    registry_close(f->registry);
    f->registry = NULL;
    assert_true(is_whole(s.view));
    registry_view_unref(s.view);
    (void)pthread_mutex_destroy(&s.lock);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_merge_keeps_the_newer_of_each),
        cmocka_unit_test(records_in_any_order_become_a_table),
        TEST(many_are_loaded_and_folded),
        TEST(readers_see_whole_views_while_others_are_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
