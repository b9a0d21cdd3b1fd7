/*
 * listing.h - what callers see of a server's lists: of resources, templates
 * and prompts only the items that they may use, of tools those of the catalog.
 *
 * A page is written again from what was read, item by item; an item that has
 * no name of the right form is left out, and so are members of the page that
 * MCP does not know.
 *
 * Pure; any thread.
 */
#ifndef MCP_LISTING_H
#define MCP_LISTING_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "codec/json.h"
#include "mcp/method.h"

/* May the caller use the item called so (a URI, a URI template, a name)? */
typedef bool listing_keep(void *user, struct str name);

/*
 * Appends the result of METHOD_RESOURCES_LIST, _RESOURCES_TEMPLATES or
 * _PROMPTS_LIST, as `result` (JSON text of a server) has it, with the items
 * that `keep` wants.  ERR_MALFORMED: it is no such result.  ERR_LIMIT.
 */
MUST_CHECK enum err listing_filter(struct arena *a, enum method m,
                                   struct str result, listing_keep *keep,
                                   void *user, struct buf *to);

/* What stands between a server's name and a tool's where tools of several
 * servers are in one list. */
#define LISTING_BETWEEN STR("__")

/* "<server>__<tool>" into its parts; false: it is none. */
MUST_CHECK bool listing_split(struct str name, struct str *ret_server,
                              struct str *ret_tool);

#endif
