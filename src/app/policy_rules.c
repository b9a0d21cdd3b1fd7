/* policy_rules.c - see policy_rules.h. */
#include "app/policy_rules.h"

#include "app/policy_files.h"

enum { LINE_MAX_LEN = 16 * 1024 };

enum err policy_rules_load(const struct settings *s,
                           void (*each)(void *user, struct str line),
                           void *user, struct rules **ret)
{
    const struct policy_files_where where = policy_files_of(s);
    struct policy_files_error unread = {{0}};
    struct rules_errors errors = {.count = 0};
    struct rules_sources from;
    struct arena a;
    struct buf line;

    arena_init(&a, POLICY_FILES_ARENA_MAX);
    buf_init(&line, LINE_MAX_LEN);
    enum err e = policy_files_read(&a, &where, &from, &unread);
    if (e == ERR_CONFIG)
        each(user, str_from(unread.text));
    if (e == ERR_OK)
        e = rules_new(s, &from, &errors, ret);
    for (size_t i = 0; i < errors.count; i++) {
        buf_clear(&line);
        policy_files_add_error(&line, &where, &from, &errors.at[i]);
        each(user, buf_str(&line));
    }
    buf_release(&line);
    arena_release(&a);
    return e;
}
