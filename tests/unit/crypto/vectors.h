/*
 * vectors.h - published test vectors for this folder's tests.
 *
 * The archives stand beside the repository; a checkout without them skips
 * these tests, loudly.
 */
#ifndef TESTS_CRYPTO_VECTORS_H
#define TESTS_CRYPTO_VECTORS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "yyjson.h"

/*
 * A Wycheproof file, to be freed with yyjson_doc_free(), or NULL: the
 * archive is not there, which was said on standard error.
 */
yyjson_doc *vectors_wycheproof(const char *name);

/* A member that must be a string. */
struct str vectors_text(yyjson_val *object, const char *member);

/* A member in hex, decoded into `to` of `room` bytes. */
struct str vectors_bytes(yyjson_val *object, const char *member,
                         unsigned char *to, size_t room);

size_t vectors_number(yyjson_val *object, const char *member);

#endif
