/*
 * body.h - the JSON bodies of the admin API, read by allow-lists (rule
 * "Parsers are allow-lists"): what is not named is refused, and named.
 */
#ifndef ADMIN_BODY_H
#define ADMIN_BODY_H

#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

enum { BODY_TEXT_MAX = 1024, BODY_TEXTS_MAX = 16, BODY_FIELDS_MAX = 16 };

struct body_texts {
    struct str at[BODY_TEXTS_MAX];
    unsigned count;
};

enum body_type {
    BODY_TEXT,  /* struct str: a string, at most BODY_TEXT_MAX bytes */
    BODY_TEXTS, /* struct body_texts: an array of such, or one string */
    BODY_FLAG,  /* bool */
};

/* One member that is known.  What is missing leaves *to as it is. */
struct body_field {
    struct str name;
    enum body_type type;
    bool required; /* and, if text, not empty */
    void *to;
};

/* What is wrong; `param` is in the arena. */
struct body_problem {
    const char *detail;
    struct str param;
};

/*
 * Reads `text`, an object, or nothing at all when no field is required.
 * ERR_UNKNOWN_FIELD, ERR_MALFORMED, ERR_LIMIT; then *ret_problem is set and
 * what was read is of no use.
 */
MUST_CHECK enum err body_read(struct arena *a, struct str text,
                              const struct body_field *fields, size_t n,
                              struct body_problem *ret_problem);

#endif
