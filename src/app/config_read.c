/* config_read.c - see config_read.h. */
#include "app/config_read.h"

#include <assert.h>
#include <stdarg.h>

#include "app/config_index.h"
#include "app/config_keys.h"
#include "app/config_table.h"
#include "app/config_text.h"
#include "app/config_value.h"
#include "codec/yaml.h"

enum { PATH_LEN_MAX = 4096, WHY_MAX = 4096, TEXT_MAX = 1024 };

/* One file while it is read. */
struct reader {
    struct config_report *report;
    struct str folder;
    struct config_index index;
    struct buf path; /* of the value in hand */
    struct buf why;  /* what a value's reader has to say */
};

/* A row's value goes to where it stands in the struct at `base`. */
static void *target_of(const struct config_row *row, void *base)
{
    return (char *)base + row->at;
}

/* A list's or map's array and its length; NULL when the arena was full. */
static void set_many(const struct config_row *row, void *base, const void *at,
                     size_t count)
{
    if (at == NULL)
        count = 0;
    memcpy(target_of(row, base), (const void *)&at, sizeof(at));
    memcpy((char *)base + row->count_at, &count, sizeof(count));
}

/* ---- paths and errors ---- */

static size_t enter_key(struct reader *r, struct str key)
{
    size_t before = r->path.len;
    if (before > 0)
        buf_add_char(&r->path, '.');
    buf_add(&r->path, key);
    return before;
}

static size_t enter_index(struct reader *r, size_t i)
{
    size_t before = r->path.len;
    buf_addf(&r->path, "[%zu]", i);
    return before;
}

static void leave(struct reader *r, size_t before)
{
    r->path.len = before;
}

static void fail(struct reader *r, const struct yaml_node *at, const char *fmt,
                 ...) PRINTF_LIKE(3, 4);

static void fail(struct reader *r, const struct yaml_node *at, const char *fmt,
                 ...)
{
    char text[TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    struct config_place where = {yaml_line(at), yaml_column(at),
                                 buf_str(&r->path)};
    config_report_add(r->report, where, "%s", text);
}

/* What a value's reader left in r->why. */
static void fail_why(struct reader *r, const struct yaml_node *at)
{
    fail(r, at, "%.*s", STR_FMT(buf_str(&r->why)));
}

/* The same for one that the arena may have been too small for. */
static void fail_value(struct reader *r, const struct yaml_node *at,
                       const struct config_value *v)
{
    if (v->full)
        r->report->full = true;
    else
        fail_why(r, at);
}

static void *allocate(struct reader *r, size_t count, size_t size)
{
    void *p = arena_alloc_n(r->report->a, count, size);
    if (p == NULL)
        r->report->full = true;
    return p;
}

static const char *found(const struct yaml_node *node)
{
    switch (yaml_type(node)) {
    case YAML_MAP:
        return "a mapping";
    case YAML_LIST:
        return "a list";
    case YAML_NULL:
        return "nothing";
    case YAML_SCALAR:
        return "a single value";
    }
    return "nothing";
}

/* ---- scalars ---- */

/* The scalar `node` with its variables filled in; false: it was reported. */
static bool scalar(struct reader *r, const struct config_row *row,
                   const struct yaml_node *node, struct config_value *ret)
{
    if (yaml_type(node) != YAML_SCALAR) {
        fail(r, node, "expected a single value, found %s", found(node));
        return false;
    }
    *ret = (struct config_value){.a = r->report->a,
                                 .row = row,
                                 .folder = r->folder,
                                 .raw = yaml_text(node)};
    buf_clear(&r->why);
    if (config_text_expand(ret, &r->why))
        return true;
    fail_value(r, node, ret);
    return false;
}

static bool find_ref(struct reader *r, const struct config_row *row,
                     const struct yaml_node *node, struct str name, size_t *ret)
{
    buf_clear(&r->why);
    enum err e =
        config_index_find(&r->index, row,
                          (struct config_index_name){name, yaml_text(node)},
                          ret, &r->why);
    if (e == ERR_NOT_FOUND)
        fail_why(r, node);
    else if (e != ERR_OK)
        r->report->full = true;
    return e == ERR_OK;
}

static void read_scalar(struct reader *r, const struct config_row *row,
                        const struct yaml_node *node, void *base)
{
    struct config_value v;
    size_t index;
    if (!scalar(r, row, node, &v))
        return;
    if (row->type == CONFIG_REF) {
        if (find_ref(r, row, node, v.text, &index))
            memcpy(target_of(row, base), &index, sizeof(index));
        return;
    }
    if (!config_value_read(&v, target_of(row, base), &r->why))
        fail_value(r, node, &v);
}

/* ---- lists ---- */

/* The number of elements or entries; false: reported. */
static bool count_of(struct reader *r, const struct config_row *row,
                     const struct yaml_node *node, enum yaml_type type,
                     size_t *ret)
{
    if (yaml_type(node) != type) {
        fail(r, node, "expected a %s, found %s",
             type == YAML_LIST ? "list" : "mapping of names", found(node));
        return false;
    }
    size_t n = yaml_count(node);
    if (n < (size_t)row->min) {
        fail(r, node, "is empty; expected at least %lld", (long long)row->min);
        return false;
    }
    if (n > (size_t)row->max) {
        fail(r, node, "has %zu entries; expected at most %lld", n,
             (long long)row->max);
        return false;
    }
    *ret = n;
    return true;
}

static bool read_element(struct reader *r, const struct config_row *row,
                         const struct yaml_node *node, struct str *ret)
{
    struct config_value v;
    size_t index;
    if (!scalar(r, row, node, &v))
        return false;
    bool ok = config_value_element(&v, ret, &r->why);
    if (!ok)
        fail_value(r, node, &v);
    return ok && (row->refers == NULL || find_ref(r, row, node, *ret, &index));
}

/* Which of the names before it says the same; or `i`. */
static size_t first_of(const struct str *names, size_t i)
{
    size_t at = 0;
    while (at < i && !str_eq(names[at], names[i]))
        at++;
    return at;
}

/* The elements into the arena; false: reported, all of them. */
static bool read_elements(struct reader *r, const struct config_row *row,
                          const struct yaml_node *node, struct names *ret)
{
    /* A single value stands for a list of one. */
    bool one = yaml_type(node) == YAML_SCALAR;
    size_t n = 1;
    if (!one && !count_of(r, row, node, YAML_LIST, &n))
        return false;
    struct str *names = allocate(r, n, sizeof(*names));
    bool ok = names != NULL;
    if (one && ok)
        ok = read_element(r, row, node, names);
    for (size_t i = 0; i < n && names != NULL && !one; i++) {
        const struct yaml_node *at = yaml_at(node, i);
        size_t before = enter_index(r, i);
        bool read = read_element(r, row, at, &names[i]);
        if (read && row->type != CONFIG_ARGUMENTS && first_of(names, i) < i) {
            fail(r, at, "\"%.*s\" is in the list twice",
                 STR_FMT(yaml_text(at)));
            read = false;
        }
        ok &= read;
        leave(r, before);
    }
    *ret = (struct names){names, n};
    return ok;
}

static void read_names(struct reader *r, const struct config_row *row,
                       const struct yaml_node *node, void *base)
{
    struct names names;
    if (read_elements(r, row, node, &names))
        memcpy(target_of(row, base), &names, sizeof(names));
}

static void read_flags(struct reader *r, const struct config_row *row,
                       const struct yaml_node *node, void *base)
{
    struct names names;
    uint32_t flags = 0;
    if (!read_elements(r, row, node, &names))
        return;
    for (size_t i = 0; i < names.count; i++) {
        for (unsigned n = 0; row->words[n] != NULL; n++) {
            if (str_eq(names.at[i], str_from(row->words[n])))
                flags |= UINT32_C(1) << n;
        }
    }
    memcpy(target_of(row, base), &flags, sizeof(flags));
}

/* ---- what has keys ---- */

static void read_keys(struct reader *r, const struct config_row *row,
                      const struct yaml_node *node, void *base);

static void read_list(struct reader *r, const struct config_row *row,
                      const struct yaml_node *node, void *base)
{
    size_t n;
    if (!count_of(r, row, node, YAML_LIST, &n))
        return;
    char *elements = allocate(r, n, row->size);
    for (size_t i = 0; i < n && elements != NULL; i++) {
        size_t before = enter_index(r, i);
        read_keys(r, row, yaml_at(node, i), elements + i * row->size);
        leave(r, before);
    }
    set_many(row, base, elements, n);
}

static void read_value(struct reader *r, const struct config_row *row,
                       const struct yaml_node *node, void *base);

/* One entry of the map `row`: a mapping, or a value by itself. */
static void read_entry(struct reader *r, const struct config_row *row,
                       const struct yaml_node *node, void *entry)
{
    char room[CONFIG_PREFIX_MAX];
    size_t at = 0;
    const struct config_row *value = config_table_value(row);
    bool has_keys =
        config_table_next(config_table_prefix(row, room), &at) != NULL;
    if (value != NULL && (!has_keys || yaml_type(node) != YAML_MAP))
        read_value(r, value, node, entry);
    else
        read_keys(r, row, node, entry);
}

static void read_map(struct reader *r, const struct config_row *row,
                     const struct yaml_node *node, void *base)
{
    size_t n;
    if (!count_of(r, row, node, YAML_MAP, &n))
        return;
    char *entries = allocate(r, n, row->size);
    for (size_t i = 0; i < n && entries != NULL; i++) {
        const struct yaml_node *key = yaml_key_at(node, i);
        struct config_value v = {.a = r->report->a,
                                 .row = row,
                                 .raw = yaml_text(key),
                                 .text = yaml_text(key)};
        struct config_keys_room shown;
        size_t before = enter_key(r, config_keys_shown(yaml_text(key), &shown));
        buf_clear(&r->why);
        if (config_value_key(&v,
                             (struct str *)(void *)(entries + i * row->size),
                             &r->why))
            read_entry(r, row, yaml_at(node, i), entries + i * row->size);
        else
            fail_value(r, key, &v);
        leave(r, before);
    }
    set_many(row, base, entries, n);
}

static void read_value(struct reader *r, const struct config_row *row,
                       const struct yaml_node *node, void *base)
{
    switch (row->type) {
    case CONFIG_GROUP:
        read_keys(r, row, node, base);
        return;
    case CONFIG_LIST:
        read_list(r, row, node, base);
        return;
    case CONFIG_MAP:
        read_map(r, row, node, base);
        return;
    case CONFIG_NAMES:
    case CONFIG_STRINGS:
    case CONFIG_PATHS:
    case CONFIG_ARGUMENTS:
    case CONFIG_ORIGINS:
    case CONFIG_HOSTS:
        read_names(r, row, node, base);
        return;
    case CONFIG_FLAGS:
        read_flags(r, row, node, base);
        return;
    case CONFIG_NAME:
    case CONFIG_STRING:
    case CONFIG_PATH:
    case CONFIG_ENV:
    case CONFIG_DURATION:
    case CONFIG_BYTES:
    case CONFIG_INTEGER:
    case CONFIG_COUNT:
    case CONFIG_BOOLEAN:
    case CONFIG_MICROS:
    case CONFIG_ENUM:
    case CONFIG_STORE:
    case CONFIG_ADDRESS:
    case CONFIG_URL:
    case CONFIG_ENDPOINT:
    case CONFIG_POINTER:
    case CONFIG_REF:
        read_scalar(r, row, node, base);
        return;
    }
}

static struct str prefix_of(const struct config_row *row,
                            char room[CONFIG_PREFIX_MAX])
{
    return row == NULL ? STR("") : config_table_prefix(row, room);
}

/* What a key that is not there stands for. */
static void read_default(struct reader *r, const struct config_row *row,
                         void *base)
{
    if (row->type == CONFIG_GROUP) {
        char room[CONFIG_PREFIX_MAX];
        struct str prefix = prefix_of(row, room);
        size_t at = 0;
        const struct config_row *child;
        while ((child = config_table_next(prefix, &at)) != NULL)
            read_default(r, child, base);
        return;
    }
    if (row->fallback == NULL)
        return;
    struct config_value v = {.a = r->report->a,
                             .row = row,
                             .folder = r->folder,
                             .raw = str_from(row->fallback),
                             .text = str_from(row->fallback)};
    buf_clear(&r->why);
    if (!config_value_read(&v, target_of(row, base), &r->why))
        r->report->full = true; /* the defaults are right: a test reads them */
}

/* Keys that the table does not know. */
static void refuse_unknown(struct reader *r, struct str prefix,
                           const struct yaml_node *node)
{
    for (size_t i = 0, n = yaml_count(node); i < n; i++) {
        const struct yaml_node *key = yaml_key_at(node, i);
        if (config_table_find(prefix, yaml_text(key)) != NULL)
            continue;
        struct config_keys_room shown;
        size_t before = enter_key(r, config_keys_shown(yaml_text(key), &shown));
        buf_clear(&r->why);
        config_keys_unknown(prefix, yaml_text(key), &r->why);
        fail_why(r, key);
        leave(r, before);
    }
}

/*
 * The keys of one mapping into the struct at `base`: of an element of the
 * list `row`, of an entry of the map, of the group, or with NULL of the file.
 * In the table's order, so that what is referred to is there already.
 */
static void read_keys(struct reader *r, const struct config_row *row,
                      const struct yaml_node *node, void *base)
{
    char room[CONFIG_PREFIX_MAX];
    struct str prefix = prefix_of(row, room);
    bool nothing = yaml_type(node) == YAML_NULL &&
                   (row == NULL || row->type == CONFIG_MAP);
    if (yaml_type(node) != YAML_MAP && !nothing) {
        buf_clear(&r->why);
        config_keys_expected(prefix, &r->why);
        fail(r, node, "expected a mapping with %.*s, found %s",
             STR_FMT(buf_str(&r->why)), found(node));
        return;
    }
    refuse_unknown(r, prefix, node);
    size_t at = 0;
    const struct config_row *child;
    while ((child = config_table_next(prefix, &at)) != NULL) {
        const struct yaml_node *value = yaml_get(node, config_table_key(child));
        size_t before = enter_key(r, config_table_key(child));
        if (value != NULL)
            read_value(r, child, value, base);
        else if (child->required)
            fail(r, node, "is required");
        else
            read_default(r, child, base);
        leave(r, before);
    }
}

void config_read(struct config_report *r, const struct yaml_node *root,
                 struct str folder, struct settings *ret)
{
    struct reader reader = {.report = r,
                            .folder = folder,
                            .index = {.settings = ret}};
    buf_init(&reader.path, PATH_LEN_MAX);
    buf_init(&reader.why, WHY_MAX);
    read_keys(&reader, NULL, root, ret);
    buf_release(&reader.path);
    buf_release(&reader.why);
    config_index_release(&reader.index);
}
