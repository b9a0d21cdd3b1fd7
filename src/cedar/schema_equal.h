/*
 * schema_equal.h - whether two schemas say the same.
 */
#ifndef CEDAR_SCHEMA_EQUAL_H
#define CEDAR_SCHEMA_EQUAL_H

#include "cedar/schema.h"

/* Whatever the order of declarations and the form; false when there is no
 * memory to tell. */
bool schema_equal(const struct cedar_schema *a, const struct cedar_schema *b);

#endif
