/* layers: admin base */
/* Property: what is shown is printable ASCII, and says exactly what it stands
 * for: two texts that differ are never shown alike. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "admin/shown.h"
#include "base/limits.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_character(struct buf *to, uint32_t c)
{
    if (c < 0x80)
        buf_add_char(to, (char)c);
    else if (c < 0x800) {
        buf_add_char(to, (char)(0xc0 | c >> 6));
        buf_add_char(to, (char)(0x80 | (c & 0x3f)));
    } else {
        if (c < 0x10000)
            buf_add_char(to, (char)(0xe0 | c >> 12));
        else {
            buf_add_char(to, (char)(0xf0 | c >> 18));
            buf_add_char(to, (char)(0x80 | (c >> 12 & 0x3f)));
        }
        buf_add_char(to, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_add_char(to, (char)(0x80 | (c & 0x3f)));
    }
}

/* "u{202e}" or "x{ff}" behind a backslash; its length. */
static size_t put_escape(struct buf *to, struct str s)
{
    uint32_t c = 0;
    size_t end = str_find(s, '}');

    assert(s.len > 3 && s.ptr[1] == '{' && end > 2 && end < s.len);
    for (size_t i = 2; i < end; i++) {
        char d = s.ptr[i];
        assert((d >= '0' && d <= '9') || (d >= 'a' && d <= 'f'));
        c = c << 4 | (uint32_t)(d <= '9' ? d - '0' : d - 'a' + 10);
    }
    if (s.ptr[0] == 'x')
        buf_add_char(to, (char)c);
    else
        put_character(to, c);
    return end + 1;
}

/* The way back. */
static void read_shown(struct buf *to, struct str s)
{
    for (size_t at = 0; at < s.len; at++) {
        assert(s.ptr[at] >= 0x20 && s.ptr[at] < 0x7f);
        if (s.ptr[at] != '\\') {
            buf_add_char(to, s.ptr[at]);
            continue;
        }
        assert(at + 1 < s.len);
        if (s.ptr[at + 1] == '\\') {
            buf_add_char(to, '\\');
            at++;
        } else
            at += put_escape(to, str_skip(s, at + 1));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str text = {(const char *)data, size};
    struct buf shown, back;

    if (size > 64 * KIB)
        return 0;
    buf_init(&shown, 1 * MIB);
    buf_init(&back, 1 * MIB);
    shown_add(&shown, text);
    assert(buf_ok(&shown));
    read_shown(&back, buf_str(&shown));
    assert(str_eq(buf_str(&back), text));

    /* The same of JSON, but for its own backslashes. */
    buf_clear(&shown);
    shown_add_json(&shown, text);
    for (size_t i = 0; i < shown.len; i++)
        assert(shown.ptr[i] >= 0x20 && shown.ptr[i] < 0x7f);
    buf_release(&shown);
    buf_release(&back);
    return 0;
}
