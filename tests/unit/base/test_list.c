/* Tests base/list: order, removal while walking, double removal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/list.h"

struct item {
    int id;
    struct list node;
};

static int item_id(struct list *l)
{
    return CONTAINER_OF(l, struct item, node)->id;
}

static void test_both_ends_keep_order(void **state)
{
    (void)state;
    struct list head;
    struct item items[] = {{.id = 1}, {.id = 2}, {.id = 3}};
    list_init(&head);
    assert_true(list_empty(&head));
    assert_null(list_first(&head));

    list_push(&head, &items[1].node);
    list_push(&head, &items[2].node);
    list_push_front(&head, &items[0].node);

    int expected = 1;
    LIST_EACH(it, next, &head)
    assert_int_equal(item_id(it), expected++);
    assert_int_equal(expected, 4);
    assert_int_equal(item_id(list_first(&head)), 1);
}

static void test_walking_allows_removal_of_the_current_one(void **state)
{
    (void)state;
    struct list head;
    struct item items[5] = {{0}};
    list_init(&head);
    for (int i = 0; i < 5; i++) {
        items[i].id = i;
        list_push(&head, &items[i].node);
    }
    LIST_EACH(it, next, &head)
    {
        if (item_id(it) % 2 == 0)
            list_remove(it);
    }
    assert_int_equal(item_id(list_first(&head)), 1);
    list_remove(&items[1].node);
    list_remove(&items[1].node); /* twice is allowed */
    list_remove(&items[3].node);
    assert_true(list_empty(&head));
}

static void test_all_move_behind_those_that_are_there(void **state)
{
    (void)state;
    struct list a, b, nodes[3];
    list_init(&a);
    list_init(&b);
    list_move(&a, &b);
    assert_true(list_empty(&a));
    list_push(&a, &nodes[0]);
    list_push(&b, &nodes[1]);
    list_push(&b, &nodes[2]);
    list_move(&a, &b);
    assert_true(list_empty(&b));
    for (size_t i = 0; i < 3; i++) {
        assert_ptr_equal(list_first(&a), &nodes[i]);
        list_remove(&nodes[i]);
    }
    assert_true(list_empty(&a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ends_keep_order),
        cmocka_unit_test(test_walking_allows_removal_of_the_current_one),
        cmocka_unit_test(test_all_move_behind_those_that_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
