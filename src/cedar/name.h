/*
 * name.h - identifiers and the words that may not be one.
 */
#ifndef CEDAR_NAME_H
#define CEDAR_NAME_H

#include <stdbool.h>

#include "base/str.h"

static inline bool name_is_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static inline bool name_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool name_is_part(char c)
{
    return name_is_start(c) || name_is_digit(c);
}

/* true false if then else in is like has, and __cedar. */
bool name_is_reserved(struct str word);

#endif
