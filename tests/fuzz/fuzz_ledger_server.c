/* layers: base codec os ledger */
/*
 * Fuzzes ledger/ledger_server: whatever a client sends, every entry of it that
 * was taken is answered once, in order, with indices that rise without a gap.
 *
 * The input is what the client sends after its hello, in two pieces.
 */
#include <assert.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger/ledger_proto.h"
#include "ledger/ledger_server.h"
#include "os/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ENTRIES_MAX = 20000, INPUT_MAX = 1 << 17 };

/* One log for many inputs; synced never, made anew when it has grown. */
static struct journal *journal;
static char folder[64];

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

static void end_log(void)
{
    journal_abandon(journal);
    journal = NULL;
    if (folder[0] != '\0')
        (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void begin_log(void)
{
    if (journal == NULL)
        (void)atexit(end_log);
    end_log();
    (void)snprintf(folder, sizeof(folder), "%s/fuzz-ledger.XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    char *made = mkdtemp(folder);
    assert(made != NULL);
    const struct journal_options o = {.dir = folder,
                                      .node = STR("fuzz"),
                                      .early = true};
    struct segment_trouble t;
    enum err e = journal_open(&o, &t, &journal);
    assert(e == ERR_OK);
}

/* Reads answers; returns how many entries they are about. */
static uint64_t count_answers(struct wire *w, uint64_t first)
{
    uint64_t n = 0;
    enum err e;
    do {
        struct frame f;
        e = wire_fill(w);
        size_t before = w->in.len;
        while (wire_next(w, &f, NULL, &e)) {
            struct ledger_ack ack;
            if (ledger_proto_get_ack(&f, &ack) == ERR_OK &&
                f.type == LEDGER_ACK) {
                assert(ack.first_index == first + n);
                n += ack.count;
            } else { /* nothing fails here */
                assert(f.type == LEDGER_STATS || f.type == LEDGER_ORPHANS);
            }
        }
        if (before == 0)
            break;
    } while (e == ERR_OK);
    return n;
}

static void turn(struct ledger_server *s, int64_t now_ms)
{
    ledger_server_read(s, 0);
    enum err e = ledger_server_turn(s, now_ms);
    assert(e == ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct frame_hello own = {FRAME_PROTOCOL_VERSION,
                                           FRAME_ROLE_WORKER, 1};
    if (size > INPUT_MAX)
        return 0;
    if (journal == NULL || journal_tree(journal)->size > ENTRIES_MAX)
        begin_log();
    uint64_t before = journal_tree(journal)->size;
    struct ledger_server *s = ledger_server_new(journal);
    int fds[2];
    struct wire w;
    assert(s != NULL);
    int r = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds);
    assert(r == 0);
    int room = 4 * INPUT_MAX;
    (void)setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    ledger_server_add(s, fds[0]);
    enum err e = wire_init(&w, fds[1], own, FRAME_ROLE_LEDGER);
    assert(e == ERR_OK);

    const struct str bytes = {(const char *)data, size};
    (void)buf_add(wire_out(&w), str_first(bytes, size / 3));
    e = wire_flush(&w);
    turn(s, 1);
    if (ledger_server_poll(s, 0).fd >= 0) {
        (void)buf_add(wire_out(&w), str_skip(bytes, size / 3));
        e = wire_flush(&w);
        turn(s, 2);
        turn(s, 2 + LEDGER_LAZY_MS); /* nothing waits longer */
    }
    bool open = ledger_server_poll(s, 0).fd >= 0;
    assert(journal_pending(journal) == 0);
    uint64_t answered = count_answers(&w, before);
    uint64_t taken = journal_tree(journal)->size - before;
    assert(open ? answered == taken : answered <= taken);
    wire_release(&w);
    ledger_server_free(s);
    intents_clear(journal_open_intents(journal));
    return 0;
}
