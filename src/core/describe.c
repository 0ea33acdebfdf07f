/* SPDX-License-Identifier: MIT */
/* Messages of results that need more than one cause or a number; see describe.h. */
#include "core/describe.h"

#include <inttypes.h>

#include "util/allocator.h"

static struct stook__outcome with_message(struct stook__outcome outcome, char *message)
{
    if (message != NULL) {
        outcome.message = message;
        outcome.message_owned = 1;
    }
    return outcome;
}

struct stook__outcome stook__describe_end(struct stook__allocator *allocator,
                                          const struct stook__job *job, int error,
                                          const char *cause)
{
    const struct stook__settings *settings = job->settings;
    const char *text = stook_strerror(error);
    struct stook__outcome outcome = {.error = error, .message = text};
    const char *what = NULL;
    int64_t ms = 0;
    if (error == STOOK_ECANCELLED && cause != NULL)
        return with_message(outcome, stook__format(allocator, "%s: %s", text, cause));
    switch (error) {
    case STOOK_ETIMEOUT_QUEUE:
        what = "not started within", ms = settings->queue_ms;
        break;
    case STOOK_ETIMEOUT_ATTEMPT:
        what = job->connected ? "no complete response within" : "not connected within",
        ms = settings->attempt_ms;
        if (!job->connected && settings->connect_ms >= 0 && (ms < 0 || settings->connect_ms < ms))
            ms = settings->connect_ms;
        break;
    case STOOK_ETIMEOUT_TOTAL:
        what = "no complete response within", ms = settings->total_ms;
        break;
    case STOOK_ETIMEOUT_STALL:
        what = "no byte for", ms = settings->stall_ms;
        break;
    default:
        return outcome;
    }
    return with_message(outcome, stook__format(allocator, "%s: %s %" PRId64 " ms%s%s", text, what,
                                               ms, cause != NULL ? "; it was " : "",
                                               cause != NULL ? cause : ""));
}

void stook__describe_first_failure(struct stook__allocator *allocator,
                                   struct stook__outcome *outcome)
{
    /* STOOK_ECERT and its like stay: they say more than the first failure. */
    int unreachable = outcome->error == STOOK_EDNS || outcome->error == STOOK_ECONNECT ||
                      outcome->error == STOOK_ENOFD || outcome->error == STOOK_ENOMEM;
    if (!unreachable || outcome->sent)
        return;
    char *line = stook__format(
        allocator, "%s: the first attempt was sent and got no response; its repeat failed: %s",
        stook_strerror(STOOK_ERESET), outcome->message);
    if (outcome->message_owned)
        stook__free(allocator, (char *)outcome->message);
    *outcome = with_message((struct stook__outcome){.error = STOOK_ERESET,
                                                    .message = stook_strerror(STOOK_ERESET),
                                                    .own_error = outcome->error},
                            line);
}

struct stook__outcome stook__describe_first_try(struct stook__allocator *allocator,
                                                const struct stook__mirrors *mirrors, int status,
                                                struct stook__outcome outcome)
{
    int is_ok = outcome.error == 0 && !stook__mirrors_is_failure(status);
    unsigned tried = mirrors != NULL ? stook__mirrors_tried(mirrors) : 0;
    if (is_ok || tried < 2 || mirrors->first == NULL)
        return outcome;
    char *line = stook__format(allocator, "%s; the first of the %u URLs that were tried: %s",
                               outcome.message, tried, mirrors->first);
    if (line != NULL && outcome.message_owned)
        stook__free(allocator, (char *)outcome.message);
    return with_message(outcome, line);
}

void stook__describe_no_retry(struct stook__allocator *allocator, enum stook__no_retry why,
                              struct stook__outcome *outcome)
{
    static const char *const texts[] = {
        [STOOK__NO_RETRY_BUDGET] = "the retry budget of its origin is used up",
        [STOOK__NO_RETRY_TOO_LATE] = "the wait before it would pass timeout_ms",
        [STOOK__NO_RETRY_TOO_LONG] = "the response asks for a wait beyond max_cooldown_ms"};
    if (why == STOOK__NO_RETRY_NONE)
        return;
    char *line = stook__format(allocator, "%s; no retry: %s", outcome->message, texts[why]);
    if (line == NULL)
        return;
    if (outcome->message_owned)
        stook__free(allocator, (char *)outcome->message);
    outcome->message = line;
    outcome->message_owned = 1;
}

struct stook__outcome stook__describe_circuit(struct stook__allocator *allocator, int64_t rest_us)
{
    const char *text = stook_strerror(STOOK_ECIRCUIT);
    struct stook__outcome outcome = {.error = STOOK_ECIRCUIT, .message = text};
    return with_message(outcome, stook__format(allocator, "%s, for %" PRId64 " ms more", text,
                                               (rest_us + 999) / 1000));
}
