/* thread.c - see thread.h. */
#include "os/thread.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>

static void *enter(void *arg)
{
    struct thread *t = arg;
    (void)pthread_setname_np(pthread_self(), t->name);
    t->run(t->arg);
    return NULL;
}

enum err thread_start(struct thread *t, const char *name,
                      void (*run)(void *arg), void *arg)
{
    *t = (struct thread){.run = run, .arg = arg};
    (void)snprintf(t->name, sizeof(t->name), "%s", name);

    /* A new thread inherits the mask, so it never runs with signals open. */
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&t->id, NULL, enter, t);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0 ? ERR_OK : ERR_LIMIT;
}

void thread_join(struct thread *t)
{
    int rc = pthread_join(t->id, NULL);
    assert(rc == 0); /* joined once, and never by itself */
    (void)rc;
}
