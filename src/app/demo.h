/*
 * demo.h - the walk of `writ demo`, step by step.
 */
#ifndef APP_DEMO_H
#define APP_DEMO_H

#include <stdbool.h>
#include <sys/types.h>

#include "app/cli.h"
#include "os/file.h"

enum { DEMO_KEY_MAX = 128 };

struct demo {
    const struct cli *cli;
    const char *dir;
    char data[FILE_PATH_MAX], config[FILE_PATH_MAX];
    unsigned port, provider_port;
    char alice[DEMO_KEY_MAX], bob[DEMO_KEY_MAX];
    pid_t provider, node;
    int log_fd;
    bool colour;
    unsigned step;
};

/* True when the node answers. */
bool demo_healthy(const struct demo *d);

/* Runs all steps; false at the first that is not as it should be. */
bool demo_walk(struct demo *d);

/* What to type next, and where things are. */
void demo_goodbye(const struct demo *d);

/* Says why the demo cannot go on. */
void demo_failed(struct demo *d, const char *why);

#endif
