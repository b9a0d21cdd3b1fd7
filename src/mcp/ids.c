/* ids.c - see ids.h. */
#include "mcp/ids.h"

#include <assert.h>
#include <stdlib.h>

#include "base/num.h"

/* The bytes that the maps know an entry by: number; owner, type, id text. */
enum { NUMBER_LEN = sizeof(uint64_t), HEAD_LEN = sizeof(uint64_t) + 1 };

struct slot {
    struct ids_entry entry; /* first: a slot is known by its entry */
    size_t key_len;
    char bytes[]; /* the key of by_id, then the token's text */
};

static_assert(offsetof(struct slot, entry) == 0, "entries are cast to slots");

static struct slot *slot_of(struct ids_entry *e)
{
    return (struct slot *)(void *)e;
}

static size_t write_key(char *to, uint64_t owner, struct message_id id)
{
    memcpy(to, &owner, sizeof(owner));
    to[sizeof(owner)] = (char)id.type;
    if (id.text.len > 0)
        memcpy(to + HEAD_LEN, id.text.ptr, id.text.len);
    return HEAD_LEN + id.text.len;
}

void ids_init(struct ids *t, struct siphash_key seed, size_t max)
{
    map_init(&t->by_number, seed, max);
    map_init(&t->by_id, seed, max);
    t->next = 1;
}

void ids_release(struct ids *t)
{
    size_t at = 0;
    struct str key;
    void *value;
    while (map_next(&t->by_number, &at, &key, &value))
        free(value);
    map_release(&t->by_number);
    map_release(&t->by_id);
}

static struct slot *slot_new(const struct ids_entry *like, uint64_t number)
{
    size_t key = HEAD_LEN + like->id.text.len;
    struct slot *s = calloc(1, sizeof(*s) + key + like->token.text.len);
    if (s == NULL)
        return NULL;
    s->entry = *like;
    s->entry.number = number;
    s->key_len = write_key(s->bytes, like->owner, like->id);
    s->entry.id.text.ptr = s->bytes + HEAD_LEN;
    if (like->token.text.len > 0)
        memcpy(s->bytes + key, like->token.text.ptr, like->token.text.len);
    s->entry.token.text.ptr = s->bytes + key;
    return s;
}

static struct str number_key(const struct slot *s)
{
    return (struct str){(const char *)&s->entry.number, NUMBER_LEN};
}

static struct str id_key(const struct slot *s)
{
    return (struct str){s->bytes, s->key_len};
}

enum err ids_add(struct ids *t, const struct ids_entry *like,
                 uint64_t *ret_number)
{
    assert(like->id.text.len <= MESSAGE_ID_MAX &&
           like->token.text.len <= MESSAGE_ID_MAX);
    bool is_ours = like->id.type == MESSAGE_ID_NONE;
    if (!is_ours && ids_find_of(t, like->owner, like->id) != NULL)
        return ERR_CONFLICT;
    if (map_count(&t->by_number) >= t->by_number.max ||
        t->next > (uint64_t)MESSAGE_INTEGER_MAX)
        return ERR_OVERLOAD;
    struct slot *s = slot_new(like, t->next);
    if (s == NULL)
        return ERR_NO_MEMORY;
    enum err e = map_set(&t->by_number, number_key(s), s);
    if (e == ERR_OK && !is_ours) {
        e = map_set(&t->by_id, id_key(s), s);
        if (e != ERR_OK)
            (void)map_take(&t->by_number, number_key(s));
    }
    if (e != ERR_OK) {
        free(s);
        return e == ERR_LIMIT ? ERR_OVERLOAD : e;
    }
    *ret_number = t->next++;
    return ERR_OK;
}

/* The number that `sent` says in the one form that we write. */
static bool number_of(struct message_id sent, uint64_t *ret)
{
    return sent.type == MESSAGE_ID_INTEGER && sent.text.len > 0 &&
           sent.text.ptr[0] != '0' &&
           num_u64(sent.text, (uint64_t)MESSAGE_INTEGER_MAX, ret);
}

const struct ids_entry *ids_find(const struct ids *t, struct message_id sent)
{
    uint64_t number;
    if (!number_of(sent, &number))
        return NULL;
    return map_get(&t->by_number,
                   (struct str){(const char *)&number, NUMBER_LEN});
}

const struct ids_entry *ids_find_of(const struct ids *t, uint64_t owner,
                                    struct message_id id)
{
    char key[HEAD_LEN + MESSAGE_ID_MAX];
    if (id.type == MESSAGE_ID_NONE || id.text.len > MESSAGE_ID_MAX)
        return NULL;
    size_t n = write_key(key, owner, id);
    return map_get(&t->by_id, (struct str){key, n});
}

static struct ids_entry *take(struct ids *t, struct slot *s)
{
    (void)map_take(&t->by_number, number_key(s));
    if (s->entry.id.type != MESSAGE_ID_NONE)
        (void)map_take(&t->by_id, id_key(s));
    return &s->entry;
}

struct ids_entry *ids_take(struct ids *t, struct message_id sent)
{
    uint64_t number;
    if (!number_of(sent, &number))
        return NULL;
    struct ids_entry *e =
        map_get(&t->by_number, (struct str){(const char *)&number, NUMBER_LEN});
    return e == NULL ? NULL : take(t, slot_of(e));
}

struct ids_entry *ids_take_any(struct ids *t, uint64_t owner)
{
    size_t at = 0;
    struct str key;
    void *value;
    while (map_next(&t->by_number, &at, &key, &value)) {
        struct slot *s = value;
        if (s->entry.owner == owner)
            return take(t, s);
    }
    return NULL;
}

void ids_entry_free(struct ids_entry *e)
{
    free(e);
}

size_t ids_count(const struct ids *t)
{
    return map_count(&t->by_number);
}
