/*
 * cedar_errors.h - why text was refused; a part of cedar.h.
 */
#ifndef CEDAR_CEDAR_ERRORS_H
#define CEDAR_CEDAR_ERRORS_H

#include <stddef.h>
#include <stdint.h>

/* Nesting of one expression: parentheses, lists, records, arguments, if. */
#define CEDAR_DEPTH_MAX 256
/* Parts of a name: A::B::C has three.  Putting them together takes memory
 * that grows with their square. */
#define CEDAR_NAME_PARTS_MAX 64
/* Annotations of one policy. */
#define CEDAR_ANNOTATIONS_MAX 256
/* Bytes of policy text or entity JSON in one load. */
#define CEDAR_TEXT_MAX ((size_t)256 * 1024 * 1024)
/* Errors of one load that are kept. */
#define CEDAR_ERRORS_MAX 8

/* Where and why text was refused. */
struct cedar_error {
    size_t offset;         /* bytes from the start */
    uint32_t line, column; /* from 1; a column counts bytes */
    char text[192];        /* a sentence without a full stop, NUL-terminated */
};
struct cedar_errors {
    struct cedar_error at[CEDAR_ERRORS_MAX];
    size_t count; /* at most CEDAR_ERRORS_MAX */
};

#endif
