/* outgoing.c - see outgoing.h. */
#include "pipeline/outgoing.h"

#include "base/limits.h"
#include "llm/openai.h"
#include "pipeline/action.h"
#include "pipeline/worker.h"

/* What a body may grow by: another name for the model, and options. */
enum { EXTRA = 512 };

/* In `home`, or on the heap when it is larger than was thought. */
static enum err write(const struct action *a, struct arena *home,
                      struct buf *ret)
{
    struct str model = action_route(a, a->attempt.to)->model;
    size_t room = (size_t)a->request_bytes + EXTRA;
    char *at = arena_alloc_raw(home, room);

    if (at != NULL) {
        buf_init_lent(ret, at, room);
        openai_write(ret, &a->request, model);
        if (buf_ok(ret))
            return ERR_OK;
    }
    buf_init(ret, ACTION_OUTGOING_MAX);
    openai_write(ret, &a->request, model);
    if (buf_ok(ret))
        return ERR_OK;
    buf_release(ret);
    return ERR_LIMIT;
}

enum err outgoing_write(struct action *a)
{
    struct arena home;
    struct buf body;
    enum err e = ERR_OK;

    if (a->request.body == NULL)
        e = json_read(&a->question, buf_str(&a->outgoing), &a->request.body,
                      NULL);
    if (e != ERR_OK)
        return ERR_NO_MEMORY; /* it was read once, and written by us */
    arena_init_spare(&home, REQUEST_ARENA_MAX, &a->worker->spare);
    e = write(a, &home, &body);
    if (e != ERR_OK) {
        arena_release(&home);
        return e;
    }
    action_drop_question(a);
    a->question = home;
    a->outgoing = body;
    return ERR_OK;
}
