/* errors.c - see errors.h. */
#include "cedar/errors.h"

#include <stdarg.h>
#include <stdio.h>

void errors_locate(struct str text, size_t offset, uint32_t *ret_line,
                   uint32_t *ret_column)
{
    uint32_t line = 1;
    size_t start = 0;
    for (size_t i = 0; i < offset && i < text.len; i++)
        if (text.ptr[i] == '\n') {
            line++;
            start = i + 1;
        }
    *ret_line = line;
    *ret_column = (uint32_t)(offset - start + 1);
}

void errors_add(struct cedar_errors *to, struct str text, size_t offset,
                const char *format, ...)
{
    if (to == NULL || to->count == CEDAR_ERRORS_MAX)
        return;
    struct cedar_error *e = &to->at[to->count++];
    *e = (struct cedar_error){.offset = offset};
    errors_locate(text, offset, &e->line, &e->column);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(e->text, sizeof(e->text), format, args);
    va_end(args);
}
