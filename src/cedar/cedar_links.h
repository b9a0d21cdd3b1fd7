/*
 * cedar_links.h - policies made of templates; a part of cedar.h.
 *
 * A template is a policy with slots, ?principal or ?resource, in its scope.
 * A link gives them their entities and is one more policy, which shares the
 * rest with the template.  The template itself is never satisfied.
 */
#ifndef CEDAR_CEDAR_LINKS_H
#define CEDAR_CEDAR_LINKS_H

#include "cedar/cedar_policies.h"
#include "cedar/cedar_value.h"

struct cedar_link {
    struct str template_id;            /* "policy0" for what text begins with */
    struct str id;                     /* of the new policy */
    const struct cedar_uid *principal; /* NULL: the template has no such slot */
    const struct cedar_uid *resource;
};

/*
 * As cedar_policies_load(), with links behind the policies of the text; what
 * they point to is copied.  ERR_MALFORMED also for a link to what is no
 * template, a slot left open or not there, an id that is taken: then the
 * error names the link, and its offset is 0.
 */
MUST_CHECK enum err
cedar_links_load(struct str text, const struct cedar_link *links, size_t count,
                 struct cedar_errors *ret_errors, struct cedar_policies **ret);

/* Of a policy that is a link: true, and which template it is of. */
bool cedar_links_template(const struct cedar_policies *p, size_t index,
                          size_t *ret_template);

#endif
