/*
 * archive.h - reference data that lies in archives beside the repository.
 *
 * Where ../shared is absent a test that needs it skips itself, and says so.
 */
#ifndef TEST_CODEC_ARCHIVE_H
#define TEST_CODEC_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct archive {
    char dir[64]; /* below the folder that the test runs in */
};

/*
 * Unpacks ../shared/tests/<name>.tar.xz.  False, after a line on standard
 * error, when there is no ../shared.  Ends the test when unpacking fails.
 */
bool archive_open(struct archive *a, const char *name);

/* Removes what was unpacked. */
void archive_close(struct archive *a);

/* Replaces each x.json.gz in folder `dir` of the archive by x.json. */
void archive_gunzip(const struct archive *a, const char *dir);

/* The bytes of a file of the archive, to be freed; ends the test if none. */
char *archive_read(const struct archive *a, const char *path, size_t *ret_len);

/*
 * Calls `each` with the name and bytes of every file in folder `dir` of the
 * archive whose name ends in `suffix`; returns how many there were.
 */
typedef void archive_each_fn(void *user, const char *name, struct str bytes);
size_t archive_each(const struct archive *a, const char *dir,
                    const char *suffix, archive_each_fn *each, void *user);

#endif
