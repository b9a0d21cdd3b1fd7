/* worker.c - see worker.h. */
#include "pipeline/worker.h"

#include "base/container.h"
#include "http/server.h"
#include "pipeline/action.h"
#include "pipeline/exchange.h"
#include "pipeline/stage.h"
#include "pipeline/standing.h"

static enum err look(struct action *a, bool anew)
{
    enum err e = anew ? standing_look(a) : ERR_OK;
    return e == ERR_OK ? standing_holds(a) : e;
}

/* `anew`: also where the epoch has not moved. */
static void look_at_all(struct worker *w, bool anew)
{
    LIST_EACH(it, next, &w->actions)
    {
        struct action *a = CONTAINER_OF(it, struct action, node);
        enum err e = a->looked ? look(a, anew) : ERR_OK; /* nobody known yet */
        if (e != ERR_OK)
            pipeline_end(a, e);
    }
    LIST_EACH(it, next, &w->leaving)
    {
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
    LIST_EACH(it, next, &w->key_waiters)
    {
        struct action *a = CONTAINER_OF(it, struct action, key_wait);
        if (a->key_issuer == issuer)
            stage_identify_again(a);
    }
}
