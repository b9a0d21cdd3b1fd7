/* cmd_agent.c - `writ agent ...`: the registry of the running node. */
#include "app/admin_client.h"
#include "app/admin_listing.h"
#include "app/cmd.h"
#include "app/cmd_admin.h"
#include "base/limits.h"
#include "codec/uri.h"
#include "crypto/hash.h"

#define BODY_MAX (64 * KIB)

enum { TARGET_MAX = 4096 };

#define KIND_OPTION {"kind", 0, "KIND", "agent, application, workload, human"}
#define REASON_OPTION {"reason", 0, "TEXT", "why; stands in the evidence"}
#define END {NULL, 0, NULL, NULL}

/* clang-format off */
#define TERMS                                                                  \
    {"owner", 0, "NAME", "the person who answers for it; \"alice\", or \"corp|alice\""}, \
    {"purpose", 0, "LIST", "what for; several with commas between"},                  \
    {"mode", 0, "MODE", "delegated (default), autonomous, both"},              \
    {"risk", 0, "LIST", "the most it may do: read (default), write, ..."},     \
    {"expires", 0, "WHEN", "90d, or 2027-01-31; mandatory"},                   \
    {"proposed", 0, NULL, "not active yet"}
/* clang-format on */

const struct cli_option cmd_agent_list_options[] = {
    ADMIN_CLIENT_OPTIONS,
    KIND_OPTION,
    {"state", 0, "STATE", "discovered, proposed, active, suspended, retired"},
    {"owner", 0, "ID", "\"keys|alice\""},
    END,
};
const struct cli_option cmd_agent_show_options[] = {ADMIN_CLIENT_OPTIONS,
                                                    KIND_OPTION, END};
const struct cli_option cmd_agent_state_options[] = {ADMIN_CLIENT_OPTIONS,
                                                     KIND_OPTION, REASON_OPTION,
                                                     END};
const struct cli_option cmd_agent_rotate_options[] = {
    ADMIN_CLIENT_OPTIONS,
    KIND_OPTION,
    REASON_OPTION,
    {"grace", 0, "TIME", "how long older keys go on; 24h (default), 0"},
    END};
const struct cli_option cmd_agent_add_options[] = {
    ADMIN_CLIENT_OPTIONS,
    KIND_OPTION,
    REASON_OPTION,
    {"tenant", 0, "NAME", "mandatory where there are several"},
    {"issuer", 0, "ALIAS", "an issuer of trust.oidc; without: a key is made"},
    {"key-hash", 0, "HASH", "of a key it has already (`writ key hash`)"},
    TERMS,
    END};
const struct cli_option cmd_agent_adopt_options[] = {ADMIN_CLIENT_OPTIONS,
                                                     KIND_OPTION, REASON_OPTION,
                                                     TERMS, END};

/* ---- what is sent ---- */

static void add_text(struct buf *to, const char *name, const char *value)
{
    if (value == NULL)
        return;
    buf_add(to, to->len > 1 ? STR(",") : STR(""));
    json_write_str(to, str_from(name));
    buf_add_char(to, ':');
    json_write_str(to, str_from(value));
}

/* "a,b" as ["a","b"]. */
static void add_list(struct buf *to, const char *name, const char *value)
{
    if (value == NULL)
        return;
    struct str left = str_from(value);
    buf_add(to, to->len > 1 ? STR(",") : STR(""));
    json_write_str(to, str_from(name));
    BUF_LIT(to, ":[");
    for (bool first = true; left.len > 0; first = false) {
        size_t comma = str_find(left, ',');
        buf_add(to, first ? STR("") : STR(","));
        json_write_str(to, str_trim(str_first(left, comma)));
        left = str_skip(left, comma + 1);
    }
    buf_add_char(to, ']');
}

static void add_terms(struct buf *to, const struct cli *c)
{
    add_text(to, "owner", cli_value(c, "owner", NULL));
    add_list(to, "purposes", cli_value(c, "purpose", NULL));
    add_text(to, "mode", cli_value(c, "mode", NULL));
    add_list(to, "risk", cli_value(c, "risk", NULL));
    add_text(to, "expires", cli_value(c, "expires", NULL));
    add_text(to, "reason", cli_value(c, "reason", NULL));
    if (cli_has(c, "proposed"))
        buf_add(to, to->len > 1 ? STR(",\"proposed\":true")
                                : STR("\"proposed\":true"));
}

/* "/admin/v1/agents/-<verb>?id=...&kind=...", with its NUL. */
static void make_target(struct buf *to, const struct cli *c, const char *verb)
{
    const char *kind = cli_value(c, "kind", NULL);

    buf_addf(to, "/admin/v1/agents/-%s?id=", verb);
    uri_add_encoded(to, str_from(c->args[0]));
    if (kind != NULL) {
        BUF_LIT(to, "&kind=");
        uri_add_encoded(to, str_from(kind));
    }
    buf_add_char(to, 0);
}

/* ---- what is shown ---- */

/* An array of texts with commas between. */
static struct str joined(struct arena *a, const struct json *list)
{
    struct json_iter it = json_each(list);
    const struct json *v;
    struct buf text;
    struct str s, kept = {NULL, 0};

    buf_init(&text, BODY_MAX);
    while (json_next(&it, NULL, &v)) {
        if (text.len > 0)
            BUF_LIT(&text, ", ");
        if (json_str(v, &s))
            buf_add(&text, s);
    }
    if (!arena_copy(a, buf_str(&text), &kept))
        kept = (struct str){NULL, 0};
    buf_release(&text);
    return kept;
}

static void print_pair(FILE *out, const char *name, struct str value)
{
    cli_print(out, "%-10s", name);
    cli_print_safe(out, value.len == 0 ? STR("-") : value);
    (void)fputc('\n', out);
}

static void print_keys(FILE *out, const struct json *keys)
{
    struct json_iter it = json_each(keys);
    const struct json *key;

    while (json_next(&it, NULL, &key)) {
        cli_print(out, "%-10s", "key");
        cli_print_safe(out, admin_client_text(key, "fingerprint"));
        cli_print(out, ", until ");
        cli_print_safe(out, admin_client_text(key, "expires"));
        (void)fputc('\n', out);
    }
}

static void print_agent(struct arena *a, const struct json *v, FILE *out)
{
    static const char *const names[] = {"id",      "kind",    "state",
                                        "tenant",  "owner",   "issuer",
                                        "created", "expires", "mode"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        print_pair(out, names[i], admin_client_text(v, names[i]));
    print_pair(out, "purposes", joined(a, json_get(v, STR("purposes"))));
    print_pair(out, "risk", joined(a, json_get(v, STR("risk"))));
    print_keys(out, json_get(v, STR("keys")));
}

static void print_json(const struct json *v, FILE *out)
{
    struct buf text;

    buf_init(&text, ADMIN_CLIENT_ARENA_MAX);
    json_write(&text, v, NULL, 0);
    buf_add_char(&text, '\n');
    if (buf_ok(&text)) {
        (void)fwrite(text.ptr, 1, text.len, out);
        hash_wipe(text.ptr, text.len); /* it may hold a new key */
    }
    buf_release(&text);
}

/* ---- the commands ---- */

static void agent_row(struct arena *a, const struct json *v, struct str *cells)
{
    cells[0] = admin_client_text(v, "id");
    cells[1] = admin_client_text(v, "kind");
    cells[2] = admin_client_text(v, "state");
    cells[3] = admin_client_text(v, "tenant");
    cells[4] = admin_client_text(v, "owner");
    cells[5] = joined(a, json_get(v, STR("purposes")));
    cells[6] = str_first(admin_client_text(v, "expires"), 10);
}

int cmd_agent_list(const struct cli *c)
{
    static const char *const filters[] = {"kind", "state", "owner", NULL};
    static const char *const heads[] = {"ID",      "KIND",  "STATE",
                                        "TENANT",  "OWNER", "PURPOSES",
                                        "EXPIRES", NULL};
    const struct admin_listing l = {
        .path = "/admin/v1/agents",
        .name = "agents",
        .filters = filters,
        .heads = heads,
        .row = agent_row,
    };

    return admin_listing(c, &l);
}

/* A key is shown here and nowhere else. */
static void print_answer(const struct cli *c, struct arena *a,
                         const struct json *v)
{
    const struct json *agent = json_get(v, STR("agent"));
    struct str key = admin_client_text(v, "key");
    bool durable = true;

    if (c->json) {
        print_json(v, c->out);
        return;
    }
    print_agent(a, agent == NULL ? v : agent, c->out);
    if (key.len > 0) {
        cli_print(c->out, "\nIts key, shown this once:\n\n  ");
        cli_print_safe(c->out, key);
        cli_print(c->out, "\n");
    }
    if (json_bool(json_get(v, STR("durable")), &durable) && !durable)
        cli_print(c->err, "writ: it is in effect; its evidence is not written "
                          "yet, the node goes on trying\n");
}

static int ask(const struct cli *c, const char *target, const struct buf *body)
{
    struct arena arena;
    const struct json *v;
    const struct control_client_request r = {.target = target,
                                             .post = body != NULL,
                                             .body = body != NULL
                                                         ? buf_str(body)
                                                         : (struct str){0}};

    arena_init(&arena, ADMIN_CLIENT_ARENA_MAX);
    int code = admin_client_ask(c, &arena, &r, &v);
    if (code == CLI_OK)
        print_answer(c, &arena, v);
    arena_release(&arena);
    return code;
}

/* Asks about one identity; `body` NULL: GET. */
static int ask_one(const struct cli *c, const char *verb, struct buf *body)
{
    struct buf target;
    int code = CLI_USAGE;

    buf_init(&target, TARGET_MAX);
    make_target(&target, c, verb);
    if (buf_ok(&target))
        code = ask(c, target.ptr, body);
    else
        code = cli_usage(c, "the id is too long");
    buf_release(&target);
    return code;
}

int cmd_agent_show(const struct cli *c)
{
    return ask_one(c, "", NULL);
}

static int change(const struct cli *c, const char *verb)
{
    struct buf body;

    buf_init(&body, BODY_MAX);
    buf_add_char(&body, '{');
    add_text(&body, "reason", cli_value(c, "reason", NULL));
    buf_add_char(&body, '}');
    int code = ask_one(c, verb, &body);
    buf_release(&body);
    return code;
}

int cmd_agent_suspend(const struct cli *c)
{
    return change(c, "/suspend");
}

int cmd_agent_resume(const struct cli *c)
{
    return change(c, "/resume");
}

int cmd_agent_retire(const struct cli *c)
{
    return change(c, "/retire");
}

int cmd_agent_rotate(const struct cli *c)
{
    struct buf body;

    buf_init(&body, BODY_MAX);
    buf_add_char(&body, '{');
    add_text(&body, "grace", cli_value(c, "grace", NULL));
    add_text(&body, "reason", cli_value(c, "reason", NULL));
    buf_add_char(&body, '}');
    int code = ask_one(c, "/rotate", &body);
    buf_release(&body);
    return code;
}

int cmd_agent_add(const struct cli *c)
{
    struct buf body;

    if (!cli_has(c, "expires"))
        return cli_usage(c, "--expires is missing: nobody is here for ever");
    buf_init(&body, BODY_MAX);
    buf_add_char(&body, '{');
    add_text(&body, "name", c->args[0]);
    add_text(&body, "kind", cli_value(c, "kind", NULL));
    add_text(&body, "tenant", cli_value(c, "tenant", NULL));
    add_text(&body, "issuer", cli_value(c, "issuer", NULL));
    add_text(&body, "key_hash", cli_value(c, "key-hash", NULL));
    add_terms(&body, c);
    buf_add_char(&body, '}');
    int code = buf_ok(&body) ? ask(c, "/admin/v1/agents", &body)
                             : cli_usage(c, "this is too long");
    buf_release(&body);
    return code;
}

int cmd_agent_adopt(const struct cli *c)
{
    struct buf body;

    if (!cli_has(c, "expires"))
        return cli_usage(c, "--expires is missing: nobody is here for ever");
    buf_init(&body, BODY_MAX);
    buf_add_char(&body, '{');
    add_text(&body, "id", c->args[0]);
    add_text(&body, "kind", cli_value(c, "kind", NULL));
    add_terms(&body, c);
    buf_add_char(&body, '}');
    int code = buf_ok(&body) ? ask(c, "/admin/v1/agents/adopt", &body)
                             : cli_usage(c, "this is too long");
    buf_release(&body);
    return code;
}
