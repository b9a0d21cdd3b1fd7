/* quote.c - see quote.h. */
#include "cedar/quote.h"

#include "base/text.h"
#include "cedar/name.h"

/* The character that `s` begins with, of `len` bytes. */
static uint32_t decode(struct str s, size_t len)
{
    static const unsigned char first[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t c = (unsigned char)s.ptr[0] & first[len];
    for (size_t i = 1; i < len; i++)
        c = c << 6 | ((unsigned char)s.ptr[i] & 0x3F);
    return c;
}

/* Control characters, marks of direction and spaces without width. */
static bool is_hidden(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD ||
           (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
           (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
}

static void put_escape(struct buf *to, uint32_t c)
{
    static const char from[] = "\n\r\t\\\"";
    static const char names[] = "nrt\\\"";
    for (size_t i = 0; i < sizeof(from) - 1; i++)
        if (c == (unsigned char)from[i]) {
            (void)buf_addf(to, "\\%c", names[i]);
            return;
        }
    if (c == 0)
        (void)buf_add(to, STR("\\0"));
    else
        (void)buf_addf(to, "\\u{%x}", c);
}

static void put(struct buf *to, struct str text, bool is_pattern)
{
    size_t from = 0;
    for (size_t at = 0; at < text.len;) {
        size_t n = text_utf8_len(str_skip(text, at));
        if (n == 0) /* not the case: the text was checked */
            n = 1;
        uint32_t c = decode(str_skip(text, at), n);
        bool is_star = is_pattern && c == '*';
        if (c == '"' || c == '\\' || is_star || is_hidden(c)) {
            (void)buf_add(to, (struct str){text.ptr + from, at - from});
            if (is_star)
                (void)buf_add(to, STR("\\*"));
            else
                put_escape(to, c);
            from = at + n;
        }
        at += n;
    }
    (void)buf_add(to, str_skip(text, from));
}

void quote_string(struct buf *to, struct str text)
{
    (void)buf_add_char(to, '"');
    put(to, text, false);
    (void)buf_add_char(to, '"');
}

void quote_pattern(struct buf *to, const struct program_pattern *p)
{
    (void)buf_add_char(to, '"');
    for (uint32_t i = 0; i < p->count; i++) {
        if (i > 0)
            (void)buf_add_char(to, '*');
        put(to, p->pieces[i], true);
    }
    (void)buf_add_char(to, '"');
}

bool quote_is_name(struct str name)
{
    if (name.len == 0 || !name_is_start(name.ptr[0]))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!name_is_part(name.ptr[i]))
            return false;
    return !name_is_reserved(name);
}

void quote_name(struct buf *to, struct str name)
{
    if (quote_is_name(name))
        (void)buf_add(to, name);
    else
        quote_string(to, name);
}

void quote_uid(struct buf *to, const struct cedar_uid *uid)
{
    (void)buf_add(to, uid->type);
    (void)buf_add(to, STR("::"));
    quote_string(to, uid->id);
}
