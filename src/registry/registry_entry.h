/*
 * registry_entry.h - an entry from outside: from the evidence or the store.
 * For the inside of registry/ only.
 */
#ifndef REGISTRY_REGISTRY_ENTRY_H
#define REGISTRY_REGISTRY_ENTRY_H

#include "registry/registry.h"

enum { REGISTRY_FINGERPRINT_LEN = 16 };

/* Room for what an entry points to. */
struct registry_draft {
    struct registry_entry entry; /* points into the rest */
    struct str purposes[REGISTRY_PURPOSES_MAX];
    struct registry_key keys[REGISTRY_KEYS_MAX];
};

/*
 * Reads what registry_entry_write() wrote whole, and nothing else; texts are
 * borrowed from `v`.  ERR_MALFORMED.
 */
MUST_CHECK enum err registry_entry_read(const struct json *v,
                                        struct registry_draft *ret);

/* The array of purposes alone: false unless it is one. */
MUST_CHECK bool registry_entry_read_purposes(const struct json *v,
                                             struct registry_draft *to);
/* Appends it as canonical JSON. */
void registry_entry_write_purposes(struct buf *to,
                                   const struct registry_entry *e);

/*
 * Is it an entry at all, whatever else there is?  The id is made of its
 * parts, texts are names, numbers are in their range.  NULL: yes; else what
 * is wrong, a static text.
 */
const char *registry_entry_fault(const struct registry_entry *e);

#endif
