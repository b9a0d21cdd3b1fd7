/* config_report.c - see config_report.h. */
#include "app/config_report.h"

#include <stdarg.h>

#include "base/text.h"

enum { TEXT_MAX = 1024, FAR = 99 };

/* What came from the file must not steer a terminal, nor be cut in the middle
 * of a character. */
static struct str make_safe(char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c == 0x7f)
            text[i] = '?';
    }
    while (len > 0 && !text_is_utf8((struct str){text, len}))
        len--;
    return (struct str){text, len};
}

void config_report_add(struct config_report *r, struct config_place where,
                       const char *fmt, ...)
{
    struct config_errors *errors = r->errors;
    if (errors->count == CONFIG_ERRORS_MAX) {
        errors->more++;
        return;
    }
    char text[TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    struct config_error e = {.line = where.line, .column = where.column};
    if (!arena_copy(r->a, where.path, &e.path) ||
        !arena_copy(r->a, make_safe(text), &e.text)) {
        r->full = true;
        return;
    }
    errors->at[errors->count++] = e;
}

static bool before(const struct config_error *a, const struct config_error *b)
{
    return a->line != b->line ? a->line < b->line : a->column < b->column;
}

enum err config_report_end(struct config_report *r)
{
    struct config_errors *errors = r->errors;
    if (r->full) {
        *errors = (struct config_errors){.count = 1};
        errors->at[0].text = STR("takes more memory than a configuration may");
        return ERR_LIMIT;
    }
    /* Insertion keeps the order of those at one place. */
    for (size_t i = 1; i < errors->count; i++) {
        struct config_error e = errors->at[i];
        size_t at = i;
        for (; at > 0 && before(&e, &errors->at[at - 1]); at--)
            errors->at[at] = errors->at[at - 1];
        errors->at[at] = e;
    }
    return errors->count == 0 ? ERR_OK : ERR_CONFIG;
}

struct config_near config_near_start(struct str word)
{
    return (struct config_near){.word = word, .distance = FAR};
}

void config_near_offer(struct config_near *n, struct str candidate)
{
    unsigned d = text_distance(n->word, candidate);
    if (d < n->distance && d <= 1 + candidate.len / 3 && d < candidate.len) {
        n->distance = d;
        n->best = candidate;
    }
}

void config_near_add(struct buf *to, const struct config_near *n)
{
    if (n->best.len > 0)
        buf_addf(to, "; did you mean \"%.*s\"?", STR_FMT(n->best));
}
