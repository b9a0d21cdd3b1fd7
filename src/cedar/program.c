/* program.c - see program.h. */
#include "cedar/program.h"

#include <stdlib.h>

bool program_grow(void **at, size_t *room, size_t count, size_t size)
{
    size_t more = count < 16 ? 32 : count * 2;
    void *grown = more > SIZE_MAX / size ? NULL : realloc(*at, more * size);
    if (grown == NULL)
        return false;
    *at = grown;
    *room = more;
    return true;
}
