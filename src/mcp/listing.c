/* listing.c - see listing.h. */
#include "mcp/listing.h"

#include "mcp/params.h"

/* Where a page has its items, and what an item is called by. */
struct place {
    struct str items, name;
};

static bool place_of(enum method m, struct place *ret)
{
    if (m == METHOD_RESOURCES_LIST)
        *ret = (struct place){STR("resources"), STR("uri")};
    else if (m == METHOD_RESOURCES_TEMPLATES)
        *ret = (struct place){STR("resourceTemplates"), STR("uriTemplate")};
    else if (m == METHOD_PROMPTS_LIST)
        *ret = (struct place){STR("prompts"), STR("name")};
    else
        return false;
    return true;
}

static void write_items(const struct json *items, struct str name_is,
                        listing_keep *keep, void *user, struct buf *to)
{
    struct json_iter it = json_each(items);
    const struct json *item;
    bool first = true;

    while (json_next(&it, NULL, &item)) {
        struct str name;
        if (!json_str(json_get(item, name_is), &name) || name.len == 0 ||
            name.len > PARAMS_URI_MAX || !keep(user, name))
            continue;
        if (!first)
            (void)buf_add_char(to, ',');
        first = false;
        json_write(to, item, NULL, 0);
    }
}

enum err listing_filter(struct arena *a, enum method m, struct str result,
                        listing_keep *keep, void *user, struct buf *to)
{
    const struct json *page;
    struct place place;
    struct str cursor;

    enum err e = json_read(a, result, &page, NULL);
    if (e != ERR_OK)
        return e;
    if (!place_of(m, &place))
        return ERR_MALFORMED;
    const struct json *items = json_get(page, place.items);
    if (items == NULL || json_type(items) != JSON_ARRAY)
        return ERR_MALFORMED;

    (void)buf_add_char(to, '{');
    json_write_str(to, place.items);
    (void)BUF_LIT(to, ":[");
    write_items(items, place.name, keep, user, to);
    (void)buf_add_char(to, ']');
    if (json_str(json_get(page, STR("nextCursor")), &cursor) &&
        cursor.len <= PARAMS_CURSOR_MAX) {
        (void)BUF_LIT(to, ",\"nextCursor\":");
        json_write_str(to, cursor);
    }
    (void)buf_add_char(to, '}');
    return buf_ok(to) ? ERR_OK : ERR_LIMIT;
}

bool listing_split(struct str name, struct str *ret_server,
                   struct str *ret_tool)
{
    for (size_t i = 1; i + 2 < name.len; i++) {
        if (name.ptr[i] != '_' || name.ptr[i + 1] != '_')
            continue;
        *ret_server = str_first(name, i);
        *ret_tool = (struct str){name.ptr + i + 2, name.len - i - 2};
        return true;
    }
    return false;
}
