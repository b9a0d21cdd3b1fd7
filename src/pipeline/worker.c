/* worker.c - see worker.h. */
#include "pipeline/worker.h"

#include "base/container.h"
#include "pipeline/action.h"
#include "pipeline/stage.h"
#include "pipeline/standing.h"

static void end_unless(struct action *a, enum err e)
{
    if (e != ERR_OK)
        pipeline_end(a, e);
}

void worker_revoked(struct worker *w)
{
    LIST_EACH(it, next, &w->actions)
    {
        struct action *a = CONTAINER_OF(it, struct action, node);
        if (!a->looked) /* nobody is known yet */
            continue;
        /* What was looked up belongs to the view that is going away. */
        enum err e = standing_look(a);
        end_unless(a, e == ERR_OK ? standing_holds(a) : e);
    }
}

void worker_recheck(struct worker *w, bool recheck)
{
    LIST_EACH(it, next, &w->actions)
    {
        struct action *a = CONTAINER_OF(it, struct action, node);
        if (!a->looked) /* nobody is known yet */
            continue;
        enum err e = recheck ? standing_look(a) : ERR_OK;
        end_unless(a, e == ERR_OK ? standing_holds(a) : e);
    }
}

void worker_keys_came(struct worker *w)
{
    LIST_EACH(it, next, &w->key_waiters)
    {
        stage_identify_again(CONTAINER_OF(it, struct action, key_wait));
    }
}
