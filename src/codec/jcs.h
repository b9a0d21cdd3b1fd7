/*
 * jcs.h - writes canonical JSON (RFC 8785) straight into a buffer.
 *
 * The hot path makes two evidence entries a call, so nothing is built and
 * sorted: the caller names members in ascending order (RFC 8785 section
 * 3.2.3; names here are ASCII, so UTF-16 order is byte order), and an assert
 * catches a member that is out of order or stands twice.
 *
 *     struct jcs w;
 *     jcs_begin(&w, &buf);
 *     jcs_object(&w);
 *     jcs_name(&w, STR("id"));
 *     jcs_str(&w, id);
 *     jcs_end(&w);
 *     ok = jcs_done(&w);
 *
 * jcs_canonical() sorts and rewrites a parsed document; it is the slow way
 * for what comes from outside.
 */
#ifndef CODEC_JCS_H
#define CODEC_JCS_H

#include "base/buf.h"
#include "codec/json.h"

enum { JCS_DEPTH_MAX = 16 };

struct jcs {
    struct buf *to;
    struct str last[JCS_DEPTH_MAX + 1]; /* the previous name, by depth */
    unsigned char state[JCS_DEPTH_MAX + 1];
    unsigned depth; /* open objects and arrays */
};

void jcs_begin(struct jcs *w, struct buf *to);
void jcs_object(struct jcs *w);
void jcs_array(struct jcs *w);
void jcs_end(struct jcs *w); /* of the innermost object or array */
/* Of the next member; printable ASCII without '"' and '\\', from our own
 * code; borrowed until jcs_end(). */
void jcs_name(struct jcs *w, struct str name);
void jcs_str(struct jcs *w, struct str s); /* must be valid UTF-8 */
/* The same in one pass, if `s` is ASCII of which nothing must be escaped;
 * else false, and nothing is written. */
MUST_CHECK bool jcs_ascii(struct jcs *w, struct str s);
/* The same for what jcs_name() takes: a word of our own. */
void jcs_word(struct jcs *w, struct str word);
/* Beyond 2^53, where a double is not exact, the number becomes a string. */
void jcs_i64(struct jcs *w, int64_t v);
void jcs_bool(struct jcs *w, bool v);
void jcs_null(struct jcs *w);
void jcs_hex(struct jcs *w, const void *bytes, size_t n); /* a string */
/* `json` is canonical already and is copied. */
void jcs_raw(struct jcs *w, struct str json);
/* True when everything was closed and fitted. */
bool jcs_done(const struct jcs *w);

/* Shorthands: a name and its value. */
void jcs_pair_str(struct jcs *w, struct str name, struct str s);
void jcs_pair_word(struct jcs *w, struct str name, struct str word);
void jcs_pair_i64(struct jcs *w, struct str name, int64_t v);

/*
 * Appends `v` in canonical form: members sorted by UTF-16 code units,
 * numbers as ECMAScript writes them.  ERR_LIMIT: `to` or `a` (scratch) is
 * full.  ERR_MALFORMED: a number that is no IEEE double.
 */
MUST_CHECK enum err jcs_canonical(struct buf *to, struct arena *a,
                                  const struct json *v);

#endif
