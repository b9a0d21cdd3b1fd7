/*
 * page.h - one page of a list that is looked at in no order: the `limit`
 * smallest keys behind `after`.
 *
 *     GET ...?limit=100&after=<the last key of the page before>
 */
#ifndef ADMIN_PAGE_H
#define ADMIN_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { PAGE_LIMIT = 100, PAGE_LIMIT_MAX = 1000, PAGE_TWINS_MAX = 4 };

struct page_item {
    struct buf key, json;
};

struct page {
    struct str after; /* in the arena */
    size_t limit;
    struct page_item *items; /* in the arena; their bufs are not */
    size_t count;
    bool more; /* there are keys behind the last one */
};

/*
 * Reads `query`, in which also the parameters `others` may stand (n of them;
 * their values go to `to`, decoded, in the arena; empty when missing).
 * ERR_UNKNOWN_FIELD, ERR_MALFORMED: *ret_param is what is wrong.
 */
struct page_other {
    struct str name;
    struct str *to;
};
MUST_CHECK enum err page_init(struct page *p, struct arena *a, struct str query,
                              const struct page_other *others, size_t n,
                              struct str *ret_param);
void page_release(struct page *p);

/* True when an item with `key` has a place now; only then is it worth
 * writing. */
bool page_wants(struct page *p, struct str key);
/* Where its JSON goes; only after page_wants() said so. */
struct buf *page_add(struct page *p, struct str key);

/*
 * The same for what comes in order of its keys, of which up to PAGE_TWINS_MAX
 * may be equal: they stand on one page, which gets longer by them.  NULL: the
 * page is full, and there is more.
 */
struct buf *page_append(struct page *p, struct str key);

/* {"<name>":[...],"next":"<key>"}; `next` only where there is more. */
void page_write(const struct page *p, struct str name, struct buf *to);

#endif
