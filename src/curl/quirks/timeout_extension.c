/* SPDX-License-Identifier: MIT */
/* Raises libcurl's connect timeout during a look-up; see timeout_extension.h. */
#include "curl/quirks/timeout_extension.h"

#include <limits.h>

#include "curl/easy_state.h"
#include "curl/engine_state.h"
#include "loop/loop.h"

static const int64_t LIBCURL_MS = 300000; /* libcurl's default, where no timeout is set */
static const int64_t EARLY_US = 50000; /* libcurl may run that long before it checks the timeout */

void stook__timeout_extension_begin(struct stook__easy *easy)
{
    struct stook__engine *engine = easy->engine;
    int64_t ms = easy->settings.connect_ms != 0 ? easy->settings.connect_ms : LIBCURL_MS;
    stook__timer_heap_set(&engine->timeout_extension, &easy->timeout_extension,
                          stook__loop_cached(engine->loop) + ms * 1000 - EARLY_US);
}

void stook__timeout_extension_end(struct stook__easy *easy)
{
    stook__timer_heap_clear(&easy->engine->timeout_extension, &easy->timeout_extension);
}

void stook__timeout_extension_renew(struct stook__engine *engine)
{
    struct stook__timer *first = stook__timer_heap_first(&engine->timeout_extension);
    int64_t now = first != NULL ? stook__loop_now() : 0;
    for (; first != NULL && first->due <= now;
         first = stook__timer_heap_first(&engine->timeout_extension)) {
        struct stook__easy *easy = STOOK__OF(struct stook__easy, timeout_extension, first);
        stook__timer_heap_clear(&engine->timeout_extension, first);
        easy->settings.connect_ms = INT_MAX;
        curl_easy_setopt(easy->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)INT_MAX);
    }
}
