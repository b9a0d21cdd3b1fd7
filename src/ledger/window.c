/* window.c - see window.h. */
#include "ledger/window.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

void window_init(struct window *w, int fd)
{
    *w = (struct window){.fd = fd};
}

void window_release(struct window *w)
{
    free(w->bytes);
    *w = (struct window){.fd = -1};
}

void window_forget(struct window *w)
{
    w->len = 0;
}

static enum err make_room(struct window *w, size_t n)
{
    size_t room = n < WINDOW_STEP ? WINDOW_STEP : n;
    if (room <= w->room)
        return ERR_OK;
    char *bytes = malloc(room);
    if (bytes == NULL)
        return ERR_NO_MEMORY;
    free(w->bytes);
    w->bytes = bytes;
    w->room = room;
    w->len = 0;
    return ERR_OK;
}

static enum err load(struct window *w, uint64_t offset)
{
    w->at = offset;
    w->len = 0;
    while (w->len < w->room) {
        ssize_t n = pread(w->fd, w->bytes + w->len, w->room - w->len,
                          (off_t)(offset + w->len));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ERR_IO;
        if (n == 0)
            break;
        w->len += (size_t)n;
    }
    return ERR_OK;
}

static bool holds(const struct window *w, uint64_t offset, size_t n)
{
    return offset >= w->at && n <= w->len && offset - w->at <= w->len - n;
}

enum err window_get(struct window *w, uint64_t offset, size_t n,
                    const char **ret)
{
    if (offset > INT64_MAX / 2 || n > INT64_MAX / 2)
        return ERR_NOT_FOUND;
    if (!holds(w, offset, n)) {
        enum err e = make_room(w, n);
        if (e == ERR_OK)
            e = load(w, offset);
        if (e != ERR_OK)
            return e;
        if (!holds(w, offset, n))
            return ERR_NOT_FOUND;
    }
    *ret = w->bytes + (offset - w->at);
    return ERR_OK;
}
