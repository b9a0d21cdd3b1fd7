/*
 * stage_admit.c - are all links alive, and in which session are they?
 *
 * The first call of a session opens it: the keeper makes its payload key, and
 * evidence says so.  Calls that come meanwhile wait for that.  The first call
 * after a restart fetches the key of the session that was open; where there is
 * none, a new session begins.
 *
 * Needs: identity.  Gives: admitted.
 * Stops with: ERR_UNREGISTERED, ERR_INACTIVE, ERR_REVOKED, ERR_SUBJECT,
 * ERR_KEEPER, ERR_OVERLOAD.
 */
#include <assert.h>

#include "base/container.h"
#include "evidence/evidence.h"
#include "os/loop.h"
#include "pipeline/action.h"
#include "pipeline/opening.h"
#include "pipeline/snapshot.h"
#include "pipeline/standing.h"
#include "pipeline/worker.h"

static void record_session(struct action *a)
{
    struct evidence_session f = {.chain = a->chain, .tenant = action_tenant(a)};

    memcpy(f.id, session_id(a->session), sizeof(f.id));
    memcpy(f.root, session_root(a->session), sizeof(f.root));
    evidence_session(a->worker->evidence, &f);
}

static enum step enter_session(struct action *a);

/* The session that was restored cannot be used; its owner has none now. */
static enum step begin_anew(struct action *a)
{
    session_unref(a->session);
    a->session = NULL;
    return enter_session(a);
}

static void on_ready(struct session_wait *w, enum err e)
{
    struct action *a = CONTAINER_OF(w, struct action, session_wait);
    enum step step = STEP_NEXT;

    timer_cancel(&a->patience);
    if (e == ERR_NOT_FOUND && session_is_restored(a->session))
        step = begin_anew(a);
    else if (e != ERR_OK)
        step = stage_stop(a, e);
    if (step != STEP_WAIT)
        pipeline_resume(a, step);
}

static void on_overdue(struct timer *t)
{
    struct action *a = CONTAINER_OF(t, struct action, patience);

    session_wait_cancel(&a->session_wait);
    pipeline_resume(a, stage_stop(a, ERR_KEEPER));
}

/* Who acts for whom: the subject, and the last who acts. */
static struct session_owner owner_of(const struct action *a)
{
    const struct link *first = &a->chain->links[0];
    const struct link *last = &a->chain->links[a->chain->count - 1];
    bool acts = first->role != LINK_SUBJECT;

    return (struct session_owner){
        .tenant = action_tenant(a),
        .issuer = first->who.issuer,
        .subject = acts ? (struct str){0} : first->who.id,
        .actor = acts || last != first ? last->who.id : (struct str){0},
    };
}

static enum step enter_session(struct action *a)
{
    const struct settings *s = &a->snapshot->settings;
    const struct session_limits limits = {s->sessions.idle_ms,
                                          s->sessions.max_ms};
    const struct session_owner owner = owner_of(a);
    bool is_new = false;

    enum err e =
        session_find(a->worker->sessions, &owner, &limits,
                     loop_now_ms(a->worker->loop), &a->session, &is_new);
    if (e == ERR_OK && is_new) {
        e = opening_start(a->worker, a->session);
        /* Not of a session that never was: without a keeper each call would
         * leave one behind.  Of a restored one it was said before. */
        if (e == ERR_OK && !session_is_restored(a->session))
            record_session(a);
    }
    if (e == ERR_OK && session_has_key(a->session))
        return STEP_NEXT;
    a->session_wait.done = on_ready;
    if (e == ERR_OK)
        e = session_await(a->session, a->worker->loop, &a->session_wait);
    if (e != ERR_OK)
        return stage_stop(a, e);
    timer_set(a->worker->loop, &a->patience, PATIENCE_MS, on_overdue);
    return STEP_WAIT;
}

/* A child is in its parent's session, whose key is there; it may have been
 * ended, and the credential have expired, since the parent was here. */
static enum step join_session(struct action *a)
{
    a->session = session_ref(a->parent->session);
    enum err e = standing_holds(a);
    return e == ERR_OK ? STEP_NEXT : stage_stop(a, e);
}

enum step stage_admit(struct action *a)
{
    assert(a->chain->count > 0);
    enum err e = standing_look(a);
    if (e != ERR_OK)
        return stage_stop(a, e);
    return a->parent != NULL ? join_session(a) : enter_session(a);
}

void stage_admit_cancel(struct action *a)
{
    timer_cancel(&a->patience);
    session_wait_cancel(&a->session_wait);
}
