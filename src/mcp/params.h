/*
 * params.h - the parameters of MCP's methods, read by allow-lists into plain
 * structs, and written again from what was read (one reading: what was
 * decided is what is sent).
 *
 * Source: the JSON schemas of the revisions.  A member that is not on the list
 * of the method, or newer than the revision of the session, is refused; so are
 * `task` (nobody here polls tasks) and values out of bounds.  `_meta` passes
 * within bounds, `arguments` and JSON Schemas as they are.
 *
 * What is written is the same JSON value without blanks, its numbers to the
 * digit and its members in their order; a call of a tool without arguments has
 * empty ones from then on.
 *
 * Values borrow from the arena of the message.  Pure; any thread.
 */
#ifndef MCP_PARAMS_H
#define MCP_PARAMS_H

#include "base/limits.h"
#include "mcp/method.h"

enum {
    /* A server's name and a tool's, and what stands between. */
    PARAMS_NAME_MAX = 2 * (int)NAME_MAX_LEN + 2,
    PARAMS_URI_MAX = 8192,
    PARAMS_CURSOR_MAX = 4096,
    PARAMS_META_MAX = 16384, /* bytes of names and values in it */
    PARAMS_REASON_MAX = 4096,
};

enum params_level { /* RFC 5424, the mildest first */
                    PARAMS_DEBUG = 0,
                    PARAMS_INFO,
                    PARAMS_NOTICE,
                    PARAMS_WARNING,
                    PARAMS_ERROR,
                    PARAMS_CRITICAL,
                    PARAMS_ALERT,
                    PARAMS_EMERGENCY,
};

struct params {
    enum method method;
    const struct json *body; /* an object as read, or NULL: there were none */
    const struct json *meta; /* `_meta`, or NULL */
    struct message_id token; /* progressToken: of `_meta`, or of progress */
    union {
        struct {
            struct str revision;             /* protocolVersion, as asked */
            const struct json *capabilities; /* see handshake.h */
            struct str name, version;        /* clientInfo: its own word */
        } initialize;
        struct {
            struct str cursor; /* the empty one is valid, too */
            bool has_cursor;
        } page; /* tools/list, resources/list, prompts/list, templates */
        struct {
            struct str name;
            const struct json *arguments; /* NULL: none, the same as {} */
        } call;                           /* tools/call */
        struct {
            struct str name;
            const struct json *arguments; /* strings by name, or NULL */
        } prompt;                         /* prompts/get */
        struct {
            struct str uri;
        } resource; /* resources/read|subscribe|unsubscribe|updated */
        struct {
            bool is_prompt;            /* ref/prompt; else ref/resource */
            struct str target;         /* a prompt's name, or a URI template */
            struct str name;           /* of the argument to complete */
            struct str value;          /* what of it there is */
            const struct json *others; /* arguments so far, or NULL */
        } complete;
        struct {
            enum params_level level;
            struct str logger;       /* of a message, or empty */
            const struct json *data; /* of a message */
        } log; /* logging/setLevel, notifications/message */
        struct {
            struct message_id request;
            struct str reason; /* may be empty */
        } cancelled;
        struct {
            struct str progress, total; /* numbers as text; total: or empty */
            struct str text;            /* may be empty */
        } progress;
        struct {
            const struct json *messages; /* an array */
            const struct json *tools;    /* an array, or NULL */
            struct str system;           /* prompt, or empty */
            struct str context;          /* includeContext, or empty */
            int64_t max_tokens;
        } sample;
        struct {
            bool is_url;               /* mode url; else a form */
            struct str text;           /* what the person is told */
            struct str url, id;        /* of mode url */
            const struct json *schema; /* of a form */
        } elicit;
        struct {
            struct str id;
        } elicited; /* notifications/elicitation/complete */
    };
};

/*
 * Reads the params `v` of method `m` (NULL: there were none) in revision `r`.
 * On an error *ret_fault is set as form_check() does it, with pointers from
 * the message on ("/params/name").  initialize is read by the newest
 * revision, since none is agreed on yet.
 */
MUST_CHECK enum err params_read(struct arena *a, enum method m, enum revision r,
                                const struct json *v, struct params *ret,
                                struct fault *ret_fault);

/*
 * What differs in what goes out.  A string with a NULL pointer and an id of
 * none mean "as read", but for `token`: none takes the progress token out,
 * because a token of one peer means nothing to another.
 */
struct params_change {
    struct str name;           /* of a tool or prompt, also in ref/prompt */
    struct str uri;            /* of a resource, also in ref/resource */
    struct str cursor;         /* "" with a pointer is a cursor */
    bool drop_cursor;          /* the first page */
    struct message_id request; /* of cancelled */
    struct message_id token;
};

/* Appends the params, or nothing where there are none.  `change` may be NULL:
 * all as read.  Check buf_ok(). */
void params_write(struct buf *to, const struct params *p,
                  const struct params_change *change);

#endif
