/*
 * cli.h - the command line: a table of commands, one strict parser, and the
 * help that both are printed from.
 *
 * Every command takes --help and --json.  Long options are "--name value" or
 * "--name=value", a letter is "-c value"; "--" ends them.  An option given
 * twice is a mistake.  Exit codes: 0 ok, 1 refused or failed, 2 usage.
 *
 * Commands print what was asked for to `out` and all else to `err`.
 */
#ifndef APP_CLI_H
#define APP_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/str.h"

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };
enum { CLI_OPTIONS_MAX = 16 };
/* As many arguments as the system lets a command line have. */
#define CLI_ARGS_MAX SIZE_MAX

struct cli_option {
    const char *name;  /* without dashes; NULL ends a list */
    char letter;       /* 0: none */
    const char *value; /* "FILE" in the help; NULL: a switch */
    const char *help;  /* half a sentence */
};

struct cli;

struct cli_command {
    const char *name; /* "serve", "ledger show" */
    const char *args; /* "[INDEX]" in the help, or "" */
    size_t args_min, args_max;
    const char *help;                 /* one line, for the list */
    const char *more;                 /* paragraphs below the usage, or "" */
    const struct cli_option *options; /* beside --help and --json, or NULL */
    int (*run)(const struct cli *c);
};

/* One command line, read; all borrowed from argv and the table. */
struct cli {
    const struct cli_command *command;
    bool json;
    const char *values[CLI_OPTIONS_MAX]; /* by position in the options */
    char **args;                         /* moved together within argv */
    size_t arg_count;
    FILE *out, *err;
};

struct cli_program {
    const char *name, *version, *help;
    const struct cli_command *commands;
    size_t count;
};

/*
 * Reads argv and runs the command it names.  The result is the exit code.
 * What was not written to `out` (a full disk) turns CLI_OK into CLI_FAILED.
 */
MUST_CHECK int cli_run(const struct cli_program *p, int argc, char **argv,
                       FILE *out, FILE *err);

/* True when the option was given; a name outside the table asserts. */
bool cli_has(const struct cli *c, const char *option);

/* Its value, or `fallback`. */
const char *cli_value(const struct cli *c, const char *option,
                      const char *fallback);

/* Says "writ: ..." on `err`, with --json also {"error": ...} on `out`;
 * returns CLI_FAILED. */
int cli_fail(const struct cli *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The same for a mistake in the arguments; returns CLI_USAGE. */
int cli_usage(const struct cli *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* fprintf(); cli_run() sees in the end whether all of `out` was written. */
void cli_print(FILE *out, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* True when colour and progress belong there: a terminal that has them, and
 * the user did not say NO_COLOR. */
bool cli_is_terminal(FILE *f);

/* `s` with control characters shown as "?": what came from outside must not
 * steer a terminal. */
void cli_print_safe(FILE *out, struct str s);

#endif
