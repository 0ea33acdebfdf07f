/* SPDX-License-Identifier: MIT */
/*
 * The size that the structs carry: a program that was compiled with an older or a newer header.
 * Older structs end early, right before memory that is not there; newer ones end late, and are
 * refused if they ask for something.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <stook.h>

#include "harness/life.h"
#include "support/raw_server.h"

/* A copy of the first `size` bytes, its end the end of all readable memory around. */
static void *at_the_edge(const void *from, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED);
    CHECK_EQ_INT(mprotect(pages + page, page, PROT_NONE), 0);
    return memcpy(pages + page - size, from, size);
}

/* Whoever still looks at the struct after the call dies. */
static void take_away(void *struct_at_the_edge)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    CHECK_EQ_INT(munmap((void *)((uintptr_t)struct_at_the_edge / page * page), 2 * page), 0);
}

/* A request as an older header might have had it: only the first members. */
static void *older_request(const char *url, size_t size)
{
    struct stook_request request = STOOK_REQUEST(url);
    request.size = size;
    return at_the_edge(&request, size);
}

TEST_BOTH(older_requests)
{
    static const size_t sizes[] = {
        offsetof(struct stook_request, method), offsetof(struct stook_request, user),
        offsetof(struct stook_request, ca_file), sizeof(struct stook_request)};
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < 4; i++) {
        struct stook_request *request = older_request(raw_url(server, "/ok"), sizes[i]);
        CHECK_ERROR(stook_batch_add(batch, request), 0);
        take_away(request);
    }
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
}

TEST_BOTH(older_gathers)
{
    struct stook_gather_options options = STOOK_GATHER(.limit = 1);
    struct raw_server *server = raw_server_start(NULL);
    options.size = offsetof(struct stook_gather_options, window);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < 5; i++)
        add(batch, raw_url(server, "/delay?ms=5"));
    void *edge = at_the_edge(&options, options.size);
    CHECK_EQ_INT(life_gather(life, batch, edge), 0);
    take_away(edge);
    CHECK_EQ_INT(raw_peak(server, "/delay"), 1);
    stook_batch_free(batch);
}

/* The client's struct and its strings are gone long before its first request. */
TEST(older_clients)
{
    char agent[] = "old program";
    struct stook_client_options options = STOOK_CLIENT(.user_agent = agent);
    struct raw_server *server = raw_server_start(NULL);
    stook_client *client;
    stook_batch *batch;
    options.size = offsetof(struct stook_client_options, queue_timeout_ms);
    void *edge = at_the_edge(&options, options.size);
    CHECK_ERROR(stook_client_new(NULL, edge, &client), 0);
    take_away(edge);
    memset(agent, '!', sizeof agent);
    CHECK_ERROR(stook_batch_new(client, &batch), 0);
    add(batch, raw_url(server, "/echo"));
    CHECK_EQ_INT(stook_gather(batch, NULL), 0);
    CHECK_CONTAINS((const char *)stook_result_body(stook_batch_result(batch, 0), NULL),
                   "\r\nUser-Agent: old program\r\n");
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
}

/* The size alone is a whole struct: all defaults. */
TEST(smallest)
{
    struct raw_server *server = raw_server_start(NULL);
    size_t size = sizeof size;
    stook_client *client;
    stook_batch *batch;
    void *edge = at_the_edge(&size, sizeof size);
    CHECK_ERROR(stook_client_new(NULL, edge, &client), 0);
    CHECK_ERROR(stook_batch_new(client, &batch), 0);
    add(batch, raw_url(server, "/ok"));
    CHECK_EQ_INT(stook_gather(batch, edge), 0);
    take_away(edge);
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
}

/* A struct that was not made by its macro has no size, or a nonsensical one. */
TEST_BOTH(no_size)
{
    struct stook_request request = STOOK_REQUEST("http://127.0.0.1/");
    struct stook_gather_options gather = STOOK_GATHER();
    struct stook_client_options options = STOOK_CLIENT();
    life_open(life, NULL);
    for (size_t size = 0; size < sizeof size; size++) {
        stook_client *client = NULL;
        stook_batch *batch = life_batch(life);
        request.size = gather.size = options.size = size;
        CHECK_ERROR(life_gather(life, batch, &gather), STOOK_EARG);
        CHECK_ERROR(stook_batch_add(batch, &request), STOOK_EARG);
        CHECK_ERROR(stook_client_new(NULL, &options, &client), STOOK_EARG);
        CHECK(client == NULL);
        stook_batch_free(batch);
    }
}

TEST_BOTH(newer_requests)
{
    struct {
        struct stook_request known;
        int64_t unknown[40];
    } newer;
    struct raw_server *server = raw_server_start(NULL);
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    memset(&newer, 0, sizeof newer);
    newer.known.size = sizeof newer;
    newer.known.url = raw_url(server, "/ok");
    CHECK_ERROR(stook_batch_add(batch, &newer.known), 0);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);

    batch = life_batch(life);
    for (size_t i = 0; i < 40; i += 13) {
        memset(newer.unknown, 0, sizeof newer.unknown);
        ((char *)&newer.unknown[i])[i % 8] = 1; /* any byte of it */
        CHECK_ERROR(stook_batch_add(batch, &newer.known), STOOK_EUNSUPPORTED);
        CHECK(stook_batch_message(batch)[0] != '\0');
    }
    CHECK_ERROR(life_gather(life, batch, NULL), STOOK_EUNSUPPORTED);
    stook_batch_free(batch);
}

TEST_BOTH(newer_gathers)
{
    struct {
        struct stook_gather_options known;
        int64_t unknown[4];
    } newer;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    memset(&newer, 0, sizeof newer);
    newer.known.size = sizeof newer;
    newer.unknown[3] = 1;
    CHECK_ERROR(life_gather(life, batch, &newer.known), STOOK_EUNSUPPORTED);
    CHECK_ERROR(life_gather_ordered(life, batch, &newer.known), STOOK_EUNSUPPORTED);
    newer.unknown[3] = 0;
    CHECK_EQ_INT(life_gather(life, batch, &newer.known), 0);
    stook_batch_free(batch);
}

TEST(newer_clients)
{
    struct {
        struct stook_client_options known;
        int64_t unknown[4];
    } newer;
    stook_client *client = NULL;
    memset(&newer, 0, sizeof newer);
    newer.known.size = sizeof newer;
    newer.unknown[0] = 1;
    CHECK_ERROR(stook_client_new(NULL, &newer.known, &client), STOOK_EUNSUPPORTED);
    CHECK(client == NULL);
    newer.unknown[0] = 0;
    CHECK_ERROR(stook_client_new(NULL, &newer.known, &client), 0);
    stook_client_close(client, NULL, NULL);
}
