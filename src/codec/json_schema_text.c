/* json_schema_text.c - the words of a failure; see json_schema.h. */
#include "codec/json_pointer.h"
#include "codec/json_schema_check.h"

/* Room that stays for what follows a value that came from outside. */
enum { TAIL = 48 };

/* A value as JSON, if there is room for all of it; else "..." */
static void add_value(struct buf *to, const struct json *v)
{
    char room[JSON_SCHEMA_TEXT_MAX];
    struct buf value;
    size_t left = to->room - to->len;
    buf_init_lent(&value, room, left > TAIL ? left - TAIL : 1);
    json_write(&value, v, NULL, 0);
    buf_add(to, buf_ok(&value) ? buf_str(&value) : STR("..."));
}

static void add_string(struct buf *to, struct str s)
{
    char room[JSON_SCHEMA_TEXT_MAX];
    struct buf value;
    size_t left = to->room - to->len;
    buf_init_lent(&value, room, left > TAIL ? left - TAIL : 1);
    json_write_str(&value, s);
    buf_add(to, buf_ok(&value) ? buf_str(&value) : STR("\"...\""));
}

static const struct {
    unsigned bit;
    struct str text;
} types[] = {
    {1U << JSON_STRING, STR_INIT("a string")},
    {1U << JSON_NUMBER, STR_INIT("a number")},
    {JSON_SCHEMA_INTEGER, STR_INIT("an integer")},
    {1U << JSON_BOOL, STR_INIT("true or false")},
    {1U << JSON_ARRAY, STR_INIT("an array")},
    {1U << JSON_OBJECT, STR_INIT("an object")},
    {1U << JSON_NULL, STR_INIT("null")},
};

static void add_types(struct buf *to, unsigned wanted)
{
    bool is_first = true;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if ((wanted & types[i].bit) == 0)
            continue;
        if (!is_first)
            BUF_LIT(to, " or ");
        buf_add(to, types[i].text);
        is_first = false;
    }
}

static void add_list(struct buf *to, const struct json *list)
{
    struct json_iter it = json_each(list);
    const struct json *v;
    BUF_LIT(to, "expected one of ");
    for (size_t i = 0; json_next(&it, NULL, &v); i++) {
        size_t before = to->len;
        if (i > 0)
            BUF_LIT(to, ", ");
        add_value(to, v);
        if (str_eq(str_skip(buf_str(to), to->len - 3), STR("...")) ||
            to->room - to->len <= TAIL) {
            to->len = before;
            BUF_LIT(to, ", ...");
            return;
        }
    }
}

static void add_count(struct buf *to, const char *words, uint64_t n,
                      const char *thing)
{
    buf_addf(to, "expected %s %llu %s", words, (unsigned long long)n, thing);
    if (n != 1)
        BUF_LIT(to, "s");
}

/* "the property "x" is missing" */
static void add_property(struct buf *to, struct str name, const char *words)
{
    BUF_LIT(to, "the property ");
    add_string(to, name);
    buf_add(to, str_from(words));
}

/* The number that the schema gives. */
static void add_limit(struct buf *to, const struct json_schema_fault *f,
                      const char *words)
{
    BUF_LIT(to, "expected ");
    buf_add(to, str_from(words));
    add_value(to, json_get(f->node->source,
                           str_from(json_schema_keyword_name(f->keyword))));
}

/* A value where none may be: of which keyword tells of what. */
static void add_unwanted(struct buf *to, const struct json_schema_fault *f)
{
    bool is_element = f->keyword == KW_ITEMS || f->keyword == KW_PREFIX_ITEMS ||
                      f->keyword == KW_ADDITIONAL_ITEMS ||
                      f->keyword == KW_UNEVALUATED_ITEMS;
    buf_add(to, is_element ? STR("this element is not allowed")
                           : STR("this property is not allowed"));
}

static void add_contains(struct buf *to, const struct json_schema_fault *f)
{
    const struct json_schema_arrays *rules = f->node->arrays;
    if (f->keyword == KW_MAX_CONTAINS)
        add_count(to, "at most", rules->max_contains, "element");
    else
        add_count(to, "at least", rules->min_contains, "element");
    BUF_LIT(to, " as \"contains\" describes");
}

static bool add_size(struct buf *to, const struct json_schema_fault *f)
{
    const struct json_schema_node *n = f->node;
    if (f->keyword == KW_MIN_LENGTH)
        add_count(to, "at least", n->strings->min, "character");
    else if (f->keyword == KW_MAX_LENGTH)
        add_count(to, "at most", n->strings->max, "character");
    else if (f->keyword == KW_MIN_ITEMS)
        add_count(to, "at least", n->arrays->min, "element");
    else if (f->keyword == KW_MAX_ITEMS)
        add_count(to, "at most", n->arrays->max, "element");
    else if (f->keyword == KW_MIN_PROPERTIES)
        add_count(to, "at least", n->objects->min, "member");
    else if (f->keyword == KW_MAX_PROPERTIES)
        add_count(to, "at most", n->objects->max, "member");
    else
        return false;
    return true;
}

static bool add_number(struct buf *to, const struct json_schema_fault *f)
{
    if (f->keyword == KW_MINIMUM)
        add_limit(to, f, "at least ");
    else if (f->keyword == KW_MAXIMUM)
        add_limit(to, f, "at most ");
    else if (f->keyword == KW_EXCLUSIVE_MINIMUM)
        add_limit(to, f, "more than ");
    else if (f->keyword == KW_EXCLUSIVE_MAXIMUM)
        add_limit(to, f, "less than ");
    else if (f->keyword == KW_MULTIPLE_OF)
        add_limit(to, f, "a multiple of ");
    else
        return false;
    return true;
}

static bool add_value_fault(struct buf *to, const struct json_schema_fault *f)
{
    if (f->keyword == KW_TYPE) {
        BUF_LIT(to, "expected ");
        add_types(to, f->node->types);
        BUF_LIT(to, ", not ");
        add_types(to, 1U << json_type(f->at));
    } else if (f->keyword == KW_ENUM) {
        add_list(to, f->node->values->list);
    } else if (f->keyword == KW_CONST) {
        BUF_LIT(to, "expected ");
        add_value(to, f->node->values->constant);
    } else if (f->keyword == KW_PATTERN) {
        BUF_LIT(to, "expected a string that matches the pattern ");
        add_string(to, f->node->strings->pattern->text);
    } else {
        return false;
    }
    return true;
}

/* What the branches of anyOf or oneOf want, if each is but a type. */
static void add_branches(struct buf *to, const struct json_schema_fault *f)
{
    const struct json_schema_logic *logic = f->node->logic;
    const struct json_schema_list *list =
        f->keyword == KW_ANY_OF ? &logic->any : &logic->one;
    unsigned wanted = 0;
    bool is_typed = true;
    for (size_t i = 0; i < list->count; i++) {
        wanted |= list->nodes[i]->types;
        is_typed = is_typed && list->nodes[i]->types != 0;
    }
    if (is_typed && (wanted & 1U << json_type(f->at)) == 0) {
        BUF_LIT(to, "expected ");
        add_types(to, wanted);
        return;
    }
    buf_addf(to, "expected %sone of the %zu forms that the schema lists",
             f->keyword == KW_ANY_OF ? "" : "exactly ", list->count);
}

static void add_fault(struct buf *to, const struct json_schema_fault *f)
{
    if (add_value_fault(to, f) || add_number(to, f) || add_size(to, f))
        return;
    if (f->keyword == KW_REQUIRED)
        add_property(to, f->name, " is missing");
    else if (f->keyword == KW_PROPERTY_NAMES)
        add_property(to, f->name, " has a name that is not allowed");
    else if (f->keyword == KW_DEPENDENT_SCHEMAS ||
             (f->keyword == KW_DEPENDENCIES && f->name.ptr != NULL &&
              json_get(f->at, f->name) != NULL))
        add_property(to, f->name, " is not allowed");
    else if (f->keyword == KW_DEPENDENT_REQUIRED ||
             f->keyword == KW_DEPENDENCIES)
        add_property(to, f->name, " has to come with the others");
    else if (f->keyword == KW_UNIQUE_ITEMS)
        BUF_LIT(to, "expected elements that are all different");
    else if (f->keyword == KW_CONTAINS || f->keyword == KW_MIN_CONTAINS ||
             f->keyword == KW_MAX_CONTAINS)
        add_contains(to, f);
    else if (f->keyword == KW_ANY_OF || f->keyword == KW_ONE_OF)
        add_branches(to, f);
    else if (f->keyword == KW_NOT || f->keyword == KW_NONE ||
             f->keyword == KW_THEN || f->keyword == KW_ELSE)
        BUF_LIT(to, "this value is not allowed here");
    else
        add_unwanted(to, f);
}

void json_schema_text_write(const struct json_schema_check *k,
                            const struct json *instance,
                            struct json_schema_failure *ret)
{
    const struct json_schema_fault *f = &k->fault;
    bool is_limit = k->err != ERR_OK || f->node == NULL;
    struct buf to;
    ret->keyword = is_limit ? "" : json_schema_keyword_name(f->keyword);
    buf_init_lent(&to, ret->pointer, sizeof(ret->pointer) - 1);
    if (!is_limit)
        json_pointer_write(&to, instance, f->at);
    ret->pointer[to.len] = '\0';
    buf_init_lent(&to, ret->text, sizeof(ret->text) - 1);
    if (is_limit)
        BUF_LIT(&to, "the value is too large to be checked against the schema");
    else
        add_fault(&to, f);
    ret->text[to.len] = '\0';
}
