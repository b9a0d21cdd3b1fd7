/*
 * ledger_server.h - the ledger process without its waiting: clients'
 * connections, what they ask, and the commit that answers many of them.
 *
 * A turn: ledger_server_read() for each connection that has something, then
 * ledger_server_turn() once, which commits when an awaited entry came in (or an
 * older one has waited long enough), answers and sends.
 *
 * Everything is bounded: connections, what one may have sent and not read,
 * entries of one commit.
 */
#ifndef LEDGER_LEDGER_SERVER_H
#define LEDGER_LEDGER_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "ledger/journal.h"

/* Threads of the gateway generations that may live at once. */
enum { LEDGER_SERVER_PEERS_MAX = 128 };

/* A client that has this much unread is not read from. */
#define LEDGER_SERVER_UNREAD_MAX (1 * MIB)

struct ledger_server;

/* `j` is borrowed.  Never NULL but when out of memory. */
struct ledger_server *ledger_server_new(struct journal *j);
void ledger_server_free(
    struct ledger_server *s); /* closes the connections; NULL is fine */

/* A client's socket, ours from now on; closed when there are too many. */
void ledger_server_add(struct ledger_server *s, int fd);

/* For poll(2): the connections by number, with holes (fd -1). */
struct ledger_server_poll {
    int fd;
    bool read, write; /* what to wait for */
};
struct ledger_server_poll ledger_server_poll(const struct ledger_server *s,
                                             unsigned peer);

/* The connection has something to read, or is at its end. */
void ledger_server_read(struct ledger_server *s, unsigned peer);

/*
 * Ends a turn.  ERR_IO: the journal has failed; everybody was told, and is
 * told from now on.
 */
MUST_CHECK enum err ledger_server_turn(struct ledger_server *s, int64_t now_ms);

/* Commits and answers whatever there is, however lazy. */
MUST_CHECK enum err ledger_server_finish(struct ledger_server *s);

/* When ledger_server_turn() has to be called at the latest, or INT64_MAX. */
int64_t ledger_server_due_ms(const struct ledger_server *s);

#endif
