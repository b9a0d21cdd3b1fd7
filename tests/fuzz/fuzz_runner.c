/* layers: runner */
/*
 * fuzz_runner.c - request frames of a hostile client to the runner.
 *
 * The first byte is the client's role, the rest its frames.  What is read
 * comes from a gateway's thread, has a bounded name, and written again it is
 * the frame that came: nothing in it was passed over.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "runner/runner_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_frame(enum frame_role role, const struct frame *f,
                        struct buf *again)
{
    struct runner_request q;
    if (runner_protocol_read(f, role, &q) != ERR_OK)
        return;
    check(role == FRAME_ROLE_WORKER || role == FRAME_ROLE_CONTROL);
    check(f->type == q.type && f->flags == 0);
    buf_clear(again);
    frame_put_u64(again, q.tag);
    if (q.type == RUNNER_START) {
        check(q.name.len > 0 && q.name.len <= NAME_MAX_LEN);
        frame_put_str(again, q.name);
    } else {
        check(q.type == RUNNER_STOP);
    }
    check(buf_ok(again) && str_eq(buf_str(again), f->payload));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct buf again;
    buf_init(&again, 4096);
    struct str left = {(const char *)data + 1, size - 1};
    struct frame f;
    size_t used;
    while (frame_next(left, &f, &used) == ERR_OK && used > 0) {
        check_frame((enum frame_role)(data[0] & 7), &f, &again);
        left = str_skip(left, used);
    }
    buf_release(&again);
    return 0;
}
