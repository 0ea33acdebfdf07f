/* SPDX-License-Identifier: MIT */
/* The list of streams with work, which libcurl's callbacks fill. */
#include <stook.h>

#include "support/harness.h"
#include "http/attempt_state.h"
#include "http/stream.h"

/* An attempt whose end is on its way, behind more news than a turn reads, is not served any more. */
TEST(ended_are_passed_over)
{
    struct stook__attempt attempts[4] = {{.error = STOOK_ECALLBACK}, {.error = 0}, {.error = STOOK_ECANCELLED}, {.error = 0}};
    struct stook__stream streams[4] = {0};
    struct stook__link list;
    stook__list_init(&list);
    for (size_t i = 0; i < 4; i++) {
        streams[i].attempt = &attempts[i];
        stook__list_init(&streams[i].ready_owners);
        stook__list_append(&list, &streams[i].ready_owners);
    }
    CHECK(stook__stream_next(&list) == &attempts[1]);
    CHECK(stook__stream_next(&list) == &attempts[3]);
    CHECK(stook__stream_next(&list) == NULL);
}
