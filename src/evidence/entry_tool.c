/* entry_tool.c - see entry_tool.h. */
#include "evidence/entry_tool.h"

#include <assert.h>

#include "base/attr.h"
#include "evidence/entry_parts.h"

enum err entry_tool(struct buf *to, const struct evidence_head *h,
                    const struct evidence_tools *f)
{
    struct entry_writer entry UNINITIALIZED;
    struct jcs *w = &entry.jcs;

    assert(f->count <= ENTRY_TOOLS_MAX);
    entry_parts_begin(&entry, to);
    entry_parts_id(w, STR("catalog"), f->catalog.bytes, HASH_LEN);
    entry_parts_text(w, STR("event"), f->event);
    entry_parts_kind(w, STR("tool"));
    entry_parts_node(w, h);
    entry_parts_salt(w, h);
    jcs_name(w, STR("subject"));
    jcs_object(w);
    entry_parts_text(w, STR("id"), f->server);
    jcs_pair_word(w, STR("type"), STR("ToolServer"));
    jcs_end(w);
    entry_parts_time(w, h);
    jcs_name(w, STR("tools"));
    jcs_array(w);
    for (size_t i = 0; i < f->count; i++) {
        jcs_object(w);
        entry_parts_text(w, STR("name"), f->at[i].name);
        entry_parts_id(w, STR("offered"), f->at[i].offered.bytes, HASH_LEN);
        entry_parts_id(w, STR("pinned"), f->at[i].pinned.bytes, HASH_LEN);
        entry_parts_text(w, STR("state"), f->at[i].state);
        jcs_end(w);
    }
    jcs_end(w);
    entry_parts_v(w);
    return entry_parts_end(&entry);
}
