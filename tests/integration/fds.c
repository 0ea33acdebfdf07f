/* SPDX-License-Identifier: MIT */
/* No descriptors are left: calls and requests fail with an error that says so, and work again when there are some. */
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stook.h>

#include "support/life.h"
#include "support/descriptors.h"
#include "support/raw_server.h"

enum { SOME = 40 };

/* All of them ask at once, and are answered late enough to be in flight together if they may. */
static size_t gather_some(struct life *life, struct raw_server *server, int delay_ms)
{
    size_t nofd = 0;
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < SOME; i++)
        add(batch, raw_url(server, "/delay?ms=%d", delay_ms));
    int failed = life_gather(life, batch, NULL);
    for (size_t i = 0; i < SOME; i++) {
        const stook_result *result = stook_batch_result_by_index(batch, i);
        if (stook_result_error(result))
            CHECK_ERROR(stook_result_error(result), STOOK_ENOFD);
        else
            CHECK_EQ_INT(stook_result_ok(result), 1);
        nofd += stook_result_error(result) == STOOK_ENOFD;
    }
    CHECK_EQ_INT(failed, (long long)nofd);
    stook_batch_free(batch);
    return nofd;
}

/*
 * With a few descriptors the others wait for those who have one. With none there is nothing to wait
 * for, and each request says so.
 */
TEST_BOTH(for_connections)
{
    static const int rooms[] = {0, 6, 12}; /* from 8.20 on a CURLM takes two */
    struct raw_server *server = raw_server_start(NULL);
    for (size_t i = 0; i < 3; i++) {
        life_open(life, NULL);
        struct rlimit before = descriptors_squeeze(rooms[i]);
        size_t nofd = gather_some(life, server, 30);
        descriptors_widen(&before);
        test_note("room for %d", rooms[i]);
        CHECK_EQ_SIZE(nofd, rooms[i] ? 0 : SOME);
        struct stook_stats stats = STOOK_STATS();
        CHECK_ERROR(stook_client_stats(life->client, &stats), 0);
        CHECK_EQ_INT(stats.started, SOME); /* once each, however often it waited again */
        CHECK(raw_peak(server, "/delay") <= (unsigned)rooms[i]);
        life_close(life); /* and the connections with it */
    }
}

/* When there are descriptors again, the same client works. */
TEST_BOTH(back_again)
{
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    struct rlimit before = descriptors_squeeze(0);
    CHECK_EQ_SIZE(gather_some(life, server, 0), SOME);
    descriptors_widen(&before);
    CHECK_EQ_SIZE(gather_some(life, server, 0), 0);
}

/* 0 if it was made; otherwise it says so and leaves nothing behind. */
static int try_with_room_for(struct life *life, int room)
{
    size_t fds = test_count_fds();
    struct rlimit before = descriptors_squeeze(room);
    int error = life_try_open(life, NULL);
    descriptors_widen(&before);
    test_note("room for %d", room);
    if (error == 0)
        return 0;
    CHECK_ERROR(error, STOOK_ENOFD);
    CHECK(life->client == NULL);
    CHECK_EQ_SIZE(test_count_fds(), fds);
    memory_check_empty(&life->memory);
    return error;
}

/* How many descriptors a loop takes. With fewer, libuv itself leaves one of them behind. */
static int room_for_a_loop(void)
{
    uv_loop_t loop;
    size_t before = test_count_fds();
    CHECK_EQ_INT(uv_loop_init(&loop), 0);
    size_t after = test_count_fds();
    CHECK_EQ_INT(uv_loop_close(&loop), 0);
    return (int)(after - before);
}

/* Whatever is missing when a client is made: an error, and nothing is left behind. */
TEST_BOTH(for_a_client)
{
    int room = life->borrowed ? 0 : room_for_a_loop();
    for (int most = room + 30; try_with_room_for(life, room) != 0; room++)
        CHECK(room < most);
}

TEST(for_a_loop)
{
    for (int room = 0, most = room_for_a_loop(); room < most; room++) {
        static struct life life;
        int status = 0;
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            life_begin(&life, 0);
            descriptors_squeeze(room);
            CHECK_ERROR(life_try_open(&life, NULL), STOOK_ENOFD);
            memory_check_empty(&life.memory);
            test_exit_child();
        }
        CHECK_EQ_INT(waitpid(child, &status, 0), child);
        CHECK_EQ_INT(status, 0);
    }
}
