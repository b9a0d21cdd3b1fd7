/* entry_words.c - see entry_words.h. */
#include "app/entry_words.h"

#include "base/attr.h"
#include "base/buf.h"

/* What does not fit is cut: chains and names are bounded, reasons are not. */
enum { TEXT_MAX = 2048, ID_SHOWN = 12, TIME_SHOWN = 19 };

struct text {
    struct buf buf;
    char room[TEXT_MAX];
};

static void text_begin(struct text *t)
{
    buf_init_lent(&t->buf, t->room, sizeof(t->room));
}

static void put(struct text *t, const char *before, struct str s)
{
    size_t left = sizeof(t->room) - 1 - t->buf.len;

    if (s.len == 0)
        return;
    if (t->buf.len > 0 && strlen(before) < left) {
        buf_add(&t->buf, str_from(before));
        left -= strlen(before);
    }
    buf_add(&t->buf, str_first(s, left));
}

static enum err keep(struct arena *a, const struct text *t, struct str *ret)
{
    return arena_copy(a, buf_str(&t->buf), ret) ? ERR_OK : ERR_NO_MEMORY;
}

static struct str member(const struct json *v, const char *name)
{
    struct str s = {NULL, 0};
    return json_str(json_get(v, str_from(name)), &s) ? s : STR("");
}

/* Numbers keep their text. */
static struct str number(const struct json *v, const char *name)
{
    struct str s = {NULL, 0};
    return json_number(json_get(v, str_from(name)), &s) ? s : STR("");
}

/* The strings of a list, or that member of each. */
static void put_list(struct text *t, const char *before,
                     const struct json *list, const char *name)
{
    struct json_iter it = json_each(list);
    const struct json *v;

    for (bool first = true; json_next(&it, NULL, &v); first = false) {
        struct str s = {NULL, 0};
        if (!json_str(name != NULL ? json_get(v, str_from(name)) : v, &s))
            continue;
        put(t, first ? before : ", ", s);
    }
}

/* ---- who ---- */

static void write_who(struct text *t, const struct json *v)
{
    struct json_iter it = json_each(json_get(v, STR("chain")));
    const struct json *link;

    while (json_next(&it, NULL, &link))
        put(t, " > ", member(link, "id"));
}

/* ---- what ---- */

/* The provider's name for the model that was chosen. */
static struct str model_of(const struct json *v)
{
    const struct json *route = json_get(v, STR("route"));
    int64_t chosen;

    if (!json_i64(json_get(route, STR("chosen")), &chosen) || chosen < 0)
        return STR("");
    return member(json_at(json_get(route, STR("candidates")), (size_t)chosen),
                  "model");
}

static void write_call(struct text *t, const struct json *v)
{
    put(t, " ", member(v, "action"));
    put(t, " ", member(json_get(v, STR("resource")), "id"));
    put(t, " -> ", member(json_get(v, STR("destination")), "provider"));
    put(t, "/", model_of(v));
    if (t->buf.len == 0)
        put(t, "", STR("a call"));
}

/* "read_note quarantined, pay pinned" */
static void write_tools(struct text *t, const struct json *tools)
{
    struct json_iter it = json_each(tools);
    const struct json *tool;

    for (bool first = true; json_next(&it, NULL, &tool); first = false) {
        put(t, first ? ": " : ", ", member(tool, "name"));
        put(t, " ", member(tool, "state"));
    }
}

/* "suspend acme/notebook by local|uid:0: a closer look" */
static void write_event(struct text *t, const struct json *v)
{
    put(t, "", member(v, "kind"));
    put(t, " ", member(v, member(v, "event").len > 0 ? "event" : "action"));
    put(t, " ", member(json_get(v, STR("subject")), "id"));
    put(t, " ", member(json_get(v, STR("error")), "code"));
    put(t, " x ", number(v, "count"));
    put(t, " from ", member(v, "source"));
    write_tools(t, json_get(v, STR("tools")));
    put(t, " by ", member(json_get(v, STR("author")), "id"));
    put(t, ": ", member(v, "detail"));
}

/* What people were asked, or said. */
static void write_word(struct text *t, const struct json *v)
{
    const struct json *approval = json_get(v, STR("approval"));

    put(t, "", member(v, "event"));
    put(t, " ticket ", str_first(member(approval, "id"), ID_SHOWN));
    put_list(t, ": needs ", json_get(approval, STR("needs")), "group");
    put(t, " by ", member(json_get(v, STR("author")), "id"));
    put(t, ": ", member(v, "detail"));
}

static void write_what(struct text *t, const struct json *v)
{
    struct str kind = member(v, "kind");

    if (str_eq(kind, STR("session")))
        put(t, "", str_first(member(v, "time"), TIME_SHOWN));
    else if (str_eq(kind, STR("approval")))
        write_word(t, v);
    else if (member(v, "id").len > 0)
        write_call(t, v);
    else
        write_event(t, v);
}

/* ---- why ---- */

/* Which policies: " by research, large payments". */
static void put_policies(struct text *t, const struct json *v)
{
    const struct json *policies =
        json_get(json_get(v, STR("decision")), STR("policies"));

    if (json_count(policies) == 0)
        return;
    put(t, " ", STR("by"));
    put_list(t, " ", policies, NULL);
}

static void write_why(struct text *t, const struct json *v)
{
    const struct json *decision = json_get(v, STR("decision"));
    const struct json *approval = json_get(v, STR("approval"));
    bool allowed = str_eq(member(decision, "effect"), STR("allow"));
    struct str code = member(json_get(v, STR("error")), "code");

    if (member(v, "id").len == 0 || str_eq(member(v, "kind"), STR("approval")))
        return;
    if (!allowed)
        put(t, "", code);
    put_policies(t, v);
    if (str_eq(code, STR("denied")) &&
        json_count(json_get(decision, STR("policies"))) == 0)
        put(t, ", ", STR("no policy permits it"));
    if (allowed && code.len > 0) {
        put(t, "; ", STR("refused"));
        put(t, ": ", code);
    }
    put_list(t, "; approved by ", json_get(approval, STR("by")), NULL);
}

/* ---- an entry ---- */

enum err entry_words_read(struct arena *a, const struct json *v,
                          struct entry_words *ret)
{
    static const char *const names[] = {"kind", "id", "parent", "session"};
    struct entry_words w = {0};
    struct str *const to[] = {&w.kind, &w.id, &w.parent, &w.session};
    static void (*const write[])(struct text *,
                                 const struct json *) = {write_who, write_what,
                                                         write_why};
    struct str *const texts[] = {&w.who, &w.what, &w.why};
    struct text t;
    bool ok = true;

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        ok = ok && arena_copy(a, member(v, names[i]), to[i]);
    ok = ok &&
         arena_copy(a, member(json_get(v, STR("approval")), "id"), &w.ticket);
    ok = ok && arena_copy(a, member(json_get(v, STR("decision")), "effect"),
                          &w.effect);
    for (size_t i = 0; ok && i < ARRAY_LEN(texts); i++) {
        text_begin(&t);
        write[i](&t, v);
        ok = keep(a, &t, texts[i]) == ERR_OK;
    }
    if (!ok)
        return ERR_NO_MEMORY;
    *ret = w;
    return ERR_OK;
}

bool entry_words_is_outcome(const struct json *v, uint64_t *ret_intent)
{
    int64_t intent = -1;

    if (!str_eq(member(v, "kind"), STR("outcome")))
        return false;
    (void)!json_i64(json_get(v, STR("intent")), &intent);
    *ret_intent = intent < 0 ? UINT64_MAX : (uint64_t)intent;
    return true;
}

enum err entry_words_outcome(struct arena *a, const struct json *v,
                             struct str *ret)
{
    struct text t;

    text_begin(&t);
    put(&t, "", member(v, "status"));
    put(&t, " ", number(json_get(v, STR("response")), "status"));
    put(&t, " ", member(json_get(v, STR("error")), "code"));
    put(&t, ", ", number(v, "duration_ms"));
    if (number(v, "duration_ms").len > 0)
        put(&t, " ", STR("ms"));
    return keep(a, &t, ret);
}
