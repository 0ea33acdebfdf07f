/* SPDX-License-Identifier: MIT */
/* Many names that hang. */
#include "regress/dns.h"

/* A name after many that hang: it is resolved when the requests for the hanging ones have ended. */
TEST_BOTH(behind_many_that_hang)
{
    enum { HUNG = 400 };
    struct raw_server *server = begin(life, 1500);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < HUNG; i++)
        CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(text("http://hung%d.test:%d/", i, raw_port(server)),
                                                          .attempt_timeout_ms = 1300)), 0);
    add(batch, text("http://good.test:%d/ok", raw_port(server)));
    life_gather(life, batch, &STOOK_GATHER(.limit = STOOK_NONE));
    test_note("%s", stook_result_message(stook_batch_result_by_index(batch, HUNG)));
    CHECK_EQ_INT(stook_result_ok(stook_batch_result_by_index(batch, HUNG)), 1);
    stook_batch_free(batch);
}
