/*
 * sort.h - heap sort: in place, O(n log n) whatever the input, no recursion
 * and no allocation, which qsort() does not promise.
 */
#ifndef CEDAR_SORT_H
#define CEDAR_SORT_H

#include <stddef.h>

typedef int sort_order_fn(const void *a, const void *b);

/* `spare` has room for one element of `size` bytes. */
void sort_array(void *array, size_t count, size_t size, sort_order_fn *order,
                void *spare);

#endif
