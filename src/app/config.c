/* config.c - see config.h. */
#include "app/config.h"

#include <limits.h>
#include <unistd.h>

#include "app/config_check.h"
#include "app/config_read.h"
#include "base/limits.h"
#include "codec/yaml.h"
#include "crypto/hash.h"
#include "os/file.h"

/* An error of the file as a whole. */
static enum err fail(struct arena *a, struct config_errors *errors,
                     const char *text)
{
    struct config_report r = {.a = a, .errors = errors};
    config_report_add(&r, (struct config_place){0}, "%s", text);
    return config_report_end(&r);
}

/* Evidence names a credential by its place: "openai/0", "tools/crm/0". */
static bool name_credentials(struct arena *a, const char *map, struct str name,
                             const struct credential_settings **list,
                             size_t count)
{
    struct buf id;
    struct credential_settings *named =
        ARENA_NEW(a, struct credential_settings, count);
    bool ok = named != NULL;
    buf_init(&id, NAME_MAX_LEN + 32);
    for (size_t i = 0; i < count && ok; i++) {
        named[i] = (*list)[i];
        buf_clear(&id);
        buf_addf(&id, "%s%.*s/%zu", map, STR_FMT(name), i);
        ok = buf_ok(&id) && arena_copy(a, buf_str(&id), &named[i].id);
    }
    buf_release(&id);
    if (ok)
        *list = named;
    return ok;
}

static bool complete(struct arena *a, struct settings *s)
{
    struct provider_settings *providers =
        ARENA_NEW(a, struct provider_settings, s->provider_count);
    struct tool_server_settings *tools =
        ARENA_NEW(a, struct tool_server_settings, s->tool_count);
    bool ok = providers != NULL && tools != NULL;
    for (size_t i = 0; i < s->provider_count && ok; i++) {
        struct provider_settings *p = &providers[i];
        *p = s->providers[i];
        ok = name_credentials(a, "", p->name, &p->credentials,
                              p->credential_count);
    }
    for (size_t i = 0; i < s->tool_count && ok; i++) {
        struct tool_server_settings *t = &tools[i];
        *t = s->tools[i];
        ok = name_credentials(a, "tools/", t->name, &t->credentials,
                              t->credential_count);
    }
    if (!ok)
        return false;
    s->providers = providers;
    s->tools = tools;
    return true;
}

enum err config_load_text(struct arena *a, const struct config_source *from,
                          struct settings *ret, struct config_errors *errors)
{
    *errors = (struct config_errors){0};
    struct config_report r = {.a = a, .errors = errors};
    struct settings s = {0};
    const struct yaml_node *root;
    struct yaml_error error;

    enum err e = yaml_read(a, from->text, &root, &error);
    if (e == ERR_MALFORMED) {
        config_report_add(&r,
                          (struct config_place){.line = error.line,
                                                .column = error.column},
                          "%s", error.what);
        return config_report_end(&r);
    }
    if (e != ERR_OK || !arena_copy(a, from->file, &s.file))
        r.full = true;
    if (!r.full)
        config_read(&r, root, from->folder, &s);
    if (!r.full && errors->count == 0)
        config_check(&r, &s, root);
    if (!r.full && errors->count == 0 && !complete(a, &s))
        r.full = true;
    e = config_report_end(&r);
    if (e != ERR_OK)
        return e;
    struct hash digest = hash_sha256(&from->text, 1);
    memcpy(s.digest, digest.bytes, sizeof(s.digest));
    *ret = s;
    return ERR_OK;
}

/* The absolute folder of `file`, in the arena. */
static bool folder_of(struct arena *a, const char *file, struct str *ret)
{
    const char *slash = strrchr(file, '/');
    struct str dir = {file, slash == NULL ? 0 : (size_t)(slash - file)};
    if (slash == file)
        dir.len = 1;
    if (file[0] == '/')
        return arena_copy(a, dir, ret);
    char cwd[PATH_MAX];
    if (getcwd(cwd, sizeof(cwd)) == NULL)
        return false;
    struct buf joined;
    buf_init(&joined, 2 * sizeof(cwd));
    buf_addf(&joined, "%s%s%.*s", cwd, dir.len > 0 ? "/" : "", STR_FMT(dir));
    bool ok = buf_ok(&joined) && arena_copy(a, buf_str(&joined), ret);
    buf_release(&joined);
    return ok;
}

enum err config_load(struct arena *a, struct str file, struct settings *ret,
                     struct config_errors *errors)
{
    struct buf text;
    struct config_source from = {.file = file};
    *errors = (struct config_errors){0};
    const char *path = arena_strdup(a, file);
    if (path == NULL || !folder_of(a, path, &from.folder))
        return fail(a, errors, "the path is too long");

    buf_init(&text, CONFIG_FILE_MAX);
    enum err e = file_read(FILE_CWD, path, &text);
    if (e == ERR_OK) {
        from.text = buf_str(&text);
        e = config_load_text(a, &from, ret, errors);
    } else if (e == ERR_NOT_FOUND) {
        e = fail(a, errors,
                 "there is no such file; `writ init` writes a first one");
    } else if (e == ERR_LIMIT) {
        e = fail(a, errors, "is larger than a configuration may be (4MB)");
    } else {
        e = fail(a, errors, "cannot be read");
    }
    buf_release(&text);
    return e;
}

void config_add_error(struct buf *to, struct str file,
                      const struct config_error *e)
{
    buf_add(to, file);
    if (e->line > 0)
        buf_addf(to, ":%u:%u", e->line, e->column);
    buf_addf(to, ": %.*s%s%.*s", STR_FMT(e->path), e->path.len > 0 ? ": " : "",
             STR_FMT(e->text));
}
