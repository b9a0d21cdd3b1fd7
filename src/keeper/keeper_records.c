/*
 * keeper_records.c - see keeper_records.h.
 *
 * One batch is in flight at a time and everything before it is durable, so a
 * damaged record can only be the crash's work when no more than one batch
 * follows it.  Further up it is the disk's, and then dropping the records
 * behind it would forget payloads in silence: opening refuses.
 */
#include "keeper/keeper_records.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keeper/keeper_file.h"
#include "keeper/keeper_index.h"

enum {
    AT_SESSION = 8,
    AT_CREATED = AT_SESSION + KEEPER_SESSION_ID_LEN,
    AT_NONCE = AT_CREATED + 8,
    AT_WRAPPED = AT_NONCE + SEAL_NONCE_LEN,
    AT_TAG = AT_WRAPPED + KEEPER_KEY_LEN,
    AT_CHECK = AT_TAG + SEAL_TAG_LEN,
};
static_assert(AT_CHECK + 4 == KEEPER_RECORD_LEN, "records have no gaps");
static_assert((int)SEAL_KEY_LEN == (int)KEEPER_KEY_LEN,
              "payload keys are sealing keys");

static const unsigned char head[AT_SESSION] = {'W', 'P', 'K', '1'};

struct keeper_records {
    int fd;
    size_t bytes; /* of the file when it was opened */
    bool loaded;
    struct keeper_records_found found;
    size_t count; /* committed */
    size_t staged;
    bool failed; /* a sync failed */
    struct keeper_index index;
    unsigned char batch[KEEPER_BATCH_MAX][KEEPER_RECORD_LEN];
};

static void put_u64(unsigned char *to, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        to[i] = (unsigned char)(v >> (8 * (bytes - 1 - i)));
}

static uint64_t get_u64(const unsigned char *from)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++)
        v = v << 8 | from[i];
    return v;
}

/* Against accidents; the tag is what holds against people. */
static void checksum(const unsigned char *record, unsigned char to[4])
{
    static const struct siphash_key open_to_all = {0, 0};
    uint64_t sum =
        siphash(open_to_all, (struct str){(const char *)record, AT_CHECK});
    put_u64(to, sum >> 32, 4);
}

static void encode(const struct keeper_record *from, unsigned char *to)
{
    memcpy(to, head, sizeof(head));
    memcpy(to + AT_SESSION, from->session_id, KEEPER_SESSION_ID_LEN);
    put_u64(to + AT_CREATED, (uint64_t)from->created_us, 8);
    memcpy(to + AT_NONCE, from->stamp.nonce, SEAL_NONCE_LEN);
    memcpy(to + AT_WRAPPED, from->wrapped, KEEPER_KEY_LEN);
    memcpy(to + AT_TAG, from->stamp.tag, SEAL_TAG_LEN);
    checksum(to, to + AT_CHECK);
}

/* Not damaged, and of a session. */
static bool intact(const unsigned char *record)
{
    static const unsigned char no_session[KEEPER_SESSION_ID_LEN];
    unsigned char sum[4];
    checksum(record, sum);
    return memcmp(record, head, sizeof(head)) == 0 &&
           memcmp(record + AT_CHECK, sum, sizeof(sum)) == 0 &&
           memcmp(record + AT_SESSION, no_session, sizeof(no_session)) != 0;
}

/* Indexes the first `n` records of the batch's memory; *ret_good of them are
 * intact. */
static enum err load_piece(struct keeper_records *r, size_t n, size_t *ret_good)
{
    size_t good = 0;
    for (; good < n && intact(r->batch[good]); good++) {
        bool is_new = false;
        enum err e = keeper_index_add(&r->index, r->batch[good] + AT_SESSION,
                                      (uint32_t)(r->count + good), &is_new);
        if (e != ERR_OK)
            return e;
        if (!is_new)
            return ERR_CORRUPT; /* never written by us */
    }
    *ret_good = good;
    return ERR_OK;
}

/* Takes away what is behind the last committed record. */
static enum err cut(struct keeper_records *r)
{
    return ftruncate(r->fd, (off_t)(r->count * KEEPER_RECORD_LEN)) == 0
               ? ERR_OK
               : ERR_IO;
}

static enum err open_file(struct keeper_records *r, int dir)
{
    struct stat st;
    r->fd =
        openat(dir, KEEPER_RECORDS_FILE,
               O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    /* The folder is synced so that the name lasts as long as the content. */
    if (r->fd < 0 || fstat(r->fd, &st) != 0 || !S_ISREG(st.st_mode) ||
        fsync(dir) != 0)
        return ERR_IO;
    r->bytes = (size_t)st.st_size;
    return keeper_index_reserve(&r->index, r->bytes / KEEPER_RECORD_LEN);
}

enum err keeper_records_open(int dir, struct siphash_key seed,
                             struct keeper_records **ret)
{
    struct keeper_records *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return ERR_NO_MEMORY;
    r->fd = -1;
    keeper_index_init(&r->index, seed);
    enum err e = open_file(r, dir);
    if (e != ERR_OK)
        keeper_records_close(r);
    else
        *ret = r;
    return e;
}

/* At the end of the file, or at the first record that is damaged. */
static enum err end_loading(struct keeper_records *r)
{
    size_t left = r->bytes - r->count * KEEPER_RECORD_LEN;
    if (left > sizeof(r->batch))
        return ERR_CORRUPT;
    enum err e = left > 0 ? cut(r) : ERR_OK;
    if (e == ERR_OK) {
        r->found = (struct keeper_records_found){r->count, left};
        r->loaded = true;
    }
    return e;
}

enum err keeper_records_load(struct keeper_records *r, size_t n)
{
    size_t total = r->bytes / KEEPER_RECORD_LEN;
    size_t until = n < total - r->count ? r->count + n : total;
    while (!r->loaded && r->count < until) {
        size_t piece = total - r->count;
        if (piece > KEEPER_BATCH_MAX)
            piece = KEEPER_BATCH_MAX;
        size_t good = 0;
        enum err e =
            keeper_file_read(r->fd, r->batch, piece * KEEPER_RECORD_LEN,
                             r->count * KEEPER_RECORD_LEN);
        if (e == ERR_OK)
            e = load_piece(r, piece, &good);
        if (e != ERR_OK)
            return e;
        r->count += good;
        if (good < piece)
            return end_loading(r);
    }
    return r->loaded || r->count < total ? ERR_OK : end_loading(r);
}

bool keeper_records_loaded(const struct keeper_records *r)
{
    return r->loaded;
}

struct keeper_records_found keeper_records_found(const struct keeper_records *r)
{
    assert(r->loaded);
    return r->found;
}

void keeper_records_close(struct keeper_records *r)
{
    if (r == NULL)
        return;
    if (r->fd >= 0)
        (void)close(r->fd);
    keeper_index_release(&r->index);
    free(r);
}

bool keeper_records_has(const struct keeper_records *r,
                        const unsigned char id[KEEPER_SESSION_ID_LEN])
{
    assert(r->loaded);
    return keeper_index_has(&r->index, id);
}

enum err keeper_records_stage(struct keeper_records *r,
                              const struct keeper_record *record)
{
    assert(r->loaded);
    if (r->failed)
        return ERR_IO;
    if (r->staged == KEEPER_BATCH_MAX)
        return ERR_LIMIT;
    bool is_new = false;
    enum err e = keeper_index_add(&r->index, record->session_id,
                                  (uint32_t)(r->count + r->staged), &is_new);
    if (e != ERR_OK)
        return e;
    assert(is_new); /* the caller has asked keeper_records_has() */
    encode(record, r->batch[r->staged]);
    r->staged++;
    return ERR_OK;
}

size_t keeper_records_staged(const struct keeper_records *r)
{
    return r->staged;
}

enum err keeper_records_commit(struct keeper_records *r)
{
    if (r->staged == 0)
        return r->failed ? ERR_IO : ERR_OK;
    struct str bytes = {(const char *)r->batch, r->staged * KEEPER_RECORD_LEN};
    enum err e = keeper_file_write(r->fd, bytes, r->count * KEEPER_RECORD_LEN);
    if (e == ERR_OK && fdatasync(r->fd) != 0)
        e = ERR_IO; /* and the kernel may drop the pages: never retried */
    if (e == ERR_OK) {
        r->count += r->staged;
    } else {
        for (size_t i = 0; i < r->staged; i++)
            keeper_index_remove(&r->index, r->batch[i] + AT_SESSION);
        if (cut(r) != ERR_OK)
            e = ERR_IO;
        r->failed = e == ERR_IO;
    }
    r->staged = 0;
    return e;
}

enum err keeper_records_read(const struct keeper_records *r, size_t i,
                             struct keeper_record *ret)
{
    if (i >= r->count)
        return ERR_NOT_FOUND;
    unsigned char bytes[KEEPER_RECORD_LEN];
    enum err e =
        keeper_file_read(r->fd, bytes, sizeof(bytes), i * KEEPER_RECORD_LEN);
    if (e != ERR_OK)
        return e;
    if (!intact(bytes))
        return ERR_CORRUPT;
    memcpy(ret->session_id, bytes + AT_SESSION, KEEPER_SESSION_ID_LEN);
    ret->created_us = (int64_t)get_u64(bytes + AT_CREATED);
    memcpy(ret->stamp.nonce, bytes + AT_NONCE, SEAL_NONCE_LEN);
    memcpy(ret->wrapped, bytes + AT_WRAPPED, KEEPER_KEY_LEN);
    memcpy(ret->stamp.tag, bytes + AT_TAG, SEAL_TAG_LEN);
    return ERR_OK;
}

enum err keeper_records_find(const struct keeper_records *r,
                             const unsigned char id[KEEPER_SESSION_ID_LEN],
                             struct keeper_record *ret)
{
    assert(r->loaded);
    uint32_t place;
    if (!keeper_index_find(&r->index, id, &place))
        return ERR_NOT_FOUND;
    enum err e = keeper_records_read(r, place, ret); /* not of a staged one */
    if (e == ERR_OK && memcmp(ret->session_id, id, KEEPER_SESSION_ID_LEN) != 0)
        return ERR_CORRUPT;
    return e;
}
