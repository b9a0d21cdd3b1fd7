/* policy_files.c - see policy_files.h. */
#include "app/policy_files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "os/file.h"

struct reading {
    struct arena *arena;
    struct policy_files_error *error;
    size_t files;            /* so far, in all */
    size_t bytes;            /* so far, in all */
    struct str end;          /* of the names that count */
    struct str root;         /* the folder being read, as it was named */
    char *real_root;         /* where it really is; heap */
    struct rules_file *list; /* of the folder; heap */
    size_t count, room;
};

struct policy_files_where policy_files_of(const struct settings *s)
{
    return (struct policy_files_where){
        .dir = s->policies.dir,
        .shadow = s->policies.shadow,
        .entities = s->policies.entities,
        .entity_count = s->policies.entity_count,
    };
}

void policy_files_add_path(struct buf *to, struct str dir, struct str name)
{
    buf_add(to, dir);
    if (dir.len > 0 && name.len > 0 && dir.ptr[dir.len - 1] != '/')
        buf_add_char(to, '/');
    buf_add(to, name);
}

static enum err refuse(struct reading *r, struct str dir, struct str name,
                       const char *why)
{
    struct buf text;
    buf_init_lent(&text, r->error->text, sizeof(r->error->text) - 1);
    policy_files_add_path(&text, dir, name);
    buf_addf(&text, ": %s", why);
    r->error->text[text.len] = 0;
    return ERR_CONFIG;
}

/* A path as the system wants it. */
static bool to_path(struct str dir, struct str name, char *to)
{
    struct buf path;
    buf_init_lent(&path, to, FILE_PATH_MAX - 1);
    policy_files_add_path(&path, dir, name);
    if (!buf_ok(&path))
        return false;
    to[path.len] = 0;
    return true;
}

/* Reads one file whose name is for messages and ids. */
static enum err read_file(struct reading *r, struct str dir, struct str name,
                          struct str *ret)
{
    char path[FILE_PATH_MAX];
    struct buf text;
    if (!to_path(dir, name, path))
        return refuse(r, dir, name, "the path is too long");
    if (++r->files > POLICY_FILES_MAX)
        return refuse(r, dir, name, "there are more than 10000 files");
    buf_init(&text, POLICY_FILES_FILE_MAX);
    enum err e = file_read(FILE_CWD, path, &text);
    if (e == ERR_OK) {
        r->bytes += text.len;
        if (r->bytes > POLICY_FILES_BYTES_MAX)
            e = refuse(r, dir, name,
                       "the files, taken together, are larger "
                       "than 64 MiB");
        else if (!arena_copy(r->arena, buf_str(&text), ret))
            e = ERR_NO_MEMORY;
    } else if (e == ERR_LIMIT) {
        e = refuse(r, dir, name, "the file is larger than 4 MiB");
    } else if (e != ERR_NO_MEMORY) {
        e = refuse(r, dir, name,
                   e == ERR_NOT_FOUND ? "there is no such file"
                                      : "the file cannot be read");
    }
    buf_release(&text);
    return e;
}

/* A link has to stay below the folder, and to be to a file. */
static enum err check_link(struct reading *r, struct str name)
{
    char path[FILE_PATH_MAX];
    struct stat st;
    if (!to_path(r->root, name, path))
        return refuse(r, r->root, name, "the path is too long");
    char *real = realpath(path, NULL);
    struct str root = str_from(r->real_root);
    struct str at = str_from(real);
    bool inside = real != NULL && str_starts(at, root) && at.len > root.len &&
                  (root.len == 1 || at.ptr[root.len] == '/');
    bool is_file = real != NULL && stat(real, &st) == 0 && S_ISREG(st.st_mode);
    free(real);
    if (!inside)
        return refuse(r, r->root, name,
                      "the symbolic link leads out of the folder, or nowhere");
    if (!is_file)
        return refuse(r, r->root, name,
                      "a symbolic link to what is not a file");
    return ERR_OK;
}

static bool is_wanted(struct str name, struct str end)
{
    return name.len > end.len &&
           str_eq(str_skip(name, name.len - end.len), end);
}

static bool is_plain(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if ((unsigned char)name.ptr[i] < 0x20 || name.ptr[i] == 0x7f)
            return false;
    }
    return text_is_utf8(name);
}

static enum err add_file(struct reading *r, struct str name, bool is_link)
{
    struct str kept;
    struct str text = {NULL, 0};
    if (!is_plain(name))
        return refuse(r, r->root, name,
                      "the name has control characters or is not UTF-8");
    enum err e = is_link ? check_link(r, name) : ERR_OK;
    if (e == ERR_OK)
        e = read_file(r, r->root, name, &text);
    if (e != ERR_OK)
        return e;
    if (r->count == r->room) {
        size_t room = r->room == 0 ? 64 : 2 * r->room;
        void *grown = reallocarray(r->list, room, sizeof(*r->list));
        if (grown == NULL)
            return ERR_NO_MEMORY;
        r->list = grown;
        r->room = room;
    }
    if (!arena_copy(r->arena, name, &kept))
        return ERR_NO_MEMORY;
    r->list[r->count++] = (struct rules_file){kept, text};
    return ERR_OK;
}

static enum err read_dir(struct reading *r, struct str below, unsigned depth);

static enum err add_entry(struct reading *r, struct str below,
                          const char *entry, unsigned depth)
{
    char room[FILE_PATH_MAX];
    char path[FILE_PATH_MAX];
    struct stat st;
    struct str name = {room, 0};
    if (entry[0] == '.')
        return ERR_OK;
    if (!to_path(below, str_from(entry), room))
        return refuse(r, r->root, below, "a path below it is too long");
    name.len = strlen(room);
    if (!to_path(r->root, name, path))
        return refuse(r, r->root, below, "a path below it is too long");
    if (lstat(path, &st) != 0)
        return refuse(r, r->root, name, "it cannot be looked at");
    if (S_ISDIR(st.st_mode))
        return read_dir(r, name, depth + 1);
    if (!is_wanted(name, r->end))
        return ERR_OK;
    return add_file(r, name, S_ISLNK(st.st_mode));
}

/* Recurses as deep as folders nest, which is bounded. */
static enum err read_dir(struct reading *r, struct str below, unsigned depth)
{
    char path[FILE_PATH_MAX];
    const struct dirent *entry;
    enum err e = ERR_OK;
    if (depth > POLICY_FILES_DEPTH_MAX)
        return refuse(r, r->root, below, "folders nest too deeply");
    if (!to_path(r->root, below, path))
        return refuse(r, r->root, below, "the path is too long");
    DIR *dir = opendir(path);
    if (dir == NULL)
        return refuse(r, r->root, below, "the folder cannot be read");
    /* One thread reads this stream. NOLINTNEXTLINE(*-mt-unsafe) */
    while (e == ERR_OK && (entry = readdir(dir)) != NULL)
        e = add_entry(r, below, entry->d_name, depth);
    (void)closedir(dir);
    return e;
}

static int order(const void *a, const void *b)
{
    const struct rules_file *left = a;
    const struct rules_file *right = b;
    return str_compare(left->name, right->name);
}

/* All policies of a folder, in order; an empty name: none. */
static enum err read_folder(struct reading *r, struct str dir,
                            struct rules_file **ret, size_t *ret_count)
{
    char path[FILE_PATH_MAX];
    enum err e = ERR_OK;
    if (dir.len == 0)
        return ERR_OK;
    r->root = dir;
    r->count = 0;
    if (!to_path(dir, STR(""), path))
        return refuse(r, dir, STR(""), "the path is too long");
    r->real_root = realpath(path, NULL);
    if (r->real_root == NULL)
        e = refuse(r, dir, STR(""), "there is no such folder");
    if (e == ERR_OK)
        e = read_dir(r, STR(""), 0);
    free(r->real_root);
    r->real_root = NULL;
    if (e != ERR_OK)
        return e;
    struct rules_file *kept = ARENA_NEW(r->arena, struct rules_file, r->count);
    if (kept == NULL)
        return ERR_NO_MEMORY;
    if (r->count > 0) {
        memcpy(kept, r->list, r->count * sizeof(*kept));
        qsort(kept, r->count, sizeof(*kept), order);
    }
    *ret = kept;
    *ret_count = r->count;
    return ERR_OK;
}

static enum err read_entities(struct reading *r,
                              const struct policy_files_where *w,
                              struct rules_sources *to)
{
    struct rules_file *list =
        ARENA_NEW(r->arena, struct rules_file, w->entity_count);
    enum err e = list == NULL ? ERR_NO_MEMORY : ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < w->entity_count; i++) {
        if (!arena_copy(r->arena, w->entities[i].file, &list[i].name))
            return ERR_NO_MEMORY;
        e = read_file(r, STR(""), w->entities[i].file, &list[i].text);
    }
    to->entities = list;
    to->entity_count = w->entity_count;
    return e;
}

enum err policy_files_read(struct arena *a, const struct policy_files_where *w,
                           struct rules_sources *ret,
                           struct policy_files_error *error)
{
    struct reading r = {.arena = a, .error = error, .end = STR(".cedar")};
    struct rules_sources from = {.has_shadow = w->shadow.len > 0};
    struct rules_file *policies = NULL;
    struct rules_file *shadow = NULL;
    enum err e = read_folder(&r, w->dir, &policies, &from.policy_count);
    if (e == ERR_OK)
        e = read_folder(&r, w->shadow, &shadow, &from.shadow_count);
    from.policies = policies;
    from.shadow = shadow;
    if (e == ERR_OK)
        e = read_entities(&r, w, &from);
    free(r.list);
    if (e == ERR_OK)
        *ret = from;
    return e;
}

/* Files that were found below a folder, with its path before their names. */
static enum err add_root(struct reading *r, struct rules_file *files,
                         size_t count)
{
    for (size_t i = 0; files != NULL && i < count; i++) {
        char path[FILE_PATH_MAX];
        if (!to_path(r->root, files[i].name, path) ||
            !arena_copy(r->arena, str_from(path), &files[i].name))
            return ERR_NO_MEMORY;
    }
    return ERR_OK;
}

enum err policy_files_read_tests(struct arena *a, struct str path,
                                 const struct rules_file **ret,
                                 size_t *ret_count,
                                 struct policy_files_error *error)
{
    struct reading r = {.arena = a, .error = error, .end = STR(".test.yaml")};
    struct rules_file *files = NULL;
    size_t count = 0;
    char room[FILE_PATH_MAX];
    struct stat st;
    if (!to_path(path, STR(""), room))
        return refuse(&r, path, STR(""), "the path is too long");
    enum err e = ERR_OK;
    if (stat(room, &st) == 0 && S_ISDIR(st.st_mode)) {
        e = read_folder(&r, path, &files, &count);
        free(r.list);
        if (e == ERR_OK)
            e = add_root(&r, files, count);
    } else {
        files = ARENA_NEW(a, struct rules_file, 1);
        if (files == NULL)
            return ERR_NO_MEMORY;
        count = 1;
        files->name = path;
        e = read_file(&r, STR(""), path, &files->text);
    }
    if (e != ERR_OK)
        return e;
    *ret = files;
    *ret_count = count;
    return ERR_OK;
}

/* Names of both folders may be the same: whose it is, its place tells. */
static bool is_of(const struct rules_file *files, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++) {
        if (files[i].name.ptr == name.ptr && name.ptr != NULL)
            return true;
    }
    return false;
}

void policy_files_add_path_of(struct buf *to,
                              const struct policy_files_where *w,
                              const struct rules_sources *from, struct str name)
{
    struct str dir = STR("");
    if (is_of(from->policies, from->policy_count, name))
        dir = w->dir;
    else if (is_of(from->shadow, from->shadow_count, name))
        dir = w->shadow;
    policy_files_add_path(to, dir, name);
}

void policy_files_add_error(struct buf *to, const struct policy_files_where *w,
                            const struct rules_sources *from,
                            const struct rules_error *e)
{
    if (e->file.len > 0) {
        policy_files_add_path_of(to, w, from, e->file);
        if (e->line > 0)
            buf_addf(to, ":%u:%u", e->line, e->column);
        BUF_LIT(to, ": ");
    }
    buf_add(to, str_from(e->text));
}
