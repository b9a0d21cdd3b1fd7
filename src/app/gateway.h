/*
 * gateway.h - the process that talks to the network.
 *
 * One control thread (this call), one thread per worker, and a builder thread
 * while a snapshot is being built.
 */
#ifndef APP_GATEWAY_H
#define APP_GATEWAY_H

struct role_options;

/* Runs until drained, or until the supervisor is gone.  The exit code. */
int gateway_run(const struct role_options *o);

#endif
