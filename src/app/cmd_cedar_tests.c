/* cmd_cedar_tests.c - `writ cedar run-tests`: the official integration tests.
 *
 * A file names policies, entities and a schema, says whether the policies
 * validate, and has requests with their decision, reasons and errors.  Each
 * request is a test, and so is the verdict of the validator.
 */
#include <unistd.h>

#include "app/cmd_cedar.h"
#include "app/cmd_cedar_files.h"
#include "codec/json.h"
#include "os/file.h"

#define FILE_ARENA_MAX (1024 * MIB)
#define OUTPUT_MAX (256 * MIB)

const struct cli_option cmd_cedar_tests_options[] = {
    {"root", 0, "DIR", "what paths inside a FILE are relative to (default: .)"},
    {"as", 0, "VERSION", "whose validator: 4.12 (default) or 4.13"},
    {NULL, 0, NULL, NULL},
};

struct testing {
    const struct cli *cli;
    const char *file;   /* the one under way */
    struct str request; /* its description; empty: none is */
    struct arena arena; /* of one file */
    struct cmd_cedar_files files;
    struct cedar_evaluator *evaluator;
    struct cedar_validation validation;
    struct buf text; /* of FILE */
    struct buf what; /* the difference found last */
    struct buf json; /* all differences */
    size_t passed, failed;
    bool has_progress;
};

static void clear_progress(const struct testing *t)
{
    if (t->has_progress)
        cli_print(t->cli->err, "\r\033[K");
}

/* The test that is under way passed, or `what` is what differs. */
static void count(struct testing *t)
{
    struct str what = buf_str(&t->what);
    if (what.len == 0) {
        t->passed++;
        return;
    }
    t->failed++;
    if (t->cli->json) {
        buf_addf(&t->json, "%s{\"file\":", t->json.len > 0 ? "," : "");
        json_write_str(&t->json, str_from(t->file));
        BUF_LIT(&t->json, ",\"request\":");
        if (t->request.ptr != NULL)
            json_write_str(&t->json, t->request);
        else
            BUF_LIT(&t->json, "null");
        BUF_LIT(&t->json, ",\"error\":");
        json_write_str(&t->json, what);
        buf_add_char(&t->json, '}');
    } else {
        clear_progress(t);
        cli_print_safe(t->cli->out, str_from(t->file));
        cli_print(t->cli->out, ": ");
        cli_print_safe(t->cli->out, t->request);
        cli_print(t->cli->out, t->request.len > 0 ? ": " : "");
        cli_print_safe(t->cli->out, what);
        (void)fputc('\n', t->cli->out);
    }
    buf_clear(&t->what);
}

static void differ(struct testing *t, const char *what)
{
    buf_add(&t->what, str_from(what));
}

/* ---- What a request was to be answered ---- */

static struct str fault_id(const struct testing *t,
                           const struct cedar_answer *a, size_t i)
{
    return cedar_policies_at(t->files.policies, a->faults[i].policy).id;
}

static struct str reason_id(const struct testing *t,
                            const struct cedar_answer *a, size_t i)
{
    return cedar_policies_at(t->files.policies, a->reasons[i]).id;
}

typedef struct str id_at(const struct testing *t, const struct cedar_answer *a,
                         size_t i);

static bool names(const struct json *ids, struct str id)
{
    struct json_iter it = json_each(ids);
    const struct json *one;
    while (json_next(&it, NULL, &one))
        if (json_is_string(one, id))
            return true;
    return false;
}

/* The same ids, in any order; ours come once. */
static bool same(const struct testing *t, const struct cedar_answer *a,
                 const struct json *want, id_at *at, size_t n)
{
    size_t wanted = 0;
    struct json_iter it = json_each(want);
    const struct json *one;
    struct str id;
    while (json_next(&it, NULL, &one)) {
        size_t i = 0;
        if (!json_str(one, &id))
            return false;
        while (i < n && !str_eq(at(t, a, i), id))
            i++;
        if (i == n)
            return false;
        wanted++;
    }
    for (size_t i = 0; i < n; i++)
        if (!names(want, at(t, a, i)))
            return false;
    return wanted >= n;
}

static void compare_ids(struct testing *t, const struct cedar_answer *a,
                        const struct json *request, const char *key, id_at *at)
{
    const struct json *want = json_get(request, str_from(key));
    size_t n = at == fault_id ? a->fault_count : a->reason_count;
    if (json_type(want) == JSON_ARRAY && same(t, a, want, at, n))
        return;
    buf_addf(&t->what, "%s%s: expected ", t->what.len > 0 ? "; " : "", key);
    if (want != NULL)
        json_write(&t->what, want, NULL, 0);
    else
        BUF_LIT(&t->what, "none given");
    BUF_LIT(&t->what, ", got [");
    for (size_t i = 0; i < n; i++) {
        buf_add(&t->what, i > 0 ? STR(",") : STR(""));
        json_write_str(&t->what, at(t, a, i));
    }
    buf_add_char(&t->what, ']');
}

static void compare(struct testing *t, const struct cedar_answer *a,
                    const struct json *request)
{
    struct str want = STR("none given");
    struct str got = a->decision == CEDAR_ALLOW ? STR("allow") : STR("deny");
    if (!json_str(json_get(request, STR("decision")), &want) ||
        !str_eq_nocase(want, got))
        buf_addf(&t->what, "decision: expected %.*s, got %.*s", STR_FMT(want),
                 STR_FMT(got));
    compare_ids(t, a, request, "reason", reason_id);
    compare_ids(t, a, request, "errors", fault_id);
}

/* ---- One file ---- */

static void run_request(struct testing *t, const struct json *json)
{
    struct cedar_request request;
    struct cedar_errors errors = {.count = 0};
    struct cedar_answer answer;
    const char *what = "no reason";
    bool validate = true;
    const struct json *option = json_get(json, STR("validateRequest"));
    if (option != NULL && !json_bool(option, &validate))
        differ(t, "validateRequest is neither true nor false");
    else if (!cmd_cedar_files_request(&t->files, &t->arena, json, &request,
                                      &what))
        differ(t, what);
    else if (validate &&
             cedar_schema_check(t->files.schema, &request, &errors) != ERR_OK)
        differ(t, errors.count > 0 ? errors.at[0].text : "not allowed");
    else if (cedar_authorize(t->evaluator, t->files.policies, &request, NULL,
                             &answer) != ERR_OK)
        differ(t, "out of memory");
    else
        compare(t, &answer, json);
}

static void run_requests(struct testing *t, const struct json *test,
                         bool is_loaded)
{
    struct json_iter it = json_each(json_get(test, STR("requests")));
    const struct json *request;
    while (json_next(&it, NULL, &request)) {
        if (!json_str(json_get(request, STR("description")), &t->request))
            t->request = STR("a request");
        if (is_loaded)
            run_request(t, request);
        else
            differ(t, "not run");
        count(t);
    }
    t->request = (struct str){NULL, 0};
}

static void run_validation(struct testing *t, const struct json *test)
{
    struct cedar_findings found = {0};
    bool expected = false;
    if (!json_bool(json_get(test, STR("shouldValidate")), &expected))
        differ(t, "shouldValidate is neither true nor false");
    else if (cedar_validate(&t->arena, t->files.schema, t->files.policies,
                            &t->validation, &found) != ERR_OK)
        differ(t, "validation needs too much memory");
    else if ((found.error_count == 0) != expected)
        buf_addf(&t->what, "shouldValidate: expected %s, got %s%s",
                 expected ? "true" : "false", expected ? "false" : "true",
                 expected ? ": " : "");
    if (t->what.len > 0 && found.error_count > 0)
        for (size_t i = 0, told = 0; i < found.count && told == 0; i++)
            if (!found.at[i].is_warning) {
                const struct cedar_finding *f = &found.at[i];
                buf_addf(&t->what, "%u:%u: %s", f->line, f->column, f->text);
                told++;
            }
    count(t);
}

static bool path_of(struct testing *t, const struct json *test, const char *key,
                    char *to)
{
    struct str path;
    if (!json_str(json_get(test, str_from(key)), &path) ||
        path.len >= FILE_PATH_MAX || str_find(path, 0) < path.len) {
        buf_addf(&t->files.errors, "%s: is no path", key);
        return false;
    }
    memcpy(to, path.ptr, path.len);
    to[path.len] = 0;
    return true;
}

static bool load(struct testing *t, const struct json *test)
{
    char path[FILE_PATH_MAX];
    return path_of(t, test, "schema", path) &&
           cmd_cedar_files_schema(&t->files, path) &&
           path_of(t, test, "policies", path) &&
           cmd_cedar_files_policies(&t->files, path) &&
           path_of(t, test, "entities", path) &&
           cmd_cedar_files_entities(&t->files, path);
}

static void run_file(struct testing *t)
{
    const struct json *test;
    struct json_error error = {0, "out of memory"};
    buf_clear(&t->text);
    enum err e = file_read(FILE_CWD, t->file, &t->text);
    if (e == ERR_NOT_FOUND) /* lists of files are often made in the root */
        e = file_read(t->files.dir, t->file, &t->text);
    if (e != ERR_OK) {
        differ(t, "the file cannot be read");
        count(t);
        return;
    }
    if (json_read_nul(&t->arena, buf_str(&t->text), &test, &error) != ERR_OK) {
        buf_addf(&t->what, "no JSON at byte %zu: %s", error.offset, error.what);
        count(t);
        return;
    }
    bool is_loaded = load(t, test);
    if (is_loaded) {
        run_validation(t, test);
    } else {
        buf_add(&t->what, buf_str(&t->files.errors));
        count(t);
    }
    run_requests(t, test, is_loaded);
}

static void run_files(struct testing *t)
{
    const struct cli *c = t->cli;
    for (size_t i = 0; i < c->arg_count; i++) {
        t->file = c->args[i];
        if (t->has_progress && i % 64 == 0)
            cli_print(c->err, "\r%zu of %zu files, %zu failed\033[K", i,
                      c->arg_count, t->failed);
        run_file(t);
        cmd_cedar_files_clear(&t->files);
        arena_release(&t->arena);
    }
    clear_progress(t);
}

static int finish(const struct testing *t)
{
    const struct cli *c = t->cli;
    if (!buf_ok(&t->json) || !buf_ok(&t->what))
        return cli_fail(c, "out of memory");
    if (c->json)
        cli_print(c->out,
                  "{\"ok\":%s,\"passed\":%zu,\"failed\":%zu,\"files\":%zu,"
                  "\"differences\":[",
                  t->failed == 0 ? "true" : "false", t->passed, t->failed,
                  c->arg_count);
    if (c->json && t->json.len > 0)
        (void)fwrite(t->json.ptr, 1, t->json.len, c->out);
    if (c->json)
        cli_print(c->out, "]}\n");
    else
        cli_print(c->out, "%zu passed, %zu failed\n", t->passed, t->failed);
    return t->failed == 0 ? CLI_OK : CLI_FAILED;
}

static bool read_version(const struct cli *c, struct cedar_validation *ret)
{
    struct str as = str_from(cli_value(c, "as", "4.12"));
    ret->no_action_is_error = str_eq(as, STR("4.12"));
    return ret->no_action_is_error || str_eq(as, STR("4.13"));
}

int cmd_cedar_tests(const struct cli *c)
{
    struct testing t = {.cli = c, .has_progress = cli_is_terminal(c->err)};
    const char *root = cli_value(c, "root", ".");
    int dir;
    if (!read_version(c, &t.validation))
        return cli_usage(c, "cedar run-tests: --as is 4.12 or 4.13");
    if (file_open_dir(FILE_CWD, root, &dir) != ERR_OK)
        return cli_fail(c, "%s: the directory cannot be opened", root);
    cmd_cedar_files_init(&t.files, dir);
    arena_init(&t.arena, FILE_ARENA_MAX);
    buf_init(&t.text, CMD_CEDAR_FILE_MAX);
    buf_init(&t.what, OUTPUT_MAX);
    buf_init(&t.json, OUTPUT_MAX);
    t.evaluator = cedar_evaluator_new();
    int code = CLI_OK;
    if (t.evaluator == NULL)
        code = cli_fail(c, "out of memory");
    else
        run_files(&t);
    if (code == CLI_OK)
        code = finish(&t);
    cedar_evaluator_free(t.evaluator);
    cmd_cedar_files_release(&t.files);
    arena_release(&t.arena);
    buf_release(&t.text);
    buf_release(&t.what);
    buf_release(&t.json);
    (void)close(dir);
    return code;
}
