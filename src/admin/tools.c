/* tools.c - see tools.h. */
#include "admin/tools.h"

#include <stdlib.h>

#include "admin/answer.h"
#include "admin/body.h"
#include "admin/page.h"
#include "base/container.h"
#include "base/limits.h"
#include "base/text.h"
#include "codec/json.h"
#include "codec/uri.h"
#include "mcp/catalog.h"
#include "mcp/tool_diff.h"

#define DIFF_ARENA_MAX (64 * MIB)

enum { KEY_MAX = 2 * NAME_MAX_LEN + 1 };

/* ---- one tool as JSON ---- */

static void add_text(struct buf *to, const char *name, struct str value)
{
    if (value.len == 0)
        return;
    buf_addf(to, ",\"%s\":", name);
    json_write_str(to, value);
}

static void add_time(struct buf *to, const char *name, int64_t us)
{
    char text[TEXT_TIME_LEN];

    text_time(us, text);
    add_text(to, name, (struct str){text, sizeof(text)});
}

static void add_hex(struct buf *to, const struct hash *h)
{
    for (size_t i = 0; i < HASH_LEN; i++)
        buf_addf(to, "%02x", (unsigned)h->bytes[i]);
}

/* {digest, definition}; a definition that cannot be read has neither. */
static void add_definition(struct buf *to, const char *name,
                           const struct tool *t, bool whole)
{
    buf_addf(to, ",\"%s\":{", name);
    if (t->text.len > 0) {
        BUF_LIT(to, "\"digest\":\"");
        add_hex(to, &t->digest);
        BUF_LIT(to, "\"");
    }
    if (t->text.len > 0 && whole) {
        BUF_LIT(to, ",\"definition\":");
        buf_add(to, t->text); /* it is JSON */
    }
    buf_add_char(to, '}');
}

/* Its members, without the closing brace. */
static void add_tool(struct buf *to, const struct catalog_tool *t, bool whole)
{
    BUF_LIT(to, "{\"server\":");
    json_write_str(to, t->server);
    add_text(to, "name", t->tool.name);
    add_text(to, "state", catalog_state_name(t->state));
    add_time(to, "first_seen", t->first_us);
    add_time(to, "changed", t->changed_us);
    add_text(to, "approved_by", t->approved_by);
    add_text(to, "not_callable", t->why);
    if (t->state != CATALOG_PROPOSED)
        add_definition(to, "pinned", &t->tool, whole);
    if (t->state == CATALOG_PROPOSED)
        add_definition(to, "offered", &t->tool, whole);
    if (t->state == CATALOG_QUARANTINED)
        add_definition(to, "offered", &t->offered, whole);
}

static void add_value(struct buf *to, const char *name, const struct json *v)
{
    if (v == NULL)
        return;
    buf_addf(to, ",\"%s\":", name);
    json_write(to, v, NULL, 0);
}

/* What the server changed: [{pointer, was, now}]. */
static enum err add_diff(struct buf *to, const struct catalog_tool *t)
{
    struct tool_diff d = {0};
    struct arena a;

    if (t->state != CATALOG_QUARANTINED || t->offered.text.len == 0)
        return ERR_OK;
    arena_init(&a, DIFF_ARENA_MAX);
    enum err e = tool_diff(&a, &t->tool, &t->offered, &d);
    BUF_LIT(to, ",\"changes\":[");
    for (size_t i = 0; e == ERR_OK && i < d.count; i++) {
        buf_add(to, i == 0 ? STR("{\"pointer\":") : STR(",{\"pointer\":"));
        json_write_str(to, d.changes[i].pointer);
        add_value(to, "was", d.changes[i].was);
        add_value(to, "now", d.changes[i].now);
        buf_add_char(to, '}');
    }
    buf_add(to, d.is_cut ? STR("],\"changes_cut\":true") : STR("]"));
    arena_release(&a);
    return e;
}

/* ---- reading ---- */

/* NULL: refused. */
static struct catalog *catalog_of(struct admin_call *c)
{
    const struct admin_hooks *h = &c->host->hooks;
    struct catalog *now = h->catalog == NULL ? NULL : h->catalog(h->user);

    if (now == NULL)
        answer_refuse(c, ERR_STORE, "the tools are not loaded yet");
    return now;
}

/* "server/name" before or behind a tool's? */
static int compare(const struct catalog_tool *t, struct str key)
{
    size_t slash = str_find(key, '/');
    int order = str_compare(t->server, str_first(key, slash));
    return order != 0 ? order
                      : str_compare(t->tool.name, str_skip(key, slash + 1));
}

struct filter {
    struct str server, state;
};

static void fill(struct page *p, const struct catalog *c,
                 const struct filter *f)
{
    const struct catalog_tool *t;
    char room[KEY_MAX];
    struct buf key;

    buf_init_lent(&key, room, sizeof(room));
    for (size_t i = 0; (t = catalog_at(c, f->server, i)) != NULL; i++) {
        if ((p->after.len > 0 && compare(t, p->after) <= 0) ||
            (f->state.len > 0 &&
             !str_eq(f->state, catalog_state_name(t->state))))
            continue;
        buf_clear(&key);
        buf_addf(&key, "%.*s/%.*s", STR_FMT(t->server), STR_FMT(t->tool.name));
        struct buf *to = page_append(p, buf_str(&key));
        if (to == NULL)
            return;
        add_tool(to, t, false);
        buf_add_char(to, '}');
    }
}

void tools_list(struct admin_call *c)
{
    struct filter f = {{NULL, 0}, {NULL, 0}};
    struct page page;
    struct buf body;
    struct str param;
    const struct page_other others[] = {{STR("server"), &f.server},
                                        {STR("state"), &f.state}};
    struct catalog *now = catalog_of(c);

    if (now == NULL)
        return;
    enum err e = page_init(&page, c->arena, c->query, others, 2, &param);
    if (e != ERR_OK) {
        answer_problem(c, e, (struct str){NULL, 0}, param);
        return;
    }
    fill(&page, now, &f);
    buf_init(&body, ANSWER_MAX);
    page_write(&page, STR("tools"), &body);
    answer_json(c, 200, &body);
    buf_release(&body);
    page_release(&page);
}

/* The tool that the path names; NULL: refused. */
static const struct catalog_tool *find(struct admin_call *c)
{
    struct str id;
    const struct catalog *now = catalog_of(c);

    if (now == NULL)
        return NULL;
    enum err e = uri_decode(c->arena, c->argument, false, &id);
    if (e != ERR_OK) {
        answer_refuse(c, e, NULL);
        return NULL;
    }
    size_t slash = str_find(id, '/');
    const struct catalog_tool *t =
        catalog_find(now, str_first(id, slash), str_skip(id, slash + 1));
    if (t == NULL)
        answer_refuse(c, ERR_NOT_FOUND,
                      "nobody has seen such a tool: expected server/name");
    return t;
}

void tools_show(struct admin_call *c)
{
    const struct catalog_tool *t = find(c);
    struct buf body;

    if (t == NULL)
        return;
    buf_init(&body, ANSWER_MAX);
    add_tool(&body, t, true);
    enum err e = add_diff(&body, t);
    buf_add_char(&body, '}');
    if (e == ERR_OK)
        answer_json(c, 200, &body);
    else
        answer_refuse(c, e, "the definitions are too long to be compared");
    buf_release(&body);
}

/* ---- a person's word ---- */

struct approval {
    struct admin_pending pending; /* first */
    struct admin_host *host;
    size_t server_len, name_len;
    char server[NAME_MAX_LEN], name[NAME_MAX_LEN];
};

static void answer_approved(struct admin_call *c, const struct approval *a)
{
    const struct admin_hooks *h = &a->host->hooks;
    const struct catalog_tool *t =
        catalog_find(h->catalog(h->user),
                     (struct str){a->server, a->server_len},
                     (struct str){a->name, a->name_len});
    struct buf body;

    buf_init(&body, ANSWER_MAX);
    BUF_LIT(&body, "{\"tool\":");
    add_tool(&body, t, false);
    BUF_LIT(&body, "},\"durable\":true}");
    answer_json(c, 200, &body);
    buf_release(&body);
}

static void on_approved(void *arg, enum err e)
{
    struct approval *a = arg;
    struct admin_call *c = a->pending.call;

    if (c != NULL && e == ERR_CONFLICT)
        answer_refuse(c, e,
                      "this is not what it offers now, or it is pinned "
                      "already: look at it again");
    else if (c != NULL && e != ERR_OK)
        answer_refuse(c, e, NULL);
    else if (c != NULL)
        answer_approved(c, a);
    free(a);
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_digest(struct str text, struct hash *ret)
{
    if (text.len != (size_t)2 * HASH_LEN)
        return false;
    for (size_t i = 0; i < HASH_LEN; i++) {
        int high = nibble(text.ptr[2 * i]), low = nibble(text.ptr[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        ret->bytes[i] = (unsigned char)(high * 16 + low);
    }
    return true;
}

static enum err begin(struct admin_call *c, const struct catalog_tool *t,
                      const struct hash *seen, struct str reason)
{
    const struct admin_hooks *h = &c->host->hooks;
    struct approval *a = calloc(1, sizeof(*a));
    const struct admin_tool_approval ask = {
        .server = t->server,
        .name = t->tool.name,
        .seen = *seen,
        .author = c->author.id,
        .author_method = auth_method_name(c->author.method),
        .reason = reason,
    };

    if (a == NULL)
        return ERR_NO_MEMORY;
    a->host = c->host;
    a->server_len = t->server.len;
    a->name_len = t->tool.name.len;
    memcpy(a->server, t->server.ptr, t->server.len);
    memcpy(a->name, t->tool.name.ptr, t->tool.name.len);
    answer_later(c, &a->pending);
    enum err e = h->approve_tool(h->user, &ask, on_approved, a);
    if (e != ERR_OK) {
        c->pending = NULL;
        free(a);
    }
    return e;
}

void tools_approve(struct admin_call *c)
{
    struct str digest = {NULL, 0}, reason = {NULL, 0};
    struct body_problem problem;
    struct hash seen;
    const struct body_field fields[] = {
        {STR("digest"), BODY_TEXT, true, &digest},
        {STR("reason"), BODY_TEXT, false, &reason},
    };

    enum err e = body_read(c->arena, c->body, fields, 2, &problem);
    if (e != ERR_OK) {
        answer_problem(c, e, str_from(problem.detail), problem.param);
        return;
    }
    if (!read_digest(digest, &seen)) {
        answer_problem(c, ERR_MALFORMED,
                       STR("expected the 64 hex digits of the definition that "
                           "you have looked at"),
                       STR("digest"));
        return;
    }
    const struct catalog_tool *t = find(c);
    if (t == NULL)
        return;
    e = begin(c, t, &seen, reason);
    if (e != ERR_OK)
        answer_refuse(c, e, NULL);
}
