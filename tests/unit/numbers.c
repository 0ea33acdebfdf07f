/* SPDX-License-Identifier: MIT */
/* Every number of every struct, at and beyond its bounds. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <stook.h>

#include "support/life.h"

#define MS_MAX ((int64_t)1 << 53)

struct bound {
    const char *name;
    size_t offset;
    int64_t good[4]; /* 0 is the default, and ends the list */
    int64_t bad[6];
};

#define CLOCK(type, member)                                                                       \
    {#type "." #member, offsetof(struct type, member), {STOOK_NONE, 1, MS_MAX},                   \
     {STOOK_AUTO, -3, INT64_MIN, MS_MAX + 1, INT64_MAX}}

static const struct bound client_bounds[] = {
    CLOCK(stook_client_options, queue_timeout_ms),
    CLOCK(stook_client_options, attempt_timeout_ms),
    CLOCK(stook_client_options, connect_timeout_ms),
    CLOCK(stook_client_options, timeout_ms),
    CLOCK(stook_client_options, stall_timeout_ms),
    {"max_body_bytes", offsetof(struct stook_client_options, max_body_bytes), {STOOK_NONE, 1},
     {STOOK_AUTO, -3, INT64_MIN}},
    {"max_header_bytes", offsetof(struct stook_client_options, max_header_bytes), {1, 16 << 20},
     {STOOK_NONE, STOOK_AUTO, INT64_MIN, (16 << 20) + 1, INT64_MAX}},
    {"max_header_count", offsetof(struct stook_client_options, max_header_count), {1, 100000},
     {STOOK_NONE, STOOK_AUTO, INT64_MIN, 100001, INT64_MAX}},
    {"http_version", offsetof(struct stook_client_options, http_version),
     {STOOK_HTTP_1_1, STOOK_HTTP_2, STOOK_HTTP_3}, {STOOK_NONE, STOOK_AUTO, 4, INT64_MIN, INT64_MAX}},
    {"limit", offsetof(struct stook_client_options, limit), {STOOK_NONE, 1, 1000000},
     {STOOK_AUTO, -3, INT64_MIN, 1000001, INT64_MAX}},
    {"origin_limit", offsetof(struct stook_client_options, origin_limit), {STOOK_NONE, STOOK_AUTO, 1, 1000000},
     {-3, INT64_MIN, 1000001, INT64_MAX}},
    CLOCK(stook_client_options, max_cooldown_ms),
    {"max_retries", offsetof(struct stook_client_options, max_retries), {STOOK_NONE, 1, 50},
     {STOOK_AUTO, -3, 51, INT64_MIN, INT64_MAX}},
    {"retry_delay_ms", offsetof(struct stook_client_options, retry_delay_ms), {1, MS_MAX},
     {STOOK_NONE, STOOK_AUTO, MS_MAX + 1, INT64_MIN, INT64_MAX}},
    {"retry_max_delay_ms", offsetof(struct stook_client_options, retry_max_delay_ms), {1, 500, MS_MAX},
     {STOOK_NONE, STOOK_AUTO, MS_MAX + 1, INT64_MIN, INT64_MAX}},
    {"retry_budget", offsetof(struct stook_client_options, retry_budget), {STOOK_NONE, 1, 1000},
     {STOOK_AUTO, -3, 1001, INT64_MIN, INT64_MAX}},
    {"circuit_failures", offsetof(struct stook_client_options, circuit_failures), {STOOK_NONE, 1, 1000},
     {STOOK_AUTO, -3, 1001, INT64_MIN, INT64_MAX}},
};

static const struct bound request_bounds[] = {
    CLOCK(stook_request, queue_timeout_ms),
    CLOCK(stook_request, attempt_timeout_ms),
    CLOCK(stook_request, connect_timeout_ms),
    CLOCK(stook_request, timeout_ms),
    CLOCK(stook_request, stall_timeout_ms),
    {"max_body_bytes", offsetof(struct stook_request, max_body_bytes), {1, 67108864},
     {STOOK_AUTO, -3, INT64_MIN}},
    {"http_version", offsetof(struct stook_request, http_version),
     {STOOK_HTTP_1_1, STOOK_HTTP_2, STOOK_HTTP_3}, {STOOK_NONE, STOOK_AUTO, 4, INT64_MIN, INT64_MAX}},
    {"expect", offsetof(struct stook_request, expect), {1}, {STOOK_NONE, STOOK_AUTO, 2, INT64_MIN, INT64_MAX}},
    {"auth", offsetof(struct stook_request, auth), {STOOK_AUTH_BASIC, STOOK_AUTH_DIGEST},
     {STOOK_NONE, STOOK_AUTO, 3, INT64_MIN, INT64_MAX}},
    {"priority", offsetof(struct stook_request, priority), {1, 7},
     {STOOK_NONE, STOOK_AUTO, 8, INT64_MIN, INT64_MAX}},
    {"cost", offsetof(struct stook_request, cost), {STOOK_NONE, 1, INT64_C(1000000000000)},
     {STOOK_AUTO, -3, INT64_C(1000000000001), INT64_MIN, INT64_MAX}},
    {"max_retries", offsetof(struct stook_request, max_retries), {STOOK_NONE, 1, 50},
     {STOOK_AUTO, -3, 51, INT64_MIN, INT64_MAX}},
    {"idempotent", offsetof(struct stook_request, idempotent), {1, STOOK_NONE}, {STOOK_AUTO, 2, INT64_MIN, INT64_MAX}},
    {"delay_ms", offsetof(struct stook_request, delay_ms), {1, MS_MAX, STOOK_NONE},
     {STOOK_AUTO, MS_MAX + 1, INT64_MIN, INT64_MAX}},
    {"coalesce", offsetof(struct stook_request, coalesce), {1, STOOK_NONE}, {STOOK_AUTO, 2, INT64_MIN, INT64_MAX}},
    {"hedge_after_ms", offsetof(struct stook_request, hedge_after_ms), {1, MS_MAX, STOOK_NONE, STOOK_AUTO},
     {-3, MS_MAX + 1, INT64_MIN, INT64_MAX}},
    {"body_size", offsetof(struct stook_request, body_size), {0},
     {STOOK_NONE, STOOK_AUTO, 1, -3, INT64_MIN, INT64_MAX}}, /* there is no body */
};

static const struct bound gather_bounds[] = {
    {"limit", offsetof(struct stook_gather_options, limit), {STOOK_AUTO, 1, 1000000},
     {-3, INT64_MIN, 1000001, INT64_MAX}},
    {"max_buffered_bytes", offsetof(struct stook_gather_options, max_buffered_bytes), {STOOK_NONE, 1, INT64_MAX},
     {STOOK_AUTO, -3, INT64_MIN}},
    {"policy", offsetof(struct stook_gather_options, policy), {1, 2, 3},
     {STOOK_NONE, STOOK_AUTO, 5, INT64_MIN, INT64_MAX}},
    {"quorum", offsetof(struct stook_gather_options, quorum), {0},
     {STOOK_NONE, STOOK_AUTO, 1, INT64_MIN, INT64_MAX}}, /* only with its policy */
    {"window", offsetof(struct stook_gather_options, window), {1, 1000000},
     {STOOK_AUTO, -3, INT64_MIN}},
    {"max_waiting", offsetof(struct stook_gather_options, max_waiting), {1, 1000000000},
     {STOOK_NONE, STOOK_AUTO, 1000000001, INT64_MIN, INT64_MAX}},
    {"timeout_ms", offsetof(struct stook_gather_options, timeout_ms), {1, MS_MAX},
     {STOOK_AUTO, -3, INT64_MIN, MS_MAX + 1, INT64_MAX}},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static int try_client(struct life *life, const struct bound *bound, int64_t value)
{
    (void)life;
    struct stook_client_options options = STOOK_CLIENT();
    stook_client *client = NULL;
    memcpy((char *)&options + bound->offset, &value, sizeof value);
    int error = stook_client_new(NULL, &options, &client);
    CHECK((error == 0) == (client != NULL));
    stook_client_close(client, NULL, NULL);
    return error;
}

static int try_request(struct life *life, const struct bound *bound, int64_t value)
{
    struct stook_request request = STOOK_REQUEST("http://127.0.0.1/");
    stook_batch *batch = life_batch(life);
    memcpy((char *)&request + bound->offset, &value, sizeof value);
    int error = stook_batch_add(batch, &request);
    CHECK_EQ_SIZE(stook_batch_count(batch), error == 0);
    CHECK((error == 0) == (stook_batch_message(batch)[0] == '\0'));
    stook_batch_free(batch);
    return error;
}

static int try_gather(struct life *life, const struct bound *bound, int64_t value)
{
    struct stook_gather_options options = STOOK_GATHER();
    stook_batch *batch = life_batch(life);
    memcpy((char *)&options + bound->offset, &value, sizeof value);
    int error = life_gather(life, batch, &options);
    CHECK((error == 0) == (stook_batch_message(batch)[0] == '\0'));
    stook_batch_free(batch);
    return error;
}

static void try_all(struct life *life, const struct bound *bounds, size_t count,
                    int (*try)(struct life *, const struct bound *, int64_t))
{
    for (size_t i = 0; i < count; i++) {
        const struct bound *bound = &bounds[i];
        for (size_t k = 0; k < COUNT(bound->good) && bound->good[k]; k++) {
            test_note("%s = %lld", bound->name, (long long)bound->good[k]);
            CHECK_ERROR(try(life, bound, bound->good[k]), 0);
        }
        for (size_t k = 0; k < COUNT(bound->bad) && bound->bad[k]; k++) {
            test_note("%s = %lld", bound->name, (long long)bound->bad[k]);
            CHECK_ERROR(try(life, bound, bound->bad[k]), STOOK_EARG);
        }
    }
}

TEST(of_clients)
{
    try_all(NULL, client_bounds, COUNT(client_bounds), try_client);
}

TEST_BOTH(of_requests)
{
    life_open(life, NULL);
    try_all(life, request_bounds, COUNT(request_bounds), try_request);
}

TEST_BOTH(of_gathers)
{
    life_open(life, NULL);
    try_all(life, gather_bounds, COUNT(gather_bounds), try_gather);
}
