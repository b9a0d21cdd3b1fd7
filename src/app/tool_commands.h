/*
 * tool_commands.h - what the runner may start, from the configuration.
 *
 * The runner reads the file itself: nobody can tell it to start what the file
 * does not name.
 */
#ifndef APP_TOOL_COMMANDS_H
#define APP_TOOL_COMMANDS_H

#include "app/role.h"
#include "base/attr.h"
#include "base/err.h"
#include "runner/runner_command.h"

struct tool_commands;

/*
 * The servers over pipes of `o->config`, and what is ours alone: the data
 * directory, the file itself, policies, credentials, keys; the ports that we
 * listen on.  ERR_CONFIG: the file is not valid.
 */
MUST_CHECK enum err tool_commands_load(const struct role_options *o,
                                       struct tool_commands **ret);
/* NULL is allowed. */
void tool_commands_free(struct tool_commands *t);

/* Borrowed from `t`. */
const struct runner_table *tool_commands_table(const struct tool_commands *t);

#endif
