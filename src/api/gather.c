/* SPDX-License-Identifier: MIT */
/* The awaits of stook/batch.h: both verbs, blocking and on a loop. */
#include "api/client.h"
#include "core/completion.h"
#include "loop/loop.h"
#include "request/validate.h"

enum { WINDOW_MIN = 64, BUFFERED_DEFAULT = 64 << 20 };
static const int64_t MS_MAX = (int64_t)1 << 53;

/* The options of an await, checked. */
struct plan {
    struct stook_gather_options options;
    struct stook__gather_options queue_options;
    size_t limit;
    int64_t timeout_ms; /* -1: no deadline */
};

static int refuse(stook_batch *batch, int error, const char *why)
{
    batch->refusal = why;
    return error;
}

static int check_state(stook_batch *batch, int blocking)
{
    const stook_client *client = batch->client;
    if (client == NULL || stook__client_is_forked(client) || stook__client_is_closing(client))
        return refuse(batch, STOOK_ESTATE, "the client is closed, or belongs to another process");
    if (client->state == STOOK__CLIENT_DRAINING)
        return refuse(batch, STOOK_ESTATE, "the client drains: no batch can be awaited");
    if (batch->state != STOOK__OPEN || batch->freed)
        return refuse(batch, STOOK_ESTATE,
                      "the batch was awaited before: a batch can be awaited once");
    if (blocking && !client->owned)
        return refuse(
            batch, STOOK_ESTATE,
            "a blocking await would stop the loop of the program: use stook_gather_start or "
            "stook_gather_ordered_start");
    if (blocking && client->turning)
        return refuse(
            batch, STOOK_ESTATE,
            "a blocking await inside a callback of the same client would wait for itself: use "
            "stook_gather_start or stook_gather_ordered_start");
    if (batch->add_error != 0)
        return batch->add_error; /* `refusal` still explains that add */
    return 0;
}

static size_t size_or_all(int64_t number)
{
    return number < 0 || (uint64_t)number > SIZE_MAX ? SIZE_MAX : (size_t)number;
}

/* Checks the numbers: 0, or STOOK_EARG with *ret_why set. */
static int check_numbers(const struct stook_gather_options *mine, struct plan *plan,
                         const char **ret_why)
{
    int64_t window = 0, buffered = 0, number;
    *ret_why = "limit is not 0, STOOK_NONE or 1 to 1000000";
    if (stook__validate_limit(mine->limit, &plan->limit) != 0)
        return STOOK_EARG;
    int64_t defaults = plan->limit == SIZE_MAX ? STOOK_NONE : 4 * (int64_t)plan->limit;
    if (defaults > 0 && defaults < WINDOW_MIN)
        defaults = WINDOW_MIN;
    *ret_why = "window is not 0, STOOK_NONE or a positive number";
    if (stook__validate_number(mine->window, defaults, 1, INT64_MAX, &window) != 0)
        return STOOK_EARG;
    *ret_why = "max_buffered_bytes is not 0, STOOK_NONE or a positive number";
    if (stook__validate_number(mine->max_buffered_bytes, BUFFERED_DEFAULT, 1, INT64_MAX,
                               &buffered) != 0)
        return STOOK_EARG;
    *ret_why = "timeout_ms is not 0, STOOK_NONE or 1 to 2^53";
    if (stook__validate_number(mine->timeout_ms, STOOK_NONE, 1, MS_MAX, &plan->timeout_ms) != 0)
        return STOOK_EARG;
    *ret_why = "policy is not one of STOOK_POLICY_...";
    if (stook__validate_number(mine->policy, STOOK_POLICY_ALL, 0, STOOK_POLICY_QUORUM, &number) !=
        0)
        return STOOK_EARG;
    plan->queue_options.window = size_or_all(window);
    plan->queue_options.max_buffered_bytes = size_or_all(buffered);
    return 0;
}

/* Returns why options cannot be combined, or NULL. */
static const char *find_conflict(const struct stook_gather_options *mine, int blocking)
{
    if (mine->pull != 0 && mine->pull != 1)
        return "pull is not 0 or 1";
    if (mine->pull && mine->on_result != NULL)
        return "pull and on_result: results are either pulled or delivered to on_result";
    if (mine->pull && blocking)
        return "pull with a blocking await, which would wait for itself: use stook_gather_start or "
               "stook_gather_ordered_start, then stook_batch_next";
    if (mine->quorum < 0 || (mine->quorum > 0) != (mine->policy == STOOK_POLICY_QUORUM))
        return "quorum is a positive number with STOOK_POLICY_QUORUM, and 0 otherwise";
    return NULL;
}

static int make_plan(stook_batch *batch, const struct stook_gather_options *options, int ordered,
                     int blocking, struct plan *ret_plan)
{
    struct stook_gather_options *mine = &ret_plan->options;
    const char *why = NULL;
    int error = stook__validate_struct(mine, sizeof *mine, options);
    if (error != 0)
        return refuse(batch, error,
                      error == STOOK_EARG
                          ? "the options have no size: make them with STOOK_GATHER()"
                          : "the options set a member that this version of stook does not know");
    if (check_numbers(mine, ret_plan, &why) != 0 || (why = find_conflict(mine, blocking)) != NULL)
        return refuse(batch, STOOK_EARG, why);
    ret_plan->queue_options.ordered = ordered;
    ret_plan->queue_options.pulled = (int)mine->pull;
    ret_plan->queue_options.borrowed = mine->on_result != NULL || mine->pull;
    return 0;
}

static int begin(stook_batch *batch, const struct plan *plan,
                 void (*done)(stook_batch *batch, int failed, void *user), void *user)
{
    stook_client *client = batch->client;
    const struct stook_gather_options *options = &plan->options;
    if (stook__result_queue_open(&batch->results, batch->allocator, &client->result_queues,
                                 &plan->queue_options) != 0)
        return refuse(batch, STOOK_ENOMEM, stook_strerror(STOOK_ENOMEM));
    batch->callbacks =
        (struct stook__callbacks){options->more, options->on_result, options->user, done, user};
    batch->exhausted = options->more == NULL;
    stook__batch_move(batch, STOOK__AWAITED);
    batch->refusal = "";
    client->awaits++;
    client->pulls += plan->queue_options.pulled;
    int64_t deadline = plan->timeout_ms < 0 || plan->timeout_ms > MS_MAX / 1000
                           ? 0
                           : stook__loop_now() + plan->timeout_ms * 1000;
    stook__group_open(&client->sched, &batch->group, plan->limit, deadline);
    stook__batch_set_policy(batch, options->policy, size_or_all(options->quorum));
    stook__loop_busy(client->loop, 1);
    stook__batch_mark_dirty(batch);
    return 0;
}

static int start(stook_batch *batch, const struct stook_gather_options *options, int ordered,
                 void (*done)(stook_batch *batch, int failed, void *user), void *user)
{
    struct plan plan;
    if (batch == NULL)
        return STOOK_EARG;
    int error = check_state(batch, 0);
    if (error == 0)
        error = make_plan(batch, options, ordered, 0, &plan);
    return error != 0 ? error : begin(batch, &plan, done, user);
}

static int is_done(stook_client *client, void *what)
{
    const stook_batch *batch = what;
    (void)client;
    return batch->state == STOOK__DONE;
}

static int await(stook_batch *batch, const struct stook_gather_options *options, int ordered)
{
    struct plan plan;
    if (batch == NULL)
        return STOOK_EARG;
    stook_client *client = batch->client;
    int error = check_state(batch, 1);
    if (error == 0)
        error = make_plan(batch, options, ordered, 1, &plan);
    if (error == 0)
        error = begin(batch, &plan, NULL, NULL);
    if (error != 0)
        return error;
    /* The pin keeps the batch if a callback frees it, because its count is read below. Turns follow
       a poll, so idle connections that were closed meanwhile are known before a request starts. */
    batch->pins++;
    stook__client_run(client, is_done, batch);
    int failed = stook__batch_failed(batch);
    batch->pins--;
    if (batch->freed && batch->pins == 0)
        stook__batch_destroy(batch);
    return failed;
}

int stook_gather(stook_batch *batch, const struct stook_gather_options *options)
{
    return await(batch, options, 0);
}

int stook_gather_ordered(stook_batch *batch, const struct stook_gather_options *options)
{
    return await(batch, options, 1);
}

int stook_gather_start(stook_batch *batch, const struct stook_gather_options *options,
                       void (*done)(stook_batch *batch, int failed, void *user), void *user)
{
    return start(batch, options, 0, done, user);
}

int stook_gather_ordered_start(stook_batch *batch, const struct stook_gather_options *options,
                               void (*done)(stook_batch *batch, int failed, void *user), void *user)
{
    return start(batch, options, 1, done, user);
}
