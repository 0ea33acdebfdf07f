/* SPDX-License-Identifier: MIT */
/* What is known to be wrong with which libcurl, and what is done about it. One row each. */
#ifndef STOOK_CURL_QUIRKS_QUIRKS_H
#define STOOK_CURL_QUIRKS_QUIRKS_H

enum {
    STOOK__QUIRK_UNFIT = 1, /* cannot be worked around: the client is refused */
    STOOK__QUIRK_LOSES_TIMERS =
        2, /* forgets to ask for its next time out: ask it, ten times a second */
    STOOK__QUIRK_WAKES_FOR_EVER = 4,     /* announces an eventfd and never reads it: read it */
    STOOK__QUIRK_WEAK_HTTP_2 = 8,        /* HTTP/2 only for those who ask for it */
    STOOK__QUIRK_DROPS_DNS_ENTRIES = 32, /* names that never grow old are the first to go */
    STOOK__QUIRK_KEEPS_DIRECTORY = 16, /* does not let go of its default directory of authorities */
    STOOK__QUIRK_WAITS_WHEN_REFUSED =
        64, /* goes on to the next address when a timer is due: nudge it */
    STOOK__QUIRK_DROPS_LOOKUPS = 256, /* drops a look-up of which one family was enough: tell it */
    STOOK__QUIRK_WAITS_FOR_TLS_CLOSE =
        128, /* keeps a connection until its peer has ended TLS too: end it */
    STOOK__QUIRK_OBS_FOLD_INTO_FREED =
        512 /* takes a first field for the rest of one that was freed: look at it before */
};

/* Those of a libcurl, by its version number (0xMMmmpp) as it says at run time. */
unsigned stook__quirks_of(unsigned version);

#endif
