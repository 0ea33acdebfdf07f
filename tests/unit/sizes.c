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

#include "support/life.h"
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

/* --------------------------------------------------------- structs that are filled */

/* As a header had it that knew no more than the first members; as one that knows more. */
TEST_BOTH(filled)
{
    struct {
        struct stook_batch_stats known;
        int64_t more;
    } newer = {.known = STOOK_BATCH_STATS(), .more = 7};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    add(batch, "http://127.0.0.1/");
    newer.known.size = offsetof(struct stook_batch_stats, finished);
    struct stook_batch_stats *older = at_the_edge(&newer.known, newer.known.size);
    CHECK_ERROR(stook_batch_stats(batch, older), 0);
    CHECK_EQ_SIZE(older->size, offsetof(struct stook_batch_stats, finished));
    CHECK_EQ_INT(older->added, 1);
    CHECK_EQ_INT(older->waiting, 1);
    take_away(older);
    newer.known.size = sizeof newer;
    CHECK_ERROR(stook_batch_stats(batch, &newer.known), 0);
    CHECK_EQ_SIZE(newer.known.size, sizeof newer);
    CHECK_EQ_INT(newer.known.added, 1);
    CHECK_EQ_INT(newer.more, 0); /* nothing is known of it */
    static const size_t wrong[] = {0, sizeof(size_t) - 1, 65537, SIZE_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct stook_batch_stats stats = {.size = wrong[i], .added = 5};
        struct stook_stats counters = {.size = wrong[i], .added = 5};
        CHECK_ERROR(stook_batch_stats(batch, &stats), STOOK_EARG);
        CHECK_ERROR(stook_client_stats(life->client, &counters), STOOK_EARG);
        CHECK_EQ_INT(stats.added, 5);
        CHECK_EQ_INT(counters.added, 5);
    }
    stook_batch_free(batch);
}

/* ----------------------------------------------- made by functions, not by macros */

#define CHECK_INIT(name_, function_)                                              \
    do {                                                                          \
        struct {                                                                  \
            struct name_ known;                                                   \
            unsigned char more[16];                                               \
        } theirs, before;                                                         \
        for (size_t size = sizeof(size_t); size <= sizeof theirs; size++) {       \
            test_note("%s of %zu bytes", #name_, size);                           \
            memset(&theirs, 0xa5, sizeof theirs);                                 \
            memset(&before, 0xa5, sizeof before);                                 \
            memset(&before, 0, size);                                             \
            before.known.size = size;                                             \
            function_(&theirs.known, size);                                       \
            CHECK(memcmp(&theirs, &before, sizeof theirs) == 0);                  \
        }                                                                         \
        memset(&theirs, 0xa5, sizeof theirs);                                     \
        memset(&before, 0xa5, sizeof before);                                     \
        function_(&theirs.known, sizeof(size_t) - 1);                             \
        function_(&theirs.known, 0);                                              \
        CHECK(memcmp(&theirs, &before, sizeof theirs) == 0);                      \
        function_(NULL, sizeof(struct name_));                                    \
    } while (0)

TEST(init_functions)
{
    CHECK_INIT(stook_client_options, stook_client_options_init);
    CHECK_INIT(stook_request, stook_request_init);
    CHECK_INIT(stook_part, stook_part_init);
    CHECK_INIT(stook_gather_options, stook_gather_options_init);
    CHECK_INIT(stook_progress, stook_progress_init);
    CHECK_INIT(stook_batch_stats, stook_batch_stats_init);
    CHECK_INIT(stook_stats, stook_stats_init);
}

/* A whole exchange without a macro, as a language without them has it. */
TEST(without_macros)
{
    struct raw_server *server = raw_server_start(NULL);
    struct stook_client_options options;
    struct stook_request request;
    struct stook_gather_options gather;
    stook_client *client;
    stook_batch *batch;
    stook_client_options_init(&options, sizeof options);
    options.timeout_ms = 30000;
    CHECK_ERROR(stook_client_new(NULL, &options, &client), 0);
    CHECK_ERROR(stook_batch_new(client, &batch), 0);
    for (int i = 0; i < 3; i++) {
        stook_request_init(&request, sizeof request);
        request.url = raw_url(server, "/path/%d", i);
        CHECK_ERROR(stook_batch_add(batch, &request), 0);
    }
    stook_gather_options_init(&gather, sizeof gather);
    gather.limit = 1;
    CHECK_EQ_INT(stook_gather_ordered(batch, &gather), 0);
    CHECK_STR(stook_result_body(stook_batch_result(batch, 2), NULL), "/path/2");
    stook_batch_free(batch);
    stook_client_close(client, NULL, NULL);
}
