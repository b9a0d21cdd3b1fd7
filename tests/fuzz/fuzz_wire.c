/* layers: os */
/*
 * Fuzzes os/wire: what a peer sends, in pieces that the input chooses, gives
 * the same frames as the bytes in one piece read by frame_next(), and the
 * wire never holds more than its limit.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct frame_hello worker = {FRAME_PROTOCOL_VERSION,
                                          FRAME_ROLE_WORKER, 1};
static const struct frame_hello ledger = {FRAME_PROTOCOL_VERSION,
                                          FRAME_ROLE_LEDGER, 1};

/* What is to come: the bytes and how far they have been read. */
struct expected {
    struct str left;
    bool hello_seen;
};

/* The next frame by the rules alone; ERR_OK and false: more bytes needed. */
static enum err next_expected(struct expected *x, struct frame *ret,
                              bool *ret_have)
{
    size_t used;
    *ret_have = false;
    enum err e = frame_next(x->left, ret, &used);
    if (e != ERR_OK || used == 0)
        return e;
    x->left = str_skip(x->left, used);
    if (!x->hello_seen) {
        struct frame_hello h;
        e = frame_read_hello(ret, FRAME_ROLE_WORKER, &h);
        x->hello_seen = e == ERR_OK;
        return e == ERR_OK ? next_expected(x, ret, ret_have) : e;
    }
    /* No descriptor ever comes with these bytes. */
    if ((ret->flags & WIRE_FLAG_FD) != 0)
        return ERR_MALFORMED;
    *ret_have = true;
    return ERR_OK;
}

/* Takes all frames that are here; false when the wire has failed. */
static bool compare(struct wire *w, struct expected *x)
{
    for (;;) {
        struct frame got, want;
        int fd;
        enum err e;
        if (!wire_next(w, &got, &fd, &e)) {
            if (e == ERR_OK)
                return true;
            bool have;
            enum err rule = next_expected(x, &want, &have);
            assert(rule == e && !have);
            return false;
        }
        bool have;
        enum err rule = next_expected(x, &want, &have);
        assert(rule == ERR_OK && have);
        assert(got.type == want.type && got.flags == want.flags && fd == -1);
        assert(str_eq(got.payload, want.payload));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* The first byte: what to begin with, and the length of the pieces. */
    if (size < 1 || size > 65536)
        return 0;
    size_t piece = (data[0] & 0x7fU) + 1;
    struct buf bytes;
    buf_init(&bytes, 1 << 20);
    if ((data[0] & 0x80U) == 0)
        frame_add_hello(&bytes, worker);
    if (!buf_add(&bytes, (struct str){(const char *)data + 1, size - 1}))
        abort();

    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        abort();
    struct wire w;
    if (wire_init(&w, pair[0], ledger, FRAME_ROLE_WORKER) != ERR_OK)
        abort();
    struct expected x = {.left = buf_str(&bytes)};
    bool works = true;
    for (size_t at = 0; works && at < bytes.len; at += piece) {
        struct str part = str_first(str_skip(buf_str(&bytes), at), piece);
        if (write(pair[1], part.ptr, part.len) != (ssize_t)part.len)
            abort();
        enum err e = wire_fill(&w);
        assert(e == ERR_OK);
        assert(w.in.len <= FRAME_HEAD_LEN + FRAME_MAX + WIRE_READ_MAX);
        works = compare(&w, &x);
    }
    if (works) {
        struct frame f;
        bool have;
        enum err e = next_expected(&x, &f, &have);
        assert(e == ERR_OK && !have);
        (void)close(pair[1]);
        e = wire_fill(&w);
        assert(e == ERR_CLOSED);
    } else {
        (void)close(pair[1]);
    }
    wire_release(&w);
    buf_release(&bytes);
    return 0;
}
