/*
 * cedar_value.h - the values of Cedar, as views; a part of cedar.h.
 *
 * A value is 16 bytes.  Strings, uids, sets and records are borrowed: they
 * live where their maker put them, usually an arena.  Values are immutable.
 * Strings are UTF-8, may hold NUL, and are compared byte by byte.
 */
#ifndef CEDAR_CEDAR_VALUE_H
#define CEDAR_CEDAR_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/json.h"

enum cedar_kind {
    CEDAR_NOTHING = 0, /* no value of the language */
    CEDAR_BOOL,
    CEDAR_LONG,
    CEDAR_STRING,
    CEDAR_ENTITY,
    CEDAR_SET,
    CEDAR_RECORD,
    CEDAR_DECIMAL,
    CEDAR_IP,
    CEDAR_DATETIME,
    CEDAR_DURATION,
};

/* The name of an entity; `hash` is cedar_uid_make()'s business. */
struct cedar_uid {
    struct str type; /* "Namespace::Type" */
    struct str id;
    uint64_t hash;
};

struct cedar_set;
struct cedar_record;
struct cedar_ip;

struct cedar_value {
    uint8_t kind; /* enum cedar_kind */
    uint32_t len; /* of a string, in bytes */
    union {
        bool truth;
        int64_t
            number; /* long; decimal in 1/10,000; datetime, duration in ms */
        const char *text;
        const struct cedar_uid *uid;
        const struct cedar_set *set;
        const struct cedar_record *record;
        const struct cedar_ip *ip;
    } as;
};

struct cedar_member {
    struct str name;
    struct cedar_value value;
};

/* Cannot fail; borrows both.  A type that is no name equals no other. */
struct cedar_uid cedar_uid_make(struct str type, struct str id);

/* True for "A" and "A::B" without reserved words: a normalised type name. */
bool cedar_uid_is_type(struct str type);

static inline bool cedar_uid_equal(const struct cedar_uid *a,
                                   const struct cedar_uid *b)
{
    return a == b || (a->hash == b->hash && str_eq(a->id, b->id) &&
                      str_eq(a->type, b->type));
}

/*
 * From `Type::"id"`, escapes as in a policy, nothing around or between; from
 * {"type": ..., "id": ...}, with or without {"__entity": ...} around.  Borrows
 * the text, but for an id with escapes: that is in the arena.
 * ERR_MALFORMED: *ret_what, a static text, says why.  ERR_LIMIT: the arena is
 * full.
 */
MUST_CHECK enum err cedar_uid_read(struct arena *a, struct str text,
                                   struct cedar_uid *ret,
                                   const char **ret_what);
MUST_CHECK enum err cedar_uid_json(const struct json *json,
                                   struct cedar_uid *ret,
                                   const char **ret_what);

static inline struct cedar_value cedar_value_bool(bool truth)
{
    return (struct cedar_value){.kind = CEDAR_BOOL, .as.truth = truth};
}
static inline struct cedar_value cedar_value_long(int64_t number)
{
    return (struct cedar_value){.kind = CEDAR_LONG, .as.number = number};
}
/* At most UINT32_MAX bytes: more is a bug of the caller. */
struct cedar_value cedar_value_string(struct str text);
static inline struct cedar_value cedar_value_entity(const struct cedar_uid *uid)
{
    return (struct cedar_value){.kind = CEDAR_ENTITY, .as.uid = uid};
}
static inline struct cedar_value cedar_value_datetime(int64_t unix_ms)
{
    return (struct cedar_value){.kind = CEDAR_DATETIME, .as.number = unix_ms};
}
static inline struct cedar_value cedar_value_of(const struct cedar_record *r)
{
    return (struct cedar_value){.kind = CEDAR_RECORD, .as.record = r};
}

/*
 * A set of `items` without its duplicates; a record of `members`, whose
 * names must differ (ERR_MALFORMED).  Copies the arrays into the arena, not
 * what they point to.  ERR_LIMIT: the arena is full.
 */
MUST_CHECK enum err cedar_value_set(struct arena *a,
                                    const struct cedar_value *items,
                                    size_t count, struct cedar_value *ret);
MUST_CHECK enum err cedar_value_record(struct arena *a,
                                       const struct cedar_member *members,
                                       size_t count,
                                       const struct cedar_record **ret);

/*
 * The form of records that are made again and again: names are hashed and put
 * in order once.  Copies the array, not what it points to.  ERR_MALFORMED: a
 * name comes twice.  ERR_LIMIT: the arena is full.
 */
struct cedar_shape;
MUST_CHECK enum err cedar_shape_make(struct arena *a, const struct str *names,
                                     size_t count,
                                     const struct cedar_shape **ret);
/* A record of this form with values in the order of the names; CEDAR_NOTHING
 * leaves its member out.  ERR_LIMIT: the arena is full. */
MUST_CHECK enum err cedar_shape_record(struct arena *a,
                                       const struct cedar_shape *s,
                                       const struct cedar_value *values,
                                       const struct cedar_record **ret);

/*
 * A value of an extension type from its text, as ip("...") in a policy:
 * `function` is "ip", "decimal", "datetime" or "duration".  ERR_MALFORMED.
 */
MUST_CHECK enum err cedar_value_extension(struct arena *a, struct str function,
                                          struct str text,
                                          struct cedar_value *ret);

/*
 * From JSON, where {"__entity": ...} and {"__extn": ...} mean entities and
 * extension values: for what the operator writes, never for what a caller
 * sends.  *ret_what, a static text, says why ERR_MALFORMED.  ERR_LIMIT: the
 * arena is full.  Borrows the strings of `json`.
 */
MUST_CHECK enum err cedar_value_json(struct arena *a, const struct json *json,
                                     struct cedar_value *ret,
                                     const char **ret_what);

/*
 * From JSON of a caller: no escapes, so {"__entity": ...} is a record like
 * any other.  null is left out of records and refused in arrays; a number
 * that is no integer of 64 bits becomes a decimal when it is one with at
 * most four places, else is refused.  Otherwise as above.
 */
MUST_CHECK enum err cedar_value_raw_json(struct arena *a,
                                         const struct json *json,
                                         struct cedar_value *ret,
                                         const char **ret_what);

/* The value of a member, or false. */
bool cedar_value_get(const struct cedar_record *r, struct str name,
                     struct cedar_value *ret);

/* Structural; values of different types differ. */
bool cedar_value_equal(struct cedar_value a, struct cedar_value b);

#endif
