/* SPDX-License-Identifier: MIT */
/* Few descriptors are left: requests wait until others are over, and idle connections are closed. */
#include "support/descriptors.h"
#include "support/nginx.h"
#include "regress/dns.h"

/* Runs `count` requests, each to its own origin, with `room` free descriptors: all must succeed. */
static void gather(struct life *life, const struct raw_server *server, int count, int64_t limit, int room,
                   const char *path)
{
    static int round;
    stook_batch *batch = life_batch(life);
    round++;
    for (int i = 0; i < count; i++)
        add(batch, text("http://slow%d-%d.test:%d/%s", round, i, raw_port(server), path));
    struct rlimit before = descriptors_squeeze(room);
    int failed = life_gather(life, batch, &STOOK_GATHER(.limit = limit));
    descriptors_widen(&before);
    for (size_t i = 0; i < (size_t)count; i++)
        if (!stook_result_ok(stook_batch_result_by_index(batch, i)))
            test_note("%d failed: %s", failed, stook_result_message(stook_batch_result_by_index(batch, i)));
    CHECK_EQ_INT(failed, 0);
    stook_batch_free(batch);
}

/* Look-ups wait for those under way, and none reports that the name does not exist. */
TEST_BOTH(names)
{
    struct raw_server *server = begin(life, 20);
    gather(life, server, 60, STOOK_NONE, 500, "close-after"); /* its CURLMs are made */
    gather(life, server, 60, STOOK_NONE, 16, "close-after");
}

/* Requests to one origin after the other leave idle connections, which do not block later ones. */
TEST_BOTH(idle_connections)
{
    struct raw_server *server = begin(life, 0);
    gather(life, server, 200, 4, 60, "ok");
}

/* A file of authorities that cannot be opened is not reported as a bad file. */
TEST_BOTH(authorities, nginx)
{
    static const char *const hosts[] = {"127.0.0.1", "127.0.0.3", "localhost", "service.example"};
    struct nginx *nginx = nginx_start();
    begin(life, 0);
    life_close(life);
    for (int room = 3; room < 10; room++) {
        life_open(life, &STOOK_CLIENT(.ca_file = nginx->ca, .http_version = STOOK_HTTP_1_1));
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < 20; i++)
            add(batch, text("https://%s:%d/ok", hosts[i % 4], nginx->tls_port));
        struct rlimit before = descriptors_squeeze(room);
        life_gather(life, batch, &STOOK_GATHER(.limit = STOOK_NONE));
        descriptors_widen(&before);
        for (size_t i = 0; i < 20; i++) {
            const stook_result *result = stook_batch_result_by_index(batch, i);
            test_note("room for %d: %s", room, stook_result_message(result));
            if (stook_result_error(result) != 0)
                CHECK_ERROR(stook_result_error(result), STOOK_ENOFD);
        }
        stook_batch_free(batch);
        life_close(life);
    }
}
