/* SPDX-License-Identifier: MIT */
/* The table of quirks: which versions have which, and why. See quirks.h; test: unit/quirks.rows. */
#include "curl/quirks/quirks.h"

#include <stddef.h>

#define NEWEST 0xffffffu

static const struct {
    unsigned from, to; /* the first and the last version that has it, 0xMMmmpp */
    unsigned quirk;
    const char *reason;
} rows[] = {
    {0, 0x0754ff, STOOK__QUIRK_UNFIT, "7.85 is the first with CURLOPT_PROTOCOLS_STR"},
    {0x080900, 0x080900, STOOK__QUIRK_UNFIT,
     "the socket callback never gets CURL_POLL_REMOVE: curl issue 14280"},
    {0x080a00, 0x080b00, STOOK__QUIRK_LOSES_TIMERS,
     "the timer callback is not called again: curl commit 4cded6deac"},
    {0x080f00, 0x081200, STOOK__QUIRK_LOSES_TIMERS,
     "a timeout is stale after the removal of a handle: curl commit 2d4efbb9b3"},
    {0x081400, 0x081400, STOOK__QUIRK_WAKES_FOR_EVER,
     "an eventfd is announced and not read: curl issue 21643"},
    {0, 0x0803ff, STOOK__QUIRK_WAITS_WHEN_REFUSED,
     "no socket is opened for the next address before a timer is due: curl issue 11920"},
    {0x080900, NEWEST, STOOK__QUIRK_WAITS_FOR_TLS_CLOSE,
     "no timeout for a peer that sends no close_notify: curl commit 820c014578; 8.23 has none"},
    {0, 0x0800ff, STOOK__QUIRK_WEAK_HTTP_2,
     "uploads spin, paused streams stall: curl issues 10618, 10988"},
    {0, 0x0800ff, STOOK__QUIRK_OBS_FOLD_INTO_FREED,
     "a used handle keeps a pointer to a freed header field: curl issue 11101"},
    {0x080100, 0x081000, STOOK__QUIRK_DROPS_DNS_ENTRIES,
     "a DNS_CACHE_TIMEOUT of -1 empties the cache; 8.16 refuses it: curl issue 18959"},
    {0x081600, NEWEST, STOOK__QUIRK_DROPS_LOOKUPS,
     "the first family of addresses cancels the other look-up, and neither is cached"},
    {0x081500, NEWEST, STOOK__QUIRK_KEEPS_DIRECTORY,
     "CURLOPT_CAPATH set to NULL means the default directory"},
};

unsigned stook__quirks_of(unsigned version)
{
    unsigned quirks = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (version >= rows[i].from && version <= rows[i].to)
            quirks |= rows[i].quirk;
    return quirks;
}
