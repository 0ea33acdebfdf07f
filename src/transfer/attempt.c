/* SPDX-License-Identifier: MIT */
/* The life of one attempt; see attempt.h. */
#include "transfer/brake.h"
#include "transfer/feed.h"
#include "transfer/intake.h"
#include "transfer/upload.h"

enum { HEAD_SLACK = 4 }; /* bytes: numbers of the next answer may be longer */

static void destroy(struct stook__attempt *attempt)
{
    if (attempt->slot != NULL)
        stook__slot_give_back(attempt->slot);
    stook__upload_end(attempt);
    curl_slist_free_all(attempt->headers);
    stook__answer_free(&attempt->answer, attempt->heap);
    stook__stream_end(attempt);
    stook__intake_end(attempt);
    stook__brake_leave(&attempt->brake);
    stook__free(attempt->heap, attempt);
}

static const char *method_of(const struct stook__spec *spec)
{
    const char *method = stook__spec_method(spec);
    if (method != NULL)
        return method;
    return stook__spec_has_body(spec) ? "POST" : "GET";
}

static int set_up(struct stook__attempt *attempt, struct stook__outcome *ret_outcome)
{
    int error = stook__options_set(attempt, attempt->fresh, ret_outcome);
    return error != 0 ? error : stook__slot_start(attempt->slot);
}

/* Whether the program hears of it while it is under way. */
static int streams(const struct stook__spec *spec)
{
    const struct stook__extra *extra = spec->extra;
    return extra != NULL && (extra->on_head != NULL || extra->on_body != NULL || extra->on_progress != NULL ||
                             extra->body_read != NULL);
}

static int prepare(struct stook__attempt *attempt, struct stook__outcome *ret_outcome)
{
    const struct stook__extra *extra = attempt->spec->extra;
    if (!streams(attempt->spec) && attempt->policy->decode != 1 && (extra == NULL || extra->output_file == NULL))
        return 0;
    int error = stook__stream_begin(attempt);
    return error != 0 ? error : stook__intake_begin(attempt, ret_outcome);
}

struct stook__attempt *stook__attempt_begin(struct stook__usual *usual, const struct stook__spec *spec,
                                            const struct stook__node *origin, const struct stook__policy *policy,
                                            int fresh, void *owner,
                                            struct stook__outcome *ret_outcome)
{
    struct stook__heap *heap = usual->heap;
    *ret_outcome = (struct stook__outcome){0};
    struct stook__attempt *attempt = stook__alloc(heap, sizeof *attempt);
    int error = STOOK_ENOMEM;
    if (attempt != NULL) {
        attempt->heap = heap;
        attempt->engine = usual->engine;
        attempt->clock = stook__engine_clock(usual->engine);
        attempt->spec = spec;
        attempt->origin = origin;
        attempt->policy = policy;
        attempt->usual = usual;
        attempt->owner = owner;
        attempt->method = method_of(spec);
        attempt->fresh = fresh;
        error = prepare(attempt, ret_outcome);
        if (error == 0)
            error = set_up(attempt, ret_outcome);
        if (error == 0)
            return attempt;
        destroy(attempt);
    }
    if (ret_outcome->error == 0)
        stook__outcome_set(heap, ret_outcome, error, NULL);
    ret_outcome->starved = ret_outcome->error == STOOK_ENOFD;
    return NULL;
}

/* OpenSSL's X509_V_ERR_...: the issuer is not among the authorities. GnuTLS says no more than 1. */
static int is_unknown_authority(long result)
{
    return result == 1 || result == 2 || (result >= 18 && result <= 21);
}

/* The certificate's authority may be one that only the directory knows. */
static int wants_directory(struct stook__attempt *attempt, const struct stook__slot_facts *facts)
{
    long result = 0;
    if (facts->code != CURLE_PEER_FAILED_VERIFICATION || stook__peer_own_authorities(attempt->policy) ||
        stook__slot_kit(attempt->slot)->directory)
        return 0;
    curl_easy_getinfo(stook__slot_easy(attempt->slot), CURLINFO_SSL_VERIFYRESULT, &result);
    return is_unknown_authority(result);
}

/* Once more, with the directory of authorities, or on a connection that is not dead. Nothing was
   sent, so this is the same attempt still. 1: it is under way again. */
static int try_again(struct stook__attempt *attempt)
{
    struct stook__slot_facts facts;
    struct stook__outcome outcome;
    stook__slot_facts(attempt->slot, &facts);
    if (attempt->error != 0 || facts.broken != CURLM_OK || !stook__feed_may_repeat(attempt))
        return 0;
    if (wants_directory(attempt, &facts))
        stook__slot_note_directory(attempt->slot);
    else if (facts.dead && !attempt->fresh)
        attempt->fresh = 1;
    else
        return 0;
    stook__slot_give_back(attempt->slot);
    stook__upload_end(attempt);
    curl_slist_free_all(attempt->headers);
    attempt->slot = NULL;
    attempt->headers = NULL;
    outcome = (struct stook__outcome){0};
    attempt->error = set_up(attempt, &outcome);
    if (outcome.message_owned)
        stook__free(attempt->heap, (char *)outcome.message);
    return attempt->error == 0;
}

struct stook__attempt *stook__attempt_news(struct stook__engine *engine)
{
    struct stook__attempt *attempt;
    while ((attempt = stook__engine_news(engine)) != NULL && (try_again(attempt) || stook__stream_defers(attempt)))
        ;
    return attempt;
}

void *stook__attempt_owner(const struct stook__attempt *attempt)
{
    return attempt->owner;
}

const struct stook__answer *stook__attempt_answer(const struct stook__attempt *attempt)
{
    return &attempt->answer;
}

const char *stook__attempt_fields(const struct stook__attempt *attempt, size_t *ret_size, size_t *ret_trailers)
{
    *ret_size = attempt->answer.head.size;
    *ret_trailers = attempt->head_done ? *ret_size - attempt->trailers_at : 0;
    return attempt->answer.head.data;
}

int64_t stook__attempt_moved_at(struct stook__attempt *attempt)
{
    /* Nobody tells us when bytes go out; but libcurl counts those of the body. */
    curl_off_t sent = 0;
    curl_easy_getinfo(stook__slot_easy(attempt->slot), CURLINFO_SIZE_UPLOAD_T, &sent);
    if (sent != attempt->sent) {
        attempt->sent = sent;
        attempt->moved_at = stook__engine_time(attempt->engine);
    }
    return attempt->moved_at;
}

int stook__attempt_connected(const struct stook__attempt *attempt)
{
    return attempt->connected;
}

void stook__attempt_show(struct stook__attempt *attempt)
{
    enum { NOT_CONNECTING = 3 }; /* the times before are of a connection that is made */
    static const struct {
        int which;
        CURLINFO info;
    } times[] = {{STOOK_TIME_CONNECT, CURLINFO_CONNECT_TIME_T},
                 {STOOK_TIME_TLS, CURLINFO_APPCONNECT_TIME_T},
                 {STOOK_TIME_DNS, CURLINFO_NAMELOOKUP_TIME_T},
                 {STOOK_TIME_FIRST_BYTE, CURLINFO_STARTTRANSFER_TIME_T},
                 {STOOK_TIME_TOTAL, CURLINFO_TOTAL_TIME_T}};
    CURL *easy = stook__slot_easy(attempt->slot);
    struct stook__answer *answer = &attempt->answer;
    struct stook__slot_facts facts;
    long value = 0;
    stook__slot_facts(attempt->slot, &facts);
    if (facts.code != CURLE_OK)
        curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &value);
    if (attempt->os_error != 0)
        value = attempt->os_error;
    answer->os_error = (int16_t)(facts.os_error != 0 ? facts.os_error : value);
    answer->curl_code = (uint8_t)facts.code;
    for (size_t i = facts.reused ? NOT_CONNECTING : 0; i < sizeof times / sizeof *times; i++) {
        curl_off_t us = 0;
        curl_easy_getinfo(easy, times[i].info, &us);
        answer->time_us[times[i].which] = us;
    }
    attempt->reused = facts.reused;
}

/* The last thing that is put into the answer. The next answer of the client takes a block of that size. */
static int seal(struct stook__attempt *attempt)
{
    struct stook__buffer *head = &attempt->answer.head;
    curl_off_t sent = 0;
    if (!attempt->connected)
        return 0;
    if (attempt->spec->body_size > 0 || attempt->spec->extra != NULL)
        curl_easy_getinfo(stook__slot_easy(attempt->slot), CURLINFO_SIZE_UPLOAD_T, &sent);
    struct stook__facts facts = {
        .number = {[STOOK__FACT_TRAILERS] = attempt->head_done ? head->size - attempt->trailers_at : 0,
                   [STOOK__FACT_FLAGS] = (uint64_t)attempt->flags,
                   [STOOK__FACT_REUSED] = (uint64_t)attempt->reused,
                   [STOOK__FACT_HEAD] = (uint64_t)attempt->head_bytes,
                   [STOOK__FACT_WIRE] = (uint64_t)attempt->wire,
                   [STOOK__FACT_BODY] = attempt->intake != NULL ? (uint64_t)attempt->received : attempt->answer.body.size,
                   [STOOK__FACT_SENT] = (uint64_t)sent},
        .remote = stook__slot_kit(attempt->slot)->remote.text,
    };
    if (stook__facts_put(head, attempt->heap, &facts) != 0) {
        stook__buffer_free(head, attempt->heap); /* there is no head without them */
        return STOOK_ENOMEM;
    }
    attempt->usual->head_size = head->size + HEAD_SLACK;
    return 0;
}

void stook__attempt_progress(const struct stook__attempt *attempt, struct stook_progress *ret_progress)
{
    curl_off_t sent = 0, to_send = 0;
    CURL *easy = stook__slot_easy(attempt->slot);
    curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    curl_easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_UPLOAD_T, &to_send);
    ret_progress->received = attempt->wire;
    ret_progress->receive_total = attempt->head_done ? attempt->length : -1;
    ret_progress->sent = sent;
    ret_progress->send_total = to_send;
}

void stook__attempt_end(struct stook__attempt *attempt, struct stook__answer *ret_answer,
                        struct stook__outcome *ret_outcome)
{
    if (attempt->slot != NULL)
        stook__attempt_show(attempt);
    if (attempt->slot != NULL && ret_outcome != NULL)
        stook__outcome_judge(attempt, ret_outcome);
    else if (ret_outcome != NULL)
        stook__outcome_set(attempt->heap, ret_outcome, attempt->error, NULL);
    if (attempt->slot != NULL && seal(attempt) != 0 && ret_outcome != NULL && ret_outcome->error == 0)
        stook__outcome_set(attempt->heap, ret_outcome, STOOK_ENOMEM, NULL);
    *ret_answer = attempt->answer;
    ret_answer->attempts = (uint16_t)attempt->rounds;
    attempt->answer = (struct stook__answer){0};
    destroy(attempt);
}
