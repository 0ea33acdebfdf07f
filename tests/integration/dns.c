/* SPDX-License-Identifier: MIT */
/*
 * Name look-ups. This program has its own getaddrinfo(). It knows a few names, and one that hangs until the
 * test releases it. No name server is queried.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"
#include "support/sockets.h"

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned asked, asked_hung;
    int released;
    int moved; /* where a name that moves is */
    _Atomic time_t later; /* so many seconds are added to the clocks of libcurl and libuv */
} names = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

typedef int look_up_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static look_up_fn *real_look_up(void)
{
    look_up_fn *found;
    void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
    memcpy(&found, &symbol, sizeof found);
    return found;
}

static int number(const char *address, const char *service, const struct addrinfo *hints,
                  struct addrinfo **ret)
{
    struct addrinfo own = {.ai_flags = AI_NUMERICHOST,
                           .ai_socktype = hints ? hints->ai_socktype : SOCK_STREAM};
    return real_look_up()(address, service, &own, ret);
}

/* An address where nobody listens, then one where the server does. */
static int two_numbers(const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
    int error = number("127.0.0.3", service, hints, ret);
    return error ? error : number("127.0.0.1", service, hints, &(*ret)->ai_next);
}

static void hang(void)
{
    names.asked_hung++;
    pthread_cond_broadcast(&names.changed);
    while (!names.released)
        pthread_cond_wait(&names.changed, &names.lock);
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
    if (!name || !strstr(name, ".test"))
        return real_look_up()(name, service, hints, ret);
    pthread_mutex_lock(&names.lock);
    /* libcurl from 8.20 on asks for each family apart: that is one look-up still. */
    names.asked += !hints || hints->ai_family != AF_INET6;
    if (strstr(name, "hung") || (strstr(name, "half") && hints && hints->ai_family == AF_INET6))
        hang();
    pthread_mutex_unlock(&names.lock);
    raw_pause(20); /* whoever else would ask does so meanwhile */
    if (strstr(name, "missing"))
        return EAI_NONAME;
    if (strstr(name, "two"))
        return two_numbers(service, hints, ret);
    return number(strstr(name, "moved") && !names.moved ? "127.0.0.7" : "127.0.0.1", service, hints, ret);
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
    int (*found)(clockid_t, struct timespec *);
    void *symbol = dlsym(RTLD_NEXT, "clock_gettime");
    memcpy(&found, &symbol, sizeof found);
    int error = found(clock, ret);
    ret->tv_sec += names.later;
    return error;
}

time_t time(time_t *ret)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (ret)
        *ret = now.tv_sec;
    return now.tv_sec;
}

static unsigned count_hung(void)
{
    pthread_mutex_lock(&names.lock);
    unsigned count = names.asked_hung;
    pthread_mutex_unlock(&names.lock);
    return count;
}

static void wait_until_hung(unsigned count)
{
    pthread_mutex_lock(&names.lock);
    while (names.asked_hung < count)
        pthread_cond_wait(&names.changed, &names.lock);
    pthread_mutex_unlock(&names.lock);
}

static void release(void)
{
    pthread_mutex_lock(&names.lock);
    names.released = 1;
    pthread_cond_broadcast(&names.changed);
    pthread_mutex_unlock(&names.lock);
}

static struct raw_server *begin(struct life *life)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    if (!(info->features & CURL_VERSION_ASYNCHDNS) || info->ares)
        test_skip("this libcurl does not look up names by getaddrinfo on a thread");
    names.asked = names.asked_hung = 0;
    names.released = names.moved = 0;
    life_open(life, &STOOK_CLIENT(.attempt_timeout_ms = STOOK_NONE, .stall_timeout_ms = STOOK_NONE,
                                  .connect_timeout_ms = STOOK_NONE));
    return raw_server_start(NULL);
}

static const char *url_at(const char *name, const struct raw_server *server)
{
    return text("http://%s:%d/ok", name, raw_port(server));
}

static void ask_plainly(struct life *life, const struct raw_server *server)
{
    stook_batch *batch = life_batch(life);
    add(batch, raw_url(server, "/ok"));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
}

/* One name, however many ask for it, is looked up once. */
TEST_BOTH(looked_up_once)
{
    struct raw_server *server = begin(life);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 100; i++)
        add(batch, url_at("good.test", server));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK_EQ_INT(names.asked, 1);
    CHECK(stook_result_time_us(stook_batch_result_by_index(batch, 0), STOOK_TIME_DNS) > 0);
    stook_batch_free(batch);
}

TEST_BOTH(missing)
{
    struct raw_server *server = begin(life);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 20; i++)
        add(batch, url_at("missing.test", server));
    add(batch, url_at("good.test", server));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 20);
    for (size_t i = 0; i < 20; i++) {
        const stook_result *result = stook_batch_result_by_index(batch, i);
        CHECK_ERROR(stook_result_error(result), STOOK_EDNS);
        CHECK_CONTAINS(stook_result_message(result), stook_strerror(STOOK_EDNS));
        CHECK_EQ_INT(stook_result_status(result), 0);
        CHECK(stook_result_attempts(result) <= 1);
    }
    CHECK_EQ_INT(stook_result_ok(stook_batch_result_by_index(batch, 20)), 1);
    stook_batch_free(batch);
}

/* The first address refuses, the second answers. */
TEST_BOTH(second_address)
{
    struct raw_server *server = begin(life);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 10; i++)
        add(batch, url_at("two.test", server));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
}

/* A hanging name delays no other request. */
TEST_BOTH(others_continue)
{
    struct raw_server *server = begin(life);
    struct done done = {0, 0};
    stook_batch *hung = life_batch(life), *batch = life_batch(life);
    add(hung, url_at("hung.test", server));
    CHECK_ERROR(stook_gather_start(hung, NULL, count_done, &done), 0);
    for (int i = 0; i < 10; i++) {
        add(batch, url_at("good.test", server));
        add(batch, raw_url(server, "/ok"));
    }
    struct done other = {0, 0};
    CHECK_ERROR(stook_gather_start(batch, NULL, count_done, &other), 0);
    if (life->borrowed) {
        while (other.calls == 0)
            uv_run(&life->loop, UV_RUN_ONCE);
    } else {
        stook_batch *last = life_batch(life);
        add(last, raw_url(server, "/after?path=/ok&n=20"));
        CHECK_EQ_INT(stook_gather(last, NULL), 0);
        stook_batch_free(last);
    }
    CHECK_EQ_INT(done.calls, 0);
    release();
    life_run(life);
    CHECK_EQ_INT(done.calls + other.calls, 2);
    CHECK_EQ_INT(done.failed + other.failed, 0);
    stook_batch_free(hung);
    stook_batch_free(batch);
}

/* Clocks end requests while the C library still resolves, and the client works on. */
TEST_BOTH(clocks_while_it_hangs)
{
    struct raw_server *server = begin(life);
    stook_batch *batch = life_batch(life);
    struct stook_request request = STOOK_REQUEST(url_at("hung.test", server));
    for (int i = 0; i < 4; i++) {
        request.attempt_timeout_ms = i == 0 ? 60 : 0;
        request.timeout_ms = i == 1 ? 60 : 0;
        request.connect_timeout_ms = i == 2 ? 60 : 0;
        request.stall_timeout_ms = i == 3 ? 60 : 0;
        CHECK_ERROR(stook_batch_add(batch, &request), 0);
    }
    CHECK_EQ_INT(life_gather(life, batch, NULL), 4);
    static const int errors[] = {STOOK_ETIMEOUT_ATTEMPT, STOOK_ETIMEOUT_TOTAL, STOOK_ETIMEOUT_ATTEMPT,
                                 STOOK_ETIMEOUT_STALL};
    for (size_t i = 0; i < 4; i++)
        CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batch, i)), errors[i]);
    stook_batch_free(batch);
    ask_plainly(life, server);
    release();
}

static void *cancel_when_hung(void *user)
{
    wait_until_hung(1);
    stook_batch_cancel(user);
    return NULL;
}

static void ask_state(stook_client *client, void *user)
{
    int state = stook_batch_request_state(user, 0);
    if (state == STOOK_STATE_RESOLVING)
        stook_batch_cancel(user);
    else
        CHECK_ERROR(stook_client_post(client, ask_state, user), 0);
}

TEST_BOTH(state_while_it_hangs)
{
    struct raw_server *server = begin(life);
    stook_batch *batch = life_batch(life);
    add(batch, url_at("hung.test", server));
    CHECK_ERROR(stook_client_post(life->client, ask_state, batch), 0);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 1);
    CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batch, 0)), STOOK_ECANCELLED);
    stook_batch_free(batch);
    ask_plainly(life, server);
    release();
}

TEST_BOTH(cancel_while_it_hangs)
{
    pthread_t thread;
    struct raw_server *server = begin(life);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 10; i++)
        add(batch, url_at("hung.test", server));
    CHECK_EQ_INT(pthread_create(&thread, NULL, cancel_when_hung, batch), 0);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 10);
    CHECK_EQ_INT(pthread_join(thread, NULL), 0);
    for (size_t i = 0; i < 10; i++)
        CHECK_ERROR(stook_result_error(stook_batch_result_by_index(batch, i)), STOOK_ECANCELLED);
    stook_batch_free(batch);
    ask_plainly(life, server);
    release();
}

/* If the request that began a look-up ends, the others still share it. */
static void cancel_first(stook_client *client, void *user)
{
    (void)client;
    stook_batch_cancel_request(user, 0);
}

static void release_after_first(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)user;
    if (stook_result_index(result) != 0)
        return;
    CHECK_ERROR(stook_result_error(result), STOOK_ECANCELLED);
    release();
}

struct given_up {
    struct life *life;
    stook_batch *batch;
};

static void *post_when_hung(void *user)
{
    struct given_up *given_up = user;
    wait_until_hung(1);
    CHECK_ERROR(stook_client_post(given_up->life->client, cancel_first, given_up->batch), 0);
    return NULL;
}

TEST_BOTH(given_up_by_the_first)
{
    pthread_t thread;
    struct raw_server *server = begin(life);
    stook_batch *batch = life_batch(life);
    struct given_up given_up = {life, batch};
    for (int i = 0; i < 10; i++)
        add(batch, url_at("hung.test", server));
    CHECK_EQ_INT(pthread_create(&thread, NULL, post_when_hung, &given_up), 0);
    CHECK_EQ_INT(life_gather(life, batch, &STOOK_GATHER(.on_result = release_after_first)), 1);
    CHECK_EQ_INT(pthread_join(thread, NULL), 0);
    CHECK_EQ_INT(raw_seen(server, "/ok"), 9);
    CHECK_EQ_INT(names.asked, 1);
    stook_batch_free(batch);
}

/* Nor do many of them. */
TEST(many_hang, slow)
{
    static struct life owned, *life = &owned;
    life_begin(life, 0);
    struct raw_server *server = begin(life);
    struct done done = {0, 0};
    stook_batch *hung = life_batch(life), *batch = life_batch(life);
    for (int i = 0; i < 80; i++)
        add(hung, text("https://hung%d.test:%d/ok", i, raw_port(server)));
    CHECK_ERROR(stook_gather_start(hung, NULL, count_done, &done), 0);
    for (int i = 0; i < 16; i++) {
        struct stook_request request = STOOK_REQUEST(text("https://good%d.test:1/", i));
        request.timeout_ms = 4000;
        CHECK_ERROR(stook_batch_add(batch, &request), 0);
    }
    /* Look-ups that hang are set aside after a second. */
    stook_batch *wait = life_batch(life);
    add(wait, raw_url(server, "/delay?ms=3500"));
    CHECK_EQ_INT(life_gather(life, wait, NULL), 0);
    stook_batch_free(wait);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 16);
    for (size_t i = 0; i < 16; i++)
        CHECK_ERROR(stook_result_error(stook_batch_result(batch, i)), STOOK_ECONNECT);
    CHECK_EQ_INT(done.calls, 0);
    stook_batch_cancel(hung);
    release();
    life_run(life);
    stook_batch_free(hung);
    stook_batch_free(batch);
    life_close(life);
    life_end(life);
}

/* ---------------------------------------------------------------- at the end */

/* One family was enough; that the other hangs still is nobody's business. (Those up to 8.19 ask for
   both at once, so nothing hangs.) */
TEST_BOTH(half_hangs)
{
    struct raw_server *server = begin(life);
    unsigned version = curl_version_info(CURLVERSION_NOW)->version_num;
    if (version >= 0x081400 && version < 0x081600)
        test_skip("this libcurl sets no timer, and waits for the other family");
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 100; i++)
        add(batch, url_at("half.test", server));
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    CHECK_EQ_INT(names.asked, 1);
    stook_batch_free(batch);
    life_close(life);
    release();
}

/* Answers two connections, and listens no more. */
static void *answer_two(void *listener)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    char request[1024];
    for (int i = 0; i < 2; i++) {
        int fd = accept(*(int *)listener, NULL, NULL);
        if (recv(fd, request, sizeof request, 0) > 0)
            send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
        close(fd);
    }
    close(*(int *)listener);
    return NULL;
}

static int listen_at(const char *address, int port)
{
    struct sockaddr_in in = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ_INT(inet_pton(AF_INET, address, &in.sin_addr), 1);
    if (bind(fd, (struct sockaddr *)&in, sizeof in) != 0)
        test_skip("no port to be had at that address");
    CHECK_EQ_INT(listen(fd, 2), 0);
    return fd;
}

/* While one family hangs, those who follow are told the address that was found. When it refuses, the
   name is looked up again. */
TEST_BOTH(moved)
{
    pthread_t thread;
    struct raw_server *server = begin(life);
    if (curl_version_info(CURLVERSION_NOW)->version_num < 0x081600)
        test_skip("this libcurl waits for both families, and keeps what it was told for a minute");
    int listener = listen_at("127.0.0.7", raw_port(server));
    CHECK_EQ_INT(pthread_create(&thread, NULL, answer_two, &listener), 0);
    for (unsigned round = 1; round <= 2; round++) {
        names.moved = round == 2;
        stook_batch *batch = life_batch(life);
        for (int i = 0; i < (round == 1 ? 2 : 10); i++)
            add(batch, url_at("half-moved.test", server));
        CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
        CHECK_EQ_INT(names.asked, round);
        stook_batch_free(batch);
        if (round == 1)
            CHECK_EQ_INT(pthread_join(thread, NULL), 0);
    }
    CHECK_EQ_INT(raw_seen(server, "/ok"), 10);
    life_close(life);
    release();
}

/* The server moves to another address in mid batch. Its old one is used for a minute, then the new one. */
static void move(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch;
    switch (stook_result_index(result)) {
    case 1: /* the last one at the old address */
        CHECK_EQ_INT(pthread_join(*(pthread_t *)user, NULL), 0);
        names.moved = 1;
        break;
    case 2: /* from 8.22 on libcurl looks a name up again whose address refuses */
        if (stook_result_error(result) != 0 || curl_version_info(CURLVERSION_NOW)->version_num < 0x081600)
            CHECK_ERROR(stook_result_error(result), STOOK_ECONNECT);
        names.later += 61;
        return;
    case 3: /* it may have begun in the same turn, before the loop reads the clock */
        return;
    default:
        break;
    }
    CHECK_ERROR(stook_result_error(result), 0);
}

TEST_BOTH(moved_for_a_minute)
{
    pthread_t thread;
    struct raw_server *server = begin(life);
    int listener = listen_at("127.0.0.7", raw_port(server));
    CHECK_EQ_INT(pthread_create(&thread, NULL, answer_two, &listener), 0);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 10; i++)
        add(batch, url_at("moved.test", server));
    CHECK(life_gather(life, batch, &STOOK_GATHER(.limit = 1, .on_result = move, .user = &thread)) <= 2);
    CHECK_EQ_INT(names.asked, 2);
    CHECK(raw_seen(server, "/ok") >= 6);
    stook_batch_free(batch);
}

static void tell_closed(void *user)
{
    (void)user;
    tell("closed");
}

static int ticks;

/* The loop runs while the close waits. The look-up returns after twenty iterations. */
static void tick(uv_timer_t *timer)
{
    CHECK_STR(told(), "done");
    if (++ticks < 20)
        return;
    release();
    uv_close((uv_handle_t *)timer, NULL);
}

static void tell_done(stook_batch *batch, int failed, void *user)
{
    (void)user;
    CHECK_EQ_INT(failed, 3);
    CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), STOOK_ECLOSED);
    tell("done");
}

/* A borrowed loop is not blocked: results and `done` at once, `closed` when the name is in. */
TEST(close_on_a_borrowed_loop)
{
    static struct life life;
    uv_timer_t timer;
    life_begin(&life, 1);
    struct raw_server *server = begin(&life);
    stook_batch *batch = life_batch(&life);
    for (int i = 0; i < 3; i++)
        add(batch, url_at("hung.test", server));
    CHECK_ERROR(stook_gather_start(batch, NULL, tell_done, NULL), 0);
    while (count_hung() == 0)
        uv_run(&life.loop, UV_RUN_NOWAIT);
    ticks = 0;
    stook_client_close(life.client, tell_closed, NULL);
    life.client = NULL;
    uv_run(&life.loop, UV_RUN_NOWAIT);
    uv_run(&life.loop, UV_RUN_NOWAIT);
    CHECK_STR(told(), "done");
    uv_timer_init(&life.loop, &timer);
    uv_timer_start(&timer, tick, 1, 1);
    uv_run(&life.loop, UV_RUN_DEFAULT);
    CHECK_EQ_INT(ticks, 20);
    CHECK_STR(told(), "done closed");
    stook_batch_free(batch);
    life_end(&life);
}

static void *release_when_told(void *user)
{
    struct raw_server *server = user;
    raw_wait(server, "/closing", 1);
    release();
    return NULL;
}

static void signal_closing(stook_batch *batch, int failed, void *user)
{
    tell_done(batch, failed, user);
    raw_signal(user, "/closing");
}

/* An owned loop is turned by the close itself, which returns when the name is in. */
TEST(close_of_an_owned_loop)
{
    static struct life life;
    pthread_t thread;
    life_begin(&life, 0);
    struct raw_server *server = begin(&life);
    stook_batch *hung = life_batch(&life), *batch = life_batch(&life);
    for (int i = 0; i < 3; i++)
        add(hung, url_at("hung.test", server));
    CHECK_ERROR(stook_gather_start(hung, NULL, signal_closing, server), 0);
    add(batch, raw_url(server, "/ok")); /* turns the loop, until the look-up has begun */
    CHECK_EQ_INT(stook_gather(batch, NULL), 0);
    wait_until_hung(1);
    CHECK_EQ_INT(pthread_create(&thread, NULL, release_when_told, server), 0);
    stook_client_close(life.client, tell_closed, NULL);
    life.client = NULL;
    CHECK_STR(told(), "done closed");
    CHECK_EQ_INT(pthread_join(thread, NULL), 0);
    stook_batch_free(hung);
    stook_batch_free(batch);
    life_end(&life);
}
