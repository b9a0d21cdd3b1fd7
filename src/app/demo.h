/*
 * demo.h - the walk of `writ demo`: its world, and its steps one by one.
 *
 * Every step says what it is about, shows the command that could be typed
 * instead, does it, and checks what came of it.
 */
#ifndef APP_DEMO_H
#define APP_DEMO_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "app/cli.h"
#include "os/file.h"

enum { DEMO_KEY_MAX = 128, DEMO_SESSION_MAX = 64, DEMO_ID_MAX = 64 };

/* Who is registered. */
#define DEMO_PERSON "alice"
#define DEMO_AGENT "notebook"
#define DEMO_AGENT_ID "acme/notebook"
#define DEMO_APPROVER "bob" /* who has an account */
#define DEMO_APPROVER_ID "local|bob"

/* What people were asked. */
struct demo_ticket {
    char id[DEMO_ID_MAX + 1], digest[DEMO_ID_MAX + 1];
};

struct demo {
    const struct cli *cli;
    const char *dir;
    char data[FILE_PATH_MAX], config[FILE_PATH_MAX], log[FILE_PATH_MAX];
    unsigned port, provider_port;
    char key[DEMO_KEY_MAX];         /* the agent's */
    char session[DEMO_SESSION_MAX]; /* with the server of tools; or empty */
    unsigned calls;                 /* of tools */
    struct demo_ticket approved;    /* and used */
    pid_t provider, node;
    int log_fd;
    bool colour;
    unsigned step;
};

/* Runs all steps; false at the first that is not as it should be, or when
 * `*stop` has become true between two. */
bool demo_walk(struct demo *d, const volatile sig_atomic_t *stop);

/* What to type next, and where things are. */
void demo_goodbye(const struct demo *d);

#endif
