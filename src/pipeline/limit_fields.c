/* limit_fields.c - see limit_fields.h. */
#include "pipeline/limit_fields.h"

#include <inttypes.h>
#include <stdio.h>

static struct str number(char *to, uint64_t n)
{
    int len = snprintf(to, LIMIT_FIELDS_TEXT, "%" PRIu64, n);
    return (struct str){to, (size_t)len};
}

/* Below a second in milliseconds, else in seconds, rounded up. */
static struct str duration(char *to, int64_t ms)
{
    bool is_short = ms < 1000;
    int len =
        snprintf(to, LIMIT_FIELDS_TEXT, "%" PRId64 "%s",
                 is_short ? ms : (ms + 999) / 1000, is_short ? "ms" : "s");
    return (struct str){to, (size_t)len};
}

struct names_of {
    struct str limit, remaining, reset;
};

static size_t add(const struct limit_state *s, const struct names_of *names,
                  char room[][LIMIT_FIELDS_TEXT], struct http_field *to)
{
    if (!s->present)
        return 0;
    to[0] = (struct http_field){names->limit, number(room[0], s->limit)};
    to[1] =
        (struct http_field){names->remaining, number(room[1], s->remaining)};
    to[2] = (struct http_field){names->reset, duration(room[2], s->reset_ms)};
    return 3;
}

size_t limit_fields_write(const struct limit_answer *a,
                          struct limit_fields_room *room, struct http_field *to)
{
    static const struct names_of requests = {
        STR_INIT("x-ratelimit-limit-requests"),
        STR_INIT("x-ratelimit-remaining-requests"),
        STR_INIT("x-ratelimit-reset-requests")};
    static const struct names_of tokens = {
        STR_INIT("x-ratelimit-limit-tokens"),
        STR_INIT("x-ratelimit-remaining-tokens"),
        STR_INIT("x-ratelimit-reset-tokens")};

    size_t n = add(&a->requests, &requests, room->text, to);
    return n + add(&a->tokens, &tokens, room->text + n, to + n);
}

struct str limit_fields_retry_after(int64_t retry_ms,
                                    char to[LIMIT_FIELDS_TEXT])
{
    int64_t seconds = (retry_ms + 999) / 1000;
    return number(to, seconds < 1 ? 1 : (uint64_t)seconds);
}
