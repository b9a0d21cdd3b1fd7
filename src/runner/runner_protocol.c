/* runner_protocol.c - see runner_protocol.h. */
#include "runner/runner_protocol.h"

#include "base/limits.h"

enum err runner_protocol_read(const struct frame *f, enum frame_role from,
                              struct runner_request *ret)
{
    if (from != FRAME_ROLE_WORKER && from != FRAME_ROLE_CONTROL)
        return ERR_MALFORMED;
    struct frame_reader r = frame_reader(f->payload);
    struct runner_request q = {.type = f->type, .tag = frame_get_u64(&r)};
    if (f->type == RUNNER_START) {
        q.name = frame_get_str(&r);
        if (q.name.len == 0 || q.name.len > NAME_MAX_LEN)
            return ERR_MALFORMED;
    } else if (f->type != RUNNER_STOP) {
        return ERR_MALFORMED;
    }
    if (!frame_reader_done(&r) || f->flags != 0)
        return ERR_MALFORMED;
    *ret = q;
    return ERR_OK;
}

void runner_protocol_start(struct buf *to, uint64_t tag, struct str name)
{
    frame_add_head(to, RUNNER_START, 0, 8 + 4 + name.len);
    frame_put_u64(to, tag);
    frame_put_str(to, name);
}

void runner_protocol_stop(struct buf *to, uint64_t tag)
{
    frame_add_head(to, RUNNER_STOP, 0, 8);
    frame_put_u64(to, tag);
}

void runner_protocol_started(struct buf *to, uint64_t tag, unsigned confined)
{
    frame_add_head(to, RUNNER_STARTED, 0, 8 + 4);
    frame_put_u64(to, tag);
    frame_put_u32(to, confined);
}

void runner_protocol_refused(struct buf *to, uint64_t tag, struct str reason)
{
    char text[RUNNER_REASON_MAX];
    struct str whole = reason.len > 0 ? reason : STR("no reason");
    size_t len = whole.len < sizeof(text) ? whole.len : sizeof(text);
    for (size_t i = 0; i < len; i++) {
        bool shown = whole.ptr[i] >= ' ' && whole.ptr[i] <= '~';
        text[i] = '?';
        if (shown)
            text[i] = whole.ptr[i];
    }
    frame_add_head(to, RUNNER_REFUSED, 0, 8 + 4 + len);
    frame_put_u64(to, tag);
    frame_put_str(to, (struct str){text, len});
}

void runner_protocol_exited(struct buf *to, uint64_t tag, uint32_t code,
                            uint32_t signal_number)
{
    frame_add_head(to, RUNNER_EXITED, 0, 8 + 4 + 4);
    frame_put_u64(to, tag);
    frame_put_u32(to, code);
    frame_put_u32(to, signal_number);
}

struct runner_pipe_payload runner_protocol_pipe(uint64_t tag,
                                                enum runner_pipe which)
{
    struct runner_pipe_payload p;
    for (unsigned i = 0; i < 8; i++)
        p.bytes[i] = (char)(unsigned char)(tag >> (56 - 8 * i));
    p.bytes[8] = (char)which;
    return p;
}
