/* SPDX-License-Identifier: MIT */
/*
 * Response bodies that are decoded, or that do not go to memory; see body_sink.h. receive.c calls
 * it inside libcurl, stream.c from the turn. Each byte of the body is counted against
 * max_body_bytes once, decoded.
 */
#include "http/body_sink.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "http/decoder.h"
#include "http/download.h"
#include "http/stream_ready.h"
#include "util/sha256.h"
#include "util/trace.h"

/* In bytes. libcurl is paused when more than a bound between MIN and MAX are pending of a body. */
enum {
    PENDING_MIN = 256 << 10,
    PENDING_MAX = 1 << 20,
    PENDING_ALL = 4 << 20,     /* All bodies of the client share this, between MIN and MAX. */
    PIECE = 64 << 10,          /* The size of a decoded piece for the program. */
    ERROR_BODY_MAX = 64 << 20, /* The bound of a body that the server sends instead of the file. */
    RETRIED_BODY_MAX = 1 << 20 /* Of one that the program gets only if no retry follows. */
};

struct checksum;

enum sink_state {
    AWAITING_HEAD, /* The status decides where the body goes. */
    TO_MEMORY,
    TO_FILE,
    TO_PROGRAM
};

struct stook__body_sink {
    enum sink_state state;
    struct stook__decoder *decoder; /* NULL: the body is not decoded. */
    struct stook__download *file;   /* NULL: the request has no output_file. */
    struct stook__buffer pending;   /* Bytes that the turn has not taken. */
    struct stook__buffer decoding;  /* Bytes that the decoder reads. */
    struct stook__buffer unused;    /* Memory for the next decoded piece. */
    struct checksum *checksum;      /* NULL: the request has no sha256. */
};

/* The digest of a body that does not go to a file. That of a file is part_file.h's. */
struct checksum {
    int taken; /* The body is taken: its status is 2xx. */
    struct stook__sha256 digest;
    char why[STOOK__SHA256_WHY_MAX];
};

/* Moves the sink; body_sink.h has the picture. */
static void move(struct stook__body_sink *sink, enum sink_state state)
{
    assert((sink->state == AWAITING_HEAD) != (state == AWAITING_HEAD));
    static const char *const names[] = {"awaiting head", "to memory", "to file", "to program"};
    (void)names; /* in release builds */
    STOOK__TRACE("http", "body sink %p: %s -> %s", (void *)sink, names[sink->state], names[state]);
    sink->state = state;
}

/* -------------------------------------------------------------------------- its life */

int stook__body_sink_for_program(const struct stook__attempt *attempt)
{
    return attempt->spec->optional != NULL && attempt->spec->optional->on_body != NULL;
}

int stook__body_sink_begin(struct stook__attempt *attempt)
{
    attempt->sink = stook__alloc(attempt->allocator, sizeof *attempt->sink);
    if (attempt->sink == NULL)
        return STOOK_ENOMEM;
    attempt->defaults->n_to_program += (size_t)stook__body_sink_for_program(attempt);
    const struct stook__optional *optional = attempt->spec->optional;
    if (optional != NULL && optional->sha256 != NULL) {
        attempt->sink->checksum = stook__alloc(attempt->allocator, sizeof *attempt->sink->checksum);
        if (attempt->sink->checksum == NULL)
            return STOOK_ENOMEM;
    }
    if (optional == NULL || optional->output_file == NULL)
        return 0;
    return stook__download_new(attempt, &attempt->sink->file);
}

const char *const *stook__body_sink_fields(const struct stook__attempt *attempt)
{
    const struct stook__body_sink *sink = attempt->sink;
    return sink != NULL && sink->file != NULL ? stook__download_fields(sink->file) : NULL;
}

void stook__body_sink_end(struct stook__attempt *attempt)
{
    struct stook__body_sink *sink = attempt->sink;
    if (sink == NULL)
        return;
    attempt->defaults->n_to_program -= (size_t)stook__body_sink_for_program(attempt);
    stook__decoder_free(sink->decoder);
    stook__download_end(sink->file);
    stook__buffer_free(&sink->pending, attempt->allocator);
    stook__buffer_free(&sink->decoding, attempt->allocator);
    stook__buffer_free(&sink->unused, attempt->allocator);
    stook__free(attempt->allocator, sink->checksum);
    stook__free(attempt->allocator, sink);
    attempt->sink = NULL;
}

/* ------------------------------------------------------------------------- checksum */

/* Begins a digest of the body, whose place is known. */
static void begin_checksum(struct stook__attempt *attempt)
{
    struct stook__body_sink *sink = attempt->sink;
    int status = attempt->answer.status;
    if (sink->checksum == NULL)
        return;
    sink->checksum->taken = sink->state != TO_FILE && status >= 200 && status <= 299;
    stook__sha256_init(&sink->checksum->digest);
}

/* Adds bytes of the body, decoded. */
static void add_to_checksum(struct stook__attempt *attempt, const void *data, size_t size)
{
    struct checksum *checksum = attempt->sink->checksum;
    if (checksum != NULL && checksum->taken)
        stook__sha256_add(&checksum->digest, data, size);
}

/* Returns NULL if the body is the expected one, else why it is not. */
static const char *check_checksum(struct stook__attempt *attempt)
{
    struct checksum *checksum = attempt->sink->checksum;
    return checksum != NULL && checksum->taken &&
                   stook__sha256_differs(&checksum->digest, attempt->spec->optional->sha256,
                                         checksum->why)
               ? checksum->why
               : NULL;
}

/* ------------------------------------------------------------------------- decoding */

/* Joins all values of Content-Encoding to one list. */
static int join_codings(struct stook__attempt *attempt, struct stook__buffer *ret_list)
{
    const char *at = attempt->answer.head.data, *end = at + attempt->answer.head.size;
    int error = 0;
    while (error == 0 && at < end) {
        const char *value = stook__field_value(at);
        if (strcasecmp(at, "Content-Encoding") == 0 && ret_list->size > 0)
            error = stook__buffer_append(ret_list, attempt->allocator, ",", 1);
        if (error == 0 && strcasecmp(at, "Content-Encoding") == 0)
            error = stook__buffer_append(ret_list, attempt->allocator, value, strlen(value));
        at = value + strlen(value) + 1;
    }
    return error;
}

/*
 * A body for a file has no bound unless one is set. What the server sends instead of it always has.
 */
static int64_t max_body_bytes(const struct stook__attempt *attempt)
{
    int64_t max = attempt->settings->max_body_bytes;
    return max < 0 && attempt->sink->file != NULL && attempt->sink->state != TO_FILE
               ? ERROR_BODY_MAX
               : max;
}

static int choose_decoder(struct stook__attempt *attempt)
{
    struct stook__body_sink *sink = attempt->sink;
    struct stook__decoder_limits limits = {max_body_bytes(attempt),
                                           attempt->settings->max_decompress_ratio};
    struct stook__buffer list = {0};
    /* A part of an encoded body cannot be decoded. */
    if (attempt->settings->decompress != 1 || attempt->answer.status == 206 ||
        attempt->answer.head.data == NULL)
        return 0;
    int error = join_codings(attempt, &list);
    if (error == 0 && list.size > 0)
        error = stook__decoder_new(attempt->allocator, list.data, &limits, &sink->decoder);
    stook__buffer_free(&list, attempt->allocator);
    if (sink->decoder != NULL)
        attempt->flags |= STOOK_FLAG_DECODED;
    return error != 0
               ? stook__attempt_stop(
                     attempt, error,
                     error == STOOK_EDECODE ? "Content-Encoding names more than two codings" : NULL)
               : 0;
}

void stook__body_sink_restart(struct stook__attempt *attempt)
{
    struct stook__body_sink *sink = attempt->sink;
    stook__decoder_free(sink->decoder);
    sink->decoder = NULL;
    if (sink->state != AWAITING_HEAD)
        move(sink, AWAITING_HEAD);
}

int stook__body_sink_head(struct stook__attempt *attempt)
{
    struct stook__body_sink *sink = attempt->sink;
    if (sink->state != AWAITING_HEAD)
        stook__body_sink_restart(attempt);
    int file = sink->file != NULL ? stook__download_head(sink->file, attempt) : 0;
    if (file < 0)
        return STOOK__EASY_END;
    if (file > 0)
        move(sink, TO_FILE);
    else
        move(sink, stook__body_sink_for_program(attempt) &&
                           attempt->passed_over != STOOK__PASSED_OVER_RETRY
                       ? TO_PROGRAM
                       : TO_MEMORY);
    begin_checksum(attempt);
    return choose_decoder(attempt);
}

int stook__body_sink_to_file(const struct stook__attempt *attempt)
{
    return attempt->sink != NULL && attempt->sink->state == TO_FILE;
}

/*
 * Counts bytes of a body that is not decoded, when they arrive: a later fault of the same read must
 * not be named instead. 0, or STOOK__EASY_END if they are too many.
 */
static int count(struct stook__attempt *attempt, const char *data, size_t size)
{
    int64_t max = max_body_bytes(attempt);
    if (max >= 0 && size > (uint64_t)(max - attempt->received))
        return stook__attempt_stop(attempt, STOOK_ETOOLARGE, "the body is over max_body_bytes");
    attempt->received += (int64_t)size;
    add_to_checksum(attempt, data, size);
    return 0;
}

/* Decodes into `room`. The decoder checks the bound itself. 0, or STOOK__EASY_END. */
static int pull(struct stook__attempt *attempt, void *room, size_t size, int64_t *budget,
                size_t *ret_size)
{
    struct stook__decoder *decoder = attempt->sink->decoder;
    int error = stook__decoder_pull(decoder, room, size, budget, ret_size);
    if (error != 0)
        return stook__attempt_stop(attempt, error, stook__decoder_why(decoder));
    attempt->received += (int64_t)*ret_size;
    add_to_checksum(attempt, room, *ret_size);
    return 0;
}

/* Feeds all pending bytes to the decoder, which has read all of its input. 0: none are pending. */
static int feed_pending(struct stook__body_sink *sink)
{
    struct stook__buffer empty = sink->decoding;
    empty.size = 0;
    sink->decoding = sink->pending;
    sink->pending = empty;
    if (sink->decoding.size > 0)
        stook__decoder_feed(sink->decoder, sink->decoding.data, sink->decoding.size);
    return sink->decoding.size > 0;
}

/* Decodes some bytes. 1; 0: there are none or the budget is used up; -1: the attempt must end. */
static int decode(struct stook__attempt *attempt, void *room, size_t size, int64_t *budget,
                  size_t *ret_size)
{
    *ret_size = 0;
    while (*budget > 0) {
        if (pull(attempt, room, size, budget, ret_size) != 0)
            return -1;
        if (*ret_size > 0)
            return 1;
        if (*budget > 0 && !feed_pending(attempt->sink))
            return 0;
    }
    return 0;
}

/* ------------------------------------------------------------------ to memory, to a file */

static int keep(struct stook__attempt *attempt, const char *data, size_t size)
{
    struct stook__body_sink *sink = attempt->sink;
    if (sink->state != TO_FILE) {
        int error = stook__buffer_append(&attempt->answer.body, attempt->allocator, data, size);
        return error != 0 ? stook__attempt_stop(attempt, error, NULL) : 0;
    }
    int error = stook__download_write(sink->file, data, size);
    if (error == 0)
        return 0;
    return stook__attempt_stop(
        attempt, error,
        error == STOOK_EPROTOCOL ? "the server sent more than the rest of the file" : NULL);
}

int stook__body_sink_pump(struct stook__attempt *attempt, int64_t *budget)
{
    struct stook__body_sink *sink = attempt->sink;
    char piece[16384];
    size_t size;
    int answer = 0;
    if (sink->decoder == NULL || !stook__body_sink_waiting(attempt))
        return 0;
    /* The decoded bytes in memory count against the quota of the batch. */
    while (answer == 0 && !stook__body_sink_full(attempt) && !stook__body_sink_is_cut(attempt) &&
           (sink->state == TO_FILE ||
            stook__body_flow_may_take(&attempt->flow, sizeof piece, *attempt->clock)) &&
           decode(attempt, piece, sizeof piece, budget, &size) > 0) {
        answer = keep(attempt, piece, size);
        stook__body_flow_count(&attempt->flow, attempt->answer.body.size);
    }
    return attempt->error != 0 || stook__body_sink_is_cut(attempt) ? -1 : 0;
}

int stook__body_sink_is_cut(const struct stook__attempt *attempt)
{
    return attempt->passed_over == STOOK__PASSED_OVER_RETRY &&
           (attempt->wire > RETRIED_BODY_MAX || attempt->received > RETRIED_BODY_MAX);
}

/* -------------------------------------------------------------------------- to the program */

/*
 * The bytes that may be pending. A pause costs a second copy and another turn of the loop, so a
 * large bound is faster. But the bytes of one turn must not block the loop, and while the program
 * pauses a request its pending bytes must not fill the memory.
 */
static size_t max_pending(const struct stook__attempt *attempt)
{
    if ((attempt->flow.paused & STOOK__PAUSE_PROGRAM) != 0 || attempt->sink->decoder != NULL)
        return PENDING_MIN;
    size_t share = PENDING_ALL / attempt->defaults->n_to_program;
    if (share < PENDING_MIN)
        return PENDING_MIN;
    return share < PENDING_MAX ? share : PENDING_MAX;
}

static int store(struct stook__attempt *attempt, const char *data, size_t size)
{
    struct stook__buffer *pending = &attempt->sink->pending;
    size_t max = max_pending(attempt);
    int error = pending->size + size > PENDING_MIN
                    ? stook__buffer_reserve(pending, attempt->allocator, max + size)
                    : 0;
    if (error == 0)
        error = stook__buffer_append(pending, attempt->allocator, data, size);
    stook__stream_mark_ready(attempt);
    return error != 0 ? stook__attempt_stop(attempt, error, NULL) : 0;
}

int stook__body_sink_waiting(const struct stook__attempt *attempt)
{
    return attempt->sink->pending.size > 0 || attempt->sink->decoding.size > 0;
}

static int take_decoded(struct stook__attempt *attempt, int64_t *budget,
                        struct stook__buffer *ret_piece)
{
    struct stook__body_sink *sink = attempt->sink;
    *ret_piece = sink->unused;
    sink->unused = (struct stook__buffer){0};
    if (stook__buffer_reserve(ret_piece, attempt->allocator, PIECE) != 0) {
        stook__attempt_stop(attempt, STOOK_ENOMEM, NULL);
        return -1;
    }
    return decode(attempt, ret_piece->data, PIECE, budget, &ret_piece->size);
}

int stook__body_sink_take(struct stook__attempt *attempt, int64_t *budget,
                          struct stook__buffer *ret_piece)
{
    struct stook__body_sink *sink = attempt->sink;
    if (!stook__body_sink_waiting(attempt))
        return 0;
    if (sink->decoder != NULL)
        return take_decoded(attempt, budget, ret_piece);
    *ret_piece = sink->pending;
    sink->pending = (struct stook__buffer){0};
    return 1;
}

void stook__body_sink_give_back(struct stook__attempt *attempt, struct stook__buffer *piece)
{
    struct stook__buffer *place =
        attempt->sink->decoder != NULL ? &attempt->sink->unused : &attempt->sink->pending;
    if (place->data != NULL) { /* The program ran its loop in the callback, and bytes arrived. */
        stook__buffer_free(piece, attempt->allocator);
        return;
    }
    *place = *piece;
    place->size = 0;
}

/* --------------------------------------------------------------------------- its end */

/* Whether bytes are only stored inside libcurl, for the turn to take. */
static int is_deferred(const struct stook__attempt *attempt)
{
    return attempt->sink->state == TO_PROGRAM || attempt->sink->decoder != NULL;
}

int stook__body_sink_pauses(struct stook__attempt *attempt)
{
    int full = is_deferred(attempt) ? attempt->sink->pending.size >= max_pending(attempt)
                                    : stook__body_sink_full(attempt);
    return full && stook__stream_pause(attempt) != 0;
}

int stook__body_sink_body(struct stook__attempt *attempt, const char *data, size_t size)
{
    int answer = attempt->sink->decoder == NULL ? count(attempt, data, size) : 0;
    if (answer == 0)
        answer = is_deferred(attempt) ? store(attempt, data, size) : keep(attempt, data, size);
    if (answer == 0) {
        attempt->wire += (int64_t)size;
        stook__body_flow_count(&attempt->flow, attempt->answer.body.size);
        stook__stream_moved(attempt);
    }
    return answer == 0 && stook__body_sink_is_cut(attempt) ? STOOK__EASY_END : answer;
}

int stook__body_sink_check(struct stook__attempt *attempt, const char **ret_why)
{
    struct stook__decoder *decoder = attempt->sink->decoder;
    if (decoder != NULL && !stook__decoder_ended(decoder)) {
        *ret_why = "the content coding is not complete";
        return STOOK_ETRUNCATED;
    }
    if (attempt->sink->file != NULL && stook__download_check(attempt->sink->file, ret_why) != 0)
        return STOOK_ETRUNCATED;
    if (decoder != NULL && stook__decoder_trailed(decoder)) {
        attempt->flags |= STOOK_FLAG_LENIENT;
        *ret_why = "bytes follow the end of the content coding";
        if (attempt->settings->strict == 1)
            return STOOK_EDECODE;
    }
    const char *why = check_checksum(attempt);
    if (why == NULL)
        return 0;
    *ret_why = why;
    return STOOK_ECHECKSUM;
}

int stook__body_sink_has_file(const struct stook__attempt *attempt)
{
    return attempt->sink != NULL && attempt->sink->file != NULL;
}

int stook__body_sink_opening(const struct stook__attempt *attempt)
{
    return stook__body_sink_has_file(attempt) && stook__download_opening(attempt->sink->file);
}

int stook__body_sink_settle(struct stook__attempt *attempt, int good)
{
    return stook__download_settle(attempt->sink->file, good);
}

int stook__body_sink_full(const struct stook__attempt *attempt)
{
    return stook__body_sink_to_file(attempt) && stook__download_full(attempt->sink->file);
}
