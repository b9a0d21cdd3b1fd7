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
 * listen on.  `digest` is that of the file that is wanted; NULL: any.
 * ERR_CONFIG: the file is not valid.  ERR_CONFLICT: it is another one.
 */
MUST_CHECK enum err tool_commands_load(const struct role_options *o,
                                       const unsigned char *digest,
                                       struct tool_commands **ret);
/* NULL is allowed. */
void tool_commands_free(struct tool_commands *t);

/* True when it is what that file says. */
bool tool_commands_are(const struct tool_commands *t,
                       const unsigned char *digest);

/* Borrowed from `t`. */
const struct runner_table *tool_commands_table(const struct tool_commands *t);

#endif
