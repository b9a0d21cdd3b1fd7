/*
 * model_outgoing.c - the body that goes to a destination.
 *
 * It is written as soon as the destination is known, and the parsed request
 * goes at once; it is parsed again when an attempt before has let it go.
 */
#include "base/limits.h"
#include "llm/openai.h"
#include "pipeline/model.h"
#include "pipeline/worker.h"

/* What a body may grow by: another name for the model, and options. */
enum { EXTRA = 512 };

/* In `home`, or on the heap when it is larger than was thought. */
static enum err write(const struct action *a, struct arena *home,
                      struct buf *ret)
{
    const struct llm_request *q = &model_of(a)->request;
    struct str model = model_route_to(a, a->attempt.to)->model;
    size_t room = (size_t)a->request_bytes + EXTRA;
    char *at = arena_alloc_raw(home, room);

    if (at != NULL) {
        buf_init_lent(ret, at, room);
        openai_write(ret, q, model);
        if (buf_ok(ret))
            return ERR_OK;
    }
    buf_init(ret, ACTION_OUTGOING_MAX);
    openai_write(ret, q, model);
    if (buf_ok(ret))
        return ERR_OK;
    buf_release(ret);
    return ERR_LIMIT;
}

enum err model_outgoing(struct action *a)
{
    struct llm_request *q = &model_of(a)->request;
    struct arena home;
    struct buf body;
    enum err e = ERR_OK;

    if (q->body == NULL)
        e = json_read(&a->question, buf_str(&a->outgoing), &q->body, NULL);
    if (e != ERR_OK)
        return ERR_NO_MEMORY; /* it was read once, and written by us */
    arena_init_spare(&home, REQUEST_ARENA_MAX, &a->worker->spare);
    e = write(a, &home, &body);
    if (e != ERR_OK) {
        arena_release(&home);
        return e;
    }
    q->body = NULL;
    action_keep_outgoing(a, &home, &body);
    return ERR_OK;
}
