/*
 * config_table.h - every key of the configuration, once.
 *
 * A row's path is the key's place: "server.drain"; "listen[].tls.cert" in an
 * element of a list; "models.*.attempts" in an entry of a map.  A key's
 * parent stands above it, and what others refer to (tenants, providers,
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
    CONFIG_BOOLEAN,  /* bool */
    CONFIG_MICROS,   /* int64_t */
    CONFIG_ENUM,     /* an enum of unsigned; `min` is that of the first word */
    CONFIG_STORE,    /* struct str: "sqlite" or a postgres URL */
    CONFIG_ADDRESS,  /* host and port of a struct listen_settings */
    CONFIG_URL,      /* the parts of a struct provider_settings */
    CONFIG_REF,      /* size_t: index of the entry of `refers` */
    /* Lists of scalars; One scalar may stand for a list that has only it. */
    CONFIG_NAMES,   /* struct names; `refers`: each one an entry's name;
                       `words`: each one of them */
    CONFIG_STRINGS, /* struct names */
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

/* What the keys of one element or entry stand below: "listen[]", "models.*",
 * "server".  Written to `to`; never over CONFIG_PREFIX_MAX bytes. */
enum { CONFIG_PREFIX_MAX = 64 };
struct str config_table_prefix(const struct config_row *row,
                               char to[CONFIG_PREFIX_MAX]);

/* The map whose entries `row` refers to. */
const struct config_row *config_table_refers(const struct config_row *row);

#endif
