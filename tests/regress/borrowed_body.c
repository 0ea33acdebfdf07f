/* SPDX-License-Identifier: MIT */
/* A program runs its loop inside body_read while libcurl rewinds the body. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"
#include "regress/spy.h"

enum { PIECE = 100000, BORROWED_AT = 2 };

static struct {
    struct raw_server *server;
    uv_loop_t *loop;
    int calls, rewinds, given;
} borrowed;

/* Little room in the sockets of the file system, so that libcurl has something to send while the next is asked for. */
int socket(int domain, int type, int protocol)
{
    SPY_REAL(socket);
    int fd = real(domain, type, protocol);
    if (domain == AF_UNIX && fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){8192}, sizeof(int));
    return fd;
}

static enum raw_then challenge(struct raw_call *call, const char *more, enum raw_then then)
{
    raw_say(call, "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", qop=\"auth\", nonce=\"%u\"%s\r\n"
                  "Content-Length: 0\r\n\r\n", call->seen, more);
    return then;
}

/* The first is asked for a Digest; the second, in the middle of its body, for another, its nonce being stale; of the
   third it is told how many bytes are of the piece that was given too late. */
static enum raw_then ask_twice(struct raw_call *call)
{
    char part[4096], digits[16];
    size_t size, late = 0, ended = 0;
    if (call->seen == 1)
        return challenge(call, "", RAW_KEEP);
    if (call->seen == 2) {
        raw_wait(call->server, "/borrowed", 1);
        challenge(call, ", stale=true", RAW_HOLD);
        raw_signal(call->server, "/said");
        return RAW_HOLD;
    }
    while (!ended && (size = raw_read(call, part, sizeof part)) > 0) {
        for (size_t i = 0; i < size; i++)
            late += part[i] == 'L';
        ended = size >= 5 && memcmp(part + size - 5, "0\r\n\r\n", 5) == 0;
    }
    return raw_answer(call, digits, (size_t)snprintf(digits, sizeof digits, "%zu", late));
}

static const struct raw_behaviour asking[] = {{.path = "/ask", .answer = ask_twice, .early = 1}, {.path = NULL}};

/* With the buffer borrowed, the program runs its loop until the other challenge is there, and libcurl begins anew: what
   is given then is of a body that nobody sends any more. */
static int64_t give_late(stook_batch *batch, size_t index, void *buffer, size_t size, void *user)
{
    (void)batch, (void)index, (void)user;
    size = size < PIECE ? size : PIECE;
    int late = ++borrowed.calls == BORROWED_AT;
    if (late) {
        raw_signal(borrowed.server, "/borrowed");
        raw_wait(borrowed.server, "/said", 1);
        for (int turns = 0; turns < 20; turns++)
            uv_run(borrowed.loop, UV_RUN_NOWAIT);
    }
    if (borrowed.given == 3)
        return 0;
    borrowed.given++;
    memset(buffer, late ? 'L' : 'b', size);
    return (int64_t)size;
}

static int begin_anew(stook_batch *batch, size_t index, void *user)
{
    (void)batch, (void)index, (void)user;
    borrowed.rewinds++;
    borrowed.given = 0;
    return 0;
}

TEST(rewound_while_borrowed)
{
    static struct life life;
    static struct raw_door door;
    door.unix_path = text("%s/socket", temporary_directory());
    life_begin(&life, 1);
    life_open(&life, NULL);
    borrowed.server = raw_server_open(asking, &door, 1);
    borrowed.loop = &life.loop;
    stook_batch *batch = life_batch(&life);
    ADD(batch, "http://h/ask", .unix_socket = door.unix_path, .method = "PUT", .body_read = give_late, .body_rewind = begin_anew,
        .username = "user", .password = "secret", .auth = STOOK_AUTH_DIGEST);
    CHECK_EQ_INT(life_gather(&life, batch, NULL), 0);
    CHECK_STR(stook_result_body(stook_batch_result(batch, 0), NULL), "0");
    CHECK_EQ_INT(borrowed.rewinds, 1);
    stook_batch_free(batch);
    life_end(&life);
}
