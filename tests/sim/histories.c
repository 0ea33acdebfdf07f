/* SPDX-License-Identifier: MIT */
/*
 * Random histories in virtual time: sched and deliver, the library's own objects, between a program
 * that does anything at any moment and a server that answers late, wrongly or never. Hours pass in
 * milliseconds; the same seed gives the same history, byte for byte. STOOK_SEED=n runs that one.
 *
 * After every step each invariant is checked anew from what the requests themselves say:
 *
 *   - exactly one result each, delivered once, in the order of the verb
 *   - nothing starts above a limit, and whatever waits is forbidden by one that is reached
 *   - without room for results only the head starts
 *   - no more bytes are buffered than max_buffered_bytes, but by bodies that are exempt
 *   - no clock late by more than a tick, none early
 *   - no batch passed over again and again, and no origin within one
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/completion_policy.h"
#include "deliver/flow_control.h"
#include "deliver/result_queue.h"
#include "sched/clocks.h"
#include "sched/ending.h"
#include "sched/group.h"
#include "sched/queue.h"
#include "sched/reason.h"
#include "support/harness.h"
#include "support/queue_at.h"
#include "support/seeds.h"

enum { BATCHES = 4, REQUESTS = 24, ORIGINS = 5, TICK = 1000, HISTORIES = 100000, TWICE = 2000 };
static const int64_t NEVER = INT64_MAX, MS = 1000;

struct request {
    struct stook__job job;
    struct stook__result_entry entry;
    struct batch *batch;
    struct stook__origin *origin;
    int64_t ends_at;  /* when the server has responded; NEVER: it does not */
    int64_t moves_at; /* last byte seen */
    int64_t byte_at; /* when one byte comes, whatever the body does */
    struct stook__body_flow flow;
    size_t bytes, got; /* of its body: in all, until now */
    size_t arrival;    /* how many of its batch had a result before */
    unsigned priority;
    int fate;   /* what the server will do: 0 ok, else an error */
    int error;  /* of the result */
    int exempt; /* its body was never paused for room */
    int results, delivered;
};

struct batch {
    struct stook__group group;
    struct stook__result_queue results;
    struct stook__completion_policy completion;
    struct request requests[REQUESTS];
    int end_error, drains, awaited, done;
    int64_t deadline;
    size_t limit, passed_over, next_shown, last_arrival, arrivals;
    struct stook__result_entry *pulled;
};

static struct world {
    uint64_t random, digest;
    int64_t now;
    struct stook__allocator *allocator;
    struct stook__origins origins;
    struct stook__sched sched;
    struct stook__link result_queues, newly_paused;
    struct batch batches[BATCHES];
    struct stook__settings policy[3];
    size_t n_batches, n_origins, limit, origin_limit;
    int dead[ORIGINS];
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

/* ---------------------------------------------------------------- what a turn does */

static struct request *of_job(struct stook__job *job)
{
    return STOOK__OF(struct request, job, job);
}

static struct request *of_entry(struct stook__result_entry *entry)
{
    return STOOK__OF(struct request, entry, entry);
}

static void decide(struct batch *batch, enum stook__completion_step step)
{
    if (step == STOOK__CONTINUE || batch->end_error != 0)
        return;
    batch->end_error = STOOK_ECANCELLED;
    batch->drains = step == STOOK__START_NO_MORE;
}

/* Its attempt is over, or was not the last. */
static void leave(struct request *request)
{
    request->exempt = request->flow.exempt;
    stook__body_flow_leave(&request->flow);
}

static void finish(struct request *request, int error)
{
    struct batch *batch = request->batch;
    CHECK_EQ_INT(request->results++, 0);
    request->error = error;
    request->arrival = batch->arrivals++;
    leave(request);
    note(1, (uint64_t)request->entry.index ^ (uint64_t)(unsigned)error);
    stook__sched_finish(&world.sched, &request->job);
    stook__result_queue_finished(&batch->results, &world.result_queues, &request->entry, error == 0 ? request->bytes : 0, error == 0);
    decide(batch, stook__completion_policy_note(&batch->completion, error == 0));
}

static void terminate(struct batch *batch, int end_error)
{
    if (!batch->awaited || batch->done)
        return;
    if (batch->end_error == 0 || batch->drains) {
        batch->end_error = end_error;
        batch->drains = 0;
    }
    stook__result_queue_pause(&batch->results, &world.result_queues, 0);
}

static int is_head(const struct request *request)
{
    const struct stook__result_queue *results = &request->batch->results;
    return results->options.borrowed && results->options.ordered && request->entry.index == results->delivered;
}

/* Its body is under way from now on. */
static void enter(struct request *request)
{
    struct stook__result_queue *results = &request->batch->results;
    request->flow = (struct stook__body_flow){0};
    request->got = 0;
    if (!results->flow.counts_bodies)
        return;
    results->flow.newly_paused = &world.newly_paused;
    stook__body_flow_enter(&request->flow, &results->flow);
    if (is_head(request))
        stook__body_flow_exempt(&request->flow);
}

static void resume_bodies(struct batch *batch)
{
    struct stook__result_queue *results = &batch->results;
    if (!results->flow.counts_bodies)
        return;
    size_t left = stook__flow_update(&results->flow);
    struct stook__result_entry *waiting = stook__result_queue_head(results);
    int stuck = waiting != NULL && stook__sched_reason(&world.sched, &of_entry(waiting)->job, world.now, NULL) != STOOK__BY_NOTHING;
    struct request *front = results->delivered < results->count ? &batch->requests[results->delivered] : NULL;
    struct stook__body_flow *head = front != NULL && front->job.state == STOOK__JOB_RUNNING ? &front->flow : NULL, *flow;
    while ((flow = stook__flow_next_resumable(&results->flow, head, stuck, &left)) != NULL) {
        struct request *request = STOOK__OF(struct request, flow, flow);
        int64_t waited = stook__body_flow_resume(flow, STOOK__PAUSE_BUFFER, world.now);
        request->moves_at = later(request->moves_at, world.now);
        stook__sched_resume(&world.sched, &request->job, waited);
        note(9, request->entry.index);
    }
}

static void update_room(struct batch *batch)
{
    struct stook__result_entry *head = stook__result_queue_head(&batch->results);
    stook__group_block(&world.sched, &batch->group, !stook__result_queue_has_room(&batch->results),
                      head != NULL ? &of_entry(head)->job : NULL);
    resume_bodies(batch);
}

static void process_batch(struct batch *batch)
{
    struct stook__job *job;
    if (!batch->awaited || batch->done)
        return;
    if (batch->end_error != 0) {
        stook__group_stop(&world.sched, &batch->group);
        while ((job = batch->drains ? stook__group_any_waiting(&batch->group) : stook__group_any(&batch->group)) != NULL)
            finish(of_job(job), batch->end_error);
    }
    update_room(batch);
    /* With more to come it would not be done; here every add comes before. */
    batch->done = stook__result_queue_is_done(&batch->results);
    if (batch->done)
        stook__group_close(&world.sched, &batch->group);
}

static void process_batches(void)
{
    for (size_t i = 0; i < world.n_batches; i++)
        process_batch(&world.batches[i]);
}

/* Some of its body, or all that is left. */
static void receive(struct request *request, int all)
{
    for (size_t pieces = below(4); (all || pieces > 0) && request->got < request->bytes && request->flow.paused == 0; pieces--) {
        size_t left = request->bytes - request->got, size = 1 + below(400);
        if (size > left)
            size = left;
        if (!stook__body_flow_may_take(&request->flow, size, world.now))
            return;
        request->got += size;
        request->moves_at = later(request->moves_at, world.now);
        stook__body_flow_count(&request->flow, request->got);
    }
}

static void receive_all(void)
{
    for (size_t i = 0; i < world.n_batches; i++)
        for (size_t k = 0; k < world.batches[i].results.count; k++) {
            struct request *request = &world.batches[i].requests[k];
            if (request->job.state != STOOK__JOB_RUNNING || request->flow.paused != 0)
                continue;
            if (request->byte_at <= world.now)
                request->moves_at = later(request->moves_at, request->byte_at);
            if (request->ends_at != NEVER)
                receive(request, request->ends_at <= world.now);
        }
}

/* Attempts that completed while libcurl ran are concluded when it has returned. */
static void answer(void)
{
    for (size_t i = 0; i < world.n_batches; i++)
        for (size_t k = 0; k < world.batches[i].results.count; k++) {
            struct request *request = &world.batches[i].requests[k];
            if (request->job.state != STOOK__JOB_RUNNING || request->ends_at > world.now || request->flow.paused != 0)
                continue;
            struct stook__ending ending = {.error = request->fate, .idempotent = one_in(2), .lost = request->fate == STOOK_ERESET, .sent = 1, .replayable = 1, .wait_ms = -1};
            enum stook__no_retry why;
            int64_t at;
            stook__ending_note(&world.sched, &request->job, &ending, world.now);
            if (stook__ending_decide(&world.sched, &request->job, &ending, world.now, &at, &why) == STOOK__REPEAT) {
                stook__sched_repeat(&world.sched, &request->job, world.now);
                leave(request);
                enter(request);
                request->ends_at = world.now + (int64_t)below(30) * MS;
                request->moves_at = world.now;
                note(2, k);
            } else if (!(request->fate == STOOK_ENOFD && stook__sched_put_back(&world.sched, &request->job))) {
                finish(request, request->fate);
            } else {
                stook__result_queue_stopped(&request->batch->results, &request->entry);
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
    const struct stook__settings *policy = job->settings;
    if (stook__job_waits(job))
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
        terminate(STOOK__OF(struct batch, group, group), STOOK_ETIMEOUT_BATCH);
    while ((job = stook__sched_late_job(&world.sched, world.now)) != NULL) {
        struct request *request = of_job(job);
        job->moved_at = request->moves_at > job->moved_at ? request->moves_at : job->moved_at;
        job->connected = 1;
        if (request->flow.paused != 0) {
            stook__sched_pause(&world.sched, job); /* its clocks stand still */
            continue;
        }
        int64_t due = due_of(request);
        int error = stook__sched_expired(&world.sched, job, world.now);
        CHECK((error != 0) == (world.now >= due)); /* neither early nor late */
        if (error != 0)
            finish(request, error);
    }
}

/* ------------------------------------------------------------------- invariants */

static size_t running_at(const struct stook__origin *origin)
{
    size_t count = 0;
    for (size_t i = 0; i < world.n_batches; i++)
        for (size_t k = 0; k < world.batches[i].results.count; k++) {
            const struct request *request = &world.batches[i].requests[k];
            count += request->job.state == STOOK__JOB_RUNNING && request->origin == origin;
        }
    return count;
}

static int origin_is_full(const struct request *request)
{
    return request->origin->node.key_size > 0 && request->origin->sched.n_running >= world.origin_limit;
}

/* Bodies that are not exempt, and the results that came of them, stay below the bound. Beside the head
   one body at most is exempt. */
static void check_bytes(const struct batch *batch)
{
    const struct stook__result_queue *results = &batch->results;
    size_t bounded = 0, all = 0, n_exempt = 0;
    if (!results->flow.counts_bodies)
        return;
    for (size_t k = results->delivered; k < results->count; k++) {
        const struct request *request = &batch->requests[k];
        int running = request->job.state == STOOK__JOB_RUNNING;
        size_t bytes = running ? request->got : request->results > 0 && request->error == 0 ? request->bytes : 0;
        all += bytes;
        bounded += (running ? request->flow.exempt : request->exempt) ? 0 : bytes;
        n_exempt += running && request->flow.exempt && !is_head(request);
    }
    CHECK_EQ_SIZE(all, results->flow.result_bytes + results->flow.body_bytes);
    CHECK(bounded <= results->options.max_buffered_bytes);
    CHECK(n_exempt <= 1);
}

/* Whether but for whose turn it is the batch could start something now. */
static int could_start(const struct batch *batch)
{
    if (!batch->awaited || batch->done || batch->end_error != 0 || batch->group.n_running >= batch->limit)
        return 0;
    int room = stook__result_queue_has_room(&batch->results);
    for (size_t k = 0; k < batch->results.count; k++) {
        const struct request *request = &batch->requests[k];
        if (stook__job_waits(&request->job) && (room || is_head(request)) && !origin_is_full(request))
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
        check_bytes(batch);
        if (!world.sched.starved && world.sched.n_running < world.limit)
            CHECK(!could_start(batch));
        for (size_t k = 0; k < batch->results.count; k++) {
            const struct request *request = &batch->requests[k];
            if (request->results == 0 && request->flow.paused == 0 && world.now > due_of(request))
                CHECK(world.now - due_of(request) <= TICK);
        }
        if (batch->awaited && batch->results.options.borrowed && (batch->results.options.ordered || batch->results.options.pulled))
            CHECK(batch->results.flow.outstanding <= batch->results.options.window);
        if (!batch->done && batch->end_error == 0 && batch->awaited)
            CHECK(batch->deadline == 0 || world.now - batch->deadline <= TICK);
    }
    CHECK_EQ_SIZE(all, world.sched.n_running);
}

/* Requests of an origin that are in flight for a batch, without `started`. */
static size_t load_of(const struct batch *batch, const struct stook__origin *origin, const struct request *started)
{
    size_t count = 0;
    for (size_t k = 0; k < batch->results.count; k++) {
        const struct request *request = &batch->requests[k];
        count += request != started && request->origin == origin && request->job.state == STOOK__JOB_RUNNING;
    }
    return count;
}

/* No other of its batch had to start before `started`, which is not the head of the order: none of a higher
   priority, and of the same none whose origin has fewer in flight, or as many and waits for longer. */
static void check_origins(const struct request *started, int was_head)
{
    const struct batch *batch = started->batch;
    size_t load = load_of(batch, started->origin, started);
    if (was_head)
        return;
    for (size_t k = 0; k < batch->results.count; k++) {
        const struct request *request = &batch->requests[k];
        if (request->job.state != STOOK__JOB_QUEUED || request->job.queue->place == STOOK__QUEUE_PARKED ||
            request->job.queue->place == STOOK__QUEUE_BEYOND || origin_is_full(request))
            continue;
        CHECK(request->priority <= started->priority);
        if (request->priority < started->priority)
            continue;
        size_t other = load_of(batch, request->origin, started);
        CHECK(load <= other);
        if (load == other && stook__queue_first(request->job.queue) == &request->job && started->job.attempts == 1 && request->job.first_at == 0)
            CHECK(started->entry.index < request->entry.index || stook__list_empty(&request->origin->sched.gate.parked) == 0);
    }
}

static void check_turns(const struct batch *started, const int could[BATCHES])
{
    for (size_t i = 0; i < world.n_batches; i++) {
        struct batch *batch = &world.batches[i];
        batch->passed_over = batch != started && could[i] ? batch->passed_over + 1 : 0;
        CHECK(batch->passed_over <= 2 * (BATCHES + ORIGINS));
    }
}

/* -------------------------------------------------------------------- one turn */

static void serve(struct request *request)
{
    static const int fates[] = {STOOK_ERESET, STOOK_ENOFD, STOOK_ETRUNCATED};
    int64_t takes = (int64_t)below(200) * MS;
    request->fate = one_in(6) ? fates[below(3)] : 0;
    request->ends_at = world.dead[request->origin->node.key[0] % ORIGINS] ? NEVER : world.now + takes;
    request->moves_at = world.now;
    request->byte_at = one_in(2) ? world.now + takes / 2 : NEVER;
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
        int was_head = is_head(request);
        CHECK(could[batch - world.batches]);
        CHECK(stook__result_queue_has_room(&batch->results) || is_head(request));
        CHECK(batch->group.n_running <= batch->limit && world.sched.n_running <= world.limit);
        CHECK(running_at(request->origin) == request->origin->sched.n_running && request->origin->sched.n_running <= world.origin_limit);
        note(4, request->entry.index);
        check_turns(batch, could);
        check_origins(request, was_head);
        stook__result_queue_started(&batch->results, &request->entry);
        update_room(batch);
        serve(request);
        enter(request);
    }
}

static void delivered(struct request *request)
{
    struct batch *batch = request->batch;
    CHECK_EQ_INT(request->results, 1);
    CHECK_EQ_INT(request->delivered++, 0);
    if (batch->results.options.ordered)
        CHECK_EQ_SIZE(request->entry.index, batch->next_shown);
    else if (batch->next_shown > 0)
        CHECK(request->arrival > batch->last_arrival);
    batch->next_shown++;
    batch->last_arrival = request->arrival;
    note(5, request->entry.index);
}

static void release(struct stook__result_queue *results, struct stook__result_entry *entry)
{
    struct request *request = of_entry(entry);
    stook__result_queue_release(results, world.allocator, &world.result_queues, entry, request->error == 0 ? request->bytes : 0);
}

static void turn(void)
{
    struct stook__result_queue *results = NULL;
    struct stook__result_entry *entry;
    receive_all();
    answer();
    expire();
    process_batches();
    start();
    process_batches();
    start();
    check_after_starts();
    while (stook__list_pop(&world.newly_paused) != NULL)
        ; /* all batches are looked at in each turn here */
    while ((entry = stook__result_queue_next(&world.result_queues, &results)) != NULL) {
        CHECK(!results->paused);
        delivered(of_entry(entry));
        release(results, entry);
    }
    process_batches();
}

/* -------------------------------------------------------------- what programs do */

static void add(struct batch *batch)
{
    struct request *request = &batch->requests[batch->results.count];
    size_t origin = below(world.n_origins);
    char key = (char)('a' + origin);
    if (batch->results.count == REQUESTS || batch->done || batch->end_error != 0 || world.closed)
        return;
    request->priority = one_in(3) ? (unsigned)below(STOOK__PRIORITIES) : 3;
    struct stook__queue *queue = queue_at(&world.sched, &world.origins, &batch->group, &key, 1, request->priority);
    request->batch = batch;
    request->origin = stook__queue_origin(queue);
    request->bytes = below(2000);
    request->ends_at = NEVER;
    CHECK_EQ_INT(stook__result_queue_add(&batch->results, world.allocator, &request->entry), 0);
    stook__sched_add(&world.sched, queue, &request->job, &world.policy[below(3)], world.now);
    note(6, origin);
}

static void await(struct batch *batch)
{
    const struct stook__gather_options options = {.window = one_in(3) ? SIZE_MAX : 1 + below(8),
                                       .max_buffered_bytes = one_in(2) ? SIZE_MAX : 1 + below(4000),
                                       .ordered = one_in(2), .borrowed = !one_in(4), .pulled = one_in(4)};
    struct stook__gather_options mine = options;
    if (batch->awaited || world.closed)
        return;
    mine.pulled &= mine.borrowed;
    batch->awaited = 1;
    batch->limit = one_in(4) ? SIZE_MAX : 1 + below(6);
    batch->deadline = one_in(4) ? world.now + 1 + (int64_t)below(600) * MS : 0;
    CHECK_EQ_INT(stook__result_queue_open(&batch->results, world.allocator, &world.result_queues, &mine), 0);
    stook__group_open(&world.sched, &batch->group, batch->limit, batch->deadline);
    int64_t policy = one_in(2) ? STOOK_POLICY_ALL : (int64_t)below(5);
    decide(batch, stook__completion_policy_open(&batch->completion, policy, policy == STOOK_POLICY_QUORUM ? 1 + below(5) : 0));
    note(7, (uint64_t)policy);
}

static void pull(struct batch *batch)
{
    if (batch->pulled != NULL)
        release(&batch->results, batch->pulled);
    batch->pulled = stook__result_queue_pull(&batch->results);
    if (batch->pulled != NULL)
        delivered(of_entry(batch->pulled));
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
        stook__sched_set_origin_limit(&world.sched, world.origin_limit = limit);
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
        for (size_t k = 0; k < world.batches[i].results.count; k++)
            if (world.batches[i].requests[k].job.state == STOOK__JOB_RUNNING && world.batches[i].requests[k].flow.paused == 0)
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
        if (index < batch->results.count && batch->requests[index].results == 0)
            finish(&batch->requests[index], STOOK_ECANCELLED);
        break;
    case 1:
        if (one_in(8))
            terminate(batch, STOOK_ECANCELLED);
        break;
    case 2:
        if (batch->awaited && !batch->done && batch->end_error == 0)
            stook__result_queue_pause(&batch->results, &world.result_queues, one_in(2));
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
    world.allocator = stook__allocator_new(NULL);
    stook__list_init(&world.result_queues);
    stook__list_init(&world.newly_paused);
    stook__origins_init(&world.origins, world.allocator);
    stook__sched_init(&world.sched, world.allocator);
    world.n_batches = 1 + below(BATCHES);
    world.n_origins = 1 + below(ORIGINS);
    world.limit = one_in(2) ? SIZE_MAX : 1 + below(8);
    world.origin_limit = one_in(2) ? 1 + below(4) : 1000;
    stook__sched_set_limit(&world.sched, world.limit);
    stook__sched_set_origin_limit(&world.sched, world.origin_limit);
    for (int i = 0; i < 3; i++)
        world.policy[i] = (struct stook__settings){.queue_ms = one_in(4) ? 1 + (int64_t)below(400) : -1,
                                                 .attempt_ms = 1 + (int64_t)below(300),
                                                 .connect_ms = -1,
                                                 .total_ms = one_in(2) ? 1 + (int64_t)below(500) : -1,
                                                 .stall_ms = one_in(2) ? 1 + (int64_t)below(150) : -1};
    for (int i = 0; i < ORIGINS; i++)
        world.dead[i] = one_in(6);
    for (size_t i = 0; i < world.n_batches; i++) {
        stook__group_init(&world.batches[i].group);
        stook__result_queue_init(&world.batches[i].results);
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
            terminate(&world.batches[i], STOOK_ECLOSED);
        if (world.batches[i].awaited)
            stook__result_queue_pause(&world.batches[i].results, &world.result_queues, 0);
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
    const struct stook__result_queue *results = &batch->results;
    for (size_t i = 0; !results->options.borrowed && i < results->count; i++) {
        const struct request *request = of_entry(stook__result_queue_at(results, i));
        CHECK_EQ_SIZE(results->options.ordered ? request->entry.index : request->arrival, i);
    }
    CHECK(results->options.borrowed || stook__result_queue_at(results, results->count) == NULL);
}

static void end(void)
{
    struct stook__job *job;
    for (size_t i = 0; i < world.n_batches; i++) {
        struct batch *batch = &world.batches[i];
        if (batch->awaited) {
            while (batch->results.options.pulled && stook__result_queue_has_next(&batch->results))
                pull(batch);
            CHECK(batch->done);
            check_kept(batch);
            for (size_t k = 0; k < batch->results.count; k++) {
                CHECK_EQ_INT(batch->requests[k].results, 1);
                CHECK_EQ_INT(batch->requests[k].delivered, batch->results.options.borrowed);
            }
            CHECK_EQ_SIZE(batch->results.failed, batch->completion.failed);
        }
        while ((job = stook__group_any(&batch->group)) != NULL)
            stook__sched_finish(&world.sched, job);
        stook__group_end(&world.sched, &batch->group);
        stook__result_queue_free(&batch->results, world.allocator);
    }
    CHECK_EQ_SIZE(world.sched.n_running + world.sched.n_waiting, 0);
    CHECK_EQ_INT(stook__sched_alarm(&world.sched), 0);
    stook__sched_free(&world.sched);
    CHECK_EQ_SIZE(world.origins.map.count, 0);
    stook__origins_free(&world.origins);
    stook__allocator_unref(world.allocator);
}

static uint64_t history(uint64_t seed)
{
    begin(seed);
    for (size_t steps = 20 + below(120); steps > 0; steps--) {
        act();
        turn();
    }
    wind_up();
    end();
    return world.digest;
}

TEST(histories, slow)
{
    seeds_run(history, HISTORIES);
}

TEST(same_seed_same_history)
{
    seeds_check_digests(history, TWICE);
}
