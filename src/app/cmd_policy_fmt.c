/* cmd_policy_fmt.c - see cmd_policy_fmt.h. */
#include "app/cmd_policy_fmt.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "cedar/cedar_format.h"
#include "codec/json.h"
#include "os/file.h"

#define FILE_MAX (64 * MIB)

const struct cli_option cmd_policy_fmt_options[] = {
    {"check", 0, NULL, "write nothing; exit code 1 if a file would change"},
    {0},
};

/* What came of the files. */
struct formatting {
    const struct cli *c;
    struct buf json; /* the changed files, with --json */
    size_t changed, failed;
};

static void report_errors(struct formatting *f, const char *path,
                          const struct cedar_errors *errors)
{
    for (size_t i = 0; i < errors->count; i++) {
        const struct cedar_error *e = &errors->at[i];
        cli_print_safe(f->c->err, str_from(path));
        cli_print(f->c->err, ":%u:%u: ", e->line, e->column);
        cli_print_safe(f->c->err, str_from(e->text));
        (void)fputc('\n', f->c->err);
    }
}

static void report_change(struct formatting *f, const char *path)
{
    f->changed++;
    if (f->c->json) {
        if (f->json.len > 0)
            (void)buf_add_char(&f->json, ',');
        json_write_str(&f->json, str_from(path));
        return;
    }
    cli_print_safe(f->c->out, str_from(path));
    (void)fputc('\n', f->c->out);
}

/* The file may be read by whom it could be read by before. */
static enum err replace(const char *path, struct str text)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return ERR_IO;
    return file_replace(FILE_CWD, path, text, st.st_mode & 0777);
}

static enum err format(struct formatting *f, const char *path,
                       const struct buf *from, struct buf *to)
{
    struct cedar_errors errors = {0};
    enum err e = cedar_format_policies(buf_str(from), &errors, to);
    if (e != ERR_OK) {
        report_errors(f, path, &errors);
        return e;
    }
    if (str_eq(buf_str(from), buf_str(to)))
        return ERR_OK;
    if (!cli_has(f->c, "check"))
        e = replace(path, buf_str(to));
    if (e == ERR_OK)
        report_change(f, path);
    return e;
}

static void format_file(struct formatting *f, const char *path)
{
    struct buf from;
    struct buf to;
    buf_init(&from, FILE_MAX);
    buf_init(&to, 4 * FILE_MAX);
    enum err e = file_read(FILE_CWD, path, &from);
    if (e == ERR_OK)
        e = format(f, path, &from, &to);
    if (e != ERR_OK && e != ERR_MALFORMED) {
        cli_print_safe(f->c->err, str_from(path));
        cli_print(f->c->err, ": %s\n", err_text(e));
    }
    f->failed += e != ERR_OK;
    buf_release(&from);
    buf_release(&to);
}

int cmd_policy_fmt(const struct cli *c)
{
    struct formatting f = {.c = c};
    bool is_check = cli_has(c, "check");
    buf_init(&f.json, 16 * MIB);
    for (size_t i = 0; i < c->arg_count; i++)
        format_file(&f, c->args[i]);
    bool ok = f.failed == 0 && !(is_check && f.changed > 0);
    if (c->json)
        cli_print(c->out, "{\"ok\":%s,\"changed\":[%.*s],\"failed\":%zu}\n",
                  ok ? "true" : "false", STR_FMT(buf_str(&f.json)), f.failed);
    else
        cli_print(c->err, "%zu of %zu %s%s\n", f.changed, c->arg_count,
                  c->arg_count == 1 ? "file" : "files",
                  is_check ? " would change" : " changed");
    buf_release(&f.json);
    return ok ? CLI_OK : CLI_FAILED;
}
