/*
 * archive.h - published vectors for this folder's tests.
 *
 * The archives stand beside the repository; a checkout without them skips
 * these tests, loudly.
 */
#ifndef TESTS_IDENTITY_ARCHIVE_H
#define TESTS_IDENTITY_ARCHIVE_H

#include "codec/json.h"

/*
 * <member> of ../shared/tests/vectors/<archive>.tar.xz, read into `a`; NULL:
 * the archive is not there, which was said on standard error.
 */
const struct json *archive_json(struct arena *a, const char *archive,
                                const char *member);

/* A member that must be a string; empty when it is not there. */
struct str archive_text(const struct json *object, const char *member);

#endif
