/* cmd_cedar_authorize.c - `writ cedar authorize`: one request, answered. */
#include "app/cmd_cedar.h"
#include "app/cmd_cedar_files.h"
#include "codec/json.h"
#include "os/file.h"

#define QUESTION_ARENA_MAX (256 * MIB)
#define OUTPUT_MAX (64 * MIB)

const struct cli_option cmd_cedar_authorize_options[] = {
    {"policies", 0, "FILE", "the policies"},
    {"entities", 0, "FILE", "the entities, as JSON"},
    {"schema", 0, "FILE", "what entities and request must conform to"},
    {"request", 0, "FILE", "principal, action, resource, context"},
    {NULL, 0, NULL, NULL},
};

struct answering {
    const struct cli *cli;
    struct cmd_cedar_files files;
    struct arena arena;
    struct cedar_request request;
    struct cedar_evaluator *evaluator;
    struct cedar_answer answer;
};

/* Prints what is in `errors`, a line each. */
static int fail(const struct answering *w)
{
    const struct cli *c = w->cli;
    struct str left = buf_str(&w->files.errors);
    if (c->json) {
        struct buf json;
        buf_init(&json, OUTPUT_MAX);
        BUF_LIT(&json, "{\"ok\":false,\"error\":");
        json_write_str(&json, left);
        buf_add_char(&json, '}');
        cli_print(c->out, "%.*s\n", STR_FMT(buf_str(&json)));
        buf_release(&json);
    }
    while (left.len > 0) {
        struct str line = str_first(left, str_find(left, '\n'));
        cli_print_safe(c->err, line);
        (void)fputc('\n', c->err);
        left = str_skip(left, line.len + 1);
    }
    return CLI_FAILED;
}

static bool refuse(struct answering *w, const char *path, const char *what)
{
    buf_addf(&w->files.errors, "%s: %s", path, what);
    return false;
}

static bool read_request(struct answering *w, const char *path)
{
    struct cmd_cedar_files *f = &w->files;
    const struct json *json;
    struct json_error error = {0, "out of memory"};
    const char *what = "no reason";
    struct cedar_errors errors = {.count = 0};
    if (!cmd_cedar_files_text(f, path))
        return false;
    if (json_read_nul(&w->arena, buf_str(&f->text), &json, &error) != ERR_OK)
        return refuse(w, path, error.what);
    if (!cmd_cedar_files_request(f, &w->arena, json, &w->request, &what))
        return refuse(w, path, what);
    if (f->schema != NULL &&
        cedar_schema_check(f->schema, &w->request, &errors) != ERR_OK)
        return refuse(w, path,
                      errors.count > 0 ? errors.at[0].text : "not allowed");
    return true;
}

static bool load(struct answering *w)
{
    const struct cli *c = w->cli;
    const char *schema = cli_value(c, "schema", NULL);
    struct cmd_cedar_files *f = &w->files;
    if (schema != NULL && !cmd_cedar_files_schema(f, schema))
        return false;
    return cmd_cedar_files_policies(f, cli_value(c, "policies", "")) &&
           cmd_cedar_files_entities(f, cli_value(c, "entities", "")) &&
           read_request(w, cli_value(c, "request", ""));
}

static struct str id_of(const struct answering *w, uint32_t policy)
{
    return cedar_policies_at(w->files.policies, policy).id;
}

static void locate(const struct answering *w,
                   const struct cedar_policy_fault *f, uint32_t *ret_line,
                   uint32_t *ret_column)
{
    cedar_policies_locate(w->files.policies, f->offset, ret_line, ret_column);
}

static int tell_json(const struct answering *w)
{
    const struct cedar_answer *a = &w->answer;
    struct buf to;
    buf_init(&to, OUTPUT_MAX);
    buf_addf(&to, "{\"decision\":\"%s\",\"reason\":[",
             a->decision == CEDAR_ALLOW ? "allow" : "deny");
    for (size_t i = 0; i < a->reason_count; i++) {
        buf_add(&to, i > 0 ? STR(",") : STR(""));
        json_write_str(&to, id_of(w, a->reasons[i]));
    }
    BUF_LIT(&to, "],\"errors\":[");
    for (size_t i = 0; i < a->fault_count; i++) {
        buf_add(&to, i > 0 ? STR(",") : STR(""));
        json_write_str(&to, id_of(w, a->faults[i].policy));
    }
    BUF_LIT(&to, "],\"faults\":[");
    for (size_t i = 0; i < a->fault_count; i++) {
        const struct cedar_policy_fault *f = &a->faults[i];
        uint32_t line;
        uint32_t column;
        locate(w, f, &line, &column);
        buf_addf(&to, "%s{\"policy\":", i > 0 ? "," : "");
        json_write_str(&to, id_of(w, f->policy));
        buf_addf(&to, ",\"line\":%u,\"column\":%u,\"error\":", line, column);
        json_write_str(&to, str_from(cedar_fault_text(f->fault)));
        buf_add_char(&to, '}');
    }
    BUF_LIT(&to, "]}\n");
    bool ok = buf_ok(&to);
    if (ok)
        (void)fwrite(to.ptr, 1, to.len, w->cli->out);
    buf_release(&to);
    return ok ? CLI_OK : cli_fail(w->cli, "out of memory");
}

static void tell_text(const struct answering *w)
{
    const struct cedar_answer *a = &w->answer;
    FILE *out = w->cli->out;
    cli_print(out, "%s\n", a->decision == CEDAR_ALLOW ? "allow" : "deny");
    for (size_t i = 0; i < a->reason_count; i++) {
        cli_print(out, "  %s ",
                  a->decision == CEDAR_ALLOW ? "permit" : "forbid");
        cli_print_safe(out, id_of(w, a->reasons[i]));
        (void)fputc('\n', out);
    }
    for (size_t i = 0; i < a->fault_count; i++) {
        const struct cedar_policy_fault *f = &a->faults[i];
        uint32_t line;
        uint32_t column;
        locate(w, f, &line, &column);
        cli_print(out, "  error  ");
        cli_print_safe(out, id_of(w, f->policy));
        cli_print(out, " at %u:%u: %s\n", line, column,
                  cedar_fault_text(f->fault));
    }
}

static int answer(struct answering *w)
{
    w->evaluator = cedar_evaluator_new();
    if (w->evaluator == NULL ||
        cedar_authorize(w->evaluator, w->files.policies, &w->request, NULL,
                        &w->answer) != ERR_OK)
        return cli_fail(w->cli, "out of memory");
    int code = CLI_OK;
    if (w->cli->json)
        code = tell_json(w);
    else
        tell_text(w);
    if (code == CLI_OK && w->answer.decision != CEDAR_ALLOW)
        code = CLI_FAILED;
    return code;
}

int cmd_cedar_authorize(const struct cli *c)
{
    static const char *const needed[] = {"policies", "entities", "request"};
    for (size_t i = 0; i < ARRAY_LEN(needed); i++)
        if (!cli_has(c, needed[i]))
            return cli_usage(c, "cedar authorize: --%s is missing", needed[i]);
    struct answering w = {.cli = c};
    cmd_cedar_files_init(&w.files, FILE_CWD);
    arena_init(&w.arena, QUESTION_ARENA_MAX);
    int code = load(&w) ? answer(&w) : fail(&w);
    cedar_evaluator_free(w.evaluator);
    arena_release(&w.arena);
    cmd_cedar_files_release(&w.files);
    return code;
}
