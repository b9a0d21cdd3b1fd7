/* cedar_policy_json.c - reading policies in JSON; see cedar_policy_json.h. */
#include "cedar/cedar_policy_json.h"

#include <stdlib.h>

#include "base/limits.h"
#include "cedar/est.h"
#include "cedar/links.h"
#include "cedar/policies.h"
#include "cedar/print.h"

/* What reading JSON may take for each byte of it. */
enum { JSON_PER_BYTE = 64 };

/* What is being read, beside struct est. */
struct document {
    struct links *links; /* NULL until the policies are there */
    bool wants_template; /* of the policies being read */
    bool takes_any;      /* no matter what `wants_template` says */
};

static bool add(struct est *e, struct program_policy *policy, struct str id)
{
    struct cedar_policies *set = e->p.set;
    if (!arena_copy(&set->arena, id, &policy->id) ||
        set->policies.count == UINT32_MAX || !PROGRAM_ROOM(set->policies))
        return parser_no_memory(&e->p);
    set->policies.at[set->policies.count++] = *policy;
    set->template_count += policy->is_template;
    return true;
}

/* Its id is the name of the place, unless it stands alone. */
static bool policy(struct est *e, const struct json *json, void *to)
{
    const struct document *d = to;
    struct program_policy p;
    if (!est_policy(e, json, &p))
        return false;
    if (!d->takes_any && p.is_template != d->wants_template)
        return est_refuse(e, d->wants_template
                                 ? "a template needs a slot in its scope"
                                 : "a policy with slots belongs to templates");
    return add(e, &p, e->place == NULL ? STR("policy0") : e->place->name);
}

/* After an error the next policy is read, so several are found in a run. */
static bool may_go_on(struct est *e)
{
    e->p.constants.count = 0;
    e->p.starts.count = 0;
    e->p.keys.count = 0;
    return e->p.err != ERR_LIMIT && e->p.errors != NULL &&
           e->p.errors->count < CEDAR_ERRORS_MAX;
}

static bool policies(struct est *e, const struct json *json, void *to)
{
    struct json_iter it = json_each(json);
    struct str name;
    const struct json *one;
    if (json_type(json) != JSON_OBJECT)
        return est_refuse(e, "expected an object");
    for (size_t nth = 0; json_next(&it, &name, &one); nth++)
        if (!est_inside(e, name, nth, policy, one, to) && !may_go_on(e))
            return false;
    return true;
}

static bool values(struct est *e, const struct json *json, void *to)
{
    static const struct est_field known[] = {{"?principal", true},
                                             {"?resource", true}};
    struct cedar_link *link = to;
    struct est_object o;
    if (!est_fields(e, json, known, ARRAY_LEN(known), &o))
        return false;
    struct cedar_uid *uids =
        ARENA_NEW(&e->p.set->arena, struct cedar_uid, ARRAY_LEN(known));
    if (uids == NULL)
        return parser_no_memory(&e->p);
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (o.values[i] != NULL && !est_member(e, &o, i, est_uid, &uids[i]))
            return false;
    link->principal = o.values[0] == NULL ? NULL : &uids[0];
    link->resource = o.values[1] == NULL ? NULL : &uids[1];
    return true;
}

static bool link(struct est *e, const struct json *json, void *to)
{
    static const struct est_field known[] = {{"templateId", false},
                                             {"newId", false},
                                             {"values", false}};
    struct document *d = to;
    struct cedar_link one = {0};
    struct est_object o;
    const char *why;
    if (!est_fields(e, json, known, ARRAY_LEN(known), &o) ||
        !est_member(e, &o, 0, est_string, &one.template_id) ||
        !est_member(e, &o, 1, est_string, &one.id) ||
        !est_member(e, &o, 2, values, &one))
        return false;
    enum err err = links_add(d->links, &one, &why);
    if (err == ERR_MALFORMED)
        return est_refuse(e, "%s", why);
    return err == ERR_OK || parser_no_memory(&e->p);
}

static bool links(struct est *e, const struct json *json, void *to)
{
    struct json_iter it = json_each(json);
    struct document *d = to;
    const struct json *one;
    struct str twice;
    if (json_type(json) != JSON_ARRAY)
        return est_refuse(e, "expected an array");
    if (e->p.err != ERR_OK) /* templates may be missing */
        return false;
    enum err err = links_new(e->p.set, &d->links, &twice);
    if (err == ERR_MALFORMED)
        return est_refuse(e, "a policy and a template have the same id %.*s",
                          STR_FMT(str_first(twice, 40)));
    if (err != ERR_OK)
        return parser_no_memory(&e->p);
    for (size_t nth = 0; json_next(&it, NULL, &one); nth++)
        if (!est_inside(e, (struct str){0}, nth, link, one, d) && !may_go_on(e))
            break;
    links_free(d->links);
    return e->p.err == ERR_OK;
}

static bool read_set(struct est *e, const struct json *json)
{
    static const struct est_field known[] = {{"staticPolicies", false},
                                             {"templates", false},
                                             {"templateLinks", false}};
    struct document d = {0};
    struct est_object o;
    if (!est_fields(e, json, known, ARRAY_LEN(known), &o))
        return false;
    (void)est_member(e, &o, 0, policies, &d);
    d.wants_template = true;
    if (e->p.err == ERR_OK || may_go_on(e))
        (void)est_member(e, &o, 1, policies, &d);
    return e->p.err == ERR_OK && est_member(e, &o, 2, links, &d);
}

static bool read(struct est *e, const struct json *json)
{
    struct document d = {.takes_any = true};
    if (json_get(json, STR("effect")) != NULL)
        return policy(e, json, &d);
    return read_set(e, json);
}

static enum err parse(struct cedar_policies *set, struct str text,
                      struct cedar_errors *errors)
{
    struct arena arena;
    struct json_error why = {0};
    const struct json *json;
    struct est e = {
        .p = {.set = set, .errors = errors, .pool = {.arena = &set->arena}},
        .text = text,
    };
    arena_init(&arena, text.len * JSON_PER_BYTE + MIB);
    enum err err = json_read_large(&arena, text, &json, &why);
    if (err != ERR_OK)
        errors_add(errors, text, why.offset, "%s",
                   why.what == NULL ? "too much JSON" : why.what);
    else if (!read(&e, json) && e.p.err == ERR_OK)
        e.p.err = ERR_MALFORMED;
    free(e.p.constants.at);
    free(e.p.starts.at);
    free(e.p.keys.at);
    arena_release(&arena);
    return err != ERR_OK ? err : e.p.err;
}

enum err cedar_policy_json_load(struct str json,
                                struct cedar_errors *ret_errors,
                                struct cedar_policies **ret)
{
    if (ret_errors != NULL)
        ret_errors->count = 0;
    enum err e = policies_check_text(json, ret_errors);
    if (e != ERR_OK)
        return e;
    struct cedar_policies *set = policies_new(json.len);
    if (set == NULL)
        return ERR_NO_MEMORY;
    e = parse(set, json, ret_errors);
    if (e == ERR_OK)
        e = print_set(set);
    if (e == ERR_OK)
        e = policies_finish(set);
    if (e != ERR_OK) {
        if (e == ERR_LIMIT && ret_errors != NULL && ret_errors->count == 0)
            errors_add(ret_errors, json, 0, "the policies are too long");
        cedar_policies_free(set);
        return e;
    }
    *ret = set;
    return ERR_OK;
}

enum err cedar_policy_json_text(const struct cedar_policies *p, size_t index,
                                struct buf *to)
{
    return print_policy(p, index, to);
}
