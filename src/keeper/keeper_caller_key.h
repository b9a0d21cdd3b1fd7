/*
 * keeper_caller_key.h - the key under which callers' API keys are hashed,
 * for a command that runs while no node does.
 *
 * The caller of this holds the lock on the data directory.
 */
#ifndef KEEPER_KEEPER_CALLER_KEY_H
#define KEEPER_KEEPER_CALLER_KEY_H

#include "base/attr.h"
#include "base/err.h"
#include "keeper/keeper_protocol.h"

/*
 * The same key as keeper_client_caller_key() gives, read from the folder
 * `keys_dir`; both the folder and node.key are made when they are missing.
 * The caller wipes `ret_key`.  Errors as of keeper_keys_load(); *ret_why
 * says what, for a person.
 */
MUST_CHECK enum err
keeper_caller_key_load(const char *keys_dir,
                       unsigned char ret_key[KEEPER_KEY_LEN],
                       const char **ret_why);

#endif
