/*
 * est.h - reading the JSON form of policies to program.h's form.
 *
 * What is read knows its place in the document, so that an error can name it
 * (RFC 6901) and say where in the text it stands.  Functions return false
 * after one error was reported.  Recursion is that of the document, which
 * JSON_LARGE_DEPTH_MAX bounds.
 */
#ifndef CEDAR_EST_H
#define CEDAR_EST_H

#include "cedar/parser.h"
#include "codec/json.h"

/* On the stack of whoever reads the member or element. */
struct est_place {
    const struct est_place *up;
    struct str name; /* of a member; ptr NULL: an element */
    size_t nth;      /* member or element of its container */
};

struct est {
    struct parser p; /* its lexer is not used */
    struct str text; /* the document */
    const struct est_place *place;
};

/* "<why> at <pointer>"; returns false. */
bool est_refuse(struct est *e, const char *format, ...) PRINTF_LIKE(2, 3);

/* Reads one value. */
typedef bool est_fn(struct est *e, const struct json *json, void *to);

/* The same for what stands in a container. */
bool est_inside(struct est *e, struct str name, size_t nth, est_fn *read,
                const struct json *json, void *to);

struct est_field {
    const char *name;
    bool is_optional;
};
enum { EST_FIELDS_MAX = 8 };
struct est_object {
    const struct est_field *known;
    const struct json *values[EST_FIELDS_MAX]; /* NULL: not there */
    size_t nths[EST_FIELDS_MAX];
};
/* Members by position in `known`; others are refused. */
bool est_fields(struct est *e, const struct json *json,
                const struct est_field *known, size_t count,
                struct est_object *ret);
/* Reads a member that is there. */
bool est_member(struct est *e, const struct est_object *object, size_t field,
                est_fn *read, void *to);
/* Reads all of an array, each to the same place. */
bool est_elements(struct est *e, const struct json *json, est_fn *read,
                  void *to);

/* Of the type est_fn: a string, a type's name, a uid, kept in the set. */
bool est_string(struct est *e, const struct json *json, void *to);
bool est_type(struct est *e, const struct json *json, void *to);
bool est_uid(struct est *e, const struct json *json, void *to);
/* An expression, or a value; to nodes, `to` is not used. */
bool est_expression(struct est *e, const struct json *json, void *to);
bool est_value(struct est *e, const struct json *json, void *to);
/* Of either, by what reads their elements. */
bool est_set(struct est *e, const struct json *json, est_fn *read);
bool est_record(struct est *e, const struct json *json, est_fn *read);
/* A policy: to a struct program_policy without id and place. */
bool est_policy(struct est *e, const struct json *json, void *to);

/* A call: `read` reads each argument, the receiver of a method first. */
bool est_call(struct est *e, struct str function, const struct json *args,
              est_fn *read);

/* The bytes before the value at a place in a well-formed document. */
size_t est_offset(struct str text, const struct est_place *place);

#endif
