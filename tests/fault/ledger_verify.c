/* layers: base crypto ledger */
/*
 * Is what a crash left of a log (ledger_append.c) sound?
 *
 * Usage: fault_ledger_verify DIR MIN [SEGMENT_BYTES]
 *
 * Sound: it verifies as it is; it opens, which recovers it; at least MIN
 * entries are there, each with its own text; another can be appended; and
 * after that it verifies without remains.  DIR is changed.  Exit 0 or 1.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/num.h"
#include "ledger/journal.h"
#include "ledger/ledger_reader.h"
#include "ledger/ledger_verify.h"

static void fail(const char *what, enum err e, const struct segment_trouble *t)
{
    printf("%s: %s %s at %" PRIu64 ": %s\n", what, err_name(e), t->file,
           t->offset, t->what == NULL ? "" : t->what);
    exit(1);
}

static uint64_t verify(const char *dir, const char *when, bool whole)
{
    const struct ledger_verify_options o = {.dir = dir, .threads = 1};
    struct ledger_verify_report r;
    enum err e = ledger_verify(&o, &r);
    if (e == ERR_NOT_FOUND && !whole)
        return 0; /* crashed before there was a log */
    if (e != ERR_OK)
        fail(when, e, &r.trouble);
    if (whole && r.torn_bytes > 0)
        fail("remains of a write are still there", ERR_CORRUPT, &r.trouble);
    return r.entries;
}

static void check_texts(const char *dir, uint64_t count)
{
    struct ledger_reader *r;
    struct ledger_entry it;
    enum err e = ledger_reader_open(dir, &r);
    if (e != ERR_OK)
        fail("reader", e, &(struct segment_trouble){0});
    uint64_t i = 0;
    while ((e = ledger_reader_next(r, &it)) == ERR_OK) {
        char start[64];
        int len = snprintf(start, sizeof(start), "{\"i\":%" PRIu64 ",", i);
        if (it.index != i ||
            !str_starts(it.text, (struct str){start, (size_t)len}))
            fail("an entry has another's text", ERR_CORRUPT,
                 &(struct segment_trouble){.index = i});
        i++;
    }
    if (e != ERR_NOT_FOUND)
        fail("reading", e, ledger_reader_trouble(r));
    ledger_reader_close(r);
    if (i != count)
        fail("the reader sees another number of entries", ERR_CORRUPT,
             &(struct segment_trouble){.index = i});
}

/* Recovers, appends one entry, closes; returns the entries there were. */
static uint64_t go_on(const char *dir, size_t segment_bytes)
{
    const struct journal_options o = {.dir = dir,
                                      .node = STR("fault.example/log"),
                                      .segment_bytes = segment_bytes};
    struct segment_trouble t;
    struct journal *j;
    enum err e = journal_open(&o, &t, &j);
    if (e != ERR_OK)
        fail("opening", e, &t);
    uint64_t size = journal_tree(j)->size;
    char text[64];
    int len =
        snprintf(text, sizeof(text), "{\"i\":%" PRIu64 ",\"last\":1}", size);
    const struct journal_entry entry = {.text = {text, (size_t)len},
                                        .closes = JOURNAL_NONE};
    uint64_t index;
    e = journal_add(j, &entry, &index);
    if (e == ERR_OK)
        e = journal_commit(j, 1);
    if (e == ERR_OK)
        e = journal_close(j);
    if (e != ERR_OK)
        fail("going on", e, &t);
    return size;
}

int main(int argc, char **argv)
{
    uint64_t min;
    uint64_t segment_bytes = 0;
    if (argc < 3 || argc > 4 || !num_u64(str_from(argv[2]), UINT32_MAX, &min) ||
        (argc == 4 &&
         !num_u64(str_from(argv[3]), UINT32_MAX, &segment_bytes))) {
        fprintf(stderr, "usage: %s DIR MIN [SEGMENT_BYTES]\n", argv[0]);
        return 2;
    }
    uint64_t before = verify(argv[1], "as it was left", false);
    uint64_t size = go_on(argv[1], segment_bytes);
    if (before != size)
        printf("verified %" PRIu64 " entries, recovered %" PRIu64 "\n", before,
               size);
    if (size < min || before != size) {
        printf("%" PRIu64 " entries, %" PRIu64 " were acknowledged\n", size,
               min);
        return 1;
    }
    if (verify(argv[1], "after recovery", true) != size + 1)
        return 1;
    check_texts(argv[1], size + 1);
    printf("ok %" PRIu64 "\n", size);
    return 0;
}
