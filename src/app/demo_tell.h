/*
 * demo_tell.h - how `writ demo` speaks: headings, commands, verdicts, and
 * what the program's own commands print.
 */
#ifndef APP_DEMO_TELL_H
#define APP_DEMO_TELL_H

#include "app/demo.h"
#include "base/attr.h"
#include "base/buf.h"

/* "3. text", and what it means, in one or two lines. */
void demo_tell_heading(struct demo *d, const char *title, const char *meaning);

/* "$ text" */
void demo_tell_command(const struct demo *d, const char *fmt, ...)
    PRINTF_LIKE(2, 3);

/* "ok: text" or "WRONG: text"; returns `ok`. */
bool demo_tell_verdict(const struct demo *d, bool ok, const char *text);

/* Text from outside, as its own line, dimmed. */
void demo_tell_line(const struct demo *d, struct str text);

/* Each line of a text, likewise. */
void demo_tell_lines(const struct demo *d, struct str text);

/* One of the program's own commands. */
struct demo_run {
    const char *const *argv; /* ends with NULL; argv[0] included */
    /* The lines to show, by how they begin, ends with NULL; "..." stands
     * for others between them.  NULL: all. */
    const char *const *only;
    struct buf *kept; /* all that it printed, or NULL; needs one of these */
    bool silent;      /* nothing is shown */
};

/* Runs it, shows what it prints; its exit code, or -1. */
int demo_tell_run(const struct demo *d, const struct demo_run *r);

#endif
