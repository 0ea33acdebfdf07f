/* SPDX-License-Identifier: MIT */
/* Many POSTs: no more connections than the limit, and none is sent twice. */
#include <stdio.h>
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/plain.h"

enum { POSTS = 10000, LIMIT = 10 };

static struct {
    char url[128];
    int added, answered;
} posts;

static int more(stook_batch *batch, void *user)
{
    char body[32];
    (void)user;
    if (posts.added == POSTS)
        return 0;
    snprintf(body, sizeof body, "post %d", posts.added++);
    CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST(posts.url, .body = body, .body_size = STOOK_AUTO)), 0);
    return 1;
}

/* The answer is the echo of this very request. */
static void on_result(stook_batch *batch, const stook_result *result, void *user)
{
    char body[32];
    (void)batch, (void)user;
    CHECK_EQ_INT(stook_result_ok(result), 1);
    CHECK_EQ_INT(stook_result_attempts(result), 1);
    snprintf(body, sizeof body, "post %zu", stook_result_index(result));
    CHECK_STR(stook_result_body(result, NULL), body);
    posts.answered++;
}

TEST(posts)
{
    static struct life life;
    struct plain *plain = plain_start();
    snprintf(posts.url, sizeof posts.url, "%s", plain_url(plain, "/echo"));
    life_begin(&life, 0);
    life_open(&life, NULL);
    stook_batch *batch = life_batch(&life);
    CHECK_EQ_INT(stook_gather(batch, &STOOK_GATHER(.limit = LIMIT, .more = more, .on_result = on_result)), 0);
    stook_batch_free(batch);
    CHECK_EQ_INT(posts.answered, POSTS);
    /* As many as were answered, so none came twice. */
    CHECK_EQ_INT(plain_count(plain, "requests"), POSTS);
    long connections = plain_count(plain, "connections_opened");
    printf("%d POSTs at limit %d: %ld connections\n", POSTS, LIMIT, connections);
    CHECK(connections <= LIMIT);
    life_end(&life);
}
