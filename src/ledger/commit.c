/* commit.c - see commit.h. */
#include "ledger/commit.h"

#include <assert.h>
#include <string.h>

#include "ledger/be.h"
#include "ledger/intents.h"

/* Offsets in the head. */
enum {
    AT_MAGIC = 0,
    AT_FLAGS = 4,
    AT_FIRST = 8,
    AT_WALL = 16,
    AT_DURABLE = 24,
    AT_COUNT = 32,
    AT_NOTES = 36,
    AT_RECORDS = 40,
    AT_ZERO = 44,
    AT_NOTES_HASH = 48,
    AT_ROOT = 80,
    AT_CHECK = 112,
};

static_assert(AT_CHECK + HASH_LEN == COMMIT_HEAD_LEN, "the layout adds up");
static_assert(COMMIT_RECORD_HEAD + ENTRY_MAX <= COMMIT_RECORDS_MAX,
              "every entry fits a frame");
static_assert(COMMIT_NOTES_MAX > (size_t)INTENTS_MAX * 8 + 4 * KIB,
              "a seal fits a frame");

static struct hash head_check(const char *head)
{
    const struct str covered = {head, AT_CHECK};
    return hash_sha256(&covered, 1);
}

void commit_put_head(const struct commit_head *h, char to[COMMIT_HEAD_LEN])
{
    memcpy(to + AT_MAGIC, COMMIT_MAGIC, COMMIT_MAGIC_LEN);
    be_put_u32(to + AT_FLAGS, h->flags);
    be_put_u64(to + AT_FIRST, h->first_index);
    be_put_u64(to + AT_WALL, (uint64_t)h->wall_us);
    be_put_u64(to + AT_DURABLE, h->durable);
    be_put_u32(to + AT_COUNT, h->count);
    be_put_u32(to + AT_NOTES, h->notes_len);
    be_put_u32(to + AT_RECORDS, h->records_len);
    be_put_u32(to + AT_ZERO, 0);
    memcpy(to + AT_NOTES_HASH, h->notes_hash.bytes, HASH_LEN);
    memcpy(to + AT_ROOT, h->root.bytes, HASH_LEN);
    struct hash check = head_check(to);
    memcpy(to + AT_CHECK, check.bytes, HASH_LEN);
}

static bool bounded(const struct commit_head *h)
{
    if ((h->flags & ~(uint32_t)(COMMIT_SEAL | COMMIT_EARLY)) != 0)
        return false;
    if (h->notes_len > COMMIT_NOTES_MAX || h->count > COMMIT_COUNT_MAX ||
        h->records_len > COMMIT_RECORDS_MAX)
        return false;
    if ((h->flags & COMMIT_SEAL) != 0)
        return h->count == 0 && h->records_len == 0;
    /* No index may wrap round, and the last one is LEDGER_NO_INDEX. */
    return h->count > 0 && h->first_index < UINT64_MAX - COMMIT_COUNT_MAX;
}

bool commit_get_head(const char from[COMMIT_HEAD_LEN], struct commit_head *ret)
{
    if (memcmp(from + AT_MAGIC, COMMIT_MAGIC, COMMIT_MAGIC_LEN) != 0)
        return false;
    struct hash check = head_check(from);
    if (memcmp(from + AT_CHECK, check.bytes, HASH_LEN) != 0 ||
        be_get_u32(from + AT_ZERO) != 0)
        return false;
    struct commit_head h = {
        .flags = be_get_u32(from + AT_FLAGS),
        .first_index = be_get_u64(from + AT_FIRST),
        .wall_us = (int64_t)be_get_u64(from + AT_WALL),
        .durable = be_get_u64(from + AT_DURABLE),
        .count = be_get_u32(from + AT_COUNT),
        .notes_len = be_get_u32(from + AT_NOTES),
        .records_len = be_get_u32(from + AT_RECORDS),
    };
    memcpy(h.notes_hash.bytes, from + AT_NOTES_HASH, HASH_LEN);
    memcpy(h.root.bytes, from + AT_ROOT, HASH_LEN);
    if (!bounded(&h))
        return false;
    *ret = h;
    return true;
}

bool commit_entry_ok(struct str entry)
{
    return entry.len > 0 && entry.len <= ENTRY_MAX &&
           memchr(entry.ptr, '\0', entry.len) == NULL &&
           memchr(entry.ptr, COMMIT_MAGIC[0], entry.len) == NULL;
}

bool commit_next_record(struct str *left, struct str *ret_entry)
{
    if (left->len < COMMIT_RECORD_HEAD)
        return false;
    size_t len = be_get_u16(left->ptr);
    if (len == 0 || len > ENTRY_MAX || len > left->len - COMMIT_RECORD_HEAD)
        return false;
    *ret_entry = (struct str){left->ptr + COMMIT_RECORD_HEAD, len};
    left->ptr += COMMIT_RECORD_HEAD + len;
    left->len -= COMMIT_RECORD_HEAD + len;
    return true;
}

size_t commit_opens_len(size_t count)
{
    return (count + 7) / 8;
}

bool commit_get_notes(struct str notes, uint32_t count,
                      struct commit_notes *ret)
{
    size_t opens = commit_opens_len(count);
    if (notes.len < opens || (notes.len - opens) % sizeof(uint64_t) != 0)
        return false;
    unsigned spare = (unsigned)(opens * 8 - count);
    if (opens > 0 &&
        ((unsigned char)notes.ptr[opens - 1] & ((1U << spare) - 1)) != 0)
        return false;
    *ret = (struct commit_notes){{notes.ptr, opens},
                                 {notes.ptr + opens, notes.len - opens}};
    return true;
}

bool commit_opens(const struct commit_notes *n, uint32_t entry)
{
    assert(entry / 8 < n->opens.len);
    return ((unsigned char)n->opens.ptr[entry / 8] & (0x80U >> entry % 8)) != 0;
}

size_t commit_closes_count(const struct commit_notes *n)
{
    return n->closes.len / sizeof(uint64_t);
}

uint64_t commit_closes_at(const struct commit_notes *n, size_t i)
{
    assert(i < commit_closes_count(n));
    return be_get_u64(n->closes.ptr + i * sizeof(uint64_t));
}
