/* SPDX-License-Identifier: MIT */
/* Makes libcurl try the next address at once; see next_address.h. */
#include "curl/quirks/next_address.h"

#include "curl/easy_state.h"
#include "curl/engine_state.h"
#include "curl/quirks/quirks.h"

void stook__next_address_schedule(struct stook__easy *easy)
{
    struct stook__engine *engine = easy->engine;
    if ((engine->quirks & STOOK__QUIRK_WAITS_WHEN_REFUSED) &&
        stook__list_empty(&easy->next_address))
        stook__list_append(&engine->next_addresses, &easy->next_address);
}

void stook__next_address(struct stook__engine *engine)
{
    struct stook__link *link;
    while ((link = stook__list_pop(&engine->next_addresses)) != NULL) {
        struct stook__easy *easy = STOOK__OF(struct stook__easy, next_address, link);
        /* libcurl refuses both calls for a transfer that has ended, which does no harm. */
        curl_easy_pause(easy->curl, CURLPAUSE_RECV);
        curl_easy_pause(easy->curl, CURLPAUSE_CONT);
    }
}
