/* SPDX-License-Identifier: MIT */
/* Names that have many addresses. */
#include <fcntl.h>

#include "regress/dns.h"

static int silent_v4; /* refuses from when the other family is tried */
static int numbers;   /* no number is given out twice, as if others were taking them */

int socket(int domain, int type, int protocol)
{
    SPY_REAL(socket);
    if (silent_v4 && domain == AF_INET6 && (type & SOCK_STREAM))
        shutdown(silent_v4, SHUT_RD);
    int fd = real(domain, type, protocol);
    if (!numbers || fd < 0)
        return fd;
    int other = fcntl(fd, F_DUPFD_CLOEXEC, numbers++);
    close(fd);
    return other;
}

/* D07: libcurl up to 8.3 opens no socket for the next address before a timer is due. */
TEST_BOTH(sixty_four_refuse)
{
    struct raw_server *server = begin(life, 0);
    size_t fds = test_count_fds();
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 5; i++)
        CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(text("http://many.test:%d/", raw_port(server)),
                                                          .connect_timeout_ms = 3000)), 0);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 5);
    for (size_t i = 0; i < 5; i++)
        CHECK_ERROR(stook_result_error(stook_batch_result(batch, i)), STOOK_ECONNECT);
    stook_batch_free(batch);
    CHECK(test_count_fds() <= fds + 2);
}

/* Nine addresses cannot be tried: libcurl never announces a socket for them. */
TEST_BOTH(nine_unreachable)
{
    struct raw_server *server = begin(life, 0);
    stook_batch *batch = life_batch(life);
    add(batch, text("http://far.test:%d/ok", raw_port(server)));
    int64_t began = now_ms();
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK(now_ms() - began < 2000);
    stook_batch_free(batch);
}

/* An address that is silent first, and refuses while one of the other family is silent still. */
TEST_BOTH(refuses_late)
{
    struct raw_server *server = begin(life, 0);
    silent_v4 = 0;
    silent_at("::1", raw_port(server));
    silent_v4 = silent_at("127.0.1.1", raw_port(server));
    stook_batch *batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(text("http://late.test:%d/ok", raw_port(server)),
                                                      .connect_timeout_ms = 8000)), 0);
    int64_t began = now_ms();
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    test_note("after %d ms", (int)(now_ms() - began));
    CHECK(now_ms() - began < 3000); /* a second SYN is sent, and refused, after one */
    stook_batch_free(batch);
}

/* The first address is silent: libcurl tries the second after half of the connect timeout. */
TEST_BOTH(first_is_silent)
{
    struct raw_server *server = begin(life, 0);
    silent_v4 = 0;
    silent_at("127.0.1.1", raw_port(server));
    stook_batch *batch = life_batch(life);
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(text("http://second.test:%d/ok", raw_port(server)),
                                                      .connect_timeout_ms = 3000)), 0);
    int64_t began = now_ms();
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    test_note("after %d ms", (int)(now_ms() - began));
    CHECK(now_ms() - began < 2200);
    stook_batch_free(batch);
}

/* The tenth of ten addresses responds; its connection is watched while idle like any other. */
TEST_BOTH(tenth_address)
{
    struct raw_server *server = begin(life, 0);
    numbers = 100;
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
    numbers = 0;
    CHECK_EQ_INT(raw_seen(server, "/echo"), 8);
}

/* The same when the connection that was kept has ended: the next is made as carefully as the first. */
TEST_BOTH(first_is_silent_still)
{
    struct raw_server *server = begin(life, 0);
    silent_v4 = 0;
    silent_at("127.0.1.1", raw_port(server));
    for (int round = 0; round < 2; round++) {
        stook_batch *batch = life_batch(life);
        CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(text("http://second.test:%d/%s", raw_port(server), round ? "ok" : "rst-after"),
                                                          .connect_timeout_ms = 1600)), 0);
        CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
        stook_batch_free(batch);
        if (round == 0)
            raw_wait(server, "/gone", 1);
    }
}
