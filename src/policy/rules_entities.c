/*
 * rules_entities.c - see rules_entities.h.
 *
 * Each file is checked by itself, then all are written into one JSON text
 * and loaded: entities of one file may be members of those of another.
 */
#include "policy/rules_entities.h"

#include "base/buf.h"
#include "base/limits.h"
#include "codec/json.h"
#include "policy/rules_report.h"
#include "policy/rules_vocabulary.h"

#define JSON_ARENA_MAX (512 * MIB)

struct merging {
    struct rules *rules;
    const struct settings *settings;
    struct rules_errors *errors;
    struct arena arena; /* parsed JSON of one file */
    struct buf text;    /* of all entities so far, without the brackets */
    bool failed;
};

/* Where the nth element of an array begins; the text parses. */
static size_t element_at(struct str text, size_t nth)
{
    size_t depth = 0;
    bool quoted = false;
    bool wanted = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        if (wanted && !blank)
            return i;
        if (quoted) {
            i += c == '\\';
            quoted = c != '"';
            continue;
        }
        quoted = c == '"';
        depth += c == '[' || c == '{';
        depth -= c == ']' || c == '}';
        if (depth == 1 && (c == ',' || c == '['))
            wanted = nth-- == 0;
    }
    return 0;
}

struct element {
    const struct rules_file *file;
    const struct json *json;
    size_t number; /* in its file, from 0 */
};

static struct str member(const struct json *uid, const char *name)
{
    const struct json *inner = json_get(uid, STR("__entity"));
    struct str s;
    return json_str(json_get(inner != NULL ? inner : uid, str_from(name)), &s)
               ? s
               : STR("");
}

#define REFUSE(m, e, ...)                                                      \
    ((m)->failed = true,                                                       \
     rules_report_at((m)->errors, (e)->file,                                   \
                     element_at((e)->file->text, (e)->number), __VA_ARGS__))

/* Those that are made for each request, from what is proven. */
static bool is_principal(struct str own)
{
    return str_eq(own, STR("User")) || str_eq(own, STR("Application")) ||
           str_eq(own, STR("Workload")) || str_eq(own, STR("Agent"));
}

/* A group's id that begins with an issuer is the issuer's to give. */
static bool is_own(struct str own, struct str id)
{
    return is_principal(own) || str_eq(own, STR("Tenant")) ||
           str_eq(own, STR("Action")) ||
           (str_eq(own, STR("Group")) && str_find(id, '|') < id.len);
}

/* What a server says at a call; files may only put tools into groups. */
static void check_tool(struct merging *m, const struct element *e,
                       struct str own, struct str id)
{
    struct json_iter parents = json_each(json_get(e->json, STR("parents")));
    const struct json *parent;
    if (str_eq(own, STR("Resource")) || str_eq(own, STR("Prompt")))
        REFUSE(m, e,
               RULES_NAMESPACE "%.*s::\"%.*s\" cannot be given in a file: it "
                               "comes from its server",
               STR_FMT(own), STR_FMT(str_first(id, 80)));
    if (!str_eq(own, STR("Tool")))
        return;
    m->rules->has_tools = true;
    if (json_count(json_get(e->json, STR("attrs"))) > 0 ||
        json_count(json_get(e->json, STR("tags"))) > 0)
        REFUSE(m, e,
               "a tool's attributes come from its server and the "
               "configuration; a file can only give it parents");
    while (json_next(&parents, NULL, &parent)) {
        if (str_eq(member(parent, "type"), STR(RULES_NAMESPACE "ToolServer")))
            REFUSE(m, e, "a tool's server is the one in its id");
    }
}

static void check_element(struct merging *m, const struct element *e)
{
    char why[RULES_TEXT_MAX];
    const struct json *uid = json_get(e->json, STR("uid"));
    struct json_iter parents = json_each(json_get(e->json, STR("parents")));
    const struct json *parent;
    struct str type = member(uid, "type");
    struct str id = member(uid, "id");
    if (!rules_vocabulary_type(type, why))
        REFUSE(m, e, "%s", why);
    else if (is_own(rules_vocabulary_own(type), id))
        REFUSE(m, e,
               "%.*s::\"%.*s\" cannot be given in a file: it comes from the "
               "registry, the configuration or a token",
               STR_FMT(type), STR_FMT(str_first(id, 80)));
    check_tool(m, e, rules_vocabulary_own(type), id);
    while (json_next(&parents, NULL, &parent)) {
        struct str of = member(parent, "type");
        if (!rules_vocabulary_type(of, why))
            REFUSE(m, e, "%s", why);
        else if (is_principal(rules_vocabulary_own(of)))
            REFUSE(m, e, "nothing can be a member of a %.*s", STR_FMT(of));
    }
}

/* Adds it to what policies can find by its name. */
static enum err know(struct merging *m, struct str type, struct str id)
{
    struct arena *a = &m->rules->arena;
    struct cedar_uid *uid = ARENA_NEW(a, struct cedar_uid, 1);
    char room[RULES_KEY_MAX];
    struct str key = rules_set_key(rules_vocabulary_own(type), id, room);
    if (rules_vocabulary_own(type).len == 0 || key.len == 0)
        return ERR_OK; /* nothing that a request can be about */
    if (uid == NULL || !arena_copy(a, type, &type) || !arena_copy(a, id, &id) ||
        !arena_copy(a, key, &key))
        return ERR_NO_MEMORY;
    *uid = cedar_uid_make(type, id);
    return map_set(&m->rules->known, key, uid);
}

static void comma(struct buf *to)
{
    if (to->len > 0)
        buf_add_char(to, ',');
}

/* Those of which the configuration has some. */
static bool is_configured(struct str type)
{
    struct str own = rules_vocabulary_own(type);
    return str_eq(own, STR("Model")) || str_eq(own, STR("ToolServer"));
}

/* The entity as it came; a model or a server without a name gets one. */
static void write_element(struct merging *m, const struct json *json)
{
    const struct json *uid = json_get(json, STR("uid"));
    const struct json *attributes = json_get(json, STR("attrs"));
    struct buf attrs;
    struct buf name;
    buf_init(&attrs, CEDAR_TEXT_MAX);
    buf_init(&name, CEDAR_TEXT_MAX);
    comma(&m->text);
    if (json_get(attributes, STR("name")) == NULL &&
        is_configured(member(uid, "type"))) {
        json_write_str(&name, member(uid, "id"));
        const struct json_patch added = {STR("name"), buf_str(&name)};
        json_write(&attrs, attributes, &added, 1);
        const struct json_patch patch = {STR("attrs"), buf_str(&attrs)};
        json_write(&m->text, json, &patch, 1);
        m->text.failed = m->text.failed || !buf_ok(&name) || !buf_ok(&attrs);
    } else {
        json_write(&m->text, json, NULL, 0);
    }
    buf_release(&name);
    buf_release(&attrs);
}

/* Cedar names an entity, not its place: the first that fails alone is it. */
static void report_broken(struct merging *m, const struct rules_file *file,
                          const struct json *array,
                          const struct cedar_errors *found)
{
    struct json_iter it = json_each(array);
    struct element e = {.file = file};
    bool done = false;
    for (; !done && json_next(&it, NULL, &e.json); e.number++) {
        struct cedar_entities *alone = NULL;
        struct cedar_errors why;
        struct buf text;
        buf_init(&text, CEDAR_TEXT_MAX);
        buf_add_char(&text, '[');
        json_write(&text, e.json, NULL, 0);
        buf_add_char(&text, ']');
        done = buf_ok(&text) &&
               cedar_entities_load(buf_str(&text), &why, &alone) ==
                   ERR_MALFORMED &&
               why.count > 0;
        buf_release(&text);
        cedar_entities_free(alone);
        if (done)
            REFUSE(m, &e, "%s", why.at[0].text);
    }
    m->failed = true;
    if (!done)
        rules_report_cedar(m->errors, file->name, found);
}

static enum err add_file(struct merging *m, const struct rules_file *file)
{
    struct cedar_errors found = {.count = 0};
    struct cedar_entities *alone = NULL;
    const struct json *array = NULL;
    struct element e = {.file = file};
    enum err err = cedar_entities_load(file->text, &found, &alone);
    cedar_entities_free(alone);
    if (err == ERR_NO_MEMORY)
        return err;
    enum err read = json_read_nul(&m->arena, file->text, &array, NULL);
    if (err != ERR_OK) {
        report_broken(m, file, array, &found);
        return ERR_OK;
    }
    if (read != ERR_OK)
        return ERR_NO_MEMORY; /* Cedar read the same */
    struct json_iter it = json_each(array);
    for (; err == ERR_OK && json_next(&it, NULL, &e.json); e.number++) {
        const struct json *uid = json_get(e.json, STR("uid"));
        check_element(m, &e);
        write_element(m, e.json);
        err = know(m, member(uid, "type"), member(uid, "id"));
        if (err == ERR_OK)
            err = rules_groups_add_entity(&m->rules->groups, &m->rules->arena,
                                          e.json);
    }
    return err;
}

/* Of the configuration, when no file spoke of it. */
static enum err add_named(struct merging *m, struct str type, struct str name)
{
    char room[RULES_KEY_MAX];
    struct str key = rules_set_key(rules_vocabulary_own(type), name, room);
    if (map_get(&m->rules->known, key) != NULL)
        return ERR_OK;
    comma(&m->text);
    BUF_LIT(&m->text, "{\"uid\":{\"type\":");
    json_write_str(&m->text, type);
    BUF_LIT(&m->text, ",\"id\":");
    json_write_str(&m->text, name);
    BUF_LIT(&m->text, "},\"parents\":[],\"attrs\":{\"name\":");
    json_write_str(&m->text, name);
    BUF_LIT(&m->text, "}}");
    return know(m, type, name);
}

static enum err add_configured(struct merging *m)
{
    const struct settings *s = m->settings;
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && s != NULL && i < s->model_count; i++)
        e = add_named(m, STR(RULES_NAMESPACE "Model"), s->models[i].name);
    for (size_t i = 0; e == ERR_OK && s != NULL && i < s->tool_count; i++)
        e = add_named(m, STR(RULES_NAMESPACE "ToolServer"), s->tools[i].name);
    return e;
}

/* With no *ret, only to find out in which file the fault is. */
static enum err load(struct merging *m, const struct rules_file *last,
                     struct cedar_entities **ret)
{
    struct cedar_errors found = {.count = 0};
    struct cedar_entities *store = NULL;
    struct buf text;
    buf_init(&text, CEDAR_TEXT_MAX);
    buf_add_char(&text, '[');
    buf_add(&text, buf_str(&m->text));
    buf_add_char(&text, ']');
    enum err e = buf_ok(&text) && buf_ok(&m->text)
                     ? cedar_entities_load(buf_str(&text), &found, &store)
                     : ERR_NO_MEMORY;
    buf_release(&text);
    if (ret != NULL)
        *ret = store;
    else
        cedar_entities_free(store);
    if (e == ERR_OK || e == ERR_NO_MEMORY)
        return e;
    m->failed = true;
    for (size_t i = 0; last != NULL && i < found.count; i++)
        rules_report(m->errors, last->name, 0, 0, "%s", found.at[i].text);
    return ERR_CONFIG;
}

/* Each was right by itself: the first that does not go with those before. */
static void report_quarrel(struct merging *m, const struct rules_file *files,
                           size_t count)
{
    buf_clear(&m->text);
    for (size_t i = 0; i < count; i++) {
        enum err e = add_file(m, &files[i]);
        arena_release(&m->arena);
        if (e != ERR_OK || load(m, &files[i], NULL) != ERR_OK)
            return;
    }
}

enum err rules_entities_load(struct rules *r, const struct settings *s,
                             const struct rules_file *files, size_t count,
                             struct rules_errors *errors)
{
    struct merging m = {.rules = r, .settings = s, .errors = errors};
    enum err e = ERR_OK;
    arena_init(&m.arena, JSON_ARENA_MAX);
    buf_init(&m.text, CEDAR_TEXT_MAX);
    for (size_t i = 0; e == ERR_OK && i < count; i++) {
        e = add_file(&m, &files[i]);
        arena_release(&m.arena);
    }
    if (e == ERR_OK && !m.failed)
        e = add_configured(&m);
    if (e == ERR_OK && !m.failed) {
        e = load(&m, NULL, &r->entities);
        if (e == ERR_CONFIG)
            report_quarrel(&m, files, count);
    }
    buf_release(&m.text);
    arena_release(&m.arena);
    return e == ERR_OK && m.failed ? ERR_CONFIG : e;
}
