/* SPDX-License-Identifier: MIT */
/*
 * Random histories of a client: batches of all kinds at once, requests with every possible end, and every
 * call that the header allows, at random moments, outside callbacks and inside each kind of callback. The
 * seed alone decides what is done next; when it happens also depends on the network. After each history the
 * promises of the header are checked.
 *
 * A failure prints its seed. CHURN_FROM starts with that seed, CHURN_COUNT sets the number of histories.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"
#include "support/sockets.h"

enum { HISTORIES = 220, GROUPS = 8, ADDS = 48, ACTIONS = 60, KEPT = 64, SLOTS = 1 << 20 };

/* ------------------------------------------------------------------ chance */

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static unsigned draw(uint64_t *dice, unsigned below)
{
    *dice = mix(*dice);
    return (unsigned)((*dice >> 16) % below);
}

/* ------------------------------------------------------------- what happens */

enum fate { FAST, DELAYED, STALLED, HALF, REFUSED, RESET, SHORT, MISSING, BAD_URL, BIG, LAST_WORD, FATES };

static const char *const paths[FATES] = {[FAST] = "ok",        [DELAYED] = "ok", [STALLED] = "stall",
                                         [HALF] = "stall-body", [RESET] = "rst",  [SHORT] = "short",
                                         [MISSING] = "none",   [BIG] = "big",    [LAST_WORD] = "close-after"};

struct request {
    struct group *group;
    size_t index;
    enum fate fate;
    int body;
    unsigned results;
};

enum state { NONE, OPEN, AWAITED, DONE };

/* A batch as it should be. */
struct group {
    struct world *world;
    stook_batch *batch; /* NULL: freed by us */
    enum state state;
    int ordered, streamed, blocking, adding; /* `adding`: how often `more` may still add */
    int64_t limit;
    unsigned slot;
    size_t count, results, not_ok, abandoned;
    size_t extra_failures, maybe; /* not ok without being a request: surely, perhaps */
    struct request requests[ADDS];
};

struct world {
    struct life life;
    uint64_t dice, seed;
    int actions, depth;
    int closing, nomem, beside;
    atomic_int closed;
    pthread_mutex_t gate; /* another thread is held off while we free or end */
    uv_timer_t timer; /* of the program, on a borrowed loop */
    unsigned posted, ran;
    atomic_uint posted_beside;
    unsigned groups;
    struct group group[GROUPS];
    unsigned kept;
    const stook_result *keeps[KEPT];
};

/* ------------------------------------------------------------------ server */

/* Requests in flight, per batch of every history; shared with the server. */
static struct slot {
    atomic_int now, peak;
} *slots;
static struct raw_server *server;
static int nobody;

/* /count/PATH?slot=7&ms=5: PATH after a while, counted as in flight until then. */
static enum raw_then count(struct raw_call *call)
{
    struct slot *slot = &slots[raw_number(call, "slot")];
    const struct raw_behaviour *row = raw_behaviours;
    char byte;
    int now = atomic_fetch_add(&slot->now, 1) + 1, peak = atomic_load(&slot->peak);
    while (now > peak && !atomic_compare_exchange_weak(&slot->peak, &peak, now))
        ;
    while (row->path && strcmp(row->path, call->path + strlen("/count")) != 0)
        row++;
    raw_pause(raw_number(call, "ms"));
    if (row->path && row->then == RAW_HOLD && !row->bytes)
        while (recv(call->fd, &byte, 1, 0) > 0)
            ;
    atomic_fetch_sub(&slot->now, 1);
    if (!row->path)
        return raw_say(call, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n") ? RAW_KEEP : RAW_CLOSE;
    if (row->answer)
        return row->answer(call);
    if (row->bytes)
        raw_send(call, row->bytes, strlen(row->bytes));
    return row->then;
}

static void unmap(void *arg)
{
    munmap(arg, SLOTS * sizeof *slots);
}

static void serve(void)
{
    static const struct raw_behaviour table[] = {{"/count", .answer = count}, {NULL}};
    slots = mmap(NULL, SLOTS * sizeof *slots, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(slots != MAP_FAILED);
    test_defer(unmap, slots);
    server = raw_server_start(table);
    nobody = refusing_port();
}

/* ------------------------------------------------------------------ memory */

/* Where memory is short, one allocation of so many fails. */
static unsigned memory_odds;
static void *(*real_resize)(void *block, size_t size, void *user);
static atomic_uint_fast64_t memory_dice;

static void *scarce_resize(void *block, size_t size, void *user)
{
    if (mix(atomic_fetch_add(&memory_dice, 1)) % memory_odds == 0)
        return NULL;
    return real_resize(block, size, user);
}

/* ----------------------------------------------------------------- results */

static void act(struct world *world);

static void check_error_of(const struct request *request, const stook_result *result, int nomem)
{
    int error = stook_result_error(result), status = stook_result_status(result);
    int early = error == STOOK_ECANCELLED || error == STOOK_ECLOSED || error == STOOK_ETIMEOUT_QUEUE ||
                error == STOOK_ETIMEOUT_BATCH || error == STOOK_ETIMEOUT_ATTEMPT ||
                error == STOOK_ETIMEOUT_TOTAL || (nomem && error == STOOK_ENOMEM) ||
                /* a kept connection was lost, and there was no memory to send the request again */
                (nomem && error == STOOK_ERESET &&
                 strstr(stook_result_message(result), "its repeat failed: out of memory") != NULL) ||
                (request->body && error == STOOK_ERESET); /* a POST is not sent again, and others end connections */
    if (early)
        return;
    switch (request->fate) {
    case FAST:
    case DELAYED:
    case BIG:
    case LAST_WORD:
        CHECK_ERROR(error, 0);
        CHECK_EQ_INT(status, 200);
        break;
    case MISSING:
        CHECK_ERROR(error, 0);
        CHECK_EQ_INT(status, 404);
        break;
    case REFUSED:
        CHECK_ERROR(error, STOOK_ECONNECT);
        break;
    case RESET:
        CHECK_ERROR(error, STOOK_ERESET);
        break;
    case SHORT:
        CHECK_ERROR(error, STOOK_ETRUNCATED);
        break;
    case BAD_URL:
        CHECK_ERROR(error, STOOK_EURL);
        break;
    default:
        FAIL("a stalled request has the error %s", stook_err_name(error));
    }
}

static void read_result(const stook_result *result)
{
    size_t size = 0;
    const char *body = stook_result_body(result, &size);
    CHECK_EQ_INT(body[size], 0);
    CHECK(strlen(stook_result_url(result)) > 0 && strlen(stook_result_message(result)) > 0);
    CHECK(stook_result_ok(result) == (stook_result_error(result) == 0 && stook_result_status(result) / 100 == 2));
}

/* One result of a group, by whatever way it came. */
static void note_result(struct group *group, const stook_result *result)
{
    struct request *request = stook_result_user(result);
    int error = stook_result_error(result);
    CHECK(request != NULL && request->group == group);
    CHECK_EQ_SIZE(stook_result_index(result), request->index);
    CHECK_EQ_INT(++request->results, 1);
    read_result(result);
    check_error_of(request, result, group->world->nomem);
    group->results++;
    group->not_ok += !stook_result_ok(result);
    /* The server has it in flight until it notices. */
    group->abandoned += error != 0 && stook_result_attempts(result) > 0;
}

static void keep(struct world *world, const stook_result *result)
{
    if (draw(&world->dice, 3) == 0 && world->kept < KEPT)
        world->keeps[world->kept++] = stook_result_ref(result);
    else if (draw(&world->dice, 8) == 0 && world->kept > 0)
        stook_result_unref(world->keeps[--world->kept]);
}

static void read_batch(struct group *group, const stook_batch *batch)
{
    CHECK_EQ_SIZE(stook_batch_count(batch), group->count);
    for (size_t i = 0; i < group->count; i++) {
        const stook_result *result = stook_batch_result(batch, i);
        if (group->streamed) {
            CHECK(result == NULL && stook_batch_result_by_index(batch, i) == NULL);
            continue;
        }
        CHECK(result != NULL && stook_batch_result_by_index(batch, i) != NULL);
        CHECK_EQ_SIZE(stook_result_index(stook_batch_result_by_index(batch, i)), i);
        if (group->ordered)
            CHECK_EQ_SIZE(stook_result_index(result), i);
        note_result(group, result);
        keep(group->world, result);
    }
}

static void end_group(struct group *group, const stook_batch *batch, int failed)
{
    CHECK_EQ_INT(group->state, AWAITED);
    group->state = DONE;
    if (batch)
        read_batch(group, batch);
    if (!batch && !group->streamed)
        return; /* freed within a blocking await */
    CHECK_EQ_SIZE(group->results, group->count);
    CHECK((size_t)failed >= group->not_ok + group->extra_failures);
    CHECK((size_t)failed <= group->not_ok + group->extra_failures + group->maybe);
}

/* --------------------------------------------------------------- callbacks */

static void enter(struct world *world)
{
    CHECK(!world->closed);
    CHECK_EQ_INT(++world->depth, 1);
}

static void leave(struct world *world)
{
    for (unsigned n = draw(&world->dice, 3); n > 0; n--)
        act(world);
    world->depth--;
}

static void on_result(stook_batch *batch, const stook_result *result, void *user)
{
    struct group *group = user;
    enter(group->world);
    CHECK(!group->batch || batch == group->batch);
    CHECK_EQ_INT(group->state, AWAITED);
    if (group->ordered)
        CHECK_EQ_SIZE(stook_result_index(result), group->results);
    note_result(group, result);
    keep(group->world, result);
    leave(group->world);
    read_result(result); /* whatever was done meanwhile */
}

static void on_done(stook_batch *batch, int failed, void *user)
{
    struct group *group = user;
    enter(group->world);
    CHECK(!group->blocking);
    end_group(group, batch, failed);
    leave(group->world);
}

static void add_one(struct group *group);

static int more(stook_batch *batch, void *user)
{
    struct group *group = user;
    struct world *world = group->world;
    size_t before = group->count;
    int answer = --group->adding > 0;
    enter(world);
    CHECK(!group->batch || batch == group->batch);
    CHECK_EQ_INT(group->state, AWAITED);
    if (answer && draw(&world->dice, 8) != 0)
        add_one(group);
    if (draw(&world->dice, 16) == 0)
        answer = -1;
    leave(world);
    group->extra_failures += answer < 0 || (answer == 1 && group->count == before);
    return answer;
}

static void posted(stook_client *client, void *user)
{
    struct world *world = user;
    (void)client;
    enter(world);
    world->ran++;
    leave(world);
}

static void closed(void *user)
{
    struct world *world = user;
    if (world->beside) /* until it hears of it, the other thread may post */
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    pthread_mutex_lock(&world->gate);
    CHECK_EQ_INT(atomic_fetch_add(&world->closed, 1), 0);
    pthread_mutex_unlock(&world->gate);
    CHECK_EQ_INT(world->depth, 0);
}

static void never(void *user)
{
    (void)user;
    FAIL("the second close is ignored, its callback never runs");
}

/* ----------------------------------------------------------------- actions */

static const char *url_for(struct group *group, enum fate fate, unsigned ms, int named)
{
    const char *host = named ? "localhost" : "127.0.0.1";
    if (fate == REFUSED)
        return text("http://127.0.0.1:%d/", nobody);
    if (fate == BAD_URL)
        return "http://[::1";
    return text("http://%s:%d/count/%s?slot=%u&n=%u&ms=%u", host, raw_port(server), paths[fate], group->slot,
                fate == BIG ? 100000 + 1000 * ms : 0, fate == FAST ? 0 : ms);
}

static void add_one(struct group *group)
{
    struct world *world = group->world;
    enum fate fate = (enum fate)draw(&world->dice, FATES + 4);
    unsigned ms = draw(&world->dice, 12), queue = draw(&world->dice, 6), attempt = draw(&world->dice, 4);
    int named = draw(&world->dice, 6) == 0, body = draw(&world->dice, 4) == 0;
    if (group->count == ADDS || !group->batch)
        return;
    fate = fate < FATES ? fate : FAST;
    struct request *request = &group->requests[group->count];
    *request = (struct request){group, group->count, fate, body, 0};
    int error = stook_batch_add(group->batch, &STOOK_REQUEST(.url = url_for(group, fate, ms, named), .user = request,
                                                             .body = body ? "body" : NULL,
                                                             .body_size = body ? STOOK_AUTO : 0,
                                                             .queue_timeout_ms = queue == 0 ? 1 + ms : 0,
                                                             .attempt_timeout_ms = attempt == 0 ? 5 + ms : 0));
    group->count += error == 0;
    CHECK_EQ_SIZE(stook_batch_count(group->batch), group->count);
    if (error == 0)
        return;
    CHECK(error == STOOK_ESTATE || (world->nomem && error == STOOK_ENOMEM));
    if (group->state == AWAITED && group->blocking)
        group->maybe++;
    else if (group->state == AWAITED)
        group->extra_failures++;
}

static struct group *new_group(struct world *world)
{
    struct group *group = &world->group[world->groups];
    stook_batch *batch = NULL;
    unsigned limit = draw(&world->dice, 6), adds = draw(&world->dice, 8);
    if (world->groups == GROUPS || world->closed)
        return NULL;
    int error = stook_batch_new(world->life.client, &batch);
    if (error) {
        CHECK_ERROR(error, world->closing && error != STOOK_ENOMEM ? STOOK_ESTATE : STOOK_ENOMEM);
        return NULL;
    }
    static unsigned slot;
    CHECK(++slot < SLOTS);
    pthread_mutex_lock(&world->gate);
    *group = (struct group){.world = world, .batch = batch, .state = OPEN, .limit = limit, .slot = slot};
    pthread_mutex_unlock(&world->gate);
    world->groups++;
    while (adds-- > 0)
        add_one(group);
    return group;
}

static struct group *pick(struct world *world)
{
    unsigned which = draw(&world->dice, GROUPS);
    return world->groups > 0 ? &world->group[which % world->groups] : NULL;
}

typedef int start_fn(stook_batch *, const struct stook_gather_options *,
                     void (*)(stook_batch *, int, void *), void *);

static void await(struct world *world, struct group *group, int blocking)
{
    int ordered = (int)draw(&world->dice, 2), streamed = draw(&world->dice, 3) > 0;
    unsigned asks = draw(&world->dice, 6), window = draw(&world->dice, 6), ms = draw(&world->dice, 80);
    if (!group || !group->batch || world->closed)
        return;
    struct stook_gather_options options = STOOK_GATHER(.limit = group->limit, .window = window > 3 ? 0 : window,
                                                       .timeout_ms = ms < 16 ? 1 + ms : 0, .user = group);
    options.more = asks > 2 ? more : NULL;
    options.on_result = streamed ? on_result : NULL;
    enum state before = group->state;
    if (before == OPEN) {
        group->ordered = ordered;
        group->streamed = streamed;
        group->adding = (int)asks;
        group->blocking = blocking;
        group->state = AWAITED;
    }
    start_fn *start = ordered ? stook_gather_ordered_start : stook_gather_start;
    int failed = blocking ? (ordered ? stook_gather_ordered : stook_gather)(group->batch, &options)
                          : start(group->batch, &options, on_done, group);
    if (failed < 0) {
        CHECK(failed == STOOK_ESTATE || (world->nomem && failed == STOOK_ENOMEM));
        CHECK(world->nomem || before != OPEN || world->closing || stook_batch_message(group->batch)[0]);
        if (before == OPEN)
            group->state = OPEN;
    } else {
        CHECK_EQ_INT(before, OPEN);
        if (blocking)
            end_group(group, group->batch, failed);
    }
}

static void free_group(struct group *group)
{
    struct world *world = group->world;
    pthread_mutex_lock(&world->gate);
    stook_batch *batch = group->batch;
    group->batch = NULL;
    pthread_mutex_unlock(&world->gate);
    stook_batch_free(batch);
}

static void post(struct world *world)
{
    int error = world->closed ? STOOK_ESTATE : stook_client_post(world->life.client, posted, world);
    world->posted += error == 0;
    CHECK(error == 0 || (world->closing && error == STOOK_ESTATE) || (world->nomem && error == STOOK_ENOMEM));
}

static void close_client(struct world *world)
{
    if (world->closed)
        return;
    int second = world->closing;
    world->closing = 1;
    stook_client_close(world->life.client, second ? never : closed, world);
    if (second || world->depth > 0 || world->life.borrowed)
        return;
    CHECK_EQ_INT(world->closed, 1);
}

/* What must be refused inside a callback, and on a borrowed loop. */
static void wait_for_itself(struct world *world, struct group *group)
{
    if (world->closed)
        return;
    CHECK_ERROR(stook_client_run(world->life.client), STOOK_ESTATE);
    if (group && group->batch)
        CHECK_ERROR(stook_gather(group->batch, NULL), STOOK_ESTATE);
    if (world->life.borrowed)
        uv_run(&world->life.loop, UV_RUN_NOWAIT);
}

/* The same from inside and from outside. */
static void act(struct world *world)
{
    unsigned what = draw(&world->dice, 32);
    struct group *group = pick(world);
    unsigned number = draw(&world->dice, ADDS);
    if (world->actions-- <= 0)
        return;
    if (what < 8 && group)
        for (number %= 4; number > 0; number--)
            add_one(group);
    else if (what < 10 && group && group->batch)
        stook_batch_cancel(group->batch);
    else if (what < 16 && group && group->batch)
        stook_batch_cancel_request(group->batch, number == 0 ? SIZE_MAX : number % (group->count + 2));
    else if (what < 18 && group && group->batch)
        free_group(group);
    else if (what < 22)
        await(world, new_group(world), 0);
    else if (what < 24)
        await(world, group, 0);
    else if (what < 26)
        post(world);
    else if (what == 26 && (world->closing || number < ADDS / 4))
        close_client(world);
    else if (what < 29 && world->depth > 0)
        wait_for_itself(world, group);
    else if (what < 30)
        (void)new_group(world);
}

/* The program's own business on its loop, between the turns of the client. */
static void on_timer(uv_timer_t *timer)
{
    struct world *world = timer->data;
    if (world->depth == 0)
        act(world);
}

/* Another thread, that may post until `closed`, and cancel a batch until it is freed. */
static void *meddle(void *arg)
{
    struct world *world = arg;
    uint64_t dice = world->seed ^ 1;
    for (unsigned n = 1 + draw(&dice, 6); n > 0; n--) {
        unsigned us = draw(&dice, 4000), what = draw(&dice, 4), which = draw(&dice, GROUPS);
        nanosleep(&(struct timespec){.tv_nsec = 1000 * us}, NULL);
        pthread_mutex_lock(&world->gate);
        if (what == 0 && world->group[which].batch)
            stook_batch_cancel(world->group[which].batch);
        else if (!world->closed && stook_client_post(world->life.client, posted, world) == 0)
            world->posted_beside++;
        pthread_mutex_unlock(&world->gate);
    }
    return NULL;
}

/* ----------------------------------------------------------------- history */

static void turn(struct world *world)
{
    unsigned how = draw(&world->dice, 4);
    struct group *group = pick(world);
    if (world->closed && !world->life.borrowed)
        return;
    if (world->life.borrowed)
        uv_run(&world->life.loop, how == 0 ? UV_RUN_DEFAULT : how == 1 ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    else if (how < 2)
        CHECK_ERROR(stook_client_run(world->life.client), 0);
    else if (how == 2)
        await(world, group, 1);
    else
        await(world, new_group(world), 1);
}

static void live(struct world *world)
{
    pthread_t thread;
    world->beside = draw(&world->dice, 3) == 0;
    int timed = world->life.borrowed && draw(&world->dice, 2) == 0;
    if (timed) {
        uv_timer_init(&world->life.loop, &world->timer);
        world->timer.data = world;
        uv_timer_start(&world->timer, on_timer, 1, 2);
        uv_unref((uv_handle_t *)&world->timer);
    }
    if (world->beside)
        CHECK_EQ_INT(pthread_create(&thread, NULL, meddle, world), 0);
    for (unsigned n = 2 + draw(&world->dice, 6); n > 0; n--) {
        for (unsigned acts = draw(&world->dice, 8); acts > 0; acts--)
            act(world);
        turn(world);
    }
    int wait = draw(&world->dice, 3) > 0;
    if (wait && (world->life.borrowed || !world->closed))
        life_run(&world->life);
    if (!world->closing)
        close_client(world);
    if (world->life.borrowed)
        uv_run(&world->life.loop, UV_RUN_DEFAULT);
    if (timed)
        uv_close((uv_handle_t *)&world->timer, NULL);
    if (world->life.borrowed)
        uv_run(&world->life.loop, UV_RUN_DEFAULT);
    if (world->beside)
        pthread_join(thread, NULL);
    CHECK_EQ_INT(world->closed, 1);
    world->life.client = NULL;
}

static void check_group(struct group *group)
{
    CHECK(group->state == DONE || group->state == OPEN);
    for (size_t i = 0; i < group->count && group->state == DONE; i++)
        CHECK(group->requests[i].results == 1 || (group->blocking && !group->streamed && !group->batch));
    if (group->state == DONE && group->results == group->count && group->limit > 0)
        CHECK((size_t)atomic_load(&slots[group->slot].peak) <= (size_t)group->limit + group->abandoned);
    /* Readable after the close. */
    if (group->batch)
        CHECK_EQ_SIZE(stook_batch_count(group->batch), group->count);
    for (size_t i = 0; group->batch && i < group->count; i++)
        CHECK((stook_batch_result(group->batch, i) != NULL) == (group->state == DONE && !group->streamed));
    stook_batch_free(group->batch);
}

static void end(struct world *world)
{
    CHECK_EQ_SIZE(world->ran, world->posted + world->posted_beside);
    for (unsigned i = 0; i < world->groups; i++)
        check_group(&world->group[i]);
    for (unsigned i = 0; i < world->kept; i++) {
        read_result(world->keeps[i]);
        stook_result_unref(world->keeps[i]);
    }
}

static void history(int borrowed, uint64_t seed)
{
    static struct world world;
    size_t fds = test_count_fds();
    memset(&world, 0, sizeof world);
    world.seed = world.dice = mix(seed);
    world.actions = ACTIONS;
    pthread_mutex_init(&world.gate, NULL);
    life_begin(&world.life, borrowed);
    world.nomem = draw(&world.dice, 4) == 0;
    if (world.nomem) {
        static const unsigned odds[] = {20, 100, 100, 400};
        memory_odds = odds[draw(&world.dice, 4)];
        atomic_store(&memory_dice, world.seed);
        real_resize = world.life.memory.allocator.resize;
        world.life.memory.allocator.resize = scarce_resize;
    }
    int error = life_try_open(&world.life, &STOOK_CLIENT(.attempt_timeout_ms = 30, .timeout_ms = 80));
    if (error) {
        CHECK(world.nomem);
        CHECK_ERROR(error, STOOK_ENOMEM);
    } else {
        live(&world);
        end(&world);
    }
    life_end(&world.life);
    CHECK_EQ_SIZE(test_count_fds(), fds);
    pthread_mutex_destroy(&world.gate);
}

static void histories(int borrowed)
{
    const char *from = getenv("CHURN_FROM"), *how_many = getenv("CHURN_COUNT");
    uint64_t first = from ? strtoull(from, NULL, 10) : 1;
    uint64_t last = first + (how_many ? strtoull(how_many, NULL, 10) : HISTORIES);
    serve();
    for (uint64_t seed = first; seed < last; seed++) {
        test_note("seed %llu", (unsigned long long)seed);
        history(borrowed, seed);
    }
}

TEST(owned, slow)
{
    histories(0);
}

TEST(borrowed, slow)
{
    histories(1);
}
