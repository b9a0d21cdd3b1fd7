/*
 * supervisor.h - the process that starts the others and holds nothing.
 *
 * One thread in poll(2): no OpenSSL, no libuv, no config.  It opens every
 * listening socket once and keeps it, so that connections queue while a
 * gateway restarts; it takes the one lock of the data directory; it restarts
 * what dies, later each time.
 *
 * SIGTERM, SIGINT: drain and stop.  SIGHUP: reload.
 */
#ifndef APP_SUPERVISOR_H
#define APP_SUPERVISOR_H

struct role_options;

/* Runs until told to stop.  0: stopped as asked; 1: it could not start. */
int supervisor_run(const struct role_options *o);

#endif
