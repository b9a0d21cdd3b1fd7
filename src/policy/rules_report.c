/* rules_report.c - see rules_report.h. */
#include "policy/rules_report.h"

#include <stdarg.h>
#include <stdio.h>

#include "cedar/cedar_errors.h"

static void PRINTF_LIKE(3, 0)
    add(struct rules_errors *to, const struct rules_error *place,
        const char *format, va_list args)
{
    if (to->count == RULES_ERRORS_MAX) {
        to->more++;
        return;
    }
    struct rules_error *e = &to->at[to->count++];
    *e = *place;
    (void)vsnprintf(e->text, sizeof(e->text), format, args);
}

void rules_report(struct rules_errors *to, struct str file, unsigned line,
                  unsigned column, const char *format, ...)
{
    const struct rules_error place = {.file = file,
                                      .line = line,
                                      .column = column};
    va_list args;
    va_start(args, format);
    add(to, &place, format, args);
    va_end(args);
}

void rules_report_at(struct rules_errors *to, const struct rules_file *file,
                     size_t offset, const char *format, ...)
{
    struct rules_error place = {.file = file->name, .line = 1, .column = 1};
    for (size_t i = 0; i < offset && i < file->text.len; i++) {
        bool end = file->text.ptr[i] == '\n';
        place.line += end;
        place.column = end ? 1 : place.column + 1;
    }
    va_list args;
    va_start(args, format);
    add(to, &place, format, args);
    va_end(args);
}

void rules_report_cedar(struct rules_errors *to, struct str file,
                        const struct cedar_errors *from)
{
    for (size_t i = 0; i < from->count; i++)
        rules_report(to, file, from->at[i].line, from->at[i].column, "%s",
                     from->at[i].text);
}
