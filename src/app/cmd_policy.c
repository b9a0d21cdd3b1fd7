/* cmd_policy.c - `writ policy check` and `writ policy eval`. */
#include <stdio.h>
#include <time.h>

#include "app/cmd.h"
#include "app/policy_case.h"
#include "app/policy_load.h"
#include "app/policy_print.h"
#include "base/text.h"
#include "codec/json.h"
#include "os/file.h"

#define OUTPUT_MAX (4 * MIB)
#define CASE_ARENA_MAX (64 * MIB)

/* "12 policies in 3 files below policies" */
static void print_count(const struct cli *c, const char *what, struct str dir,
                        size_t policies, size_t files)
{
    cli_print(c->out, "  %s%zu %s in %zu %s below ", what, policies,
              policies == 1 ? "policy" : "policies", files,
              files == 1 ? "file" : "files");
    cli_print_safe(c->out, dir);
    (void)fputc('\n', c->out);
}

static void print_check(const struct cli *c, const struct policy_load *l,
                        const char *digest)
{
    const struct rules_sources *from = &l->sources;
    cli_print(c->out, "policies: ok\n");
    if (l->where.dir.len > 0)
        print_count(c, "", l->where.dir, rules_count(l->rules),
                    from->policy_count);
    if (from->has_shadow)
        print_count(c, "shadow: ", l->where.shadow,
                    rules_shadow_count(l->rules), from->shadow_count);
    for (size_t i = 0; i < from->entity_count; i++) {
        cli_print(c->out, "  entities of ");
        cli_print_safe(c->out, from->entities[i].name);
        (void)fputc('\n', c->out);
    }
    cli_print(c->out, "  digest %s\n", digest);
}

static void print_check_json(const struct cli *c, const struct policy_load *l,
                             const char *digest, const struct buf *warnings)
{
    cli_print(c->out,
              "{\"ok\":true,\"policies\":%zu,\"files\":%zu,\"shadow\":%zu,"
              "\"entities\":%zu,\"digest\":\"%s\",\"warnings\":[%.*s]}\n",
              rules_count(l->rules), l->sources.policy_count,
              rules_shadow_count(l->rules), l->sources.entity_count, digest,
              STR_FMT(buf_str(warnings)));
}

static void warn(const struct cli *c, struct buf *json, struct str text)
{
    if (json->len > 0)
        buf_add_char(json, ',');
    json_write_str(json, text);
    if (c->json)
        return;
    (void)fputs("warning: ", c->err);
    cli_print_safe(c->err, text);
    (void)fputc('\n', c->err);
}

/* What is right and is likely not meant. */
static void warn_all(const struct cli *c, const struct policy_load *l,
                     struct buf *json)
{
    struct rules_errors found = {.count = 0};
    struct buf text;
    buf_init(&text, OUTPUT_MAX);
    if (rules_count(l->rules) == 0)
        warn(c, json, STR("there is no policy: everything is denied"));
    if (!l->has_settings)
        warn(c, json,
             STR("without a configuration there is no fence of tenants, and "
                 "names of models and tenants are not looked at"));
    else
        rules_warnings(l->rules, &l->sources, &found);
    for (size_t i = 0; i < found.count; i++) {
        buf_clear(&text);
        policy_files_add_error(&text, &l->where, &l->sources, &found.at[i]);
        warn(c, json, buf_str(&text));
    }
    buf_release(&text);
}

int cmd_policy_check(const struct cli *c)
{
    struct policy_load l;
    int code = policy_load(c, &l);
    if (code == CLI_OK) {
        struct buf warnings;
        char digest[TEXT_HEX_LEN(HASH_LEN) + 1] = "";
        struct hash h = rules_digest(l.rules);
        buf_init(&warnings, OUTPUT_MAX);
        text_hex(h.bytes, HASH_LEN, digest);
        warn_all(c, &l, &warnings);
        if (c->json)
            print_check_json(c, &l, digest, &warnings);
        else
            print_check(c, &l, digest);
        buf_release(&warnings);
    }
    policy_load_release(&l);
    return code;
}

/* The options that stand for members of a question, as YAML. */
static void add_options(const struct cli *c, struct buf *to)
{
    static const char *const names[] = {
        "chain",     "principal", "agent",  "action",      "resource", "tool",
        "arguments", "approved",  "tenant", "destination", "context",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = cli_value(c, names[i], NULL);
        if (value != NULL)
            buf_addf(to, "%s: %s\n", names[i], value);
    }
}

static int read_question(const struct cli *c, const struct policy_load *l,
                         struct arena *a, const struct policy_case **ret)
{
    struct policy_case_source from = {.over = {.name = STR("the options")}};
    struct rules_errors errors = {.count = 0};
    if (l->has_settings)
        from.settings = &l->settings;
    struct timespec now;
    struct buf options;
    struct buf text;
    buf_init(&options, CONFIG_FILE_MAX);
    buf_init(&text, CONFIG_FILE_MAX);
    add_options(c, &options);
    enum err e = buf_ok(&options) ? ERR_OK : ERR_LIMIT;
    if (e == ERR_OK && c->arg_count > 0) {
        from.file.name = str_from(c->args[0]);
        e = file_read(FILE_CWD, c->args[0], &text);
    }
    (void)clock_gettime(CLOCK_REALTIME, &now);
    from.now_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    from.over.text = buf_str(&options);
    from.file.text = buf_str(&text);
    int code = CLI_OK;
    if (e != ERR_OK)
        code = cli_fail(c, "%.*s: cannot be read, or is too large",
                        STR_FMT(from.file.name.len > 0 ? from.file.name
                                                       : from.over.name));
    else
        e = policy_case_read_one(a, &from, &errors, ret);
    if (code == CLI_OK && e == ERR_CONFIG)
        code = policy_load_fail(c, l, &errors);
    else if (code == CLI_OK && e != ERR_OK)
        code = cli_fail(c, "the question does not fit into memory");
    buf_release(&options);
    buf_release(&text);
    return code;
}

static int evaluate(const struct cli *c, const struct policy_load *l,
                    struct arena *a, const struct policy_case *question)
{
    struct rules_evaluator *v = NULL;
    struct rules_explanation x;
    enum err e = rules_evaluator_new(&v);
    if (e == ERR_OK)
        e = rules_explain(l->rules, v, &question->request, a, &x);
    rules_evaluator_free(v);
    if (e != ERR_OK)
        return cli_fail(c, "the question does not fit into memory");
    bool allowed = x.answer.decision.effect == DECISION_ALLOW;
    if (!c->json) {
        policy_print_text(c->out, l, &question->chain, &x);
        return allowed ? CLI_OK : CLI_FAILED;
    }
    struct buf json;
    buf_init(&json, OUTPUT_MAX);
    buf_addf(&json, "{\"ok\":%s,", allowed ? "true" : "false");
    policy_print_json(&json, l, &question->chain, &x);
    BUF_LIT(&json, "}\n");
    if (buf_ok(&json))
        (void)fwrite(json.ptr, 1, json.len, c->out);
    else
        e = ERR_LIMIT;
    buf_release(&json);
    return allowed && e == ERR_OK ? CLI_OK : CLI_FAILED;
}

int cmd_policy_eval(const struct cli *c)
{
    const struct policy_case *question = NULL;
    struct policy_load l;
    struct arena a;
    arena_init(&a, CASE_ARENA_MAX);
    int code = policy_load(c, &l);
    if (code == CLI_OK)
        code = read_question(c, &l, &a, &question);
    if (code == CLI_OK)
        code = evaluate(c, &l, &a, question);
    policy_load_release(&l);
    arena_release(&a);
    return code;
}
