/* SPDX-License-Identifier: MIT */
/*
 * Random histories in virtual time: sched and deliver, the library's own objects, between a program
 * that does anything at any moment and a server that answers late, wrongly or never. Hours pass in
 * milliseconds; the same seed gives the same history, byte for byte. STOOK_SEED=n runs that one.
 *
 * After every step each invariant is checked anew from what the requests themselves say:
 *
 *   - exactly one result each, shown once, in the order of the verb
 *   - nothing starts above a limit, and whatever waits is forbidden by one that is reached
 *   - nothing but the head starts without room for results
 *   - no more bytes held than the ceiling allows, but for the head and who goes on in its place
 *   - no clock late by more than a tick, none early
 *   - no batch passed over again and again, and no origin within one
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/ceiling.h"
#include "deliver/goal.h"
#include "deliver/tray.h"
#include "harness/harness.h"
#include "sched/queue.h"

enum { BATCHES = 4, REQUESTS = 24, SITES = 5, TICK = 1000, HISTORIES = 100000, TWICE = 2000 };
static const int64_t NEVER = INT64_MAX, MS = 1000;

struct request {
    struct stook__job job;
    struct stook__parcel parcel;
    struct batch *batch;
    struct stook__site *site;
    int64_t ends_at;  /* when the server answers; NEVER: it does not */
    int64_t moves_at; /* last byte seen */
    int64_t stirs_at; /* when one byte comes, whatever the body does */
    struct stook__brake brake;
    size_t bytes, got; /* of its body: in all, until now */
    size_t arrival;    /* how many of its batch had a result before */
    unsigned priority;
    int fate;   /* what the server will do: 0 ok, else an error */
    int error;  /* of the result */
    int free;   /* its body did not have to wait */
    int results, shown;
};

struct batch {
    struct stook__group group;
    struct stook__tray tray;
    struct stook__goal goal;
    struct request requests[REQUESTS];
    int verdict, spares, awaited, done;
    int64_t deadline;
    size_t limit, passed_over, next_shown, last_arrival, arrivals;
    size_t behind[SITES][STOOK__PRIORITIES]; /* younger ones that started though these could have */
    struct stook__parcel *pulled;
};

static struct world {
    uint64_t random, digest;
    int64_t now;
    struct stook__heap *heap;
    struct stook__sched sched;
    struct stook__link trays, braked;
    struct batch batches[BATCHES];
    struct stook__policy policy[3];
    size_t n_batches, n_sites, limit, site_limit;
    int dead[SITES];
    int closed;
} world;

static uint64_t random_bits(void)
{
    uint64_t z = world.random += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static size_t below(size_t n)
{
    return (size_t)(random_bits() % n);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int one_in(size_t n)
{
    return below(n) == 0;
}

/* What happened, in a number that depends on all of it and on the order. */
static void note(uint64_t what, uint64_t which)
{
    world.digest = (world.digest ^ what ^ which << 8 ^ (uint64_t)world.now << 24) * UINT64_C(1099511628211);
}

/* ---------------------------------------------------------------- what turn does */

static struct request *of_job(struct stook__job *job)
{
    return STOOK__OF(struct request, job, job);
}

static struct request *of_parcel(struct stook__parcel *parcel)
{
    return STOOK__OF(struct request, parcel, parcel);
}

static void decide(struct batch *batch, enum stook__goal_step step)
{
    if (step == STOOK__GO_ON || batch->verdict != 0)
        return;
    batch->verdict = STOOK_ECANCELLED;
    batch->spares = step == STOOK__START_NO_MORE;
}

/* Its attempt is over, or was not the last. */
static void leave(struct request *request)
{
    request->free = request->brake.free;
    stook__brake_leave(&request->brake);
}

static void finish(struct request *request, int error)
{
    struct batch *batch = request->batch;
    CHECK_EQ_INT(request->results++, 0);
    request->error = error;
    request->arrival = batch->arrivals++;
    leave(request);
    note(1, (uint64_t)request->parcel.index ^ (uint64_t)(unsigned)error);
    stook__sched_finish(&world.sched, &request->job);
    stook__tray_arrived(&batch->tray, &world.trays, &request->parcel, error == 0 ? request->bytes : 0, error == 0);
    decide(batch, stook__goal_note(&batch->goal, error == 0));
}

static void condemn(struct batch *batch, int verdict)
{
    if (!batch->awaited || batch->done)
        return;
    if (batch->verdict == 0 || batch->spares) {
        batch->verdict = verdict;
        batch->spares = 0;
    }
    stook__tray_pause(&batch->tray, &world.trays, 0);
}

static int is_head(const struct request *request)
{
    const struct stook__tray *tray = &request->batch->tray;
    return tray->terms.lent && tray->terms.ordered && request->parcel.index == tray->delivered;
}

/* Its body is under way from now on. */
static void enter(struct request *request)
{
    struct stook__tray *tray = &request->batch->tray;
    request->brake = (struct stook__brake){0};
    request->got = 0;
    if (!stook__ceiling_counts(tray))
        return;
    tray->gauge.stir = &world.braked;
    stook__brake_enter(&request->brake, &tray->gauge);
    if (is_head(request))
        stook__brake_free(&request->brake);
}

static void release_brakes(struct batch *batch)
{
    struct stook__tray *tray = &batch->tray;
    if (!stook__ceiling_counts(tray))
        return;
    size_t left = stook__ceiling_set(tray);
    struct stook__parcel *waiting = stook__tray_head(tray);
    int stuck = waiting != NULL && stook__sched_reason(&world.sched, &of_parcel(waiting)->job) != STOOK__BY_TURN;
    struct request *front = tray->delivered < tray->count ? &batch->requests[tray->delivered] : NULL;
    struct stook__brake *head = front != NULL && front->job.state == STOOK__RUNNING ? &front->brake : NULL, *brake;
    while ((brake = stook__ceiling_next(tray, head, stuck, &left)) != NULL) {
        struct request *request = STOOK__OF(struct request, brake, brake);
        int64_t waited = stook__brake_release(brake, world.now);
        request->moves_at = later(request->moves_at, world.now);
        stook__sched_release(&world.sched, &request->job, waited);
        note(9, request->parcel.index);
    }
}

static void update_room(struct batch *batch)
{
    struct stook__parcel *head = stook__tray_head(&batch->tray);
    stook__group_hold(&world.sched, &batch->group, !stook__tray_has_room(&batch->tray),
                      head != NULL ? &of_parcel(head)->job : NULL);
    release_brakes(batch);
}

static void attend(struct batch *batch)
{
    struct stook__job *job;
    if (!batch->awaited || batch->done)
        return;
    if (batch->verdict != 0) {
        stook__group_stop(&world.sched, &batch->group);
        while ((job = batch->spares ? stook__group_any_waiting(&batch->group) : stook__group_any(&batch->group)) != NULL)
            finish(of_job(job), batch->verdict);
    }
    update_room(batch);
    /* With more to come it would not be done; here every add comes before. */
    batch->done = stook__tray_over(&batch->tray);
    if (batch->done)
        stook__group_shut(&world.sched, &batch->group);
}

static void attend_all(void)
{
    for (size_t i = 0; i < world.n_batches; i++)
        attend(&world.batches[i]);
}

/* Some of its body, or all that is left. */
static void receive(struct request *request, int all)
{
    for (size_t pieces = below(4); (all || pieces > 0) && request->got < request->bytes && request->brake.since == 0; pieces--) {
        size_t left = request->bytes - request->got, size = 1 + below(400);
        if (size > left)
            size = left;
        if (!stook__brake_may_take(&request->brake, size, world.now))
            return;
        request->got += size;
        request->moves_at = later(request->moves_at, world.now);
        stook__brake_count(&request->brake, request->got);
    }
}

static void receive_all(void)
{
    for (size_t i = 0; i < world.n_batches; i++)
        for (size_t k = 0; k < world.batches[i].tray.count; k++) {
            struct request *request = &world.batches[i].requests[k];
            if (request->job.state != STOOK__RUNNING || request->brake.since != 0)
                continue;
            if (request->stirs_at <= world.now)
                request->moves_at = later(request->moves_at, request->stirs_at);
            if (request->ends_at != NEVER)
                receive(request, request->ends_at <= world.now);
        }
}

/* What ended while libcurl ran is heard of when it has returned. */
static void answer(void)
{
    for (size_t i = 0; i < world.n_batches; i++)
        for (size_t k = 0; k < world.batches[i].tray.count; k++) {
            struct request *request = &world.batches[i].requests[k];
            if (request->job.state != STOOK__RUNNING || request->ends_at > world.now || request->brake.since != 0)
                continue;
            struct stook__ending ending = {request->fate, one_in(2), request->fate == STOOK_ERESET};
            if (stook__sched_again(&request->job, &ending)) {
                stook__sched_repeat(&world.sched, &request->job, world.now);
                leave(request);
                enter(request);
                request->ends_at = world.now + (int64_t)below(30) * MS;
                request->moves_at = world.now;
                note(2, k);
            } else if (!(request->fate == STOOK_ENOFD && stook__sched_put_back(&world.sched, &request->job))) {
                finish(request, request->fate);
            } else {
                stook__tray_stopped(&request->batch->tray, &request->parcel);
                leave(request);
                request->fate = 0;
                note(3, k);
            }
        }
}

static int64_t after(int64_t from, int64_t ms)
{
    return ms < 0 ? NEVER : from + ms * MS;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When the clocks of a request run out, by the words of the promise. */
static int64_t due_of(const struct request *request)
{
    const struct stook__job *job = &request->job;
    const struct stook__policy *policy = job->policy;
    if (job->state == STOOK__WAITING)
        return job->first_at == 0 ? after(job->added_at, policy->queue_ms) : after(job->first_at, policy->total_ms);
    int64_t moved_at = request->moves_at > job->attempt_at ? request->moves_at : job->attempt_at;
    int64_t due = earlier(after(job->attempt_at, policy->attempt_ms), after(job->first_at, policy->total_ms));
    return earlier(due, after(moved_at, policy->stall_ms));
}

static void expire(void)
{
    struct stook__group *group;
    struct stook__job *job;
    while ((group = stook__sched_late_group(&world.sched, world.now)) != NULL)
        condemn(STOOK__OF(struct batch, group, group), STOOK_ETIMEOUT_BATCH);
    while ((job = stook__sched_late_job(&world.sched, world.now)) != NULL) {
        struct request *request = of_job(job);
        job->moved_at = request->moves_at > job->moved_at ? request->moves_at : job->moved_at;
        job->connected = 1;
        if (request->brake.since != 0) {
            stook__sched_hold(&world.sched, job); /* its clocks stand still */
            continue;
        }
        int64_t due = due_of(request);
        int error = stook__sched_verdict(&world.sched, job, world.now);
        CHECK((error != 0) == (world.now >= due)); /* neither early nor late */
        if (error != 0)
            finish(request, error);
    }
}

/* ------------------------------------------------------------------- invariants */

static size_t running_at(const struct stook__site *site)
{
    size_t count = 0;
    for (size_t i = 0; i < world.n_batches; i++)
        for (size_t k = 0; k < world.batches[i].tray.count; k++) {
            const struct request *request = &world.batches[i].requests[k];
            count += request->job.state == STOOK__RUNNING && request->site == site;
        }
    return count;
}

static int site_is_full(const struct request *request)
{
    return request->site->node.key_size > 0 && request->site->n_running >= world.site_limit;
}

/* What those hold that have to wait at the ceiling never is above it; of the others there is one at most
   beside the head. */
static void check_ceiling(const struct batch *batch)
{
    const struct stook__tray *tray = &batch->tray;
    size_t held = 0, all = 0, n_free = 0;
    if (!stook__ceiling_counts(tray))
        return;
    for (size_t k = tray->delivered; k < tray->count; k++) {
        const struct request *request = &batch->requests[k];
        int running = request->job.state == STOOK__RUNNING;
        size_t bytes = running ? request->got : request->results > 0 && request->error == 0 ? request->bytes : 0;
        all += bytes;
        held += (running ? request->brake.free : request->free) ? 0 : bytes;
        n_free += running && request->brake.free && !is_head(request);
    }
    CHECK_EQ_SIZE(all, tray->held + tray->gauge.bytes);
    CHECK(held <= tray->terms.held_max);
    CHECK(n_free <= 1);
}

/* Whether but for whose turn it is the batch could start something now. */
static int could_start(const struct batch *batch)
{
    if (!batch->awaited || batch->done || batch->verdict != 0 || batch->group.n_running >= batch->limit)
        return 0;
    int room = stook__tray_has_room(&batch->tray);
    for (size_t k = 0; k < batch->tray.count; k++) {
        const struct request *request = &batch->requests[k];
        if (request->job.state == STOOK__WAITING && (room || is_head(request)) && !site_is_full(request))
            return 1;
    }
    return 0;
}

static void check_after_starts(void)
{
    size_t all = 0;
    for (size_t i = 0; i < world.n_batches; i++) {
        struct batch *batch = &world.batches[i];
        all += batch->group.n_running;
        check_ceiling(batch);
        if (!world.sched.starved && world.sched.n_running < world.limit)
            CHECK(!could_start(batch));
        for (size_t k = 0; k < batch->tray.count; k++) {
            const struct request *request = &batch->requests[k];
            if (request->results == 0 && request->brake.since == 0 && world.now > due_of(request))
                CHECK(world.now - due_of(request) <= TICK);
        }
        if (batch->awaited && batch->tray.terms.lent && (batch->tray.terms.ordered || batch->tray.terms.pulled))
            CHECK(batch->tray.out <= batch->tray.terms.window);
        if (!batch->done && batch->verdict == 0 && batch->awaited)
            CHECK(batch->deadline == 0 || world.now - batch->deadline <= TICK);
    }
    CHECK_EQ_SIZE(all, world.sched.n_running);
}

static size_t site_of(const struct request *request)
{
    return (size_t)(request->site->key[0] - 'a');
}

/* Of the batch that `started` is of: the oldest of each origin and priority that could have started
   instead, has it been passed over by younger ones of no higher priority? By lower ones of its origin never. */
static void check_origins(const struct request *started)
{
    struct batch *batch = started->batch;
    int looked[SITES][STOOK__PRIORITIES] = {{0}};
    batch->behind[site_of(started)][started->priority] = 0;
    if (batch->group.held)
        return;
    for (size_t k = 0; k < batch->tray.count; k++) {
        const struct request *request = &batch->requests[k];
        if (request->job.state != STOOK__WAITING || looked[site_of(request)][request->priority]++ > 0)
            continue;
        size_t *behind = &batch->behind[site_of(request)][request->priority];
        CHECK(request->site != started->site || request->priority <= started->priority);
        if (site_is_full(request))
            *behind = 0;
        else if (request->priority >= started->priority && k < started->parcel.index)
            ++*behind;
        CHECK(*behind <= BATCHES + SITES);
    }
}

static void check_turns(const struct batch *started, const int could[BATCHES])
{
    for (size_t i = 0; i < world.n_batches; i++) {
        struct batch *batch = &world.batches[i];
        batch->passed_over = batch != started && could[i] ? batch->passed_over + 1 : 0;
        CHECK(batch->passed_over <= 2 * (BATCHES + SITES));
    }
}

/* -------------------------------------------------------------------- one turn */

static void serve(struct request *request)
{
    static const int fates[] = {STOOK_ERESET, STOOK_ENOFD, STOOK_ETRUNCATED};
    int64_t takes = (int64_t)below(200) * MS;
    request->fate = one_in(6) ? fates[below(3)] : 0;
    request->ends_at = world.dead[request->site->key[0] % SITES] ? NEVER : world.now + takes;
    request->moves_at = world.now;
    request->stirs_at = one_in(2) ? world.now + takes / 2 : NEVER;
}

static void start(void)
{
    for (int round = 0; round < 100 && stook__sched_ready(&world.sched); round++) {
        struct stook__job *job;
        int could[BATCHES];
        for (size_t i = 0; i < world.n_batches; i++)
            could[i] = could_start(&world.batches[i]);
        if ((job = stook__sched_next(&world.sched, world.now)) == NULL)
            continue;
        struct request *request = of_job(job);
        struct batch *batch = request->batch;
        CHECK(could[batch - world.batches]);
        CHECK(stook__tray_has_room(&batch->tray) || is_head(request));
        CHECK(batch->group.n_running <= batch->limit && world.sched.n_running <= world.limit);
        CHECK(running_at(request->site) == request->site->n_running && request->site->n_running <= world.site_limit);
        note(4, request->parcel.index);
        check_turns(batch, could);
        check_origins(request);
        stook__tray_started(&batch->tray, &request->parcel);
        update_room(batch);
        serve(request);
        enter(request);
    }
}

static void shown(struct request *request)
{
    struct batch *batch = request->batch;
    CHECK_EQ_INT(request->results, 1);
    CHECK_EQ_INT(request->shown++, 0);
    if (batch->tray.terms.ordered)
        CHECK_EQ_SIZE(request->parcel.index, batch->next_shown);
    else if (batch->next_shown > 0)
        CHECK(request->arrival > batch->last_arrival);
    batch->next_shown++;
    batch->last_arrival = request->arrival;
    note(5, request->parcel.index);
}

static void let_go(struct stook__tray *tray, struct stook__parcel *parcel)
{
    struct request *request = of_parcel(parcel);
    stook__tray_let_go(tray, world.heap, &world.trays, parcel, request->error == 0 ? request->bytes : 0);
}

static void turn(void)
{
    struct stook__tray *tray = NULL;
    struct stook__parcel *parcel;
    receive_all();
    answer();
    expire();
    attend_all();
    start();
    attend_all();
    start();
    check_after_starts();
    while (stook__list_pop(&world.braked) != NULL)
        ; /* all batches are looked at in each turn here */
    while ((parcel = stook__tray_next(&world.trays, &tray)) != NULL) {
        CHECK(!tray->paused);
        shown(of_parcel(parcel));
        let_go(tray, parcel);
    }
    attend_all();
}

/* -------------------------------------------------------------- what programs do */

static void add(struct batch *batch)
{
    struct request *request = &batch->requests[batch->tray.count];
    size_t site = below(world.n_sites);
    char key = (char)('a' + site);
    if (batch->tray.count == REQUESTS || batch->done || batch->verdict != 0 || world.closed)
        return;
    request->priority = one_in(3) ? (unsigned)below(STOOK__PRIORITIES) : 3;
    struct stook__queue *queue = stook__sched_queue(&world.sched, &batch->group, &key, 1, request->priority);
    request->batch = batch;
    request->site = queue->key.site;
    request->bytes = below(2000);
    request->ends_at = NEVER;
    CHECK_EQ_INT(stook__tray_add(&batch->tray, world.heap, &request->parcel), 0);
    stook__sched_add(&world.sched, queue, &request->job, &world.policy[below(3)], world.now);
    note(6, site);
}

static void await(struct batch *batch)
{
    const struct stook__terms terms = {.window = one_in(3) ? SIZE_MAX : 1 + below(8),
                                       .held_max = one_in(2) ? SIZE_MAX : 1 + below(4000),
                                       .ordered = one_in(2), .lent = !one_in(4), .pulled = one_in(4)};
    struct stook__terms mine = terms;
    if (batch->awaited || world.closed)
        return;
    mine.pulled &= mine.lent;
    batch->awaited = 1;
    batch->limit = one_in(4) ? SIZE_MAX : 1 + below(6);
    batch->deadline = one_in(4) ? world.now + 1 + (int64_t)below(600) * MS : 0;
    CHECK_EQ_INT(stook__tray_open(&batch->tray, world.heap, &world.trays, &mine), 0);
    stook__group_open(&world.sched, &batch->group, batch->limit, batch->deadline);
    int64_t policy = one_in(2) ? STOOK_POLICY_ALL : (int64_t)below(5);
    decide(batch, stook__goal_open(&batch->goal, policy, policy == STOOK_POLICY_QUORUM ? 1 + below(5) : 0));
    note(7, (uint64_t)policy);
}

static void pull(struct batch *batch)
{
    if (batch->pulled != NULL)
        let_go(&batch->tray, batch->pulled);
    batch->pulled = stook__tray_pull(&batch->tray);
    if (batch->pulled != NULL)
        shown(of_parcel(batch->pulled));
}

/* What is in flight above a lower one is over some time. */
static void change_limits(struct batch *batch)
{
    size_t limit = 1 + below(8);
    switch (below(3)) {
    case 0:
        if (batch->awaited)
            stook__group_set_limit(&world.sched, &batch->group, batch->limit = limit);
        break;
    case 1:
        stook__sched_set_limit(&world.sched, world.limit = limit);
        break;
    default:
        stook__sched_set_site_limit(&world.sched, world.site_limit = limit);
    }
    note(8, limit);
}

static void pass_time(void)
{
    int64_t next = stook__sched_alarm(&world.sched);
    if (next == 0)
        next = NEVER;
    else
        next = (next + TICK - 1) / TICK * TICK; /* as libuv's timers */
    for (size_t i = 0; i < world.n_batches; i++)
        for (size_t k = 0; k < world.batches[i].tray.count; k++)
            if (world.batches[i].requests[k].job.state == STOOK__RUNNING && world.batches[i].requests[k].brake.since == 0)
                next = earlier(next, world.batches[i].requests[k].ends_at);
    if (next != NEVER && next > world.now)
        world.now = next;
}

static void act(void)
{
    struct batch *batch = &world.batches[below(world.n_batches)];
    size_t index = below(REQUESTS);
    switch (below(16)) {
    case 0:
        if (index < batch->tray.count && batch->requests[index].results == 0)
            finish(&batch->requests[index], STOOK_ECANCELLED);
        break;
    case 1:
        if (one_in(8))
            condemn(batch, STOOK_ECANCELLED);
        break;
    case 2:
        if (batch->awaited && !batch->done && batch->verdict == 0)
            stook__tray_pause(&batch->tray, &world.trays, one_in(2));
        break;
    case 3:
        change_limits(batch);
        break;
    case 4:
    case 5:
        await(batch);
        break;
    case 6:
    case 7:
        pull(batch);
        break;
    case 8:
    case 9:
    case 10:
        pass_time();
        break;
    case 11:
        if (one_in(60))
            world.closed = 1;
        break;
    default:
        for (size_t i = below(6); i-- > 0;)
            add(batch);
    }
}

/* ------------------------------------------------------------------- one history */

static void begin(uint64_t seed)
{
    memset(&world, 0, sizeof world);
    world.random = seed * 2 + 1;
    world.now = 1;
    world.heap = stook__heap_new(NULL);
    stook__list_init(&world.trays);
    stook__list_init(&world.braked);
    stook__sched_init(&world.sched, world.heap);
    world.n_batches = 1 + below(BATCHES);
    world.n_sites = 1 + below(SITES);
    world.limit = one_in(2) ? SIZE_MAX : 1 + below(8);
    world.site_limit = one_in(2) ? 1 + below(4) : 1000;
    stook__sched_set_limit(&world.sched, world.limit);
    stook__sched_set_site_limit(&world.sched, world.site_limit);
    for (int i = 0; i < 3; i++)
        world.policy[i] = (struct stook__policy){.queue_ms = one_in(4) ? 1 + (int64_t)below(400) : -1,
                                                 .attempt_ms = 1 + (int64_t)below(300),
                                                 .connect_ms = -1,
                                                 .total_ms = one_in(2) ? 1 + (int64_t)below(500) : -1,
                                                 .stall_ms = one_in(2) ? 1 + (int64_t)below(150) : -1};
    for (int i = 0; i < SITES; i++)
        world.dead[i] = one_in(6);
    for (size_t i = 0; i < world.n_batches; i++) {
        stook__group_init(&world.batches[i].group);
        stook__tray_init(&world.batches[i].tray);
        world.batches[i].limit = SIZE_MAX;
    }
}

/* Whatever happened before: all is awaited, goes on and comes to its end. */
static void wind_up(void)
{
    for (size_t i = 0; i < world.n_batches; i++) {
        if (!world.closed)
            await(&world.batches[i]);
        else
            condemn(&world.batches[i], STOOK_ECLOSED);
        if (world.batches[i].awaited)
            stook__tray_pause(&world.batches[i].tray, &world.trays, 0);
    }
    int idle = 0;
    for (int i = 0; i < 5000 && idle < 3; i++) {
        int64_t before = world.now;
        turn();
        for (size_t k = 0; k < world.n_batches; k++)
            pull(&world.batches[k]);
        pass_time();
        idle = world.now > before ? 0 : idle + (world.sched.n_running + world.sched.n_waiting == 0);
    }
}

/* In the order of the verb, each once. */
static void check_kept(const struct batch *batch)
{
    const struct stook__tray *tray = &batch->tray;
    for (size_t i = 0; !tray->terms.lent && i < tray->count; i++) {
        const struct request *request = of_parcel(stook__tray_at(tray, i));
        CHECK_EQ_SIZE(tray->terms.ordered ? request->parcel.index : request->arrival, i);
    }
    CHECK(tray->terms.lent || stook__tray_at(tray, tray->count) == NULL);
}

static void end(void)
{
    struct stook__job *job;
    for (size_t i = 0; i < world.n_batches; i++) {
        struct batch *batch = &world.batches[i];
        if (batch->awaited) {
            while (batch->tray.terms.pulled && stook__tray_has_next(&batch->tray))
                pull(batch);
            CHECK(batch->done);
            check_kept(batch);
            for (size_t k = 0; k < batch->tray.count; k++) {
                CHECK_EQ_INT(batch->requests[k].results, 1);
                CHECK_EQ_INT(batch->requests[k].shown, batch->tray.terms.lent);
            }
            CHECK_EQ_SIZE(batch->tray.failed, batch->goal.failed);
        }
        while ((job = stook__group_any(&batch->group)) != NULL)
            stook__sched_finish(&world.sched, job);
        stook__group_end(&world.sched, &batch->group);
        stook__tray_free(&batch->tray, world.heap);
    }
    CHECK_EQ_SIZE(world.sched.n_running + world.sched.n_waiting, 0);
    CHECK_EQ_INT(stook__sched_alarm(&world.sched), 0);
    CHECK_EQ_SIZE(world.sched.sites.count, 0);
    stook__sched_free(&world.sched);
    stook__heap_unref(world.heap);
}

static uint64_t history(uint64_t seed)
{
    test_note("seed %llu", (unsigned long long)seed);
    begin(seed);
    for (size_t steps = 20 + below(120); steps > 0; steps--) {
        act();
        turn();
    }
    wind_up();
    end();
    return world.digest;
}

TEST(histories)
{
    const char *alone = getenv("STOOK_SEED");
    if (alone != NULL)
        history(strtoull(alone, NULL, 10));
    for (uint64_t seed = 0; alone == NULL && seed < HISTORIES; seed++)
        history(seed);
}

/* Wherever in memory it happens. */
TEST(same_seed_same_history)
{
    void *apart[64];
    for (uint64_t seed = 0; seed < TWICE; seed++) {
        uint64_t first = history(seed);
        for (size_t i = 0; i < 64; i++)
            apart[i] = malloc(16 + (size_t)(seed * 7 + i * 13) % 700);
        CHECK(history(seed) == first);
        CHECK(history(seed + 1) != first);
        for (size_t i = 0; i < 64; i++)
            free(apart[i]);
    }
}
