/*
 * runner_files.h - which files a command may open: the system's programs, its
 * own, and what the table lists.
 *
 * "Its own" are the folder that its program is in, that of the script which is
 * its first argument, and what interpreters look for beside those: lib/ next
 * to bin/, node_modules/ and package.json in the folders above.
 */
#ifndef RUNNER_RUNNER_FILES_H
#define RUNNER_RUNNER_FILES_H

#include "base/attr.h"
#include "runner/runner_init.h"

enum { RUNNER_PATH_MAX = 4096 };

/* The program of `command`, as a shell would find it; false: none. */
MUST_CHECK bool runner_files_find(const struct runner_command *command,
                                  char to[RUNNER_PATH_MAX]);

/* Fills the Landlock set; false: *ret_why says what cannot be. */
MUST_CHECK bool runner_files_allow(int set, const struct runner_plan *p,
                                   bool own_proc,
                                   struct runner_report *ret_why);

#endif
