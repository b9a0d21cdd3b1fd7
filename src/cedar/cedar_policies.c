/* cedar_policies.c - policy sets; see cedar.h. */
#include <assert.h>
#include <stdlib.h>

#include "cedar/cedar.h"
#include "cedar/policies.h"

enum err cedar_policies_load(struct str text, struct cedar_errors *ret_errors,
                             struct cedar_policies **ret)
{
    if (ret_errors != NULL)
        ret_errors->count = 0;
    enum err e = policies_check_text(text, ret_errors);
    if (e != ERR_OK)
        return e;
    struct cedar_policies *set = policies_new(text.len);
    if (set == NULL)
        return ERR_NO_MEMORY;
    e = policies_parse(set, text, ret_errors);
    if (e == ERR_OK)
        e = policies_finish(set);
    if (e != ERR_OK) {
        cedar_policies_free(set);
        return e;
    }
    *ret = set;
    return ERR_OK;
}

void cedar_policies_free(struct cedar_policies *p)
{
    if (p == NULL)
        return;
    index_release(&p->index);
    free(p->policies.at);
    free(p->conditions.at);
    free(p->annotations.at);
    free(p->nodes.at);
    free(p->starts.at);
    free(p->offsets.at);
    arena_release(&p->arena);
    free(p);
}

size_t cedar_policies_count(const struct cedar_policies *p)
{
    return p->policies.count;
}

size_t cedar_policies_templates(const struct cedar_policies *p)
{
    return p->template_count;
}

struct cedar_policy_view cedar_policies_at(const struct cedar_policies *p,
                                           size_t index)
{
    assert(index < p->policies.count);
    const struct program_policy *policy = &p->policies.at[index];
    return (struct cedar_policy_view){
        .id = policy->id,
        .text = {p->text.ptr + policy->begin, policy->end - policy->begin},
        .effect = policy->is_permit ? CEDAR_PERMIT : CEDAR_FORBID,
        .is_template = policy->is_template,
        .offset = policy->begin,
        .line = policy->line,
    };
}

bool cedar_policies_annotation(const struct cedar_policies *p, size_t index,
                               size_t nth, struct str *ret_key,
                               struct str *ret_value)
{
    assert(index < p->policies.count);
    const struct program_policy *policy = &p->policies.at[index];
    if (nth >= policy->annotation_count)
        return false;
    const struct program_annotation *a =
        &p->annotations.at[policy->annotation + nth];
    *ret_key = a->key;
    *ret_value = a->value;
    return true;
}

void cedar_policies_locate(const struct cedar_policies *p, size_t offset,
                           uint32_t *ret_line, uint32_t *ret_column)
{
    errors_locate(p->text, offset, ret_line, ret_column);
}
