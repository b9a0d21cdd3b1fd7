/*
 * json.c - see json.h.
 *
 * yyjson parses; it is iterative, so depth costs it no stack, and its memory
 * comes from the arena and ends at our limit on values.  What it lets pass
 * and we refuse is found in one walk over its values afterwards.
 */
#include "codec/json.h"

#include "base/attr.h"
#include "base/limits.h"
#include "base/num.h"
#include "base/siphash.h"
#include "codec/json_value.h"

enum {
    NAMES_PAIRWISE = 16, /* up to here comparing all pairs is fastest */
    PROBES_MAX = 128     /* half-full tables stay far below it */
};

/* Values and names; yyjson grows its array by half. */
#define VALUE_BYTES_MAX (JSON_ELEMENTS_MAX * 2 * sizeof(yyjson_val) / 2 * 3)

/* The arena as yyjson's allocator; the newest block is its array of values. */
struct memory {
    struct arena *arena;
    void *block;
    size_t block_size;
    bool is_large; /* the arena's cap is the only one */
};

static void *memory_malloc(void *ctx, size_t size)
{
    struct memory *m = ctx;
    m->block = arena_alloc_raw(m->arena, size);
    m->block_size = size;
    return m->block;
}

static void *memory_realloc(void *ctx, void *p, size_t old_size, size_t size)
{
    struct memory *m = ctx;
    if (size > VALUE_BYTES_MAX && !m->is_large)
        return NULL;
    void *bigger = arena_resize(m->arena, p, old_size, size);
    if (bigger == NULL)
        return NULL;
    m->block = bigger;
    m->block_size = size;
    return bigger;
}

static void memory_free(void *ctx, void *p)
{
    (void)ctx;
    (void)p;
}

/* The walk over a document that yyjson has read. */
struct check {
    struct arena *arena;
    const char *text; /* where string offsets count from */
    bool takes_nul;
    bool is_large;
    struct json_error error;
};

/* `at` is the string or number where it is, or NULL. */
static enum err refuse(struct check *c, enum err e, const yyjson_val *at,
                       const char *what)
{
    c->error.what = what;
    if (at != NULL && c->text != NULL)
        c->error.offset = (size_t)(at->uni.str - c->text);
    return e;
}

static bool same_name(const yyjson_val *a, const yyjson_val *b)
{
    return str_eq(json_value_text(a), json_value_text(b));
}

static const char twice[] = "a member name stands twice";

static enum err check_few_names(struct check *c, const yyjson_val *object,
                                size_t n)
{
    const yyjson_val *names[NAMES_PAIRWISE] UNINITIALIZED;
    const yyjson_val *name = object + 1;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            if (same_name(names[j], name))
                return refuse(c, ERR_MALFORMED, name, twice);
        }
        names[i] = name;
        name = json_value_next(name + 1);
    }
    return ERR_OK;
}

/* Puts `name` into the half-full table, unless its like is there. */
static enum err add_name(struct check *c, const yyjson_val **slots, size_t mask,
                         const yyjson_val *name)
{
    /* Addresses are not known outside, so names cannot be chosen to meet in
     * one slot; if they ever did, the bound on probes is the answer. */
    struct siphash_key seed = {(uintptr_t)slots, (uintptr_t)c};
    size_t at = (size_t)siphash(seed, json_value_text(name));
    for (unsigned probes = 0; probes < PROBES_MAX; probes++, at++) {
        const yyjson_val **slot = &slots[at & mask];
        if (*slot == NULL) {
            *slot = name;
            return ERR_OK;
        }
        if (same_name(*slot, name))
            return refuse(c, ERR_MALFORMED, name, twice);
    }
    return refuse(c, ERR_LIMIT, name, "too many member names collide");
}

static enum err check_many_names(struct check *c, const yyjson_val *object,
                                 size_t n)
{
    size_t room = (size_t)NAMES_PAIRWISE * 2;
    while (room < n * 2)
        room *= 2;
    const yyjson_val **slots = ARENA_NEW(c->arena, const yyjson_val *, room);
    if (slots == NULL)
        return refuse(c, ERR_LIMIT, NULL, "the document needs too much memory");

    enum err e = ERR_OK;
    const yyjson_val *name = object + 1;
    for (size_t i = 0; i < n && e == ERR_OK; i++) {
        e = add_name(c, slots, room - 1, name);
        name = json_value_next(name + 1);
    }
    arena_shrink(c->arena, (void *)slots, room * sizeof(*slots), 0);
    return e;
}

static enum err check_object(struct check *c, const yyjson_val *v)
{
    size_t n = v->tag >> YYJSON_TAG_BIT;
    if (n > (c->is_large ? JSON_LARGE_MEMBERS_MAX : JSON_MEMBERS_MAX))
        return refuse(c, ERR_LIMIT, v + 1, "an object has too many members");
    return n <= NAMES_PAIRWISE ? check_few_names(c, v, n)
                               : check_many_names(c, v, n);
}

static enum err check_number(struct check *c, const yyjson_val *v)
{
    return json_value_text(v).len <= JSON_NUMBER_MAX
               ? ERR_OK
               : refuse(c, ERR_LIMIT, v, "a number is too long");
}

static enum err check_string(struct check *c, const yyjson_val *v)
{
    /* A NUL can only come from an escape. */
    struct str s = json_value_text(v);
    if (!c->takes_nul && !json_value_is_plain(v) && str_find(s, '\0') < s.len)
        return refuse(c, ERR_MALFORMED, v, "a string contains NUL");
    return ERR_OK;
}

/* `ends` has room for those of `most` open containers. */
static enum err check_values(struct check *c, const yyjson_val *root,
                             size_t count, const yyjson_val **ends, size_t most)
{
    size_t depth = 0;
    size_t names = 0;
    enum err e = ERR_OK;

    for (const yyjson_val *v = root; v < root + count && e == ERR_OK; v++) {
        while (depth > 0 && v >= ends[depth - 1])
            depth--;
        uint8_t type = (uint8_t)(v->tag & YYJSON_TYPE_MASK);
        if (type == YYJSON_TYPE_STR)
            e = check_string(c, v);
        else if (type == YYJSON_TYPE_RAW)
            e = check_number(c, v);
        if (type != YYJSON_TYPE_ARR && type != YYJSON_TYPE_OBJ)
            continue;
        if (depth == most)
            return refuse(c, ERR_LIMIT, NULL, "nesting is too deep");
        ends[depth++] = json_value_next(v);
        if (type == YYJSON_TYPE_OBJ) {
            names += v->tag >> YYJSON_TAG_BIT;
            e = check_object(c, v);
        }
    }
    if (e == ERR_OK && !c->is_large && count - names > JSON_ELEMENTS_MAX)
        e = refuse(c, ERR_LIMIT, NULL, "there are too many values");
    return e;
}

static enum err read_failed(const yyjson_read_err *why,
                            struct json_error *ret_error)
{
    bool memory = why->code == YYJSON_READ_ERROR_MEMORY_ALLOCATION;
    if (ret_error != NULL) {
        ret_error->offset = why->pos;
        ret_error->what =
            memory ? "the document needs too much memory" : why->msg;
    }
    return memory ? ERR_LIMIT : ERR_MALFORMED;
}

static enum err check_small(struct check *c, const yyjson_val *root,
                            size_t count)
{
    const yyjson_val *ends[JSON_DEPTH_MAX] UNINITIALIZED;
    return check_values(c, root, count, ends, ARRAY_LEN(ends));
}

static enum err check_large(struct check *c, const yyjson_val *root,
                            size_t count)
{
    const yyjson_val *ends[JSON_LARGE_DEPTH_MAX] UNINITIALIZED;
    return check_values(c, root, count, ends, ARRAY_LEN(ends));
}

/* Of `c`, what is allowed is set. */
static enum err read_document(struct check *c, struct str text,
                              const struct json **ret,
                              struct json_error *ret_error)
{
    struct arena *a = c->arena;
    struct memory memory = {.arena = a, .is_large = c->is_large};
    yyjson_alc alc = {memory_malloc, memory_realloc, memory_free, &memory};
    yyjson_read_err why = {0};
    union {
        const char *in;
        char *out;
    } bytes = {text.ptr}; /* not written to without YYJSON_READ_INSITU */
    yyjson_doc *doc = yyjson_read_opts(bytes.out, text.len,
                                       YYJSON_READ_NUMBER_AS_RAW, &alc, &why);
    if (doc == NULL)
        return read_failed(&why, ret_error);

    /* The array was sized by a guess; what it did not need goes back. */
    const yyjson_val *root = yyjson_doc_get_root(doc);
    size_t count = yyjson_doc_get_val_count(doc);
    size_t used = (size_t)((const char *)(root + count) - (const char *)doc);
    if (memory.block == doc && used <= memory.block_size)
        arena_shrink(a, doc, memory.block_size, used);

    c->text = doc->str_pool;
    enum err e =
        c->is_large ? check_large(c, root, count) : check_small(c, root, count);
    if (e != ERR_OK) {
        if (ret_error != NULL)
            *ret_error = c->error;
        return e;
    }
    *ret = json_of_value(root);
    return ERR_OK;
}

enum err json_read(struct arena *a, struct str text, const struct json **ret,
                   struct json_error *ret_error)
{
    struct check c = {.arena = a};
    return read_document(&c, text, ret, ret_error);
}

enum err json_read_nul(struct arena *a, struct str text,
                       const struct json **ret, struct json_error *ret_error)
{
    struct check c = {.arena = a, .takes_nul = true};
    return read_document(&c, text, ret, ret_error);
}

enum err json_read_large(struct arena *a, struct str text,
                         const struct json **ret, struct json_error *ret_error)
{
    struct check c = {.arena = a, .takes_nul = true, .is_large = true};
    return read_document(&c, text, ret, ret_error);
}

enum json_type json_type(const struct json *v)
{
    switch (yyjson_get_type(json_value(v))) {
    case YYJSON_TYPE_NULL:
        return JSON_NULL;
    case YYJSON_TYPE_BOOL:
        return JSON_BOOL;
    case YYJSON_TYPE_RAW:
        return JSON_NUMBER;
    case YYJSON_TYPE_STR:
        return JSON_STRING;
    case YYJSON_TYPE_ARR:
        return JSON_ARRAY;
    case YYJSON_TYPE_OBJ:
        return JSON_OBJECT;
    default:
        return JSON_NONE;
    }
}

const struct json *json_get(const struct json *object, struct str name)
{
    return json_of_value(
        yyjson_obj_getn(json_value(object), name.ptr, name.len));
}

size_t json_count(const struct json *v)
{
    return yyjson_is_ctn(json_value(v)) ? yyjson_get_len(json_value(v)) : 0;
}

const struct json *json_at(const struct json *array, size_t index)
{
    return json_of_value(yyjson_arr_get(json_value(array), index));
}

/* `left` counts what is left; its lowest bit says that there are names. */
struct json_iter json_each(const struct json *object_or_array)
{
    size_t n = json_count(object_or_array);
    if (n == 0)
        return (struct json_iter){NULL, 0};
    const yyjson_val *v = json_value(object_or_array);
    return (struct json_iter){
        .at = json_of_value(v + 1),
        .left = n << 1 | (json_type(object_or_array) == JSON_OBJECT),
    };
}

bool json_next(struct json_iter *it, struct str *ret_name,
               const struct json **ret_value)
{
    if (it->left >> 1 == 0)
        return false;
    const yyjson_val *v = json_value(it->at);
    struct str name = {NULL, 0};
    if ((it->left & 1) != 0)
        name = json_value_text(v++);
    if (ret_name != NULL)
        *ret_name = name;
    if (ret_value != NULL)
        *ret_value = json_of_value(v);
    it->left -= 2;
    it->at = it->left >> 1 == 0 ? NULL : json_of_value(json_value_next(v));
    return true;
}

bool json_str(const struct json *v, struct str *ret)
{
    if (json_type(v) != JSON_STRING)
        return false;
    *ret = json_value_text(json_value(v));
    return true;
}

bool json_bool(const struct json *v, bool *ret)
{
    if (json_type(v) != JSON_BOOL)
        return false;
    *ret = yyjson_get_bool(json_value(v));
    return true;
}

bool json_number(const struct json *v, struct str *ret)
{
    if (json_type(v) != JSON_NUMBER)
        return false;
    *ret = json_value_text(json_value(v));
    return true;
}

bool json_i64(const struct json *v, int64_t *ret)
{
    struct str text;
    return json_number(v, &text) && num_i64(text, ret);
}

bool json_f64(const struct json *v, double *ret)
{
    struct str text;
    if (!json_number(v, &text))
        return false;
    /* Behind the text stands a NUL or what ended it in the document, so this
     * ends there too.  It fails where a double would be infinite. */
    yyjson_val number = {0};
    const char *end = yyjson_read_number(text.ptr, &number, 0, NULL, NULL);
    if (end != text.ptr + text.len)
        return false;
    *ret = yyjson_get_num(&number);
    return true;
}
