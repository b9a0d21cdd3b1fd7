/*
 * yaml.c - see yaml.h.
 *
 * libyaml gives events; the nodes of an open list or map hang in a chain
 * until its end tells how many they are.
 */
#include "codec/yaml.h"

#include <assert.h>
#include <stdlib.h>

#include <yaml.h>

#include "base/buf.h"
#include "base/limits.h"

enum { WHAT_MAX = 512, KEY_SHOWN_MAX = 80 };

struct yaml_node {
    enum yaml_type type;
    bool quoted;
    unsigned line, column;
    struct str text;
    struct yaml_node *next; /* the one after it in its list or map */
    size_t count;
    const struct yaml_node **keys;   /* of a map, in the file's order */
    const struct yaml_node **values; /* of a list or map, likewise */
    const struct yaml_node **sorted; /* the keys by text; key->next: value */
};

/* A list or map whose end has not come. */
struct level {
    struct yaml_node *node;
    struct yaml_node *first, *last; /* keys and values in turn, for a map */
    size_t children;
};

struct reader {
    struct arena *arena;
    struct str text;
    struct yaml_error *error;
    yaml_parser_t parser;
    struct level levels[YAML_DEPTH_MAX + 1]; /* [0] holds the root */
    size_t depth;
    size_t nodes;
};

static enum err fail_at(struct reader *r, unsigned line, unsigned column,
                        const char *what)
{
    if (r->error != NULL)
        *r->error = (struct yaml_error){line, column, what};
    return ERR_MALFORMED;
}

static enum err fail_mark(struct reader *r, yaml_mark_t at, const char *what)
{
    return fail_at(r, (unsigned)at.line + 1, (unsigned)at.column + 1, what);
}

/* ---- what libyaml says ---- */

/* The bytes of a line, counted from 0. */
static struct str line_of(struct str text, size_t line)
{
    for (; line > 0; line--)
        text = str_skip(text, str_find(text, '\n') + 1);
    return str_first(text, str_find(text, '\n'));
}

static bool is_indented_by_tab(struct str line)
{
    while (line.len > 0 && line.ptr[0] == ' ')
        line = str_skip(line, 1);
    return line.len > 0 && line.ptr[0] == '\t';
}

/* libyaml's reader knows the byte only. */
static enum err fail_reader(struct reader *r)
{
    struct str before = str_first(r->text, r->parser.problem_offset);
    unsigned line = 1;
    for (size_t lf; (lf = str_find(before, '\n')) < before.len; line++)
        before = str_skip(before, lf + 1);
    return fail_at(r, line, (unsigned)before.len + 1, r->parser.problem);
}

static enum err fail_parser(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR)
        return ERR_NO_MEMORY;
    if (p->error == YAML_READER_ERROR)
        return fail_reader(r);
    if (is_indented_by_tab(line_of(r->text, p->problem_mark.line)))
        return fail_mark(r, p->problem_mark, "indent with blanks, not tabs");
    if (p->context == NULL)
        return fail_mark(r, p->problem_mark, p->problem);

    struct buf b;
    buf_init(&b, WHAT_MAX);
    (void)buf_addf(&b, "%s, %s that begins in line %zu", p->problem, p->context,
                   p->context_mark.line + 1);
    const char *what = arena_strdup(r->arena, buf_str(&b));
    buf_release(&b);
    return what == NULL ? ERR_LIMIT : fail_mark(r, p->problem_mark, what);
}

/* ---- nodes ---- */

/* A copy of `like`, with its place, becomes the last of the open level. */
static enum err add_node(struct reader *r, const struct yaml_node *like,
                         yaml_mark_t at)
{
    if (r->nodes == YAML_NODES_MAX)
        return fail_mark(r, at, "the file has too many values");
    struct yaml_node *n = ARENA_NEW(r->arena, struct yaml_node, 1);
    if (n == NULL)
        return ERR_LIMIT;
    *n = *like;
    n->line = (unsigned)at.line + 1;
    n->column = (unsigned)at.column + 1;

    struct level *top = &r->levels[r->depth];
    bool is_key = top->node != NULL && top->node->type == YAML_MAP &&
                  top->children % 2 == 0;
    if (is_key && n->type == YAML_NULL)
        return fail_mark(r, at, "expected a key, found nothing");
    if (is_key && n->type != YAML_SCALAR)
        return fail_mark(r, at, "a key must be a single value");
    if (top->last != NULL)
        top->last->next = n;
    else
        top->first = n;
    top->last = n;
    top->children++;
    r->nodes++;
    return ERR_OK;
}

static bool is_null(const char *text, size_t len)
{
    static const struct str nulls[] = {
        STR_INIT(""),     STR_INIT("~"),    STR_INIT("null"),
        STR_INIT("Null"), STR_INIT("NULL"),
    };
    for (size_t i = 0; i < ARRAY_LEN(nulls); i++) {
        if (str_eq(nulls[i], (struct str){text, len}))
            return true;
    }
    return false;
}

static enum err read_scalar(struct reader *r, const yaml_event_t *e)
{
    const char *value = (const char *)e->data.scalar.value;
    size_t len = e->data.scalar.length;
    bool quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (memchr(value, '\0', len) != NULL)
        return fail_mark(r, e->start_mark, "a value contains NUL");

    bool nothing = !quoted && is_null(value, len);
    struct yaml_node n = {
        .type = nothing ? YAML_NULL : YAML_SCALAR,
        .quoted = quoted,
    };
    if (!arena_copy(r->arena, (struct str){value, len}, &n.text))
        return ERR_LIMIT;
    return add_node(r, &n, e->start_mark);
}

static enum err open_level(struct reader *r, enum yaml_type type,
                           yaml_mark_t at)
{
    if (r->depth == YAML_DEPTH_MAX)
        return fail_mark(r, at, "nesting is too deep");
    enum err e = add_node(r, &(struct yaml_node){.type = type}, at);
    if (e != ERR_OK)
        return e;
    struct yaml_node *opened = r->levels[r->depth].last;
    r->levels[++r->depth] = (struct level){.node = opened};
    return ERR_OK;
}

/* By text, then by place. */
static int by_text(const void *a, const void *b)
{
    const struct yaml_node *x = *(const struct yaml_node *const *)a;
    const struct yaml_node *y = *(const struct yaml_node *const *)b;
    int order = str_compare(x->text, y->text);
    if (order != 0)
        return order;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column;
}

static enum err fail_twice(struct reader *r, const struct yaml_node *first,
                           const struct yaml_node *again)
{
    struct buf b;
    buf_init(&b, WHAT_MAX);
    (void)buf_addf(&b, "the key \"%.*s\" stands in line %u already",
                   STR_FMT(str_first(again->text, KEY_SHOWN_MAX)), first->line);
    const char *what = arena_strdup(r->arena, buf_str(&b));
    buf_release(&b);
    return what == NULL ? ERR_LIMIT
                        : fail_at(r, again->line, again->column, what);
}

static enum err sort_keys(struct reader *r, struct yaml_node *map)
{
    if (map->count > 0)
        memcpy((void *)map->sorted, (const void *)map->keys,
               map->count * sizeof(*map->keys));
    qsort((void *)map->sorted, map->count, sizeof(*map->sorted), by_text);
    for (size_t i = 1; i < map->count; i++) {
        if (str_eq(map->sorted[i - 1]->text, map->sorted[i]->text))
            return fail_twice(r, map->sorted[i - 1], map->sorted[i]);
    }
    return ERR_OK;
}

/* The chain of children becomes arrays. */
static enum err close_level(struct reader *r)
{
    struct level *top = &r->levels[r->depth--];
    struct yaml_node *node = top->node;
    bool is_map = node->type == YAML_MAP;
    size_t n = is_map ? top->children / 2 : top->children;
    const struct yaml_node **arrays =
        ARENA_NEW(r->arena, const struct yaml_node *, is_map ? 3 * n : n);
    if (arrays == NULL)
        return ERR_LIMIT;

    node->count = n;
    node->values = arrays;
    node->keys = is_map ? arrays + n : NULL;
    node->sorted = is_map ? arrays + 2 * n : NULL;
    const struct yaml_node *child = top->first;
    for (size_t i = 0; i < n; i++) {
        if (is_map) {
            node->keys[i] = child;
            child = child->next;
        }
        node->values[i] = child;
        child = child->next;
    }
    return is_map ? sort_keys(r, node) : ERR_OK;
}

/* ---- events ---- */

static enum err refuse_marks(struct reader *r, yaml_mark_t at,
                             const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor != NULL)
        return fail_mark(r, at, "anchors (&) are not supported");
    if (tag != NULL)
        return fail_mark(r, at, "tags (!) are not supported");
    return ERR_OK;
}

static enum err read_event(struct reader *r, const yaml_event_t *e)
{
    enum err err = ERR_OK;
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        err = refuse_marks(r, e->start_mark, e->data.scalar.anchor,
                           e->data.scalar.tag);
        return err == ERR_OK ? read_scalar(r, e) : err;
    case YAML_SEQUENCE_START_EVENT:
        err = refuse_marks(r, e->start_mark, e->data.sequence_start.anchor,
                           e->data.sequence_start.tag);
        return err == ERR_OK ? open_level(r, YAML_LIST, e->start_mark) : err;
    case YAML_MAPPING_START_EVENT:
        err = refuse_marks(r, e->start_mark, e->data.mapping_start.anchor,
                           e->data.mapping_start.tag);
        return err == ERR_OK ? open_level(r, YAML_MAP, e->start_mark) : err;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return close_level(r);
    case YAML_ALIAS_EVENT:
        return fail_mark(r, e->start_mark, "aliases (*) are not supported");
    case YAML_DOCUMENT_START_EVENT:
        return r->nodes == 0 ? ERR_OK
                             : fail_mark(r, e->start_mark,
                                         "a second document begins here");
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return ERR_OK;
}

static enum err read_events(struct reader *r)
{
    bool more = true;
    while (more) {
        yaml_event_t event;
        if (yaml_parser_parse(&r->parser, &event) == 0)
            return fail_parser(r);
        more = event.type != YAML_STREAM_END_EVENT;
        enum err e = read_event(r, &event);
        yaml_event_delete(&event);
        if (e != ERR_OK)
            return e;
    }
    if (r->nodes > 0)
        return ERR_OK;
    return add_node(r, &(struct yaml_node){0}, (yaml_mark_t){0});
}

enum err yaml_read(struct arena *a, struct str text,
                   const struct yaml_node **ret, struct yaml_error *ret_error)
{
    struct reader r = {.arena = a, .text = text, .error = ret_error};
    if (text.len > CONFIG_FILE_MAX)
        return fail_at(&r, 1, 1, "the file is too long");
    if (str_starts(text, STR("\xef\xbb\xbf")))
        r.text = str_skip(text, 3);
    if (yaml_parser_initialize(&r.parser) == 0)
        return ERR_NO_MEMORY;
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    const char *bytes = r.text.len > 0 ? r.text.ptr : "";
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)bytes,
                                 r.text.len);
    enum err e = read_events(&r);
    yaml_parser_delete(&r.parser);
    if (e == ERR_OK) {
        assert(r.depth == 0 && r.levels[0].children == 1);
        *ret = r.levels[0].first;
    }
    return e;
}

/* ---- accessors ---- */

enum yaml_type yaml_type(const struct yaml_node *node)
{
    return node == NULL ? YAML_NULL : node->type;
}

unsigned yaml_line(const struct yaml_node *node)
{
    return node == NULL ? 0 : node->line;
}

unsigned yaml_column(const struct yaml_node *node)
{
    return node == NULL ? 0 : node->column;
}

struct str yaml_text(const struct yaml_node *node)
{
    return node == NULL ? (struct str){NULL, 0} : node->text;
}

bool yaml_is_quoted(const struct yaml_node *node)
{
    return node != NULL && node->quoted;
}

size_t yaml_count(const struct yaml_node *node)
{
    return node == NULL ? 0 : node->count;
}

const struct yaml_node *yaml_at(const struct yaml_node *node, size_t index)
{
    return index < yaml_count(node) ? node->values[index] : NULL;
}

const struct yaml_node *yaml_key_at(const struct yaml_node *node, size_t index)
{
    bool there = yaml_type(node) == YAML_MAP && index < yaml_count(node);
    return there ? node->keys[index] : NULL;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, struct str key)
{
    size_t low = 0;
    size_t high = yaml_type(map) == YAML_MAP ? yaml_count(map) : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_compare(map->sorted[middle]->text, key);
        if (order == 0)
            return map->sorted[middle]->next; /* its value stands behind it */
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
