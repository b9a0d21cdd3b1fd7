/*
 * secret.c - three pages: a guard, the secret, a guard.  The secret ends as
 * close to the second guard as its alignment lets it, since overruns are the
 * more common mistake.
 */
#include "crypto/secret.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/crypto.h>

static size_t page_size(void)
{
    long size = sysconf(_SC_PAGESIZE);
    assert(size >= SECRET_MAX && (size & (size - 1)) == 0);
    return (size_t)size;
}

void *secret_alloc(size_t n)
{
    assert(n > 0 && n <= SECRET_MAX);
    size_t page = page_size();
    char *pages =
        mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        return NULL;
    char *middle = pages + page;
    if (mprotect(middle, page, PROT_READ | PROT_WRITE) != 0 ||
        madvise(middle, page, MADV_DONTDUMP) != 0 ||
        madvise(middle, page, MADV_WIPEONFORK) != 0) {
        (void)munmap(pages, 3 * page);
        return NULL;
    }
    /* Refused where RLIMIT_MEMLOCK is small; a key is worth having still. */
    (void)mlock(middle, page);
    size_t room = (n + alignof(max_align_t) - 1) / alignof(max_align_t) *
                  alignof(max_align_t);
    return middle + page - room;
}

void secret_free(void *secret)
{
    if (secret == NULL)
        return;
    size_t page = page_size();
    char *middle = (char *)secret - (uintptr_t)secret % page;
    OPENSSL_cleanse(middle, page);
    (void)munmap(middle - page, 3 * page);
}
