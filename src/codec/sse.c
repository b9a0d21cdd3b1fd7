/*
 * sse.c - see sse.h.
 *
 * Lines are found in the bytes where they lie, and an event whose one data
 * line lies in them is handed on from there.  Only what a feed leaves
 * unfinished, and data of several lines, is copied.
 */
#include "codec/sse.h"

#include <assert.h>

#include "base/limits.h"
#include "base/num.h"

/* A buffer that grew beyond this is given back when it is empty: thousands
 * of streams wait with theirs. */
#define KEPT_MAX (16 * KIB)

enum { RETRY_MAX_MS = 24 * 60 * 60 * 1000 };

/* One call of sse_feed(). */
struct feed {
    struct sse_reader *r;
    sse_sink *sink;
    void *user;
    const char *at, *end;
    /* The next LF and CR from `at` on, or `end`; NULL: not looked for.  Kept,
     * so that a line end is not searched for twice. */
    const char *lf, *cr;
    /* Of the event so far; the bytes are the feed's or those of a buffer. */
    struct str data, type;
};

void sse_reader_init(struct sse_reader *r, size_t event_max)
{
    *r = (struct sse_reader){.retry_ms = -1};
    buf_init(&r->line, event_max);
    buf_init(&r->data, event_max);
    buf_init(&r->type, event_max);
    buf_init(&r->id, event_max);
}

void sse_reader_release(struct sse_reader *r)
{
    buf_release(&r->line);
    buf_release(&r->data);
    buf_release(&r->type);
    buf_release(&r->id);
}

static void empty(struct buf *b)
{
    if (b->room > KEPT_MAX)
        buf_release(b);
    buf_clear(b);
}

/* Makes `b` hold `s`, which may lie in `b` already. */
static bool keep(struct buf *b, struct str s)
{
    if (s.len == b->len && (s.len == 0 || s.ptr == b->ptr))
        return true;
    buf_clear(b);
    return buf_add(b, s);
}

static enum err add_data(struct feed *f, struct str value)
{
    struct sse_reader *r = f->r;
    if (!r->has_data) {
        r->has_data = true;
        f->data = value;
        return ERR_OK;
    }
    if (!keep(&r->data, f->data) || !buf_add_char(&r->data, '\n') ||
        !buf_add(&r->data, value))
        return ERR_LIMIT;
    f->data = buf_str(&r->data);
    return ERR_OK;
}

static enum err dispatch(struct feed *f)
{
    struct sse_reader *r = f->r;
    bool go_on = true;
    if (r->has_data) {
        struct sse_event e = {f->type, f->data, buf_str(&r->id)};
        go_on = f->sink(f->user, &e);
    }
    r->has_data = false;
    f->data = f->type = (struct str){NULL, 0};
    empty(&r->data);
    empty(&r->type);
    return go_on ? ERR_OK : ERR_CLOSED;
}

/* What is no number, or longer than anybody waits, is passed over. */
static void read_retry(struct sse_reader *r, struct str value)
{
    uint64_t ms;
    if (num_u64(value, RETRY_MAX_MS, &ms))
        r->retry_ms = (int64_t)ms;
}

static enum err read_line(struct feed *f, struct str line)
{
    struct sse_reader *r = f->r;
    if (line.len > r->line.max)
        return ERR_LIMIT;
    if (!r->started && str_starts(line, STR("\xef\xbb\xbf")))
        line = str_skip(line, 3);
    r->started = true;
    if (line.len == 0)
        return dispatch(f);

    size_t colon = str_find(line, ':');
    struct str field = str_first(line, colon);
    struct str value = str_skip(line, colon + 1);
    if (value.len > 0 && value.ptr[0] == ' ')
        value = str_skip(value, 1);

    if (str_eq(field, STR("data")))
        return add_data(f, value);
    if (str_eq(field, STR("event")))
        f->type = value;
    else if (str_eq(field, STR("id")) && str_find(value, '\0') == value.len)
        return keep(&r->id, value) ? ERR_OK : ERR_LIMIT;
    else if (str_eq(field, STR("retry")))
        read_retry(r, value);
    else if (colon == 0)
        r->comments++;
    return ERR_OK; /* what nobody knows is passed over */
}

static const char *find(const char *from, const char *end, char c)
{
    const char *at = memchr(from, c, (size_t)(end - from));
    return at == NULL ? end : at;
}

/* The first line end from f->at on, or f->end. */
static const char *find_line_end(struct feed *f)
{
    if (f->lf == NULL || f->lf < f->at)
        f->lf = find(f->at, f->end, '\n');
    if (f->cr == NULL || f->cr < f->at)
        f->cr = find(f->at, f->end, '\r');
    return f->cr < f->lf ? f->cr : f->lf;
}

/* Moves over the line end at `end`; a CR may have its LF in the next feed. */
static void skip_line_end(struct feed *f, const char *end)
{
    bool is_cr = *end == '\r';
    f->at = end + 1;
    f->r->after_cr = is_cr && f->at == f->end;
    if (is_cr && f->at < f->end && *f->at == '\n')
        f->at++;
}

static enum err read_lines(struct feed *f)
{
    struct sse_reader *r = f->r;
    while (f->at < f->end) {
        const char *end = find_line_end(f);
        if (end == f->end)
            break;
        struct str line = {f->at, (size_t)(end - f->at)};
        bool joined = r->line.len > 0;
        if (joined) {
            if (!buf_add(&r->line, line))
                return ERR_LIMIT;
            line = buf_str(&r->line);
        }
        skip_line_end(f, end);
        enum err e = read_line(f, line);
        if (e != ERR_OK)
            return e;
        /* The joined line stays in memory, where the event may point to, but
         * is no beginning of the next one. */
        if (joined)
            r->line.len = 0;
    }
    return ERR_OK;
}

enum err sse_feed(struct sse_reader *r, struct str bytes, sse_sink *sink,
                  void *user)
{
    if (r->after_cr && bytes.len > 0) {
        r->after_cr = false;
        if (bytes.ptr[0] == '\n')
            bytes = str_skip(bytes, 1);
    }
    if (bytes.len == 0)
        return ERR_OK;

    struct feed f = {
        .r = r,
        .sink = sink,
        .user = user,
        .at = bytes.ptr,
        .end = bytes.ptr + bytes.len,
        .data = buf_str(&r->data),
        .type = buf_str(&r->type),
    };
    enum err e = read_lines(&f);
    if (e != ERR_OK)
        return e;

    /* The bytes go; what the unfinished event and line need of them stays. */
    struct str rest = {f.at, (size_t)(f.end - f.at)};
    if (!keep(&r->data, f.data) || !keep(&r->type, f.type) ||
        !buf_add(&r->line, rest))
        return ERR_LIMIT;
    if (r->line.len == 0)
        empty(&r->line);
    return ERR_OK;
}

/* Takes the first line off `left`; the line end is not in it. */
static struct str next_line(struct str *left)
{
    size_t lf = str_find(*left, '\n');
    size_t end = str_find(str_first(*left, lf), '\r');
    struct str line = str_first(*left, end);
    size_t after = end + 1;
    if (end < lf && lf == after)
        after++; /* CRLF */
    *left = str_skip(*left, after);
    return line;
}

void sse_write(struct buf *to, struct str type, struct str data)
{
    struct str name = next_line(&type);
    if (name.len > 0) {
        (void)BUF_LIT(to, "event: ");
        (void)buf_add(to, name);
        (void)buf_add_char(to, '\n');
    }
    bool more;
    do {
        size_t before = data.len;
        struct str line = next_line(&data);
        more = line.len < before; /* there was a line end */
        (void)BUF_LIT(to, "data: ");
        (void)buf_add(to, line);
        (void)buf_add_char(to, '\n');
    } while (more);
    (void)buf_add_char(to, '\n');
}
