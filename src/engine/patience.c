/* SPDX-License-Identifier: MIT */
/* libcurl's own clock for connecting; see patience.h. */
#include "engine/patience.h"

#include <limits.h>

#include "loop/loop.h"

static const int64_t LIBCURL_MS = 300000; /* its own, where none is set */
static const int64_t EARLY_US = 50000;    /* as long as libcurl may take over what it is told */

void stook__patience_begin(struct stook__slot *slot)
{
    struct stook__engine *engine = slot->engine;
    int64_t ms = slot->kit.connect_ms != 0 ? slot->kit.connect_ms : LIBCURL_MS;
    stook__clock_set(&engine->patience, &slot->patience, stook__engine_time(engine) + ms * 1000 - EARLY_US);
}

void stook__patience_end(struct stook__slot *slot)
{
    stook__clock_clear(&slot->engine->patience, &slot->patience);
}

void stook__patience_renew(struct stook__engine *engine)
{
    struct stook__timer *first = stook__clock_first(&engine->patience);
    int64_t now = first != NULL ? stook__loop_now() : 0;
    for (; first != NULL && first->due <= now; first = stook__clock_first(&engine->patience)) {
        struct stook__slot *slot = STOOK__OF(struct stook__slot, patience, first);
        stook__clock_clear(&engine->patience, first);
        slot->kit.connect_ms = INT_MAX;
        curl_easy_setopt(slot->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)INT_MAX);
    }
}
