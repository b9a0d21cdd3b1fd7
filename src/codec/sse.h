/*
 * sse.h - Server-Sent Events, read and written (WHATWG HTML, section 9.2).
 *
 * Feed bytes as they come, cut anywhere; complete events come out.  A line
 * may end in LF, CR or CRLF, also across two feeds; one BOM at the start is
 * skipped; comments are skipped (and counted); an event without data is not
 * an event; an unterminated last event is dropped.
 */
#ifndef CODEC_SSE_H
#define CODEC_SSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct sse_event {
    struct str type; /* "" is "message" */
    struct str data; /* lines joined by LF, without the last LF */
    struct str id;   /* the last event id, as of this event */
};

struct sse_reader {
    struct buf line;   /* the part of a line that an earlier feed left */
    struct buf data;   /* of the event so far */
    struct buf type;   /* likewise */
    struct buf id;     /* the last one, of any event */
    uint64_t comments; /* how many there were; they keep a stream alive */
    int64_t retry_ms;  /* the last `retry`, at most a day; -1: none came */
    bool after_cr;     /* the next LF belongs to the line before */
    bool started;      /* the BOM question is answered */
    bool has_data;
};

/* `event_max` bounds the data of one event and one line, in bytes. */
void sse_reader_init(struct sse_reader *r, size_t event_max);
void sse_reader_release(struct sse_reader *r);

/* Receives one event, borrowed for the call; false stops reading. */
typedef bool sse_sink(void *user, const struct sse_event *e);

/*
 * ERR_OK: all bytes were read.  ERR_LIMIT: an event or line is too long.
 * ERR_CLOSED: the sink said stop.  After an error only release is allowed.
 */
MUST_CHECK enum err sse_feed(struct sse_reader *r, struct str bytes,
                             sse_sink *sink, void *user);

/*
 * Appends one event: "event: …" (if any), a "data: " per line, blank line.
 * Lines of `data` may end in LF, CR or CRLF and read back as LF; `type` ends
 * at its first line end.  Check buf_ok().
 */
void sse_write(struct buf *to, struct str type, struct str data);

#endif
