/* vectors.h - reads JSON from the archives beside the repository. */
#ifndef MCP_VECTORS_H
#define MCP_VECTORS_H

#include "base/arena.h"
#include "codec/json.h"

/* A member ("mcp/schema-2025-11-25.json") of an archive ("vectors/mcp");
 * NULL, said loudly, where ../shared is not there.  Fails the test for any
 * other reason. */
const struct json *vectors_read(struct arena *a, const char *archive,
                                const char *member);

#endif
