/* cmd_load.h - reads the configuration on behalf of a command. */
#ifndef APP_CMD_LOAD_H
#define APP_CMD_LOAD_H

#include "app/cli.h"
#include "app/config.h"

/*
 * Reads `file`; what is wrong with it is printed: a line each on `err`, or
 * with --json an object on `out`.  Returns CLI_OK or CLI_FAILED.
 */
MUST_CHECK int cmd_load_config(const struct cli *c, const char *file,
                               struct arena *a, struct settings *ret);

/*
 * The data directory that a command shall look at: of --data, else of the
 * configuration that --config names; both must be options of the command.
 * Written to `to`, FILE_PATH_MAX bytes.
 */
MUST_CHECK int cmd_load_data(const struct cli *c, char *to);

#endif
