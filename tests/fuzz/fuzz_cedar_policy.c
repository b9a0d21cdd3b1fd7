/* layers: cedar codec base */
/*
 * Property: what loads takes memory in proportion, decides the same twice,
 * and each policy loads alone to the same; what does not has an error with a
 * place in the text.
 */
#include <assert.h>
#include <stdint.h>

#include "base/limits.h"
#include "cedar/cedar.h"
#include "cedar/program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(const struct cedar_policies *policies,
                         const struct cedar_answer *answer)
{
    size_t count = cedar_policies_count(policies);
    assert(answer->reason_count + answer->fault_count <= count);
    assert(answer->decision == CEDAR_DENY || answer->reason_count > 0);
    for (size_t i = 0; i < answer->reason_count; i++) {
        struct cedar_policy_view p =
            cedar_policies_at(policies, answer->reasons[i]);
        assert(!p.is_template);
        assert((p.effect == CEDAR_PERMIT) == (answer->decision == CEDAR_ALLOW));
    }
    for (size_t i = 0; i < answer->fault_count; i++) {
        assert(answer->faults[i].fault != CEDAR_FAULT_NONE);
        assert(answer->faults[i].offset <= policies->text.len);
    }
}

/* Once with the option and once without, twice each. */
static void check_decisions(const struct cedar_policies *policies)
{
    struct cedar_evaluator *evaluator = cedar_evaluator_new();
    struct cedar_request request = {
        .principal = cedar_uid_make(STR("User"), STR("alice")),
        .action = cedar_uid_make(STR("Action"), STR("view")),
        .resource = cedar_uid_make(STR("Doc"), STR("d1")),
    };
    assert(evaluator != NULL);
    for (int strict = 0; strict < 2; strict++) {
        struct cedar_options options = {.erring_forbid_denies = strict == 1};
        struct cedar_answer first;
        struct cedar_answer second;
        enum err e =
            cedar_authorize(evaluator, policies, &request, &options, &first);
        assert(e == ERR_OK);
        check_answer(policies, &first);
        e = cedar_authorize(evaluator, policies, &request, &options, &second);
        assert(e == ERR_OK && first.decision == second.decision);
        assert(first.reason_count == second.reason_count);
        assert(first.fault_count == second.fault_count);
    }
    cedar_evaluator_free(evaluator);
}

static void check_each_alone(const struct cedar_policies *policies)
{
    size_t count = cedar_policies_count(policies);
    for (size_t i = 0; i < count && i < 20; i++) {
        struct cedar_policy_view one = cedar_policies_at(policies, i);
        struct cedar_policies *alone;
        enum err e = cedar_policies_load(one.text, NULL, &alone);
        assert(e == ERR_OK && cedar_policies_count(alone) == 1);
        struct cedar_policy_view again = cedar_policies_at(alone, 0);
        assert(again.effect == one.effect);
        assert(again.is_template == one.is_template);
        assert(str_eq(again.text, one.text));
        cedar_policies_free(alone);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct cedar_errors errors;
    struct cedar_policies *policies;
    enum err e = cedar_policies_load(text, &errors, &policies);
    if (e == ERR_OK) {
        assert(policies->nodes.count <= 2 * size + 1);
        assert(policies->stack_max <= size);
        check_decisions(policies);
        check_each_alone(policies);
        cedar_policies_free(policies);
        return 0;
    }
    assert(e == ERR_MALFORMED); /* no input is dense enough for ERR_LIMIT */
    assert(errors.count > 0 && errors.count <= CEDAR_ERRORS_MAX);
    for (size_t i = 0; i < errors.count; i++) {
        assert(errors.at[i].offset <= size && errors.at[i].line > 0);
        assert(errors.at[i].text[0] != '\0');
    }
    return 0;
}
