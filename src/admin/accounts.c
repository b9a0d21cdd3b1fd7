/* accounts.c - see accounts.h. */
#include "admin/accounts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "admin/hashing.h"
#include "base/container.h"
#include "base/list.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/seal.h"
#include "os/loop.h"
#include "store/table_account.h"

enum {
    STORE_MS = 5000,
    CODE_MAX = 16,
    BOX_LEN = sizeof(struct seal_stamp) + TOTP_SECRET_LEN,
};
static_assert((int)ACCOUNTS_PASSPHRASE_MAX <= (int)HASHING_PASSPHRASE_MAX,
              "what may be given can be hashed");

/* What the table has of one account. */
struct record {
    unsigned char salt[HASHING_SALT_LEN], hash[HASHING_LEN], box[BOX_LEN];
    int64_t step;
};

struct accounts {
    struct loop *loop;
    struct store *store;
    struct hashing *hashing;
    struct seal_key *seal;
    struct list ops;
    struct record nobody; /* stands in for who is unknown */
};

/* One question on its way. */
struct op {
    struct list node;
    struct accounts *of;
    struct store_call *call;
    size_t name_len, passphrase_len, code_len;
    char name[ACCOUNTS_NAME_MAX], passphrase[ACCOUNTS_PASSPHRASE_MAX];
    char code[CODE_MAX];
    bool adds, found, took;
    struct record record;
    void (*done)(void *user, enum err e);
    void *user;
};

/* ---- the sealed secret ---- */

/* The name binds the box to its row. */
static enum err close_box(struct accounts *a, struct str name,
                          const unsigned char *secret,
                          unsigned char to[BOX_LEN])
{
    const struct str plain = {(const char *)secret, TOTP_SECRET_LEN};
    struct seal_stamp stamp;

    enum err e = seal_close(a->seal, name, plain, to + sizeof(stamp), &stamp);
    if (e == ERR_OK)
        memcpy(to, &stamp, sizeof(stamp));
    return e;
}

static enum err open_box(struct accounts *a, struct str name,
                         const unsigned char box[BOX_LEN],
                         unsigned char to[TOTP_SECRET_LEN])
{
    struct seal_stamp stamp;
    const struct str sealed = {(const char *)box + sizeof(stamp),
                               TOTP_SECRET_LEN};

    memcpy(&stamp, box, sizeof(stamp));
    return seal_open(a->seal, name, &stamp, sealed, to);
}

static struct str nobody_name(void)
{
    return STR("nobody");
}

/* ---- from start to end ---- */

static enum err make_seal(struct accounts *a, struct str caller_key)
{
    unsigned char key[SEAL_KEY_LEN], secret[TOTP_SECRET_LEN];

    enum err e =
        kdf_derive(caller_key, STR(""),
                   STR("writ accounts: one-time codes, v1"), key, sizeof(key));
    if (e == ERR_OK)
        e = seal_key_new(key, &a->seal);
    hash_wipe(key, sizeof(key));
    hash_random(&a->nobody, sizeof(a->nobody));
    a->nobody.step = 0;
    hash_random(secret, sizeof(secret));
    if (e == ERR_OK)
        e = close_box(a, nobody_name(), secret, a->nobody.box);
    return e;
}

enum err accounts_new(struct loop *l, struct store *s, struct str caller_key,
                      struct accounts **ret)
{
    struct accounts *a = calloc(1, sizeof(*a));
    if (a == NULL)
        return ERR_NO_MEMORY;
    a->loop = l;
    a->store = s;
    list_init(&a->ops);
    enum err e = hashing_new(l, &a->hashing);
    if (e == ERR_OK)
        e = make_seal(a, caller_key);
    if (e == ERR_OK)
        *ret = a;
    else
        accounts_free(a);
    return e;
}

static void free_op(struct op *op)
{
    store_call_cancel(op->call);
    list_remove(&op->node);
    hash_wipe(op, sizeof(*op));
    free(op);
}

bool accounts_name_ok(struct str name)
{
    if (name.len == 0 || name.len > ACCOUNTS_NAME_MAX || name.ptr[0] < 'a' ||
        name.ptr[0] > 'z')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '-' || c == '_';
        if (!ok)
            return false;
    }
    return true;
}

static void end(struct op *op, enum err e)
{
    void (*done)(void *user, enum err e) = op->done;
    void *user = op->user;

    free_op(op);
    done(user, e);
}

void accounts_free(struct accounts *a)
{
    if (a == NULL)
        return;
    hashing_free(a->hashing);
    LIST_EACH(it, next, &a->ops)
    {
        end(CONTAINER_OF(it, struct op, node), ERR_SHUTDOWN);
    }
    seal_key_free(a->seal);
    free(a);
}

static struct str name_of(const struct op *op)
{
    return (struct str){op->name, op->name_len};
}

/* ---- the last step: the store takes it ---- */

static void on_took(void *user, size_t statement,
                    const struct store_value *columns, size_t n)
{
    struct op *op = user;
    (void)statement;
    (void)columns;
    (void)n;
    op->took = true;
}

static void on_written(void *user, const struct store_result *r)
{
    struct op *op = user;

    op->call = NULL;
    if (r->outcome == STORE_CONFLICT)
        end(op, ERR_CONFLICT);
    else if (r->outcome != STORE_DONE)
        end(op, ERR_STORE);
    else
        end(op, op->adds || op->took ? ERR_OK : ERR_UNAUTHENTICATED);
}

static enum err run(struct op *op, struct store_batch *b,
                    void (*row)(void *user, size_t statement,
                                const struct store_value *columns, size_t n),
                    void (*done)(void *user, const struct store_result *r))
{
    const struct store_ask ask = {.row = row,
                                  .done = done,
                                  .user = op,
                                  .timeout_ms = STORE_MS};
    return store_run(op->of->store, op->of->loop, b, &ask, &op->call);
}

static struct str bytes(const unsigned char *at, size_t n)
{
    return (struct str){(const char *)at, n};
}

static enum err add_row(struct op *op, struct store_batch *b)
{
    const struct record *r = &op->record;
    const struct table_account row = {
        .name = name_of(op),
        .created_us = loop_wall_us(op->of->loop),
        .salt = bytes(r->salt, sizeof(r->salt)),
        .hash = bytes(r->hash, sizeof(r->hash)),
        .totp = bytes(r->box, sizeof(r->box)),
        .totp_step = r->step,
    };
    return table_account_add(b, &row);
}

static void write_row(struct op *op)
{
    struct store_batch *b;

    enum err e = store_batch_new(&b);
    if (e == ERR_OK) {
        e = op->adds ? add_row(op, b)
                     : table_account_take_step(b, name_of(op), op->record.step);
        if (e == ERR_OK)
            e = run(op, b, on_took, on_written);
        else
            store_batch_free(b);
    }
    if (e != ERR_OK)
        end(op, e);
}

/* ---- is it them? ---- */

/* All is computed, whatever was wrong already; *ret_step on success. */
static bool prove(struct op *op, const unsigned char *hash, int64_t *ret_step)
{
    unsigned char secret[TOTP_SECRET_LEN];
    const struct record *r = &op->record;
    struct str name = op->found ? name_of(op) : nobody_name();

    bool passphrase = str_eq_secret(bytes(hash, HASHING_LEN),
                                    bytes(r->hash, sizeof(r->hash)));
    bool opened = open_box(op->of, name, r->box, secret) == ERR_OK;
    int64_t step = totp_check(bytes(secret, sizeof(secret)),
                              (struct str){op->code, op->code_len},
                              loop_wall_us(op->of->loop));
    hash_wipe(secret, sizeof(secret));
    *ret_step = step;
    return (unsigned)op->found & (unsigned)passphrase & (unsigned)opened &
           (unsigned)(step > r->step);
}

static void on_hash(void *user, enum err e, const unsigned char *hash)
{
    struct op *op = user;
    int64_t step;

    if (e != ERR_OK) {
        end(op, e);
        return;
    }
    if (op->adds) {
        memcpy(op->record.hash, hash, HASHING_LEN);
        write_row(op);
        return;
    }
    if (!prove(op, hash, &step)) {
        end(op, ERR_UNAUTHENTICATED);
        return;
    }
    op->record.step = step;
    write_row(op);
}

static enum err begin_hash(struct op *op)
{
    const struct hashing_ask ask = {
        .passphrase = {op->passphrase, op->passphrase_len},
        .salt = bytes(op->record.salt, sizeof(op->record.salt)),
        .done = on_hash,
        .user = op,
    };
    return hashing_begin(op->of->hashing, &ask);
}

/* ---- the first step: what is there? ---- */

static void on_row(void *user, size_t statement,
                   const struct store_value *columns, size_t n)
{
    struct op *op = user;
    struct record *r = &op->record;
    struct table_account row;

    (void)statement;
    if (!table_account_read(columns, n, &row) ||
        row.salt.len != sizeof(r->salt) || row.hash.len != sizeof(r->hash) ||
        row.totp.len != sizeof(r->box))
        return;
    memcpy(r->salt, row.salt.ptr, sizeof(r->salt));
    memcpy(r->hash, row.hash.ptr, sizeof(r->hash));
    memcpy(r->box, row.totp.ptr, sizeof(r->box));
    r->step = row.totp_step;
    op->found = true;
}

static void on_read(void *user, const struct store_result *r)
{
    struct op *op = user;

    op->call = NULL;
    enum err e = r->outcome == STORE_DONE ? begin_hash(op) : ERR_STORE;
    if (e != ERR_OK)
        end(op, e);
}

static enum err read_row(struct op *op)
{
    struct store_batch *b;

    enum err e = store_batch_new(&b);
    if (e != ERR_OK)
        return e;
    e = table_account_get(b, name_of(op));
    if (e != ERR_OK) {
        store_batch_free(b);
        return e;
    }
    return run(op, b, on_row, on_read);
}

/* ---- what is asked for ---- */

static struct op *new_op(struct accounts *a, struct str name,
                         struct str passphrase)
{
    struct op *op = calloc(1, sizeof(*op));
    if (op == NULL)
        return NULL;
    op->of = a;
    op->name_len = str_first(name, sizeof(op->name)).len;
    op->passphrase_len = str_first(passphrase, sizeof(op->passphrase)).len;
    if (op->name_len > 0)
        memcpy(op->name, name.ptr, op->name_len);
    if (op->passphrase_len > 0)
        memcpy(op->passphrase, passphrase.ptr, op->passphrase_len);
    list_push(&a->ops, &op->node);
    return op;
}

enum err accounts_check(struct accounts *a, const struct accounts_login *in)
{
    /* What is no name is looked for like one, and not found. */
    struct str name = accounts_name_ok(in->name) ? in->name : STR("");
    struct op *op = new_op(a, name, in->passphrase);
    if (op == NULL)
        return ERR_NO_MEMORY;
    op->record = a->nobody;
    op->code_len = str_first(in->code, sizeof(op->code)).len;
    if (op->code_len > 0)
        memcpy(op->code, in->code.ptr, op->code_len);
    op->done = in->done;
    op->user = in->user;
    enum err e = read_row(op);
    if (e != ERR_OK)
        free_op(op);
    return e;
}

enum err accounts_add(struct accounts *a, const struct accounts_entry *in)
{
    assert(accounts_name_ok(in->name) &&
           in->passphrase.len <= ACCOUNTS_PASSPHRASE_MAX);
    struct op *op = new_op(a, in->name, in->passphrase);
    if (op == NULL)
        return ERR_NO_MEMORY;
    op->adds = true;
    op->done = in->done;
    op->user = in->user;
    op->record.step = in->step;
    hash_random(op->record.salt, sizeof(op->record.salt));
    enum err e = close_box(a, in->name, in->secret, op->record.box);
    if (e == ERR_OK)
        e = begin_hash(op);
    if (e != ERR_OK)
        free_op(op);
    return e;
}
