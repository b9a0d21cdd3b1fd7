/*
 * http2_flood.c - frames that cost a peer nothing and us something.
 *
 * Pings, settings, resets of streams that were not answered (CVE-2023-44487),
 * continuations (CVE-2024-27316), empty data: each is legal, ten thousand are
 * an attack.  A peer has so many free; time and useful work give them back.
 */
#include "codec/http2_session.h"

void http2_flood_time(struct http2 *h, int64_t now_ms)
{
    int64_t ms = now_ms - h->patience_ms;
    if (h->patience_ms == 0 || ms < 0) {
        h->patience_ms = now_ms;
        return;
    }
    int64_t earned = ms * HTTP2_PATIENCE_PER_S / 1000;
    if (earned > 0) {
        h->patience_ms = now_ms;
        http2_flood_earn(h, earned);
    }
}

void http2_flood_earn(struct http2 *h, int64_t n)
{
    h->patience += n;
    if (h->patience > HTTP2_PATIENCE_MAX)
        h->patience = HTTP2_PATIENCE_MAX;
}

bool http2_flood_spend(struct http2 *h, int64_t n)
{
    h->patience -= n;
    return h->patience >= 0;
}

/*
 * A stream id below one that was opened was closed by that (RFC 9113,
 * 5.1.1).  nghttp2 forgets the difference between such a stream and one that
 * has ended; we keep what was passed over.
 */
static bool in_gap(const struct http2 *h, int32_t id)
{
    for (size_t i = 0; i < h->gap_count; i++) {
        if (id >= h->gaps[i].from && id <= h->gaps[i].to)
            return true;
    }
    return false;
}

static void note_opened(struct http2 *h, int32_t id)
{
    if (id > h->last_id + 2) {
        /* When there are too many the oldest goes: an honest client, which
         * counts in twos, makes none. */
        if (h->gap_count == HTTP2_GAPS_MAX) {
            memmove(h->gaps, h->gaps + 1,
                    (HTTP2_GAPS_MAX - 1) * sizeof(h->gaps[0]));
            h->gap_count--;
        }
        h->gaps[h->gap_count++] = (struct http2_gap){h->last_id + 1, id - 1};
    }
    h->last_id = id;
}

static int64_t cost_of(struct http2 *h, const nghttp2_frame_hd *hd)
{
    switch (hd->type) {
    case NGHTTP2_SETTINGS:
    case NGHTTP2_PING:
        return (hd->flags & NGHTTP2_FLAG_ACK) != 0 ? 0 : 1;
    case NGHTTP2_PRIORITY:
        return 1;
    case NGHTTP2_CONTINUATION:
        return 16;
    case NGHTTP2_DATA:
        return hd->length == 0 && (hd->flags & NGHTTP2_FLAG_END_STREAM) == 0;
    case NGHTTP2_RST_STREAM: {
        const struct http2_stream *s =
            nghttp2_session_get_stream_user_data(h->ng, hd->stream_id);
        return s != NULL && s->replied ? 0 : 1;
    }
    case NGHTTP2_HEADERS:
    case NGHTTP2_WINDOW_UPDATE: /* as many as it sees data */
    default:                    /* nghttp2 skips what it does not know */
        return 0;
    }
}

bool http2_flood_frame(struct http2 *h, const nghttp2_frame_hd *hd,
                       uint32_t *ret_code)
{
    if (h->role == HTTP2_SERVER && hd->type == NGHTTP2_HEADERS &&
        hd->stream_id % 2 == 1) {
        if (in_gap(h, hd->stream_id)) {
            *ret_code = NGHTTP2_PROTOCOL_ERROR;
            return false;
        }
        if (hd->stream_id > h->last_id)
            note_opened(h, hd->stream_id);
    }
    *ret_code = NGHTTP2_ENHANCE_YOUR_CALM;
    return http2_flood_spend(h, cost_of(h, hd));
}
