/* refusal.c - see refusal.h. */
#include "mcp/refusal.h"

#include <assert.h>

enum { POINTER_MAX = JSON_SCHEMA_POINTER_MAX + 32, DATA_MAX = 16384 };

int refusal_code(enum err e)
{
    int status = err_http_status(e);
    return status >= 500 || e == ERR_OK ? FAULT_INTERNAL : status;
}

struct fault refusal_of(enum err e)
{
    return (struct fault){
        .err = e,
        .code = refusal_code(e),
        .text = str_from(err_text(e)),
    };
}

struct fault refusal_of_arguments(struct arena *a, enum err e,
                                  const struct json_schema_failure *why)
{
    char room[POINTER_MAX];
    struct buf pointer;
    struct fault f = {.err = e, .code = FAULT_PARAMS};
    buf_init_lent(&pointer, room, sizeof(room));
    (void)BUF_LIT(&pointer, "/params/arguments");
    (void)buf_add(&pointer, str_from(why->pointer));
    if (!buf_ok(&pointer) || !arena_copy(a, buf_str(&pointer), &f.pointer))
        f.pointer = STR("/params/arguments");
    if (why->text[0] == '\0' || !arena_copy(a, str_from(why->text), &f.text))
        f.text = STR("the arguments do not fit the tool's schema");
    return f;
}

static struct str reason(const struct refusal *r)
{
    return str_from(err_code(r->fault.err));
}

static void add_pair(struct buf *to, bool *first, struct str name,
                     struct str value)
{
    if (value.len == 0)
        return;
    if (!*first)
        (void)buf_add_char(to, ',');
    *first = false;
    json_write_str(to, name);
    (void)buf_add_char(to, ':');
    json_write_str(to, value);
}

void refusal_write_error(struct buf *to, struct message_id id,
                         const struct refusal *r)
{
    struct buf data;
    bool first = true;
    buf_init(&data, DATA_MAX);
    (void)buf_add_char(&data, '{');
    add_pair(&data, &first, STR("reason"), reason(r));
    add_pair(&data, &first, STR("decision"), r->decision);
    add_pair(&data, &first, STR("pointer"), r->fault.pointer);
    add_pair(&data, &first, STR("ticket"), r->ticket);
    (void)buf_add_char(&data, '}');
    message_write_error(to, id, r->fault.code, r->fault.text,
                        buf_ok(&data) ? buf_str(&data) : STR(""));
    buf_release(&data);
}

bool refusal_is_result(const struct refusal *r, enum revision revision)
{
    if (r->fault.err == ERR_APPROVAL_PENDING ||
        err_http_status(r->fault.err) == 401)
        return false;
    if (str_starts(r->fault.pointer, STR("/params/arguments")))
        return revision >= REVISION_2025_11_25;
    return r->fault.code >= 0 || r->fault.code == FAULT_INTERNAL;
}

/* What a model reads: what happened, why, and that the same again is vain. */
static void write_sentence(struct buf *to, const struct refusal *r)
{
    (void)BUF_LIT(to, "The gateway refused this call (");
    (void)buf_add(to, reason(r));
    (void)BUF_LIT(to, "): ");
    (void)buf_add(to, r->fault.text);
    if (r->fault.pointer.len > 0) {
        (void)BUF_LIT(to, ", at ");
        (void)buf_add(to, r->fault.pointer);
    }
    (void)buf_add_char(to, '.');
    if (err_http_status(r->fault.err) == 403)
        (void)BUF_LIT(to, " The same call will be refused again.");
    if (r->decision.len > 0) {
        (void)BUF_LIT(to, " Decision ");
        (void)buf_add(to, r->decision);
        (void)buf_add_char(to, '.');
    }
}

void refusal_write_result(struct buf *to, struct message_id id,
                          const struct refusal *r)
{
    struct buf text;
    struct buf result;
    bool first = true;
    assert(r->fault.err != ERR_APPROVAL_PENDING);
    buf_init(&text, DATA_MAX);
    buf_init(&result, (size_t)8 * DATA_MAX);
    write_sentence(&text, r);
    (void)BUF_LIT(&result, "{\"content\":[{\"type\":\"text\",\"text\":");
    json_write_str(&result, buf_str(&text));
    (void)BUF_LIT(&result, "}],\"isError\":true,\"_meta\":{");
    add_pair(&result, &first, STR("writ/reason"), reason(r));
    add_pair(&result, &first, STR("writ/decision"), r->decision);
    (void)BUF_LIT(&result, "}}");
    if (buf_ok(&text) && buf_ok(&result))
        message_write_result(to, id, buf_str(&result));
    else
        to->failed = true;
    buf_release(&text);
    buf_release(&result);
}
