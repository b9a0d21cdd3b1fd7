/* confine.c - see confine.h. */
#include "os/confine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/attr.h"

static const struct {
    unsigned bit;
    const char *word;
} words[] = {
    {CONFINE_LANDLOCK, "landlock"}, {CONFINE_SECCOMP, "seccomp"},
    {CONFINE_PIDNS, "pidns"},       {CONFINE_MNTNS, "mntns"},
    {CONFINE_NETNS, "netns"},       {CONFINE_SCOPED, "scoped"},
    {CONFINE_PORTS, "ports"},
};

void confine_words(unsigned confined, char to[CONFINE_WORDS_MAX])
{
    size_t used = 0;
    (void)snprintf(to, CONFINE_WORDS_MAX, "none");
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if ((confined & words[i].bit) == 0)
            continue;
        int n = snprintf(to + used, CONFINE_WORDS_MAX - used, "%s%s",
                         used > 0 ? "+" : "", words[i].word);
        used += n > 0 ? (size_t)n : 0;
    }
}
