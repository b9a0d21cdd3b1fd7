/* entry_approval.c - see entry_approval.h; members in ascending order. */
#include "evidence/entry_approval.h"

#include "base/text.h"
#include "evidence/entry_parts.h"

static void add_time(struct jcs *w, struct str name, int64_t us)
{
    char text[TEXT_TIME_LEN];

    if (us == 0)
        return;
    text_time(us, text);
    jcs_pair_word(w, name, (struct str){text, sizeof(text)});
}

void entry_approval_used(struct jcs *w, const struct evidence_approval *a)
{
    if (a == NULL)
        return;
    jcs_name(w, STR("approval"));
    jcs_object(w);
    add_time(w, STR("at"), a->at_us);
    jcs_name(w, STR("by"));
    jcs_array(w);
    for (unsigned i = 0; i < a->by_count; i++)
        entry_parts_item(w, a->by[i]);
    jcs_end(w);
    jcs_name(w, STR("id"));
    jcs_hex(w, a->id, sizeof(a->id));
    jcs_end(w);
}

static void add_groups(struct jcs *w, const struct evidence_ticket *f)
{
    if (f->group_count == 0)
        return;
    jcs_name(w, STR("groups"));
    jcs_array(w);
    for (size_t i = 0; i < f->group_count; i++)
        entry_parts_item(w, f->groups[i]);
    jcs_end(w);
}

static void add_needs(struct jcs *w, const struct evidence_ticket *f)
{
    if (f->need_count == 0)
        return;
    jcs_name(w, STR("needs"));
    jcs_array(w);
    for (unsigned i = 0; i < f->need_count; i++) {
        jcs_object(w);
        entry_parts_text(w, STR("group"), f->needs[i].group);
        entry_parts_text(w, STR("policy"), f->needs[i].policy);
        jcs_end(w);
    }
    jcs_end(w);
}

/* approval {digest, ends, groups, id, needs} */
static void add_ticket(struct jcs *w, const struct evidence_ticket *f)
{
    jcs_name(w, STR("approval"));
    jcs_object(w);
    if (f->digest != NULL) {
        jcs_name(w, STR("digest"));
        jcs_hex(w, f->digest->bytes, sizeof(f->digest->bytes));
    }
    add_time(w, STR("ends"), f->ends_us);
    add_groups(w, f);
    jcs_name(w, STR("id"));
    jcs_hex(w, f->ticket, sizeof(f->ticket));
    add_needs(w, f);
    jcs_end(w);
}

enum err entry_approval(struct buf *to, const struct evidence_head *h,
                        const struct evidence_ticket *f)
{
    struct entry_writer entry UNINITIALIZED;
    struct jcs *w = &entry.jcs;
    entry_parts_begin(&entry, to);
    entry_parts_text(w, STR("action"), f->action);
    add_ticket(w, f);
    entry_parts_author(w, f->author, f->author_method);
    entry_parts_chain(w, f->chain);
    entry_parts_text(w, STR("detail"), f->detail);
    entry_parts_text(w, STR("event"), f->event);
    entry_parts_id(w, STR("id"), f->id, sizeof(f->id));
    entry_parts_kind(w, STR("approval"));
    entry_parts_node(w, h);
    entry_parts_resource(w, f->resource_type, f->resource);
    entry_parts_salt(w, h);
    entry_parts_text(w, STR("tenant"), f->tenant);
    entry_parts_time(w, h);
    entry_parts_v(w);
    return entry_parts_end(&entry);
}
