/* layers: trust */
/* Property: only the issuer that a document names is given its keys' URL, and
 * a URL that is taken is sent as one line to a host that is checked. */
#include <assert.h>
#include <stdint.h>

#include "base/limits.h"
#include "trust/discovery.h"
#include "trust/location.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_location(struct arena *a, struct str url)
{
    struct location at, again;
    const char *why = NULL;
    if (location_of(a, url, false, &at, &why) != ERR_OK)
        return;
    assert(at.host.len > 0 && at.port != 0);
    assert(at.tls || at.local);
    assert(at.target.len > 0 && at.target.ptr[0] == '/');
    for (size_t i = 0; i < at.target.len; i++)
        assert(at.target.ptr[i] > ' ' && at.target.ptr[i] < 127);
    enum err e = location_of(a, url, true, &again, &why);
    assert(e == ERR_OK && str_eq(at.target, again.target));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct str issuer = STR_INIT("https://i.example");
    struct str s = {(const char *)data, size};
    struct str uri;
    struct arena a;
    const char *why = NULL;
    if (size > DISCOVERY_MAX)
        return 0;
    arena_init(&a, 16 * MIB);
    check_location(&a, s);
    if (discovery_read(&a, s, issuer, &uri, &why) == ERR_OK) {
        check_location(&a, uri);
        enum err e =
            discovery_read(&a, s, STR("https://j.example"), &uri, &why);
        assert(e == ERR_MALFORMED);
    } else {
        assert(why != NULL);
    }
    arena_release(&a);
    return 0;
}
