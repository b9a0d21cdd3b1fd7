/* json_write.c - values back to text; see json.h. */
#include <assert.h>

#include "base/attr.h"
#include "base/limits.h"
#include "codec/json_value.h"

static const uint64_t ones = UINT64_C(0x0101010101010101);

static bool is_escaped(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

/* Are these eight bytes free of what is escaped, and of `also` (high bits)? */
static bool is_plain(const char *at, uint64_t also)
{
    /* What is escaped sets its high bit; what is behind it may, too. */
    uint64_t x;
    memcpy(&x, at, sizeof(x));
    uint64_t quote = x ^ ones * '"';
    uint64_t slash = x ^ ones * '\\';
    uint64_t hit = x & also;
    hit |= (x - ones * 0x20) & ~x;
    hit |= (quote - ones) & ~quote;
    hit |= (slash - ones) & ~slash;
    return (hit & ones << 7) == 0;
}

/* How many of the first bytes of `s` stand for themselves in a string. */
static size_t plain_len(struct str s)
{
    size_t i = 0;
    while (s.len - i >= 8 && is_plain(s.ptr + i, 0))
        i += 8;
    /* The last eight bytes once more, rather than the rest one by one. */
    size_t rest = s.len - i;
    if (i > 0 && rest > 0 && rest < 8 && is_plain(s.ptr + s.len - 8, 0))
        return s.len;
    while (i < s.len && !is_escaped((unsigned char)s.ptr[i]))
        i++;
    return i;
}

static void add_escaped(struct buf *to, unsigned char c)
{
    static const char shorts[] = "btn\0fr"; /* from U+0008 on; \v has none */
    static const char hex[] = "0123456789abcdef";
    if (c == '"' || c == '\\') {
        (void)buf_add(to, (struct str){(char[]){'\\', (char)c}, 2});
    } else if (c >= '\b' && c <= '\r' && c != '\v') {
        (void)buf_add(to, (struct str){(char[]){'\\', shorts[c - '\b']}, 2});
    } else {
        char text[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        (void)buf_add(to, (struct str){text, sizeof(text)});
    }
}

/* `s` between quotes; nothing in it has to be escaped. */
static void add_plain(struct buf *to, struct str s)
{
    char *p = buf_space(to, s.len + 2);
    if (p == NULL)
        return;
    p[0] = '"';
    if (s.len > 0)
        memcpy(p + 1, s.ptr, s.len);
    p[s.len + 1] = '"';
    buf_added(to, s.len + 2);
}

bool json_write_ascii(struct buf *to, struct str s)
{
    size_t i = 0;
    for (; s.len - i >= 8; i += 8) {
        if (!is_plain(s.ptr + i, ones << 7))
            return false;
    }
    for (; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (is_escaped(c) || c >= 0x80)
            return false;
    }
    add_plain(to, s);
    return true;
}

void json_write_str(struct buf *to, struct str s)
{
    size_t at = plain_len(s);
    if (at == s.len) {
        add_plain(to, s);
        return;
    }
    (void)buf_add_char(to, '"');
    (void)buf_add(to, str_first(s, at));
    while (at < s.len) {
        add_escaped(to, (unsigned char)s.ptr[at++]);
        struct str rest = str_skip(s, at);
        size_t plain = plain_len(rest);
        (void)buf_add(to, str_first(rest, plain));
        at += plain;
    }
    (void)buf_add_char(to, '"');
}

/* A container that is being written. */
struct level {
    const yyjson_val *end; /* the first value behind it */
    char closer;
    bool name_next; /* the next value is a member's name */
};

struct writer {
    struct buf *to;
    struct level levels[JSON_DEPTH_MAX];
    size_t depth;
    bool first; /* nothing stands in the innermost container yet */
};

/* The text of a scalar that is copied as it is, quotes apart. */
static struct str scalar_text(const yyjson_val *v)
{
    switch (v->tag & (YYJSON_TYPE_MASK | YYJSON_SUBTYPE_MASK)) {
    case YYJSON_TYPE_BOOL | YYJSON_SUBTYPE_TRUE:
        return STR("true");
    case YYJSON_TYPE_BOOL | YYJSON_SUBTYPE_FALSE:
        return STR("false");
    case YYJSON_TYPE_NULL:
        return STR("null");
    default:
        return json_value_text(v);
    }
}

/* Ends the containers that `v` is not in; returns where to go on. */
static char *close_levels(struct writer *w, char *p, const yyjson_val *v)
{
    while (w->depth > 0 && v >= w->levels[w->depth - 1].end) {
        *p++ = w->levels[--w->depth].closer;
        w->first = false;
    }
    return p;
}

/* What stands between the value before and the next one. */
static char *separate(struct writer *w, char *p)
{
    if (w->depth == 0)
        return p;
    struct level *top = &w->levels[w->depth - 1];
    bool is_object = top->closer == '}';
    if (is_object && !top->name_next)
        *p++ = ':';
    else if (!w->first)
        *p++ = ',';
    top->name_next = is_object && !top->name_next;
    return p;
}

static char *open_level(struct writer *w, char *p, const yyjson_val *v)
{
    bool is_object = (v->tag & YYJSON_TYPE_MASK) == YYJSON_TYPE_OBJ;
    assert(w->depth < JSON_DEPTH_MAX); /* json_read() saw to it */
    w->levels[w->depth++] = (struct level){
        .end = json_value_next(v),
        .closer = is_object ? '}' : ']',
        .name_next = is_object,
    };
    w->first = true;
    *p++ = is_object ? '{' : '[';
    return p;
}

/* One value and what stands before it, with one look at the buffer's room. */
static void write_one(struct writer *w, const yyjson_val *v)
{
    uint8_t type = (uint8_t)(v->tag & YYJSON_TYPE_MASK);
    bool container = type == YYJSON_TYPE_OBJ || type == YYJSON_TYPE_ARR;
    bool escaped = type == YYJSON_TYPE_STR && !json_value_is_plain(v);
    struct str text = {NULL, 0};
    if (!container && !escaped)
        text = scalar_text(v);

    /* A comma or colon, and two quotes or a bracket. */
    size_t closers = 0;
    for (size_t d = w->depth; d > 0 && v >= w->levels[d - 1].end; d--)
        closers++;
    char *start = buf_space(w->to, closers + 3 + text.len);
    if (start == NULL)
        return;
    char *p = close_levels(w, start, v);
    p = separate(w, p);
    if (container) {
        p = open_level(w, p, v);
    } else {
        bool quotes = type == YYJSON_TYPE_STR && !escaped;
        if (quotes)
            *p++ = '"';
        if (text.len > 0)
            memcpy(p, text.ptr, text.len);
        p += text.len;
        if (quotes)
            *p++ = '"';
        w->first = false;
    }
    buf_added(w->to, (size_t)(p - start));
    if (escaped)
        json_write_str(w->to, json_value_text(v));
}

static void write_value(struct buf *to, const yyjson_val *root)
{
    struct writer w UNINITIALIZED;
    w.to = to;
    w.depth = 0;
    w.first = true;
    const yyjson_val *end = json_value_next(root);
    for (const yyjson_val *v = root; v < end; v++)
        write_one(&w, v);
    while (w.depth > 0)
        (void)buf_add_char(to, w.levels[--w.depth].closer);
}

static const struct json_patch *find_patch(const struct json_patch *patches,
                                           size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(patches[i].name, name))
            return &patches[i];
    }
    return NULL;
}

static void add_member(struct buf *to, bool *first, struct str name,
                       struct str raw)
{
    if (!*first)
        (void)buf_add_char(to, ',');
    *first = false;
    json_write_str(to, name);
    (void)buf_add_char(to, ':');
    (void)buf_add(to, raw);
}

void json_write(struct buf *to, const struct json *v,
                const struct json_patch *patches, size_t n)
{
    if (json_type(v) == JSON_NONE)
        return;
    if (n == 0 || json_type(v) != JSON_OBJECT) {
        write_value(to, json_value(v));
        return;
    }

    bool first = true;
    struct json_iter it = json_each(v);
    struct str name;
    const struct json *member;
    (void)buf_add_char(to, '{');
    while (json_next(&it, &name, &member)) {
        const struct json_patch *p = find_patch(patches, n, name);
        if (p == NULL) {
            add_member(to, &first, name, STR(""));
            write_value(to, json_value(member));
        } else if (p->raw.ptr != NULL) {
            add_member(to, &first, name, p->raw);
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (patches[i].raw.ptr != NULL && json_get(v, patches[i].name) == NULL)
            add_member(to, &first, patches[i].name, patches[i].raw);
    }
    (void)buf_add_char(to, '}');
}
