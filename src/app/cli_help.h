/* cli_help.h - the help of the program and of its commands, as tables. */
#ifndef APP_CLI_HELP_H
#define APP_CLI_HELP_H

#include "app/cli.h"

/* `writ --help`: all commands. */
void cli_help_program(const struct cli_program *p, FILE *out);

/* `writ ledger`: the commands that begin with `word`. */
void cli_help_group(const struct cli_program *p, const char *word, FILE *out);

/* `writ ledger show --help`. */
void cli_help_command(const struct cli_program *p, const struct cli_command *c,
                      FILE *out);

#endif
