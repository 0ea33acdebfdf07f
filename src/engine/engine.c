/* SPDX-License-Identifier: MIT */
/* Setting up libcurl, and the engine as a whole; see engine.h. */
#include "engine/engine.h"

#include <pthread.h>

#include "engine/lane.h"
#include "engine/sockets.h"
#include "loop/loop.h"

static CURLcode global_status;

static void global_init(void)
{
    /* Counted inside libcurl. Never taken back: the program may be using libcurl too. */
    global_status = curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* What is needed is asked of the library that runs, not of the headers. */
static int check_libcurl(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, global_init);
    if (global_status != CURLE_OK)
        return STOOK_ENOMEM;
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    /* 7.85: the protocols as a string. Without a resolver of its own thread every look-up would
       block the loop. */
    if (info->version_num < 0x075500 || !(info->features & CURL_VERSION_ASYNCHDNS))
        return STOOK_EUNSUPPORTED;
    return 0;
}

int stook__engine_init(struct stook__engine *engine, struct stook__heap *heap)
{
    *engine = (struct stook__engine){.heap = heap};
    stook__list_init(&engine->finished);
    int error = check_libcurl();
    if (error != 0)
        return error;
    engine->lane = stook__lane_new(engine);
    return engine->lane != NULL ? 0 : STOOK_ENOMEM;
}

void stook__engine_open(struct stook__engine *engine, struct stook__loop *loop)
{
    engine->loop = loop;
}

void *stook__engine_news(struct stook__engine *engine)
{
    struct stook__link *first;
    if (stook__list_empty(&engine->finished))
        stook__lane_drain(engine->lane);
    while ((first = stook__list_pop(&engine->finished)) != NULL) {
        struct stook__slot *slot = STOOK__OF(struct stook__slot, link, first);
        if (slot->owner != NULL)
            return slot->owner;
        stook__slot_destroy(slot);
    }
    return NULL;
}

int stook__engine_work(struct stook__engine *engine)
{
    int again = stook__lane_work(engine->lane, stook__loop_now());
    stook__lane_drain(engine->lane);
    return again || !stook__list_empty(&engine->finished);
}

int64_t stook__engine_time(const struct stook__engine *engine)
{
    return stook__loop_cached(engine->loop);
}

int64_t stook__engine_alarm(const struct stook__engine *engine)
{
    return engine->lane->alarm;
}

void stook__engine_close(struct stook__engine *engine)
{
    if (engine->heap == NULL)
        return;
    stook__lane_free(engine->lane);
    engine->lane = NULL;
    stook__sockets_free(engine);
}
