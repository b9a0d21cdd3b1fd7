/*
 * handshake.h - what two peers tell each other in `initialize`.
 *
 * What a peer announces becomes a set of METHOD_HAS_ bits; nothing of it is
 * passed on, because the gateway announces what it can honour itself.  Names
 * and versions are a peer's own word: for people, never for policy.
 *
 * Pure; any thread.
 */
#ifndef MCP_HANDSHAKE_H
#define MCP_HANDSHAKE_H

#include "mcp/params.h"

/* The METHOD_HAS_ bits of a client's or a server's `capabilities`, an object
 * that the allow-list has let through. */
unsigned handshake_capabilities(const struct json *capabilities,
                                enum revision r);

/* What a server answered. */
struct handshake {
    enum revision revision;
    unsigned has; /* METHOD_HAS_ */
    struct str name, version, instructions;
};

/*
 * Reads the result of `initialize` by its allow-list.  ERR_UNSUPPORTED: a
 * revision that is not ours, so hang up.  Else as form_check(), with pointers
 * from "/result" on.
 */
MUST_CHECK enum err handshake_read(struct arena *a, const struct json *result,
                                   struct handshake *ret,
                                   struct fault *ret_fault);

/* Who we are, and what we announce. */
struct handshake_self {
    enum revision revision;
    unsigned has;                    /* those of the side that speaks count */
    struct str name, title, version; /* title may be empty */
    struct str instructions;         /* of a server; may be empty */
};

/* Appends the params of our `initialize`, as a client. */
void handshake_write_params(struct buf *to, const struct handshake_self *self);
/* Appends the result of `initialize`, as a server. */
void handshake_write_result(struct buf *to, const struct handshake_self *self);

#endif
