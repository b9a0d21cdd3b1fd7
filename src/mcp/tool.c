/* tool.c - see tool.h. */
#include "mcp/tool.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/text.h"
#include "mcp/canon.h"
#include "mcp/form.h"
#include "mcp/params.h"
#include "mcp/params_forms.h"

/* The members that are pinned, in the order of canonical JSON. */
enum { NAME = 3 };
static const struct str pinned[] = {
    STR_INIT("annotations"),  STR_INIT("description"),
    STR_INIT("inputSchema"),  [NAME] = STR_INIT("name"),
    STR_INIT("outputSchema"), STR_INIT("title"),
};

static struct str text_of(const struct json *v)
{
    struct str s = {NULL, 0};
    (void)!json_str(v, &s);
    return s;
}

static enum tool_hint hint_of(const struct json *annotations, struct str name)
{
    bool b;
    if (!json_bool(json_get(annotations, name), &b))
        return TOOL_UNSAID;
    return b ? TOOL_YES : TOOL_NO;
}

static void take(const struct json *v, struct tool *t)
{
    const struct json *notes = json_get(v, STR("annotations"));
    const struct json *execution = json_get(v, STR("execution"));
    t->name = text_of(json_get(v, STR("name")));
    t->title = text_of(json_get(v, STR("title")));
    if (t->title.len == 0)
        t->title = text_of(json_get(notes, STR("title")));
    t->description = text_of(json_get(v, STR("description")));
    t->input = json_get(v, STR("inputSchema"));
    t->output = json_get(v, STR("outputSchema"));
    t->read_only = hint_of(notes, STR("readOnlyHint"));
    t->destructive = hint_of(notes, STR("destructiveHint"));
    t->idempotent = hint_of(notes, STR("idempotentHint"));
    t->open_world = hint_of(notes, STR("openWorldHint"));
    t->needs_task = json_is_string(json_get(execution, STR("taskSupport")),
                                   STR("required"));
}

/* `ret_name_at` gets where the value of "name" begins. */
static enum err write_pinned(struct buf *to, struct arena *scratch,
                             const struct json *v, size_t *ret_name_at)
{
    bool first = true;
    (void)buf_add_char(to, '{');
    for (size_t i = 0; i < ARRAY_LEN(pinned); i++) {
        const struct json *member = json_get(v, pinned[i]);
        if (member == NULL)
            continue;
        if (!first)
            (void)buf_add_char(to, ',');
        first = false;
        json_write_str(to, pinned[i]);
        (void)buf_add_char(to, ':');
        if (i == NAME)
            *ret_name_at = to->len;
        enum err e = canon_write(to, scratch, member);
        if (e != ERR_OK)
            return e;
    }
    return buf_add_char(to, '}') ? ERR_OK : ERR_LIMIT;
}

enum err tool_read(struct arena *a, struct str under, const struct json *v,
                   struct tool *ret, struct fault *ret_fault)
{
    struct tool t = {.needs_task = false};
    struct arena scratch;
    struct buf text;
    enum err e =
        form_check(a, REVISION_NEWEST, under, &params_forms_tool, v, ret_fault);
    if (e != ERR_OK)
        return e;
    take(v, &t);
    arena_init(&scratch, (size_t)8 * TOOL_TEXT_MAX);
    buf_init(&text, TOOL_TEXT_MAX);
    e = write_pinned(&text, &scratch, v, &t.name_at);
    if (e == ERR_OK && !arena_copy(a, buf_str(&text), &t.text))
        e = ERR_LIMIT;
    arena_release(&scratch);
    buf_release(&text);
    if (e != ERR_OK)
        return form_refuse(a, e, under, STR("this definition is too large"),
                           ret_fault);
    t.digest = hash_sha256(&t.text, 1);
    *ret = t;
    return ERR_OK;
}

enum err tool_load(struct arena *a, struct str text, struct tool *ret)
{
    const struct json *v;
    struct tool t = {.needs_task = false};
    struct fault fault;
    if (json_read(a, text, &v, NULL) != ERR_OK ||
        tool_read(a, STR(""), v, &t, &fault) != ERR_OK || !str_eq(t.text, text))
        return ERR_CORRUPT;
    *ret = t;
    return ERR_OK;
}

/* The canonical text with another name; nothing in a name has to be escaped. */
void tool_write(struct buf *to, const struct tool *t, struct str name)
{
    assert(t->name_at > 0 && t->name_at + t->name.len + 2 < t->text.len);
    (void)buf_add(to, str_first(t->text, t->name_at));
    json_write_str(to, name);
    (void)buf_add(to, str_skip(t->text, t->name_at + t->name.len + 2));
}

/* --- pages -------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

/* Is a name there twice?  Those that are refused count, too. */
static enum err check_names(struct arena *a, const struct json *list,
                            struct fault *ret_fault)
{
    size_t n = 0;
    struct str *names = ARENA_NEW(a, struct str, json_count(list));
    struct json_iter it = json_each(list);
    const struct json *v;
    if (names == NULL)
        return form_refuse(a, ERR_LIMIT, STR("/result/tools"), STR(""),
                           ret_fault);
    while (json_next(&it, NULL, &v))
        n += json_str(json_get(v, STR("name")), &names[n]) ? 1 : 0;
    if (n > 1)
        qsort(names, n, sizeof(*names), by_name);
    for (size_t i = 1; i < n; i++) {
        if (str_eq(names[i - 1], names[i]))
            return form_refuse(a, ERR_MALFORMED, STR("/result/tools"),
                               STR("two tools have one name"), ret_fault);
    }
    return ERR_OK;
}

/* Whole characters of a name that nobody vouches for. */
static struct str shown(struct str name)
{
    size_t n = 0;
    while (n < name.len) {
        size_t len = text_utf8_len(str_skip(name, n));
        if (len == 0 || n + len > NAME_MAX_LEN)
            break;
        n += len;
    }
    return str_first(name, n);
}

static enum err read_tools(struct arena *a, const struct json *list,
                           struct tool_page *page, struct fault *ret_fault)
{
    size_t n = json_count(list);
    struct tool *tools = ARENA_NEW(a, struct tool, n);
    struct tool_refused *refused = ARENA_NEW(a, struct tool_refused, n);
    struct json_iter it = json_each(list);
    const struct json *v;
    if (tools == NULL || refused == NULL)
        return form_refuse(a, ERR_LIMIT, STR("/result/tools"), STR(""),
                           ret_fault);
    for (size_t i = 0; json_next(&it, NULL, &v); i++) {
        char room[48];
        int len = snprintf(room, sizeof(room), "/result/tools/%zu", i);
        struct tool_refused *r = &refused[page->refused_count];
        assert(len > 0 && (size_t)len < sizeof(room));
        if (tool_read(a, (struct str){room, (size_t)len}, v,
                      &tools[page->count], &r->fault) == ERR_OK) {
            page->count++;
            continue;
        }
        r->name = shown(text_of(json_get(v, STR("name"))));
        page->refused_count++;
    }
    page->tools = tools;
    page->refused = refused;
    return ERR_OK;
}

enum err tool_read_page(struct arena *a, const struct json *result,
                        struct tool_page *ret, struct fault *ret_fault)
{
    struct tool_page page = {.count = 0};
    const struct json *list = json_get(result, STR("tools"));
    enum err e = form_check(a, REVISION_NEWEST, STR("/result"),
                            &params_forms_tools, result, ret_fault);
    if (e == ERR_OK)
        e = check_names(a, list, ret_fault);
    if (e == ERR_OK)
        e = read_tools(a, list, &page, ret_fault);
    if (e != ERR_OK)
        return e;
    page.has_cursor =
        json_str(json_get(result, STR("nextCursor")), &page.cursor);
    *ret = page;
    return ERR_OK;
}

void tool_write_page(struct buf *to, struct str tools, struct str cursor)
{
    (void)BUF_LIT(to, "{\"tools\":[");
    (void)buf_add(to, tools);
    (void)buf_add_char(to, ']');
    if (cursor.ptr != NULL) {
        (void)BUF_LIT(to, ",\"nextCursor\":");
        json_write_str(to, cursor);
    }
    (void)buf_add_char(to, '}');
}
