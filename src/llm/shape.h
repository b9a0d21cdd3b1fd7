/*
 * shape.h - an allow-list for JSON, written as tables.
 *
 * A shape says what one value may be.  What no shape admits is refused: a
 * member without a row, a word that is not on the list, a part of a kind that
 * nobody named.  So a feature that a provider adds tomorrow is refused until
 * somebody has thought about it.
 *
 * Shapes are static tables; checking them allocates only for the text of a
 * refusal.  Recursion is as deep as the tables, and the JSON reader's depth.
 */
#ifndef LLM_SHAPE_H
#define LLM_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "codec/json.h"
#include "domain/settings.h"
#include "llm/dialect.h"

enum shape_kind {
    SHAPE_NOTHING = 0, /* admits nothing: zero denies */
    SHAPE_STRING,      /* `words`, or min to max bytes; then `check` */
    SHAPE_BOOL,        /* with `why`: true is refused */
    SHAPE_INT,         /* min to max */
    SHAPE_NUMBER,      /* min to max */
    SHAPE_ARRAY,       /* min to max elements, each an `of` */
    SHAPE_MAP,         /* min to max members of any name, each an `of` */
    SHAPE_OBJECT,      /* the members that `rows` name */
    SHAPE_TAGGED,      /* its member `tag` names the row that holds for it */
    SHAPE_EITHER,      /* the first of `rows` (nameless) of the right type */
    SHAPE_OPAQUE,      /* any object, as a JSON Schema is */
    SHAPE_DENIED,      /* known and refused, see `why`; only null passes */
};

enum {
    SHAPE_NULLABLE = 1u << 0, /* null passes */
    SHAPE_TEXT = 1u << 1,     /* its bytes count as text for the model */
    SHAPE_TOKEN = 1u << 2,    /* an element counts as one token */
};

struct shape_row {
    const char *name;
    const struct shape *shape;
    bool required;
};

/* On an error *ret_why is a sentence for the caller, static. */
typedef enum err shape_string_check(struct str s, const char **ret_why);

struct shape {
    enum shape_kind kind;
    unsigned flags;
    int64_t min, max; /* max 0: no bound but the body's (not INT, NUMBER) */
    const char *const *words;     /* ends with NULL */
    const char *tag;              /* of TAGGED */
    const struct shape_row *rows; /* ends with a row without a shape */
    const struct shape *of;
    shape_string_check *check;
    const char *why; /* a sentence for the caller */
};

enum { SHAPE_BYTES_PER_TOKEN = 4 };

struct shape_walk {
    struct arena *a;    /* for the text of a refusal */
    struct names allow; /* fields that pass unread, see shape_check() */
    int64_t text_bytes; /* out: of what was marked SHAPE_TEXT or _TOKEN */
    struct llm_problem *ret_problem;
};

/*
 * ERR_OK when `v` is what `s` admits.  Else *w->ret_problem is set:
 * ERR_UNKNOWN_FIELD: a member, tag or word that is not on the list.
 * ERR_DENIED: one that is known and refused.  ERR_MALFORMED: a wrong type, a
 * value out of range, or something is missing.
 *
 * w->allow lists paths without indices ("reasoning", "messages[].thinking"):
 * an unknown member at such a path passes unread, and so does an unknown
 * word in the string there.  What is denied stays denied.
 */
MUST_CHECK enum err shape_check(struct shape_walk *w, const struct shape *s,
                                const struct json *v);

#endif
