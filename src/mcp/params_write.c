/* params_write.c - see params.h. */
#include "mcp/params.h"

#include <assert.h>

#include "base/attr.h"

/* Room for values that differ; mostly a number, rarely a long name. */
enum { SCRATCH_FIRST = 512, SCRATCH_MAX = 1 << 20, PATCHES_MAX = 4 };

/* The members that differ, their values one behind the other in `scratch`,
 * which may move while it grows. */
struct patches {
    struct buf scratch;
    struct {
        struct str name;
        size_t from, to;
        bool drop;
    } at[PATCHES_MAX];
    size_t n;
};

static void begin(struct patches *l, struct str name)
{
    assert(l->n < PATCHES_MAX);
    l->at[l->n].name = name;
    l->at[l->n].from = l->scratch.len;
    l->at[l->n].drop = false;
}

static void end(struct patches *l)
{
    l->at[l->n++].to = l->scratch.len;
}

static void add_str(struct patches *l, struct str name, struct str value)
{
    if (value.ptr == NULL)
        return;
    begin(l, name);
    json_write_str(&l->scratch, value);
    end(l);
}

static void add_id(struct patches *l, struct str name, struct message_id id)
{
    if (id.type == MESSAGE_ID_NONE)
        return;
    begin(l, name);
    message_id_write(&l->scratch, id);
    end(l);
}

/* `_meta` with the progress token of the next hop, or without one. */
static void add_meta(struct patches *l, const struct params *p,
                     struct message_id token)
{
    char room[MESSAGE_ID_MAX * 6 + 2] UNINITIALIZED; /* all escaped */
    struct buf raw;
    if (token.type == MESSAGE_ID_NONE && p->token.type == MESSAGE_ID_NONE)
        return;
    buf_init_lent(&raw, room, sizeof(room));
    if (token.type != MESSAGE_ID_NONE)
        message_id_write(&raw, token);
    struct json_patch patch = {STR_INIT("progressToken"),
                               token.type != MESSAGE_ID_NONE
                                   ? buf_str(&raw)
                                   : (struct str){NULL, 0}};
    begin(l, STR("_meta"));
    if (p->meta != NULL) {
        json_write(&l->scratch, p->meta, &patch, 1);
    } else {
        (void)BUF_LIT(&l->scratch, "{\"progressToken\":");
        (void)buf_add(&l->scratch, buf_str(&raw));
        (void)buf_add_char(&l->scratch, '}');
    }
    end(l);
}

/* `ref` with another name or URI. */
static void add_ref(struct patches *l, const struct params *p,
                    const struct params_change *change)
{
    bool is_prompt = p->complete.is_prompt;
    struct str value = is_prompt ? change->name : change->uri;
    struct buf raw;
    if (value.ptr == NULL)
        return;
    buf_init(&raw, SCRATCH_MAX);
    json_write_str(&raw, value);
    struct json_patch patch = {is_prompt ? STR("name") : STR("uri"),
                               buf_str(&raw)};
    begin(l, STR("ref"));
    json_write(&l->scratch, json_get(p->body, STR("ref")), &patch, 1);
    end(l);
    if (!buf_ok(&raw))
        l->scratch.failed = true;
    buf_release(&raw);
}

static void add_cursor(struct patches *l, const struct params *p,
                       const struct params_change *change)
{
    add_str(l, STR("cursor"), change->cursor);
    if (change->cursor.ptr == NULL && change->drop_cursor &&
        p->page.has_cursor) {
        begin(l, STR("cursor"));
        l->at[l->n].drop = true;
        end(l);
    }
}

/* A call without arguments was decided as one with none, and says so. */
static void add_arguments(struct patches *l, const struct params *p)
{
    if (p->call.arguments != NULL)
        return;
    begin(l, STR("arguments"));
    (void)BUF_LIT(&l->scratch, "{}");
    end(l);
}

/* Methods whose `uri` says what they are about. */
static bool has_uri(enum method m)
{
    return m == METHOD_RESOURCES_READ || m == METHOD_RESOURCES_SUBSCRIBE ||
           m == METHOD_RESOURCES_UNSUBSCRIBE || m == METHOD_RESOURCE_UPDATED;
}

static void add_changes(struct patches *l, const struct params *p,
                        const struct params_change *change)
{
    if (p->method == METHOD_TOOLS_CALL || p->method == METHOD_PROMPTS_GET)
        add_str(l, STR("name"), change->name);
    else if (method_row(p->method)->policy == METHOD_FILTERED)
        add_cursor(l, p, change);
    else if (has_uri(p->method))
        add_str(l, STR("uri"), change->uri);
    else if (p->method == METHOD_COMPLETE)
        add_ref(l, p, change);
    else if (p->method == METHOD_CANCELLED)
        add_id(l, STR("requestId"), change->request);

    if (p->method == METHOD_PROGRESS)
        add_id(l, STR("progressToken"), change->token);
    else
        add_meta(l, p, change->token);
}

static void collect(struct patches *l, const struct params *p,
                    const struct params_change *change)
{
    l->n = 0;
    if (p->method == METHOD_TOOLS_CALL)
        add_arguments(l, p);
    if (change != NULL)
        add_changes(l, p, change);
}

/* Where there were no params: the members that are new, or nothing. */
static void write_new(struct buf *to, const struct json_patch *patches,
                      size_t n)
{
    for (size_t i = 0; i < n; i++) {
        (void)buf_add_char(to, i == 0 ? '{' : ',');
        json_write_str(to, patches[i].name);
        (void)buf_add_char(to, ':');
        (void)buf_add(to, patches[i].raw);
    }
    if (n > 0)
        (void)buf_add_char(to, '}');
}

void params_write(struct buf *to, const struct params *p,
                  const struct params_change *change)
{
    char first[SCRATCH_FIRST] UNINITIALIZED;
    struct json_patch patches[PATCHES_MAX];
    struct patches l;

    buf_init_lent(&l.scratch, first, sizeof(first));
    collect(&l, p, change);
    if (!buf_ok(&l.scratch)) {
        buf_init(&l.scratch, SCRATCH_MAX);
        collect(&l, p, change);
    }
    struct str raw = buf_str(&l.scratch);
    for (size_t i = 0; i < l.n; i++) {
        patches[i].name = l.at[i].name;
        patches[i].raw = l.at[i].drop ? (struct str){NULL, 0}
                                      : str_first(str_skip(raw, l.at[i].from),
                                                  l.at[i].to - l.at[i].from);
    }
    if (!buf_ok(&l.scratch))
        to->failed = true;
    else if (p->body != NULL)
        json_write(to, p->body, patches, l.n);
    else
        write_new(to, patches, l.n);
    buf_release(&l.scratch);
}
