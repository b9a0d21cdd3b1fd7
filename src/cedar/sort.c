/* sort.c - see sort.h. */
#include "cedar/sort.h"

#include <string.h>

/* Small arrays are the rule, and often sorted already. */
enum { INSERTION_MAX = 12 };

static void insertion(char *at, size_t count, size_t size, sort_order_fn *order,
                      void *spare)
{
    for (size_t i = 1; i < count; i++) {
        size_t to = i;
        while (to > 0 && order(at + (to - 1) * size, at + i * size) > 0)
            to--;
        if (to == i)
            continue;
        memcpy(spare, at + i * size, size);
        memmove(at + (to + 1) * size, at + to * size, (i - to) * size);
        memcpy(at + to * size, spare, size);
    }
}

/* Lets `spare` sink from `root` to where it belongs. */
static void sink(char *at, size_t root, size_t count, size_t size,
                 sort_order_fn *order, const void *spare)
{
    for (size_t child; (child = root * 2 + 1) < count; root = child) {
        if (child + 1 < count &&
            order(at + child * size, at + (child + 1) * size) < 0)
            child++;
        if (order(spare, at + child * size) >= 0)
            break;
        memcpy(at + root * size, at + child * size, size);
    }
    memcpy(at + root * size, spare, size);
}

void sort_array(void *array, size_t count, size_t size, sort_order_fn *order,
                void *spare)
{
    char *at = array;
    if (count <= INSERTION_MAX) {
        insertion(at, count, size, order, spare);
        return;
    }
    for (size_t i = count / 2; i-- > 0;) {
        memcpy(spare, at + i * size, size);
        sink(at, i, count, size, order, spare);
    }
    for (size_t end = count - 1; end > 0; end--) {
        memcpy(spare, at + end * size, size);
        memcpy(at + end * size, at, size);
        sink(at, 0, end, size, order, spare);
    }
}
