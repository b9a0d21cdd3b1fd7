/*
 * policy_files.h - folders of policies and files of entities, read into what
 * policy/rules.h takes.
 *
 * Of a folder all `*.cedar` below it count, in the byte order of their paths;
 * names that begin with a dot do not, nor do other files.  A symbolic link
 * must lead to a file below the folder.
 */
#ifndef APP_POLICY_FILES_H
#define APP_POLICY_FILES_H

#include <stdio.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "domain/settings.h"
#include "policy/rules.h"

/* Of one file; of all files; how many; how deep folders nest. */
#define POLICY_FILES_FILE_MAX CONFIG_FILE_MAX
#define POLICY_FILES_BYTES_MAX (64 * MIB)
enum { POLICY_FILES_MAX = 10000, POLICY_FILES_DEPTH_MAX = 16 };

/* For the arena: texts, names, lists. */
#define POLICY_FILES_ARENA_MAX (2 * POLICY_FILES_BYTES_MAX)

struct policy_files_where {
    struct str dir;    /* empty: no policies */
    struct str shadow; /* empty: no shadow */
    const struct entities_settings *entities;
    size_t entity_count;
};

/* What the configuration names. */
struct policy_files_where policy_files_of(const struct settings *s);

/* Why a file could not be read; the text names it. */
struct policy_files_error {
    char text[FILENAME_MAX + 256];
};

/*
 * All of it belongs to `a`.  ERR_CONFIG: *error says why.  ERR_NO_MEMORY.
 */
MUST_CHECK enum err policy_files_read(struct arena *a,
                                      const struct policy_files_where *w,
                                      struct rules_sources *ret,
                                      struct policy_files_error *error);

/*
 * Files of policy tests: `path` itself, or below the folder that it is all
 * `*.test.yaml`, in order; their names are paths.  Memory and errors as above.
 */
MUST_CHECK enum err policy_files_read_tests(struct arena *a, struct str path,
                                            const struct rules_file **ret,
                                            size_t *ret_count,
                                            struct policy_files_error *error);

/* Appends "policies/a.cedar:3:7: text", without a line end; `from` was read
 * from `w`. */
void policy_files_add_error(struct buf *to, const struct policy_files_where *w,
                            const struct rules_sources *from,
                            const struct rules_error *e);

/* Appends the path of such a file by the name that it has in `from`. */
void policy_files_add_path_of(struct buf *to,
                              const struct policy_files_where *w,
                              const struct rules_sources *from,
                              struct str name);

/* Appends "dir/name". */
void policy_files_add_path(struct buf *to, struct str dir, struct str name);

#endif
