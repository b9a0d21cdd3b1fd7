/*
 * server.h - the ledger process without its waiting: clients' connections,
 * what they ask, and the commit that answers many of them.
 *
 * A turn: server_read() for each connection that has something, then
 * server_turn() once, which commits when an awaited entry came in (or an
 * older one has waited long enough), answers and sends.
 *
 * Everything is bounded: connections, what one may have sent and not read,
 * entries of one commit.
 */
#ifndef LEDGER_SERVER_H
#define LEDGER_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "ledger/journal.h"

/* Threads of the gateway generations that may live at once. */
enum { SERVER_PEERS_MAX = 128 };

/* A client that has this much unread is not read from. */
#define SERVER_UNREAD_MAX (1 * MIB)

struct server;

/* `j` is borrowed.  Never NULL but when out of memory. */
struct server *server_new(struct journal *j);
void server_free(struct server *s); /* closes the connections; NULL is fine */

/* A client's socket, ours from now on; closed when there are too many. */
void server_add(struct server *s, int fd);

/* For poll(2): the connections by number, with holes (fd -1). */
struct server_poll {
    int fd;
    bool read, write; /* what to wait for */
};
struct server_poll server_poll(const struct server *s, unsigned peer);

/* The connection has something to read, or is at its end. */
void server_read(struct server *s, unsigned peer);

/*
 * Ends a turn.  ERR_IO: the journal has failed; everybody was told, and is
 * told from now on.
 */
MUST_CHECK enum err server_turn(struct server *s, int64_t now_ms);

/* Commits and answers whatever there is, however lazy. */
MUST_CHECK enum err server_finish(struct server *s);

/* When server_turn() has to be called at the latest, or INT64_MAX. */
int64_t server_due_ms(const struct server *s);

#endif
