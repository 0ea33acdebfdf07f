/* SPDX-License-Identifier: MIT */
/*
 * The faults of libcurl that stook works around, as one bit each. quirks.c says which versions have
 * which, and why. engine.c asks once, when a client is made; the bits do not change after that.
 *
 * A quirk whose handling is more than a condition has a file of its own in this folder. The file
 * may be short: it keeps the fault, its versions, its handling and its test together. Its functions
 * are called where the fault shows: when an easy handle is made, started or removed, in a callback,
 * at a look-up, or after an event. CONTRIBUTING.md has the file for each of these.
 */
#ifndef STOOK_CURL_QUIRKS_QUIRKS_H
#define STOOK_CURL_QUIRKS_QUIRKS_H

enum {
    /* No workaround exists: stook_client_new() returns STOOK_EUNSUPPORTED (engine.c).
       Test: unit/quirks.unfit_is_refused. */
    STOOK__QUIRK_UNFIT = 1,
    /* libcurl does not announce its next timeout. engine.c calls each multi handle that has a
       transfer ten times a second. Test: regress/multi.lost_timers. */
    STOOK__QUIRK_LOSES_TIMERS = 2,
    /* libcurl announces an eventfd and never reads it. socket.c reads it.
       Test: regress/multi.woken_for_ever. */
    STOOK__QUIRK_WAKES_FOR_EVER = 4,
    /* HTTP/2 stalls and spins. http/defaults.c allows it only for requests that demand it.
       Test: regress/options.weak_http_2. */
    STOOK__QUIRK_WEAK_HTTP_2 = 8,
    /* An easy handle cannot be kept from reading the default directory of authorities.
       http/easy_options.c leaves the directory in use. No test: the cost is time only. */
    STOOK__QUIRK_KEEPS_DIRECTORY = 16,
    /* A DNS cache timeout of -1 (never) empties the cache. easy_transfer.c leaves it at 60 s.
       Test: unit/quirks.rows, of the versions alone. */
    STOOK__QUIRK_DROPS_DNS_ENTRIES = 32,
    /* See next_address.h. */
    STOOK__QUIRK_WAITS_WHEN_REFUSED = 64,
    /* See tls_close.h. */
    STOOK__QUIRK_WAITS_FOR_TLS_CLOSE = 128,
    /* A connection to the first family of addresses cancels the look-up of the other, and neither
       is cached. See dropped_lookups.h. Test: regress/cached_addresses.cold_origin. */
    STOOK__QUIRK_DROPS_LOOKUPS = 256,
    /* See obs_fold.h. */
    STOOK__QUIRK_OBS_FOLD_INTO_FREED = 512
};

/* Returns the quirks of a libcurl, by its version number (0xMMmmpp) at run time. */
unsigned stook__quirks_of(unsigned version);

#endif
