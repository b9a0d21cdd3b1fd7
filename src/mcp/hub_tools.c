/*
 * hub_tools.c - what the server of a link offers, and who waits to know it.
 *
 * A call of a tool waits here, too, where the link is not the one whose tools
 * its caller was told: it goes out only if they are the same.
 */
#include "base/container.h"
#include "mcp/hub_link.h"
#include "os/loop.h"

void hub_tools_forget(struct hub_link *l)
{
    if (l->offer == NULL)
        return;
    hub_net_know(l->hub->net, hub_link_key(l), NULL);
    hub_offer_unref(l->offer);
    l->offer = NULL;
}

void hub_tools_stop(struct hub_link *l)
{
    hub_pages_free(l->listing.pages);
    l->listing = (struct hub_listing){.pages = NULL};
}

bool hub_tools_needed(const struct hub_link *l, const struct hub_far *f)
{
    return f->kind == HUB_OPEN || (f->method == METHOD_TOOLS_CALL &&
                                   (l->about->has & METHOD_HAS_TOOLS) != 0);
}

void hub_tools_changed(struct hub_link *l)
{
    hub_tools_forget(l);
    l->listing.is_stale = l->listing.pages != NULL;
}

static void call_tool(struct hub_link *l, struct hub_far *f,
                      const struct hub_offer *o)
{
    if (f->has_tools && memcmp(&f->tools, hub_offer_digest(o), HASH_LEN) == 0)
        hub_link_send(l, f);
    else
        hub_far_fail(f, ERR_CONFLICT, false,
                     STR("the server does not offer the tools that this call "
                         "was decided on"));
}

/* Those who waited for the server's tools. */
static void tell_offer(struct hub_link *l, struct hub_offer *o)
{
    LIST_EACH(it, next_it, &l->waiting)
    {
        struct hub_far *f = CONTAINER_OF(it, struct hub_far, node);
        if (f->kind == HUB_OPEN) {
            l->has_told = true;
            l->told = *hub_offer_digest(o);
            hub_far_opened(f, o);
        } else if (hub_tools_needed(l, f)) {
            call_tool(l, f, o);
        }
    }
}

static void fail_listing(struct hub_link *l, enum err e, struct str why)
{
    LIST_EACH(it, next_it, &l->waiting)
    {
        struct hub_far *f = CONTAINER_OF(it, struct hub_far, node);
        if (hub_tools_needed(l, f))
            hub_far_fail(f, e, false, why);
    }
    hub_tools_stop(l); /* the last, since `why` may be its */
}

static void take_offer(struct hub_link *l, struct hub_offer *o)
{
    bool is_stale = l->listing.is_stale;
    hub_tools_stop(l);
    hub_tools_forget(l);
    l->worked = true;
    if (!is_stale) {
        l->offer = hub_offer_ref(o);
        hub_net_know(l->hub->net, hub_link_key(l), o);
        l->has_told = true; /* by hub_known() */
        l->told = *hub_offer_digest(o);
    }
    tell_offer(l, o);
    hub_offer_unref(o);
}

static void ask_page(struct hub_link *l, struct str params);

static void on_page(struct link_call *c, const struct message *response)
{
    struct hub_link *l = CONTAINER_OF(c, struct hub_link, listing.call);
    struct hub_pages *pages = l->listing.pages;
    struct hub_offer *o = NULL;
    struct buf cursor;
    struct str why = {NULL, 0};
    enum err e = ERR_UPSTREAM;

    buf_init(&cursor, MIB);
    if (response->kind == MESSAGE_RESULT)
        e = hub_pages_add(pages, response->result, &cursor, &why);
    else
        why = response->error.text;
    if (e == ERR_OK && cursor.len > 0) {
        ask_page(l, buf_str(&cursor));
        buf_release(&cursor);
        return;
    }
    buf_release(&cursor);
    if (e == ERR_OK) {
        l->listing.pages = NULL; /* taken */
        e = hub_pages_end(pages, &o);
        why = STR("two tools have one name, or there are too many");
    }
    if (e == ERR_OK)
        take_offer(l, o);
    else
        fail_listing(l, e == ERR_NO_MEMORY ? e : ERR_UPSTREAM, why);
}

static void on_page_failed(struct link_call *c, enum err why, bool sent)
{
    struct hub_link *l = CONTAINER_OF(c, struct hub_link, listing.call);
    (void)sent;
    l->dropped = l->dropped || why == ERR_NOT_FOUND;
    if (l->dropped || !link_is_open(l->link))
        hub_tools_stop(l); /* they wait for the link's own last word */
    else
        fail_listing(l, why, STR("it does not list its tools"));
}

static void on_page_notice(struct link_call *c, enum method m,
                           const struct message *msg)
{
    hub_link_notice(CONTAINER_OF(c, struct hub_link, listing.call), m, msg);
}

static void on_page_asked(struct link_call *c, enum method m,
                          const struct message *msg)
{
    (void)m;
    link_answer(c->link, msg->id, true,
                STR("{\"code\":-32603,\"message\":"
                    "\"nobody is there to answer\"}"));
}

static void ask_page(struct hub_link *l, struct str params)
{
    static const struct link_call_events events = {
        .notice = on_page_notice,
        .asked = on_page_asked,
        .answered = on_page,
        .failed = on_page_failed,
    };
    enum err e = link_send(l->link, &l->listing.call, hub_number(l->hub),
                           METHOD_TOOLS_LIST, params, &events);
    if (e != ERR_OK)
        fail_listing(l, e, STR(""));
}

/* Somebody knows what is known here, and it is not enough. */
static bool is_worn(const struct hub_link *l)
{
    LIST_EACH(it, next_it, &l->waiting)
    {
        const struct hub_far *f = CONTAINER_OF(it, struct hub_far, node);
        if (f->kind == HUB_OPEN && f->knew && l->offer != NULL &&
            memcmp(&f->tools, hub_offer_digest(l->offer), HASH_LEN) == 0)
            return true;
    }
    return false;
}

/* Somebody needs to know the tools. */
void hub_tools_list(struct hub_link *l)
{
    if (is_worn(l))
        hub_tools_forget(l);
    if (l->offer != NULL) {
        tell_offer(l, l->offer);
        return;
    }
    if (l->listing.pages != NULL)
        return; /* on its way */
    if ((l->about->has & METHOD_HAS_TOOLS) == 0) {
        take_offer(l, hub_offer_ref(l->about));
        return;
    }
    l->listing.pages = hub_pages_new(l->about, loop_now_ms(l->hub->loop));
    if (l->listing.pages == NULL) {
        fail_listing(l, ERR_NO_MEMORY, STR(""));
        return;
    }
    hub_pages_share(l->listing.pages, hub_net_lists(l->hub->net),
                    l->server->name);
    ask_page(l, STR("{}"));
}
