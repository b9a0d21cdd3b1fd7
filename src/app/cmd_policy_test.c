/* cmd_policy_test.c - `writ policy test`: policies against their tests. */
#include "app/cmd.h"
#include "app/policy_case.h"
#include "app/policy_load.h"
#include "app/policy_print.h"
#include "codec/json.h"

#define OUTPUT_MAX (64 * MIB)
#define FILES_ARENA_MAX POLICY_FILES_ARENA_MAX
#define CASES_ARENA_MAX (256 * MIB)

struct testing {
    const struct cli *cli;
    struct policy_load load;
    struct rules_evaluator *evaluator;
    struct arena arena; /* of one file's cases */
    struct buf json;    /* the tests so far */
    size_t passed, failed;
};

static bool has(const struct decision *d, struct str id)
{
    for (unsigned i = 0; i < d->policy_count; i++) {
        if (str_eq(d->policies[i], id))
            return true;
    }
    return false;
}

/* The same ids in any order; both have none twice, or it fails. */
static bool are_those(const struct decision *d, struct names want)
{
    if (want.count != d->policy_count)
        return false;
    for (size_t i = 0; i < want.count; i++) {
        if (!has(d, want.at[i]))
            return false;
    }
    return true;
}

static bool is_one(struct names of, struct str word)
{
    for (size_t i = 0; i < of.count; i++) {
        if (str_eq(of.at[i], word))
            return true;
    }
    return false;
}

static bool is_asked(const struct decision *d, struct str group)
{
    for (unsigned i = 0; i < d->approval_count; i++) {
        if (str_eq(d->approvals[i].group, group))
            return true;
    }
    return false;
}

/* The same groups, in any order and however often. */
static bool asks_those(const struct decision *d, struct names want)
{
    for (unsigned i = 0; i < d->approval_count; i++) {
        if (!is_one(want, d->approvals[i].group))
            return false;
    }
    for (size_t i = 0; i < want.count; i++) {
        if (!is_asked(d, want.at[i]))
            return false;
    }
    return true;
}

/* What is not as expected, half a sentence; empty: all is. */
static void compare(struct buf *to, const struct policy_case *t,
                    const struct rules_explanation *x)
{
    const struct decision *d = &x->answer.decision;
    const struct shadow_decision *s = &x->answer.shadow;
    if (d->effect != t->expect) {
        buf_addf(to, "expected %.*s, got %.*s: ",
                 STR_FMT(decision_effect_name(t->expect)),
                 STR_FMT(decision_effect_name(d->effect)));
        policy_print_brief(to, x);
    } else if (t->has_policies && !are_those(d, t->policies)) {
        buf_addf(to, "%.*s as expected, but by others: ",
                 STR_FMT(decision_effect_name(d->effect)));
        policy_print_brief(to, x);
    } else if (t->has_approvals && !asks_those(d, t->approvals)) {
        buf_addf(to, "%.*s as expected, but other groups are asked: ",
                 STR_FMT(decision_effect_name(d->effect)));
        policy_print_brief(to, x);
    } else if (t->has_shadow && !s->present) {
        BUF_LIT(to, "there is no shadow");
    } else if (t->has_shadow && s->decision.effect != t->shadow) {
        buf_addf(to, "expected %.*s of the shadow, got %.*s",
                 STR_FMT(decision_effect_name(t->shadow)),
                 STR_FMT(decision_effect_name(s->decision.effect)));
    }
}

static void tell_json(struct testing *t, struct str file,
                      const struct policy_case *one, struct str wrong,
                      const struct rules_explanation *x)
{
    struct buf *to = &t->json;
    buf_addf(to, "%s{\"name\":", t->passed + t->failed > 1 ? "," : "");
    json_write_str(to, one->name);
    BUF_LIT(to, ",\"file\":");
    json_write_str(to, file);
    buf_addf(to, ",\"line\":%u,\"ok\":%s,", one->line,
             wrong.len == 0 ? "true" : "false");
    if (wrong.len > 0) {
        BUF_LIT(to, "\"error\":");
        json_write_str(to, wrong);
        buf_add_char(to, ',');
    }
    policy_print_json(to, &t->load, &one->chain, x);
    buf_add_char(to, '}');
}

static void tell_text(const struct testing *t, struct str file,
                      const struct policy_case *one, struct str wrong,
                      const struct rules_explanation *x)
{
    FILE *out = t->cli->out;
    cli_print_safe(out, file);
    cli_print(out, ":%u: ", one->line);
    cli_print_safe(out, one->name);
    cli_print(out, ": ");
    cli_print_safe(out, wrong);
    (void)fputc('\n', out);
    policy_print_text(out, &t->load, &one->chain, x);
}

static int run_case(struct testing *t, struct str file,
                    const struct policy_case *one)
{
    struct rules_explanation x;
    struct buf wrong;
    if (rules_explain(t->load.rules, t->evaluator, &one->request, &t->arena,
                      &x) != ERR_OK)
        return cli_fail(t->cli, "the tests do not fit into memory");
    buf_init(&wrong, OUTPUT_MAX);
    compare(&wrong, one, &x);
    bool ok = wrong.len == 0;
    t->passed += ok;
    t->failed += !ok;
    if (t->cli->json)
        tell_json(t, file, one, buf_str(&wrong), &x);
    else if (!ok)
        tell_text(t, file, one, buf_str(&wrong), &x);
    buf_release(&wrong);
    return CLI_OK;
}

static int run_file(struct testing *t, const struct rules_file *file)
{
    struct policy_cases cases;
    struct rules_errors errors = {.count = 0};
    const struct settings *s = t->load.has_settings ? &t->load.settings : NULL;
    enum err e = policy_case_read(&t->arena, s, file, &errors, &cases);
    int code = CLI_OK;
    if (e == ERR_CONFIG)
        code = policy_load_fail(t->cli, &t->load, &errors);
    else if (e != ERR_OK)
        code = cli_fail(t->cli, "the tests do not fit into memory");
    else
        for (size_t i = 0; code == CLI_OK && i < cases.count; i++)
            code = run_case(t, file->name, &cases.at[i]);
    arena_release(&t->arena);
    return code;
}

static int run_path(struct testing *t, struct str path)
{
    struct policy_files_error error = {{0}};
    const struct rules_file *files = NULL;
    size_t count = 0;
    struct arena a;
    int code = CLI_OK;
    arena_init(&a, FILES_ARENA_MAX);
    enum err e = policy_files_read_tests(&a, path, &files, &count, &error);
    if (e == ERR_CONFIG)
        code = cli_fail(t->cli, "%s", error.text);
    else if (e != ERR_OK)
        code = cli_fail(t->cli, "the tests do not fit into memory");
    for (size_t i = 0; code == CLI_OK && i < count; i++)
        code = run_file(t, &files[i]);
    arena_release(&a);
    return code;
}

static int finish(const struct testing *t)
{
    const struct cli *c = t->cli;
    if (t->passed + t->failed == 0)
        return cli_fail(c, "there is no test: tests are in *.test.yaml below "
                           "the folder of policies");
    if (c->json)
        cli_print(c->out,
                  "{\"ok\":%s,\"passed\":%zu,\"failed\":%zu,\"tests\":["
                  "%.*s]}\n",
                  t->failed == 0 ? "true" : "false", t->passed, t->failed,
                  STR_FMT(buf_str(&t->json)));
    else
        cli_print(c->out, "%zu passed, %zu failed\n", t->passed, t->failed);
    return t->failed == 0 && buf_ok(&t->json) ? CLI_OK : CLI_FAILED;
}

int cmd_policy_test(const struct cli *c)
{
    struct testing t = {.cli = c};
    arena_init(&t.arena, CASES_ARENA_MAX);
    buf_init(&t.json, OUTPUT_MAX);
    int code = policy_load(c, &t.load);
    if (code == CLI_OK && rules_evaluator_new(&t.evaluator) != ERR_OK)
        code = cli_fail(c, "out of memory");
    if (code == CLI_OK && c->arg_count == 0 && t.load.where.dir.len > 0)
        code = run_path(&t, t.load.where.dir);
    for (size_t i = 0; code == CLI_OK && i < c->arg_count; i++)
        code = run_path(&t, str_from(c->args[i]));
    if (code == CLI_OK)
        code = finish(&t);
    rules_evaluator_free(t.evaluator);
    policy_load_release(&t.load);
    buf_release(&t.json);
    arena_release(&t.arena);
    return code;
}
