/*
 * thread.h - a thread with a name.
 *
 * Signals are blocked in it: they are for the thread that waits for them.
 */
#ifndef OS_THREAD_H
#define OS_THREAD_H

#include <pthread.h>

#include "base/attr.h"
#include "base/err.h"

struct thread {
    pthread_t id;
    void (*run)(void *arg);
    void *arg;
    char name[16]; /* what the kernel keeps, with its NUL */
};

/*
 * Starts `run(arg)`; `t` stays where it is until thread_join().  `name` is
 * cut at 15 bytes.  ERR_LIMIT: the system starts no more threads.
 */
MUST_CHECK enum err thread_start(struct thread *t, const char *name,
                                 void (*run)(void *arg), void *arg);

/* Waits for its end. */
void thread_join(struct thread *t);

#endif
