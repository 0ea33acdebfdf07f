/* SPDX-License-Identifier: MIT */
/* A trap that is open: many addresses. */
#include "trap/names.h"

TEST_BOTH(sixty_four_refuse)
{
    struct raw_server *server = begin(life, 0);
    size_t fds = test_count_fds();
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 5; i++)
        add(batch, text("http://many.test:%d/", raw_port(server)));
    int64_t began = now_ms();
    CHECK_EQ_INT(life_gather(life, batch, NULL), 5);
    CHECK(now_ms() - began < 5000);
    for (size_t i = 0; i < 5; i++)
        CHECK_ERROR(stook_result_error(stook_batch_result(batch, i)), STOOK_ECONNECT);
    stook_batch_free(batch);
    CHECK(test_count_fds() <= fds + 2);
}

/* The tenth of ten addresses answers; its connection is looked after while idle like any other. */
TEST_BOTH(tenth_address)
{
    struct raw_server *server = begin(life, 0);
    for (int round = 0; round < 2; round++) {
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < 8; i++)
            CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(text("http://tenth.test:%d/%s", raw_port(server), round ? "echo" : "rst-after"),
                                                              .method = round ? "POST" : NULL)), 0);
        CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
        stook_batch_free(batch);
        if (round == 0)
            raw_wait(server, "/gone", 8);
    }
    CHECK_EQ_INT(raw_seen(server, "/echo"), 8);
}
