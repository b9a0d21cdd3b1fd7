/*
 * form.h - an allow-list for the JSON inside MCP messages, as tables.
 *
 * A form says what one value may be.  What no form admits is refused: a
 * member without a row, or one that is newer than the revision of the
 * session.  So what a revision adds is refused until somebody has thought
 * about it.  (llm/shape.h is the same idea for the dialects of models, with
 * paths and texts of theirs.)
 *
 * Forms are static tables; checking allocates only for the text of a refusal.
 */
#ifndef MCP_FORM_H
#define MCP_FORM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "codec/json.h"
#include "mcp/fault.h"
#include "mcp/revision.h"

enum form_kind {
    FORM_NOTHING = 0, /* admits nothing: zero denies */
    FORM_STRING,      /* `words`, or min to max bytes; then `check` */
    FORM_BOOL,
    FORM_INT,    /* min to max */
    FORM_NUMBER, /* min to max; any, where both are 0 */
    FORM_ID,     /* message.h */
    FORM_ARRAY,  /* min to max elements, each an `of` */
    FORM_MAP,    /* min to max members of any name, each an `of` */
    FORM_OBJECT, /* the members that `rows` name */
    FORM_OPEN,   /* as OBJECT, but others pass; at most max bytes of text */
    FORM_ANY,    /* anything of at most max bytes of text */
    FORM_TAGGED, /* its member `tag` names the row that holds for it */
    FORM_PARTS,  /* one `of`, or an array of min to max of them */
    FORM_DENIED, /* known and refused, see `why` */
};

struct form;
struct form_row {
    const char *name; /* "": where the tag is missing */
    const struct form *form;
    bool is_required;
    enum revision since; /* REVISION_NONE: always */
};

/* False: refused, *ret_why is a static sentence. */
typedef bool form_string_check(struct str s, const char **ret_why);

struct form {
    enum form_kind kind;
    int64_t min, max;         /* max 0: no bound but the message's */
    const char *const *words; /* ends with NULL */
    const char *tag;
    const struct form_row *rows; /* ends with a row without a form */
    const struct form *of;
    form_string_check *check;
    const char *why;
};

/*
 * ERR_OK when `v` is what `f` admits in revision `r`.  Else *ret_fault is set,
 * its code FAULT_PARAMS, its pointer `under` ("/params") and the place in `v`:
 * ERR_UNKNOWN_FIELD: a member or tag that is not on the list.
 * ERR_UNSUPPORTED: one that is known and refused.  ERR_LIMIT: too long, too
 * many.  ERR_MALFORMED: a wrong type, a value out of range, something missing.
 */
MUST_CHECK enum err form_check(struct arena *a, enum revision r,
                               struct str under, const struct form *f,
                               const struct json *v, struct fault *ret_fault);

/* Sets *ret_fault, with copies in `a`; returns `e`.  For checks that no table
 * can make. */
enum err form_refuse(struct arena *a, enum err e, struct str pointer,
                     struct str text, struct fault *ret_fault);

#endif
