/* SPDX-License-Identifier: MIT */
/* The awaits of stook/batch.h: both verbs, blocking and on a loop. */
#include "core/await.h"
#include "core/batch.h"
#include "request/validate.h"

enum {
    WINDOW_MIN = 64,
    BUFFERED_DEFAULT = 64 << 20,
    WAITING_DEFAULT = 10000,
    WAITING_MAX = 1000000000
};
static const int64_t MS_MAX = (int64_t)1 << 53;

static size_t size_or_all(int64_t number)
{
    return number < 0 || (uint64_t)number > SIZE_MAX ? SIZE_MAX : (size_t)number;
}

/* Checks the numbers: 0, or STOOK_EARG with *ret_why set. */
static int check_numbers(const struct stook_gather_options *mine, struct stook__await *await,
                         const char **ret_why)
{
    int64_t window = 0, buffered = 0;
    int64_t waiting;
    await->adaptive = mine->limit == STOOK_AUTO;
    await->window_follows = await->adaptive && mine->window == 0;
    *ret_why = "limit is not 0, STOOK_NONE, STOOK_AUTO or 1 to 1000000";
    if (stook__validate_limit(await->adaptive ? STOOK_NONE : mine->limit, &await->limit) != 0)
        return STOOK_EARG;
    *ret_why = "max_waiting is not 0 or 1 to 1000000000";
    if (stook__validate_number(mine->max_waiting, WAITING_DEFAULT, 0, WAITING_MAX, &waiting) != 0)
        return STOOK_EARG;
    await->max_waiting = (size_t)waiting;
    int64_t defaults = await->limit == SIZE_MAX ? STOOK_NONE : 4 * (int64_t)await->limit;
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
    if (stook__validate_number(mine->timeout_ms, STOOK_NONE, 1, MS_MAX, &await->timeout_ms) != 0)
        return STOOK_EARG;
    *ret_why = "policy is not one of STOOK_POLICY_...";
    if (stook__validate_number(mine->policy, STOOK_POLICY_ALL, 0, STOOK_POLICY_QUORUM,
                               &await->policy) != 0)
        return STOOK_EARG;
    await->queue.window = size_or_all(window);
    await->queue.max_buffered_bytes = size_or_all(buffered);
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

/* Checks the options of an await: 0, or an error with its text in stook_batch_message(). */
static int check_options(stook_batch *batch, const struct stook_gather_options *options,
                         int ordered, int blocking, struct stook__await *ret_await)
{
    struct stook_gather_options mine;
    const char *why = NULL;
    int error = stook__validate_struct(&mine, sizeof mine, options);
    if (error != 0)
        return stook__batch_refuse(
            batch, error,
            error == STOOK_EARG
                ? "the options have no size: make them with STOOK_GATHER()"
                : "the options set a member that this version of stook does not know");
    if (check_numbers(&mine, ret_await, &why) != 0 ||
        (why = find_conflict(&mine, blocking)) != NULL)
        return stook__batch_refuse(batch, STOOK_EARG, why);
    ret_await->queue.ordered = ordered;
    ret_await->queue.pulled = (int)mine.pull;
    ret_await->queue.borrowed = mine.on_result != NULL || mine.pull;
    ret_await->quorum = size_or_all(mine.quorum);
    ret_await->callbacks = (struct stook__callbacks){
        .more = mine.more, .on_result = mine.on_result, .user = mine.user};
    return 0;
}

static int start(stook_batch *batch, const struct stook_gather_options *options, int ordered,
                 void (*done)(stook_batch *batch, int failed, void *user), void *user)
{
    struct stook__await await;
    int error = batch != NULL ? stook__await_check(batch, 0) : STOOK_EARG;
    if (error == 0)
        error = check_options(batch, options, ordered, 0, &await);
    if (error != 0)
        return error;
    await.callbacks.done = done;
    await.callbacks.done_user = user;
    return stook__await_begin(batch, &await);
}

static int block(stook_batch *batch, const struct stook_gather_options *options, int ordered)
{
    struct stook__await await;
    int error = batch != NULL ? stook__await_check(batch, 1) : STOOK_EARG;
    if (error == 0)
        error = check_options(batch, options, ordered, 1, &await);
    if (error == 0)
        error = stook__await_begin(batch, &await);
    return error != 0 ? error : stook__await_finish(batch);
}

int stook_gather(stook_batch *batch, const struct stook_gather_options *options)
{
    return block(batch, options, 0);
}

int stook_gather_ordered(stook_batch *batch, const struct stook_gather_options *options)
{
    return block(batch, options, 1);
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
