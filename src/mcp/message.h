/*
 * message.h - one JSON-RPC 2.0 message, as MCP uses it.
 *
 * Source: JSON-RPC 2.0; MCP 2025-11-25, "Base Protocol".  Read strictly: what
 * codec/json.h refuses, members that JSON-RPC does not name, a batch (in every
 * revision), both `result` and `error`, an id that is null, a fraction or out
 * of bounds.  Written in one form: "jsonrpc", "id", "method" and "params", or
 * "result", or "error", without blanks.
 *
 * Values borrow from the arena they were read into.  Pure; any thread.
 */
#ifndef MCP_MESSAGE_H
#define MCP_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "codec/json.h"
#include "mcp/fault.h"

enum {
    MESSAGE_ID_MAX = 256,     /* bytes of a string */
    MESSAGE_METHOD_MAX = 128, /* bytes */
    MESSAGE_TEXT_MAX = 8192,  /* bytes of an error's message */
};
/* Integers are bounded by what every peer holds without rounding. */
#define MESSAGE_INTEGER_MAX INT64_C(9007199254740991)

/* The id of a request, or a progress token: both have the same form. */
struct message_id {
    enum {
        MESSAGE_ID_NONE = 0,
        MESSAGE_ID_INTEGER,
        MESSAGE_ID_STRING,
    } type;
    struct str text; /* the decimal digits as they came, or the string */
};

enum message_kind {
    MESSAGE_NONE = 0,
    MESSAGE_REQUEST,
    MESSAGE_NOTIFICATION,
    MESSAGE_RESULT, /* a response that succeeded */
    MESSAGE_ERROR,  /* a response that failed */
};

struct message {
    enum message_kind kind;
    struct message_id id; /* none: a notification, or an error with id null */
    struct str method;    /* of requests and notifications */
    const struct json *params; /* an object, or NULL: there were none */
    const struct json *result; /* an object */
    struct {
        int64_t code;
        struct str text;
        const struct json *data; /* NULL: none */
    } error;
};

/*
 * Reads `body` (borrowed for the call), whose size is the caller's to bound.
 * On an error *ret_fault is set, and *ret_id is the id that the answer
 * carries: what could be read of it, else none.
 *
 * ERR_MALFORMED: not JSON (FAULT_PARSE), or no message (FAULT_REQUEST).
 * ERR_UNSUPPORTED: a batch; it is refused unread.  ERR_UNKNOWN_FIELD: a
 * member that JSON-RPC does not know.  ERR_LIMIT: as json_read(), or an id,
 * method or error text that is too long.
 */
MUST_CHECK enum err message_read(struct arena *a, struct str body,
                                 struct message *ret, struct message_id *ret_id,
                                 struct fault *ret_fault);

/* False: not a string or integer within bounds; *ret untouched. */
MUST_CHECK bool message_id_read(const struct json *v, struct message_id *ret);
bool message_id_eq(struct message_id a, struct message_id b);
/* As JSON; none is null. */
void message_id_write(struct buf *to, struct message_id id);
/* `n` as an id.  `room` gets the digits and must outlive the id. */
enum { MESSAGE_DIGITS_MAX = 20 };
struct message_id message_id_number(uint64_t n, char room[MESSAGE_DIGITS_MAX]);

/* Appends `m` as it was read, with another id.  Check buf_ok(). */
void message_write(struct buf *to, const struct message *m,
                   struct message_id id);

/*
 * The same from parts.  `params`, `result` and `data` are JSON text; empty
 * params or data are left out.  A call without an id is a notification.
 */
void message_write_call(struct buf *to, struct message_id id, struct str method,
                        struct str params);
void message_write_result(struct buf *to, struct message_id id,
                          struct str result);
void message_write_error(struct buf *to, struct message_id id, int64_t code,
                         struct str text, struct str data);

#endif
