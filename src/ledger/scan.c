/* scan.c - see scan.h. */
#include "ledger/scan.h"

#include <string.h>
#include <sys/stat.h>

#include "ledger/tear.h"

/* What reading one frame found. */
enum found {
    FOUND_FRAME = 0,
    FOUND_NO_HEAD,
    FOUND_BAD_BODY,
    FOUND_OUT_OF_PLACE, /* good in itself, and wrong here */
};

void scan_init(struct scan *s, int fd)
{
    *s = (struct scan){0};
    window_init(&s->window, fd);
}

void scan_release(struct scan *s)
{
    window_release(&s->window);
    intents_release(&s->open);
}

static enum err corrupt(const struct scan *s, struct segment_trouble *trouble,
                        const char *what)
{
    trouble->offset = s->end;
    trouble->index = s->tree.size;
    trouble->what = what;
    return ERR_CORRUPT;
}

enum err scan_header(struct scan *s, uint64_t first_index,
                     struct segment_trouble *trouble)
{
    const char *what = "";
    enum err e =
        segment_get_header(&s->window, &s->header, &s->tree, &s->open, &what);
    if (e == ERR_OK && s->header.first_index != first_index) {
        what = "the name of the file is not that of its first entry";
        e = ERR_CORRUPT;
    }
    if (e != ERR_OK) {
        trouble->offset = 0;
        trouble->index = first_index;
        trouble->what = what;
        return e;
    }
    s->end = s->durable = s->header.len;
    s->wall_us = s->header.created_us;
    return ERR_OK;
}

static bool hash_matches(const struct hash *a, const struct hash *b)
{
    return memcmp(a->bytes, b->bytes, HASH_LEN) == 0;
}

/* The tree after the frame's records, when they are what the head says. */
static bool hash_records(const struct commit_head *head, struct str records,
                         struct tree *t)
{
    uint32_t n = 0;
    struct str entry;
    while (n < head->count && commit_next_record(&records, &entry)) {
        struct hash leaf = tree_leaf(entry);
        tree_add(t, &leaf);
        n++;
    }
    struct hash root = tree_root(t);
    return n == head->count && records.len == 0 &&
           hash_matches(&root, &head->root);
}

static enum err apply_notes(struct scan *s, const struct commit_head *head,
                            const struct commit_notes *notes,
                            enum found *ret_found)
{
    *ret_found = FOUND_OUT_OF_PLACE;
    for (uint32_t i = 0; i < head->count; i++) {
        if (!commit_opens(notes, i))
            continue;
        enum err e =
            intents_add(&s->open, head->first_index + i, INTENTS_ORPHAN);
        if (e == ERR_NO_MEMORY)
            return e;
        if (e != ERR_OK)
            return ERR_OK;
    }
    for (size_t i = 0; i < commit_closes_count(notes); i++) {
        if (!intents_remove(&s->open, commit_closes_at(notes, i)))
            return ERR_OK;
    }
    *ret_found = FOUND_FRAME;
    return ERR_OK;
}

static enum err take_entries(struct scan *s, const struct commit_head *head,
                             const char *body, enum found *ret_found)
{
    *ret_found = FOUND_BAD_BODY;
    struct commit_notes notes;
    if (!commit_get_notes((struct str){body, head->notes_len}, head->count,
                          &notes))
        return ERR_OK;
    struct tree after = s->tree;
    if (!hash_records(head,
                      (struct str){body + head->notes_len, head->records_len},
                      &after))
        return ERR_OK;
    s->tree = after;
    return apply_notes(s, head, &notes, ret_found);
}

static bool same_open(const struct intents *a, const struct intents *b)
{
    if (a->count != b->count)
        return false;
    struct intent it;
    for (size_t at = 0; intents_next(a, &at, &it);) {
        if (!intents_has(b, it.index))
            return false;
    }
    return true;
}

/* A seal repeats the state that we have come to. */
static enum err take_seal(struct scan *s, const struct commit_head *head,
                          const char *body, enum found *ret_found)
{
    struct tree t;
    struct intents open = {0};
    enum err e =
        segment_get_seal(head, s->end, (struct str){body, head->notes_len}, &t,
                         &open);
    bool same =
        e == ERR_OK && tree_equal(&t, &s->tree) && same_open(&open, &s->open);
    intents_release(&open);
    if (e != ERR_OK && e != ERR_CORRUPT)
        return e;
    *ret_found = same ? FOUND_FRAME : FOUND_OUT_OF_PLACE;
    s->sealed = same;
    return ERR_OK;
}

/* Everything that a good head promises, except what follows it. */
static bool in_place(const struct scan *s, const struct commit_head *head)
{
    return head->first_index == s->tree.size && head->durable >= s->durable &&
           head->durable <= s->end;
}

/* Reads the frame at s->end; on FOUND_FRAME the scan has moved behind it. */
static enum err take_frame(struct scan *s, struct scan_frame *f,
                           enum found *ret_found)
{
    const struct commit_head *head = &f->head;
    const char *at;
    *ret_found = FOUND_NO_HEAD;
    enum err e = window_get(&s->window, s->end, COMMIT_HEAD_LEN, &at);
    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    if (!commit_get_head(at, &f->head))
        return ERR_OK;
    *ret_found = FOUND_OUT_OF_PLACE;
    if (!in_place(s, head))
        return ERR_OK;

    *ret_found = FOUND_BAD_BODY;
    size_t body = (size_t)head->notes_len + head->records_len;
    e = window_get(&s->window, s->end + COMMIT_HEAD_LEN, body, &at);
    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    const struct str notes = {at, head->notes_len};
    struct hash check = hash_sha256(&notes, 1);
    if (!hash_matches(&check, &head->notes_hash))
        return ERR_OK;
    f->records = (struct str){at + head->notes_len, head->records_len};
    e = (head->flags & COMMIT_SEAL) != 0 ? take_seal(s, head, at, ret_found)
                                         : take_entries(s, head, at, ret_found);
    if (e == ERR_OK && *ret_found == FOUND_FRAME) {
        s->end += commit_len(head);
        s->durable = head->durable;
        s->wall_us = head->wall_us;
        s->torn_bytes = 0;
        s->frames++;
    }
    return e;
}

/* Behind a seal there is nothing; zeros when the cut was lost in a crash. */
static enum err check_sealed_end(struct scan *s, bool last,
                                 struct segment_trouble *trouble)
{
    struct stat st;
    if (fstat(s->window.fd, &st) != 0)
        return ERR_IO;
    if ((uint64_t)st.st_size == s->end)
        return ERR_OK;
    struct tear tear = {0};
    enum err e = tear_judge(&s->window, s->end, NULL, &tear);
    if (e != ERR_OK && e != ERR_CORRUPT)
        return e;
    if (!last || tear.bytes > 0)
        return corrupt(s, trouble, "something stands behind the seal");
    return ERR_OK;
}

/*
 * The end of the frames, or an interruption.  Somebody may be writing while
 * we read: what looks damaged is looked at twice.
 */
static enum err check_open_end(struct scan *s, enum found found,
                               struct scan_frame *f,
                               struct segment_trouble *trouble)
{
    if (found == FOUND_OUT_OF_PLACE)
        return corrupt(s, trouble, "a frame that does not belong here");
    struct tear tear = {0};
    enum err e = tear_judge(&s->window, s->end,
                            found == FOUND_BAD_BODY ? &f->head : NULL, &tear);
    if (e == ERR_OK) {
        s->torn_bytes = tear.bytes;
        return ERR_NOT_FOUND;
    }
    if (e != ERR_CORRUPT)
        return e;
    window_forget(&s->window);
    enum found again;
    e = take_frame(s, f, &again);
    if (e == ERR_OK && again != FOUND_FRAME)
        e = corrupt(s, trouble, tear.what);
    return e;
}

enum err scan_next(struct scan *s, bool last, struct scan_frame *ret,
                   struct segment_trouble *trouble)
{
    if (s->sealed) {
        enum err e = check_sealed_end(s, last, trouble);
        return e == ERR_OK ? ERR_NOT_FOUND : e;
    }
    enum found found;
    enum err e = take_frame(s, ret, &found);
    if (e != ERR_OK || found == FOUND_FRAME)
        return e;
    if (!last)
        return corrupt(s, trouble,
                       found == FOUND_NO_HEAD
                           ? "no frame and no seal, yet a segment follows"
                           : "a damaged frame");
    return check_open_end(s, found, ret, trouble);
}

enum err scan_frames(struct scan *s, bool last, struct segment_trouble *trouble)
{
    struct scan_frame f;
    enum err e;
    do {
        e = scan_next(s, last, &f, trouble);
    } while (e == ERR_OK);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}
