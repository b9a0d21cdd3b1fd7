/*
 * disk.c - what one fdatasync costs here: 1 KB writes into a preallocated
 * file, each synced before the next, as JSON.
 *
 *     disk DIRECTORY SECONDS
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common.h"

enum { RECORD = 1024, FILE_LEN = 256 * 1024 * 1024, SAMPLES_MAX = 4000000 };

static int open_file(const char *directory)
{
    static const char name[] = "disk.bench";
    int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir < 0)
        die(directory);
    int fd = openat(dir, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || unlinkat(dir, name, 0) != 0)
        die(name);
    (void)close(dir);
    errno = posix_fallocate(fd, 0, FILE_LEN);
    if (errno != 0 || fsync(fd) != 0)
        die("fallocate");
    return fd;
}

int main(int argc, char **argv)
{
    struct samples took;
    char record[RECORD];
    off_t offset = 0;

    if (argc != 3)
        usage("disk DIRECTORY SECONDS");
    int fd = open_file(argv[1]);
    int64_t begin = now_ns();
    int64_t end = begin + number(argv[2], 3600) * NS_PER_S;
    int64_t before = begin;
    samples_init(&took, SAMPLES_MAX);
    memset(record, 'x', sizeof(record));
    while (before < end) {
        if (pwrite(fd, record, RECORD, offset) != RECORD || fdatasync(fd) != 0)
            die("fdatasync");
        int64_t after = now_ns();
        samples_add(&took, after - before);
        before = after;
        offset = (offset + RECORD) % FILE_LEN;
    }
    double seconds = (double)(before - begin) / (double)NS_PER_S;
    samples_sort(&took);
    printf("{\"syncs\":%.0f,\"p50_us\":%.1f,\"p99_us\":%.1f}\n",
           (double)took.count / seconds, samples_us(&took, 50),
           samples_us(&took, 99));
    return 0;
}
