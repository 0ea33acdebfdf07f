/* SPDX-License-Identifier: MIT */
/* The life of one attempt; see attempt.h. */
#include <string.h>

#include "http/body_sink.h"
#include "http/files.h"
#include "http/stream.h"
#include "http/upload.h"
#include "http/upload_source.h"

enum { HEAD_SLACK = 4 }; /* bytes: numbers of the next answer may be longer */

int stook__attempt_stop(struct stook__attempt *attempt, int error, const char *why)
{
    if (attempt->error == 0) {
        attempt->error = error;
        attempt->why = why;
    }
    return STOOK__EASY_END;
}

void stook__attempt_expect(struct stook__attempt *attempt)
{
    const struct stook__response_rules rules = {
        .strict = attempt->policy->strict == 1,
        .to_head = attempt->method[0] == 'H' && strcmp(attempt->method, "HEAD") == 0,
        .framed = 1, /* receive.c looks whether that can be */
    };
    stook__free(attempt->allocator, attempt->response.line);
    stook__response_begin(&attempt->response, &rules, NULL, 0);
}

static void destroy(struct stook__attempt *attempt)
{
    stook__free(attempt->allocator, attempt->response.line);
    if (attempt->easy != NULL)
        stook__easy_give_back(attempt->easy);
    stook__upload_end(attempt);
    curl_slist_free_all(attempt->headers);
    stook__answer_free(&attempt->answer, attempt->allocator);
    stook__stream_end(attempt);
    stook__body_sink_end(attempt);
    stook__body_flow_leave(&attempt->flow);
    stook__list_remove(&attempt->files_ready);
    stook__free(attempt->allocator, attempt->owned_why);
    if (attempt->refusal.message_owned)
        stook__free(attempt->allocator, (char *)attempt->refusal.message);
    stook__free(attempt->allocator, attempt);
}

const char *stook__attempt_method(const struct stook__spec *spec)
{
    const char *method = stook__spec_method(spec);
    if (method != NULL)
        return method;
    return stook__spec_has_body(spec) ? "POST" : "GET";
}

/* 0, or an error; then the refusal says more, and there is no easy handle. */
static int set_up(struct stook__attempt *attempt)
{
    struct stook__outcome *refusal = &attempt->refusal;
    int error = stook__options_set(attempt, attempt->fresh, refusal);
    if (error == 0)
        error = stook__easy_start(attempt->easy);
    if (error != 0 && refusal->error == 0)
        stook__outcome_set(attempt->allocator, refusal, error, NULL);
    if (error != 0 && attempt->easy != NULL) {
        stook__easy_give_back(attempt->easy);
        attempt->easy = NULL;
    }
    attempt->started |= error == 0;
    return error;
}

/* Whether the program hears of it while it is under way. */
static int streams(const struct stook__spec *spec)
{
    const struct stook__optional *optional = spec->optional;
    return optional != NULL && (optional->on_head != NULL || optional->on_body != NULL ||
                                optional->on_progress != NULL || optional->body_read != NULL);
}

static int prepare(struct stook__attempt *attempt)
{
    const struct stook__optional *optional = attempt->spec->optional;
    int error = 0;
    if (streams(attempt->spec) || attempt->policy->decompress == 1 ||
        (optional != NULL && optional->output_file != NULL))
        error = stook__stream_begin(attempt);
    if (error == 0 && attempt->stream != NULL)
        error = stook__body_sink_begin(attempt);
    if (error == 0 && stook__spec_has_source(attempt->spec))
        error = stook__upload_open(attempt);
    return error;
}

/* Whether the disk is still at one of its files: until then it cannot start. */
static int is_opening(const struct stook__attempt *attempt)
{
    return stook__upload_opening(attempt) || stook__body_sink_opening(attempt);
}

/* Why it did not start. */
static void say_refusal(struct stook__attempt *attempt, int error,
                        struct stook__outcome *ret_outcome)
{
    *ret_outcome = attempt->refusal;
    attempt->refusal = (struct stook__outcome){0};
    if (ret_outcome->error == 0)
        stook__outcome_set(attempt->allocator, ret_outcome, error, attempt->why);
    if (ret_outcome->os_error == 0)
        ret_outcome->os_error = attempt->os_error;
    ret_outcome->starved = ret_outcome->error == STOOK_ENOFD;
}

struct stook__attempt *stook__attempt_begin(struct stook__defaults *defaults,
                                            const struct stook__spec *spec,
                                            const struct stook__node *origin,
                                            const struct stook__settings *policy, int fresh,
                                            void *owner, struct stook__outcome *ret_outcome)
{
    struct stook__allocator *allocator = defaults->allocator;
    *ret_outcome = (struct stook__outcome){0};
    struct stook__attempt *attempt = stook__alloc(allocator, sizeof *attempt);
    int error = STOOK_ENOMEM;
    if (attempt != NULL) {
        attempt->allocator = allocator;
        attempt->engine = defaults->engine;
        attempt->clock = stook__engine_clock(defaults->engine);
        attempt->spec = spec;
        attempt->origin = origin;
        attempt->policy = policy;
        attempt->defaults = defaults;
        attempt->owner = owner;
        attempt->method = stook__attempt_method(spec);
        attempt->fresh = fresh;
        stook__attempt_expect(attempt);
        stook__list_init(&attempt->files_ready);
        error = prepare(attempt);
        if (error == 0 && !is_opening(attempt))
            error = set_up(attempt);
        if (error == 0)
            return attempt;
        say_refusal(attempt, error, ret_outcome);
        destroy(attempt);
    }
    if (ret_outcome->error == 0)
        stook__outcome_set(allocator, ret_outcome, error, NULL);
    ret_outcome->starved = ret_outcome->error == STOOK_ENOFD;
    return NULL;
}

/* OpenSSL's X509_V_ERR_...: the issuer is not among the authorities. GnuTLS says no more than 1. */
static int is_unknown_authority(long result)
{
    return result == 1 || result == 2 || (result >= 18 && result <= 21);
}

/* The certificate's authority may be one that only the directory knows. */
static int wants_directory(struct stook__attempt *attempt, const struct stook__easy_info *facts)
{
    long result = 0;
    if (facts->code != CURLE_PEER_FAILED_VERIFICATION ||
        stook__peer_own_authorities(attempt->policy) ||
        stook__easy_settings(attempt->easy)->directory)
        return 0;
    curl_easy_getinfo(stook__easy_curl(attempt->easy), CURLINFO_SSL_VERIFYRESULT, &result);
    return is_unknown_authority(result);
}

/* Once more, with the directory of authorities, or on a connection that is not dead. Nothing was
   sent, so this is the same attempt still. 1: it is under way again. */
static int try_again(struct stook__attempt *attempt)
{
    struct stook__easy_info facts;
    if (stook__easy_succeeded(attempt->easy))
        return 0;
    stook__easy_info(attempt->easy, &facts);
    if (attempt->error != 0 || facts.broken != CURLM_OK ||
        !stook__upload_source_may_repeat(attempt))
        return 0;
    if (wants_directory(attempt, &facts))
        stook__easy_note_directory(attempt->easy);
    else if (facts.dead && !attempt->fresh)
        attempt->fresh = 1;
    else
        return 0;
    stook__easy_give_back(attempt->easy);
    stook__upload_renew(attempt);
    curl_slist_free_all(attempt->headers);
    attempt->easy = NULL;
    attempt->headers = NULL;
    attempt->error = set_up(attempt);
    return attempt->error == 0;
}

static void show(struct stook__attempt *attempt, struct stook__easy_info *ret_facts);

/* It is over but for its file, which goes into its place first, or goes away: a repeat finds no traces of it. */
static int settles(struct stook__attempt *attempt)
{
    struct stook__outcome outcome = {.error = attempt->error};
    if (!stook__body_sink_has_file(attempt))
        return 0;
    if (!attempt->settling && attempt->easy != NULL && attempt->error == 0) {
        struct stook__easy_info facts;
        show(attempt, &facts);
        stook__error_map(attempt, &facts, &outcome);
        if (outcome.message_owned)
            stook__free(attempt->allocator, (char *)outcome.message);
    }
    attempt->settling = 1;
    return !stook__body_sink_settle(attempt, outcome.error == 0);
}

/* An operation on one of its files is over. 1: and so is the attempt. */
static int hear_files(struct stook__attempt *attempt)
{
    if (attempt->easy == NULL && attempt->error == 0 && !is_opening(attempt))
        attempt->error = set_up(attempt);
    if (attempt->easy == NULL)
        return attempt->error != 0 && !settles(attempt);
    if (attempt->error != 0 || attempt->settling) {
        stook__easy_notify(attempt->easy);
        return 0;
    }
    stook__upload_continue(attempt);
    if (attempt->stream != NULL)
        stook__stream_mark_ready(attempt);
    return 0;
}

struct stook__attempt *stook__attempt_next_completed(struct stook__defaults *defaults)
{
    struct stook__attempt *attempt;
    for (;;) {
        while ((attempt = stook__engine_next_completed(defaults->engine)) != NULL)
            if (!try_again(attempt) && !stook__stream_defers(attempt) && !settles(attempt))
                return attempt;
        /* Only now: what has ended in libcurl must not be told to go on. */
        attempt = stook__files_next(defaults);
        if (attempt == NULL || hear_files(attempt))
            return attempt;
    }
}

int stook__attempt_is_due(const struct stook__defaults *defaults)
{
    return !stook__list_empty(&defaults->files_ready);
}

void *stook__attempt_owner(const struct stook__attempt *attempt)
{
    return attempt->owner;
}

int64_t stook__attempt_moved_at(struct stook__attempt *attempt)
{
    /* Nobody tells us when bytes go out; but libcurl counts those of the body. */
    curl_off_t sent = 0;
    if (attempt->easy == NULL)
        return attempt->moved_at;
    curl_easy_getinfo(stook__easy_curl(attempt->easy), CURLINFO_SIZE_UPLOAD_T, &sent);
    if (sent != attempt->sent) {
        attempt->sent = sent;
        attempt->moved_at = stook__engine_time(attempt->engine);
    }
    /* libcurl tells of whole lines of a header section, which may come slowly. */
    if (attempt->connected && !attempt->head_done) {
        int64_t heard_at = stook__easy_last_input(attempt->easy);
        attempt->moved_at = heard_at > attempt->moved_at ? heard_at : attempt->moved_at;
    }
    return attempt->moved_at;
}

int stook__attempt_connected(const struct stook__attempt *attempt)
{
    return attempt->connected;
}

static void show(struct stook__attempt *attempt, struct stook__easy_info *ret_facts)
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
    CURL *curl = stook__easy_curl(attempt->easy);
    struct stook__answer *answer = &attempt->answer;
    const struct stook__easy_info *facts = ret_facts;
    long value = 0;
    stook__easy_info(attempt->easy, ret_facts);
    if (facts->code != CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &value);
    if (attempt->os_error != 0)
        value = attempt->os_error;
    answer->os_error = (int16_t)(facts->os_error != 0 ? facts->os_error : value);
    answer->curl_code = (uint8_t)facts->code;
    for (size_t i = facts->reused ? NOT_CONNECTING : 0; i < sizeof times / sizeof *times; i++) {
        curl_off_t us = 0;
        curl_easy_getinfo(curl, times[i].info, &us);
        answer->time_us[times[i].which] = us;
    }
    attempt->reused = facts->reused;
}

void stook__attempt_fill_answer(struct stook__attempt *attempt)
{
    struct stook__easy_info facts;
    show(attempt, &facts);
}

static struct stook__metadata facts_of(const struct stook__attempt *attempt)
{
    return (struct stook__metadata){
        .number = {[STOOK__METADATA_FLAGS] = (uint64_t)attempt->flags,
                   [STOOK__METADATA_REUSED] = (uint64_t)attempt->reused,
                   [STOOK__METADATA_HEAD] = (uint64_t)attempt->head_bytes},
        .remote = stook__easy_settings(attempt->easy)->remote.text,
    };
}

int stook__attempt_has_head(const struct stook__attempt *attempt)
{
    return attempt->head_done && stook__stream_head_is_final(attempt);
}

int stook__attempt_copy_head(struct stook__attempt *attempt, struct stook__answer *ret_answer)
{
    struct stook__answer *answer = &attempt->answer;
    *ret_answer = (struct stook__answer){0};
    if (!stook__attempt_has_head(attempt))
        return 0;
    stook__attempt_fill_answer(attempt);
    struct stook__metadata facts = facts_of(attempt);
    *ret_answer = (struct stook__answer){.status = answer->status, .protocol = answer->protocol};
    memcpy(ret_answer->time_us, answer->time_us, sizeof answer->time_us);
    if (attempt->trailers_at > 0 &&
        stook__buffer_append(&ret_answer->head, attempt->allocator, answer->head.data,
                             attempt->trailers_at) != 0)
        return STOOK_ENOMEM;
    return stook__metadata_put(&ret_answer->head, attempt->allocator, &facts);
}

/* The last thing that is put into the answer. The next answer of the client takes a block of that size. */
static int seal(struct stook__attempt *attempt)
{
    struct stook__buffer *head = &attempt->answer.head;
    curl_off_t sent = 0;
    if (!attempt->connected)
        return 0;
    if (attempt->spec->body_size > 0 || attempt->spec->optional != NULL)
        curl_easy_getinfo(stook__easy_curl(attempt->easy), CURLINFO_SIZE_UPLOAD_T, &sent);
    struct stook__metadata facts = facts_of(attempt);
    facts.number[STOOK__METADATA_TRAILERS] =
        attempt->head_done ? head->size - attempt->trailers_at : 0;
    facts.number[STOOK__METADATA_WIRE] = (uint64_t)attempt->wire;
    facts.number[STOOK__METADATA_BODY] =
        attempt->sink != NULL ? (uint64_t)attempt->received : attempt->answer.body.size;
    facts.number[STOOK__METADATA_SENT] = (uint64_t)sent;
    if (stook__metadata_put(head, attempt->allocator, &facts) != 0) {
        stook__buffer_free(head, attempt->allocator); /* there is no head without them */
        return STOOK_ENOMEM;
    }
    attempt->defaults->head_size = head->size + HEAD_SLACK;
    return 0;
}

int64_t stook__attempt_received(const struct stook__attempt *attempt, int64_t *ret_expected)
{
    *ret_expected = attempt->head_done ? attempt->response.length : -1;
    return attempt->wire;
}

void stook__attempt_progress(const struct stook__attempt *attempt,
                             struct stook_progress *ret_progress)
{
    curl_off_t sent = 0, to_send = -1;
    CURL *curl = attempt->easy != NULL ? stook__easy_curl(attempt->easy) : NULL;
    if (curl != NULL) {
        curl_easy_getinfo(curl, CURLINFO_SIZE_UPLOAD_T, &sent);
        curl_easy_getinfo(curl, CURLINFO_CONTENT_LENGTH_UPLOAD_T, &to_send);
    }
    *ret_progress = STOOK_PROGRESS();
    ret_progress->received = stook__attempt_received(attempt, &ret_progress->receive_total);
    ret_progress->sent = sent;
    ret_progress->send_total = to_send;
}

void stook__attempt_end(struct stook__attempt *attempt, struct stook__answer *ret_answer,
                        struct stook__outcome *ret_outcome)
{
    struct stook__easy_info facts;
    if (attempt->easy != NULL)
        show(attempt, &facts);
    else
        attempt->answer.os_error = (int16_t)attempt->os_error;
    if (ret_outcome != NULL && attempt->easy == NULL)
        say_refusal(attempt, attempt->error, ret_outcome);
    else if (ret_outcome != NULL)
        stook__error_map(attempt, &facts, ret_outcome);
    if (ret_outcome != NULL)
        ret_outcome->untried = !attempt->started;
    if (attempt->easy != NULL && seal(attempt) != 0 && ret_outcome != NULL &&
        ret_outcome->error == 0)
        stook__outcome_set(attempt->allocator, ret_outcome, STOOK_ENOMEM, NULL);
    *ret_answer = attempt->answer;
    ret_answer->attempts = (uint16_t)attempt->resends;
    attempt->answer = (struct stook__answer){0};
    destroy(attempt);
}
