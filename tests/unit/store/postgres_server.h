/*
 * postgres_server.h - a real PostgreSQL server in a folder of its own, which
 * listens on a socket in that folder and nowhere else.
 */
#ifndef TESTS_STORE_POSTGRES_SERVER_H
#define TESTS_STORE_POSTGRES_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

struct postgres_server {
    char dir[64];
    char bin[128]; /* where its programs are */
    char url[192];
    pid_t pid; /* 0: stopped */
};

/*
 * Makes a cluster and starts it.  False, with a word on standard error: this
 * machine has no PostgreSQL server.
 */
bool postgres_server_set_up(struct postgres_server *s);
/* Stops it and removes the folder. */
void postgres_server_tear_down(struct postgres_server *s);

void postgres_server_start(struct postgres_server *s);
/* As if the power had failed. */
void postgres_server_kill(struct postgres_server *s);

/* Drops all tables. */
void postgres_server_empty(struct postgres_server *s);
void postgres_server_sql(struct postgres_server *s, const char *sql);

#endif
