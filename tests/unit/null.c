/* SPDX-License-Identifier: MIT */
/* Every public function, with NULL. */
#include <stdlib.h>

#include <stook.h>

#include "support/life.h"

static void never_call(stook_client *client, void *user)
{
    (void)client, (void)user;
    FAIL("called although it was refused");
}

static void never_closed(void *user)
{
    (void)user;
    FAIL("called although there was no client");
}

static void never_done(stook_batch *batch, int failed, void *user)
{
    (void)batch, (void)failed, (void)user;
    FAIL("called although it was refused");
}

TEST(clients)
{
    stook_batch *batch = NULL;
    CHECK_ERROR(stook_client_new(NULL, NULL, NULL), STOOK_EARG);
    CHECK_ERROR(stook_client_run(NULL), STOOK_EARG);
    CHECK_ERROR(stook_client_turn(NULL, 0), STOOK_EARG);
    CHECK_ERROR(stook_client_fd(NULL), STOOK_EARG);
    CHECK_ERROR((int)stook_client_timeout_ms(NULL), STOOK_EARG);
    stook_client_wake(NULL);
    CHECK_ERROR(stook_client_drain(NULL, 0, never_closed, NULL), STOOK_EARG);
    CHECK_ERROR(stook_client_post(NULL, never_call, NULL), STOOK_EARG);
    stook_client_close(NULL, never_closed, NULL);
    CHECK_ERROR(stook_client_set_limit(NULL, 1), STOOK_EARG);
    CHECK_ERROR(stook_client_set_origin_limit(NULL, 1), STOOK_EARG);
    CHECK_ERROR(stook_batch_new(NULL, &batch), STOOK_EARG);
    CHECK(batch == NULL);
}

TEST(batches)
{
    CHECK_ERROR(stook_batch_add(NULL, &STOOK_REQUEST("http://127.0.0.1/")), STOOK_EARG);
    CHECK_EQ_SIZE(stook_batch_count(NULL), 0);
    CHECK(stook_batch_result(NULL, 0) == NULL);
    CHECK(stook_batch_result_by_index(NULL, 0) == NULL);
    CHECK(stook_batch_message(NULL) != NULL);
    stook_batch_cancel(NULL);
    stook_batch_cancel_request(NULL, 0);
    stook_batch_free(NULL);
    const stook_result *result = NULL;
    CHECK_ERROR(stook_batch_set_limit(NULL, 1), STOOK_EARG);
    CHECK_ERROR(stook_batch_next(NULL, &result), STOOK_EARG);
    stook_batch_pause_delivery(NULL);
    stook_batch_resume_delivery(NULL);
    stook_batch_wake(NULL);
    CHECK_ERROR(stook_batch_stats(NULL, &STOOK_BATCH_STATS()), STOOK_EARG);
    CHECK_EQ_INT(stook_batch_satisfied(NULL), 0);
    CHECK_ERROR(stook_gather(NULL, NULL), STOOK_EARG);
    CHECK_ERROR(stook_gather_ordered(NULL, NULL), STOOK_EARG);
    CHECK_ERROR(stook_gather_start(NULL, NULL, never_done, NULL), STOOK_EARG);
    CHECK_ERROR(stook_gather_ordered_start(NULL, NULL, never_done, NULL), STOOK_EARG);
}

TEST(results)
{
    size_t size = 7;
    CHECK_EQ_INT(stook_result_ok(NULL), 0);
    CHECK_EQ_INT(stook_result_error(NULL), 0);
    CHECK_EQ_INT(stook_result_status(NULL), 0);
    CHECK_EQ_INT(stook_result_attempts(NULL), 0);
    CHECK_EQ_INT(stook_result_may_have_been_sent(NULL), 0);
    CHECK_STR(stook_result_message(NULL), "");
    CHECK_STR(stook_result_url(NULL), "");
    CHECK_STR(stook_result_final_url(NULL), "");
    CHECK(stook_result_body(NULL, &size) == NULL);
    CHECK_EQ_SIZE(size, 0);
    CHECK(stook_result_body(NULL, NULL) == NULL);
    CHECK(stook_result_header(NULL, "Date") == NULL);
    CHECK(stook_result_header_at(NULL, 0, NULL) == NULL);
    CHECK_EQ_SIZE(stook_result_header_count(NULL), 0);
    CHECK(stook_result_trailer(NULL, "Date") == NULL);
    CHECK(stook_result_trailer_at(NULL, 0, NULL) == NULL);
    CHECK_EQ_SIZE(stook_result_trailer_count(NULL), 0);
    CHECK_EQ_INT(stook_result_reused(NULL), 0);
    CHECK_STR(stook_result_remote_address(NULL), "");
    CHECK_EQ_INT(stook_result_size(NULL, STOOK_SIZE_BODY), 0);
    CHECK_EQ_SIZE(stook_result_index(NULL), 0);
    CHECK(stook_result_user(NULL) == NULL);
    CHECK_STR(stook_result_protocol(NULL), "");
    CHECK_EQ_INT(stook_result_curl_code(NULL), 0);
    CHECK_EQ_INT(stook_result_os_error(NULL), 0);
    CHECK_EQ_INT(stook_result_time_us(NULL, STOOK_TIME_TOTAL), 0);
    CHECK(stook_result_ref(NULL) == NULL);
    stook_result_unref(NULL);
}

TEST_BOTH(beside_a_client)
{
    life_open(life, NULL);
    CHECK_ERROR(stook_batch_new(life->client, NULL), STOOK_EARG);
    CHECK_ERROR(stook_client_post(life->client, NULL, NULL), STOOK_EARG);
    stook_batch *batch = life_batch(life);
    CHECK_STR(stook_batch_message(batch), "");
    CHECK_ERROR(stook_batch_add(batch, NULL), STOOK_EARG);
    CHECK(stook_batch_message(batch)[0] != '\0');
    CHECK_EQ_SIZE(stook_batch_count(batch), 0);
    CHECK(stook_batch_result(batch, 0) == NULL);
    CHECK(stook_batch_result_by_index(batch, 0) == NULL);
    stook_batch_free(batch);
}

/* Neither `done` nor `closed` has to be there. */
TEST_BOTH(without_callbacks)
{
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, "http://user:secret@127.0.0.1/"); /* refused, so that nobody has to answer */
    CHECK_ERROR(stook_gather_start(batch, NULL, NULL, NULL), 0);
    life_run(life);
    CHECK(stook_batch_result(batch, 0) != NULL);
    stook_batch_free(batch);
    stook_client_close(life->client, NULL, NULL);
    life->client = NULL;
}

/* On failure the output is left as it was. */
TEST(outputs_are_untouched)
{
    stook_client *client = (stook_client *)&client;
    stook_client *before = client;
    CHECK_ERROR(stook_client_new(NULL, &STOOK_CLIENT(.timeout_ms = -3), &client), STOOK_EARG);
    CHECK(client == before);
}
