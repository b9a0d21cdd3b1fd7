/* log.c - builds the line on the stack and writes it at once. */
#include "base/log.h"

#include <errno.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/limits.h"
#include "base/text.h"

#define LINE_MAX_BYTES (16 * KIB)
#define VALUE_MAX_BYTES (1 * KIB) /* as escaped */

/* Kept free for the mark of a line that was cut, and its end. */
static const char cut_mark[] = ",\"cut\":true}\n";

struct line {
    char text[LINE_MAX_BYTES];
    size_t len;
};

static enum log_level level_max = LOG_LEVEL_INFO;
static const char *process_role = "";

void log_setup(enum log_level level, const char *role)
{
    level_max = level;
    process_role = role;
}

static void add(struct line *l, const char *bytes, size_t n)
{
    memcpy(l->text + l->len, bytes, n);
    l->len += n;
}

/*
 * Writes the first character of `s` to `to` (6 bytes) as it stands in a JSON
 * string, and returns how many bytes of `s` that was.  What a terminal or a
 * log reader could act on is escaped: controls, also the C1 ones and the
 * Unicode line ends; what is no UTF-8 becomes U+FFFD.
 */
static size_t escape(struct str s, char *to, size_t *ret_n)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char c = (unsigned char)s.ptr[0];
    size_t used = text_utf8_len(s);
    unsigned code = c; /* of what is escaped */

    if (used == 0) {
        used = 1;
        code = 0xfffd;
    } else if (used == 2 && c == 0xc2 && (unsigned char)s.ptr[1] < 0xa0) {
        code = (unsigned char)s.ptr[1];
    } else if (used == 3 && memcmp(s.ptr, "\xe2\x80", 2) == 0 &&
               ((unsigned char)s.ptr[2] & 0xfe) == 0xa8) {
        code = 0x2000U | ((unsigned char)s.ptr[2] & 0x3fU);
    } else if (c == '"' || c == '\\') {
        to[0] = '\\';
        to[1] = (char)c;
        *ret_n = 2;
        return 1;
    } else if (used > 1 || (c >= 0x20 && c != 0x7f)) {
        memcpy(to, s.ptr, used);
        *ret_n = used;
        return used;
    }

    to[0] = '\\';
    to[1] = 'u';
    for (unsigned i = 0; i < 4; i++)
        to[2 + i] = hex[code >> (12 - 4 * i) & 15];
    *ret_n = 6;
    return used;
}

/* Escapes `s` into at most VALUE_MAX_BYTES; the end shows that it was cut. */
static size_t escape_all(struct str s, char *to)
{
    static const char dots[] = "...";
    size_t len = 0;
    size_t at = 0;
    while (at < s.len) {
        char one[6];
        size_t n;
        struct str rest = {s.ptr + at, s.len - at};
        size_t used = escape(rest, one, &n);
        if (len + n > VALUE_MAX_BYTES - (sizeof(dots) - 1)) {
            memcpy(to + len, dots, sizeof(dots) - 1);
            return len + sizeof(dots) - 1;
        }
        memcpy(to + len, one, n);
        len += n;
        at += used;
    }
    return len;
}

/* False when the pair does not fit any more; then nothing was added. */
static bool add_pair(struct line *l, struct str key, struct str value)
{
    char name[VALUE_MAX_BYTES];
    char text[VALUE_MAX_BYTES];
    size_t name_len = escape_all(key, name);
    size_t text_len = escape_all(value, text);
    size_t need = name_len + text_len + sizeof(",\"\":\"\"") - 1;
    if (need > sizeof(l->text) - (sizeof(cut_mark) - 1) - l->len)
        return false;
    add(l, l->len == 0 ? "{\"" : ",\"", 2);
    add(l, name, name_len);
    add(l, "\":\"", 3);
    add(l, text, text_len);
    add(l, "\"", 1);
    return true;
}

static void add_time(struct line *l)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        now = (struct timespec){0};
    char text[TEXT_TIME_LEN];
    text_time((int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000, text);
    (void)add_pair(l, STR("time"), (struct str){text, sizeof(text)});
}

void log_write(enum log_level level, const char *event,
               const struct log_pair *pairs, size_t n)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    if (level > level_max || (unsigned)level >= ARRAY_LEN(names))
        return;

    int errno_before = errno;
    struct line l;
    l.len = 0;
    add_time(&l);
    bool fits = add_pair(&l, STR("level"), str_from(names[level])) &&
                add_pair(&l, STR("role"), str_from(process_role)) &&
                add_pair(&l, STR("event"), str_from(event));
    for (size_t i = 0; fits && i < n; i++)
        fits = add_pair(&l, str_from(pairs[i].key), pairs[i].value);
    if (fits)
        add(&l, "}\n", 2);
    else
        add(&l, cut_mark, sizeof(cut_mark) - 1);

    /* Whoever cannot take the line cannot be told so either. */
    ssize_t written;
    do
        written = write(STDERR_FILENO, l.text, l.len);
    while (written < 0 && errno == EINTR);
    errno = errno_before;
}
