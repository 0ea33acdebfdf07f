/* SPDX-License-Identifier: MIT */
/* What is known to be wrong with which libcurl; see quirks.h. The tests are in tests/unit/quirks.c. */
#include "curl/quirks/quirks.h"

#include <stddef.h>

#define NEWEST 0xffffffu

static const struct {
    unsigned from, to; /* versions, both included */
    unsigned quirk;
    const char *reason;
} rows[] = {
    {0, 0x0754ff, STOOK__QUIRK_UNFIT, "7.85 brings the options that name protocols by text"},
    {0x080900, 0x080900, STOOK__QUIRK_UNFIT,
     "sockets are never taken off the loop: curl issue 14280"},
    {0x080a00, 0x080b00, STOOK__QUIRK_LOSES_TIMERS,
     "the timer callback is not called again: curl commit 4cded6deac"},
    {0x080f00, 0x081200, STOOK__QUIRK_LOSES_TIMERS,
     "a time out stays stale after a removal: curl commit 2d4efbb9b3"},
    {0x081400, 0x081400, STOOK__QUIRK_WAKES_FOR_EVER,
     "an eventfd is announced and not read: curl issue 21643"},
    {0, 0x0803ff, STOOK__QUIRK_WAITS_WHEN_REFUSED,
     "no socket is opened for the next address: curl issue 11920"},
    {0x080900, NEWEST, STOOK__QUIRK_WAITS_FOR_TLS_CLOSE,
     "no clock for a peer that is silent: curl commit 820c014578; not in 8.23 either"},
    {0, 0x0800ff, STOOK__QUIRK_WEAK_HTTP_2,
     "uploads spin, paused streams stall: curl issues 10618, 10988"},
    {0, 0x0800ff, STOOK__QUIRK_OBS_FOLD_INTO_FREED,
     "a used handle remembers a field that is gone: curl issue 11101"},
    {0x080100, 0x081000, STOOK__QUIRK_DROPS_DNS_ENTRIES,
     "a DNS_CACHE_TIMEOUT of -1 empties the cache; 8.16 refuses it: curl issue 18959"},
    {0x081600, NEWEST, STOOK__QUIRK_DROPS_LOOKUPS,
     "connects with one family of addresses, and knows neither then"},
    {0x081500, NEWEST, STOOK__QUIRK_KEEPS_DIRECTORY,
     "CAPATH set to NULL is the default directory again"},
};

unsigned stook__quirks_of(unsigned version)
{
    unsigned quirks = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (version >= rows[i].from && version <= rows[i].to)
            quirks |= rows[i].quirk;
    return quirks;
}
