/* json_schema_logic.c - $ref and what joins schemas; see json_schema.h. */
#include "codec/json_schema_check.h"
#include "codec/json_schema_compiler.h"

enum err json_schema_logic_compile(struct json_schema_compiler *c,
                                   struct json_schema_node *n)
{
    struct json_schema_logic *to = COMPILE_NEW(c, struct json_schema_logic, 1);
    if (to == NULL)
        return ERR_LIMIT;
    n->logic = to;
    const struct json *ref = json_schema_compile_get(n, KW_REF);
    enum err e = ref == NULL ? ERR_OK : json_schema_ref_compile(c, to, ref);
    if (e == ERR_OK)
        e = json_schema_compile_get_list(c, n, KW_ALL_OF, &to->all);
    if (e == ERR_OK)
        e = json_schema_compile_get_list(c, n, KW_ANY_OF, &to->any);
    if (e == ERR_OK)
        e = json_schema_compile_get_list(c, n, KW_ONE_OF, &to->one);
    if (e == ERR_OK)
        e = json_schema_compile_get_node(c, n, KW_NOT, &to->not_this);
    if (e == ERR_OK)
        e = json_schema_compile_get_node(c, n, KW_IF, &to->condition);
    if (e == ERR_OK)
        e = json_schema_compile_get_node(c, n, KW_THEN, &to->then);
    if (e == ERR_OK)
        e = json_schema_compile_get_node(c, n, KW_ELSE, &to->otherwise);
    return e;
}

/* As json_schema_check(), but what a schema that says no has looked at is
 * not marked. */
static bool check_branch(struct json_schema_check *k,
                         const struct json_schema_node *n, const struct json *v,
                         struct json_schema_marks *marks)
{
    if (marks == NULL)
        return json_schema_check(k, n, v, NULL);
    struct json_schema_marks own;
    if (!json_schema_marks_take(k, v, &own))
        return false;
    bool fits = json_schema_check(k, n, v, &own);
    if (fits)
        json_schema_marks_add(marks, &own);
    json_schema_marks_give(k, &own);
    return fits;
}

/*
 * How much a branch's fault says about what the caller meant: a value of
 * another type or a tag of another form just means another branch.
 */
static unsigned telling(const struct json_schema_check *k)
{
    const struct json_schema_fault *f = &k->fault;
    bool is_form = f->keyword == KW_TYPE || f->keyword == KW_CONST ||
                   f->keyword == KW_ENUM || f->keyword == KW_NONE;
    unsigned below = f->level - k->level;
    if (below == 0)
        return is_form ? 0 : 2;
    return below == 1 && is_form ? 1 : 2;
}

/* The fault of the one branch that was nearest, if there is one such. */
struct nearest {
    struct json_schema_fault fault;
    unsigned best, count;
};

static void keep_nearest(struct nearest *to, const struct json_schema_check *k)
{
    unsigned told = telling(k);
    if (told > to->best || to->count == 0) {
        to->best = told;
        to->count = 0;
        to->fault = k->fault;
    }
    to->count += told == to->best;
}

/* How many branches fit; stops after `enough` unless all have to be seen. */
static size_t count_fitting(struct json_schema_check *k,
                            const struct json_schema_list *branches,
                            const struct json *v,
                            struct json_schema_marks *marks, size_t enough,
                            struct nearest *ret_nearest)
{
    size_t fitting = 0;
    for (size_t i = 0; i < branches->count && k->err == ERR_OK; i++) {
        if (check_branch(k, branches->nodes[i], v, marks))
            fitting++;
        else
            keep_nearest(ret_nearest, k);
        if (fitting >= enough)
            break;
    }
    return fitting;
}

static bool no_branch(struct json_schema_check *k, enum json_schema_keyword kw,
                      const struct json_schema_node *n, const struct json *v,
                      const struct nearest *nearest)
{
    (void)json_schema_no(k, kw, n, v);
    if (nearest->best > 0 && nearest->count == 1)
        k->fault = nearest->fault;
    return false;
}

static bool check_any(struct json_schema_check *k,
                      const struct json_schema_node *n, const struct json *v,
                      struct json_schema_marks *marks)
{
    const struct json_schema_list *any = &n->logic->any;
    struct nearest nearest = {0};
    if (any->count == 0)
        return true;
    size_t fitting =
        count_fitting(k, any, v, marks, marks == NULL ? 1 : SIZE_MAX, &nearest);
    if (k->err != ERR_OK)
        return false;
    return fitting > 0 || no_branch(k, KW_ANY_OF, n, v, &nearest);
}

static bool check_one(struct json_schema_check *k,
                      const struct json_schema_node *n, const struct json *v,
                      struct json_schema_marks *marks)
{
    const struct json_schema_list *one = &n->logic->one;
    struct nearest nearest = {0};
    if (one->count == 0)
        return true;
    size_t fitting = count_fitting(k, one, v, marks, 2, &nearest);
    if (k->err != ERR_OK)
        return false;
    if (fitting == 0)
        return no_branch(k, KW_ONE_OF, n, v, &nearest);
    return fitting == 1 || json_schema_no(k, KW_ONE_OF, n, v);
}

static bool check_not(struct json_schema_check *k,
                      const struct json_schema_node *n, const struct json *v)
{
    if (n->logic->not_this == NULL)
        return true;
    bool fits = json_schema_check(k, n->logic->not_this, v, NULL);
    if (k->err != ERR_OK)
        return false;
    return !fits || json_schema_no(k, KW_NOT, n, v);
}

static bool check_condition(struct json_schema_check *k,
                            const struct json_schema_node *n,
                            const struct json *v,
                            struct json_schema_marks *marks)
{
    const struct json_schema_logic *logic = n->logic;
    if (logic->condition == NULL)
        return true;
    bool fits = check_branch(k, logic->condition, v, marks);
    if (k->err != ERR_OK)
        return false;
    const struct json_schema_node *then = fits ? logic->then : logic->otherwise;
    if (then == NULL)
        return true;
    if (then->is_never)
        return json_schema_no(k, fits ? KW_THEN : KW_ELSE, n, v);
    return json_schema_check(k, then, v, marks);
}

bool json_schema_logic_check(struct json_schema_check *k,
                             const struct json_schema_node *n,
                             const struct json *v,
                             struct json_schema_marks *marks)
{
    const struct json_schema_logic *logic = n->logic;
    if (logic->ref != NULL && !json_schema_check(k, logic->ref, v, marks))
        return false;
    for (size_t i = 0; i < logic->all.count; i++) {
        if (!json_schema_check(k, logic->all.nodes[i], v, marks))
            return false;
    }
    return check_any(k, n, v, marks) && check_one(k, n, v, marks) &&
           check_not(k, n, v) && check_condition(k, n, v, marks);
}
