/* Tests policy/rules_decide: the algebra of approvals over all links. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/attr.h"
#include "fixture.h"

/*
 * Each policy is switched by a label: of the person (1) and the agent (2) a
 * permit (p), a plain forbid (f), one that finance may lift (a), one that
 * legal may lift (b); e is one for everybody that errs though legal could
 * lift it, x a permit that errs.
 */
#define POLICY(id, note, effect, type)                                         \
    "@id(\"" id "\") " note effect "(principal is Writ::" type                 \
    ", action, resource) when { context.labels.contains(\"" id "\") };\n"
#define FINANCE "@approval(\"finance\") "
#define LEGAL "@approval(\"legal\") "
static const char switched[] = POLICY("p1", "", "permit", "User") POLICY(
    "p2", "", "permit",
    "Agent") POLICY("f1", "", "forbid",
                    "User") POLICY("f2", "", "forbid",
                                   "Agent") POLICY("a1", FINANCE, "forbid",
                                                   "User") POLICY("a2", FINANCE,
                                                                  "forbid",
                                                                  "Agent")
    POLICY("b1", LEGAL, "forbid", "User") POLICY(
        "b2", LEGAL, "forbid",
        "Agent") "@id(\"e\") " LEGAL
                 "forbid(principal, action, resource) when { "
                 "context.labels.contains(\"e\") && context.task == \"t\" };\n"
                 "@id(\"x\") permit(principal, action, resource) when { "
                 "context.labels.contains(\"x\") && context.task == \"t\" };\n";

enum { WORDS_MAX = 12 };

/* "p1 a2" to its words. */
static size_t split(const char *text, struct str *to)
{
    size_t n = 0;
    for (struct str s = str_from(text); s.len > 0; n++) {
        to[n] = str_first(s, str_find(s, ' '));
        s = str_skip(s, to[n].len + 1);
    }
    return n;
}

static struct rules_answer ask(struct fixture *f, const struct rules *r,
                               const char *on, const char *lifted)
{
    struct str words[WORDS_MAX];
    struct str given[WORDS_MAX];
    size_t count = split(on, words);
    const struct rules_lifted lift = {given, split(lifted, given), NULL};
    f->labels.count = 0;
    for (size_t i = 0; i < count; i++)
        labels_add(&f->labels, words[i]);
    f->request.lifted = lift.count > 0 ? &lift : NULL;
    struct rules_answer a = fixture_ask(f, r);
    f->request.lifted = NULL;
    return a;
}

static const struct {
    const char *on, *lifted;
    enum decision_effect effect;
    const char *policies, *approvals;
    int link; /* that the answer is about */
} table[] = {
    /* permits: both links need one */
    {"", "", DECISION_DENY, "", "", 0},
    {"p1", "", DECISION_DENY, "", "", 1},
    {"p2", "", DECISION_DENY, "", "", 0},
    {"p1 p2", "", DECISION_ALLOW, "p1 p2", "", 0},
    /* a plain forbid of either */
    {"p1 p2 f1", "", DECISION_DENY, "f1", "", 0},
    {"p1 p2 f2", "", DECISION_DENY, "f2", "", 1},
    {"p1 p2 f1 f2", "", DECISION_DENY, "f1 f2", "", 0},
    {"f1", "", DECISION_DENY, "f1", "", 0},
    {"p1 f2", "", DECISION_DENY, "f2", "", 1},
    /* an approval never replaces a permit */
    {"a1", "", DECISION_DENY, "", "", 0},
    {"a1 a2 b1 b2", "", DECISION_DENY, "", "", 0},
    {"p1 a1", "", DECISION_DENY, "", "", 1},
    {"p2 a1", "", DECISION_DENY, "", "", 0},
    {"p1 a1", "a1", DECISION_DENY, "", "", 1},
    {"a1 a2", "a1 a2", DECISION_DENY, "", "", 0},
    /* one group, of one link or both */
    {"p1 p2 a1", "", DECISION_DEFER, "a1", "a1=finance", 0},
    {"p1 p2 a2", "", DECISION_DEFER, "a2", "a2=finance", 1},
    {"p1 p2 b2", "", DECISION_DEFER, "b2", "b2=legal", 1},
    {"p1 p2 a1 a2", "", DECISION_DEFER, "a1 a2", "a1=finance a2=finance", 0},
    /* two groups */
    {"p1 p2 a1 b1", "", DECISION_DEFER, "a1 b1", "a1=finance b1=legal", 0},
    {"p1 p2 a1 b2", "", DECISION_DEFER, "a1 b2", "a1=finance b2=legal", 0},
    {"p1 p2 a2 b1", "", DECISION_DEFER, "b1 a2", "b1=legal a2=finance", 0},
    {"p1 p2 a1 a2 b1 b2", "", DECISION_DEFER, "a1 b1 a2 b2",
     "a1=finance b1=legal a2=finance b2=legal", 0},
    /* a plain forbid beats what could be approved */
    {"p1 p2 f1 a1", "", DECISION_DENY, "f1", "", 0},
    {"p1 p2 f2 a1 b2", "", DECISION_DENY, "f2", "", 1},
    {"p1 p2 f1 a2", "a2", DECISION_DENY, "f1", "", 0},
    /* the second pass: exactly what was lifted is passed over */
    {"p1 p2 a1", "a1", DECISION_ALLOW, "p1 p2", "", 0},
    {"p1 p2 a2", "a2", DECISION_ALLOW, "p1 p2", "", 0},
    {"p1 p2 a1 b1", "a1 b1", DECISION_ALLOW, "p1 p2", "", 0},
    {"p1 p2 a1 a2 b1 b2", "b2 b1 a2 a1", DECISION_ALLOW, "p1 p2", "", 0},
    {"p1 p2", "a1", DECISION_ALLOW, "p1 p2", "", 0},
    /* a new one defers anew */
    {"p1 p2 a1 b1", "a1", DECISION_DEFER, "b1", "b1=legal", 0},
    {"p1 p2 a1 a2", "a1", DECISION_DEFER, "a2", "a2=finance", 1},
    {"p1 p2 a1 a2", "a2", DECISION_DEFER, "a1", "a1=finance", 0},
    {"p1 p2 a1 a2 b1 b2", "a1 a2 b1", DECISION_DEFER, "b2", "b2=legal", 1},
    {"p1 p2 a1", "b1", DECISION_DEFER, "a1", "a1=finance", 0},
    {"p1 p2 a1", "a", DECISION_DEFER, "a1", "a1=finance", 0},
    /* what carries no annotation is never lifted */
    {"p1 p2 f1", "f1", DECISION_DENY, "f1", "", 0},
    {"p1 p2 f2 a1", "f2 a1", DECISION_DENY, "f2", "", 1},
    {"p1 p2 f1 f2", "f1 f2", DECISION_DENY, "f1 f2", "", 0},
    /* a forbid that errs denies, whoever could lift it or did */
    {"p1 p2 e", "", DECISION_DENY, "e", "", 0},
    {"p1 p2 e", "e", DECISION_DENY, "e", "", 0},
    {"p1 p2 e a1", "", DECISION_DENY, "e", "", 0},
    {"p1 p2 e a1", "a1 e", DECISION_DENY, "e", "", 0},
    {"p1 p2 e f2", "", DECISION_DENY, "e f2", "", 0},
    {"e", "", DECISION_DENY, "e", "", 0},
    /* a permit that errs is none */
    {"x", "", DECISION_DENY, "", "", 0},
    {"p1 x", "", DECISION_DENY, "", "", 1},
    {"p1 p2 x", "", DECISION_ALLOW, "p1 p2", "", 0},
    {"p1 p2 x a1", "", DECISION_DEFER, "a1", "a1=finance", 0},
    {"p2 x a1", "", DECISION_DENY, "", "", 0},
    {"p1 p2 x a1", "a1", DECISION_ALLOW, "p1 p2", "", 0},
};

static void test_rule_10_algebra(void **state)
{
    (void)state;
    struct rules *r = fixture_rules(switched, switched, NULL);
    struct fixture f;
    fixture_begin(&f);
    assert_true(ARRAY_LEN(table) >= 40);
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct rules_answer a = ask(&f, r, table[i].on, table[i].lifted);
        bool allowed = table[i].effect == DECISION_ALLOW;
        if (a.decision.effect != table[i].effect)
            print_error("row %zu: on \"%s\", lifted \"%s\"\n", i, table[i].on,
                        table[i].lifted);
        assert_int_equal(a.decision.effect, table[i].effect);
        assert_string_equal(fixture_policies(&a.decision), table[i].policies);
        assert_string_equal(fixture_approvals(&a.decision), table[i].approvals);
        if (!allowed)
            assert_int_equal(a.denied_link, table[i].link);
        assert_int_equal(a.by_forbid, !allowed && table[i].policies[0] != 0);
        /* The shadow has the same policies, and passes over the same. */
        assert_int_equal(a.shadow.decision.effect, a.decision.effect);
        assert_string_equal(fixture_approvals(&a.shadow.decision),
                            table[i].approvals);
    }
    fixture_end(&f);
    rules_unref(r);
}

/* The rule itself, once more and by hand. */
static enum decision_effect expected(unsigned on, unsigned lifted)
{
    enum { P1 = 1, P2 = 2, F1 = 4, F2 = 8, A1 = 16, E = 256, X = 512 };
    unsigned waits = (on >> 4 & 15) & ~lifted;
    if ((on & (F1 | F2 | E)) != 0 || (on & (P1 | P2)) != (P1 | P2))
        return DECISION_DENY;
    return waits != 0 ? DECISION_DEFER : DECISION_ALLOW;
}

static void test_rule_10_algebra_of_every_combination(void **state)
{
    (void)state;
    static const char *const words[] = {"p1", "p2", "f1", "f2", "a1",
                                        "a2", "b1", "b2", "e",  "x"};
    struct rules *r = fixture_rules(switched, NULL, NULL);
    struct fixture f;
    fixture_begin(&f);
    for (unsigned on = 0; on < 1U << ARRAY_LEN(words); on++) {
        for (unsigned lifted = 0; lifted < 16; lifted += 5) {
            char labels[64] = "";
            char lift[64] = "";
            for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
                size_t len = strlen(labels);
                if ((on >> i & 1) != 0)
                    (void)snprintf(labels + len, sizeof(labels) - len, "%s%s",
                                   len > 0 ? " " : "", words[i]);
                len = strlen(lift);
                if (i >= 4 && i < 8 && (lifted >> (i - 4) & 1) != 0)
                    (void)snprintf(lift + len, sizeof(lift) - len, "%s%s",
                                   len > 0 ? " " : "", words[i]);
            }
            assert_int_equal(ask(&f, r, labels, lift).decision.effect,
                             expected(on, lifted));
        }
    }
    fixture_end(&f);
    rules_unref(r);
}

static void test_rule_10_more_approvals_than_fit_deny(void **state)
{
    (void)state;
    char text[4096];
    size_t len = (size_t)snprintf(text, sizeof(text),
                                  "permit(principal, action, resource);");
    struct fixture f;
    for (unsigned i = 0; i <= DECISION_APPROVALS_MAX; i++) {
        struct rules *r = fixture_rules(text, NULL, NULL);
        fixture_begin(&f);
        struct rules_answer a = fixture_ask(&f, r);
        assert_int_equal(a.decision.effect,
                         i == 0 ? DECISION_ALLOW : DECISION_DEFER);
        assert_int_equal(a.decision.approval_count, i);
        fixture_end(&f);
        rules_unref(r);
        len += (size_t)snprintf(text + len, sizeof(text) - len,
                                FINANCE "forbid(principal, action, resource);");
    }
    struct rules *r = fixture_rules(text, NULL, NULL);
    fixture_begin(&f);
    struct rules_answer a = fixture_ask(&f, r);
    assert_int_equal(a.decision.effect, DECISION_DENY);
    assert_int_equal(a.decision.policy_count, DECISION_APPROVALS_MAX);
    assert_true(a.by_forbid);
    fixture_end(&f);
    rules_unref(r);
}

static void test_rule_10_history_needs_every_approval(void **state)
{
    (void)state;
    struct rules *r =
        fixture_rules("permit(principal, action, resource);"
                      "@id(\"with\") " FINANCE
                      "forbid(principal, action, resource) when { "
                      "context.chain.history.contains(\"h\") };"
                      "@id(\"without\") " LEGAL
                      "forbid(principal, action, resource) unless "
                      "{ context.chain.history.contains(\"h\") };",
                      NULL, NULL);
    static const struct str both[] = {STR_INIT("with"), STR_INIT("without")};
    const struct rules_lifted lifted = {both, 2, NULL};
    struct fixture f;
    fixture_begin(&f);
    f.chain.history[f.chain.history_count++] = STR("h");
    struct rules_answer a = fixture_ask(&f, r);
    assert_string_equal(fixture_approvals(&a.decision),
                        "with=finance without=legal");
    f.request.lifted = &lifted;
    assert_int_equal(fixture_ask(&f, r).decision.effect, DECISION_ALLOW);
    /* A yes for a group that the policy does not ask any more is none. */
    static const struct str groups[] = {STR_INIT("finance"), STR_INIT("ops")};
    const struct rules_lifted stale = {both, 2, groups};
    f.request.lifted = &stale;
    a = fixture_ask(&f, r);
    assert_string_equal(fixture_approvals(&a.decision), "without=legal");
    f.request.lifted = NULL;
    f.chain.history_count = 0;
    a = fixture_ask(&f, r);
    assert_string_equal(fixture_approvals(&a.decision), "without=legal");
    fixture_end(&f);
    rules_unref(r);
}

static void test_rule_10_annotations_that_mean_nothing_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *policy, *want;
    } rows[] = {
        {"@approval(\"fin\")\nforbid(principal, action, resource);",
         "a.cedar:1:11: there is no group \"fin\" in approvals.groups"},
        {"@id(\"a\")\n  @approval(\"\")\nforbid(principal, action, resource);",
         "a.cedar:2:4: @approval has to name a group of approvals.groups"},
        {"@approval forbid(principal, action, resource);",
         "a.cedar:1:2: @approval has to name a group of approvals.groups"},
        {"@approval(\"f\\u{69}nance\") forbid(principal, action, resource);",
         "a.cedar:1:11: the name of a group is at most 128 characters without "
         "escapes"},
        {"forbid(principal, action, resource);\n@approval(\"finance\") "
         "@id(\"a\") permit(principal, action, resource);",
         "a.cedar:2:2: @approval is for a forbid, which people may lift"},
        {"@aproval(\"finance\") forbid(principal, action, resource);",
         "a.cedar:1:2: @aproval is no annotation; there are id, owner, "
         "approval and those that begin with x_"},
        {"@step_up(\"acr=phr\") forbid(principal, action, resource);",
         "a.cedar:1:2: @step_up: obligations are not supported by this "
         "version"},
        {"@id(\"risk\") forbid(principal, action, resource);",
         "a.cedar:1:1: @id(\"risk\") is the name of the ceiling of risk"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(fixture_error(rows[i].policy), rows[i].want);
    /* A word of a condition is no effect. */
    rules_unref(fixture_rules(
        "@approval(\"legal\") forbid(principal, action, resource) when { "
        "{permit: 1}.permit == 1 && context has permit };",
        NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_10_algebra),
        cmocka_unit_test(test_rule_10_algebra_of_every_combination),
        cmocka_unit_test(test_rule_10_more_approvals_than_fit_deny),
        cmocka_unit_test(test_rule_10_history_needs_every_approval),
        cmocka_unit_test(
            test_rule_10_annotations_that_mean_nothing_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
