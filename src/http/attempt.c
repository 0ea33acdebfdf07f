/* SPDX-License-Identifier: MIT */
/*
 * The life of one attempt: its set-up, the two repeats that stay inside it, its file, its end. Owns
 * struct stook__attempt. The turn calls it, never libcurl: the callbacks of a transfer are in
 * receive.c. An attempt that stook__attempt_begin returned lives until stook__attempt_end.
 */
#include "http/attempt.h"

#include <string.h>

#include "curl/engine.h"
#include "http/attempt_state.h"
#include "http/body_sink.h"
#include "http/easy_hook.h"
#include "http/easy_options.h"
#include "http/error_map.h"
#include "http/http1_fallback.h"
#include "http/peer.h"
#include "http/receive.h"
#include "http/request_fields.h"
#include "http/resend.h"
#include "http/route.h"
#include "http/stream.h"
#include "http/upload.h"
#include "http/upload_source.h"

/* Bytes by which the next head may be longer than the last one, because its numbers have more
   digits. */
enum { HEAD_SLACK = 4 };

/* --------------------------------------------------------------------- beginning */

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
    stook__free(attempt->allocator, attempt->target);
    if (attempt->setup_error.message_owned)
        stook__free(attempt->allocator, (char *)attempt->setup_error.message);
    stook__free(attempt->allocator, attempt);
}

/* Hands a configured easy handle to the engine. After an error the attempt has none, and
   attempt->setup_error has the message. */
static int set_up(struct stook__attempt *attempt)
{
    struct stook__outcome *outcome = &attempt->setup_error;
    int secret = 0, error = stook__options_check(attempt, &secret, outcome);
    if (error == 0) {
        stook__resend_init(attempt);
        error = stook__route_choose(attempt, outcome);
    }
    if (error == 0)
        error = stook__options_set(attempt, &stook__receive_events, secret, outcome);
    if (error == 0)
        error = stook__easy_start(attempt->easy);
    if (error != 0 && outcome->error == 0)
        stook__outcome_set(attempt->allocator, outcome, error,
                           error == STOOK_ECALLBACK ? STOOK__EASY_TAKEN : NULL);
    if (error != 0 && attempt->easy != NULL) {
        stook__easy_give_back(attempt->easy);
        attempt->easy = NULL;
    }
    if (error == 0 && attempt->state == STOOK__ATTEMPT_OPENING) /* no kept connection has sent it */
        stook__attempt_move(attempt, STOOK__ATTEMPT_CONNECTING, "the engine has it");
    return error;
}

/* Returns 1 if the program has callbacks that run during the transfer. */
static int has_callbacks(const struct stook__spec *spec)
{
    const struct stook__optional *optional = spec->optional;
    return optional != NULL && (optional->on_head != NULL || optional->on_body != NULL ||
                                optional->on_progress != NULL || optional->body_read != NULL);
}

/* Makes the parts of the attempt and begins to open its files. */
static int prepare(struct stook__attempt *attempt)
{
    const struct stook__optional *optional = attempt->spec->optional;
    int error = 0;
    if (has_callbacks(attempt->spec) || attempt->settings->decompress == 1 ||
        (optional != NULL && (optional->output_file != NULL || optional->sha256 != NULL)))
        error = stook__stream_begin(attempt);
    if (error == 0 && attempt->stream != NULL)
        error = stook__body_sink_begin(attempt);
    if (error == 0 && stook__spec_has_source(attempt->spec))
        error = stook__upload_open(attempt);
    return error;
}

/* Returns 1 while a file of the attempt is not open yet: no transfer can start. */
static int is_opening(const struct stook__attempt *attempt)
{
    return stook__upload_opening(attempt) || stook__body_sink_opening(attempt);
}

/* Moves the reason why no transfer was started to *ret_outcome. */
static void take_setup_error(struct stook__attempt *attempt, int error,
                             struct stook__outcome *ret_outcome)
{
    *ret_outcome = attempt->setup_error;
    attempt->setup_error = (struct stook__outcome){0};
    if (ret_outcome->error == 0)
        stook__outcome_set(attempt->allocator, ret_outcome, error, attempt->why);
    if (ret_outcome->os_error == 0)
        ret_outcome->os_error = attempt->os_error;
    ret_outcome->starved = ret_outcome->error == STOOK_ENOFD;
}

struct stook__attempt *stook__attempt_begin(struct stook__defaults *defaults,
                                            const struct stook__spec *spec, const char *plain_path,
                                            struct stook__origin *origin,
                                            const struct stook__settings *settings, int fresh,
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
        attempt->plain_path = plain_path;
        attempt->origin = origin;
        attempt->settings = settings;
        attempt->defaults = defaults;
        attempt->owner = owner;
        attempt->method = stook__spec_effective_method(spec);
        attempt->fresh = fresh;
        stook__http1_fallback_begin(attempt);
        stook__attempt_expect(attempt);
        stook__list_init(&attempt->files_ready);
        error = prepare(attempt);
        if (error == 0 && !is_opening(attempt))
            error = set_up(attempt);
        if (error == 0)
            return attempt;
        take_setup_error(attempt, error, ret_outcome);
        destroy(attempt);
    }
    if (ret_outcome->error == 0)
        stook__outcome_set(allocator, ret_outcome, error, NULL);
    ret_outcome->starved = ret_outcome->error == STOOK_ENOFD;
    return NULL;
}

/* ------------------------------------------------------------------ the transfer's end */

/* OpenSSL's X509_V_ERR_... for an issuer that is not among the authorities. GnuTLS always reports
   1. */
static int is_unknown_authority(long result)
{
    return result == 1 || result == 2 || (result >= 18 && result <= 21);
}

/* Returns 1 if the certificate's authority may be in the default directory, which was not used. */
static int wants_directory(struct stook__attempt *attempt, const struct stook__easy_info *info)
{
    long result = 0;
    if (info->code != CURLE_PEER_FAILED_VERIFICATION ||
        stook__peer_own_authorities(attempt->settings) ||
        stook__easy_settings(attempt->easy)->directory)
        return 0;
    curl_easy_getinfo(stook__easy_curl(attempt->easy), CURLINFO_SSL_VERIFYRESULT, &result);
    return is_unknown_authority(result);
}

/* Starts the transfer again, with the directory of authorities or on a new connection. Nothing was
   sent since the last response, if there was one, so it is still the same attempt. Returns 1 if the
   transfer runs again. */
static int try_again(struct stook__attempt *attempt)
{
    struct stook__easy_info info;
    if (attempt->state > STOOK__ATTEMPT_SENDING || stook__easy_succeeded(attempt->easy))
        return 0;
    stook__easy_info(attempt->easy, &info);
    if (attempt->error != 0 || info.broken != CURLM_OK || !stook__upload_source_may_repeat(attempt))
        return 0;
    if (wants_directory(attempt, &info))
        stook__easy_note_directory(attempt->easy);
    else if (info.dead && !attempt->fresh)
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

/* Reads from the easy handle what the answer has of it: error numbers and times. */
static void read_info(struct stook__attempt *attempt, struct stook__easy_info *ret_info)
{
    enum { AFTER_CONNECT = 3 }; /* number of the times that a reused connection does not have */
    static const struct {
        int which;
        CURLINFO info;
    } times[] = {{STOOK_TIME_CONNECT, CURLINFO_CONNECT_TIME_T},
                 {STOOK_TIME_TLS, CURLINFO_APPCONNECT_TIME_T},
                 {STOOK_TIME_DNS, CURLINFO_NAMELOOKUP_TIME_T},
                 {STOOK_TIME_FIRST_BYTE, CURLINFO_STARTTRANSFER_TIME_T},
                 {STOOK_TIME_TOTAL, CURLINFO_TOTAL_TIME_T}};
    enum { OURS = 3 }; /* number of the times that libcurl has of a direct exchange */
    CURL *curl = stook__easy_curl(attempt->easy);
    struct stook__answer *answer = &attempt->answer;
    const struct stook__easy_info *info = ret_info;
    struct stook__easy_times ours;
    long value = 0;
    stook__easy_info(attempt->easy, ret_info);
    if (info->code != CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &value);
    if (attempt->os_error != 0)
        value = attempt->os_error;
    answer->os_error = (int16_t)(info->os_error != 0 ? info->os_error : value);
    answer->curl_code = (uint8_t)info->code;
    size_t end = sizeof times / sizeof *times;
    if (stook__easy_is_direct(attempt->easy, &ours)) {
        end = OURS;
        answer->time_us[STOOK_TIME_FIRST_BYTE] = ours.first_byte;
        answer->time_us[STOOK_TIME_TOTAL] = ours.total;
    }
    for (size_t i = info->reused ? AFTER_CONNECT : 0; i < end; i++) {
        curl_off_t us = 0;
        curl_easy_getinfo(curl, times[i].info, &us);
        answer->time_us[times[i].which] = us;
    }
}

/* Puts the file of an attempt that is otherwise over in its place, or removes it, so that a repeat
   finds no traces of it. Returns 1 while that takes; the attempt is in files_ready after it. */
static int settle_file(struct stook__attempt *attempt)
{
    struct stook__outcome outcome = {.error = attempt->error};
    if (!stook__body_sink_has_file(attempt))
        return 0;
    if (attempt->state != STOOK__ATTEMPT_SETTLING && attempt->easy != NULL && attempt->error == 0) {
        struct stook__easy_info info;
        read_info(attempt, &info);
        stook__error_map(attempt, &info, &outcome);
        if (outcome.message_owned)
            stook__free(attempt->allocator, (char *)outcome.message);
    }
    if (attempt->state != STOOK__ATTEMPT_SETTLING)
        stook__attempt_move(attempt, STOOK__ATTEMPT_SETTLING, stook_strerror(outcome.error));
    return !stook__body_sink_settle(attempt, outcome.error == 0);
}

/* Handles a completed file operation. Returns 1 if the attempt is completed by it. */
static int process_files(struct stook__attempt *attempt)
{
    if (attempt->easy == NULL && attempt->error == 0 && !is_opening(attempt))
        attempt->error = set_up(attempt);
    if (attempt->easy == NULL)
        return attempt->error != 0 && !settle_file(attempt);
    if (attempt->error != 0 || attempt->state == STOOK__ATTEMPT_SETTLING) {
        stook__easy_notify(attempt->easy);
        return 0;
    }
    stook__upload_continue(attempt);
    if (attempt->stream != NULL)
        stook__stream_mark_ready(attempt);
    return 0;
}

static struct stook__attempt *next_completed(struct stook__defaults *defaults)
{
    struct stook__attempt *attempt;
    for (;;) {
        while ((attempt = stook__engine_next_completed(defaults->engine)) != NULL)
            if (!try_again(attempt) && !stook__stream_defers(attempt) && !settle_file(attempt))
                return attempt;
        /* After the ended transfers: a file operation must not continue a transfer that has
           ended. */
        attempt = stook__attempt_next_file(defaults);
        if (attempt == NULL || process_files(attempt))
            return attempt;
    }
}

struct stook__attempt *stook__attempt_next_completed(struct stook__defaults *defaults)
{
    struct stook__attempt *attempt = next_completed(defaults);
    if (attempt != NULL)
        stook__attempt_move(attempt, STOOK__ATTEMPT_COMPLETED, "it is the turn's");
    return attempt;
}

int stook__attempt_is_due(const struct stook__defaults *defaults)
{
    return !stook__list_empty(&defaults->files_ready);
}

/* ------------------------------------------------------------------- while it runs */

void *stook__attempt_owner(const struct stook__attempt *attempt)
{
    return attempt->owner;
}

int64_t stook__attempt_moved_at(struct stook__attempt *attempt)
{
    /* No callback reports bytes that go out, but those of the body are counted. */
    if (attempt->easy == NULL)
        return attempt->moved_at;
    int64_t sent = stook__easy_sent(attempt->easy);
    if (sent != attempt->sent) {
        attempt->sent = sent;
        attempt->moved_at = stook__engine_time(attempt->engine);
    }
    /* libcurl reports complete lines of a header section, whose bytes may come slowly. */
    if (attempt->connected && !stook__attempt_head_done(attempt)) {
        int64_t received_at = stook__easy_last_input(attempt->easy);
        attempt->moved_at = received_at > attempt->moved_at ? received_at : attempt->moved_at;
    }
    return attempt->moved_at;
}

int stook__attempt_connected(const struct stook__attempt *attempt)
{
    return attempt->connected;
}

int stook__attempt_may_have_sent(const struct stook__attempt *attempt)
{
    return stook__attempt_was_handed_over(attempt);
}

/* Returns 1 if the request is sent with all of its body. */
static int has_sent_all(const struct stook__attempt *attempt)
{
    return (size_t)stook__easy_sent(attempt->easy) >= attempt->spec->body_size;
}

/* Where a transfer without a connection is. */
static enum stook__phase phase_of_connecting(const struct stook__attempt *attempt)
{
    switch (stook__easy_connect_step(attempt->easy)) {
    case STOOK__STEP_WAITING:
        return STOOK__PHASE_GATE;
    case STOOK__STEP_RESOLVING:
        return STOOK__PHASE_RESOLVING;
    case STOOK__STEP_CONNECTED:
        return STOOK__PHASE_TLS;
    default:
        return STOOK__PHASE_CONNECTING;
    }
}

enum stook__phase stook__attempt_phase(const struct stook__attempt *attempt)
{
    if (attempt->easy == NULL)
        return STOOK__PHASE_FILES;
    if (stook__attempt_paused(attempt, STOOK__PAUSE_PROGRAM))
        return STOOK__PHASE_PAUSED;
    if (stook__attempt_paused(attempt, STOOK__PAUSE_BUFFER))
        return STOOK__PHASE_PAUSED_BUFFER;
    switch (attempt->reached) {
    case STOOK__ATTEMPT_SENDING:
        return has_sent_all(attempt) ? STOOK__PHASE_WAITING : STOOK__PHASE_SENDING;
    case STOOK__ATTEMPT_HEAD:
    case STOOK__ATTEMPT_BODY:
        return STOOK__PHASE_RECEIVING;
    default:
        return phase_of_connecting(attempt);
    }
}

static struct stook__metadata metadata_of(const struct stook__attempt *attempt,
                                          const struct stook__easy_info *info)
{
    return (struct stook__metadata){
        .number = {[STOOK__METADATA_FLAGS] = (uint64_t)attempt->flags,
                   [STOOK__METADATA_REUSED] = (uint64_t)info->reused,
                   [STOOK__METADATA_HEAD] = (uint64_t)attempt->head_bytes,
                   [STOOK__METADATA_RESUMED] = (uint64_t)attempt->resumed},
        .remote = stook__easy_settings(attempt->easy)->remote.text,
    };
}

int stook__attempt_has_head(const struct stook__attempt *attempt)
{
    return stook__attempt_head_done(attempt) && stook__stream_head_is_final(attempt);
}

int stook__attempt_copy_head(struct stook__attempt *attempt, struct stook__answer *ret_answer)
{
    struct stook__answer *answer = &attempt->answer;
    struct stook__easy_info info;
    *ret_answer = (struct stook__answer){0};
    if (!stook__attempt_has_head(attempt))
        return 0;
    read_info(attempt, &info);
    struct stook__metadata metadata = metadata_of(attempt, &info);
    *ret_answer = (struct stook__answer){.status = answer->status, .protocol = answer->protocol};
    memcpy(ret_answer->time_us, answer->time_us, sizeof answer->time_us);
    if (attempt->trailers_at > 0 &&
        stook__buffer_append(&ret_answer->head, attempt->allocator, answer->head.data,
                             attempt->trailers_at) != 0)
        return STOOK_ENOMEM;
    return stook__metadata_put(&ret_answer->head, attempt->allocator, &metadata);
}

int64_t stook__attempt_received(const struct stook__attempt *attempt, int64_t *ret_expected)
{
    *ret_expected = stook__attempt_head_done(attempt) ? attempt->response.length : -1;
    return attempt->wire;
}

void stook__attempt_progress(const struct stook__attempt *attempt,
                             struct stook_progress *ret_progress)
{
    curl_off_t to_send = -1;
    int64_t sent = attempt->easy != NULL ? stook__easy_sent(attempt->easy) : 0;
    if (attempt->direct)
        to_send = stook__spec_has_body(attempt->spec) ? (curl_off_t)attempt->spec->body_size : 0;
    else if (attempt->easy != NULL)
        curl_easy_getinfo(stook__easy_curl(attempt->easy), CURLINFO_CONTENT_LENGTH_UPLOAD_T,
                          &to_send);
    *ret_progress = STOOK_PROGRESS();
    ret_progress->received = stook__attempt_received(attempt, &ret_progress->receive_total);
    ret_progress->sent = sent;
    ret_progress->send_total = to_send;
}

/* ---------------------------------------------------------------------------- ending */

/* Appends the metadata to the answer's head. The client's next answer reserves as much for its
   head. */
static int finish_answer(struct stook__attempt *attempt, const struct stook__easy_info *info)
{
    struct stook__buffer *head = &attempt->answer.head;
    int64_t sent = 0;
    if (!attempt->connected)
        return 0;
    if (attempt->spec->body_size > 0 || attempt->spec->optional != NULL)
        sent = stook__easy_sent(attempt->easy);
    struct stook__metadata metadata = metadata_of(attempt, info);
    metadata.number[STOOK__METADATA_TRAILERS] =
        stook__attempt_head_done(attempt) ? head->size - attempt->trailers_at : 0;
    metadata.number[STOOK__METADATA_WIRE] = (uint64_t)attempt->wire;
    metadata.number[STOOK__METADATA_BODY] =
        attempt->sink != NULL ? (uint64_t)attempt->received : attempt->answer.body.size;
    metadata.number[STOOK__METADATA_SENT] = (uint64_t)sent;
    if (stook__metadata_put(head, attempt->allocator, &metadata) != 0) {
        stook__buffer_free(head, attempt->allocator); /* a head always ends with metadata */
        return STOOK_ENOMEM;
    }
    attempt->defaults->head_size = head->size + HEAD_SLACK;
    return 0;
}

int stook__attempt_responded(const struct stook__attempt *attempt)
{
    return attempt->reached >= STOOK__ATTEMPT_HEAD;
}

int stook__attempt_is_good(struct stook__attempt *attempt)
{
    struct stook__easy_info info;
    struct stook__outcome outcome = {0};
    if (attempt->easy == NULL)
        return 0;
    read_info(attempt, &info);
    stook__error_map(attempt, &info, &outcome);
    stook__outcome_free(attempt->allocator, &outcome);
    return outcome.error == 0 &&
           !stook__defaults_retries(attempt->defaults, attempt->answer.status);
}

void stook__attempt_may_be_retried(struct stook__attempt *attempt)
{
    attempt->may_retry = 1;
}

void stook__attempt_describe_repeat(const struct stook__attempt *attempt,
                                    struct stook__outcome *outcome)
{
    outcome->sent = stook__attempt_may_have_sent(attempt);
    outcome->idempotent = stook__method_idempotent(attempt->method);
    outcome->replayable = stook__upload_source_may_repeat(attempt);
    outcome->shown = stook__stream_was_shown(attempt);
}

void stook__attempt_end(struct stook__attempt *attempt, struct stook__answer *ret_answer,
                        struct stook__outcome *ret_outcome)
{
    struct stook__easy_info info;
    if (attempt->easy != NULL)
        read_info(attempt, &info);
    else
        attempt->answer.os_error = (int16_t)attempt->os_error;
    if (ret_outcome != NULL && attempt->easy == NULL)
        take_setup_error(attempt, attempt->error, ret_outcome);
    else if (ret_outcome != NULL)
        stook__error_map(attempt, &info, ret_outcome);
    if (ret_outcome != NULL && attempt->easy != NULL)
        stook__http1_fallback_note(attempt, &info, ret_outcome->error);
    if (ret_outcome != NULL && (ret_outcome->error != 0 || attempt->answer.status >= 400))
        stook__attempt_describe_repeat(attempt, ret_outcome);
    else if (ret_outcome != NULL)
        ret_outcome->sent = stook__attempt_may_have_sent(attempt);
    if (ret_outcome != NULL)
        ret_outcome->untried = attempt->reached == STOOK__ATTEMPT_OPENING;
    if (attempt->easy != NULL && finish_answer(attempt, &info) != 0 && ret_outcome != NULL &&
        ret_outcome->error == 0)
        stook__outcome_set(attempt->allocator, ret_outcome, STOOK_ENOMEM, NULL);
    *ret_answer = attempt->answer;
    ret_answer->attempts = (uint16_t)attempt->resends;
    attempt->answer = (struct stook__answer){0};
    destroy(attempt);
}
