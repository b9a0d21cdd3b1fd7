/* shown.c - see shown.h. */
#include "admin/shown.h"

#include "base/text.h"

/* The character that the well-formed `s` of 2 to 4 bytes is. */
static uint32_t decode(struct str s)
{
    static const unsigned char first[] = {0, 0, 0x1f, 0x0f, 0x07};
    uint32_t c = (unsigned char)s.ptr[0] & first[s.len];

    for (size_t i = 1; i < s.len; i++)
        c = c << 6 | ((unsigned char)s.ptr[i] & 0x3f);
    return c;
}

/* One character; how many bytes of `s` it took. */
static size_t add_one(struct buf *to, struct str s, bool is_json)
{
    unsigned char byte = (unsigned char)s.ptr[0];
    size_t len = text_utf8_len(s);

    if (byte == '\\' && !is_json)
        BUF_LIT(to, "\\\\");
    else if (byte >= 0x20 && byte < 0x7f)
        buf_add_char(to, (char)byte);
    else if (len == 0)
        buf_addf(to, "\\x{%x}", (unsigned)byte);
    else
        buf_addf(to, "\\u{%x}",
                 len == 1 ? (unsigned)byte
                          : (unsigned)decode(str_first(s, len)));
    return len == 0 ? 1 : len;
}

static void add(struct buf *to, struct str s, bool is_json)
{
    for (size_t at = 0; at < s.len;)
        at += add_one(to, str_skip(s, at), is_json);
}

void shown_add(struct buf *to, struct str s)
{
    add(to, s, false);
}

void shown_add_json(struct buf *to, struct str json)
{
    add(to, json, true);
}
