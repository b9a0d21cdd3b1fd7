/* layers: base codec cedar */
/*
 * cedar.c - answers worlds of Cedar, for whoever compares engines.
 *
 * A line of standard input is {"policies": TEXT, "schema": TEXT or null,
 * "entities": TEXT, "requests": [...]}, or only some of that: is it right?
 * Policies and schema that begin with a brace are JSON; "links" makes policies
 * of templates, "tell_policies" asks for the policies as JSON.  A line of
 * standard output says what could not be loaded and why, which policies the
 * validator finds errors in and which it warns about, and each request's
 * decision, reasons and errors.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "cedar/cedar.h"
#include "cedar/cedar_format.h"
#include "cedar/cedar_links.h"
#include "cedar/cedar_policy_json.h"

#define ARENA_MAX (256 * MIB)
#define LINE_MAX (64 * MIB)
enum { LINKS_MAX = 16 };

struct world {
    struct arena arena;
    struct cedar_schema *schema;
    struct cedar_policies *policies;
    struct cedar_entities *entities;
    struct cedar_evaluator *evaluator;
    const struct json *links;
    bool entities_ok;
    struct buf out;
};

static bool member(struct buf *to, const char *name, enum err e,
                   const struct cedar_errors *errors)
{
    if (e == ERR_OK)
        return true;
    buf_addf(to, "\"%s\":", name);
    json_write_str(to, str_from(errors->count > 0 ? errors->at[0].text
                                                  : err_text(e)));
    buf_add_char(to, ',');
    return false;
}

static void add_id(struct world *w, size_t nth, uint32_t policy)
{
    if (nth > 0)
        buf_add_char(&w->out, ',');
    json_write_str(&w->out, cedar_policies_at(w->policies, policy).id);
}

static bool read_request(struct world *w, const struct json *json,
                         struct cedar_request *r, const char **ret_what)
{
    const struct json *context = json_get(json, STR("context"));
    struct cedar_value v = {.kind = CEDAR_NOTHING};
    enum err e = cedar_uid_json(json_get(json, STR("principal")), &r->principal,
                                ret_what);
    if (e == ERR_OK)
        e = cedar_uid_json(json_get(json, STR("action")), &r->action, ret_what);
    if (e == ERR_OK)
        e = cedar_uid_json(json_get(json, STR("resource")), &r->resource,
                           ret_what);
    if (e != ERR_OK)
        return false;
    r->entities = w->entities;
    if (w->schema != NULL)
        return cedar_schema_context(&w->arena, w->schema, &r->action, context,
                                    &r->context, ret_what) == ERR_OK;
    e = cedar_value_json(&w->arena, context, &v, ret_what);
    r->context = v.as.record;
    return e == ERR_OK && v.kind == CEDAR_RECORD;
}

static void answer(struct world *w, const struct json *json)
{
    struct cedar_request r = {0};
    struct cedar_errors errors = {.count = 0};
    struct cedar_answer a;
    const char *what = "no reason";
    BUF_LIT(&w->out, "{");
    if (!read_request(w, json, &r, &what)) {
        BUF_LIT(&w->out, "\"failed\":");
        json_write_str(&w->out, str_from(what));
        BUF_LIT(&w->out, "}");
        return;
    }
    if (w->schema != NULL &&
        !member(&w->out, "failed", cedar_schema_check(w->schema, &r, &errors),
                &errors)) {
        w->out.len--; /* the comma */
        BUF_LIT(&w->out, "}");
        return;
    }
    if (cedar_authorize(w->evaluator, w->policies, &r, NULL, &a) != ERR_OK)
        abort();
    buf_addf(&w->out, "\"decision\":\"%s\",\"reason\":[",
             a.decision == CEDAR_ALLOW ? "allow" : "deny");
    for (size_t i = 0; i < a.reason_count; i++)
        add_id(w, i, a.reasons[i]);
    BUF_LIT(&w->out, "],\"errors\":[");
    for (size_t i = 0; i < a.fault_count; i++)
        add_id(w, i, a.faults[i].policy);
    BUF_LIT(&w->out, "]}");
}

static void add_findings(struct world *w, const char *name, bool warnings,
                         const struct cedar_findings *found)
{
    size_t told = 0;
    uint32_t last = UINT32_MAX;
    buf_addf(&w->out, "\"%s\":[", name);
    for (size_t i = 0; i < found->count; i++) {
        const struct cedar_finding *f = &found->at[i];
        if (f->is_warning != warnings || f->policy == last)
            continue;
        last = f->policy;
        add_id(w, told++, f->policy);
    }
    BUF_LIT(&w->out, "],");
}

static void validate(struct world *w)
{
    struct cedar_findings found = {0};
    if (cedar_validate(&w->arena, w->schema, w->policies, NULL, &found) !=
        ERR_OK)
        abort();
    add_findings(w, "invalid", false, &found);
    add_findings(w, "warned", true, &found);
}

static void read_link(const struct json *json, struct cedar_link *to,
                      struct cedar_uid uids[2])
{
    const char *what;
    const struct json *principal = json_get(json, STR("principal"));
    const struct json *resource = json_get(json, STR("resource"));
    *to = (struct cedar_link){.principal = NULL};
    if (!json_str(json_get(json, STR("template")), &to->template_id) ||
        !json_str(json_get(json, STR("id")), &to->id) ||
        (principal != NULL &&
         cedar_uid_json(principal, &uids[0], &what) != ERR_OK) ||
        (resource != NULL &&
         cedar_uid_json(resource, &uids[1], &what) != ERR_OK))
        abort();
    to->principal = principal != NULL ? &uids[0] : NULL;
    to->resource = resource != NULL ? &uids[1] : NULL;
}

static enum err load_policies(struct world *w, const struct json *json,
                              struct str text, struct cedar_errors *errors)
{
    struct cedar_link links[LINKS_MAX];
    struct cedar_uid uids[LINKS_MAX][2];
    size_t count = 0;
    w->links = json_get(json, STR("links"));
    struct json_iter it = json_each(w->links);
    const struct json *link;
    if (text.len > 0 && text.ptr[0] == '{')
        return cedar_policy_json_load(text, errors, &w->policies);
    while (json_next(&it, NULL, &link)) {
        if (count == LINKS_MAX)
            abort();
        read_link(link, &links[count], uids[count]);
        count++;
    }
    return cedar_links_load(text, links, count, errors, &w->policies);
}

static void write_set(const struct cedar_policies *p, struct buf *to)
{
    if (cedar_policy_json_write_set(p, to) != ERR_OK)
        abort();
}

/* What it says after it went through `other`'s text is the same. */
static bool survives(struct str other, bool is_json, struct str json)
{
    struct buf again;
    struct cedar_policies *p = NULL;
    enum err e = is_json ? cedar_policy_json_load(other, NULL, &p)
                         : cedar_policies_load(other, NULL, &p);
    buf_init(&again, LINE_MAX);
    if (e == ERR_OK)
        write_set(p, &again);
    bool same = e == ERR_OK && str_eq(buf_str(&again), json);
    buf_release(&again);
    cedar_policies_free(p);
    return same;
}

/* Policies as JSON; what is formatted, or was JSON, is the same. */
static void tell_policies(struct world *w, struct str text)
{
    struct buf json;
    struct buf pretty;
    bool is_json = text.len > 0 && text.ptr[0] == '{';
    buf_init(&json, LINE_MAX);
    buf_init(&pretty, LINE_MAX);
    write_set(w->policies, &json);
    BUF_LIT(&w->out, "\"json\":");
    buf_add(&w->out, buf_str(&json));
    BUF_LIT(&w->out, ",");
    if (!survives(buf_str(&json), true, buf_str(&json)))
        BUF_LIT(&w->out, "\"bad_json\":\"reads differently\",");
    if (!is_json && json_count(w->links) == 0 &&
        (cedar_format_policies(text, NULL, &pretty) != ERR_OK ||
         !survives(buf_str(&pretty), false, buf_str(&json))))
        BUF_LIT(&w->out, "\"bad_format\":\"reads differently\",");
    buf_release(&json);
    buf_release(&pretty);
}

static bool load(struct world *w, const struct json *json)
{
    struct str text;
    struct cedar_errors errors = {.count = 0};
    bool ok = true;
    if (json_str(json_get(json, STR("schema")), &text))
        ok = member(&w->out, "bad_schema",
                    text.len > 0 && text.ptr[0] == '{'
                        ? cedar_schema_load_json(text, &errors, &w->schema)
                        : cedar_schema_load(text, &errors, &w->schema),
                    &errors);
    if (json_str(json_get(json, STR("policies")), &text))
        ok = member(&w->out, "bad_policies",
                    load_policies(w, json, text, &errors), &errors) &&
             ok;
    if (w->policies != NULL && json_get(json, STR("tell_policies")) != NULL)
        tell_policies(w, text);
    if (!ok || !json_str(json_get(json, STR("entities")), &text))
        return false;
    enum err e =
        w->schema == NULL
            ? cedar_entities_load(text, &errors, &w->entities)
            : cedar_schema_entities(w->schema, text, &errors, &w->entities);
    w->entities_ok = member(&w->out, "bad_entities", e, &errors);
    return w->policies != NULL;
}

static void run(struct world *w, struct str line)
{
    const struct json *json;
    const struct json *request;
    if (json_read_nul(&w->arena, line, &json, NULL) != ERR_OK)
        abort();
    BUF_LIT(&w->out, "{");
    if (load(w, json)) {
        if (w->schema != NULL)
            validate(w);
        BUF_LIT(&w->out, "\"answers\":[");
        struct json_iter it = json_each(json_get(json, STR("requests")));
        for (size_t i = 0; w->entities_ok && json_next(&it, NULL, &request);
             i++) {
            buf_add(&w->out, i > 0 ? STR(",") : STR(""));
            answer(w, request);
        }
        BUF_LIT(&w->out, "],");
    }
    BUF_LIT(&w->out, "\"end\":true}\n");
    if (!buf_ok(&w->out) ||
        fwrite(w->out.ptr, 1, w->out.len, stdout) != w->out.len ||
        fflush(stdout) != 0)
        abort();
}

static void clear(struct world *w)
{
    cedar_policies_free(w->policies);
    cedar_entities_free(w->entities);
    cedar_schema_free(w->schema);
    w->policies = NULL;
    w->entities = NULL;
    w->schema = NULL;
    arena_release(&w->arena);
    buf_clear(&w->out);
}

int main(void)
{
    struct world w = {.evaluator = cedar_evaluator_new()};
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    if (w.evaluator == NULL)
        return 1;
    arena_init(&w.arena, ARENA_MAX);
    buf_init(&w.out, LINE_MAX);
    while ((len = getline(&line, &room, stdin)) > 0) {
        run(&w, (struct str){line, (size_t)len});
        clear(&w);
    }
    buf_release(&w.out);
    cedar_evaluator_free(w.evaluator);
    free(line);
    return 0;
}
