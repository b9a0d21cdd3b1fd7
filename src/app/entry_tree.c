/* entry_tree.c - see entry_tree.h. */
#include "app/entry_tree.h"

#include <assert.h>
#include <stdlib.h>

#include "app/cli.h"
#include "app/entry_words.h"
#include "base/arena.h"
#include "base/limits.h"
#include "base/map.h"
#include "crypto/hash.h"

#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define BOLD "\033[1m"
#define DIM "\033[2m"
#define PLAIN "\033[0m"
#define ENTRY_ARENA_MAX (1 * MIB)
#define TREE_ARENA_MAX (64 * MIB)

/* Columns of what stands before the effect, where it is not longer. */
enum { WIDTH_WHAT = 56, WIDTH_STEP = 3, WIDTH_ID = 12 };
enum { RAILS_MAX = WIDTH_STEP * ENTRY_TREE_DEPTH_MAX + 1 };

enum node_kind {
    NODE_EVENT = 0, /* of the node, its people, its tools */
    NODE_SESSION,
    NODE_CALL,
    NODE_WORD, /* what people were asked, or said, of a call */
};

struct node {
    enum node_kind kind;
    uint64_t index;
    struct entry_words words;
    struct str outcome;
    struct node *up, *first, *last, *next; /* of sessions only `next`, until
                                            * it is printed */
};

struct entry_tree {
    struct arena arena;
    struct map calls, sessions, tickets; /* by id; of tickets, who used them */
    struct node *nodes[ENTRY_TREE_MAX];
    size_t count;
    struct node *roots, *last_root; /* sessions */
    struct node others;             /* without a session */
};

enum err entry_tree_new(struct entry_tree **ret)
{
    struct entry_tree *t = calloc(1, sizeof(*t));

    if (t == NULL)
        return ERR_NO_MEMORY;
    arena_init(&t->arena, TREE_ARENA_MAX);
    map_init(&t->calls, hash_random_seed(), ENTRY_TREE_MAX);
    map_init(&t->sessions, hash_random_seed(), ENTRY_TREE_MAX);
    map_init(&t->tickets, hash_random_seed(), ENTRY_TREE_MAX);
    *ret = t;
    return ERR_OK;
}

void entry_tree_free(struct entry_tree *t)
{
    if (t == NULL)
        return;
    map_release(&t->calls);
    map_release(&t->sessions);
    map_release(&t->tickets);
    arena_release(&t->arena);
    free(t);
}

/* ---- taking in ---- */

static struct node *find_index(const struct entry_tree *t, uint64_t index)
{
    size_t from = 0, to = t->count;

    while (from < to) {
        size_t mid = from + (to - from) / 2;
        if (t->nodes[mid]->index < index)
            from = mid + 1;
        else
            to = mid;
    }
    return from < t->count && t->nodes[from]->index == index ? t->nodes[from]
                                                             : NULL;
}

static enum node_kind kind_of(struct str kind, struct str id)
{
    if (str_eq(kind, STR("session")))
        return NODE_SESSION;
    if (str_eq(kind, STR("approval")))
        return NODE_WORD;
    /* A refusal without an id is of somebody whom nobody knows. */
    if (id.len > 0 &&
        (str_eq(kind, STR("intent")) || str_eq(kind, STR("refusal"))))
        return NODE_CALL;
    return NODE_EVENT;
}

/* The first one of an id is whom others mean by it. */
static enum err name(struct map *m, struct str id, struct node *n)
{
    if (id.len == 0 || map_get(m, id) != NULL)
        return ERR_OK;
    return map_set(m, id, n);
}

static void add_root(struct entry_tree *t, struct node *n)
{
    if (t->last_root != NULL)
        t->last_root->next = n;
    else
        t->roots = n;
    t->last_root = n;
}

/* A session may have begun before the first entry that we have. */
static enum err add_session(struct entry_tree *t, const struct entry_words *w)
{
    struct node *n;

    if (w->session.len == 0 || map_get(&t->sessions, w->session) != NULL)
        return ERR_OK;
    n = ARENA_NEW(&t->arena, struct node, 1);
    if (n == NULL)
        return ERR_NO_MEMORY;
    n->kind = NODE_SESSION;
    n->words.session = w->session;
    n->words.who = w->who;
    add_root(t, n);
    return name(&t->sessions, w->session, n);
}

static enum err add_node(struct entry_tree *t, uint64_t index,
                         const struct json *v)
{
    struct node *n = ARENA_NEW(&t->arena, struct node, 1);

    if (n == NULL)
        return ERR_NO_MEMORY;
    enum err e = entry_words_read(&t->arena, v, &n->words);
    if (e != ERR_OK)
        return e;
    n->kind = kind_of(n->words.kind, n->words.id);
    n->index = index;
    if (n->kind == NODE_SESSION) {
        add_root(t, n);
        e = name(&t->sessions, n->words.session, n);
    }
    if (n->kind == NODE_CALL)
        e = add_session(t, &n->words);
    if (e == ERR_OK && n->kind == NODE_CALL)
        e = name(&t->calls, n->words.id, n);
    if (e == ERR_OK && n->kind == NODE_CALL)
        e = name(&t->tickets, n->words.ticket, n);
    if (e == ERR_OK)
        t->nodes[t->count++] = n;
    return e;
}

static enum err take_in(struct entry_tree *t, uint64_t index,
                        const struct json *v)
{
    uint64_t intent;

    if (!entry_words_is_outcome(v, &intent))
        return t->count < ENTRY_TREE_MAX ? add_node(t, index, v) : ERR_LIMIT;
    struct node *n = find_index(t, intent);
    return n != NULL ? entry_words_outcome(&t->arena, v, &n->outcome) : ERR_OK;
}

enum err entry_tree_add(struct entry_tree *t, const struct ledger_entry *e)
{
    const struct json *v;
    struct arena arena;

    assert(t->count == 0 || t->nodes[t->count - 1]->index < e->index);
    arena_init(&arena, ENTRY_ARENA_MAX);
    enum err err = json_read(&arena, e->text, &v, NULL);
    if (err == ERR_OK && json_type(v) != JSON_OBJECT)
        err = ERR_MALFORMED;
    if (err == ERR_OK)
        err = take_in(t, e->index, v);
    arena_release(&arena);
    return err;
}

/* ---- who belongs to whom ---- */

static void append(struct node *up, struct node *n)
{
    n->up = up;
    if (up->last != NULL)
        up->last->next = n;
    else
        up->first = n;
    up->last = n;
}

/* A log that somebody made up may lead in a circle. */
static bool is_below(const struct node *n, const struct node *above)
{
    while (n != NULL && n != above)
        n = n->up;
    return n != NULL;
}

static struct node *parent_of(struct entry_tree *t, const struct node *n)
{
    struct node *up = NULL;

    if (n->kind == NODE_CALL)
        up = map_get(&t->calls, n->words.parent);
    if (n->kind == NODE_WORD)
        up = map_get(&t->tickets, n->words.ticket);
    if (n->kind == NODE_WORD && up == NULL)
        up = map_get(&t->calls, n->words.id);
    if (up != NULL && !is_below(up, n))
        return up;
    up = n->kind == NODE_CALL ? map_get(&t->sessions, n->words.session) : NULL;
    return up != NULL ? up : &t->others;
}

static void link_all(struct entry_tree *t)
{
    for (size_t i = 0; i < t->count; i++) {
        struct node *n = t->nodes[i];
        if (n->kind != NODE_SESSION)
            append(parent_of(t, n), n);
    }
}

/* ---- printing ---- */

struct printer {
    FILE *out;
    bool color;
};

static void paint(const struct printer *p, const char *code)
{
    if (p->color)
        (void)fputs(code, p->out);
}

static const char *color_of(struct str effect)
{
    if (str_eq(effect, STR("allow")))
        return GREEN;
    return str_eq(effect, STR("deny")) ? RED : YELLOW;
}

static void print_part(const struct printer *p, const char *before,
                       struct str text)
{
    if (text.len == 0)
        return;
    (void)fputs(before, p->out);
    cli_print_safe(p->out, text);
}

static void print_words(const struct printer *p, const struct node *n,
                        unsigned depth)
{
    const struct entry_words *w = &n->words;
    size_t width = WIDTH_WHAT - (size_t)WIDTH_STEP * depth;
    size_t used = w->what.len;
    bool tell = n->kind == NODE_CALL && w->who.len > 0 &&
                (n->up == NULL || !str_eq(n->up->words.who, w->who));

    if (tell) {
        cli_print_safe(p->out, w->who);
        (void)fputs(": ", p->out);
        used += w->who.len + 2;
    }
    cli_print_safe(p->out, w->what);
    if (w->effect.len > 0) {
        cli_print(p->out, "%*s", used < width ? (int)(width - used) + 1 : 1,
                  "");
        paint(p, color_of(w->effect));
        cli_print(p->out, "%-5.*s", STR_FMT(w->effect));
        paint(p, PLAIN);
    }
    print_part(p, " ", w->why);
    print_part(p, "; ", n->outcome);
    if (n->kind == NODE_CALL && n->outcome.len == 0 &&
        str_eq(w->kind, STR("intent")))
        print_part(p, "; ", STR("no outcome yet"));
    (void)fputc('\n', p->out);
}

static void print_head(const struct printer *p, const struct node *n)
{
    paint(p, BOLD);
    if (n->kind == NODE_SESSION) {
        print_part(p, "session ", str_first(n->words.session, WIDTH_ID));
        print_part(p, "  ", n->words.who);
    } else {
        (void)fputs("without a session", p->out);
    }
    paint(p, PLAIN);
    print_part(p, "  ", n->words.what);
    (void)fputc('\n', p->out);
}

/* `rails` are the lines of those above that have more below them: a text that
 * grows and shrinks with the depth. */
static void print_below(const struct printer *p, const struct node *up,
                        char rails[RAILS_MAX], unsigned depth)
{
    char *here = rails + (size_t)WIDTH_STEP * depth;

    for (const struct node *n = up->first; n != NULL; n = n->next) {
        bool last = n->next == NULL;
        *here = '\0';
        paint(p, DIM);
        cli_print(p->out, "%s%s ", rails, last ? "`-" : "|-");
        if (depth == ENTRY_TREE_DEPTH_MAX) {
            paint(p, PLAIN);
            (void)fputs("...\n", p->out);
            return;
        }
        cli_print(p->out, "%-4llu ", (unsigned long long)n->index);
        paint(p, PLAIN);
        print_words(p, n, depth);
        memcpy(here, last ? "   " : "|  ", WIDTH_STEP);
        print_below(p, n, rails, depth + 1);
    }
}

void entry_tree_print(struct entry_tree *t, bool color, FILE *out)
{
    const struct printer p = {.out = out, .color = color};
    char rails[RAILS_MAX];

    link_all(t);
    if (t->others.first != NULL) {
        print_head(&p, &t->others);
        print_below(&p, &t->others, rails, 0);
    }
    for (const struct node *n = t->roots; n != NULL; n = n->next) {
        print_head(&p, n);
        print_below(&p, n, rails, 0);
    }
}
