/* mcp_fixture_offer.c - see mcp_fixture.h: made as hubs make theirs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "mcp/hub_part.h"

struct hub_offer *mcp_fixture_offer(const char *tools, int64_t listed_ms);

struct hub_offer *mcp_fixture_offer(const char *tools, int64_t listed_ms)
{
    const struct handshake hello = {
        .has = METHOD_HAS_TOOLS | METHOD_HAS_PROMPTS | METHOD_HAS_RESOURCES |
               METHOD_HAS_SUBSCRIBE | METHOD_HAS_COMPLETIONS};
    struct hub_offer *about = hub_offer_about(&hello);
    struct arena a;
    struct buf text, cursor;
    const struct json *v;
    struct str why;
    struct hub_offer *offer;

    arena_init(&a, MIB);
    buf_init(&text, MIB);
    buf_init(&cursor, MIB);
    BUF_LIT(&text, "{\"tools\":[");
    buf_add(&text, str_from(tools));
    BUF_LIT(&text, "]}");
    assert_int_equal(json_read(&a, buf_str(&text), &v, NULL), ERR_OK);
    struct hub_pages *pages = hub_pages_new(about, listed_ms);
    assert_int_equal(hub_pages_add(pages, v, &cursor, &why), ERR_OK);
    assert_int_equal(hub_pages_end(pages, &offer), ERR_OK);
    hub_offer_unref(about);
    buf_release(&cursor);
    buf_release(&text);
    arena_release(&a);
    return offer;
}
