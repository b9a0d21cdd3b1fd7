/* rules_policies.c - see rules_policies.h. */
#include "policy/rules_policies.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"
#include "policy/rules_report.h"
#include "policy/rules_vocabulary.h"

enum { ID_MAX = 128 };

static enum err from_cedar(enum err e)
{
    return e == ERR_OK || e == ERR_NO_MEMORY ? e : ERR_CONFIG;
}

/* One file by itself; reports all that is wrong. */
static enum err check_file(const struct rules_loading *l,
                           const struct rules_file *file)
{
    struct rules_errors *errors = l->errors;
    struct cedar_errors found;
    struct cedar_policies *alone = NULL;
    size_t before = errors->count + errors->more;
    enum err e = cedar_policies_load(file->text, &found, &alone);
    if (e != ERR_OK) {
        rules_report_cedar(errors, file->name, &found);
        if (e != ERR_NO_MEMORY && found.count == 0)
            rules_report(errors, file->name, 0, 0,
                         "the policies are too large");
        return from_cedar(e);
    }
    for (size_t i = 0; i < cedar_policies_count(alone); i++) {
        struct cedar_policy_view v = cedar_policies_at(alone, i);
        if (v.is_template)
            rules_report_at(errors, file, v.offset,
                            "a template: policies with slots are not "
                            "supported by this version");
    }
    cedar_policies_free(alone);
    rules_vocabulary_check(file, l->settings, errors);
    return errors->count + errors->more > before ? ERR_CONFIG : ERR_OK;
}

static bool is_plain(struct str id)
{
    for (size_t i = 0; i < id.len; i++) {
        unsigned char c = (unsigned char)id.ptr[i];
        if (c < 0x20 || c == 0x7f)
            return false;
    }
    return text_is_utf8(id);
}

/* What an annotation says, or nothing. */
static struct str written(const struct cedar_policies *set, size_t index,
                          struct str wanted)
{
    struct str key;
    struct str value;
    for (size_t n = 0; cedar_policies_annotation(set, index, n, &key, &value);
         n++) {
        if (str_eq(key, wanted))
            return value.len > 0 ? value : STR("");
    }
    return (struct str){NULL, 0};
}

/* Where we are in the list of files. */
struct naming {
    struct arena *arena;
    struct rules_errors *errors;
    struct map ids; /* of the set -> struct rules_policy */
    const struct rules_file *files;
    size_t file;     /* the one that the policy is in */
    size_t end;      /* its end in the set's text */
    unsigned above;  /* lines before it */
    unsigned number; /* of the policy in its file, from 1 */
    struct str name; /* the file's, ours */
    bool failed;
};

static unsigned lines_of(struct str text)
{
    unsigned n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == '\n';
    return n;
}

/* To the file with `offset` in it.  Each is followed by a line end. */
static bool enter_file(struct naming *n, size_t offset)
{
    bool moved = n->name.ptr == NULL;
    if (moved)
        n->end = n->files[0].text.len + 1;
    while (offset >= n->end) {
        n->above += lines_of(n->files[n->file].text) + 1;
        n->file++;
        n->end += n->files[n->file].text.len + 1;
        moved = true;
    }
    if (!moved)
        return true;
    n->number = 0;
    return arena_copy(n->arena, n->files[n->file].name, &n->name);
}

static bool name_it(struct naming *n, struct str id_text,
                    struct rules_policy *to)
{
    char number[16];
    if (id_text.ptr != NULL)
        return arena_copy(n->arena, id_text, &to->id);
    int len = snprintf(number, sizeof(number), "#%u", n->number);
    char *id = arena_alloc(n->arena, n->name.len + (size_t)len);
    if (id == NULL)
        return false;
    if (n->name.len > 0)
        memcpy(id, n->name.ptr, n->name.len);
    memcpy(id + n->name.len, number, (size_t)len);
    to->id = (struct str){id, n->name.len + (size_t)len};
    return true;
}

static void check_id(struct naming *n, struct str id_text,
                     const struct rules_policy *p)
{
    struct str file = n->files[n->file].name;
    const struct rules_policy *other = map_get(&n->ids, p->id);
    size_t before = n->errors->count + n->errors->more;
    if (id_text.ptr != NULL && (id_text.len == 0 || id_text.len > ID_MAX))
        rules_report(n->errors, file, p->line, 1,
                     "an @id has 1 to %d characters", ID_MAX);
    else if (id_text.ptr != NULL && !is_plain(id_text))
        rules_report(n->errors, file, p->line, 1,
                     "an @id cannot have control characters");
    else if (str_eq(p->id, RULES_FENCE))
        rules_report(n->errors, file, p->line, 1,
                     "@id(\"%.*s\") is the name of the fence of tenants",
                     STR_FMT(p->id));
    else if (str_eq(p->id, RULES_CEILING))
        rules_report(n->errors, file, p->line, 1,
                     "@id(\"%.*s\") is the name of the ceiling of risk",
                     STR_FMT(p->id));
    else if (other != NULL)
        rules_report(n->errors, file, p->line, 1,
                     "there is a policy \"%.*s\" already, at %.*s:%u",
                     STR_FMT(str_first(p->id, 80)),
                     STR_FMT(str_first(other->file, 80)), other->line);
    if (n->errors->count + n->errors->more > before)
        n->failed = true;
}

/* Anywhere in the text: one time too often does no harm. */
static bool has_word(struct str text, struct str word)
{
    return memmem(text.ptr, text.len, word.ptr, word.len) != NULL;
}

static enum err name_all(struct naming *n, struct rules_policies *to)
{
    struct rules_policy *at =
        ARENA_NEW(n->arena, struct rules_policy, to->count);
    if (at == NULL)
        return ERR_NO_MEMORY;
    to->at = at;
    for (size_t i = 0; i < to->count; i++) {
        struct cedar_policy_view v = cedar_policies_at(to->cedar, i);
        struct str id_text = written(to->cedar, i, STR("id"));
        struct str group = written(to->cedar, i, STR("approval"));
        if (!enter_file(n, v.offset))
            return ERR_NO_MEMORY;
        n->number++;
        at[i] = (struct rules_policy){
            .file = n->name,
            .line = v.line - n->above,
            .above = n->above,
            .is_permit = v.effect == CEDAR_PERMIT,
            .is_named = id_text.ptr != NULL,
            .uses_input = has_word(v.text, STR("input")) ||
                          has_word(v.text, STR("element")),
        };
        if (!name_it(n, id_text, &at[i]) ||
            !arena_copy(n->arena, group, &at[i].approval))
            return ERR_NO_MEMORY;
        check_id(n, id_text, &at[i]);
        if (map_get(&n->ids, at[i].id) == NULL &&
            map_set(&n->ids, at[i].id, &at[i]) != ERR_OK)
            return ERR_NO_MEMORY;
    }
    return n->failed ? ERR_CONFIG : ERR_OK;
}

static enum err compile(const struct rules_loading *l,
                        struct cedar_policies **ret)
{
    struct buf text;
    struct cedar_errors found;
    buf_init(&text, CEDAR_TEXT_MAX);
    for (size_t i = 0; i < l->count; i++) {
        buf_add(&text, l->files[i].text);
        buf_add_char(&text, '\n');
    }
    enum err e = buf_ok(&text)
                     ? cedar_policies_load(buf_str(&text), &found, ret)
                     : ERR_NO_MEMORY;
    buf_release(&text);
    if (e != ERR_OK && e != ERR_NO_MEMORY)
        rules_report(l->errors, STR(""), 0, 0,
                     "the policies, taken together, are too large");
    return from_cedar(e);
}

enum err rules_policies_load(const struct rules_loading *l,
                             struct rules_policies *ret)
{
    struct rules_policies p = {.is_there = true};
    enum err e = ERR_OK;
    for (size_t i = 0; i < l->count && e != ERR_NO_MEMORY; i++) {
        enum err one = check_file(l, &l->files[i]);
        if (one != ERR_OK)
            e = one;
    }
    if (e == ERR_OK)
        e = compile(l, &p.cedar);
    if (e != ERR_OK)
        return e;
    /* Whoever writes policies does not attack their own start. */
    const struct siphash_key seed = {0, 0};
    struct naming n = {.arena = l->arena,
                       .errors = l->errors,
                       .files = l->files};
    p.count = cedar_policies_count(p.cedar);
    map_init(&n.ids, seed, p.count + 1);
    e = name_all(&n, &p);
    map_release(&n.ids);
    if (e != ERR_OK) {
        rules_policies_release(&p);
        return e;
    }
    *ret = p;
    return ERR_OK;
}

void rules_policies_release(struct rules_policies *p)
{
    cedar_policies_free(p->cedar);
    *p = (struct rules_policies){0};
}
