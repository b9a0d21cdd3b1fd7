/* layers: base codec os ledger */
/*
 * Fuzzes ledger/ledger_client: whatever the ledger's end of the socket says
 * before it closes, every entry that waits is told exactly once, in order,
 * and so is every question.
 *
 * The input is what the peer sends after its hello.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/container.h"
#include "ledger/ledger_client.h"
#include "os/loop.h"
#include "os/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ENTRIES = 8, INPUT_MAX = 1 << 15 };

struct run {
    struct loop *loop;
    unsigned told, stats_told, orphans_told;
    uint64_t next_index;
};

struct entry {
    struct ledger_wait wait;
    struct run *run;
    unsigned number;
};

static void check_end(struct run *r)
{
    if (r->told == ENTRIES && r->stats_told == 1 && r->orphans_told == 1)
        loop_stop(r->loop);
}

static void on_done(struct ledger_wait *w, enum err e,
                    const struct ledger_receipt *receipt)
{
    struct entry *it = CONTAINER_OF(w, struct entry, wait);
    struct run *r = it->run;
    assert(it->number == r->told);
    assert((e == ERR_OK) == (receipt != NULL));
    assert(e == ERR_OK || e == ERR_EVIDENCE);
    if (receipt != NULL) {
        assert(receipt->index >= r->next_index);
        r->next_index = receipt->index + 1;
    }
    r->told++;
    check_end(r);
}

static void on_stats(void *user, enum err e, const struct ledger_stats *s)
{
    struct run *r = user;
    assert((e == ERR_OK) == (s != NULL));
    r->stats_told++;
    assert(r->stats_told == 1);
    check_end(r);
}

static void on_orphan(void *user, uint64_t index)
{
    struct run *r = user;
    assert(r->orphans_told == 0);
    r->orphans_told = index == LEDGER_NO_INDEX;
    check_end(r);
}

static void give_all(struct ledger_client *c, struct entry *its, struct run *r)
{
    const struct ledger_append a = {STR("{}"), LEDGER_AWAITED, false,
                                    LEDGER_NO_INDEX};
    for (unsigned i = 0; i < ENTRIES; i++) {
        its[i] = (struct entry){.wait.done = on_done, .run = r, .number = i};
        enum err e = ledger_client_append(c, &a, &its[i].wait);
        assert(e == ERR_OK);
    }
    enum err e = ledger_client_stats(c, on_stats, r);
    assert(e == ERR_OK);
    e = ledger_client_orphans(c, on_orphan, r);
    assert(e == ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct frame_hello own = {FRAME_PROTOCOL_VERSION,
                                           FRAME_ROLE_LEDGER, 0};
    struct entry its[ENTRIES];
    struct run r = {0};
    struct ledger_client *c;
    struct wire w;
    int fds[2];
    if (size > INPUT_MAX)
        return 0;
    enum err e = loop_new(&r.loop);
    assert(e == ERR_OK);
    e = ledger_client_new(r.loop, 1, &c);
    assert(e == ERR_OK);
    int made =
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds);
    assert(made == 0);
    e = ledger_client_connect(c, fds[0]);
    assert(e == ERR_OK);
    e = wire_init(&w, fds[1], own, FRAME_ROLE_WORKER);
    assert(e == ERR_OK);
    (void)buf_add(wire_out(&w), (struct str){(const char *)data, size});
    e = wire_flush(&w);
    assert(e == ERR_OK);
    (void)shutdown(fds[1], SHUT_WR);

    give_all(c, its, &r);
    loop_run(r.loop);
    assert(r.told == ENTRIES && r.stats_told == 1 && r.orphans_told == 1);
    assert(!ledger_client_ready(c) || size > 0);
    ledger_client_free(c);
    loop_free(r.loop);
    wire_release(&w);
    return 0;
}
