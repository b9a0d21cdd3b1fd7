/* policy_case.c - see policy_case.h. */
#include "app/policy_case.h"

#include "app/policy_given.h"
#include "app/policy_yaml.h"
#include "policy/rules_report.h"

static const char *const file_keys[] = {"tests", "defaults", NULL};
static const char *const defaults_keys[] = {"given", NULL};
static const char *const test_keys[] = {
    "name", "given", "expect", "policies", "approvals", "shadow", NULL,
};

/* NULL when it does not parse or is empty; an empty text is no error. */
static const struct yaml_node *parse(struct policy_yaml *y, struct str text)
{
    const struct yaml_node *root = NULL;
    struct yaml_error why = {0};
    enum err e = yaml_read(y->arena, text, &root, &why);
    if (e == ERR_MALFORMED)
        rules_report(y->errors, y->file, why.line, why.column, "%s", why.what);
    else if (e != ERR_OK)
        y->full = true;
    return e == ERR_OK && yaml_type(root) != YAML_NULL ? root : NULL;
}

static void read_effect(struct policy_yaml *y, const struct yaml_node *node,
                        bool *ret_is_there, enum decision_effect *ret)
{
    struct str word;
    if (!policy_yaml_text(y, node, &word))
        return;
    *ret_is_there = true;
    *ret = str_eq(word, STR("allow"))   ? DECISION_ALLOW
           : str_eq(word, STR("defer")) ? DECISION_DEFER
                                        : DECISION_DENY;
    if (*ret == DECISION_DENY && !str_eq(word, STR("deny")))
        policy_yaml_error(y, node, "allow, deny or defer is wanted");
}

/* What all tests of a file share. */
struct sharing {
    const struct settings *settings;
    const struct yaml_node *defaults;
};

static void read_test(struct policy_yaml *y, const struct yaml_node *node,
                      const struct sharing *all, struct policy_case *to)
{
    struct policy_given g = {.yaml = y,
                             .settings = all->settings,
                             .defaults = all->defaults,
                             .now_us = POLICY_CASE_TIME_US};
    to->line = yaml_line(node);
    if (!policy_yaml_map(y, node, test_keys))
        return;
    if (!policy_yaml_text(y, yaml_get(node, STR("name")), &to->name) ||
        to->name.len == 0)
        policy_yaml_error(y, node, "a test has a name:");
    read_effect(y, yaml_get(node, STR("expect")), &to->has_expect, &to->expect);
    read_effect(y, yaml_get(node, STR("shadow")), &to->has_shadow, &to->shadow);
    if (!to->has_expect)
        policy_yaml_error(y, node, "expect: is allow, deny or defer");
    to->has_policies =
        policy_yaml_words(y, yaml_get(node, STR("policies")), &to->policies);
    to->has_approvals =
        policy_yaml_words(y, yaml_get(node, STR("approvals")), &to->approvals);
    g.own = yaml_get(node, STR("given"));
    if (g.own != NULL)
        policy_given_check(y, g.own);
    policy_given_read(&g, node, to);
}

static const struct yaml_node *read_defaults(struct policy_yaml *y,
                                             const struct yaml_node *root)
{
    const struct yaml_node *defaults = yaml_get(root, STR("defaults"));
    if (defaults == NULL || !policy_yaml_map(y, defaults, defaults_keys))
        return NULL;
    const struct yaml_node *given = yaml_get(defaults, STR("given"));
    if (given != NULL)
        policy_given_check(y, given);
    return given;
}

static enum err finish(const struct policy_yaml *y, size_t before)
{
    if (y->full)
        return ERR_NO_MEMORY;
    return y->errors->count + y->errors->more > before ? ERR_CONFIG : ERR_OK;
}

enum err policy_case_read(struct arena *a, const struct settings *s,
                          const struct rules_file *file,
                          struct rules_errors *errors, struct policy_cases *ret)
{
    struct policy_yaml y = {.arena = a, .file = file->name, .errors = errors};
    size_t before = errors->count + errors->more;
    struct policy_cases cases = {NULL, 0};
    const struct yaml_node *root = parse(&y, file->text);
    const struct yaml_node *tests = yaml_get(root, STR("tests"));
    struct sharing all = {s, NULL};
    if (root != NULL && policy_yaml_map(&y, root, file_keys)) {
        all.defaults = read_defaults(&y, root);
        if (yaml_type(tests) != YAML_LIST ||
            yaml_count(tests) > POLICY_CASES_MAX)
            policy_yaml_error(&y, tests != NULL ? tests : root,
                              "tests: is a list of at most %d",
                              POLICY_CASES_MAX);
        else
            cases.count = yaml_count(tests);
    } else if (root == NULL && finish(&y, before) == ERR_OK) {
        rules_report(errors, file->name, 0, 0, "there are no tests in it");
    }
    struct policy_case *at = ARENA_NEW(a, struct policy_case, cases.count);
    if (at == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < cases.count; i++)
        read_test(&y, yaml_at(tests, i), &all, &at[i]);
    cases.at = at;
    enum err e = finish(&y, before);
    if (e == ERR_OK)
        *ret = cases;
    return e;
}

enum err policy_case_read_one(struct arena *a,
                              const struct policy_case_source *from,
                              struct rules_errors *errors,
                              const struct policy_case **ret)
{
    struct policy_yaml y = {.arena = a,
                            .file = from->over.name,
                            .errors = errors};
    struct policy_given g = {.yaml = &y,
                             .settings = from->settings,
                             .now_us = from->now_us};
    size_t before = errors->count + errors->more;
    struct policy_case *one = ARENA_NEW(a, struct policy_case, 1);
    if (one == NULL)
        return ERR_NO_MEMORY;
    g.own = parse(&y, from->over.text);
    if (g.own != NULL)
        policy_given_check(&y, g.own);
    y.file = from->file.name;
    g.defaults = parse(&y, from->file.text);
    if (g.defaults != NULL)
        policy_given_check(&y, g.defaults);
    if (finish(&y, before) == ERR_OK)
        policy_given_read(&g, g.defaults, one);
    enum err e = finish(&y, before);
    if (e == ERR_OK)
        *ret = one;
    return e;
}
