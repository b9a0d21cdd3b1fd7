/* cmd_status.c - `writ status`: what the running node says of itself, over
 * the socket in its data directory. */
#include <inttypes.h>

#include "app/cmd.h"
#include "app/cmd_load.h"
#include "app/control_client.h"
#include "base/limits.h"
#include "codec/json.h"
#include "os/file.h"

#define STATUS_ARENA_MAX (16 * MIB)

static struct str text_of(const struct json *v, const char *name)
{
    struct str s;
    return json_str(json_get(v, str_from(name)), &s) ? s : STR("-");
}

static int64_t number_of(const struct json *v, const char *name)
{
    int64_t n;
    return json_i64(json_get(v, str_from(name)), &n) ? n : 0;
}

static bool flag_of(const struct json *v, const char *name)
{
    bool b;
    return json_bool(json_get(v, str_from(name)), &b) && b;
}

static void label(FILE *out, const char *name)
{
    cli_print(out, "%-10s", name);
}

/* The text of a member, which is the node's and so made safe. */
static void print(FILE *out, const struct json *v, const char *name)
{
    cli_print_safe(out, text_of(v, name));
}

static void print_node(const struct json *v, FILE *out)
{
    bool serving = str_eq(text_of(v, "serving"), STR("yes"));
    label(out, "node");
    print(out, v, "node");
    cli_print(out, ", %s since ", serving ? "serving" : "NOT serving");
    print(out, v, "started");
    (void)fputs(", version ", out);
    print(out, v, "version");
    cli_print(out, "\n");
    label(out, "gateway");
    cli_print(out,
              "%" PRId64 " workers, generation %" PRId64 ", isolation level: ",
              number_of(v, "workers"), number_of(v, "generation"));
    print(out, v, "isolation");
    cli_print(out, "\n");
    if (json_get(v, STR("connections")) != NULL) {
        label(out, "callers");
        cli_print(out, "%" PRId64 " connections\n",
                  number_of(v, "connections"));
    }
}

static void print_calls(const struct json *v, FILE *out)
{
    label(out, "calls");
    cli_print(out,
              "%" PRId64 " ended, %" PRId64 " of them failed; %" PRId64
              " open; %" PRId64 " refused\n",
              number_of(v, "ended"), number_of(v, "failed"),
              number_of(v, "open"), number_of(v, "refused"));
}

/* Only where there is something to do. */
static void print_approvals(const struct json *v, FILE *out)
{
    int64_t open = number_of(v, "approvals");

    if (open == 0)
        return;
    label(out, "approvals");
    cli_print(out, "%" PRId64 " wait for people; `writ approval list`\n", open);
}

static void print_ledger(const struct json *v, FILE *out)
{
    int64_t syncs = number_of(v, "syncs");
    int64_t commits = number_of(v, "commits");
    label(out, "ledger");
    cli_print(out, "%" PRId64 " entries, %" PRId64 " syncs",
              number_of(v, "entries"), syncs);
    if (syncs > 0)
        cli_print(out, " (%" PRId64 ".%" PRId64 " entries each)",
                  commits / syncs, commits % syncs * 10 / syncs);
    cli_print(out, ", %" PRId64 " open intents, %s\n",
              number_of(v, "open_intents"),
              !flag_of(v, "answers")  ? "DOES NOT ANSWER"
              : flag_of(v, "durable") ? "durable before action"
                                      : "batched: not durable before action");
    label(out, "");
    (void)fputs("root ", out);
    print(out, v, "root");
    (void)fputc('\n', out);
}

static void print_config(const struct json *v, FILE *out)
{
    label(out, "config");
    print(out, v, "file");
    (void)fputs(", in place since ", out);
    print(out, v, "since");
    cli_print(out, "; %" PRId64 " reloads, %" PRId64 " of them failed\n",
              number_of(v, "reloads"), number_of(v, "reloads_failed"));
    label(out, "");
    (void)fputs("digest ", out);
    print(out, v, "digest");
    (void)fputc('\n', out);
}

/* Who may act, by which rules; and whose keys cannot be had. */
static void print_rules(const struct json *v, FILE *out)
{
    const struct json *policies = json_get(v, STR("policies"));
    struct json_iter it = json_each(json_get(v, STR("trust")));
    const struct json *issuer;

    label(out, "policies");
    cli_print(out, "%" PRId64 ", and %" PRId64 " in the shadow\n",
              number_of(policies, "count"), number_of(policies, "shadow"));
    label(out, "registry");
    cli_print(out,
              "%" PRId64 " identities, %" PRId64 " open sessions; store %s\n",
              number_of(v, "registry"), number_of(v, "sessions"),
              flag_of(v, "store") ? "answers" : "DOES NOT ANSWER");
    while (json_next(&it, NULL, &issuer)) {
        label(out, "issuer");
        print(out, issuer, "alias");
        (void)fputs(flag_of(issuer, "usable") ? ", keys of "
                                              : ", NO USABLE KEYS; last from ",
                    out);
        print(out, issuer, "fetched");
        if (text_of(issuer, "why").len > 0) {
            (void)fputs("; ", out);
            print(out, issuer, "why");
        }
        (void)fputc('\n', out);
    }
}

static void print_processes(const struct json *v, FILE *out)
{
    struct json_iter it = json_each(v);
    const struct json *p;
    cli_print(out, "\n%-12s %8s %9s\n", "PROCESS", "PID", "RESTARTS");
    while (json_next(&it, NULL, &p)) {
        struct str name = text_of(p, "process");
        cli_print_safe(out, name);
        cli_print(out, "%*s %8" PRId64 " %9" PRId64 "\n",
                  name.len < 12 ? (int)(12 - name.len) : 0, "",
                  number_of(p, "pid"), number_of(p, "restarts"));
    }
}

static int print_status(const struct cli *c, struct arena *a, struct str body)
{
    const struct json *v;
    if (json_read(a, body, &v, NULL) != ERR_OK || json_type(v) != JSON_OBJECT)
        return cli_fail(c, "the node's answer is no status");
    if (c->json) {
        cli_print(c->out, "%.*s\n", STR_FMT(body));
    } else {
        print_node(v, c->out);
        label(c->out, "keeper");
        cli_print(c->out, "%s\n",
                  flag_of(v, "keeper") ? "answers" : "DOES NOT ANSWER");
        print_calls(json_get(v, STR("calls")), c->out);
        print_approvals(v, c->out);
        print_ledger(json_get(v, STR("ledger")), c->out);
        print_config(json_get(v, STR("config")), c->out);
        print_rules(v, c->out);
        print_processes(json_get(v, STR("processes")), c->out);
    }
    return str_eq(text_of(v, "serving"), STR("yes")) ? CLI_OK : CLI_FAILED;
}

static int explain(const struct cli *c, enum err e, const char *data)
{
    if (e == ERR_NOT_FOUND)
        return cli_fail(c, "no node runs on %s; `writ serve` starts one", data);
    if (e == ERR_DENIED)
        return cli_fail(c, "the node on %s belongs to another user", data);
    if (e == ERR_TIMEOUT)
        return cli_fail(c, "the node on %s did not answer within %d s", data,
                        CONTROL_CLIENT_TIMEOUT_S);
    return cli_fail(c, "the node on %s cannot be asked: %s", data, err_text(e));
}

int cmd_status(const struct cli *c)
{
    char data[FILE_PATH_MAX];
    struct arena arena;
    struct control_client_reply reply;
    int code = cmd_load_data(c, data);
    if (code != CLI_OK)
        return code;
    arena_init(&arena, STATUS_ARENA_MAX);
    enum err e = control_client_get(&arena, data, "/admin/v1/status", &reply);
    if (e != ERR_OK)
        code = explain(c, e, data);
    else if (reply.status != 200)
        code = cli_fail(c, "the node on %s answered %d", data, reply.status);
    else
        code = print_status(c, &arena, reply.body);
    arena_release(&arena);
    return code;
}
