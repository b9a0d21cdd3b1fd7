/* risk.c - see risk.h. */
#include "domain/risk.h"

#include <assert.h>

/* By bit. */
static const struct str words[] = {
    STR_INIT("read"),     STR_INIT("write"),     STR_INIT("trigger"),
    STR_INIT("purchase"), STR_INIT("deploy"),    STR_INIT("export"),
    STR_INIT("secret"),   STR_INIT("regulated"), STR_INIT("admin"),
};
static_assert(sizeof(words) / sizeof(words[0]) == RISK_WORDS &&
                  RISK_ALL == (1U << RISK_WORDS) - 1,
              "a word for each bit");

struct str risk_word(unsigned n)
{
    assert(n < RISK_WORDS);
    return words[n];
}

uint32_t risk_from(struct str word)
{
    for (unsigned n = 0; n < RISK_WORDS; n++) {
        if (str_eq(words[n], word))
            return UINT32_C(1) << n;
    }
    return 0;
}
