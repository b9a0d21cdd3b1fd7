/*
 * archive.h - reference data that lies in archives beside the repository,
 * unpacked in memory: some have tens of thousands of files.
 *
 * Where ../shared is absent a test that needs it skips itself, and says so.
 */
#ifndef TEST_CEDAR_ARCHIVE_H
#define TEST_CEDAR_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct archive {
    char *bytes; /* the tar file */
    size_t len;
    struct archive_file {
        char path[256];
        struct str bytes;
    } *files; /* sorted by path */
    size_t count;
};

/*
 * Reads ../shared/tests/<name>.tar.xz.  False, after a line on standard
 * error, when there is no ../shared.  Ends the test when it cannot be read.
 */
bool archive_open(struct archive *a, const char *name);
void archive_close(struct archive *a);

/* The bytes of a file; ends the test if there is none. */
struct str archive_get(const struct archive *a, struct str path);

#endif
