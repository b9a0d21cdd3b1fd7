/* layers: keeper */
/*
 * fuzz_keeper_records.c - whatever a disk may hold under payload.keys.
 *
 * What opens consists of whole records of different sessions, what was cut
 * is no more than a batch, and opening once more changes nothing.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keeper/keeper_file.h"
#include "keeper/keeper_records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static char dir_path[] = "/dev/shm/writ-fuzz-records-XXXXXX";
static int dir = -1;

static void clean_up(void)
{
    (void)unlinkat(dir, KEEPER_RECORDS_FILE, 0);
    (void)rmdir(dir_path);
}

static void write_file(struct str bytes)
{
    int fd = openat(dir, KEEPER_RECORDS_FILE,
                    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check(fd >= 0);
    check(keeper_file_write(fd, bytes, 0) == ERR_OK);
    (void)close(fd);
}

static size_t file_size(void)
{
    struct stat st;
    check(fstatat(dir, KEEPER_RECORDS_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0);
    return (size_t)st.st_size;
}

static const struct siphash_key seed = {5, 6};

/* Each record can be read, is known, and appears once more when added. */
static void check_records(struct keeper_records *r, size_t count)
{
    struct keeper_record record;
    for (size_t i = 0; i < count; i++) {
        check(keeper_records_read(r, i, &record) == ERR_OK);
        check(keeper_records_has(r, record.session_id));
        struct keeper_record found;
        check(keeper_records_find(r, record.session_id, &found) == ERR_OK);
        check(memcmp(found.wrapped, record.wrapped, KEEPER_KEY_LEN) == 0);
    }
    check(keeper_records_read(r, count, &record) == ERR_NOT_FOUND);
}

static struct keeper_records *open_records(void)
{
    struct keeper_records *r = NULL;
    check(keeper_records_open(dir, seed, &r) == ERR_OK);
    check(!keeper_records_loaded(r));
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (dir < 0) {
        check(mkdtemp(dir_path) != NULL);
        check(keeper_file_open_dir(dir_path, &dir) == ERR_OK);
        check(atexit(clean_up) == 0);
    }
    write_file((struct str){(const char *)data, size});
    struct keeper_records *r = open_records();
    if (keeper_records_load(r, SIZE_MAX) != ERR_OK) {
        check(file_size() == size);
        keeper_records_close(r);
        return 0;
    }
    struct keeper_records_found found = keeper_records_found(r);
    check(found.records * KEEPER_RECORD_LEN + found.cut_bytes == size);
    check(found.cut_bytes <= (size_t)KEEPER_BATCH_MAX * KEEPER_RECORD_LEN);
    check(file_size() == found.records * KEEPER_RECORD_LEN);
    check_records(r, found.records);
    keeper_records_close(r);

    r = open_records(); /* and read in small steps it is the same */
    while (!keeper_records_loaded(r))
        check(keeper_records_load(r, 1) == ERR_OK);
    struct keeper_records_found again = keeper_records_found(r);
    check(again.records == found.records && again.cut_bytes == 0);
    keeper_records_close(r);
    return 0;
}
