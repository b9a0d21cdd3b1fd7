/*
 * proxy.h - stands between a store and its server, and cuts connections at
 * the moment that hurts.
 */
#ifndef TESTS_STORE_PROXY_H
#define TESTS_STORE_PROXY_H

#include <pthread.h>
#include <stdatomic.h>

#include "postgres_server.h"

enum proxy_cut {
    PROXY_PASS = 0,
    PROXY_CUT_ASK,    /* the next bytes to the server do not get there */
    PROXY_CUT_ANSWER, /* the next bytes from the server do not get here */
};

struct proxy {
    char dir[80];
    char url[192]; /* of the server, through the proxy */
    char target[128];
    int listener;
    pthread_t thread;
    atomic_int cut; /* done once, then PROXY_PASS */
    atomic_bool stop;
};

void proxy_start(struct proxy *p, const struct postgres_server *s);
void proxy_stop(struct proxy *p);
void proxy_arm(struct proxy *p, enum proxy_cut cut);

#endif
