/*
 * cedar_policy_json.h - policies in JSON, as the Rust implementation of Cedar
 * writes them ("EST"); a part of cedar.h.
 *
 * A document is one policy or template, {"effect": ...}, or a set of them:
 * {"staticPolicies": {id: policy}, "templates": {id: template},
 *  "templateLinks": [{"templateId", "newId", "values": {"?principal": uid}}]}.
 * Members that there are not are refused, wherever they stand.
 */
#ifndef CEDAR_CEDAR_POLICY_JSON_H
#define CEDAR_CEDAR_POLICY_JSON_H

#include "base/buf.h"
#include "cedar/cedar_policies.h"

/*
 * As cedar_policies_load().  The id of a policy that stands alone is
 * "policy0".  In a set, static policies come first, then templates, then
 * links.  The text of the policies, and with it the places of later findings
 * about them, is text made of the document; errors of loading are located in
 * the document and name the JSON pointer of what is wrong (RFC 6901).
 */
MUST_CHECK enum err cedar_policy_json_load(struct str json,
                                           struct cedar_errors *ret_errors,
                                           struct cedar_policies **ret);

/*
 * Appends one policy or template (a link as what it stands for), or the whole
 * set.  Loading it again gives the same set, if it does not nest deeper than
 * JSON_LARGE_DEPTH_MAX.  ERR_NO_MEMORY; ERR_LIMIT: `to` is full.
 */
MUST_CHECK enum err cedar_policy_json_write(const struct cedar_policies *p,
                                            size_t index, struct buf *to);
MUST_CHECK enum err cedar_policy_json_write_set(const struct cedar_policies *p,
                                                struct buf *to);

/* The same as policy text, one condition a line; see cedar_format.h for more
 * beauty.  Loading it gives the same trees. */
MUST_CHECK enum err cedar_policy_json_text(const struct cedar_policies *p,
                                           size_t index, struct buf *to);

#endif
