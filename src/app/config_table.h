/*
 * config_table.h - every key of the configuration, once.
 *
 * A row's path is the key's place: "server.drain"; "listen[].tls.cert" in an
 * element of a list; "models.*.attempts" in an entry of a map, and
 * "tools.*.risk.*" where such an entry is a value by itself.  A key's parent
 * stands above it, and what others refer to (tenants, providers,
 * models) above those who do.  Readers, JSON Schema and documentation walk
 * the same rows; a new key is one row and one field in domain/settings.h.
 */
#ifndef APP_CONFIG_TABLE_H
#define APP_CONFIG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum config_type {
    /* What has keys of its own. */
    CONFIG_GROUP = 0, /* a fixed part of its parent's struct */
    CONFIG_LIST,      /* elements, one struct each */
    CONFIG_MAP,       /* the same by name; the struct begins with its name */
    /* Scalars.  The target is what stands behind the name. */
    CONFIG_NAME,     /* struct str: [a-z0-9][a-z0-9_.-]* */
    CONFIG_STRING,   /* struct str: UTF-8 without control characters */
    CONFIG_PATH,     /* struct str: from the file's folder */
    CONFIG_ENV,      /* struct str: name of an environment variable */
    CONFIG_DURATION, /* int64_t, ms; min and max, too */
    CONFIG_BYTES,    /* uint64_t */
    CONFIG_INTEGER,  /* uint32_t */
    CONFIG_COUNT,    /* uint64_t */
    CONFIG_BOOLEAN,  /* bool; `words`: the two that stand for false and true */
    CONFIG_MICROS,   /* int64_t */
    CONFIG_ENUM,     /* an enum of unsigned; `min` is that of the first word */
    CONFIG_STORE,    /* struct str: "sqlite" or a postgres URL */
    CONFIG_ADDRESS,  /* host and port of a struct listen_settings */
    CONFIG_URL,      /* the parts of a struct provider_settings */
    CONFIG_ENDPOINT, /* the same of a struct tool_server_settings' http */
    CONFIG_POINTER,  /* struct str: RFC 6901, written as "$.a.b" */
    CONFIG_REF,      /* size_t: index of the entry of `refers` */
    /* Lists of scalars; one scalar may stand for a list that has only it.
     * All but CONFIG_FLAGS are a struct names. */
    CONFIG_NAMES,     /* `refers`: each one an entry's name; `words`: each one
                         of them */
    CONFIG_STRINGS,   /* as CONFIG_STRING */
    CONFIG_PATHS,     /* as CONFIG_PATH */
    CONFIG_ARGUMENTS, /* of a command: may be empty, and there twice */
    CONFIG_ORIGINS,   /* "https://app.example.org", as browsers write them */
    CONFIG_HOSTS,     /* lower-case, without port and brackets */
    CONFIG_FLAGS,     /* uint32_t: bit n is the n-th of `words`; or-ed */
};

/* What the names of a map's entries are. */
enum config_key {
    CONFIG_KEY_NAME = 0, /* as CONFIG_NAME */
    CONFIG_KEY_SERVER,   /* part of a path and of a tool's name */
    CONFIG_KEY_ENV,      /* an environment variable */
    CONFIG_KEY_TOOL,     /* a tool's, as MCP has it */
    CONFIG_KEY_GLOB,     /* the same with `*` and `?` */
};

struct config_row {
    const char *path;
    enum config_type type;
    bool required;
    bool secret;          /* its value is not repeated in messages */
    size_t at;            /* offset in the innermost list's or map's struct */
    size_t count_at;      /* lists, maps: offset of the length */
    size_t size;          /* lists, maps: of an element */
    const char *fallback; /* default, as it would stand in the file */
    int64_t min, max;     /* of the value; of lists and maps, the length */
    enum config_key keys; /* maps */
    const char *const *words; /* enums: ends with NULL */
    const char *refers;       /* path of a map */
    const char *help;         /* one sentence or two */
};

extern const struct config_row config_table[];
extern const size_t config_table_len;

/*
 * Steps over the keys below `prefix` ("" for the file, "listen[]",
 * "models.*", "server"): start with *at = 0; NULL at the end.
 */
const struct config_row *config_table_next(struct str prefix, size_t *at);

/* The last part of the path: "attempts". */
struct str config_table_key(const struct config_row *row);

/* The key `name` below `prefix`, or NULL. */
const struct config_row *config_table_find(struct str prefix, struct str name);

/* The row of a map's entries that are a value by themselves; NULL: they are
 * mappings.  Where there are both, a mapping is one. */
const struct config_row *config_table_value(const struct config_row *map);

/* True for lists of scalars. */
bool config_table_is_list(const struct config_row *row);

/* What the keys of one element or entry stand below: "listen[]", "models.*",
 * "server".  Written to `to`; never over CONFIG_PREFIX_MAX bytes. */
enum { CONFIG_PREFIX_MAX = 64 };
struct str config_table_prefix(const struct config_row *row,
                               char to[CONFIG_PREFIX_MAX]);

/* The map whose entries `row` refers to. */
const struct config_row *config_table_refers(const struct config_row *row);

#endif
