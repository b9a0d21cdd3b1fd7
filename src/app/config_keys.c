/* config_keys.c - see config_keys.h. */
#include "app/config_keys.h"

#include "app/config_report.h"
#include "app/config_table.h"
#include "base/attr.h"
#include "base/text.h"

/* Does `key` want to hold a secret in the file? */
static bool is_secret(struct str prefix, struct str key)
{
    static const struct str words[] = {
        STR_INIT("key"),    STR_INIT("api_key"), STR_INIT("apikey"),
        STR_INIT("token"),  STR_INIT("secret"),  STR_INIT("password"),
        STR_INIT("bearer"), STR_INIT("value"),
    };
    if (!str_starts(prefix, STR("providers.*")) &&
        !str_starts(prefix, STR("tools.*")))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_eq_nocase(key, words[i]))
            return true;
    }
    return false;
}

/* A key of that name elsewhere: the nesting is wrong, not the name. */
static const struct config_row *elsewhere(struct str key)
{
    for (size_t i = 0; i < config_table_len; i++) {
        if (str_eq(config_table_key(&config_table[i]), key))
            return &config_table[i];
    }
    return NULL;
}

void config_keys_unknown(struct str prefix, struct str key, struct buf *why)
{
    if (is_secret(prefix, key)) {
        BUF_LIT(why, "a secret never stands in the file; expected credential: "
                     "[{env: NAME_OF_A_VARIABLE}] or credential: [{file: "
                     "PATH}]");
        return;
    }
    struct config_near near = config_near_start(key);
    size_t at = 0;
    const struct config_row *row;
    while ((row = config_table_next(prefix, &at)) != NULL)
        config_near_offer(&near, config_table_key(row));
    BUF_LIT(why, "is not known to this version");
    if (near.best.len > 0) {
        config_near_add(why, &near);
        return;
    }
    row = elsewhere(key);
    if (row != NULL) {
        buf_addf(why, "; did you mean \"%s\"?", row->path);
        return;
    }
    BUF_LIT(why, "; expected one of ");
    config_keys_expected(prefix, why);
}

void config_keys_expected(struct str prefix, struct buf *to)
{
    size_t at = 0;
    const struct config_row *row;
    bool first = true;
    while ((row = config_table_next(prefix, &at)) != NULL) {
        buf_add(to, first ? STR("") : STR(", "));
        buf_add(to, config_table_key(row));
        first = false;
    }
}

struct str config_keys_shown(struct str key, struct config_keys_room *room)
{
    size_t n = key.len < sizeof(room->text) ? key.len : sizeof(room->text);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)key.ptr[i];
        room->text[i] = key.ptr[i];
        if (c < 0x20 || c == 0x7f)
            room->text[i] = '?';
    }
    while (n > 0 && !text_is_utf8((struct str){room->text, n}))
        n--;
    return (struct str){room->text, n};
}
