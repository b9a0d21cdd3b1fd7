/* layers: base crypto keeper */
/*
 * Makes session keys as the key process does, and says ACK when one may be
 * used; or looks at what a crash has left of them.
 *
 * Usage: fault_keeper_keys add DIR COUNT [BATCH [early]]
 *        fault_keeper_keys verify DIR ACKS
 *
 * Verifying fails unless node.key is there whenever something was answered,
 * at least ACKS session keys are, and each of them opens under node.key.
 * `early` says ACK before a key is durable: what the crash tests have to find
 * out.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "crypto/hash.h"
#include "keeper/keeper_file.h"
#include "keeper/keeper_request.h"

static int fail(const char *why)
{
    (void)fprintf(stderr, "%s\n", why);
    return 1;
}

struct desk {
    struct keeper_keys *keys;
    struct keeper_state state;
    struct keeper_records_found found;
};

static const char *open_desk(const char *path, struct desk *d)
{
    int dir;
    const char *why = "the folder cannot be opened";
    if (keeper_file_open_dir(path, &dir) != ERR_OK ||
        keeper_keys_load(dir, &d->keys, &why) != ERR_OK)
        return why;
    d->state.keys = d->keys;
    if (seal_key_new(d->keys->payload, &d->state.payload) != ERR_OK ||
        keeper_records_open(dir, hash_random_seed(), &d->state.records) !=
            ERR_OK ||
        keeper_records_load(d->state.records, SIZE_MAX) != ERR_OK)
        return "payload.keys cannot be opened";
    (void)close(dir);
    d->found = keeper_records_found(d->state.records);
    return NULL;
}

static void close_desk(struct desk *d)
{
    keeper_records_close(d->state.records);
    seal_key_free(d->state.payload);
    keeper_keys_free(d->keys);
}

static bool ask(struct keeper_state *s)
{
    char id[KEEPER_SESSION_ID_LEN];
    hash_random(id, sizeof(id));
    const struct frame f = {KEEPER_SESSION_KEY_NEW, 0, {id, sizeof(id)}};
    struct keeper_answer a;
    return keeper_request_handle(s, FRAME_ROLE_WORKER, &f, &a) == ERR_OK &&
           a.status == KEEPER_OK;
}

static bool acknowledge(uint64_t n)
{
    static const char ack[] = "ACK 1\n";
    bool told = true;
    for (uint64_t i = 0; i < n; i++)
        told = told && write(STDOUT_FILENO, ack, sizeof(ack) - 1) > 0;
    return told;
}

static int add(struct desk *d, uint64_t count, uint64_t batch, bool early)
{
    for (uint64_t done = 0; done < count; done += batch) {
        for (uint64_t i = 0; i < batch; i++) {
            if (!ask(&d->state))
                return fail("refused");
        }
        if (early && !acknowledge(batch))
            return fail("nobody listens");
        if (keeper_records_commit(d->state.records) != ERR_OK)
            return fail("not durable");
        if (!early && !acknowledge(batch))
            return fail("nobody listens");
    }
    return 0;
}

static int verify(struct desk *d, uint64_t acks)
{
    struct keeper_record r;
    unsigned char key[KEEPER_KEY_LEN];
    if (d->found.records < acks)
        return fail("session keys that were given out are gone");
    for (size_t i = 0; i < d->found.records; i++) {
        const struct str id = {(const char *)r.session_id,
                               sizeof(r.session_id)};
        const struct str wrapped = {(const char *)r.wrapped, sizeof(r.wrapped)};
        if (keeper_records_read(d->state.records, i, &r) != ERR_OK ||
            seal_open(d->state.payload, id, &r.stamp, wrapped, key) != ERR_OK)
            return fail("a session key does not open");
    }
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t n = 0, batch = 1;
    if (argc < 4 || !num_u64(str_from(argv[3]), UINT32_MAX, &n) ||
        (argc > 4 && !num_u64(str_from(argv[4]), KEEPER_BATCH_MAX, &batch)) ||
        batch == 0)
        return fail("usage: fault_keeper_keys add|verify DIR N [BATCH]");
    struct desk d = {0};
    const char *why = open_desk(argv[2], &d);
    if (why != NULL)
        return fail(why);
    int rc = strcmp(argv[1], "add") == 0 ? add(&d, n, batch, argc > 5)
                                         : verify(&d, n);
    close_desk(&d);
    return rc;
}
