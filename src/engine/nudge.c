/* SPDX-License-Identifier: MIT */
/* On to the next address; see nudge.h. */
#include "engine/nudge.h"

#include "engine/quirks.h"

void stook__nudge_want(struct stook__slot *slot)
{
    struct stook__engine *engine = slot->engine;
    if ((engine->quirks & STOOK__QUIRK_WAITS_WHEN_REFUSED) && stook__list_empty(&slot->nudge))
        stook__list_append(&engine->nudges, &slot->nudge);
}

void stook__nudge(struct stook__engine *engine)
{
    struct stook__link *link;
    while ((link = stook__list_pop(&engine->nudges)) != NULL) {
        struct stook__slot *slot = STOOK__OF(struct stook__slot, nudge, link);
        /* One that has ended is refused by libcurl, which is harmless. */
        curl_easy_pause(slot->easy, CURLPAUSE_RECV);
        curl_easy_pause(slot->easy, CURLPAUSE_CONT);
    }
}
