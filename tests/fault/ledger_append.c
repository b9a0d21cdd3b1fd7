/* layers: base crypto ledger */
/*
 * Appends to a log and says ACK when an entry is durable.
 *
 * Usage: fault_ledger_append DIR COUNT [BATCH [SEGMENT_BYTES [early]]]
 *
 * Entry i is a JSON text that says so; every third opens an intent, and the
 * one after it closes that.  Exits 1, saying why, as soon as anything fails.
 *
 * `early` says ACK before the entry is durable: what the crash tests have to
 * find out.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/num.h"
#include "ledger/journal.h"
#include "os/clock.h"

enum { TEXT_MAX = 2048, ACKS_MAX = 4096, OWNER = 1 };

static uint64_t number(const char *text)
{
    uint64_t n;
    if (!num_u64(str_from(text), UINT32_MAX, &n)) {
        fprintf(stderr, "not a number: %s\n", text);
        exit(2);
    }
    return n;
}

static bool add(struct journal *j, uint64_t i)
{
    char text[TEXT_MAX];
    int len =
        snprintf(text, sizeof(text), "{\"i\":%" PRIu64 ",\"pad\":\"%*s\"}", i,
                 (int)(i * 37 % 900), "");
    const struct journal_entry e = {
        .text = {text, (size_t)len},
        .opens = i % 3 == 0,
        .owner = OWNER,
        .closes = i % 3 == 1 ? i - 1 : JOURNAL_NONE,
    };
    uint64_t index;
    return journal_add(j, &e, &index) == ERR_OK && index == i;
}

static bool acknowledge(uint64_t from, uint64_t to)
{
    char text[ACKS_MAX];
    int len = 0;
    for (uint64_t i = from; i < to; i++)
        len += snprintf(text + len, sizeof(text) - (size_t)len,
                        "ACK %" PRIu64 "\n", i);
    return write(STDOUT_FILENO, text, (size_t)len) == len;
}

static int append(struct journal *j, uint64_t count, uint64_t batch)
{
    while (count > 0) {
        uint64_t from = journal_tree(j)->size;
        uint64_t n = batch < count ? batch : count;
        for (uint64_t i = from; i < from + n; i++) {
            if (!add(j, i)) {
                fprintf(stderr, "entry %" PRIu64 " is refused\n", i);
                return 1;
            }
        }
        if (journal_commit(j, clock_wall_us()) != ERR_OK) {
            fprintf(stderr, "the commit failed\n");
            return 1;
        }
        if (!acknowledge(from, from + n))
            return 1;
        journal_prepare(j);
        count -= n;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 6) {
        fprintf(stderr, "usage: %s DIR COUNT [BATCH [SEGMENT_BYTES [early]]]\n",
                argv[0]);
        return 2;
    }
    uint64_t batch = argc > 3 ? number(argv[3]) : 1;
    if (batch == 0 || batch > 100)
        return 2;
    const struct journal_options o = {
        .dir = argv[1],
        .node = STR("fault.example/log"),
        .segment_bytes = argc > 4 ? number(argv[4]) : 0,
        .early = argc > 5,
    };
    struct segment_trouble trouble;
    struct journal *j;
    enum err e = journal_open(&o, &trouble, &j);
    if (e != ERR_OK) {
        fprintf(stderr, "%s: %s at %" PRIu64 ": %s\n", err_name(e),
                trouble.file, trouble.offset, trouble.what);
        return 1;
    }
    int failed = append(j, number(argv[2]), batch);
    e = journal_close(j);
    return failed != 0 || e != ERR_OK;
}
