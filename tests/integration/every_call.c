/* SPDX-License-Identifier: MIT */
/*
 * Every call that runs a loop, with every callback, with everything that the program may do in it: nothing
 * that the stack uses is freed, each result, `done`, `closed` and `body_release` comes exactly once, and
 * every combination has really run.
 */
#include <string.h>

#include <stook.h>

#include "support/life.h"
#include "support/process.h"
#include "support/raw_server.h"

#define HOLDERS(X) X(GATHER) X(ORDERED) X(PULLED) X(RUN) X(TURN) X(CLOSING)
#define CALLBACKS(X)                                                                              \
    X(ON_RESULT) X(MORE) X(ON_HEAD) X(ON_BODY) X(ON_PROGRESS) X(READ) X(REWIND) X(RELEASE) X(DONE) X(CLOSED) X(POSTED)
#define ACTIONS(X)                                                                                \
    X(FREE) X(FREE_ALL) X(CLOSE) X(FREE_AND_CLOSE) X(CLOSE_AND_FREE) X(CANCEL) X(CANCEL_EACH) X(START) X(NEXT) X(WAIT)     \
    X(PAUSE) X(ADD_ONE) X(LOOK) X(DRAIN) X(DRAIN_AND_FREE) X(DRAIN_AND_CLOSE) X(POST)
#define NAME(name) name,
#define TEXT(name) #name,
enum holder { HOLDERS(NAME) N_HOLDERS };
enum callback { CALLBACKS(NAME) N_CALLBACKS };
enum action { ACTIONS(NAME) N_ACTIONS };
static const char *const holder_names[] = {HOLDERS(TEXT)}, *const callback_names[] = {CALLBACKS(TEXT)},
                  *const action_names[] = {ACTIONS(TEXT)};

enum { MANY = 16 };

static struct scene {
    struct life *life;
    struct raw_server *server;
    enum holder holder;
    enum callback callback;
    enum action action;
    stook_client *client;
    stook_batch *own, *open, *spare, *late; /* NULL: freed */
    int acted, asked, closes;
    int started, done;      /* awaits with a callback of their own */
    int borrowed, released;     /* bodies */
    unsigned results[MANY]; /* of own */
    char body[4];
} scene;

static void note_closed(void *user);

/* ------------------------------------------------------------------- what is done */

static void free_one(stook_batch **batch)
{
    stook_batch *gone = *batch;
    *batch = NULL;
    stook_batch_free(gone);
}

static void close_it(void)
{
    stook_client_close(scene.client, note_closed, NULL);
    scene.life->client = NULL;
}

/* Drained, it closes by itself; inside `closed`, and while it closes, that is refused. */
static int drain_it(void)
{
    int error = stook_client_drain(scene.client, STOOK_NONE, note_closed, NULL);
    if (scene.callback == CLOSED || scene.holder == CLOSING)
        CHECK_ERROR(error, STOOK_ESTATE);
    else
        CHECK_ERROR(error, 0);
    if (error == 0)
        scene.life->client = NULL;
    return error == 0;
}

static void nobody_closed(void *user)
{
    (void)user;
    scene.closes++;
}

static void look(void)
{
    struct stook_batch_stats stats = STOOK_BATCH_STATS();
    if (scene.own == NULL)
        return;
    CHECK_ERROR(stook_batch_stats(scene.own, &stats), 0);
    CHECK_EQ_INT(stats.added, stats.waiting + stats.in_flight + stats.finished);
    stook_client_wake(scene.client);
}

static void done_late(stook_batch *batch, int failed, void *user)
{
    (void)batch, (void)failed, (void)user;
    scene.done++;
    free_one(&scene.late);
}

static void nothing(stook_client *client, void *user)
{
    (void)client, (void)user;
}

static void start_late(void)
{
    if (scene.late != NULL || stook_batch_new(scene.client, &scene.late) != 0)
        return;
    add(scene.late, raw_url(scene.server, "/ok"));
    CHECK_ERROR(stook_gather_start(scene.late, NULL, done_late, NULL), 0);
    scene.started++;
}

/* Calls that wait for the loop are refused inside a callback of its client. */
static void wait_inside(void)
{
    CHECK_ERROR(stook_client_run(scene.client), STOOK_ESTATE);
    CHECK_ERROR(stook_client_turn(scene.client, 0), STOOK_ESTATE);
    if (scene.open != NULL)
        CHECK_ERROR(stook_gather(scene.open, NULL), STOOK_ESTATE);
}

static void act(enum callback callback)
{
    const stook_result *result;
    if (callback != scene.callback || scene.acted)
        return;
    scene.acted = 1;
    switch (scene.action) {
    case FREE_ALL:
        free_one(&scene.open);
        free_one(&scene.spare);
        /* fall through */
    case FREE:
        free_one(&scene.own);
        break;
    case FREE_AND_CLOSE:
        free_one(&scene.own);
        close_it();
        break;
    case CLOSE:
        close_it();
        break;
    case CLOSE_AND_FREE:
        close_it();
        free_one(&scene.own);
        free_one(&scene.open);
        break;
    case CANCEL:
        stook_batch_cancel(scene.own);
        stook_batch_cancel(scene.open);
        break;
    case CANCEL_EACH:
        for (size_t i = 0; i < MANY; i++) {
            stook_batch_cancel_request(scene.own, i);
            stook_batch_cancel_request(scene.open, i);
        }
        break;
    case START:
        if (callback != CLOSED)
            start_late();
        break;
    case NEXT:
        while (stook_batch_next(scene.own, &result) == 1)
            scene.results[stook_result_index(result)]++;
        break;
    case WAIT:
        wait_inside();
        break;
    case PAUSE:
        stook_batch_pause_delivery(scene.own);
        stook_batch_resume_request(scene.own, 0);
        stook_batch_resume_delivery(scene.own);
        stook_batch_wake(scene.own);
        break;
    case ADD_ONE:
        stook_batch_add(scene.own, &STOOK_REQUEST(raw_url(scene.server, "/ok"))); /* refused when it is done */
        break;
    case LOOK:
        look();
        break;
    case DRAIN_AND_FREE:
        drain_it();
        free_one(&scene.own);
        free_one(&scene.open);
        break;
    case DRAIN_AND_CLOSE:
        if (drain_it())
            stook_client_close(scene.client, nobody_closed, NULL);
        break;
    case DRAIN:
        drain_it();
        break;
    default:
        if (callback != CLOSED)
            CHECK_ERROR(stook_client_post(scene.client, nothing, NULL), 0);
    }
}

/* ------------------------------------------------------------------ the callbacks */

static void note_closed(void *user)
{
    (void)user;
    scene.life->closed++;
    act(CLOSED);
}

static void on_result(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)user;
    scene.results[stook_result_index(result)]++;
    act(ON_RESULT);
}

static int on_head(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)result, (void)user;
    act(ON_HEAD);
    if (scene.callback == CLOSED && scene.holder != CLOSING)
        close_it();
    return 0;
}

static int on_body(stook_batch *batch, const stook_result *result, const void *data, size_t size, void *user)
{
    (void)batch, (void)result, (void)data, (void)size, (void)user;
    act(ON_BODY);
    return 0;
}

static void on_progress(stook_batch *batch, const stook_result *result, const struct stook_progress *progress, void *user)
{
    (void)batch, (void)result, (void)progress, (void)user;
    act(ON_PROGRESS);
}

static int64_t body_read(stook_batch *batch, size_t index, void *buffer, size_t size, void *user)
{
    int *given = user;
    (void)batch, (void)index, (void)size;
    act(READ);
    memcpy(buffer, "sheaf", 5);
    return (*given)++ == 0 ? 5 : 0;
}

static int body_rewind(stook_batch *batch, size_t index, void *user)
{
    int *given = user;
    (void)batch, (void)index;
    *given = 0;
    act(REWIND);
    return 0;
}

static void body_release(void *body, void *user)
{
    (void)user;
    CHECK(body == scene.body);
    scene.released++;
    act(RELEASE);
}

static int more(stook_batch *batch, void *user)
{
    (void)user;
    act(MORE);
    if (scene.asked++ > 0)
        return 0;
    return stook_batch_add(batch, &STOOK_REQUEST(raw_url(scene.server, "/ok"))) == 0;
}

static void done_own(stook_batch *batch, int failed, void *user)
{
    (void)batch, (void)failed, (void)user;
    scene.done++;
    act(DONE);
}

static void posted(stook_client *client, void *user)
{
    (void)client, (void)user;
    act(POSTED);
}

/* ------------------------------------------------------------------- the scenario */

/* The second request of a connection gets no answer: what may be repeated comes again on another. */
static enum raw_then fresh_only(struct raw_call *call)
{
    return call->on_connection > 1 ? RAW_CLOSE : raw_answer(call, "ok", 2);
}

static const struct raw_behaviour own_behaviours[] = {{"/fresh-only", .answer = fresh_only}, {NULL}};

static void lend(stook_batch *batch, const char *path)
{
    ADD(batch, raw_url(scene.server, "%s", path), .body = scene.body, .body_size = 3, .body_release = body_release);
    scene.borrowed++;
}

static void set_scene(int *given)
{
    life_open(scene.life, &STOOK_CLIENT(.direct = STOOK_NONE)); /* REWIND: a body of the program is lost with a kept connection */
    scene.client = scene.life->client;
    scene.own = life_batch(scene.life);
    scene.open = life_batch(scene.life);
    scene.spare = life_batch(scene.life);
    lend(scene.open, "/ok");
    lend(scene.open, "/ok");
    add(scene.spare, raw_url(scene.server, "/ok"));
    ADD(scene.own, raw_url(scene.server, "/echo"), .on_head = on_head, .on_body = on_body, .on_progress = on_progress);
    ADD(scene.own, raw_url(scene.server, "/fresh-only"), .method = "PUT", .body_read = body_read, .body_rewind = body_rewind,
        .user = given);
    lend(scene.own, "/echo");
    CHECK_ERROR(stook_client_post(scene.client, posted, NULL), 0);
}

static void pull(void)
{
    const stook_result *result;
    while (scene.own != NULL && stook_batch_next(scene.own, &result) == 1)
        scene.results[stook_result_index(result)]++;
}

static void start_own(const struct stook_gather_options *options)
{
    CHECK_ERROR((scene.holder == ORDERED ? stook_gather_ordered_start : stook_gather_start)(scene.own, options, done_own, NULL), 0);
    scene.started++;
}

static void hold(void)
{
    int owned = !scene.life->borrowed, pulled = scene.holder == PULLED;
    const struct stook_gather_options options =
        STOOK_GATHER(.limit = 1, .more = more, .on_result = pulled ? NULL : on_result, .pull = pulled);
    if (owned && scene.callback != DONE && (scene.holder == GATHER || scene.holder == ORDERED)) {
        (scene.holder == ORDERED ? stook_gather_ordered : stook_gather)(scene.own, &options);
        return;
    }
    start_own(&options);
    if (scene.holder == CLOSING)
        close_it();
    else if (owned && pulled)
        pull();
    else if (owned && scene.holder == TURN)
        while (stook_client_turn(scene.client, STOOK_NONE) > 0)
            ;
    else if (owned)
        CHECK_ERROR(stook_client_run(scene.client), 0);
    if (!owned)
        while (scene.done == 0 && uv_run(&scene.life->loop, UV_RUN_ONCE))
            if (pulled)
                pull();
}

/* What a close calls: nothing starts any more, so nobody answers. */
static int can_be(enum holder holder, enum callback callback)
{
    if (holder == PULLED && callback == ON_RESULT)
        return 0;
    return holder != CLOSING || callback == ON_RESULT || callback == RELEASE || callback == DONE || callback == CLOSED ||
           callback == POSTED;
}

static void combine(struct life *life, enum holder holder, enum callback callback, enum action action)
{
    int given = 0, results = 0;
    memset(&scene.client, 0, sizeof scene - offsetof(struct scene, client));
    scene.life = life;
    scene.holder = holder;
    scene.callback = callback;
    scene.action = action;
    test_note("%s loop, in %s %s does %s", life->borrowed ? "borrowed" : "owned", holder_names[holder],
              callback_names[callback], action_names[action]);
    set_scene(&given);
    hold();
    if (life->client != NULL)
        life_close(life);
    else if (life->borrowed)
        uv_run(&life->loop, UV_RUN_DEFAULT);
    pull();
    CHECK_EQ_INT(scene.acted, 1);
    for (size_t i = 0; i < MANY; i++) {
        CHECK(scene.results[i] <= 1);
        results += (int)scene.results[i];
    }
    if (holder != PULLED)
        CHECK(results >= 3);
    stook_batch_free(scene.own);
    stook_batch_free(scene.open);
    stook_batch_free(scene.spare);
    stook_batch_free(scene.late);
    CHECK_EQ_INT(scene.done, scene.started);
    CHECK_EQ_INT(scene.released, scene.borrowed);
    CHECK_EQ_INT(scene.closes, scene.action == DRAIN_AND_CLOSE && holder != CLOSING && callback != CLOSED);
    CHECK_EQ_INT(life->closed, 1);
    life->closed = 0;
    memory_check_empty(&life->memory);
}

static void all_of(struct life *life, enum holder holder)
{
    scene.server = raw_server_start(own_behaviours);
    for (int callback = 0; callback < N_CALLBACKS; callback++)
        for (int action = 0; action < N_ACTIONS; action++)
            if (can_be(holder, callback))
                combine(life, holder, callback, action);
}

TEST_BOTH(in_gather, slow)
{
    all_of(life, GATHER);
}

TEST_BOTH(in_gather_ordered, slow)
{
    all_of(life, ORDERED);
}

TEST_BOTH(in_next, slow)
{
    all_of(life, PULLED);
}

TEST_BOTH(in_run, slow)
{
    all_of(life, RUN);
}

TEST_BOTH(in_turn, slow)
{
    all_of(life, TURN);
}

TEST_BOTH(in_close, slow)
{
    all_of(life, CLOSING);
}
