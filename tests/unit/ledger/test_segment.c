/* Tests ledger/segment: names, headers and seals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fixture.h"
#include "ledger/segment.h"

struct parts {
    struct tree tree;
    struct intents open;
    struct buf bytes;
    struct segment_header header;
};

static struct parts make(uint64_t size, uint64_t open_every)
{
    struct parts p = {0};
    buf_init(&p.bytes, SEGMENT_HEADER_MAX);
    for (uint64_t i = 0; i < size; i++) {
        struct hash leaf = tree_leaf(STR("x"));
        leaf.bytes[0] = (unsigned char)i;
        tree_add(&p.tree, &leaf);
        if (open_every > 0 && i % open_every == 0)
            assert_int_equal(intents_add(&p.open, i, 1), ERR_OK);
    }
    p.header = (struct segment_header){.first_index = size,
                                       .created_us = 1763625600000000,
                                       .node_len = 8};
    memcpy(p.header.node_text, "test/log", 8);
    return p;
}

static void release(struct parts *p)
{
    intents_release(&p->open);
    buf_release(&p->bytes);
}

/* The bytes as a file that nobody else sees. */
static int file_of(struct str bytes)
{
    int fd = memfd_create("segment", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.ptr, bytes.len), bytes.len);
    return fd;
}

static enum err read_header(struct str bytes, struct parts *ret)
{
    int fd = file_of(bytes);
    struct window w;
    window_init(&w, fd);
    const char *what = NULL;
    enum err e =
        segment_get_header(&w, &ret->header, &ret->tree, &ret->open, &what);
    assert_true(e == ERR_OK || what != NULL);
    window_release(&w);
    close(fd);
    return e;
}

static void test_a_header_comes_back(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {0, 1, 2, 255, 1000};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct parts p = make(sizes[i], 3);
        segment_put_header(&p.bytes, &p.header, &p.tree, &p.open);
        assert_true(buf_ok(&p.bytes));
        assert_int_equal(p.bytes.len % SEGMENT_BLOCK, 0);
        assert_int_equal(p.header.len, p.bytes.len);

        struct parts got = {0};
        assert_int_equal(read_header(buf_str(&p.bytes), &got), ERR_OK);
        assert_int_equal(got.header.first_index, sizes[i]);
        assert_int_equal(got.header.created_us, p.header.created_us);
        assert_int_equal(got.header.len, p.header.len);
        assert_true(str_eq(segment_node(&got.header), STR("test/log")));
        assert_true(tree_equal(&got.tree, &p.tree));
        assert_int_equal(got.open.count, p.open.count);
        struct intent it;
        for (size_t at = 0; intents_next(&p.open, &at, &it);)
            assert_true(intents_has(&got.open, it.index));
        release(&got);
        release(&p);
    }
}

static void test_every_byte_of_a_header_counts(void **state)
{
    (void)state;
    struct parts p = make(7, 2);
    segment_put_header(&p.bytes, &p.header, &p.tree, &p.open);
    for (size_t i = 0; i < p.bytes.len; i++) {
        struct parts got = {0};
        p.bytes.ptr[i] = (char)(p.bytes.ptr[i] ^ (1 << i % 8));
        enum err e = read_header(buf_str(&p.bytes), &got);
        /* A version that reads as a later one is what it says. */
        assert_int_equal(e, i >= 8 && i < 12 ? ERR_UNSUPPORTED : ERR_CORRUPT);
        p.bytes.ptr[i] = (char)(p.bytes.ptr[i] ^ (1 << i % 8));
        release(&got);
    }
    for (size_t len = 0; len < p.bytes.len; len += 13) {
        struct parts got = {0};
        assert_int_equal(read_header((struct str){p.bytes.ptr, len}, &got),
                         ERR_CORRUPT);
        release(&got);
    }
    release(&p);
}

static void test_a_seal_is_found_from_the_end(void **state)
{
    (void)state;
    struct parts p = make(100, 9);
    segment_put_header(&p.bytes, &p.header, &p.tree, &p.open);
    size_t offset = p.bytes.len;
    const struct segment_seal at = {offset, offset, 5};
    segment_put_seal(&p.bytes, at, &p.tree, &p.open);
    assert_true(buf_ok(&p.bytes));
    assert_int_equal(p.bytes.len - offset,
                     segment_seal_len(p.tree.size, p.open.count));

    struct commit_head head;
    uint64_t found = 0;
    struct parts got = {0};
    int fd = file_of(buf_str(&p.bytes));
    assert_int_equal(segment_find_seal(fd, &head, &found, &got.tree, &got.open),
                     ERR_OK);
    close(fd);
    assert_int_equal(found, offset);
    assert_int_equal(head.wall_us, 5);
    assert_true(tree_equal(&got.tree, &p.tree));
    assert_int_equal(got.open.count, p.open.count);
    release(&got);

    for (size_t i = offset; i < p.bytes.len; i++) {
        struct parts none = {0};
        p.bytes.ptr[i] = (char)(p.bytes.ptr[i] ^ 0x10);
        fd = file_of(buf_str(&p.bytes));
        assert_int_not_equal(segment_find_seal(fd, &head, &found, &none.tree,
                                               &none.open),
                             ERR_OK);
        close(fd);
        p.bytes.ptr[i] = (char)(p.bytes.ptr[i] ^ 0x10);
        release(&none);
    }
    release(&p);
}

static void test_the_largest_state_fits(void **state)
{
    (void)state;
    struct parts p = {0};
    buf_init(&p.bytes, SEGMENT_HEADER_MAX);
    p.tree.size = UINT64_MAX / 2;
    for (uint64_t i = 0; i < INTENTS_MAX; i++)
        assert_int_equal(intents_add(&p.open, i * 5, 1), ERR_OK);
    p.header = (struct segment_header){.first_index = p.tree.size,
                                       .node_len = NAME_MAX_LEN};
    memset(p.header.node_text, 'n', NAME_MAX_LEN);
    segment_put_header(&p.bytes, &p.header, &p.tree, &p.open);
    assert_true(buf_ok(&p.bytes));
    struct parts got = {0};
    assert_int_equal(read_header(buf_str(&p.bytes), &got), ERR_OK);
    assert_int_equal(got.open.count, INTENTS_MAX);
    release(&got);
    release(&p);
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        struct str name;
        bool ok;
        uint64_t index;
    } cases[] = {
        {STR_INIT("00000000000000000000.seg"), true, 0},
        {STR_INIT("00000000000000012345.seg"), true, 12345},
        {STR_INIT("18446744073709551615.seg"), true, UINT64_MAX},
        {STR_INIT("18446744073709551616.seg"), false, 0},
        {STR_INIT("0000000000000012345.seg"), false, 0},
        {STR_INIT("000000000000000012345.seg"), false, 0},
        {STR_INIT("0000000000000001234x.seg"), false, 0},
        {STR_INIT("00000000000000012345.sge"), false, 0},
        {STR_INIT(""), false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t index = 0;
        assert_int_equal(segment_name_index(cases[i].name, &index),
                         cases[i].ok);
        assert_int_equal(index, cases[i].index);
        char name[SEGMENT_NAME_LEN + 1];
        segment_name(index, name);
        assert_true(!cases[i].ok || str_eq(str_from(name), cases[i].name));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_header_comes_back),
        cmocka_unit_test(test_every_byte_of_a_header_counts),
        cmocka_unit_test(test_a_seal_is_found_from_the_end),
        cmocka_unit_test(test_the_largest_state_fits),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
