/* SPDX-License-Identifier: MIT */
/*
 * Calls of the API in any order, from everywhere. The input is a program: each byte a call, the bytes behind it
 * what it is given; callbacks take calls from it too. Peers are real and of every kind (peers.h), the allocator
 * fails when the program says so, other threads call what any thread may.
 *
 *   each accepted request of an accepted await has exactly one result, on time: never behind `done`
 *   `done`, `closed`, body_release and posted calls come exactly once, and nothing behind `closed`
 *   a call that may not be is refused, and changes nothing that can be seen
 *   when all is closed nothing is left in memory and in the loop
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include <stook.h>

#include "fuzz.h"
#include "support/memory.h"
#include "peers.h"

enum { BATCHES = 24, REQUESTS = 24, KEPT = 8, CALLS = 400, DEPTH = 3 };

struct request {
    struct batch *batch;
    unsigned results, heads, reads, released, borrowed;
    char body[8];
};

struct batch {
    stook_batch *handle; /* NULL: freed, or there was none */
    size_t accepted;
    int awaited, blocking, by_callback, pulled, has_done, done;
    int more_left;
    struct request requests[REQUESTS];
};

static struct world {
    struct fuzz_input input;
    uv_loop_t loop;
    struct memory memory;
    stook_client *client;
    int borrowed, closing, closed, depth, calls;
    int freeing; /* inside stook_batch_free(), which may call body_release where no loop runs */
    struct batch batches[BATCHES];
    size_t n_batches;
    const stook_result *kept[KEPT];
    int posts_accepted;
    atomic_int posts;
    pthread_t thread;
    int has_thread;
} *world;

static void call_one(void);

static void call_from_inside(void)
{
    CHECK(!world->closed);
    if (world->depth >= DEPTH || world->input.left == 0 || fuzz_below(&world->input, 3) != 0)
        return;
    world->depth++;
    /* body_release may run outside a turn, and there a close of an owned loop is complete when it returns. */
    for (unsigned n = 1 + fuzz_below(&world->input, 3); n > 0 && !world->closed; n--)
        call_one();
    world->depth--;
}

static struct batch *some_batch(void)
{
    return world->n_batches > 0 ? &world->batches[fuzz_below(&world->input, (unsigned)world->n_batches)] : NULL;
}

/* --------------------------------------------------------------------------- callbacks */

static int on_head(stook_batch *batch, const stook_result *result, void *user)
{
    struct request *request = user;
    (void)batch;
    CHECK_EQ_INT((int)++request->heads, 1);
    CHECK(request->results == 0 && stook_result_user(result) == user);
    call_from_inside();
    return fuzz_below(&world->input, 16) == 1;
}

static int on_body(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    struct request *request = user;
    (void)batch, (void)result;
    CHECK(data != NULL && size > 0 && request->results == 0);
    call_from_inside();
    unsigned answer = fuzz_below(&world->input, 16);
    return answer == 1 ? STOOK_PAUSE : answer == 2 ? -1 : 0;
}

static void on_progress(stook_batch *batch, const stook_result *result, const struct stook_progress *progress, void *user)
{
    struct request *request = user;
    (void)batch, (void)result;
    CHECK(progress->received >= 0 && progress->sent >= 0 && request->results == 0);
    call_from_inside();
}

static int64_t body_read(stook_batch *batch, size_t index, void *buffer, size_t size, void *user)
{
    struct request *request = user;
    (void)batch, (void)index;
    CHECK(size >= 65536 && request->results == 0);
    call_from_inside();
    unsigned answer = fuzz_below(&world->input, 12);
    if (answer == 1)
        return STOOK_AGAIN;
    if (answer == 2)
        return -1;
    if (request->reads++ > 2)
        return 0;
    memset(buffer, 'b', answer == 3 ? size : 100);
    return answer == 3 ? (int64_t)size : 100;
}

static int body_rewind(stook_batch *batch, size_t index, void *user)
{
    struct request *request = user;
    (void)batch, (void)index;
    request->reads = 0;
    call_from_inside();
    return fuzz_below(&world->input, 8) == 1;
}

static void body_release(void *body, void *user)
{
    struct request *request = user;
    CHECK(body == request->body && request->borrowed);
    CHECK_EQ_INT((int)++request->released, 1);
    if (!world->closed)
        call_from_inside();
}

static void take_result(struct batch *batch, const stook_result *result)
{
    size_t index = stook_result_index(result);
    CHECK(index < batch->accepted && stook_result_user(result) == &batch->requests[index]);
    CHECK_EQ_INT((int)++batch->requests[index].results, 1);
    CHECK(stook_result_message(result)[0] != '\0' && (!stook_result_ok(result) || stook_result_error(result) == 0));
    const stook_result **place = &world->kept[index % KEPT];
    if (*place == NULL && index % 3 == 0)
        *place = stook_result_ref(result);
}

static void on_result(stook_batch *handle, const stook_result *result, void *user)
{
    struct batch *batch = user;
    (void)handle;
    CHECK(batch->by_callback && !batch->done);
    take_result(batch, result);
    call_from_inside();
}

static void on_done(stook_batch *handle, int failed, void *user)
{
    struct batch *batch = user;
    (void)handle;
    CHECK_EQ_INT(++batch->done, 1);
    CHECK(failed >= 0);
    call_from_inside();
}

static void note_closed(void *user)
{
    (void)user;
    CHECK_EQ_INT(++world->closed, 1);
}

static void posted(stook_client *client, void *user)
{
    (void)user;
    CHECK(client == world->client);
    atomic_fetch_add(&world->posts, 1);
    call_from_inside();
}

/* ------------------------------------------------------------------------------- calls */

static void add_one(struct batch *batch)
{
    struct fuzz_input *in = &world->input;
    size_t index = batch->accepted;
    if (index >= REQUESTS || batch->handle == NULL)
        return;
    struct fuzz_peer peer = fuzz_peer(fuzz_below(in, FUZZ_PEERS));
    struct request *request = &batch->requests[index];
    char url[128], mirror[128];
    const char *const mirrors[] = {mirror, NULL};
    unsigned with = fuzz_byte(in), body = fuzz_below(in, 8);
    memset(request, 0, sizeof *request);
    request->batch = batch;
    strcat(strcpy(url, peer.base), fuzz_path(fuzz_byte(in)));
    struct stook_request asked = STOOK_REQUEST(url, .user = request, .unix_socket = peer.unix_socket, .http_version = peer.http_version);
    asked.on_head = with & 1 ? on_head : NULL;
    asked.on_body = with & 2 ? on_body : NULL;
    asked.on_progress = with & 4 ? on_progress : NULL;
    asked.method = with & 8 ? "PUT" : with & 16 ? "HEAD" : NULL;
    asked.attempt_timeout_ms = with & 32 ? 5 : 0;
    asked.priority = with & 64 ? 7 : 0;
    asked.cookies = with & 64 ? 1 : 0;
    asked.decompress = with & 128 ? 1 : 0;
    asked.max_redirects = body != 7 ? 2 : 0; /* of /redirect */
    if (body == 1 || body == 2) {
        asked.body = request->body;
        asked.body_size = sizeof request->body;
        asked.body_release = body == 2 ? body_release : NULL;
        request->borrowed = body == 2;
    } else if (body == 3 || body == 4) {
        asked.body_read = body_read;
        asked.body_rewind = body == 4 ? body_rewind : NULL;
    } else if (body == 5) {
        asked.url = "http://h:0/"; /* refused when it starts */
    } else if (body == 6) {
        asked.username = "rye";
        asked.password = "barley";
        asked.auth = STOOK_AUTH_DIGEST;
    } else if (body == 7) {
        struct fuzz_peer other = fuzz_peer(fuzz_below(in, FUZZ_PEERS));
        strcat(strcpy(mirror, other.base), fuzz_path(fuzz_byte(in)));
        asked.mirrors = mirrors;
    }
    batch->accepted++; /* a callback from inside the call may add too */
    int error = stook_batch_add(batch->handle, &asked);
    if (error != 0) {
        CHECK(error == STOOK_ESTATE || error == STOOK_ENOMEM);
        batch->accepted--;
        request->borrowed = 0;
    }
}

static int more(stook_batch *handle, void *user)
{
    struct batch *batch = user;
    size_t before = batch->accepted;
    (void)handle;
    CHECK(!batch->done);
    call_from_inside();
    unsigned answer = fuzz_below(&world->input, 8);
    if (answer == 1)
        return STOOK_AGAIN;
    if (answer == 2 || batch->more_left-- <= 0 || batch->handle == NULL)
        return 0;
    add_one(batch);
    return batch->accepted > before;
}

static void join_thread(void)
{
    if (!world->has_thread)
        return;
    world->has_thread = 0;
    CHECK_EQ_INT(pthread_join(world->thread, NULL), 0);
}

static struct stook_gather_options some_options(struct batch *batch, int may_pull)
{
    struct fuzz_input *in = &world->input;
    unsigned with = fuzz_byte(in), policy = fuzz_below(in, 8);
    struct stook_gather_options options = STOOK_GATHER(.user = batch, .timeout_ms = 1 + fuzz_below(in, 20));
    options.limit = with & 1 ? 1 + fuzz_below(in, 4) : 0;
    options.window = with & 2 ? 1 + fuzz_below(in, 3) : 0;
    options.more = with & 4 ? more : NULL;
    batch->more_left = 3;
    batch->pulled = may_pull && (with & 8) != 0;
    options.pull = batch->pulled;
    batch->by_callback = !batch->pulled && (with & 16) != 0;
    options.on_result = batch->by_callback ? on_result : NULL;
    options.max_buffered_bytes = with & 32 ? 1000 : 0;
    options.policy = policy <= STOOK_POLICY_QUORUM ? (int64_t)policy : 0;
    options.quorum = policy == STOOK_POLICY_QUORUM ? 2 : 0;
    return options;
}

static void start(struct batch *batch)
{
    typedef int start_fn(stook_batch *, const struct stook_gather_options *, void (*)(stook_batch *, int, void *), void *);
    struct batch before = *batch;
    struct stook_gather_options options = some_options(batch, 1);
    start_fn *verb = fuzz_below(&world->input, 2) ? stook_gather_ordered_start : stook_gather_start;
    int has_done = fuzz_below(&world->input, 4) != 0;
    int error = verb(batch->handle, &options, has_done ? on_done : NULL, batch);
    if (error == 0) {
        CHECK(!batch->awaited && !world->closing);
        batch->awaited = 1;
        batch->has_done = has_done;
    } else {
        batch->by_callback = before.by_callback;
        batch->pulled = before.pulled;
    }
}

static void gather(struct batch *batch)
{
    struct batch before = *batch;
    struct stook_gather_options options = some_options(batch, 0);
    int refused = batch->awaited || world->borrowed || (world->depth > 0 && !world->freeing) || world->closing;
    int ordered = (int)fuzz_below(&world->input, 2);
    if (!refused)
        batch->awaited = 1; /* known to the callbacks */
    int failed = (ordered ? stook_gather_ordered : stook_gather)(batch->handle, &options);
    CHECK(failed < 0 || !refused);
    if (failed < 0) {
        batch->awaited = before.awaited;
        batch->by_callback = before.by_callback;
        batch->pulled = before.pulled;
        batch->more_left = before.more_left;
        return;
    }
    batch->done = 1;
}

static void pull(struct batch *batch)
{
    const stook_result *result = NULL;
    int answer = stook_batch_next(batch->handle, &result);
    CHECK(answer == 1 || answer == 0 || answer == STOOK_AGAIN || answer == STOOK_ESTATE || answer == STOOK_ENOMEM);
    if (answer == 1)
        take_result(batch, result);
}

static void look(struct batch *batch)
{
    struct stook_progress progress = STOOK_PROGRESS();
    struct stook_batch_stats stats = STOOK_BATCH_STATS();
    struct stook_stats counters = STOOK_STATS();
    unsigned index = fuzz_below(&world->input, REQUESTS);
    int state = stook_batch_request_state(batch->handle, index);
    CHECK(state >= 0 && state < STOOK_STATE_LAST_PLUS_ONE && stook_state_text(state)[0] != '\0');
    int error = stook_batch_request_progress(batch->handle, index, &progress);
    CHECK(error == 0 || error == STOOK_ESTATE);
    CHECK_ERROR(stook_batch_stats(batch->handle, &stats), 0);
    CHECK_EQ_INT(stats.added, stats.waiting + stats.in_flight + stats.finished);
    CHECK(stats.waiting >= 0 && stats.failed <= stats.finished && stats.bytes_received <= stats.bytes_expected);
    CHECK_EQ_SIZE(stook_batch_count(batch->handle), batch->accepted);
    stook_batch_satisfied(batch->handle);
    CHECK(stook_batch_message(batch->handle) != NULL);
    const stook_result *result = stook_batch_result_by_index(batch->handle, index);
    CHECK(result == NULL || stook_result_user(result) == &batch->requests[index]);
    if (result != NULL)
        CHECK(!batch->by_callback && !batch->pulled);
    stook_batch_result(batch->handle, index);
    if (world->closed)
        return;
    CHECK_ERROR(stook_client_stats(world->client, &counters), 0);
    CHECK(counters.finished <= counters.added && counters.failed <= counters.finished);
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);
    CHECK_ERROR(stook_client_dump(world->client, memory), 0);
    fclose(memory);
    free(text);
}

static void free_batch(struct batch *batch)
{
    stook_batch *gone = batch->handle;
    join_thread();
    batch->handle = NULL;
    world->freeing++;
    stook_batch_free(gone);
    world->freeing--;
}

static void close_client(void)
{
    join_thread();
    world->closing = 1;
    stook_client_close(world->client, note_closed, NULL);
    if (!world->borrowed && world->depth == 0)
        CHECK_EQ_INT(world->closed, 1);
}

/* What any thread may call. */
static void *other_thread(void *arg)
{
    struct batch *batch = arg;
    struct stook_stats counters = STOOK_STATS();
    stook_client_stats(world->client, &counters);
    if (stook_client_post(world->client, posted, NULL) == 0)
        atomic_fetch_add(&world->posts, 1 << 16);
    stook_batch_wake(batch->handle);
    if (counters.added % 2 != 0)
        stook_batch_cancel(batch->handle);
    return NULL;
}

static void start_thread(struct batch *batch)
{
    join_thread();
    if (world->closing)
        return;
    world->has_thread = 1;
    CHECK_EQ_INT(pthread_create(&world->thread, NULL, other_thread, batch), 0);
}

static void see_handle(uv_handle_t *handle, void *user)
{
    *(int *)user += stook_owns_handle(handle);
}

static void turn(void)
{
    if (world->depth > 0) { /* a loop is not run from inside itself */
        int error = stook_client_run(world->client);
        CHECK(error == STOOK_ESTATE || (error == 0 && world->freeing));
        return;
    }
    if (world->borrowed)
        uv_run(&world->loop, fuzz_below(&world->input, 3) ? UV_RUN_NOWAIT : UV_RUN_ONCE);
    else if (!world->closed)
        stook_client_run(world->client);
}

static void fail_memory(void)
{
    unsigned nth = fuzz_below(&world->input, 64);
    pthread_mutex_lock(&world->memory.lock);
    size_t calls = world->memory.calls;
    pthread_mutex_unlock(&world->memory.lock);
    memory_fail(&world->memory, nth > 0 ? calls + nth : 0, (int)fuzz_below(&world->input, 2));
}

static void new_batch(void)
{
    if (world->n_batches == BATCHES)
        return;
    struct batch *batch = &world->batches[world->n_batches];
    int error = stook_batch_new(world->client, &batch->handle);
    CHECK(error == 0 ? !world->closing : error == (world->closing ? STOOK_ESTATE : STOOK_ENOMEM));
    world->n_batches += error == 0;
}

/* Allowed outside of callbacks; then it finds that this is no file, if there is memory to ask. */
static void use_cookies(void)
{
    int loaded = stook_client_cookies_load(world->client, "/dev/null");
    int saved = stook_client_cookies_save(world->client, "/dev/null");
    CHECK(loaded == STOOK_ESTATE || loaded == STOOK_EFILE || loaded == STOOK_ENOMEM);
    CHECK(saved == STOOK_ESTATE || saved == STOOK_EFILE || saved == STOOK_ENOMEM);
}

static void call_of_client(unsigned which)
{
    int handles = 0;
    switch (which) {
    case 0:
        stook_client_set_limit(world->client, (int64_t)fuzz_below(&world->input, 5));
        break;
    case 1:
        stook_client_set_origin_limit(world->client, (int64_t)fuzz_below(&world->input, 5));
        break;
    case 2:
        fail_memory();
        break;
    case 3:
        if (world->borrowed)
            uv_walk(&world->loop, see_handle, &handles);
        use_cookies();
        break;
    case 4:
        if (stook_client_post(world->client, posted, NULL) == 0)
            world->posts_accepted++;
        break;
    default:
        if (!world->closing)
            close_client();
    }
}

static void call_of_batch(struct batch *batch, unsigned which)
{
    unsigned index = fuzz_below(&world->input, 6);
    switch (which) {
    case 0:
        pull(batch);
        break;
    case 1:
        stook_batch_pause_delivery(batch->handle);
        break;
    case 2:
        stook_batch_resume_delivery(batch->handle);
        break;
    case 3:
        stook_batch_cancel(batch->handle);
        break;
    case 4:
        stook_batch_cancel_request(batch->handle, index);
        break;
    case 5:
        stook_batch_resume_request(batch->handle, index);
        break;
    case 6:
        stook_batch_wake(batch->handle);
        break;
    case 7:
        free_batch(batch);
        break;
    case 8:
        stook_batch_set_limit(batch->handle, (int64_t)index);
        break;
    case 9:
        look(batch);
        break;
    default:
        start_thread(batch);
    }
}

static void call_one(void)
{
    unsigned which = fuzz_below(&world->input, 40);
    if (world->calls++ > CALLS)
        return;
    if (which < 6 && !world->closed) {
        call_of_client(which);
        return;
    }
    if ((which < 9 || world->n_batches == 0) && !world->closed) {
        new_batch();
        return;
    }
    struct batch *batch = some_batch();
    if (which < 13)
        turn();
    else if (batch == NULL || batch->handle == NULL)
        return;
    else if (which < 21)
        add_one(batch);
    else if (which < 26)
        start(batch);
    else if (which < 29)
        gather(batch);
    else
        call_of_batch(batch, which - 29);
}

/* --------------------------------------------------------------------------- a whole run */

static void check_batch(struct batch *batch)
{
    CHECK_EQ_INT(batch->done, batch->awaited && (batch->done || batch->has_done));
    for (size_t i = 0; i < batch->accepted; i++) {
        if (batch->awaited && batch->by_callback)
            CHECK_EQ_INT((int)batch->requests[i].results, 1);
        if (batch->awaited && batch->handle != NULL && !batch->by_callback && !batch->pulled)
            CHECK(stook_batch_result_by_index(batch->handle, i) != NULL);
    }
}

static void end(void)
{
    memory_fail(&world->memory, 0, 0);
    if (!world->closing)
        close_client();
    if (world->borrowed)
        CHECK_EQ_INT(uv_run(&world->loop, UV_RUN_DEFAULT), 0);
    CHECK_EQ_INT(world->closed, 1);
    join_thread();
    int posts = atomic_load(&world->posts);
    CHECK_EQ_INT(posts & 0xffff, world->posts_accepted + (posts >> 16));
    for (size_t i = 0; i < world->n_batches; i++) {
        struct batch *batch = &world->batches[i];
        check_batch(batch);
        if (batch->handle != NULL)
            free_batch(batch);
        for (size_t j = 0; j < batch->accepted; j++)
            CHECK_EQ_INT((int)batch->requests[j].released, (int)batch->requests[j].borrowed);
    }
    for (size_t i = 0; i < KEPT; i++)
        stook_result_unref(world->kept[i]);
    if (world->borrowed)
        CHECK_EQ_INT(uv_loop_close(&world->loop), 0);
    memory_check_empty(&world->memory);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    fuzz_peers_start();
    atexit(test_finish);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world = calloc(1, sizeof *world);
    CHECK(world != NULL);
    world->input = (struct fuzz_input){data, size};
    memory_begin(&world->memory);
    unsigned with = fuzz_byte(&world->input);
    world->borrowed = (int)(with & 1);
    if (world->borrowed)
        CHECK_EQ_INT(uv_loop_init(&world->loop), 0);
    if (with & 2)
        fail_memory();
    int error = stook_client_new(world->borrowed ? &world->loop : NULL,
                                 &STOOK_CLIENT(.allocator = &world->memory.allocator, .ca_file = fuzz_peers_authority(),
                                               .limit = with & 4 ? 2 : 0, .origin_limit = with & 8 ? 1 : 0, .strict = with & 16 ? 1 : 0),
                                 &world->client);
    if (error == 0) {
        while (world->input.left > 0 && world->calls < CALLS)
            call_one();
        end();
    } else {
        CHECK_ERROR(error, STOOK_ENOMEM);
        if (world->borrowed) {
            uv_run(&world->loop, UV_RUN_DEFAULT);
            CHECK_EQ_INT(uv_loop_close(&world->loop), 0);
        }
        memory_check_empty(&world->memory);
    }
    free(world);
    return 0;
}
