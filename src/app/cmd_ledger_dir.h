/* cmd_ledger_dir.h - which folder the ledger commands look at. */
#ifndef APP_CMD_LEDGER_DIR_H
#define APP_CMD_LEDGER_DIR_H

#include "app/cli.h"
#include "os/file.h"

/* The ledger of the data directory that --data or --config names, to `to`,
 * FILE_PATH_MAX bytes. */
MUST_CHECK int cmd_ledger_dir(const struct cli *c, char *to);

/* The ledger in `dir`, which is either a data directory or a ledger. */
MUST_CHECK int cmd_ledger_dir_in(const struct cli *c, const char *dir,
                                 char *to);

#endif
