/* index_groups.c - see index_groups.h. */
#include "cedar/index_groups.h"

#include <stdlib.h>

#include "cedar/leading.h"
#include "cedar/program.h"
#include "cedar/sort.h"

enum {
    MEMBERS_MIN = 8, /* a smaller group costs what it saves */
    BESIDE_MIN = 8,  /* so few are looked at as they are */
    GAIN_MIN = 4,    /* times fewer to be looked at */
    PROBES_MAX = 16, /* whatever the hashes: then a policy stays alone */
};

/* A question that a policy asks. */
struct choice {
    struct leading leading;
    uint32_t policy;
    uint32_t group; /* its group, if this is the one it was put into */
};

struct grouping {
    struct index *index;
    const struct cedar_policies *set;
    uint32_t *beside;
    PROGRAM_LIST(struct choice) choices; /* by policy */
    uint32_t *questions; /* by hash: choices that ask it, or nearly */
    uint32_t *answers;   /* by hash: those with this literal, too */
    uint32_t *slots;     /* by hash: a group plus 1, by its first choice */
    size_t mask;         /* of all three, which are as long */
    PROGRAM_LIST(size_t) groups; /* the first choice of each */
};

static size_t question_at(const struct grouping *g, const struct leading *l)
{
    return (l->question ^ l->question >> 29) & g->mask;
}

static size_t answer_at(const struct grouping *g, const struct leading *l)
{
    uint64_t both = (l->question ^ l->key) * 0x9E3779B97F4A7C15;
    return (both ^ both >> 32) & g->mask;
}

/* All questions that policies ask first, and how many ask each. */
static bool collect(struct grouping *g)
{
    struct leading found[LEADING_MAX];
    for (uint32_t i = 0; i < g->set->policies.count; i++) {
        size_t n =
            g->beside[i] <= BESIDE_MIN ? 0 : leading_find(g->set, i, found);
        for (size_t k = 0; k < n; k++) {
            if (!PROGRAM_ROOM(g->choices))
                return false;
            g->choices.at[g->choices.count++] =
                (struct choice){.leading = found[k], .policy = i};
            g->questions[question_at(g, &found[k])]++;
            g->answers[answer_at(g, &found[k])]++;
        }
    }
    return true;
}

/* How many policies are looked at when this one is, as a member. */
static uint32_t cost(const struct grouping *g, const struct leading *l)
{
    uint32_t asked = g->questions[question_at(g, l)];
    if (asked < MEMBERS_MIN)
        return UINT32_MAX;
    /* Patterns are tried one after the other, and of numbers a good part
     * holds: so much is that. */
    return l->kind == LEADING_ORDER || l->kind == LEADING_LIKE
               ? asked / GAIN_MIN
               : g->answers[answer_at(g, l)];
}

/* The group of a choice, an old one or a new one.  False: out of memory. */
static bool join(struct grouping *g, size_t choice)
{
    const struct choice *c = &g->choices.at[choice];
    size_t at = question_at(g, &c->leading);
    size_t probes = 0;
    for (; g->slots[at] > 0; at = (at + 1) & g->mask) {
        if (++probes > PROBES_MAX)
            return true;
        const struct choice *first =
            &g->choices.at[g->groups.at[g->slots[at] - 1]];
        if (leading_same(g->set, first->policy, &first->leading, c->policy,
                         &c->leading))
            break;
    }
    if (g->slots[at] == 0) {
        if (!PROGRAM_ROOM(g->groups))
            return false;
        g->groups.at[g->groups.count++] = choice;
        g->slots[at] = (uint32_t)g->groups.count;
    }
    g->choices.at[choice].group = g->slots[at];
    return true;
}

/* The choice of one policy, whose are those from `first` to before `end`,
 * that leaves fewest to be looked at. */
static size_t best_choice(const struct grouping *g, size_t first, size_t end,
                          uint32_t *ret_least)
{
    size_t best = first;
    *ret_least = UINT32_MAX;
    for (size_t i = first; i < end; i++) {
        uint32_t one = cost(g, &g->choices.at[i].leading);
        if (one < *ret_least) {
            *ret_least = one;
            best = i;
        }
    }
    return best;
}

/* Puts policies into groups where that saves enough. */
static bool choose(struct grouping *g)
{
    const struct choice *at = g->choices.at;
    size_t end;
    for (size_t i = 0; i < g->choices.count; i = end) {
        uint32_t least;
        for (end = i + 1; end < g->choices.count; end++)
            if (at[end].policy != at[i].policy)
                break;
        size_t best = best_choice(g, i, end, &least);
        if (least <= g->beside[at[i].policy] / GAIN_MIN && !join(g, best))
            return false;
    }
    return true;
}

/* The numbers of the groups that are large enough; others become 0. */
static bool count_members(struct grouping *g, uint32_t *sizes)
{
    for (size_t i = 0; i < g->choices.count; i++)
        sizes[g->choices.at[i].group]++;
    uint32_t kept = 0;
    for (size_t i = 1; i <= g->groups.count; i++)
        kept += sizes[i] >= MEMBERS_MIN;
    struct index_group *groups = calloc(kept + (size_t)1, sizeof(*groups));
    if (groups == NULL)
        return false;
    g->index->groups = groups;
    for (size_t i = 1; i <= g->groups.count; i++) {
        const struct choice *first = &g->choices.at[g->groups.at[i - 1]];
        uint32_t count = sizes[i];
        sizes[i] = 0;
        if (count < MEMBERS_MIN)
            continue;
        struct index_group one = {
            .policy = first->policy,
            .before = first->leading.before,
            .path_end = first->leading.path_end,
            .count = count,
            .kind = first->leading.kind,
            .op = first->leading.op,
        };
        while (((uint32_t)1 << one.members.bits) < count &&
               one.kind != LEADING_ORDER && one.kind != LEADING_LIKE)
            one.members.bits++;
        groups[g->index->group_count++] = one;
        sizes[i] = g->index->group_count;
    }
    sizes[0] = 0;
    return true;
}

static int order_numbers(const void *a, const void *b)
{
    const struct index_entry *left = a;
    const struct index_entry *right = b;
    int64_t x = (int64_t)left->key;
    int64_t y = (int64_t)right->key;
    return (x > y) - (x < y);
}

/* Numbers by size, so that those which hold lie together; all else by key. */
static void file_group(const struct index_group *g, struct index_entry *from)
{
    struct index_entry spare;
    if (g->kind == LEADING_ORDER)
        sort_array(from, g->count, sizeof(spare), order_numbers, &spare);
    index_file(&g->members, from, g->count);
}

/* Members to their groups, whose numbers are those of `kept`. */
static bool file_members(struct grouping *g, const uint32_t *kept)
{
    struct index *x = g->index;
    size_t members = 0;
    size_t buckets = 0;
    for (uint32_t i = 0; i < x->group_count; i++) {
        members += x->groups[i].count;
        buckets += ((size_t)1 << x->groups[i].members.bits) + 1;
    }
    x->members = calloc(members + 1, sizeof(*x->members));
    x->member_buckets = calloc(buckets + 1, sizeof(*x->member_buckets));
    struct index_entry *unsorted = calloc(members + 1, sizeof(*unsorted));
    uint32_t *ends = calloc(x->group_count + (size_t)1, sizeof(*ends));
    bool ok = x->members != NULL && x->member_buckets != NULL &&
              unsorted != NULL && ends != NULL;
    members = buckets = 0;
    for (uint32_t i = 0; ok && i < x->group_count; i++) {
        x->groups[i].members.entries = x->members + members;
        x->groups[i].members.buckets = x->member_buckets + buckets;
        ends[i] = (uint32_t)members;
        members += x->groups[i].count;
        buckets += ((size_t)1 << x->groups[i].members.bits) + 1;
    }
    for (size_t i = 0; ok && i < g->choices.count; i++) {
        const struct choice *c = &g->choices.at[i];
        if (kept[c->group] == 0)
            continue;
        g->beside[c->policy] = INDEX_GROUPED;
        unsorted[ends[kept[c->group] - 1]++] =
            (struct index_entry){c->leading.key, c->policy, c->leading.literal};
    }
    members = 0;
    for (uint32_t i = 0; ok && i < x->group_count; i++) {
        file_group(&x->groups[i], unsorted + members);
        members += x->groups[i].count;
    }
    free(unsorted);
    free(ends);
    return ok;
}

bool index_groups_build(struct index *x, const struct cedar_policies *set,
                        uint32_t *beside)
{
    struct grouping g = {.index = x, .set = set, .beside = beside};
    size_t room = 64;
    while (room < 2 * set->policies.count)
        room *= 2;
    g.mask = room - 1;
    g.questions = calloc(room, sizeof(*g.questions));
    g.answers = calloc(room, sizeof(*g.answers));
    g.slots = calloc(room, sizeof(*g.slots));
    bool ok = g.questions != NULL && g.answers != NULL && g.slots != NULL &&
              collect(&g) && choose(&g);
    if (ok && g.groups.count > 0) {
        uint32_t *sizes = calloc(g.groups.count + 1, sizeof(*sizes));
        ok = sizes != NULL && count_members(&g, sizes) &&
             file_members(&g, sizes);
        free(sizes);
    }
    free(g.questions);
    free(g.answers);
    free(g.slots);
    free(g.choices.at);
    free(g.groups.at);
    return ok;
}
