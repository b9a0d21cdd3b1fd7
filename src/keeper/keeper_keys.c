/*
 * keeper_keys.c - node.key: "WRITNODE", u32 version, u32 zero, the key, and
 * 8 bytes of checksum, so that a damaged file is not taken for another key.
 */
#include "keeper/keeper_keys.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/siphash.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/secret.h"
#include "keeper/keeper_file.h"

enum {
    ROOT_LEN = 32,
    AT_ROOT = 16,
    AT_CHECK = AT_ROOT + ROOT_LEN,
    FILE_LEN = AT_CHECK + 8
};

/* The magic and version 1. */
static const unsigned char head[AT_ROOT] = {'W', 'R', 'I', 'T', 'N', 'O',
                                            'D', 'E', 0,   0,   0,   1};

/* In secret memory for as long as it is needed. */
struct node_file {
    unsigned char bytes[FILE_LEN];
};

static void checksum(const struct node_file *file, unsigned char to[8])
{
    static const struct siphash_key open_to_all = {0, 0};
    uint64_t sum =
        siphash(open_to_all, (struct str){(const char *)file->bytes, AT_CHECK});
    for (unsigned i = 0; i < 8; i++)
        to[i] = (unsigned char)(sum >> (56 - 8 * i));
}

static enum err make(int dir, struct node_file *file, const char **ret_why)
{
    memcpy(file->bytes, head, sizeof(head));
    hash_random(file->bytes + AT_ROOT, ROOT_LEN);
    checksum(file, file->bytes + AT_CHECK);
    enum err e =
        keeper_file_create(dir, KEEPER_KEYS_FILE,
                           (struct str){(char *)file->bytes, FILE_LEN});
    if (e == ERR_OK)
        return ERR_OK;
    *ret_why = "node.key cannot be made: no space or no right to write";
    return ERR_IO;
}

static enum err check_mode(const struct stat *st, const char **ret_why)
{
    if (!S_ISREG(st->st_mode)) {
        *ret_why = "node.key is not a regular file";
        return ERR_CORRUPT;
    }
    if ((st->st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        *ret_why = "node.key is open to group or others: chmod 600 it, and "
                   "ask who has read it";
        return ERR_CONFIG;
    }
    return ERR_OK;
}

static enum err check_content(const struct node_file *file, off_t size,
                              const char **ret_why)
{
    unsigned char sum[8];
    checksum(file, sum);
    if (size == FILE_LEN && memcmp(file->bytes, head, sizeof(head)) == 0 &&
        memcmp(file->bytes + AT_CHECK, sum, sizeof(sum)) == 0)
        return ERR_OK;
    *ret_why = "node.key is damaged or of another version: restore it";
    return ERR_CORRUPT;
}

/* ERR_NOT_FOUND: there is none. */
static enum err read_file(int dir, struct node_file *file, const char **ret_why)
{
    int fd = openat(dir, KEEPER_KEYS_FILE,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return ERR_NOT_FOUND;
    *ret_why = "node.key cannot be read";
    if (fd < 0)
        return ERR_IO;
    struct stat st;
    enum err e = fstat(fd, &st) == 0 ? ERR_OK : ERR_IO;
    if (e == ERR_OK)
        e = check_mode(&st, ret_why);
    if (e == ERR_OK && st.st_size >= FILE_LEN)
        e = keeper_file_read(fd, file->bytes, FILE_LEN, 0);
    if (e == ERR_OK)
        e = check_content(file, st.st_size, ret_why);
    (void)close(fd);
    return e;
}

static enum err derive(const struct node_file *file, struct keeper_keys *keys)
{
    struct str root = {(const char *)file->bytes + AT_ROOT, ROOT_LEN};
    enum err e = kdf_derive(root, STR(""), STR("writ caller key v1"),
                            keys->caller, sizeof(keys->caller));
    if (e == ERR_OK)
        e = kdf_derive(root, STR(""), STR("writ payload kek v1"), keys->payload,
                       sizeof(keys->payload));
    return e;
}

enum err keeper_keys_load(int dir, struct keeper_keys **ret,
                          const char **ret_why)
{
    *ret_why = "out of memory";
    enum err e = ERR_NO_MEMORY;
    struct keeper_keys *keys = secret_alloc(sizeof(*keys));
    struct node_file *file = secret_alloc(sizeof(*file));
    if (keys == NULL || file == NULL)
        goto out;
    e = read_file(dir, file, ret_why);
    if (e == ERR_NOT_FOUND)
        e = make(dir, file, ret_why);
    else if (e == ERR_OK)
        keeper_file_clean(dir, KEEPER_KEYS_FILE);
    if (e == ERR_OK)
        e = derive(file, keys);
    if (e == ERR_OK) {
        *ret = keys;
        keys = NULL;
    }
out:
    secret_free(file);
    secret_free(keys);
    return e;
}

void keeper_keys_free(struct keeper_keys *keys)
{
    secret_free(keys);
}
