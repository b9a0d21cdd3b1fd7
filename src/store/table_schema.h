/*
 * table_schema.h - which version the tables have, and the steps from each
 * version to the next.
 *
 * A step is never changed once it was released: a new one is added.
 */
#ifndef STORE_TABLE_SCHEMA_H
#define STORE_TABLE_SCHEMA_H

#include "store/store.h"

/* The newest version that this program knows; the first is 1. */
int64_t table_schema_known(void);

/*
 * Makes the table of versions where there is none, and asks for the version:
 * one row, which is of the statement TABLE_SCHEMA_FIND_ROW.
 */
enum { TABLE_SCHEMA_FIND_ROW = 1 };
MUST_CHECK enum err table_schema_find(struct store_batch *b);
/* 0: no tables yet. */
MUST_CHECK bool table_schema_read(const struct store_value *columns, size_t n,
                                  int64_t *ret_version);

/*
 * The step to `version`, 1 to table_schema_known().  STORE_CONFLICT when
 * another node has taken it meanwhile.
 */
MUST_CHECK enum err table_schema_step(struct store_batch *b, int64_t version,
                                      int64_t now_us);

#endif
