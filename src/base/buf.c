/* buf.c - see buf.h. */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROOM_MIN = 256 };

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_init_lent(struct buf *b, char *room, size_t n)
{
    *b = (struct buf){.room = n, .max = n, .lent = true};
    b->ptr = room;
}

void buf_release(struct buf *b)
{
    if (b->lent) {
        buf_clear(b);
        return;
    }
    free(b->ptr);
    *b = (struct buf){.max = b->max};
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
}

char *buf_grow(struct buf *b, size_t n)
{
    assert(b->len <= b->room && b->room <= b->max);
    if (b->failed)
        return NULL;
    if (n > b->max - b->len) {
        b->failed = true;
        return NULL;
    }
    if (n <= b->room - b->len && b->ptr != NULL)
        return b->ptr + b->len;

    /* Doubles, so that n appends cost O(n); never asks for more than max. */
    size_t room = b->room < ROOM_MIN ? ROOM_MIN : b->room;
    while (room < b->len + n && room <= b->max / 2)
        room *= 2;
    if (room > b->max || room < b->len + n)
        room = b->max;
    /* Zero bytes of a buf of zero bytes need an address too: NULL is failure.
     */
    char *ptr = realloc(b->ptr, room > 0 ? room : 1);
    if (ptr == NULL) {
        b->failed = true;
        return NULL;
    }
    b->ptr = ptr;
    b->room = room;
    return b->ptr + b->len;
}

bool buf_add_u64(struct buf *b, uint64_t v)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    return buf_add(b, (struct str){digits + at, sizeof(digits) - at});
}

bool buf_add_i64(struct buf *b, int64_t v)
{
    if (v >= 0)
        return buf_add_u64(b, (uint64_t)v);
    return buf_add_char(b, '-') && buf_add_u64(b, 0 - (uint64_t)v);
}

bool buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);

    /* One byte more than the text: vsnprintf ends it with a NUL. */
    char *to = len < 0 ? NULL : buf_space(b, (size_t)len + 1);
    if (to != NULL)
        (void)vsnprintf(to, (size_t)len + 1, fmt, again);
    va_end(again);
    if (to == NULL) {
        b->failed = true;
        return false;
    }
    b->len += (size_t)len;
    return true;
}

void buf_drop(struct buf *b, size_t n)
{
    assert(n <= b->len);
    if (n > 0 && n < b->len)
        memmove(b->ptr, b->ptr + n, b->len - n);
    b->len -= n;
}
