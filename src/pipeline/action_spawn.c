/*
 * action_spawn.c - children of actions; see action.h.
 *
 * A child that ends tells its parent there and then.  That is safe, since it
 * is the last that happens to a child, and a parent that is on the stack just
 * then keeps the news until its stage comes back (pipeline_resume()).
 */
#include "identity/proof.h"
#include "pipeline/action.h"
#include "pipeline/action_class.h"
#include "pipeline/worker.h"
#include "session/session.h"

static bool may_spawn(const struct action *parent)
{
    return (parent->at.facts & FACT_ADMITTED) != 0 &&
           !pipeline_is_ending(parent) &&
           parent->child_count < ACTION_CHILDREN_MAX &&
           parent->spawned < ACTION_SPAWNED_MAX &&
           parent->depth < ACTION_DEPTH_MAX;
}

struct action *action_spawn(struct action *parent, const struct action_class *c,
                            const struct action_child *o)
{
    struct worker *w = parent->worker;

    if (!may_spawn(parent))
        return NULL;
    struct action *a = action_new(w, c, parent->arena, parent->snapshot);
    if (a == NULL)
        return NULL;

    a->parent = parent;
    a->depth = parent->depth + 1;
    a->child = *o;
    a->kind = o->kind;
    a->proof = proof_ref(parent->proof);
    a->chain = parent->chain;
    if (o->prepare != NULL)
        o->prepare(a, o->input);
    list_push(&parent->children, &a->sibling);
    parent->child_count++;
    parent->spawned++;
    list_push(&w->actions, &a->node); /* behind its parent: see worker.c */
    w->counters.open++;
    pipeline_start(pipeline_table(), a);
    return a;
}

void action_spawn_end(struct action *a, enum err why)
{
    struct list *it;

    while (a->child_count > 0 && (it = list_first(&a->children)) != NULL)
        pipeline_end(CONTAINER_OF(it, struct action, sibling), why);
}
