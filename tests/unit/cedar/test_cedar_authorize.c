/* Tests cedar/cedar_authorize: who decides, what errs, what is allocated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "cedar/cedar.h"

/* The sanitizer's, where there is one; NULL elsewhere. */
typedef void malloc_hook(const volatile void *p, size_t size);
typedef void free_hook(const volatile void *p);
int install_hooks(malloc_hook *on_malloc, free_hook *on_free) __asm__(
    "__sanitizer_install_malloc_and_free_hooks") __attribute__((weak));

static struct cedar_policies *load(struct str text)
{
    struct cedar_policies *p = NULL;
    assert_int_equal(cedar_policies_load(text, NULL, &p), ERR_OK);
    return p;
}

static struct cedar_request request(void)
{
    return (struct cedar_request){
        .principal = cedar_uid_make(STR("User"), STR("alice")),
        .action = cedar_uid_make(STR("Action"), STR("view")),
        .resource = cedar_uid_make(STR("Doc"), STR("d1")),
    };
}

static void test_forbid_beats_permit_and_nothing_denies(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum cedar_decision decision, strict;
        size_t reasons, faults;
        uint32_t first;
    } rows[] = {
        {"", CEDAR_DENY, CEDAR_DENY, 0, 0, 0},
        {"permit(principal, action, resource);", CEDAR_ALLOW, CEDAR_ALLOW, 1, 0,
         0},
        {"permit(principal, action, resource) when { false };", CEDAR_DENY,
         CEDAR_DENY, 0, 0, 0},
        {"permit(principal, action, resource);"
         "permit(principal, action, resource == Doc::\"d2\");"
         "permit(principal == User::\"alice\", action, resource);",
         CEDAR_ALLOW, CEDAR_ALLOW, 2, 0, 0},
        {"permit(principal, action, resource);"
         "forbid(principal, action, resource);",
         CEDAR_DENY, CEDAR_DENY, 1, 0, 1},
        {"permit(principal, action, resource);"
         "forbid(principal, action, resource) when { context.no };",
         CEDAR_ALLOW, CEDAR_DENY, 1, 1, 0},
        {"permit(principal, action, resource);"
         "forbid(principal, action == Action::\"edit\", resource)"
         "when { context.no };",
         CEDAR_ALLOW, CEDAR_ALLOW, 1, 0, 0},
        {"permit(principal, action, resource);"
         "permit(principal, action, resource) when { context.no };",
         CEDAR_ALLOW, CEDAR_ALLOW, 1, 1, 0},
        {"permit(principal == ?principal, action, resource);", CEDAR_DENY,
         CEDAR_DENY, 0, 0, 0},
    };
    struct cedar_evaluator *evaluator = cedar_evaluator_new();
    assert_non_null(evaluator);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cedar_policies *p = load(str_from(rows[i].text));
        struct cedar_request r = request();
        struct cedar_answer answer;
        const struct cedar_options strict = {.erring_forbid_denies = true};
        assert_int_equal(cedar_authorize(evaluator, p, &r, NULL, &answer),
                         ERR_OK);
        assert_int_equal(answer.decision, rows[i].decision);
        assert_int_equal(answer.reason_count, rows[i].reasons);
        assert_int_equal(answer.fault_count, rows[i].faults);
        if (rows[i].reasons > 0)
            assert_int_equal(answer.reasons[0], rows[i].first);
        assert_int_equal(cedar_authorize(evaluator, p, &r, &strict, &answer),
                         ERR_OK);
        assert_int_equal(answer.decision, rows[i].strict);
        cedar_policies_free(p);
    }
    cedar_evaluator_free(evaluator);
    cedar_evaluator_free(NULL);
}

static void test_a_fault_says_what_and_where(void **state)
{
    (void)state;
    static const struct {
        const char *condition;
        enum cedar_fault fault;
        size_t at; /* in the condition */
    } rows[] = {
        {"1", CEDAR_FAULT_TYPE, 0},
        {"true && 1", CEDAR_FAULT_TYPE, 5},
        {"9223372036854775807 + 1 > 0", CEDAR_FAULT_OVERFLOW, 20},
        {"-(-9223372036854775808) > 0", CEDAR_FAULT_OVERFLOW, 0},
        {"principal.name == \"a\"", CEDAR_FAULT_ENTITY, 10},
        {"{a: 1}.b == 1", CEDAR_FAULT_ATTRIBUTE, 7},
        {"principal.getTag(\"t\") == 1", CEDAR_FAULT_ENTITY, 10},
        {"ip() == 1", CEDAR_FAULT_ARITY, 0},
        {"ip(\"x\") == 1", CEDAR_FAULT_EXTENSION, 0},
        {"principal in [User::\"alice\", 1]", CEDAR_FAULT_TYPE, 10},
    };
    struct cedar_evaluator *evaluator = cedar_evaluator_new();
    struct str head = STR("permit(principal, action, resource) when { ");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf text;
        struct cedar_answer answer;
        struct cedar_request r = request();
        buf_init(&text, MIB);
        assert_true(buf_add(&text, head));
        assert_true(buf_add(&text, str_from(rows[i].condition)));
        assert_true(BUF_LIT(&text, " };"));
        struct cedar_policies *p = load(buf_str(&text));
        assert_int_equal(cedar_authorize(evaluator, p, &r, NULL, &answer),
                         ERR_OK);
        assert_int_equal(answer.decision, CEDAR_DENY);
        assert_int_equal(answer.fault_count, 1);
        assert_int_equal(answer.faults[0].fault, rows[i].fault);
        assert_int_equal(answer.faults[0].offset, head.len + rows[i].at);
        assert_true(strlen(cedar_fault_text(answer.faults[0].fault)) > 0);
        cedar_policies_free(p);
        buf_release(&text);
    }
    cedar_evaluator_free(evaluator);
}

/* Test state, because the hook takes none. */
static size_t allocations;

static void count_malloc(const volatile void *p, size_t size)
{
    (void)p;
    (void)size;
    allocations++;
}

static void ignore_free(const volatile void *p)
{
    (void)p;
}

static void test_a_warm_evaluator_allocates_nothing(void **state)
{
    (void)state;
    if (install_hooks == NULL) {
        print_message("SKIPPED: counting allocations needs a sanitizer\n");
        skip();
    }
    struct cedar_evaluator *evaluator = cedar_evaluator_new();
    struct cedar_policies *p = load(
        STR("permit(principal in Group::\"g\", action, resource);"
            "permit(principal, action in [Action::\"view\"], resource) when {"
            "  [principal, resource].contains(principal) &&"
            "  {a: context, b: [1, 2, 3]}.b.containsAny([3, 4]) &&"
            "  ip(\"10.0.0.1\").isInRange(ip(\"10.0.0.0/8\")) &&"
            "  \"abc\" like \"a*c\" && decimal(\"1.5\") == decimal(\"1.50\") };"
            "forbid(principal, action, resource) when { context.no };"));
    struct cedar_request r = request();
    struct cedar_answer answer;
    assert_int_equal(cedar_authorize(evaluator, p, &r, NULL, &answer), ERR_OK);
    if (install_hooks != NULL)
        assert_true(install_hooks(count_malloc, ignore_free) > 0);
    allocations = 0;
    for (int i = 0; i < 100; i++) {
        enum err e = cedar_authorize(evaluator, p, &r, NULL, &answer);
        if (e != ERR_OK || answer.decision != CEDAR_ALLOW)
            break;
    }
    size_t counted = allocations;
    assert_int_equal(counted, 0);
    assert_int_equal(answer.decision, CEDAR_ALLOW);
    assert_int_equal(answer.fault_count, 1);
    cedar_policies_free(p);
    cedar_evaluator_free(evaluator);
}

/* So many that they are indexed: by scope, by what they ask, and not. */
static struct cedar_policies *load_many(void)
{
    struct buf text;
    buf_init(&text, MIB);
    for (int i = 0; i < 40; i++)
        buf_addf(&text,
                 "permit(principal == User::\"u%d\", action, resource);"
                 "permit(principal, action, resource) when {"
                 "  principal.dept == \"d%d\" && context.amount < 5 };"
                 "permit(principal, action, resource) when {"
                 "  context.amount > %d };"
                 "forbid(principal, action, resource) when {"
                 "  principal.words.contains(\"w%d\") };"
                 "permit(principal, action, resource) when {"
                 "  [context.amount, %d].contains(41) };"
                 "forbid(principal, action, resource) unless {"
                 "  context.missing < %d };",
                 i, i, i, i, i, i);
    assert_true(buf_ok(&text));
    struct cedar_policies *p = load(buf_str(&text));
    buf_release(&text);
    return p;
}

static void test_an_indexed_set_allocates_nothing(void **state)
{
    (void)state;
    if (install_hooks == NULL) {
        print_message("SKIPPED: counting allocations needs a sanitizer\n");
        skip();
    }
    struct arena arena;
    struct cedar_entities *entities;
    struct cedar_answer answer;
    const struct cedar_member amount = {STR("amount"), cedar_value_long(3)};
    arena_init(&arena, MIB);
    assert_int_equal(
        cedar_entities_load(
            STR("[{\"uid\":{\"type\":\"User\",\"id\":\"alice\"},\"attrs\":"
                "{\"dept\":\"d7\",\"words\":[\"w1\",\"x\"]},\"parents\":[]}]"),
            NULL, &entities),
        ERR_OK);
    struct cedar_evaluator *evaluator = cedar_evaluator_new();
    struct cedar_policies *p = load_many();
    struct cedar_request r = request();
    r.entities = entities;
    assert_int_equal(cedar_value_record(&arena, &amount, 1, &r.context),
                     ERR_OK);
    assert_int_equal(cedar_authorize(evaluator, p, &r, NULL, &answer), ERR_OK);
    assert_true(install_hooks(count_malloc, ignore_free) > 0);
    allocations = 0;
    enum err e = ERR_OK;
    for (int i = 0; e == ERR_OK && i < 100; i++)
        e = cedar_authorize(evaluator, p, &r, NULL, &answer);
    size_t counted = allocations;
    assert_int_equal(counted, 0);
    assert_int_equal(e, ERR_OK);
    assert_int_equal(answer.permit_count, 4); /* d7, and 3 > 0, 1, 2 */
    assert_int_equal(answer.forbid_count, 1);
    assert_int_equal(answer.fault_count, 40);
    cedar_policies_free(p);
    cedar_evaluator_free(evaluator);
    cedar_entities_free(entities);
    arena_release(&arena);
}

/* More than the evaluator's own memory holds; nothing of it stays. */
static void test_large_sets_made_on_the_way_are_fine(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 64 * MIB);
    BUF_LIT(&text, "permit(principal, action, resource) when { [principal");
    for (int i = 0; i < 20000; i++)
        buf_addf(&text, ",%d", i);
    BUF_LIT(&text, "].contains(19999) };");
    assert_true(buf_ok(&text));
    struct cedar_policies *p = load(buf_str(&text));
    struct cedar_evaluator *evaluator = cedar_evaluator_new();
    struct cedar_request r = request();
    struct cedar_answer answer;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(cedar_authorize(evaluator, p, &r, NULL, &answer),
                         ERR_OK);
        assert_int_equal(answer.decision, CEDAR_ALLOW);
    }
    cedar_evaluator_free(evaluator);
    cedar_policies_free(p);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forbid_beats_permit_and_nothing_denies),
        cmocka_unit_test(test_a_fault_says_what_and_where),
        cmocka_unit_test(test_large_sets_made_on_the_way_are_fine),
        cmocka_unit_test(test_a_warm_evaluator_allocates_nothing),
        cmocka_unit_test(test_an_indexed_set_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
