/*
 * mcp_uri.h - URIs of resources that can be read in one way only.
 *
 * Policies match how a URI begins; a server follows what is in it.  So a path
 * with "." or ".." (RFC 3986, 5.2.4), also percent-encoded, also between
 * separators that are, says one thing to the one and another to the other.
 *
 * Pure; any thread.
 */
#ifndef PIPELINE_MCP_URI_H
#define PIPELINE_MCP_URI_H

#include <stdbool.h>

#include "base/str.h"

/* `uri` is absolute, as params_read() lets it through; also a template. */
bool mcp_uri_is_plain(struct str uri);

#endif
