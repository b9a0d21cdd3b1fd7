/* layers: codec base */
/* Property: what was decoded, encoded again, is the same bytes. */
#include <assert.h>
#include <stdint.h>

#include "base/limits.h"
#include "codec/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The payload read as fields, written back, is the payload. */
static void check_fields(struct str payload)
{
    struct frame_reader r = frame_reader(payload);
    uint8_t u8 = frame_get_u8(&r);
    uint16_t u16 = frame_get_u16(&r);
    uint32_t u32 = frame_get_u32(&r);
    uint64_t u64 = frame_get_u64(&r);
    struct str s = frame_get_str(&r);
    if (!frame_reader_done(&r)) {
        assert(!r.bad || (r.left.len == 0 && s.len == 0));
        return;
    }
    struct buf again;
    buf_init(&again, 2 * FRAME_MAX);
    frame_put_u8(&again, u8);
    frame_put_u16(&again, u16);
    frame_put_u32(&again, u32);
    frame_put_u64(&again, u64);
    frame_put_str(&again, s);
    assert(str_eq(buf_str(&again), payload));
    buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str left = {(const char *)data, size};
    struct buf again;
    buf_init(&again, size + 1);
    for (;;) {
        struct frame f;
        size_t used;
        if (frame_next(left, &f, &used) != ERR_OK || used == 0)
            break;
        assert(used <= left.len);
        frame_add(&again, f.type, f.flags, f.payload);
        check_fields(f.payload);

        struct frame_hello h;
        if (frame_read_hello(&f, FRAME_ROLE_WORKER, &h) == ERR_OK) {
            struct buf hello;
            buf_init(&hello, KIB);
            frame_add_hello(&hello, h);
            assert(str_eq(buf_str(&hello), str_first(left, used)));
            buf_release(&hello);
        }
        left = str_skip(left, used);
    }
    assert(buf_ok(&again));
    assert(str_eq(buf_str(&again),
                  (struct str){(const char *)data, size - left.len}));
    buf_release(&again);
    return 0;
}
