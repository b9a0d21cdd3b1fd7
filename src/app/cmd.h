/*
 * cmd.h - the commands, one file each; what they do is in their row of the
 * table in main.c, from which `writ --help` is printed.
 */
#ifndef APP_CMD_H
#define APP_CMD_H

#include "app/cli.h"

/* The option that every command which reads a configuration has. */
#define CMD_CONFIG_OPTION                                                      \
    {"config", 'c', "FILE", "the configuration (default: writ.yaml)"}
#define CMD_CONFIG_DEFAULT "writ.yaml"

int cmd_serve(const struct cli *c);
int cmd_demo(const struct cli *c);
int cmd_check(const struct cli *c);
int cmd_init(const struct cli *c);
int cmd_status(const struct cli *c);
int cmd_schema_config(const struct cli *c);
int cmd_key_hash(const struct cli *c);
int cmd_ledger_show(const struct cli *c);
int cmd_ledger_tail(const struct cli *c);
int cmd_ledger_tree(const struct cli *c); /* `ledger show --tree` */
int cmd_ledger_verify(const struct cli *c);
int cmd_policy_check(const struct cli *c);
int cmd_policy_eval(const struct cli *c);
int cmd_policy_test(const struct cli *c);

#endif
