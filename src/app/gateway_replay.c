/* gateway_replay.c - see gateway_replay.h. */
#include "app/gateway_replay.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "ledger/ledger_reader.h"
#include "os/file.h"
#include "os/loop.h"
#include "os/thread.h"

enum { WHY_MAX = 256 };

struct gateway_replay {
    struct thread thread;
    struct gateway_replay_options options;
    struct loop *loop;
    char dir[FILE_PATH_MAX];
    struct arena_spare spare;
    atomic_bool stop;

    /* Written by the thread, read after it was joined. */
    enum err err;
    uint64_t next;
    char why[WHY_MAX];
    bool posted; /* finish() will run, or has */

    bool joined, finished, abandoned;
};

/*
 * An entry is canonical: no blank stands between name and value, and a quote
 * within a text has a backslash before it.  So these bytes are a member, and
 * of the members called "kind" only the entry's own has such a value.
 */
bool gateway_replay_wants(struct str entry)
{
    static const struct str words[] = {STR_INIT("intent\""),
                                       STR_INIT("outcome\""),
                                       STR_INIT("admin\""),
                                       STR_INIT("revocation\"")};
    static const struct str name = STR_INIT("\"kind\":\"");
    const char *at;

    for (struct str rest = entry;
         rest.len > 0 &&
         (at = memmem(rest.ptr, rest.len, name.ptr, name.len)) != NULL;) {
        rest = str_skip(rest, (size_t)(at - rest.ptr) + name.len);
        for (size_t i = 0; i < ARRAY_LEN(words); i++) {
            if (!str_starts(rest, words[i]))
                continue;
            /* Behind it, as "l" comes after "k". */
            static const struct str limits = STR_INIT("\"limits\":[");
            return i > 0 ||
                   memmem(rest.ptr, rest.len, limits.ptr, limits.len) != NULL;
        }
    }
    return false;
}

/* ---- on its own thread ---- */

static enum err apply(struct gateway_replay *r, const struct ledger_entry *e)
{
    const struct gateway_replay_options *o = &r->options;
    const struct json *entry;
    struct arena a;

    if (!gateway_replay_wants(e->text))
        return ERR_OK;
    arena_init_spare(&a, MIB, &r->spare);
    enum err err = json_read(&a, e->text, &entry, NULL);
    if (err == ERR_OK)
        err = o->each(o->user, entry, e->index);
    else if (err == ERR_MALFORMED)
        err = ERR_CORRUPT;
    arena_release(&a);
    if (err != ERR_OK)
        (void)snprintf(r->why, sizeof(r->why), "entry %llu: %s",
                       (unsigned long long)e->index, err_text(err));
    return err;
}

static enum err read_all(struct gateway_replay *r, struct ledger_reader *reader)
{
    struct ledger_entry entry;

    enum err e = ledger_reader_seek(reader, r->options.from);
    while (e == ERR_OK && !atomic_load(&r->stop)) {
        e = ledger_reader_next(reader, &entry);
        if (e != ERR_OK)
            break;
        e = apply(r, &entry);
        r->next = entry.index + 1;
    }
    const struct segment_trouble *t = ledger_reader_trouble(reader);
    if ((e == ERR_CORRUPT || e == ERR_UNSUPPORTED) && r->why[0] == '\0')
        (void)snprintf(r->why, sizeof(r->why), "%s, byte %llu: %s", t->file,
                       (unsigned long long)t->offset,
                       t->what == NULL ? "damaged" : t->what);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static void finish(void *arg);

static void run(void *arg)
{
    struct gateway_replay *r = arg;
    struct ledger_reader *reader = NULL;

    r->next = r->options.from;
    r->err = ledger_reader_open(r->dir, &reader);
    if (r->err == ERR_OK)
        r->err = read_all(r, reader);
    else if (r->err == ERR_NOT_FOUND)
        r->err = ERR_OK; /* no ledger yet, no entries */
    if (r->err != ERR_OK && r->why[0] == '\0')
        (void)snprintf(r->why, sizeof(r->why), "%s", err_text(r->err));
    ledger_reader_close(reader);
    r->posted = true;
    if (!loop_post(r->loop, finish, r))
        r->posted = false;
}

/* ---- on the loop ---- */

static void join(struct gateway_replay *r)
{
    if (!r->joined)
        thread_join(&r->thread);
    r->joined = true;
}

static void release(struct gateway_replay *r)
{
    arena_spare_release(&r->spare);
    free(r);
}

static void finish(void *arg)
{
    struct gateway_replay *r = arg;

    join(r);
    r->finished = true;
    if (r->abandoned)
        release(r);
    else
        r->options.done(r->options.user, r->err, r->next, str_from(r->why));
}

enum err gateway_replay_start(struct loop *l,
                              const struct gateway_replay_options *o,
                              struct gateway_replay **ret)
{
    struct gateway_replay *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return ERR_NO_MEMORY;
    r->loop = l;
    r->options = *o;
    int n = snprintf(r->dir, sizeof(r->dir), "%s/ledger", o->data);
    enum err e = n < 0 || (size_t)n >= sizeof(r->dir) ? ERR_LIMIT : ERR_OK;
    if (e == ERR_OK)
        e = thread_start(&r->thread, "replay", run, r);
    if (e != ERR_OK) {
        free(r);
        return e;
    }
    *ret = r;
    return ERR_OK;
}

void gateway_replay_free(struct gateway_replay *r)
{
    if (r == NULL)
        return;
    atomic_store(&r->stop, true);
    join(r);
    if (r->posted && !r->finished)
        r->abandoned = true; /* finish() is on its way, and frees */
    else
        release(r);
}
