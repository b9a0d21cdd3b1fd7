/*
 * cmd_cedar.h - `writ cedar`: the language alone, without a gateway.
 *
 * `writ cedar run-tests` reads the official integration tests, `writ cedar
 * authorize` answers one request.  Policies are text or JSON, schemas the
 * Cedar schema syntax or JSON: what begins with a brace is JSON.
 */
#ifndef APP_CMD_CEDAR_H
#define APP_CMD_CEDAR_H

#include "app/cli.h"

extern const struct cli_option cmd_cedar_authorize_options[];
extern const struct cli_option cmd_cedar_tests_options[];

int cmd_cedar_authorize(const struct cli *c);
int cmd_cedar_tests(const struct cli *c);

#endif
