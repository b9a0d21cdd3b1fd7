/* ledger_proto.c - see ledger_proto.h. */
#include "ledger/ledger_proto.h"

#include <assert.h>

static_assert(sizeof(uint64_t) + (size_t)LEDGER_ACK_MAX * HASH_LEN <= FRAME_MAX,
              "an ACK fits a frame");
static_assert((size_t)LEDGER_ORPHANS_MAX * sizeof(uint64_t) <= FRAME_MAX,
              "an ORPHANS fits a frame");

void ledger_proto_put_append(struct buf *to, const struct ledger_append *a)
{
    unsigned flags = (a->class == LEDGER_AWAITED ? LEDGER_FLAG_AWAITED : 0U) |
                     (a->opens ? LEDGER_FLAG_OPENS : 0U);
    frame_add_head(to, LEDGER_APPEND, (uint16_t)flags,
                   sizeof(uint64_t) + a->entry.len);
    frame_put_u64(to, a->closes);
    (void)buf_add(to, a->entry);
}

enum err ledger_proto_get_append(const struct frame *f,
                                 struct ledger_append *ret)
{
    unsigned flags = f->flags;
    if ((flags & ~(unsigned)(LEDGER_FLAG_AWAITED | LEDGER_FLAG_OPENS)) != 0 ||
        f->payload.len <= sizeof(uint64_t))
        return ERR_MALFORMED;
    struct frame_reader r = frame_reader(f->payload);
    uint64_t closes = frame_get_u64(&r);
    *ret = (struct ledger_append){
        .entry = r.left,
        .class =
            (flags & LEDGER_FLAG_AWAITED) != 0 ? LEDGER_AWAITED : LEDGER_LAZY,
        .opens = (flags & LEDGER_FLAG_OPENS) != 0,
        .closes = closes,
    };
    return ERR_OK;
}

char *ledger_proto_put_ack(struct buf *to, uint64_t first_index, uint32_t count)
{
    assert(count <= LEDGER_ACK_MAX);
    size_t leaves = (size_t)count * HASH_LEN;
    frame_add_head(to, LEDGER_ACK, 0, sizeof(uint64_t) + leaves);
    frame_put_u64(to, first_index);
    char *at = buf_space(to, leaves);
    if (at != NULL)
        buf_added(to, leaves);
    return at;
}

enum err ledger_proto_get_ack(const struct frame *f, struct ledger_ack *ret)
{
    struct frame_reader r = frame_reader(f->payload);
    uint64_t first = frame_get_u64(&r);
    size_t count = r.left.len / HASH_LEN;
    if (r.bad || count == 0 || count > LEDGER_ACK_MAX ||
        r.left.len % HASH_LEN != 0 || first > UINT64_MAX - count)
        return ERR_MALFORMED;
    *ret = (struct ledger_ack){first, (uint32_t)count, r.left};
    return ERR_OK;
}

void ledger_proto_put_failed(struct buf *to, uint32_t count)
{
    frame_add_head(to, LEDGER_FAILED, 0, sizeof(uint32_t));
    frame_put_u32(to, count);
}

enum err ledger_proto_get_failed(const struct frame *f, uint32_t *ret_count)
{
    struct frame_reader r = frame_reader(f->payload);
    uint32_t count = frame_get_u32(&r);
    if (!frame_reader_done(&r) || count == 0)
        return ERR_MALFORMED;
    *ret_count = count;
    return ERR_OK;
}

enum { STATS_LEN = 5 * sizeof(uint64_t) + HASH_LEN };

void ledger_proto_put_stats(struct buf *to, const struct ledger_stats *s)
{
    frame_add_head(to, LEDGER_STATS, 0, STATS_LEN);
    frame_put_u64(to, s->entries);
    frame_put_u64(to, s->syncs);
    frame_put_u64(to, s->commits);
    frame_put_u64(to, s->open_intents);
    frame_put_u64(to, s->cut_bytes);
    (void)buf_add(to, (struct str){(const char *)s->root.bytes, HASH_LEN});
}

enum err ledger_proto_get_stats(const struct frame *f, struct ledger_stats *ret)
{
    struct frame_reader r = frame_reader(f->payload);
    struct ledger_stats s;
    s.entries = frame_get_u64(&r);
    s.syncs = frame_get_u64(&r);
    s.commits = frame_get_u64(&r);
    s.open_intents = frame_get_u64(&r);
    s.cut_bytes = frame_get_u64(&r);
    struct str root = frame_get_bytes(&r, HASH_LEN);
    if (!frame_reader_done(&r))
        return ERR_MALFORMED;
    memcpy(s.root.bytes, root.ptr, HASH_LEN);
    *ret = s;
    return ERR_OK;
}
