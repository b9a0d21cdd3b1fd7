/* http_message.c - see http_message.h. */
#include "codec/http_message.h"

size_t http_fields_count(struct http_fields f, struct str name)
{
    size_t n = 0;
    for (size_t i = 0; i < f.count; i++)
        n += str_eq(f.at[i].name, name);
    return n;
}

struct str http_fields_get(struct http_fields f, struct str name)
{
    struct str found = {NULL, 0};
    size_t n = 0;
    for (size_t i = 0; i < f.count; i++) {
        if (str_eq(f.at[i].name, name)) {
            found = f.at[i].value;
            n++;
        }
    }
    return n == 1 ? found : (struct str){NULL, 0};
}
