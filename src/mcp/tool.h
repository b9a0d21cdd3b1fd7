/*
 * tool.h - the definition of a tool, as its server lists it.
 *
 * A definition is what a model is told and what arguments are checked
 * against, so it is pinned: its digest is SHA-256 over the canonical text
 * (canon.h) of {annotations, description, inputSchema, name, outputSchema,
 * title}, those that there are.  Only these are passed on; icons, execution
 * and `_meta` are not.  The text is what the store keeps, and reads back into
 * the same definition.
 *
 * Names are exact bytes: 1 to 128 letters, digits and _ - .
 *
 * Values borrow from the arena they were read into.  Pure; any thread.
 */
#ifndef MCP_TOOL_H
#define MCP_TOOL_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/limits.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "mcp/fault.h"

enum {
    TOOL_TEXT_MAX = 1 << 20, /* of one definition in canonical form */
    TOOL_PAGE_MAX = 4096,    /* tools of one page */
};

/* What a server says of its own tool: a hint that may only raise risk. */
enum tool_hint { TOOL_UNSAID = 0, TOOL_NO, TOOL_YES };

struct tool {
    struct str name;
    struct str title;       /* of the tool, else of its annotations, or empty */
    struct str description; /* may be empty */
    const struct json *input;  /* JSON Schema, type object */
    const struct json *output; /* the same, or NULL */
    enum tool_hint read_only, destructive, idempotent, open_world;
    /* It can be called as a task only (execution.taskSupport), which nobody
     * here does; not in the text. */
    bool needs_task;
    struct str text;    /* canonical: what is pinned */
    size_t name_at;     /* in `text`: the value of "name" */
    struct hash digest; /* of `text` */
};

/*
 * Reads one definition (borrowed as long as the result).  On an error
 * *ret_fault is set as form_check() does it, with pointers from `under` on.
 */
MUST_CHECK enum err tool_read(struct arena *a, struct str under,
                              const struct json *v, struct tool *ret,
                              struct fault *ret_fault);

/* Reads what was pinned: `text` of a tool.  ERR_CORRUPT: it is not that. */
MUST_CHECK enum err tool_load(struct arena *a, struct str text,
                              struct tool *ret);

/* Appends the definition as callers see it, under the name they use. */
void tool_write(struct buf *to, const struct tool *t, struct str name);

/* A tool that cannot be offered. */
struct tool_refused {
    struct str name;    /* as it came if it is a string, else empty; cut to
                           NAME_MAX_LEN, so for people only */
    struct fault fault; /* pointer from "/result/tools/<n>" on */
};

struct tool_page {
    const struct tool *tools;
    size_t count;
    const struct tool_refused *refused;
    size_t refused_count;
    struct str cursor; /* of the next page */
    bool has_cursor;
};

/*
 * Reads the result of tools/list.  A definition that cannot be used is left
 * out and told (so is one for which `a` had no room); the others stand.  On
 * an error none does: ERR_MALFORMED: not such a result, or two tools of one
 * name.  ERR_LIMIT: more than TOOL_PAGE_MAX, or `a` is full.
 * ERR_UNKNOWN_FIELD: an unknown member.
 */
MUST_CHECK enum err tool_read_page(struct arena *a, const struct json *result,
                                   struct tool_page *ret,
                                   struct fault *ret_fault);

/* Appends a result of tools/list from definitions that tool_write() has
 * written, with commas between; a cursor with a NULL pointer is none. */
void tool_write_page(struct buf *to, struct str tools, struct str cursor);

#endif
