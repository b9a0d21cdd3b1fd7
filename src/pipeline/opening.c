/* opening.c - see opening.h. */
#include "pipeline/opening.h"

#include <stdlib.h>

#include "base/container.h"
#include "keeper/keeper_client.h"
#include "pipeline/worker.h"
#include "session/session.h"

struct opening {
    struct keeper_wait wait;
    struct session *session; /* +1 reference */
};

static void on_key(struct keeper_wait *w, enum err e, struct str key)
{
    struct opening *o = CONTAINER_OF(w, struct opening, wait);

    if (e == ERR_OK)
        session_set_key(o->session, key);
    else
        session_fail(o->session, e);
    session_unref(o->session);
    free(o);
}

static enum err ask(struct keeper_client *c, const struct session *s,
                    struct keeper_wait *w)
{
    return session_is_restored(s)
               ? keeper_client_session_key_get(c, session_id(s), w)
               : keeper_client_session_key_new(c, session_id(s), w);
}

enum err opening_start(struct worker *w, struct session *s)
{
    struct opening *o = calloc(1, sizeof(*o));
    enum err e = ERR_NO_MEMORY;

    if (o != NULL) {
        o->wait.done = on_key;
        o->session = session_ref(s);
        e = ask(w->keeper, s, &o->wait);
        if (e == ERR_OK)
            return ERR_OK;
        session_unref(o->session);
        free(o);
    }
    session_fail(s, e);
    return e;
}
