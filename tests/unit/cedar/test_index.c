/* Tests cedar/index: policies that are found by their scope or by what they
 * compare first decide as if all were tried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/limits.h"
#include "cedar/cedar.h"

enum { POLICIES = 240, SETS = 39, REQUESTS = 12 };

static uint32_t draw(uint32_t *random, uint32_t below)
{
    *random = *random * 1664525 + 1013904223;
    return (*random >> 16) % below;
}

/* Seven uids that are each other's parents, upwards only. */
static const char *const uids[] = {
    "User::\"a\"", "User::\"b\"", "Team::\"a\"",  "Team::\"b\"",
    "Org::\"x\"",  "Org::\"y\"",  "Ghost::\"z\"",
};

static const char hierarchy[] =
    "[{\"uid\":{\"type\":\"User\",\"id\":\"a\"},\"attrs\":{\"dept\":\"d1\","
    "\"level\":2,\"words\":[\"w1\",\"w2\",3,4,5,6,7,8,9,10,11,12,13,14,15,16],"
    "\"lead\":{\"__entity\":"
    "{\"type\":\"User\",\"id\":\"b\"}}},\"tags\":{\"role\":\"r1\"},\"parents\":"
    "["
    "{\"type\":\"Team\",\"id\":\"a\"},{\"type\":\"Team\",\"id\":\"b\"}]},"
    "{\"uid\":{\"type\":\"User\",\"id\":\"b\"},\"attrs\":{\"dept\":4,"
    "\"level\":\"low\",\"words\":\"w1\",\"lead\":true},\"tags\":{\"role\":"
    "\"r2\"},"
    "\"parents\":[{\"type\":\"Team\",\"id\":\"b\"}]},"
    "{\"uid\":{\"type\":\"Team\",\"id\":\"a\"},\"attrs\":{},\"parents\":["
    "{\"type\":\"Org\",\"id\":\"x\"}]},"
    "{\"uid\":{\"type\":\"Team\",\"id\":\"b\"},\"attrs\":{},\"parents\":["
    "{\"type\":\"Org\",\"id\":\"x\"},{\"type\":\"Org\",\"id\":\"y\"}]},"
    "{\"uid\":{\"type\":\"Action\",\"id\":\"a\"},\"attrs\":{},\"parents\":["
    "{\"type\":\"Action\",\"id\":\"g\"}]}]";

static void add_scope(struct buf *text, const char *name, uint32_t *random)
{
    const char *uid = uids[draw(random, ARRAY_LEN(uids))];
    static const char *const types[] = {"User", "Team", "Org"};
    const char *type = types[draw(random, ARRAY_LEN(types))];
    uint32_t kind = draw(random, 6);
    buf_addf(text, "%s", name);
    if (kind == 1)
        buf_addf(text, " == %s", uid);
    else if (kind == 2)
        buf_addf(text, " in %s", uid);
    else if (kind == 3)
        buf_addf(text, " is %s", type);
    else if (kind == 4)
        buf_addf(text, " is %s in %s", type, uid);
    else if (kind == 5 && draw(random, 4) == 0)
        buf_addf(text, " == ?%s", name);
}

static void add_policy(struct buf *text, uint32_t *random)
{
    static const char *const actions[] = {
        "action",
        "action == Action::\"a\"",
        "action in Action::\"g\"",
        "action in [Action::\"b\", Action::\"g\"]",
        "action in []",
    };
    static const char *const conditions[] = {
        "", "", "", " when { context.no }", " unless { true }",
    };
    buf_clear(text);
    buf_addf(text, "%s(", draw(random, 8) == 0 ? "forbid" : "permit");
    add_scope(text, "principal", random);
    buf_addf(text, ", %s, ", actions[draw(random, ARRAY_LEN(actions))]);
    add_scope(text, "resource", random);
    buf_addf(text, ")%s;", conditions[draw(random, ARRAY_LEN(conditions))]);
    assert_true(buf_ok(text));
}

/* One of the comparisons that policies are told apart by, or almost one. */
static void add_comparison(struct buf *text, uint32_t *random, uint32_t theme)
{
    uint32_t n = draw(random, 5);
    switch ((theme + draw(random, 3)) % 13) {
    case 0:
        buf_addf(text, "principal.dept == \"d%u\"", n);
        return;
    case 1:
        buf_addf(text, "%u == principal.dept", n);
        return;
    case 2:
        buf_addf(text, "principal.getTag(\"role\") == \"r%u\"", n);
        return;
    case 3:
        buf_addf(text, "principal.words.contains(\"w%u\")", n);
        return;
    case 4:
        buf_addf(text, "principal.lead in %s", uids[n]);
        return;
    case 5:
        buf_addf(text, "principal in %s", uids[n]);
        return;
    case 6:
        buf_addf(text, "principal.level %s %u", theme % 2 == 0 ? "<" : "<=", n);
        return;
    case 7:
        buf_addf(text, "principal.level %s %u", theme % 2 == 0 ? ">" : ">=", n);
        return;
    case 8:
        buf_addf(text, "principal.dept like \"*%u\"", n);
        return;
    case 9:
        buf_addf(text, "resource == %s", uids[n]);
        return;
    case 10:
        buf_addf(text, "principal.lead == %s", n < 2 ? "true" : uids[n]);
        return;
    case 11:
        buf_addf(text, "(principal.dept == \"d1\" || principal.level == %u)",
                 n);
        return;
    default:
        buf_addf(text, "principal.level + %u == 3", n);
        return;
    }
}

/* Few scopes, guards and, by the set's theme, comparisons, so that many
 * policies ask the same. */
static void add_asking_policy(struct buf *text, uint32_t *random,
                              uint32_t theme)
{
    static const char *const scopes[] = {"principal", "principal",
                                         "principal is User",
                                         "principal in Org::\"x\""};
    static const char *const guards[] = {
        "",
        "",
        "principal has dept && ",
        "principal.hasTag(\"role\") && ",
        "(principal is User && principal.level == 2) && ",
        "true && ",
        "principal.level && ",
        "context.no == 1 && ",
    };
    static const char *const tails[] = {
        "",
        "",
        " && context.no",
        " && (principal.level < 9 && true)",
        " || principal.level == 2",
    };
    buf_clear(text);
    buf_addf(text, "%s(%s, action, resource)",
             draw(random, 8) == 0 ? "forbid" : "permit",
             scopes[draw(random, ARRAY_LEN(scopes))]);
    if (draw(random, 16) == 0)
        buf_addf(text, " %s { principal has level }",
                 draw(random, 3) == 0 ? "unless" : "when");
    buf_addf(text, " when { %s",
             guards[(theme + draw(random, 2)) % ARRAY_LEN(guards)]);
    bool twice = draw(random, 4) == 0;
    buf_addf(text, twice ? "(" : "");
    add_comparison(text, random, theme);
    buf_addf(text, twice ? " && " : "");
    if (twice)
        add_comparison(text, random, theme);
    buf_addf(text, "%s%s };", twice ? ")" : "",
             tails[draw(random, ARRAY_LEN(tails))]);
    assert_true(buf_ok(text));
}

static struct cedar_uid uid_of(const char *text)
{
    struct str s = str_from(text);
    size_t colon = str_find(s, ':');
    return cedar_uid_make(str_first(s, colon),
                          (struct str){s.ptr + colon + 3, 1});
}

static struct cedar_request draw_request(uint32_t *random)
{
    return (struct cedar_request){
        .principal = uid_of(uids[draw(random, ARRAY_LEN(uids))]),
        .action = cedar_uid_make(STR("Action"),
                                 draw(random, 2) == 0 ? STR("a") : STR("b")),
        .resource = uid_of(uids[draw(random, ARRAY_LEN(uids))]),
    };
}

struct trying {
    struct cedar_policies *all, *alone[POLICIES];
    struct cedar_entities *entities;
    struct cedar_evaluator *evaluator, *other;
};

enum { NO_THEME = 0 };

static void make_policies(struct trying *t, uint32_t *random, uint32_t theme)
{
    struct buf text;
    struct buf one;
    buf_init(&text, MIB);
    buf_init(&one, MIB);
    for (size_t i = 0; i < POLICIES; i++) {
        if (theme != NO_THEME)
            add_asking_policy(&one, random, theme);
        else
            add_policy(&one, random);
        assert_true(buf_add(&text, buf_str(&one)));
        assert_int_equal(cedar_policies_load(buf_str(&one), NULL, &t->alone[i]),
                         ERR_OK);
    }
    assert_int_equal(cedar_policies_load(buf_str(&text), NULL, &t->all),
                     ERR_OK);
    buf_release(&text);
    buf_release(&one);
}

/* Each policy alone decides what the answer of all has to be. */
static void check_request(const struct trying *t,
                          const struct cedar_request *request)
{
    struct cedar_answer all;
    struct cedar_answer one;
    size_t faults = 0;
    size_t reasons = 0;
    assert_int_equal(cedar_authorize(t->evaluator, t->all, request, NULL, &all),
                     ERR_OK);
    bool forbidden = false;
    bool permitted = false;
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < POLICIES; i++) {
            assert_int_equal(cedar_authorize(t->other, t->alone[i], request,
                                             NULL, &one),
                             ERR_OK);
            bool permit = one.decision == CEDAR_ALLOW;
            bool forbid = !permit && one.reason_count > 0;
            permitted = permitted || permit;
            forbidden = forbidden || forbid;
            if (pass == 1 && one.fault_count > 0) {
                assert_true(faults < all.fault_count);
                assert_int_equal(all.faults[faults].fault, one.faults->fault);
                assert_int_equal(all.faults[faults].offset -
                                     cedar_policies_at(t->all, i).offset,
                                 one.faults->offset -
                                     cedar_policies_at(t->alone[i], 0).offset);
                assert_int_equal(all.faults[faults++].policy, i);
            }
            if (pass == 1 && (forbidden ? forbid : permit))
                assert_int_equal(all.reasons[reasons++], i);
        }
    assert_int_equal(all.fault_count, faults);
    assert_int_equal(all.reason_count, reasons);
    assert_int_equal(all.decision,
                     permitted && !forbidden ? CEDAR_ALLOW : CEDAR_DENY);
}

static void try_sets(bool asking)
{
    struct trying t = {.evaluator = cedar_evaluator_new(),
                       .other = cedar_evaluator_new()};
    uint32_t random = 20261120; /* any seed, but always this one */
    assert_int_equal(cedar_entities_load(STR(hierarchy), NULL, &t.entities),
                     ERR_OK);
    for (int set = 0; set < SETS; set++) {
        make_policies(&t, &random, asking ? (uint32_t)set + 1 : NO_THEME);
        for (int i = 0; i < REQUESTS; i++) {
            struct cedar_request request = draw_request(&random);
            request.entities = t.entities;
            check_request(&t, &request);
        }
        cedar_policies_free(t.all);
        for (size_t i = 0; i < POLICIES; i++)
            cedar_policies_free(t.alone[i]);
    }
    cedar_entities_free(t.entities);
    cedar_evaluator_free(t.evaluator);
    cedar_evaluator_free(t.other);
}

static void test_an_indexed_set_decides_as_its_policies_do(void **state)
{
    (void)state;
    try_sets(false);
}

static void test_policies_that_ask_the_same_decide_as_each_alone(void **state)
{
    (void)state;
    try_sets(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_indexed_set_decides_as_its_policies_do),
        cmocka_unit_test(test_policies_that_ask_the_same_decide_as_each_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
