/* cedar_links.c - see cedar_links.h. */
#include "cedar/cedar_links.h"

#include <assert.h>

#include "cedar/cedar.h"
#include "cedar/links.h"
#include "cedar/policies.h"

static enum err add(struct cedar_policies *set, const struct cedar_link *all,
                    size_t count, struct cedar_errors *errors)
{
    struct links *l = NULL;
    struct str twice;
    enum err first = links_new(set, &l, &twice); /* ids of text all differ */
    for (size_t i = 0; i < count && (first == ERR_OK || first == ERR_MALFORMED);
         i++) {
        const char *why = NULL;
        enum err e = links_add(l, &all[i], &why);
        if (e == ERR_MALFORMED)
            errors_add(errors, set->text, 0, "link %.*s of %.*s: %s",
                       STR_FMT(str_first(all[i].id, 50)),
                       STR_FMT(str_first(all[i].template_id, 50)), why);
        if (e != ERR_OK)
            first = e; /* there may be more */
    }
    links_free(l);
    return first;
}

/* What the links need in the arena, which grows with the text otherwise. */
static size_t size_of(const struct cedar_link *links, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        const struct cedar_uid *uids[] = {links[i].principal,
                                          links[i].resource};
        size += links[i].id.len + 1;
        for (size_t k = 0; k < ARRAY_LEN(uids); k++)
            if (uids[k] != NULL)
                size += sizeof(**uids) + uids[k]->type.len + uids[k]->id.len;
    }
    return size;
}

enum err cedar_links_load(struct str text, const struct cedar_link *links,
                          size_t count, struct cedar_errors *ret_errors,
                          struct cedar_policies **ret)
{
    if (ret_errors != NULL)
        ret_errors->count = 0;
    enum err e = policies_check_text(text, ret_errors);
    if (e != ERR_OK)
        return e;
    struct cedar_policies *set = policies_new(text.len + size_of(links, count));
    if (set == NULL)
        return ERR_NO_MEMORY;
    e = policies_parse(set, text, ret_errors);
    if (e == ERR_OK)
        e = add(set, links, count, ret_errors);
    if (e == ERR_OK)
        e = policies_finish(set);
    if (e != ERR_OK) {
        cedar_policies_free(set);
        return e;
    }
    *ret = set;
    return ERR_OK;
}

bool cedar_links_template(const struct cedar_policies *p, size_t index,
                          size_t *ret_template)
{
    assert(index < p->policies.count);
    uint32_t linked = p->policies.at[index].linked;
    if (linked == 0)
        return false;
    *ret_template = linked - 1;
    return true;
}
