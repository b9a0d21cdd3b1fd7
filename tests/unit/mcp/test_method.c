/* Tests mcp/method: who may send what, and what it means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "mcp/method.h"

enum { ALL = (1 << 11) - 1 };

static enum err find(const char *name, enum message_kind kind, enum revision r,
                     unsigned sender, unsigned has, enum method *ret)
{
    struct message m = {.kind = kind, .method = str_from(name)};
    struct fault f = {.err = ERR_OK};
    enum err e = method_find(&m, r, sender, has, ret, &f);
    if (e != ERR_OK) {
        assert_int_equal(e, ERR_UNSUPPORTED);
        assert_int_equal(f.code, FAULT_METHOD);
        assert_true(f.text.len > 0);
    }
    return e;
}

static void test_every_row_is_found_by_its_sender_only(void **state)
{
    (void)state;
    for (unsigned i = METHOD_NONE + 1; i < METHOD_COUNT; i++) {
        const struct method_row *row = method_row((enum method)i);
        enum message_kind kind =
            row->is_notification ? MESSAGE_NOTIFICATION : MESSAGE_REQUEST;
        enum message_kind wrong =
            row->is_notification ? MESSAGE_REQUEST : MESSAGE_NOTIFICATION;
        assert_true(row->name.len > 0 && row->senders != 0);
        for (unsigned s = METHOD_CLIENT; s <= METHOD_SERVER; s <<= 1) {
            for (unsigned r = 0; r < REVISION_COUNT; r++) {
                enum method m = METHOD_NONE;
                bool ok = (row->senders & s) != 0 && r >= row->since;
                enum err e =
                    find(row->name.ptr, kind, (enum revision)r, s, ALL, &m);
                assert_int_equal(e, ok ? ERR_OK : ERR_UNSUPPORTED);
                assert_int_equal(m, ok ? i : METHOD_NONE);
                assert_int_equal(find(row->name.ptr, wrong, (enum revision)r, s,
                                      ALL, &m),
                                 ERR_UNSUPPORTED);
            }
        }
        enum method m = METHOD_NONE;
        unsigned sender =
            (row->senders & METHOD_CLIENT) != 0 ? METHOD_CLIENT : METHOD_SERVER;
        assert_int_equal(find(row->name.ptr, kind, REVISION_NEWEST, sender,
                              ALL & ~row->needs, &m),
                         row->needs == 0 ? ERR_OK : ERR_UNSUPPORTED);
    }
}

static void
test_what_is_decided_has_an_action_and_the_rest_has_none(void **state)
{
    (void)state;
    for (unsigned i = 0; i < METHOD_COUNT; i++) {
        const struct method_row *row = method_row((enum method)i);
        bool acts =
            row->policy == METHOD_DECIDED || row->policy == METHOD_FILTERED;
        assert_int_equal(row->action != ACTION_NONE, acts && i != METHOD_NONE);
        assert_false(acts && row->is_notification);
    }
    assert_int_equal(method_row(METHOD_TOOLS_CALL)->action, ACTION_TOOL_CALL);
    assert_int_equal(method_row(METHOD_TOOLS_CALL)->policy, METHOD_DECIDED);
    assert_int_equal(method_row(METHOD_SAMPLE)->action, ACTION_SAMPLING_CREATE);
    assert_int_equal(method_row(METHOD_ELICIT)->action,
                     ACTION_ELICITATION_CREATE);
    assert_int_equal(method_row(METHOD_COMPLETE)->action,
                     ACTION_COMPLETION_GET);
}

static void test_unknown_methods_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",
        "Tools/call",
        "tools/call/",
        "tools/cal",
        "TOOLS/LIST",
        "tasks/get",
        "tasks/list",
        "server/discover",
        "subscriptions/listen",
        "rpc.discover",
        "notifications/",
        "notifications/tasks/status",
    };
    enum method m = METHOD_NONE;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_equal(find(names[i], MESSAGE_REQUEST, REVISION_NEWEST,
                              METHOD_CLIENT, ALL, &m),
                         ERR_UNSUPPORTED);
        assert_int_equal(find(names[i], MESSAGE_NOTIFICATION, REVISION_NEWEST,
                              METHOD_SERVER, ALL, &m),
                         ERR_UNSUPPORTED);
    }
    assert_int_equal(method_from(STR("tools/call\0x")), METHOD_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_is_found_by_its_sender_only),
        cmocka_unit_test(
            test_what_is_decided_has_an_action_and_the_rest_has_none),
        cmocka_unit_test(test_unknown_methods_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
