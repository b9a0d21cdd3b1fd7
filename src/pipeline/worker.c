/* worker.c - see worker.h. */
#include "pipeline/worker.h"

#include "base/container.h"
#include "http/server.h"
#include "pipeline/action.h"
#include "pipeline/action_class.h"
#include "pipeline/approving.h"
#include "pipeline/exchange.h"
#include "pipeline/stage.h"
#include "pipeline/standing.h"

static enum err look(struct action *a, bool anew)
{
    enum err e = anew ? standing_look(a) : ERR_OK;
    return e == ERR_OK ? standing_holds(a) : e;
}

/*
 * The next of `todo`, back on `home`.  What is done with one may end others:
 * they leave the list that they are on, whichever that is.  A parent stands
 * before its children, so that it is the parent that ends them.
 */
static struct list *take_next(struct list *todo, struct list *home)
{
    struct list *it = list_first(todo);

    if (it == NULL)
        return NULL;
    list_remove(it);
    list_push(home, it);
    return it;
}

/* `anew`: also where the epoch has not moved. */
static void look_at_all(struct worker *w, bool anew)
{
    struct list todo, *it;

    list_init(&todo);
    list_move(&todo, &w->actions);
    while ((it = take_next(&todo, &w->actions)) != NULL) {
        struct action *a = CONTAINER_OF(it, struct action, node);
        enum err e = a->looked ? look(a, anew) : ERR_OK; /* nobody known yet */
        if (e != ERR_OK)
            pipeline_end(a, e);
    }
    list_move(&todo, &w->leaving);
    while ((it = take_next(&todo, &w->leaving)) != NULL) {
        struct action *a = CONTAINER_OF(it, struct action, node);
        if (look(a, anew) == ERR_OK)
            continue;
        action_left(a);
        http_request_cut(a->exchange->http);
    }
}

void worker_revoked(struct worker *w)
{
    /* What was looked up belongs to the view that is going away. */
    look_at_all(w, true);
}

void worker_recheck(struct worker *w, bool recheck)
{
    look_at_all(w, recheck);
}

void worker_keys_came(struct worker *w, size_t issuer)
{
    struct list todo, *it;

    list_init(&todo);
    list_move(&todo, &w->key_waiters);
    while ((it = take_next(&todo, &w->key_waiters)) != NULL) {
        struct action *a = CONTAINER_OF(it, struct action, key_wait);
        if (a->key_issuer == issuer)
            stage_identify_again(a);
    }
}

static bool only_listens(const struct action *a)
{
    return a->class != NULL && a->class->only_listens;
}

static bool may_last(const struct action *a)
{
    return only_listens(a) || approving_is_held(a);
}

static void end_those(struct worker *w, bool (*these)(const struct action *a),
                      enum err why)
{
    struct list todo, *it;

    list_init(&todo);
    list_move(&todo, &w->actions);
    while ((it = take_next(&todo, &w->actions)) != NULL) {
        struct action *a = CONTAINER_OF(it, struct action, node);
        if (these == NULL || these(a))
            pipeline_end(a, why);
    }
}

void worker_reloaded(struct worker *w)
{
    end_those(w, only_listens, ERR_CLOSED);
}

void worker_drain(struct worker *w)
{
    end_those(w, may_last, ERR_SHUTDOWN);
}

void worker_end_all(struct worker *w, enum err why)
{
    end_those(w, NULL, why);
}
