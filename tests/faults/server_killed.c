/* SPDX-License-Identifier: MIT */
/* The server dies, stops, or is replaced in mid batch: no result is lost, and the client is as good as before. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <stook.h>

#include "support/ledger.h"
#include "support/network.h"
#include "support/nginx.h"
#include "support/process.h"
#include "support/raw_server.h"

enum { COUNT = 2000, LIMIT = 50, SIZE = 1500, HELD = 5, LATE = 100 };

/* What happens once so many responses have begun. */
static struct {
    size_t heads, at;
    size_t happened;            /* at this one; 0: not yet */
    int (*is_ready)(void *arg); /* 0: at a later one. NULL: it is */
    void (*event)(void *arg);
    void *arg;
} scene;

static void set_scene(size_t at, int (*is_ready)(void *arg), void (*event)(void *arg), void *arg)
{
    memset(&scene, 0, sizeof scene);
    scene.at = at;
    scene.is_ready = is_ready;
    scene.event = event;
    scene.arg = arg;
}

static int on_head(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)result, (void)user;
    if (++scene.heads < scene.at || scene.happened || (scene.is_ready && !scene.is_ready(scene.arg)))
        return 0;
    scene.happened = scene.heads;
    scene.event(scene.arg);
    return 0;
}

static const int tenths[] = {1, 5, 9};

/* All four ways to await, and each point in both orders. */
static struct ledger ledger_of(const struct life *life, int point)
{
    int way = point + life->borrowed;
    return (struct ledger){.ordered = way & 1, .streamed = way >> 1,
                           .expected = {STOOK_ERESET, STOOK_ETRUNCATED, STOOK_ECONNECT}};
}

/* ------------------------------------------------------------------- SIGKILL */

static void kill_raw(void *server)
{
    raw_server_kill(server);
}

static size_t begun;    /* of the bodies that stall */
static unsigned wanted; /* of those that have no answer, at the server */

static int on_stalled_head(stook_batch *batch, const stook_result *result, void *user)
{
    begun++;
    return on_head(batch, result, user);
}

static int stalled(void *server)
{
    return begun == HELD && raw_seen(server, "/stall") == wanted;
}

static void look_at_held(struct ledger *ledger, const stook_result *result)
{
    const char *url = stook_result_url(result);
    (void)ledger;
    if (strstr(url, "/pattern")) {
        ledger_check_pattern(result);
    } else if (strstr(url, "/stall-body")) {
        CHECK_ERROR(stook_result_error(result), STOOK_ETRUNCATED);
        CHECK_EQ_INT(stook_result_status(result), 200);
        CHECK_STR(stook_result_body(result, NULL), "abc");
    } else {
        CHECK_ERROR(stook_result_error(result), STOOK_ERESET);
        CHECK_EQ_INT(stook_result_may_have_been_sent(result), 1);
        CHECK(!strstr(url, "late") || stook_result_attempts(result) == 2);
    }
}

static void add_patterns(stook_batch *batch, const char *origin, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ADD(batch, .url = ledger_pattern(origin, i, SIZE), .on_head = on_head);
}

static void check_killed(const struct ledger *ledger)
{
    size_t lost = ledger_errors(ledger, STOOK_ERESET) + ledger_errors(ledger, STOOK_ETRUNCATED);
    CHECK(scene.happened > 0);
    CHECK(lost <= LIMIT);
    CHECK(ledger->ok + LIMIT >= scene.happened && ledger->ok <= scene.happened + LIMIT);
    CHECK(ledger_errors(ledger, STOOK_ECONNECT) + scene.happened + 2 * LIMIT >= ledger->delivered);
}

static void all_is_well(struct life *life, const char *origin)
{
    struct ledger ledger = {.look = NULL};
    stook_batch *batch = life_batch(life);
    add_patterns(batch, origin, 200);
    ledger_await(&ledger, life, batch, &STOOK_GATHER(.limit = LIMIT));
    stook_batch_free(batch);
}

/* Ten have no answer and five a part of one when it dies: their classes are known. Late ones were sent on
   connections that were used before, so they are repeated, in vain. */
TEST_BOTH(raw_server_killed)
{
    network_enter(); /* nobody else takes its port */
    struct raw_server *server = raw_server_start(NULL);
    char *origin = strdup(raw_url(server, "%s", ""));
    life_open(life, NULL);
    wanted = 0;
    for (int point = 0; point < 3; point++) {
        struct ledger ledger = ledger_of(life, point);
        ledger.look = look_at_held;
        stook_batch *batch = life_batch(life);
        begun = 0;
        wanted += 2 * HELD;
        set_scene((size_t)(COUNT * tenths[point] / 10), stalled, kill_raw, server);
        for (int i = 0; i < HELD; i++) {
            ADD(batch, .url = raw_url(server, "/stall"));
            ADD(batch, .url = raw_url(server, "/stall-body"), .on_head = on_stalled_head);
        }
        add_patterns(batch, origin, LATE);
        for (int i = 0; i < HELD; i++)
            ADD(batch, .url = raw_url(server, "/stall?late"));
        add_patterns(batch, origin, COUNT - LATE - 3 * HELD);
        ledger_await(&ledger, life, batch, &STOOK_GATHER(.limit = LIMIT, .window = 2 * COUNT));
        check_killed(&ledger);
        stook_batch_free(batch);
        raw_server_revive(server);
        all_is_well(life, origin);
    }
    free(origin);
}

/* Over which nginx is asked: in the clear, or HTTP/2 over TLS. */
static int http_2;

static const char *url(const struct nginx *nginx, const char *path)
{
    return http_2 ? nginx_tls_url(nginx, "%s", path) : nginx_url(nginx, "%s", path);
}

static void open_for(struct life *life, const struct nginx *nginx)
{
    life_open(life, &STOOK_CLIENT(.ca_file = nginx->ca));
}

static void kill_nginx(void *nginx)
{
    nginx_kill(nginx);
}

static int slow_ones_begun(void *nginx)
{
    (void)nginx;
    return begun == HELD;
}

static void look_at_nginx(struct ledger *ledger, const stook_result *result)
{
    size_t size;
    const char *number = strstr(stook_result_url(result), "/number/"), *body = stook_result_body(result, &size);
    (void)ledger;
    if (number) {
        if (stook_result_ok(result))
            CHECK_STR(body, number + 8);
        return;
    }
    /* Frames that nginx has not read, and TLS without its end, are a reset. */
    CHECK(stook_result_error(result) == STOOK_ETRUNCATED || (http_2 && stook_result_error(result) == STOOK_ERESET));
    CHECK(size < nginx_big_size);
    for (size_t i = 0; i < size; i++)
        CHECK(body[i] == (char)('0' + i % 10));
}

static void add_numbers(stook_batch *batch, const struct nginx *nginx, int count)
{
    for (int i = 0; i < count; i++)
        ADD(batch, .url = url(nginx, text("/number/%d", i)), .on_head = on_head);
}

static void nginx_is_well(struct life *life, const struct nginx *nginx)
{
    struct ledger ledger = {.look = look_at_nginx};
    stook_batch *batch = life_batch(life);
    add_numbers(batch, nginx, 200);
    ledger_await(&ledger, life, batch, &STOOK_GATHER(.limit = LIMIT));
    stook_batch_free(batch);
}

static void killed_nginx(struct life *life, int count)
{
    network_enter();
    struct nginx *nginx = nginx_start();
    open_for(life, nginx);
    for (int point = 0; point < 3; point++) {
        struct ledger ledger = ledger_of(life, point);
        ledger.look = look_at_nginx;
        stook_batch *batch = life_batch(life);
        begun = 0;
        set_scene((size_t)(count * tenths[point] / 10), slow_ones_begun, kill_nginx, nginx);
        for (int i = 0; i < HELD; i++)
            ADD(batch, .url = url(nginx, "/slow"), .on_head = on_stalled_head);
        add_numbers(batch, nginx, count - HELD);
        ledger_await(&ledger, life, batch, &STOOK_GATHER(.limit = LIMIT, .window = 2 * COUNT));
        check_killed(&ledger);
        stook_batch_free(batch);
        nginx_revive(nginx);
        nginx_is_well(life, nginx);
    }
}

TEST_BOTH(nginx_killed, nginx)
{
    killed_nginx(life, COUNT);
}

TEST_BOTH(nginx_killed_over_http_2, nginx)
{
    http_2 = 1;
    killed_nginx(life, 800);
}

/* ------------------------------------------------------------------- SIGSTOP */

static const char *stopped_origin;
static int stopped_error;
static size_t healthy_since; /* the stop */

static void stop_raw(void *server)
{
    raw_server_signal(server, SIGSTOP);
}

static void look_beside_stopped(struct ledger *ledger, const stook_result *result)
{
    (void)ledger;
    ledger_check_pattern(result);
    if (strncmp(stook_result_url(result), stopped_origin, strlen(stopped_origin)) != 0) {
        CHECK_ERROR(stook_result_error(result), 0);
        healthy_since += scene.happened > 0;
    } else if (stook_result_error(result)) {
        CHECK_ERROR(stook_result_error(result), stopped_error);
    }
}

/* The kernel still connects, and takes requests. The clocks of those to the other server are long. */
static void stopped(struct life *life, const struct stook_request *clocks)
{
    enum { EACH = 200 };
    struct raw_server *one = raw_server_start(NULL), *other = raw_server_start(NULL);
    char *origin = strdup(raw_url(one, "%s", "")), *other_origin = strdup(raw_url(other, "%s", ""));
    struct ledger ledger = {.ordered = life->borrowed, .streamed = 1, .look = look_beside_stopped, .expected = {stopped_error}};
    stopped_origin = origin;
    healthy_since = 0;
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    set_scene(EACH / 2, NULL, stop_raw, one);
    for (size_t i = 0; i < EACH; i++) {
        struct stook_request request = *clocks;
        request.url = ledger_pattern(origin, i, SIZE);
        request.on_head = on_head;
        CHECK_ERROR(stook_batch_add(batch, &request), 0);
        ADD(batch, .url = ledger_pattern(other_origin, i, SIZE), .on_head = on_head);
    }
    ledger_await(&ledger, life, batch, &STOOK_GATHER(.limit = LIMIT));
    CHECK(scene.happened > 0 && healthy_since > EACH / 4);
    CHECK(ledger_errors(&ledger, stopped_error) > EACH / 4);
    stook_batch_free(batch);
    raw_server_signal(one, SIGCONT);
    all_is_well(life, origin);
    free(origin);
    free(other_origin);
}

TEST_BOTH(stopped_before_the_attempt_clock)
{
    stopped_error = STOOK_ETIMEOUT_ATTEMPT;
    stopped(life, &STOOK_REQUEST(.attempt_timeout_ms = 300));
}

TEST_BOTH(stopped_before_the_stall_clock)
{
    stopped_error = STOOK_ETIMEOUT_STALL;
    stopped(life, &STOOK_REQUEST(.stall_timeout_ms = 300));
}

static void stop_nginx(void *nginx)
{
    nginx_signal(nginx, SIGSTOP);
}

TEST_BOTH(nginx_stopped, nginx)
{
    struct nginx *nginx = nginx_start();
    struct ledger ledger = {.streamed = life->borrowed, .look = look_at_nginx, .expected = {STOOK_ETIMEOUT_ATTEMPT}};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    set_scene(100, NULL, stop_nginx, nginx);
    for (int i = 0; i < 200; i++)
        ADD(batch, .url = nginx_url(nginx, "/number/%d", i), .on_head = on_head, .attempt_timeout_ms = 300);
    ledger_await(&ledger, life, batch, &STOOK_GATHER(.limit = LIMIT));
    CHECK(scene.happened > 0 && ledger_errors(&ledger, STOOK_ETIMEOUT_ATTEMPT) >= 50);
    stook_batch_free(batch);
    nginx_signal(nginx, SIGCONT);
    nginx_is_well(life, nginx);
}

/* --------------------------------------------------------------- replacement */

static struct {
    struct nginx *nginx;
    int reloads;          /* that were asked for */
    int pids[8], n_pids;  /* that have answered, with a worker each */
    size_t since;         /* results since the last of them was new */
} reload;

static void note_pid(struct ledger *ledger, const stook_result *result)
{
    int pid = atoi(stook_result_body(result, NULL));
    (void)ledger;
    CHECK(pid > 0);
    reload.since++;
    for (int i = 0; i < reload.n_pids; i++)
        if (reload.pids[i] == pid)
            return;
    CHECK(reload.n_pids < 8);
    reload.pids[reload.n_pids++] = pid;
    reload.since = 0;
}

/* The next reload is asked for when workers of the one before have answered. */
static int more_pids(stook_batch *batch, void *user)
{
    (void)user;
    if (reload.n_pids > reload.reloads && reload.since >= 4 * LIMIT) {
        if (reload.reloads == 3)
            return 0;
        reload.since = 0;
        reload.reloads++;
        nginx_signal(reload.nginx, SIGHUP);
    }
    for (int i = 0; i < LIMIT; i++)
        add(batch, url(reload.nginx, "/pid"));
    return 1;
}

/* Old workers close what is kept alive, and finish what has begun: a GET that met a close is repeated. */
static void reloaded(struct life *life, int ordered)
{
    struct ledger ledger = {.ordered = ordered, .streamed = 1, .look = note_pid};
    memset(&reload, 0, sizeof reload);
    reload.nginx = nginx_start_with_workers();
    open_for(life, reload.nginx);
    stook_batch *batch = life_batch(life);
    ledger_await(&ledger, life, batch, &STOOK_GATHER(.limit = LIMIT, .more = more_pids));
    CHECK(reload.n_pids >= 4);
    stook_batch_free(batch);
}

TEST_BOTH(nginx_reloaded, nginx)
{
    reloaded(life, 0);
}

TEST_BOTH(nginx_reloaded_ordered, nginx)
{
    reloaded(life, 1);
}

TEST_BOTH(nginx_reloaded_over_http_2, nginx)
{
    http_2 = 1;
    reloaded(life, life->borrowed);
}

static void revive_after_refusals(struct ledger *ledger, const stook_result *result)
{
    look_at_nginx(ledger, result);
    if (ledger_errors(ledger, STOOK_ECONNECT) == 100 && stook_result_error(result) == STOOK_ECONNECT)
        nginx_revive(ledger->user);
}

/* It is gone for as long as a hundred connections take to be refused. */
static void restarted(struct life *life, int ordered)
{
    network_enter();
    struct nginx *nginx = nginx_start();
    struct ledger ledger = {.ordered = ordered, .streamed = 1, .look = revive_after_refusals, .user = nginx,
                            .expected = {STOOK_ECONNECT, STOOK_ERESET}};
    life_open(life, NULL);
    stook_batch *batch = life_batch(life);
    set_scene(COUNT / 3, NULL, kill_nginx, nginx);
    add_numbers(batch, nginx, COUNT);
    ledger_await(&ledger, life, batch, &STOOK_GATHER(.limit = LIMIT));
    CHECK(scene.happened > 0 && ledger_errors(&ledger, STOOK_ECONNECT) >= 100);
    CHECK(ledger_errors(&ledger, STOOK_ERESET) <= LIMIT);
    CHECK(ledger.ok >= COUNT - 100 - 8 * LIMIT);
    stook_batch_free(batch);
    nginx_is_well(life, nginx);
}

TEST_BOTH(nginx_restarted, nginx)
{
    restarted(life, 0);
}

TEST_BOTH(nginx_restarted_ordered, nginx)
{
    restarted(life, 1);
}

/* --------------------------------------------------------- restart, with retries */

/* Idempotent requests have answers in the end; a POST without a key may have reached the server once. The server
   comes back when each request has been refused three times on average, which takes about a second. */
enum { RESTART_COUNT = 900, POSTS = 40, REFUSALS = 3 * (RESTART_COUNT + POSTS) * 2 / 3 };

static struct {
    struct life *life;
    void (*kill)(void *server), (*revive)(void *server);
    void *server;
    int is_down, connects; /* since it was killed */
    int is_back;
    size_t posts_lost;
} restart;

static void end_of_gap(stook_client *client, void *user)
{
    (void)client, (void)user;
    restart.revive(restart.server);
    restart.is_back = 1;
}

/* Each connection that is tried while nobody listens is refused. */
static int count_connects(const struct stook_address *address, void *user)
{
    (void)address, (void)user;
    if (restart.is_down && ++restart.connects == REFUSALS)
        CHECK_ERROR(stook_client_post(restart.life->client, end_of_gap, NULL), 0);
    return 0;
}

static int kill_at_head(stook_batch *batch, const stook_result *result, void *user)
{
    (void)batch, (void)result, (void)user;
    restart.is_down = 1;
    restart.kill(restart.server);
    return 0;
}

static void look_at_restarted(struct ledger *ledger, const stook_result *result)
{
    const char *path = strchr(stook_result_url(result) + strlen("http://"), '/');
    struct stook_attempt attempt = STOOK_ATTEMPT();
    (void)ledger;
    if (strstr(path, "/post") == NULL) {
        CHECK_ERROR(stook_result_error(result), 0);
        if (strstr(path, "/pattern?"))
            ledger_check_pattern(result);
        else if (strstr(path, "/number/"))
            CHECK_STR(stook_result_body(result, NULL), strstr(path, "/number/") + strlen("/number/"));
        return;
    }
    restart.posts_lost += stook_result_error(result) != 0;
    CHECK(stook_result_error(result) == 0 || stook_result_may_have_been_sent(result));
    for (size_t i = 0; stook_result_attempt_at(result, i, &attempt) == 0; i++)
        CHECK(attempt.again == STOOK_AGAIN_NOT || attempt.error == STOOK_ECONNECT);
}

static void restart_open(struct life *life, void *server, void (*kill)(void *), void (*revive)(void *), const char *ca)
{
    memset(&restart, 0, sizeof restart);
    restart.life = life;
    restart.server = server;
    restart.kill = kill;
    restart.revive = revive;
    life_open(life, &STOOK_CLIENT(.ca_file = ca, .on_address = count_connects, .max_retries = 8, .retry_delay_ms = 300,
                                  .retry_max_delay_ms = 4000, .retry_budget = STOOK_NONE));
}

static void restart_await(struct ledger *ledger, struct life *life, stook_batch *batch)
{
    ledger->ordered = life->borrowed;
    ledger->streamed = 1;
    ledger->look = look_at_restarted;
    ledger->expected[0] = STOOK_ERESET;
    ledger->expected[1] = STOOK_ETRUNCATED;
    ledger_await(ledger, life, batch, &STOOK_GATHER(.limit = LIMIT, .window = 2 * COUNT));
    CHECK(restart.is_back);
    CHECK(restart.posts_lost <= LIMIT && ledger->ok + restart.posts_lost == ledger->delivered);
    struct stook_stats stats = STOOK_STATS();
    CHECK_ERROR(stook_client_stats(life->client, &stats), 0);
    test_note("%d repeats, %d connects, %zu POSTs lost", (int)stats.repeated, restart.connects, restart.posts_lost);
    CHECK(stats.repeated >= REFUSALS - LIMIT);
}

/* Answers when the POSTs before it have arrived, which wait for the end of the server. */
static enum raw_then when_held(struct raw_call *call)
{
    raw_wait(call->server, "/post-held", HELD);
    return raw_answer(call, "", 0);
}

static const struct raw_behaviour restarting[] = {
    {"/when-held", .answer = when_held},
    {"/post-held", .then = RAW_HOLD},
    {"/post", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .then = RAW_KEEP},
    {NULL}};

static void revive_raw(void *server)
{
    raw_server_revive(server);
}

TEST_BOTH(raw_server_restarted_with_retries)
{
    network_enter();
    struct raw_server *server = raw_server_start(restarting);
    struct ledger ledger = {.look = NULL};
    restart_open(life, server, kill_raw, revive_raw, NULL);
    stook_batch *batch = life_batch(life);
    for (size_t i = 0; i < RESTART_COUNT; i++) {
        if (i == RESTART_COUNT / 3) {
            for (int k = 0; k < HELD; k++)
                ADD(batch, raw_url(server, "/post-held"), .method = "POST", .body = "x", .body_size = 1);
            ADD(batch, raw_url(server, "/when-held"), .on_head = kill_at_head);
        }
        ADD(batch, ledger_pattern(raw_url(server, "%s", ""), i, SIZE));
    }
    for (int i = 0; i < POSTS; i++)
        ADD(batch, raw_url(server, "/post"), .method = "POST", .body = "x", .body_size = 1);
    restart_await(&ledger, life, batch);
    CHECK(restart.posts_lost >= HELD);
    CHECK_EQ_INT(raw_seen(server, "/post-held"), HELD);
    size_t seen = raw_seen(server, "/post"); /* of a lost one nobody knows */
    CHECK(seen <= POSTS && seen + restart.posts_lost >= POSTS + HELD);
    stook_batch_free(batch);
}

static void revive_nginx(void *nginx)
{
    nginx_revive(nginx);
}

static void nginx_restarted_and_retried(struct life *life)
{
    network_enter();
    struct nginx *nginx = nginx_start();
    struct ledger ledger = {.look = NULL};
    restart_open(life, nginx, kill_nginx, revive_nginx, nginx->ca);
    stook_batch *batch = life_batch(life);
    for (int i = 0; i < RESTART_COUNT; i++) {
        if (i == RESTART_COUNT / 3)
            ADD(batch, url(nginx, "/ok"), .method = "HEAD", .on_head = kill_at_head);
        if (i % (RESTART_COUNT / POSTS) == 0)
            ADD(batch, url(nginx, "/method?/post"), .method = "POST", .body = "x", .body_size = 1);
        ADD(batch, url(nginx, text("/number/%d", i)));
    }
    restart_await(&ledger, life, batch);
    stook_batch_free(batch);
}

TEST_BOTH(nginx_restarted_with_retries, nginx)
{
    nginx_restarted_and_retried(life);
}

TEST_BOTH(nginx_restarted_over_http_2_with_retries, nginx)
{
    http_2 = 1;
    nginx_restarted_and_retried(life);
}
