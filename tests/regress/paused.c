/* SPDX-License-Identifier: MIT */
/*
 * What libcurl keeps of a paused body is freed with the transfer, however that ends. libcurl's memory is
 * counted from its first byte on.
 */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <stook.h>

#include "support/life.h"
#include "support/certificates.h"
#include "support/process.h"
#include "support/raw_h2.h"
#include "support/raw_tls.h"

enum { STREAMS = 8, LAST = STREAMS - 1, PIECE = 16384, PIECES = 48, HELD = 1 << 20 };

/* --------------------------------------------------------- memory of libcurl */

static atomic_size_t live_bytes, live_blocks;

struct block {
    size_t size;
    max_align_t data[];
};

static void count(size_t size, int sign)
{
    atomic_fetch_add(&live_bytes, sign > 0 ? size : 0 - size);
    atomic_fetch_add(&live_blocks, sign > 0 ? (size_t)1 : SIZE_MAX);
}

static void *resize(void *data, size_t size)
{
    struct block *block = data != NULL ? (struct block *)(void *)((char *)data - offsetof(struct block, data)) : NULL;
    size_t before = block != NULL ? block->size : 0;
    struct block *moved = realloc(block, sizeof *block + size);
    if (moved == NULL)
        return NULL;
    if (block != NULL)
        count(before, -1);
    moved->size = size;
    count(size, 1);
    return moved->data;
}

static void *take(size_t size)
{
    return resize(NULL, size);
}

static void *take_zeroed(size_t n, size_t size)
{
    void *data = resize(NULL, n * size);
    return data != NULL ? memset(data, 0, n * size) : NULL;
}

static void release(void *data)
{
    if (data == NULL)
        return;
    struct block *block = (struct block *)(void *)((char *)data - offsetof(struct block, data));
    count(block->size, -1);
    free(block);
}

static char *copy(const char *text)
{
    size_t size = strlen(text) + 1;
    char *data = resize(NULL, size);
    return data != NULL ? memcpy(data, text, size) : NULL;
}

/* ------------------------------------------------------------------ the peer */

static uint32_t streams[STREAMS]; /* of the connection, which is the only one just then */

/* With the last of them 768 KiB of each, by turns, and no end. */
static void half(struct h2 *h2)
{
    static const char bytes[PIECE];
    h2_head(h2, H2_NONE, 200, NULL);
    streams[(h2->nth - 1) % STREAMS] = h2->stream;
    for (int i = 0; h2->nth == STREAMS && i < PIECES * STREAMS; i++)
        h2_frame(h2, H2_DATA, H2_NONE, streams[i % STREAMS], bytes, sizeof bytes);
}

static void reset_all(struct h2 *h2)
{
    for (int i = 0; i < STREAMS; i++)
        h2_number(h2, H2_RST_STREAM, streams[i], H2_INTERNAL_ERROR);
    h2_ok(h2, "done");
}

static void go_away(struct h2 *h2)
{
    h2_ok(h2, "done");
    h2->done = 1;
}

static const struct h2_answer answers[] = {{"/half", half, NULL}, {"/reset", reset_all, NULL}, {"/away", go_away, NULL}, {0}};

/* ------------------------------------------------------------------- the end */

enum way { CANCELLED, CANCELLED_ONE_BY_ONE, BY_A_CLOCK, REFUSED, RESET_BY_THE_PEER, CONNECTION_ENDED, WAYS };

static struct run {
    struct life *life;
    stook_batch *batch, *beside;
    enum way way;
    int port, refuse;
    size_t before, read;
} run;

static void resume_all(void)
{
    for (size_t i = 0; i < STREAMS; i++)
        stook_batch_resume_request(run.batch, i);
}

static void on_answer(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)user;
    CHECK_ERROR(stook_result_error(result), 0);
    run.refuse = run.way == CONNECTION_ENDED; /* else it would wait for what is gone */
    resume_all();
}

/* Later versions have smaller windows and keep less. */
static int has_weak_http_2(void)
{
    return curl_version_info(CURLVERSION_NOW)->version_num <= 0x0800ff;
}

static void ask_peer(const char *path)
{
    run.beside = life_batch(run.life);
    ADD(run.beside, text("https://127.0.0.1:%d%s", run.port, path), .http_version = STOOK_HTTP_2);
    CHECK_ERROR(stook_gather_start(run.beside, &STOOK_GATHER(.on_result = on_answer), NULL, NULL), 0);
}

static void end(stook_client *client, void *user)
{
    (void)client, (void)user;
    if (has_weak_http_2())
        CHECK(atomic_load(&live_bytes) > run.before + HELD);
    switch (run.way) {
    case CANCELLED:
        stook_batch_cancel(run.batch);
        break;
    case CANCELLED_ONE_BY_ONE:
        for (size_t i = 0; i < STREAMS; i++)
            stook_batch_cancel_request(run.batch, i);
        break;
    case REFUSED:
        run.refuse = 1;
        resume_all();
        break;
    case RESET_BY_THE_PEER:
        ask_peer("/reset");
        break;
    case CONNECTION_ENDED:
        ask_peer("/away");
        break;
    default:
        break;
    }
}

/* All but the last pause at once; it goes on, so libcurl reads what comes for the others. */
static int on_body(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    (void)batch, (void)data, (void)user;
    if (stook_result_index(result) != LAST)
        return run.refuse ? 1 : STOOK_PAUSE;
    run.read += size;
    if (run.read == PIECE * PIECES)
        CHECK_ERROR(stook_client_post(run.life->client, end, NULL), 0);
    return 0;
}

static void check(struct life *life, const char *ca, int port, enum way way)
{
    test_note("way %d", way);
    size_t blocks = atomic_load(&live_blocks);
    life_open(life, &STOOK_CLIENT(.ca_file = ca));
    run = (struct run){.life = life, .batch = life_batch(life), .way = way, .port = port, .before = atomic_load(&live_bytes)};
    for (int i = 0; i < STREAMS; i++)
        ADD(run.batch, text("https://127.0.0.1:%d/half", port), .http_version = STOOK_HTTP_2, .on_body = on_body,
            .timeout_ms = way == BY_A_CLOCK ? 500 : 0);
    CHECK_ERROR(stook_gather_start(run.batch, NULL, NULL, NULL), 0);
    life_run(life);
    stook_batch_free(run.batch);
    stook_batch_free(run.beside);
    life_close(life);
    test_note("way %d: %zu bytes are left", way, atomic_load(&live_bytes));
    CHECK_EQ_SIZE(atomic_load(&live_blocks), blocks);
}

TEST_BOTH(given_up_with_its_transfer)
{
    static struct raw_tls tls;
    static struct raw_door door;
    static int counts;
    if (!counts++)
        CHECK_EQ_INT(curl_global_init_mem(CURL_GLOBAL_DEFAULT, take, release, resize, copy, take_zeroed), 0);
    if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2))
        test_skip("this libcurl speaks no HTTP/2");
    const char *directory = temporary_directory();
    const char *ca = text("%s/authority.pem", directory);
    certificates_standard(directory);
    tls = (struct raw_tls){.directory = directory, .certificate = "leaf", .alpn = "h2", .inside = raw_h2_serve};
    door = (struct raw_door){.serve = raw_tls_serve, .arg = &tls};
    raw_h2_answers = answers;
    raw_server_open(NULL, &door, 1);
    life_open(life, &STOOK_CLIENT(.ca_file = ca));
    stook_batch *batch = life_batch(life); /* what libcurl takes once and for ever is taken now */
    ADD(batch, text("https://127.0.0.1:%d/path/1", door.port), .http_version = STOOK_HTTP_2);
    CHECK_EQ_INT(life_gather(life, batch, NULL), 0);
    stook_batch_free(batch);
    life_close(life);
    for (int way = 0; way < WAYS; way++)
        check(life, ca, door.port, (enum way)way);
}
