/*
 * runner_command.h - what the runner may start, as the configuration says.
 *
 * Whoever makes a table owns it; the runner borrows it until it asks for the
 * next one.  All paths are absolute.
 */
#ifndef RUNNER_RUNNER_COMMAND_H
#define RUNNER_RUNNER_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct runner_command {
    const char *name;
    const char *const *argv; /* ends with NULL; argv[0] is found in PATH */
    /* "NAME=value", ends with NULL; NULL: only what all get. */
    const char *const *env;
    const char *cwd; /* NULL: its private folder */
    /* What it may read and write besides programs and its private folder;
     * each ends with NULL, or is NULL. */
    const char *const *read, *const *write;
    bool network;      /* it may connect to others, not to us */
    const char *fault; /* NULL, or why it cannot be started, for people */
};

struct runner_table {
    const struct runner_command *commands;
    size_t command_count;
    /* Ours alone, whatever a command may read: resolved, ends with NULL. */
    const char *const *kept;
    /* TCP ports that we listen on. */
    const uint16_t *ports;
    size_t port_count;
};

#endif
