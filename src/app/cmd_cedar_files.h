/*
 * cmd_cedar_files.h - policies, schema and entities from files, as the
 * commands of `writ cedar` take them.
 */
#ifndef APP_CMD_CEDAR_FILES_H
#define APP_CMD_CEDAR_FILES_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/str.h"
#include "cedar/cedar.h"

/* Of one file, and of what is said about errors. */
#define CMD_CEDAR_FILE_MAX (64 * MIB)
enum { CMD_CEDAR_ERRORS_MAX = 64 * 1024 };

struct cmd_cedar_files {
    int dir; /* that paths are relative to; borrowed */
    struct cedar_schema *schema;
    struct cedar_policies *policies;
    struct cedar_entities *entities;
    struct buf text;   /* the file that was read last */
    struct buf errors; /* lines, without the last one's end */
};

void cmd_cedar_files_init(struct cmd_cedar_files *f, int dir);
void cmd_cedar_files_release(struct cmd_cedar_files *f);

/* Frees what was loaded; memory for texts is kept. */
void cmd_cedar_files_clear(struct cmd_cedar_files *f);

/*
 * These return false when there was an error; each is a line of `errors`.
 * Entities are read as the schema says, if one was loaded.
 */
MUST_CHECK bool cmd_cedar_files_text(struct cmd_cedar_files *f,
                                     const char *path);
MUST_CHECK bool cmd_cedar_files_schema(struct cmd_cedar_files *f,
                                       const char *path);
MUST_CHECK bool cmd_cedar_files_policies(struct cmd_cedar_files *f,
                                         const char *path);
MUST_CHECK bool cmd_cedar_files_entities(struct cmd_cedar_files *f,
                                         const char *path);

/*
 * Reads principal, action and resource of a request: {"type", "id"}, the same
 * within {"__entity"}, or a string as in a policy; and its context, as the
 * schema says if there is one.  They borrow from `request`, or belong to the
 * arena.  False: *ret_what, a static text, says why.
 */
MUST_CHECK bool cmd_cedar_files_request(const struct cmd_cedar_files *f,
                                        struct arena *a,
                                        const struct json *request,
                                        struct cedar_request *ret,
                                        const char **ret_what);

#endif
