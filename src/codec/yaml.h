/*
 * yaml.h - a configuration file as a tree whose every node knows its place.
 *
 * One document of block and flow collections and scalars.  What lets a file
 * mean something else than it shows is refused: anchors and aliases, tags,
 * keys that are no scalars, the same key twice.  Scalars stay text; what they
 * stand for is the reader's decision.
 *
 * The tree is immutable and lives in the arena that yaml_read() was given.
 * Every accessor takes NULL and answers as for a missing value.
 *
 * Threads: a tree may be read by any number of threads.
 */
#ifndef CODEC_YAML_H
#define CODEC_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

/* A file is at most CONFIG_FILE_MAX long. */
enum { YAML_DEPTH_MAX = 32, YAML_NODES_MAX = 200000 };

struct yaml_node; /* a scalar, a list or a map */

enum yaml_type {
    YAML_NULL = 0, /* nothing after "key:", or a plain ~ or null */
    YAML_SCALAR,
    YAML_LIST,
    YAML_MAP,
};

/* Line and column count from 1, columns in characters. */
struct yaml_error {
    unsigned line, column;
    const char *what; /* in the arena, or static */
};

/*
 * Parses `text` (UTF-8, borrowed for the call).  An empty document is a
 * YAML_NULL.  ERR_MALFORMED: *ret_error says what and where; this includes
 * what is over a limit.  ERR_LIMIT: `a` is full.  ERR_NO_MEMORY.
 */
MUST_CHECK enum err yaml_read(struct arena *a, struct str text,
                              const struct yaml_node **ret,
                              struct yaml_error *ret_error);

enum yaml_type yaml_type(const struct yaml_node *node);

/* Where the node begins; 0 for NULL. */
unsigned yaml_line(const struct yaml_node *node);
unsigned yaml_column(const struct yaml_node *node);

/* The text of a scalar (or of how nothing was written), else empty. */
struct str yaml_text(const struct yaml_node *node);

/* True for a scalar in quotes or a block ("|", ">"). */
bool yaml_is_quoted(const struct yaml_node *node);

/* Elements of a list, entries of a map, else 0. */
size_t yaml_count(const struct yaml_node *node);

/* The element, or the value of the entry, in the file's order; or NULL. */
const struct yaml_node *yaml_at(const struct yaml_node *node, size_t index);

/* The key of the entry, a scalar; NULL when `node` is no map. */
const struct yaml_node *yaml_key_at(const struct yaml_node *node, size_t index);

/* The value of the key, or NULL.  O(log entries). */
const struct yaml_node *yaml_get(const struct yaml_node *map, struct str key);

#endif
