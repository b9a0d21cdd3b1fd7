/*
 * cmd_policy_fmt.h - `writ policy fmt`: policies as they should look.
 */
#ifndef APP_CMD_POLICY_FMT_H
#define APP_CMD_POLICY_FMT_H

#include "app/cli.h"

extern const struct cli_option cmd_policy_fmt_options[];

int cmd_policy_fmt(const struct cli *c);

#endif
