/*
 * stage_admit.c - are all links alive, and in which session are they?
 *
 * The first call of a session opens it: the keeper makes its payload key, and
 * evidence says so.  Calls that come meanwhile wait for that.
 *
 * Needs: identity.  Gives: admitted.
 * Stops with: ERR_KEEPER, ERR_OVERLOAD.
 */
#include <assert.h>

#include "base/container.h"
#include "evidence/evidence.h"
#include "os/loop.h"
#include "pipeline/action.h"
#include "pipeline/snapshot.h"
#include "pipeline/worker.h"
#include "session/session.h"

static enum step enter(struct action *a);

/* The keeper has answered the opener. */
static void on_key(struct keeper_wait *w, enum err e, struct str key)
{
    struct action *a = CONTAINER_OF(w, struct action, keeper);

    a->opening = false;
    session_opened(a->session, e, key);
    if (e != ERR_OK) {
        pipeline_resume(a, stage_stop(a, e));
        return;
    }
    evidence_session_open(a->worker->evidence, session_id(a->session),
                          &a->chain);
    pipeline_resume(a, STEP_NEXT);
}

static enum step open_session(struct action *a)
{
    a->opening = true;
    a->keeper.done = on_key;
    enum err e =
        keeper_client_session_key_new(a->worker->keeper, session_id(a->session),
                                      &a->keeper);
    if (e == ERR_OK)
        return STEP_WAIT;
    a->opening = false;
    session_opened(a->session, e, (struct str){0});
    return stage_stop(a, e);
}

/* Somebody else has opened it, or gave up: then it is anybody's turn. */
static void on_opened(void *user, enum err e)
{
    struct action *a = user;

    a->waiter = NULL;
    if (e == ERR_OK) {
        pipeline_resume(a, STEP_NEXT);
        return;
    }
    session_unref(a->session);
    a->session = NULL;
    enum step again = e == ERR_CLOSED ? enter(a) : stage_stop(a, e);
    if (again != STEP_WAIT)
        pipeline_resume(a, again);
}

static enum step wait_for_opener(struct action *a)
{
    enum err e =
        session_await(a->session, a->worker->loop, on_opened, a, &a->waiter);
    if (e == ERR_CLOSED) /* it died between two locks */
        e = ERR_KEEPER;
    if (e != ERR_OK)
        return stage_stop(a, e);
    return a->waiter == NULL ? STEP_NEXT : STEP_WAIT;
}

static enum step enter(struct action *a)
{
    const struct principal *who = &a->chain.links[0].who;
    const struct settings *s = &a->snapshot->settings;
    const struct session_owner owner = {.tenant = who->tenant,
                                        .issuer = who->issuer,
                                        .subject = who->id};
    const struct session_limits limits = {s->sessions.idle_ms,
                                          s->sessions.max_ms};
    unsigned char id[SESSION_ID_LEN];
    enum session_state state = SESSION_WAIT;

    evidence_random(a->worker->evidence, id, sizeof(id));
    enum err e =
        session_enter(a->worker->sessions, &owner, limits,
                      loop_now_ms(a->worker->loop), id, &a->session, &state);
    if (e != ERR_OK)
        return stage_stop(a, e);
    switch (state) {
    case SESSION_READY:
        return STEP_NEXT;
    case SESSION_OPENER:
        return open_session(a);
    case SESSION_WAIT:
        break;
    }
    return wait_for_opener(a);
}

enum step stage_admit(struct action *a)
{
    assert(a->chain.count > 0);
    return enter(a);
}

void stage_admit_cancel(struct action *a)
{
    session_await_cancel(a->waiter);
    a->waiter = NULL;
    if (!a->opening)
        return;
    /* Whoever waits for this session opens the next one. */
    a->opening = false;
    keeper_wait_cancel(&a->keeper);
    session_opened(a->session, ERR_CLOSED, (struct str){0});
}
