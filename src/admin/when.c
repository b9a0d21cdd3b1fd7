/* when.c - see when.h. */
#include "admin/when.h"

#include <string.h>

#include "base/num.h"
#include "base/text.h"

#define TEN_YEARS_US (INT64_C(3653) * 24 * 3600 * 1000000)

enum { DATE_LEN = 10, SECOND_LEN = 20 };

/* What is left out of a date, from the longest form. */
static bool read_date(struct str s, int64_t *ret_us)
{
    static const char midnight[] = "0000-00-00T00:00:00.000000Z";
    char whole[TEXT_TIME_LEN];

    if (s.len != DATE_LEN && s.len != SECOND_LEN && s.len != TEXT_TIME_LEN)
        return false;
    if (s.len == SECOND_LEN && s.ptr[SECOND_LEN - 1] != 'Z')
        return false;
    memcpy(whole, midnight, sizeof(whole));
    memcpy(whole, s.ptr, s.len == SECOND_LEN ? SECOND_LEN - 1 : s.len);
    return text_untime((struct str){whole, sizeof(whole)}, ret_us);
}

bool when_read(struct str s, int64_t now_us, int64_t *ret_us)
{
    int64_t ms = 0, us = 0;

    if (s.len > TEXT_TIME_LEN) /* the longest form; more are zeros in front */
        return false;
    if (num_duration_ms(s, &ms) && ms > 0 && ms < TEN_YEARS_US / 1000)
        us = now_us + ms * 1000;
    else if (!read_date(s, &us))
        return false;
    if (us <= now_us || us > now_us + TEN_YEARS_US)
        return false;
    *ret_us = us;
    return true;
}
