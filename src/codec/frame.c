/* frame.c - see frame.h. */
#include "codec/frame.h"

#include "base/limits.h"

static_assert(FRAME_MAX <= UINT32_MAX, "a length has 32 bits");

/* The first `n` bytes, at most 8, as a big-endian number. */
static uint64_t read_be(const char *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | (unsigned char)p[i];
    return v;
}

static void write_be(char *p, size_t n, uint64_t v)
{
    while (n-- > 0) {
        p[n] = (char)(v & 0xff);
        v >>= 8;
    }
}

static void put_be(struct buf *to, size_t n, uint64_t v)
{
    char *p = buf_space(to, n);
    if (p == NULL)
        return;
    write_be(p, n, v);
    buf_added(to, n);
}

enum err frame_next(struct str bytes, struct frame *ret, size_t *ret_used)
{
    /* A length that is too long is refused before its bytes are waited for. */
    if (bytes.len < 4) {
        *ret_used = 0;
        return ERR_OK;
    }
    size_t len = (size_t)read_be(bytes.ptr, 4);
    if (len > FRAME_MAX)
        return ERR_LIMIT;
    if (bytes.len < FRAME_HEAD_LEN || bytes.len - FRAME_HEAD_LEN < len) {
        *ret_used = 0;
        return ERR_OK;
    }
    *ret = (struct frame){
        .type = (uint16_t)read_be(bytes.ptr + 4, 2),
        .flags = (uint16_t)read_be(bytes.ptr + 6, 2),
        .payload = {bytes.ptr + FRAME_HEAD_LEN, len},
    };
    *ret_used = FRAME_HEAD_LEN + len;
    return ERR_OK;
}

void frame_add_head(struct buf *to, uint16_t type, uint16_t flags,
                    size_t payload_len)
{
    if (payload_len > FRAME_MAX) {
        to->failed = true;
        return;
    }
    char *p = buf_space(to, FRAME_HEAD_LEN);
    if (p == NULL)
        return;
    write_be(p, 4, payload_len);
    write_be(p + 4, 2, type);
    write_be(p + 6, 2, flags);
    buf_added(to, FRAME_HEAD_LEN);
}

void frame_add(struct buf *to, uint16_t type, uint16_t flags,
               struct str payload)
{
    /* Both or nothing: half a frame would make the rest unreadable. */
    size_t before = to->len;
    frame_add_head(to, type, flags, payload.len);
    if (!buf_add(to, payload))
        to->len = before;
}

void frame_add_hello(struct buf *to, struct frame_hello h)
{
    char payload[FRAME_HELLO_LEN];
    write_be(payload, 4, h.version);
    write_be(payload + 4, 4, h.role);
    write_be(payload + 8, 8, h.generation);
    frame_add(to, FRAME_HELLO, 0, (struct str){payload, sizeof(payload)});
}

enum err frame_read_hello(const struct frame *f, enum frame_role from,
                          struct frame_hello *ret)
{
    struct frame_reader r = frame_reader(f->payload);
    struct frame_hello h = {0};
    h.version = frame_get_u32(&r);
    h.role = frame_get_u32(&r);
    h.generation = frame_get_u64(&r);
    if (f->type != FRAME_HELLO || f->flags != 0 || !frame_reader_done(&r) ||
        h.version != FRAME_PROTOCOL_VERSION || h.role != (uint32_t)from)
        return ERR_MALFORMED;
    *ret = h;
    return ERR_OK;
}

struct str frame_get_bytes(struct frame_reader *r, size_t n)
{
    if (r->bad || n > r->left.len) {
        *r = (struct frame_reader){{NULL, 0}, true};
        return (struct str){NULL, 0};
    }
    struct str bytes = str_first(r->left, n);
    r->left = str_skip(r->left, n);
    return bytes;
}

static uint64_t get_be(struct frame_reader *r, size_t n)
{
    struct str bytes = frame_get_bytes(r, n);
    return read_be(bytes.ptr, bytes.len);
}

uint8_t frame_get_u8(struct frame_reader *r)
{
    return (uint8_t)get_be(r, 1);
}

uint16_t frame_get_u16(struct frame_reader *r)
{
    return (uint16_t)get_be(r, 2);
}

uint32_t frame_get_u32(struct frame_reader *r)
{
    return (uint32_t)get_be(r, 4);
}

uint64_t frame_get_u64(struct frame_reader *r)
{
    return get_be(r, 8);
}

struct str frame_get_str(struct frame_reader *r)
{
    return frame_get_bytes(r, frame_get_u32(r));
}

bool frame_reader_done(const struct frame_reader *r)
{
    return !r->bad && r->left.len == 0;
}

void frame_put_u8(struct buf *to, uint8_t v)
{
    put_be(to, 1, v);
}

void frame_put_u16(struct buf *to, uint16_t v)
{
    put_be(to, 2, v);
}

void frame_put_u32(struct buf *to, uint32_t v)
{
    put_be(to, 4, v);
}

void frame_put_u64(struct buf *to, uint64_t v)
{
    put_be(to, 8, v);
}

void frame_put_str(struct buf *to, struct str s)
{
    if (s.len > FRAME_MAX) {
        to->failed = true;
        return;
    }
    put_be(to, 4, s.len);
    (void)buf_add(to, s);
}
