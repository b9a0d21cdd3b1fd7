/* entry_view.c - see entry_view.h. */
#include "app/entry_view.h"

#include "app/cli.h"
#include "base/attr.h"
#include "base/text.h"
#include "codec/json.h"

enum { CELL_MAX = 256, INDENT_MAX = 16, SCALAR_MAX = 64 * 1024 };

#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define DIM "\033[2m"
#define PLAIN "\033[0m"

static const char *const kinds[] = {
    "intent",   "outcome",    "refusal",   "session", "token", "credential",
    "approval", "revocation", "lifecycle", "policy",  "admin", "tool",
};

bool entry_view_is_kind(struct str kind)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (str_eq(kind, str_from(kinds[i])))
            return true;
    }
    return false;
}

static struct str text_of(const struct json *v)
{
    struct str s = {NULL, 0};
    return json_str(v, &s) ? s : STR("");
}

static struct str member(const struct json *v, const char *name)
{
    return text_of(json_get(v, str_from(name)));
}

/* "2026-11-20T07:30:00.123456Z" as "11-20 07:30:00.123". */
static void print_time(const struct json *v, FILE *out)
{
    struct str time = member(v, "time");
    if (time.len < 23)
        cli_print(out, "%-18s", "-");
    else
        cli_print(out, "%.5s %.12s", time.ptr + 5, time.ptr + 11);
}

/* A cell is text of a fixed width, cut where it is longer. */
struct cell {
    char text[CELL_MAX];
    size_t len;
};

static void put(struct cell *c, struct str s)
{
    size_t n =
        s.len < sizeof(c->text) - c->len ? s.len : sizeof(c->text) - c->len;
    if (n > 0)
        memcpy(c->text + c->len, s.ptr, n);
    c->len += n;
}

/* How many columns `s` takes, and where it has to end to take `max`. */
static size_t columns(struct str s, size_t max, size_t *ret_end)
{
    size_t n = 0;
    size_t at = 0;
    *ret_end = 0;
    while (at < s.len) {
        size_t len = text_utf8_len(str_skip(s, at));
        at += len == 0 ? 1 : len;
        n++;
        if (n <= max)
            *ret_end = at;
    }
    return n;
}

static void print_cell(const struct cell *c, size_t width, const char *color,
                       FILE *out)
{
    struct str s = c->len == 0 ? STR("-") : (struct str){c->text, c->len};
    size_t end;
    size_t n = columns(s, width, &end);
    bool cut = n > width;
    if (cut)
        (void)columns(s, width - 1, &end);
    cli_print(out, " %s", color);
    cli_print_safe(out, str_first(s, end));
    cli_print(out, "%s%s", cut ? "~" : "", *color != 0 ? PLAIN : "");
    for (size_t i = cut ? width : n; i < width; i++)
        (void)fputc(' ', out);
}

static struct cell cell_of(struct str s)
{
    struct cell cell = {.len = 0};
    put(&cell, s);
    return cell;
}

static struct cell number_of(const struct json *v)
{
    int64_t n;
    char text[24];
    if (!json_i64(v, &n))
        return (struct cell){.len = 0};
    int len = snprintf(text, sizeof(text), "%lld", (long long)n);
    return cell_of((struct str){text, (size_t)len});
}

/* The chain, first link first: "alice>notebook"; who changed something; or
 * where nobody known was. */
static struct cell who_of(const struct json *v)
{
    struct cell cell = {.len = 0};
    struct json_iter it = json_each(json_get(v, STR("chain")));
    const struct json *link;
    while (json_next(&it, NULL, &link)) {
        if (cell.len > 0)
            put(&cell, STR(">"));
        put(&cell, member(link, "id"));
    }
    if (cell.len == 0)
        put(&cell, member(json_get(v, STR("author")), "id"));
    if (cell.len == 0)
        put(&cell, member(v, "source"));
    return cell;
}

/* The provider's name for the model that was chosen. */
static struct str chosen_model(const struct json *v)
{
    const struct json *route = json_get(v, STR("route"));
    int64_t chosen;
    if (!json_i64(json_get(route, STR("chosen")), &chosen) || chosen < 0)
        return (struct str){NULL, 0};
    return member(json_at(json_get(route, STR("candidates")), (size_t)chosen),
                  "model");
}

/* "small -> openai/gpt-4o-mini"; of an outcome, what it is the outcome of. */
static struct cell where_of(const struct json *v)
{
    struct cell cell = {.len = 0};
    struct str provider = member(json_get(v, STR("destination")), "provider");
    struct str model = chosen_model(v);
    struct cell intent = number_of(json_get(v, STR("intent")));
    struct cell count = number_of(json_get(v, STR("count")));
    put(&cell, member(json_get(v, STR("resource")), "id"));
    put(&cell, member(json_get(v, STR("subject")), "id"));
    if (cell.len == 0)
        put(&cell, member(v, "detail"));
    if (provider.len > 0)
        put(&cell, STR(" -> "));
    put(&cell, provider);
    if (model.len > 0)
        put(&cell, STR("/"));
    put(&cell, model);
    if (intent.len > 0)
        put(&cell, STR("of "));
    put(&cell, (struct str){intent.text, intent.len});
    if (count.len > 0)
        put(&cell, STR("x "));
    put(&cell, (struct str){count.text, count.len});
    return cell;
}

/* "12+34" */
static struct cell tokens_of(const struct json *v)
{
    const struct json *usage =
        json_get(json_get(v, STR("response")), STR("usage"));
    struct cell in = number_of(json_get(usage, STR("input_tokens")));
    struct cell out = number_of(json_get(usage, STR("output_tokens")));
    struct cell cell = {.len = 0};
    if (in.len == 0 && out.len == 0)
        return cell;
    put(&cell, in.len == 0 ? STR("?") : (struct str){in.text, in.len});
    put(&cell, STR("+"));
    put(&cell, out.len == 0 ? STR("?") : (struct str){out.text, out.len});
    return cell;
}

static void put_word(struct cell *c, struct str s)
{
    if (c->len > 0 && s.len > 0)
        put(c, STR(" "));
    put(c, s);
}

/* What a second set of policies would have said, when it is another thing. */
static struct str other_effect(const struct json *v)
{
    const struct json *decision = json_get(v, STR("decision"));
    struct str shadow = member(json_get(decision, STR("shadow")), "effect");
    return str_eq(shadow, member(decision, "effect")) ? STR("") : shadow;
}

/* Which policies determined it: "by people,agents". */
static void put_policies(struct cell *to, const struct json *v)
{
    const struct json *decision = json_get(v, STR("decision"));
    struct json_iter it = json_each(json_get(decision, STR("policies")));
    const struct json *id;
    for (bool first = true; json_next(&it, NULL, &id); first = false) {
        put(to, !first ? STR(",") : to->len > 0 ? STR(" by ") : STR("by "));
        put(to, text_of(id));
    }
}

/* Which ticket something happened to: "ticket 1a2b3c4d5e6f". */
static void put_ticket(struct cell *to, const struct json *v)
{
    enum { SHOWN = 12 };

    if (!str_eq(member(v, "kind"), STR("approval")))
        return;
    put_word(to, STR("ticket"));
    put_word(to, str_first(member(json_get(v, STR("approval")), "id"), SHOWN));
}

/* How it ended, the destination's status, what went wrong: "ok 200".  Of what
 * only was decided: which policies did, and who saw it differently. */
static struct cell status_of(const struct json *v)
{
    struct cell cell = {.len = 0};
    struct cell http =
        number_of(json_get(json_get(v, STR("response")), STR("status")));
    put_word(&cell, member(v, "status"));
    put_word(&cell, (struct str){http.text, http.len});
    put_word(&cell, member(json_get(v, STR("error")), "code"));
    if (other_effect(v).len > 0) {
        put_word(&cell, STR("shadow:"));
        put(&cell, other_effect(v));
    }
    put_policies(&cell, v);
    put_ticket(&cell, v);
    return cell;
}

static const char *color_of(struct str effect)
{
    if (str_eq(effect, STR("allow")))
        return GREEN;
    if (str_eq(effect, STR("deny")))
        return RED;
    return effect.len > 0 ? YELLOW : "";
}

/* Width of the cells; the index stands before, the milliseconds behind. */
enum {
    WIDTH_INDEX = 8,
    WIDTH_TIME = 18,
    WIDTH_KIND = 10,
    WIDTH_WHO = 20,
    WIDTH_ACTION = 12,
    WIDTH_WHERE = 32,
    WIDTH_DECISION = 8,
    WIDTH_STATUS = 23,
    WIDTH_TOKENS = 11,
    WIDTH_MS = 6,
};

void entry_view_head(FILE *out)
{
    cli_print(out, "%*s %-*s %-*s %-*s %-*s %-*s %-*s %-*s %-*s %*s\n",
              WIDTH_INDEX, "INDEX", WIDTH_TIME, "TIME (UTC)", WIDTH_KIND,
              "KIND", WIDTH_WHO, "WHO", WIDTH_ACTION, "ACTION", WIDTH_WHERE,
              "RESOURCE -> DESTINATION", WIDTH_DECISION, "DECISION",
              WIDTH_STATUS, "STATUS", WIDTH_TOKENS, "TOKENS", WIDTH_MS, "MS");
}

static enum err read_entry(struct arena *a, const struct ledger_entry *e,
                           const struct json **ret)
{
    enum err err = json_read(a, e->text, ret, NULL);
    return err == ERR_OK && json_type(*ret) != JSON_OBJECT ? ERR_MALFORMED
                                                           : err;
}

enum err entry_view_kind(struct arena *a, const struct ledger_entry *e,
                         struct str *ret)
{
    const struct json *v;
    enum err err = read_entry(a, e, &v);
    if (err == ERR_OK)
        *ret = member(v, "kind");
    return err;
}

enum err entry_view_row(struct arena *a, const struct ledger_entry *e,
                        bool color, FILE *out)
{
    const struct json *v;
    enum err err = read_entry(a, e, &v);
    if (err != ERR_OK)
        return err;
    struct str effect = member(json_get(v, STR("decision")), "effect");
    struct cell kind = cell_of(member(v, "kind"));
    struct cell who = who_of(v);
    /* Of a change, what was done says more than which right it took. */
    struct str event = member(v, "event");
    struct cell action = cell_of(event.len > 0 ? event : member(v, "action"));
    struct cell where = where_of(v);
    struct cell decision = cell_of(effect);
    struct cell status = status_of(v);
    struct cell tokens = tokens_of(v);
    struct cell ms = number_of(json_get(v, STR("duration_ms")));
    cli_print(out, "%s%*llu%s ", color ? DIM : "", WIDTH_INDEX,
              (unsigned long long)e->index, color ? PLAIN : "");
    print_time(v, out);
    print_cell(&kind, WIDTH_KIND, "", out);
    print_cell(&who, WIDTH_WHO, "", out);
    print_cell(&action, WIDTH_ACTION, "", out);
    print_cell(&where, WIDTH_WHERE, "", out);
    print_cell(&decision, WIDTH_DECISION, color ? color_of(effect) : "", out);
    print_cell(&status, WIDTH_STATUS, "", out);
    print_cell(&tokens, WIDTH_TOKENS, "", out);
    cli_print(out, " %*.*s\n", WIDTH_MS, ms.len == 0 ? 1 : (int)ms.len,
              ms.len == 0 ? "-" : ms.text);
    return ERR_OK;
}

static void print_scalar(const struct json *v, FILE *out)
{
    struct buf text;
    buf_init(&text, SCALAR_MAX);
    json_write(&text, v, NULL, 0);
    cli_print_safe(out, buf_str(&text));
    buf_release(&text);
}

static void print_value(const struct json *v, unsigned depth, FILE *out)
{
    bool object = json_type(v) == JSON_OBJECT;
    bool many = (object || json_type(v) == JSON_ARRAY) && json_count(v) > 0;
    struct json_iter it = json_each(v);
    struct str name;
    const struct json *child;
    bool first = true;
    if (!many || depth == INDENT_MAX) {
        print_scalar(v, out);
        return;
    }
    (void)fputc(object ? '{' : '[', out);
    while (json_next(&it, &name, &child)) {
        cli_print(out, "%s\n%*s", first ? "" : ",", (int)(2 * depth + 2), "");
        first = false;
        if (object) {
            (void)fputc('"', out);
            cli_print_safe(out, name);
            (void)fputs("\": ", out);
        }
        print_value(child, depth + 1, out);
    }
    cli_print(out, "\n%*s%c", (int)(2 * depth), "", object ? '}' : ']');
}

static void print_policies(const struct json *list, FILE *out)
{
    struct json_iter it = json_each(list);
    const struct json *id;
    for (bool first = true; json_next(&it, NULL, &id); first = false) {
        cli_print(out, first ? ", by \"" : ", \"");
        cli_print_safe(out, text_of(id));
        cli_print(out, "\"");
    }
}

/* One line for people: "decision: deny, no policy permits it".  `asked`: the
 * policies were; who is not known or suspended never gets to them. */
static void print_decision(const char *name, const struct json *v, bool asked,
                           FILE *out)
{
    struct str effect = member(v, "effect");
    const struct json *policies = json_get(v, STR("policies"));
    int64_t errors = 0;
    (void)!json_i64(json_get(v, STR("errors")), &errors);
    if (effect.len == 0)
        return;
    cli_print(out, "%s: ", name);
    cli_print_safe(out, effect);
    print_policies(policies, out);
    if (errors > 0)
        cli_print(out, ", %lld could not be evaluated", (long long)errors);
    else if (asked && str_eq(effect, STR("deny")) && json_count(policies) == 0)
        cli_print(out, ", no policy permits it");
    (void)fputc('\n', out);
}

/* Who let it pass: "approved: by local|ada, ticket 1a2b...". */
static void print_approval(const struct json *v, FILE *out)
{
    const struct json *approval = json_get(v, STR("approval"));
    struct json_iter it = json_each(json_get(approval, STR("by")));
    const struct json *id;
    bool first = true;
    for (; json_next(&it, NULL, &id); first = false) {
        cli_print(out, first ? "approved: by " : ", ");
        cli_print_safe(out, text_of(id));
    }
    if (first)
        return;
    cli_print(out, ", ticket ");
    cli_print_safe(out, member(approval, "id"));
    (void)fputc('\n', out);
}

static void print_decisions(const struct json *v, FILE *out)
{
    const struct json *decision = json_get(v, STR("decision"));
    struct str code = member(json_get(v, STR("error")), "code");
    print_decision("decision", decision, str_eq(code, STR("denied")), out);
    print_decision("shadow", json_get(decision, STR("shadow")), true, out);
    print_approval(v, out);
}

enum err entry_view_whole(struct arena *a, const struct ledger_entry *e,
                          FILE *out)
{
    char time[TEXT_TIME_LEN];
    const struct json *v;
    enum err err = read_entry(a, e, &v);
    if (err != ERR_OK)
        return err;
    text_time(e->wall_us, time);
    cli_print(out, "entry %llu, committed %.*s\n", (unsigned long long)e->index,
              (int)sizeof(time), time);
    print_decisions(v, out);
    print_value(v, 0, out);
    (void)fputc('\n', out);
    return ERR_OK;
}

void entry_view_json(const struct ledger_entry *e, FILE *out)
{
    char time[TEXT_TIME_LEN];
    text_time(e->wall_us, time);
    cli_print(out, "{\"index\":%llu,\"committed\":\"%.*s\",\"entry\":%.*s}\n",
              (unsigned long long)e->index, (int)sizeof(time), time,
              STR_FMT(e->text));
}
