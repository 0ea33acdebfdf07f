/* SPDX-License-Identifier: MIT */
/* Addresses that libcurl was given from our cache (src/curl/quirks/dropped_lookups.h) and that no longer work. */
#include "regress/dns.h"

/* The library's clock runs ahead of libcurl's DNS cache, so that an origin becomes cold at once. */
static time_t ahead;

int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
    SPY_REAL(clock_gettime);
    int error = real(clock, ret_time);
    if (error == 0 && (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE))
        ret_time->tv_sec += ahead;
    return error;
}

/* libcurl forgets the names that it has resolved, and keeps the addresses that it was given. */
static int forget_looked_up(CURL *easy, CURLoption option)
{
    SPY_REAL(curl_easy_setopt);
    if (option == CURLOPT_PRIVATE)
        real(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    if (option == CURLOPT_RESOLVE)
        real(easy, CURLOPT_DNS_CACHE_TIMEOUT, -1L);
    return option != CURLOPT_DNS_CACHE_TIMEOUT;
}

static enum raw_then leave_and_answer(struct raw_call *call)
{
    if (call->seen == 2)
        raw_leave_port(call); /* before the client hears of it */
    raw_say(call, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    return RAW_CLOSE;
}

/* The first request towards an origin that grew cold relies on what libcurl was told, and is refused.
   It is started anew, and looks the name up for longer than others wait for one that goes first. */
TEST_BOTH(cold_origin)
{
    enum { HANG_MS = 300, COLD_S = 61 };
    static const struct raw_behaviour extra[] = {{.path = "/twice", .answer = leave_and_answer}, {.path = NULL}};
    unsigned version = curl_version_info(CURLVERSION_NOW)->version_num, asked[4];
    spy.version = version < 0x081600 ? 0x081600 : version; /* the first that is told */
    spy.keep_option = forget_looked_up;
    begin(life, 0);
    struct raw_server *server = raw_server_start(extra);
    for (int round = 0; round < 3; round++) {
        if (round == 2) {
            ahead += COLD_S;
            names.hang_ms = HANG_MS;
        }
        asked[round] = names.asked;
        stook_batch *batch = life_batch(life);
        add(batch, text("http://slow.test:%d/twice", raw_port(server)));
        CHECK_EQ_INT(life_gather(life, batch, NULL), round == 2);
        CHECK_ERROR(stook_result_error(stook_batch_result(batch, 0)), round == 2 ? STOOK_ECONNECT : 0);
        stook_batch_free(batch);
    }
    CHECK(asked[1] > asked[0]);
    CHECK_EQ_INT(asked[2], asked[1]);  /* it was told */
    CHECK(names.asked > asked[2]);     /* and is not any more */
    spy.keep_option = NULL;
    spy.version = 0;
}
