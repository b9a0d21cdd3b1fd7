/*
 * errors.h - collecting the errors of a load.
 */
#ifndef CEDAR_ERRORS_H
#define CEDAR_ERRORS_H

#include "cedar/cedar.h"

/*
 * Adds one, located in `text`, unless there are too many already; `to` may
 * be NULL.
 */
void errors_add(struct cedar_errors *to, struct str text, size_t offset,
                const char *format, ...) PRINTF_LIKE(4, 5);

/* Line and column, from 1, of an offset. */
void errors_locate(struct str text, size_t offset, uint32_t *ret_line,
                   uint32_t *ret_column);

#endif
