/*
 * mcp_gate.h - what the head of a request to /mcp has to look like.
 *
 * Source: MCP 2025-11-25, "Streamable HTTP": Origin and Host are checked
 * against DNS rebinding.  Fields that mirror the body (Mcp-Method, Mcp-Name)
 * must say what the body says, in every revision: whoever read only the head
 * on the way here must not have read something else.
 */
#ifndef PIPELINE_MCP_GATE_H
#define PIPELINE_MCP_GATE_H

#include <stdbool.h>

#include "domain/settings.h"
#include "http/message.h"
#include "mcp/params.h"

/* A field says something else than the body (MCP 2026-07-28). */
enum { MCP_GATE_MISMATCH = -32020 };

/*
 * May a page of this origin, or nobody's page, talk to us under this name?
 * `peer` is the caller's address.  A caller on this machine must use a name of
 * this machine's, or one of settings.hosts; an origin must be the one that was
 * asked for there, or one of settings.origins.
 */
bool mcp_gate_admits(const struct settings *s,
                     const struct http_request_head *head, struct str peer);

/* Does the caller take this media type? */
bool mcp_gate_accepts(const struct http_request_head *head, struct str type);

/* The one value of the field; false: it is there several times. */
bool mcp_gate_field(const struct http_request_head *head, struct str name,
                    struct str *ret);

/* Do the mirrored fields say what `m` says?  `p` is NULL where `m` was not
 * read that far. */
bool mcp_gate_mirrors(const struct http_request_head *head,
                      const struct message *m, const struct params *p);

#endif
