/* cmd_cedar_files.c - see cmd_cedar_files.h. */
#include "app/cmd_cedar_files.h"

#include "cedar/cedar_policy_json.h"
#include "os/file.h"

void cmd_cedar_files_init(struct cmd_cedar_files *f, int dir)
{
    *f = (struct cmd_cedar_files){.dir = dir};
    buf_init(&f->text, CMD_CEDAR_FILE_MAX);
    buf_init(&f->errors, CMD_CEDAR_ERRORS_MAX);
}

void cmd_cedar_files_clear(struct cmd_cedar_files *f)
{
    cedar_policies_free(f->policies);
    cedar_entities_free(f->entities);
    cedar_schema_free(f->schema);
    f->policies = NULL;
    f->entities = NULL;
    f->schema = NULL;
    buf_clear(&f->text);
    buf_clear(&f->errors);
}

void cmd_cedar_files_release(struct cmd_cedar_files *f)
{
    cmd_cedar_files_clear(f);
    buf_release(&f->text);
    buf_release(&f->errors);
}

static void begin_line(struct cmd_cedar_files *f, const char *path)
{
    if (f->errors.len > 0)
        buf_add_char(&f->errors, '\n');
    buf_addf(&f->errors, "%s:", path);
}

bool cmd_cedar_files_text(struct cmd_cedar_files *f, const char *path)
{
    buf_clear(&f->text);
    enum err e = file_read(f->dir, path, &f->text);
    if (e == ERR_OK)
        return true;
    begin_line(f, path);
    if (e == ERR_NOT_FOUND)
        BUF_LIT(&f->errors, " there is no such file");
    else if (e == ERR_LIMIT)
        BUF_LIT(&f->errors, " the file is larger than 64 MiB");
    else
        BUF_LIT(&f->errors, " the file cannot be read");
    return false;
}

/* Says what was wrong; false unless nothing was. */
static bool report(struct cmd_cedar_files *f, const char *path, enum err e,
                   const struct cedar_errors *errors)
{
    if (e == ERR_OK)
        return true;
    if (e == ERR_NO_MEMORY || errors->count == 0) {
        begin_line(f, path);
        buf_addf(&f->errors, " %s", err_text(e));
        return false;
    }
    for (size_t i = 0; i < errors->count; i++) {
        const struct cedar_error *one = &errors->at[i];
        begin_line(f, path);
        buf_addf(&f->errors, "%u:%u: %s", one->line, one->column, one->text);
    }
    return false;
}

/* No text of Cedar begins with a brace, and every one in JSON does. */
static bool is_json(struct str text)
{
    size_t at = 0;
    while (at < text.len && (text.ptr[at] == ' ' || text.ptr[at] == '\n' ||
                             text.ptr[at] == '\r' || text.ptr[at] == '\t'))
        at++;
    return at < text.len && text.ptr[at] == '{';
}

bool cmd_cedar_files_schema(struct cmd_cedar_files *f, const char *path)
{
    struct cedar_errors errors = {.count = 0};
    if (!cmd_cedar_files_text(f, path))
        return false;
    struct str text = buf_str(&f->text);
    enum err e = is_json(text)
                     ? cedar_schema_load_json(text, &errors, &f->schema)
                     : cedar_schema_load(text, &errors, &f->schema);
    return report(f, path, e, &errors);
}

bool cmd_cedar_files_policies(struct cmd_cedar_files *f, const char *path)
{
    struct cedar_errors errors = {.count = 0};
    if (!cmd_cedar_files_text(f, path))
        return false;
    struct str text = buf_str(&f->text);
    enum err e = is_json(text)
                     ? cedar_policy_json_load(text, &errors, &f->policies)
                     : cedar_policies_load(text, &errors, &f->policies);
    return report(f, path, e, &errors);
}

bool cmd_cedar_files_entities(struct cmd_cedar_files *f, const char *path)
{
    struct cedar_errors errors = {.count = 0};
    if (!cmd_cedar_files_text(f, path))
        return false;
    struct str text = buf_str(&f->text);
    enum err e =
        f->schema == NULL
            ? cedar_entities_load(text, &errors, &f->entities)
            : cedar_schema_entities(f->schema, text, &errors, &f->entities);
    return report(f, path, e, &errors);
}

static bool read_uid(struct arena *a, const struct json *json,
                     struct cedar_uid *ret, const char **ret_what)
{
    struct str text;
    if (!json_str(json, &text))
        return cedar_uid_json(json, ret, ret_what) == ERR_OK;
    return cedar_uid_read(a, text, ret, ret_what) == ERR_OK;
}

static bool read_context(const struct cmd_cedar_files *f, struct arena *a,
                         const struct json *json, struct cedar_request *r,
                         const char **ret_what)
{
    if (f->schema != NULL) {
        enum err e = cedar_schema_context(a, f->schema, &r->action, json,
                                          &r->context, ret_what);
        if (e == ERR_LIMIT)
            *ret_what = "the context is too large";
        return e == ERR_OK;
    }
    struct cedar_value v;
    enum err e = cedar_value_json(a, json, &v, ret_what);
    if (e == ERR_OK && v.kind == CEDAR_RECORD) {
        r->context = v.as.record;
        return true;
    }
    if (e == ERR_OK)
        *ret_what = "the context is no record";
    else if (e == ERR_LIMIT)
        *ret_what = "the context is too large";
    return false;
}

bool cmd_cedar_files_request(const struct cmd_cedar_files *f, struct arena *a,
                             const struct json *request,
                             struct cedar_request *ret, const char **ret_what)
{
    const struct json *context = json_get(request, STR("context"));
    struct cedar_request r = {.entities = f->entities};
    if (!read_uid(a, json_get(request, STR("principal")), &r.principal,
                  ret_what) ||
        !read_uid(a, json_get(request, STR("action")), &r.action, ret_what) ||
        !read_uid(a, json_get(request, STR("resource")), &r.resource, ret_what))
        return false;
    if (context != NULL && !read_context(f, a, context, &r, ret_what))
        return false;
    *ret = r;
    return true;
}
