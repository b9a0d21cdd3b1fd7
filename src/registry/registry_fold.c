/* registry_fold.c - see registry_fold.h. */
#include "registry/registry_fold.h"

#include <stdlib.h>

#include "os/loop.h"
#include "os/thread.h"

struct registry_fold {
    struct loop *loop;
    struct registry_fold_input in;
    struct registry_fold_events events;
    struct thread thread;
    struct registry_table *result;
    bool posted;    /* the thread's, until it was joined */
    bool abandoned; /* the loop's */
};

static int compare(const void *a, const void *b)
{
    return registry_record_compare(*(struct registry_record *const *)a,
                                   *(struct registry_record *const *)b);
}

/* SQLite gives them in our order, PostgreSQL in that of its collation. */
static bool sort(struct registry_record **records, size_t count)
{
    bool sorted = true;
    for (size_t i = 1; sorted && i < count; i++)
        sorted = registry_record_compare(records[i - 1], records[i]) < 0;
    if (sorted)
        return true;
    qsort((void *)records, count, sizeof(struct registry_record *), compare);
    for (size_t i = 1; i < count; i++) {
        if (registry_record_compare(records[i - 1], records[i]) == 0)
            return false;
    }
    return true;
}

static void drop_records(struct registry_fold_input *in)
{
    for (size_t i = 0; i < in->count; i++)
        registry_record_unref(in->records[i]);
    free((void *)in->records);
    in->records = NULL;
    in->count = 0;
}

static struct registry_table *make(struct registry_fold_input *in)
{
    if (in->base != NULL)
        return registry_table_merge(in->base, in->overlay);
    if (!sort(in->records, in->count)) {
        drop_records(in);
        return NULL;
    }
    return registry_table_make(in->records, in->count);
}

static void end(struct registry_fold *f)
{
    registry_table_unref(f->result);
    free(f);
}

static void on_posted(void *arg)
{
    struct registry_fold *f = arg;
    if (!f->abandoned) {
        thread_join(&f->thread);
        struct registry_table *t = f->result;
        f->result = NULL;
        f->events.done(f->events.user, t);
    }
    end(f);
}

static void run(void *arg)
{
    struct registry_fold *f = arg;
    struct registry_table *next;
    for (struct registry_table *t = f->in.garbage; t != NULL; t = next) {
        next = t->next;
        registry_table_unref(t);
    }
    f->result = make(&f->in);
    registry_table_unref(f->in.base);
    registry_table_unref(f->in.overlay);
    f->posted = true; /* before it may be freed */
    if (!loop_post(f->loop, on_posted, f))
        f->posted = false;
}

enum err registry_fold_start(struct loop *l,
                             const struct registry_fold_input *in,
                             const struct registry_fold_events *ev,
                             struct registry_fold **ret)
{
    struct registry_fold *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return ERR_NO_MEMORY;
    f->loop = l;
    f->in = *in;
    f->events = *ev;
    enum err e = thread_start(&f->thread, "registry", run, f);
    if (e != ERR_OK) {
        free(f);
        return e;
    }
    *ret = f;
    return ERR_OK;
}

void registry_fold_abandon(struct registry_fold *f)
{
    if (f == NULL)
        return;
    thread_join(&f->thread);
    f->abandoned = true;
    if (!f->posted)
        end(f);
}
