/*
 * sqlite.c - a SQLite file on a thread of its own.
 *
 * WAL with synchronous=FULL: what COMMIT has answered survives a loss of
 * power.  The thread is the only one that touches the database.
 */
#include <sqlite3.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/loop.h"
#include "os/thread.h"
#include "store/sqlite_batch.h"
#include "store/store_backend.h"

enum { BUSY_MS = 2000, PATH_BYTES_MAX = 4096 };
#define FILE_NAME "store.db"

struct sqlite {
    struct store_backend_setup setup;
    char path[PATH_BYTES_MAX];
    struct thread thread;
    struct sqlite_batch_cache cache; /* the thread's, and its connection */
    char why[STORE_WHY_MAX];         /* written before it is reported */
    bool broken;                     /* the thread's */

    pthread_cond_t filled;
    bool stop;        /* with the queue's lock, as the next */
    unsigned reports; /* on their way to the home loop */

    bool closed; /* the home loop's: the last report frees */
};

/* Home loop; true: this was the last thing that knew of a closed one. */
static bool report_ends(struct sqlite *s)
{
    if (s->closed) /* the thread, which counts too, is gone; so is the queue */
        return --s->reports == 0;
    (void)pthread_mutex_lock(&s->setup.queue->lock);
    s->reports--;
    (void)pthread_mutex_unlock(&s->setup.queue->lock);
    return false;
}

static void on_ready(void *arg)
{
    struct sqlite *s = arg;
    if (!s->closed)
        s->setup.events.ready(s->setup.events.user);
    if (report_ends(s))
        free(s);
}

static void on_lost(void *arg)
{
    struct sqlite *s = arg;
    if (!s->closed)
        s->setup.events.lost(s->setup.events.user, true, str_from(s->why));
    if (report_ends(s))
        free(s);
}

/* From the thread. */
static void report(struct sqlite *s, void (*what)(void *arg))
{
    struct store_queue *q = s->setup.queue;
    (void)pthread_mutex_lock(&q->lock);
    s->reports++;
    (void)pthread_mutex_unlock(&q->lock);
    if (loop_post(s->setup.home, what, s))
        return;
    (void)pthread_mutex_lock(&q->lock);
    s->reports--;
    (void)pthread_mutex_unlock(&q->lock);
}

static bool set(struct sqlite *s, const char *pragma)
{
    return sqlite3_exec(s->cache.db, pragma, NULL, NULL, NULL) == SQLITE_OK;
}

/* journal_mode answers what it became, which is not always what was asked. */
static bool set_wal(struct sqlite *s)
{
    sqlite3_stmt *st = NULL;
    bool wal =
        sqlite3_prepare_v2(s->cache.db, "PRAGMA journal_mode=WAL", -1, &st,
                           NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW &&
        sqlite3_stricmp((const char *)sqlite3_column_text(st, 0), "wal") == 0;
    return sqlite3_finalize(st) == SQLITE_OK && wal;
}

/* SQLite would make the file with the process's mask; rows are ours alone. */
static bool make_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    return fd >= 0 && close(fd) == 0;
}

static bool open_database(struct sqlite *s)
{
    enum {
        FLAGS =
            SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW
    };
    if (!make_file(s->path)) {
        (void)snprintf(s->why, sizeof(s->why), "cannot make " FILE_NAME);
        return false;
    }
    int on = 0;
    if (sqlite3_open_v2(s->path, &s->cache.db, FLAGS, NULL) == SQLITE_OK &&
        sqlite3_extended_result_codes(s->cache.db, 1) == SQLITE_OK &&
        sqlite3_busy_timeout(s->cache.db, BUSY_MS) == SQLITE_OK &&
        sqlite3_db_config(s->cache.db, SQLITE_DBCONFIG_DEFENSIVE, 1, &on) ==
            SQLITE_OK &&
        set(s, "PRAGMA trusted_schema=OFF") && set_wal(s) &&
        set(s, "PRAGMA synchronous=FULL") && set(s, "PRAGMA foreign_keys=ON"))
        return true;
    (void)snprintf(s->why, sizeof(s->why), FILE_NAME ": %s",
                   s->cache.db == NULL ? "out of memory"
                                       : sqlite3_errmsg(s->cache.db));
    return false;
}

static void fail(struct sqlite *s)
{
    s->broken = true;
    report(s, on_lost);
}

static void serve(struct sqlite *s, struct store_call *c)
{
    if (s->broken) {
        store_call_end(c, STORE_FAILED, ERR_STORE, s->why);
    } else if (clock_monotonic_ms() >= c->deadline_ms) {
        store_call_end(c, STORE_FAILED, ERR_STORE, "too late to begin");
    } else if (!sqlite_batch_apply(&s->cache, c)) {
        memcpy(s->why, c->why, sizeof(s->why));
        fail(s);
    }
    store_call_return(c);
}

static void run(void *arg)
{
    struct sqlite *s = arg;
    if (open_database(s))
        report(s, on_ready);
    else
        fail(s);
    struct store_call *c;
    while ((c = store_queue_wait(s->setup.queue, &s->filled, &s->stop)) != NULL)
        serve(s, c);
    sqlite_batch_release(&s->cache);
    (void)sqlite3_close(s->cache.db);
}

static enum err backend_open(const struct store_backend_setup *setup,
                             void **ret, const char **ret_why)
{
    *ret_why = "out of memory";
    struct sqlite *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return ERR_NO_MEMORY;
    s->setup = *setup;
    s->setup.options = NULL;
    (void)pthread_cond_init(&s->filled, NULL);
    int n = snprintf(s->path, sizeof(s->path), "%s/" FILE_NAME,
                     setup->options->data_dir);
    enum err e = ERR_CONFIG;
    *ret_why = "the path of the data directory is too long";
    if (n > 0 && n < PATH_BYTES_MAX) {
        *ret_why = "no thread can be started";
        e = thread_start(&s->thread, "store", run, s);
    }
    if (e != ERR_OK) {
        (void)pthread_cond_destroy(&s->filled);
        free(s);
        return e;
    }
    *ret = s;
    return ERR_OK;
}

static void backend_wake(void *backend)
{
    struct sqlite *s = backend;
    (void)pthread_cond_signal(&s->filled);
}

static void backend_close(void *backend)
{
    struct sqlite *s = backend;
    struct store_queue *q = s->setup.queue;
    (void)pthread_mutex_lock(&q->lock);
    s->stop = true;
    (void)pthread_cond_signal(&s->filled);
    (void)pthread_mutex_unlock(&q->lock);
    thread_join(&s->thread);
    (void)pthread_cond_destroy(&s->filled);
    s->closed = true;
    if (s->reports == 0) /* the thread, which counted, is gone */
        free(s);
}

const struct store_backend sqlite_backend = {false, backend_open, backend_wake,
                                             backend_close};
