/* keeper_caller_key.c - see keeper_caller_key.h. */
#include "keeper/keeper_caller_key.h"

#include <string.h>
#include <unistd.h>

#include "keeper/keeper_file.h"
#include "keeper/keeper_keys.h"

enum err keeper_caller_key_load(const char *keys_dir,
                                unsigned char ret_key[KEEPER_KEY_LEN],
                                const char **ret_why)
{
    int dir;
    *ret_why = "the folder for keys cannot be opened or made";
    enum err e = keeper_file_open_dir(keys_dir, &dir);
    if (e != ERR_OK)
        return e;
    struct keeper_keys *keys;
    e = keeper_keys_load(dir, &keys, ret_why);
    (void)close(dir);
    if (e != ERR_OK)
        return e;
    memcpy(ret_key, keys->caller, KEEPER_KEY_LEN);
    keeper_keys_free(keys);
    return ERR_OK;
}
