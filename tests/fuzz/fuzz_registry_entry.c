/* layers: registry */
/*
 * fuzz_registry_entry.c - an entry of the registry, as evidence that is
 * replayed may hold it.
 *
 * What is read is an entry by the checks that hold for any other, and what
 * is written of it reads as the same and is canonical.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "codec/jcs.h"
#include "codec/json.h"
#include "registry/registry_entry.h"
#include "registry/registry_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* A copy, as a put makes one, says the same. */
static void check_copy(const struct registry_entry *e, struct str text)
{
    static const struct siphash_key seed = {3, 4};
    struct registry_record *r = registry_record_new(seed, e);
    check(r != NULL);
    struct buf again;
    buf_init(&again, 1 * MIB);
    registry_entry_write(&again, &r->entry, true);
    check(buf_ok(&again) && str_eq(buf_str(&again), text));
    check(registry_record_same(&r->entry, &r->entry));
    buf_release(&again);
    registry_record_unref(r);
}

static void check_again(struct arena *a, struct str text)
{
    const struct json *v = NULL;
    struct registry_draft draft;
    struct buf canonical;
    check(json_read(a, text, &v, NULL) == ERR_OK);
    check(registry_entry_read(v, &draft) == ERR_OK);
    buf_init(&canonical, 1 * MIB);
    check(jcs_canonical(&canonical, a, v) == ERR_OK);
    check(str_eq(buf_str(&canonical), text));
    buf_release(&canonical);
    check_copy(&draft.entry, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    const struct json *v = NULL;
    struct registry_draft draft;
    arena_init(&a, 8 * MIB);
    if (json_read(&a, (struct str){(const char *)data, size}, &v, NULL) ==
            ERR_OK &&
        registry_entry_read(v, &draft) == ERR_OK) {
        check(registry_entry_fault(&draft.entry) == NULL);
        struct buf text;
        buf_init(&text, 1 * MIB);
        registry_entry_write(&text, &draft.entry, true);
        check(buf_ok(&text));
        check_again(&a, buf_str(&text));
        buf_release(&text);
    }
    arena_release(&a);
    return 0;
}
