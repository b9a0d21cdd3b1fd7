/* layers: mcp codec base */
/*
 * Properties: a list that was filtered is JSON, holds nothing that its reader
 * may not use, and is not changed by filtering it again.  A name is split so
 * that its parts make it, and its server's has no separator in it.
 *
 * The first byte chooses the method; the rest is a server's result.
 */
#include <assert.h>
#include <stdint.h>

#include "base/limits.h"
#include "mcp/listing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_for_us(struct str name)
{
    return (name.ptr[0] & 1) == 0;
}

static bool keep(void *user, struct str name)
{
    size_t *kept = user;

    assert(name.len > 0);
    if (is_for_us(name))
        (*kept)++;
    return is_for_us(name);
}

/* How many items there are, all of them with a name that is for us. */
static size_t count_ours(struct str text)
{
    static const struct str lists[] = {STR_INIT("prompts"),
                                       STR_INIT("resources"),
                                       STR_INIT("resourceTemplates")};
    static const struct str names[] = {STR_INIT("name"), STR_INIT("uri"),
                                       STR_INIT("uriTemplate")};
    struct arena a;
    const struct json *page, *item;
    size_t n = 0;

    arena_init(&a, 16 * MIB);
    enum err e = json_read(&a, text, &page, NULL);
    assert(e == ERR_OK);
    for (size_t i = 0; i < 3; i++) {
        const struct json *items = json_get(page, lists[i]);
        struct json_iter it = json_each(items);
        struct str name;
        while (items != NULL && json_next(&it, NULL, &item)) {
            bool ok = json_str(json_get(item, names[i]), &name);
            assert(ok && name.len > 0 && is_for_us(name));
            n++;
        }
    }
    arena_release(&a);
    return n;
}

static enum err filter(enum method m, struct str text, size_t *kept,
                       struct buf *to)
{
    struct arena a;

    *kept = 0;
    arena_init(&a, 16 * MIB);
    enum err e = listing_filter(&a, m, text, keep, kept, to);
    arena_release(&a);
    return e;
}

static void check_list(enum method m, struct str text)
{
    struct buf once, twice;
    size_t kept, kept_again;

    buf_init(&once, 16 * MIB);
    buf_init(&twice, 16 * MIB);
    if (filter(m, text, &kept, &once) == ERR_OK) {
        assert(count_ours(buf_str(&once)) == kept);
        enum err e = filter(m, buf_str(&once), &kept_again, &twice);
        assert(e == ERR_OK && kept_again == kept);
        assert(str_eq(buf_str(&once), buf_str(&twice)));
    }
    buf_release(&once);
    buf_release(&twice);
}

static void check_name(struct str name)
{
    struct str server, tool, again;

    if (!listing_split(name, &server, &tool))
        return;
    assert(server.len > 0 && tool.len > 0);
    assert(server.len + 2 + tool.len == name.len);
    assert(server.ptr == name.ptr && tool.ptr == name.ptr + server.len + 2);
    assert(!listing_split(server, &again, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum method methods[] = {METHOD_RESOURCES_LIST,
                                          METHOD_RESOURCES_TEMPLATES,
                                          METHOD_PROMPTS_LIST};
    struct str text = {(const char *)data, size};

    if (size == 0)
        return 0;
    check_list(methods[data[0] % 3], str_skip(text, 1));
    check_name(text);
    return 0;
}
