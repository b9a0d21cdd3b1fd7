/* revision.c - see revision.h. */
#include "mcp/revision.h"

#include <assert.h>

#include "base/attr.h"

/* clang-format off */
enum {
    SINCE_2025_03_26 = REVISION_STREAMABLE_HTTP | REVISION_ANNOTATIONS |
                       REVISION_AUDIO | REVISION_PROGRESS_TEXT |
                       REVISION_COMPLETIONS,
    SINCE_2025_06_18 = REVISION_HEADER | REVISION_STRUCTURED_CONTENT |
                       REVISION_ELICITATION | REVISION_RESOURCE_LINKS |
                       REVISION_TITLES | REVISION_COMPLETION_CONTEXT,
    SINCE_2025_11_25 = REVISION_ELICITATION_URL | REVISION_SAMPLING_TOOLS |
                       REVISION_ICONS | REVISION_TASKS |
                       REVISION_POLLED_STREAMS,
};

static const struct {
    struct str name;
    unsigned traits;
} revisions[REVISION_COUNT] = {
    [REVISION_NONE] = {STR_INIT(""), 0},
    [REVISION_2024_11_05] = {STR_INIT("2024-11-05"), REVISION_BATCHES},
    [REVISION_2025_03_26] = {STR_INIT("2025-03-26"),
        REVISION_BATCHES | SINCE_2025_03_26},
    [REVISION_2025_06_18] = {STR_INIT("2025-06-18"),
        SINCE_2025_03_26 | SINCE_2025_06_18},
    [REVISION_2025_11_25] = {STR_INIT("2025-11-25"),
        SINCE_2025_03_26 | SINCE_2025_06_18 | SINCE_2025_11_25},
};
/* clang-format on */

struct str revision_name(enum revision r)
{
    assert((unsigned)r < REVISION_COUNT);
    return revisions[r].name;
}

enum revision revision_from(struct str name)
{
    for (unsigned r = REVISION_NONE + 1; r < REVISION_COUNT; r++) {
        if (str_eq(revisions[r].name, name))
            return (enum revision)r;
    }
    return REVISION_NONE;
}

bool revision_has(enum revision r, unsigned trait)
{
    assert((unsigned)r < REVISION_COUNT);
    return (revisions[r].traits & trait) != 0;
}

enum revision revision_offer(struct str asked)
{
    enum revision r = revision_from(asked);
    return r == REVISION_NONE ? REVISION_NEWEST : r;
}

enum revision revision_accept(struct str answered)
{
    return revision_from(answered);
}

enum revision revision_of_request(struct str header, enum revision agreed)
{
    if (header.len == 0)
        return agreed == REVISION_NONE ? REVISION_ASSUMED : agreed;
    enum revision r = revision_from(header);
    return agreed == REVISION_NONE || r == agreed ? r : REVISION_NONE;
}
