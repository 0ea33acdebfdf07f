/* SPDX-License-Identifier: MIT */
/* Bodies that are decoded, or go elsewhere than into memory; see body_sink.h. */
#include "http/body_sink.h"

#include <string.h>
#include <strings.h>

#include "http/decoder.h"
#include "http/download.h"
#include "http/stream.h"

enum {
    WAITING_MIN = 256 << 10, /* bytes for the program, beyond which libcurl is paused: at least */
    WAITING_MAX = 1 << 20,   /* at most */
    WAITING_ALL = 4 << 20,   /* what all bodies of the client share between these two */
    PIECE = 64 << 10,        /* bytes decoded at a time for the program */
    ELSE_MAX = 64 << 20      /* bytes of what a server says instead of a file */
};

struct stook__body_sink {
    struct stook__decoder *decoder; /* NULL: the body stays as it comes */
    struct stook__download *file;   /* NULL: there is none for it */
    int to_file;
    struct stook__buffer waiting, fed; /* not looked at yet; in the decoder */
    struct stook__buffer spare;        /* the block of the last decoded piece */
};

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
    if (attempt->spec->optional == NULL || attempt->spec->optional->output_file == NULL)
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
    stook__buffer_free(&sink->waiting, attempt->allocator);
    stook__buffer_free(&sink->fed, attempt->allocator);
    stook__buffer_free(&sink->spare, attempt->allocator);
    stook__free(attempt->allocator, sink);
    attempt->sink = NULL;
}

static int fail(struct stook__attempt *attempt, int error, const char *why)
{
    if (attempt->error == 0) {
        attempt->error = error;
        attempt->why = why;
    }
    return STOOK__EASY_END;
}

/* ------------------------------------------------------------------------- decoding */

/* All values of Content-Encoding, one list. */
static int codings_of(struct stook__attempt *attempt, struct stook__buffer *ret_list)
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

/* What is meant for a file has no bound of itself; what a server says instead of it has. */
static int64_t max_body_bytes(const struct stook__attempt *attempt)
{
    int64_t max = attempt->policy->max_body_bytes;
    return max < 0 && attempt->sink->file != NULL && !attempt->sink->to_file ? ELSE_MAX : max;
}

static int choose_decoder(struct stook__attempt *attempt)
{
    struct stook__body_sink *sink = attempt->sink;
    struct stook__decoder_limits limits = {max_body_bytes(attempt),
                                           attempt->policy->max_decompress_ratio};
    struct stook__buffer list = {0};
    /* The middle of an encoded body cannot be decoded. */
    if (attempt->policy->decompress != 1 || attempt->answer.status == 206 ||
        attempt->answer.head.data == NULL)
        return 0;
    int error = codings_of(attempt, &list);
    if (error == 0 && list.size > 0)
        error = stook__decoder_new(attempt->allocator, list.data, &limits, &sink->decoder);
    stook__buffer_free(&list, attempt->allocator);
    if (sink->decoder != NULL)
        attempt->flags |= STOOK_FLAG_DECODED;
    return error != 0
               ? fail(attempt, error,
                      error == STOOK_EDECODE ? "Content-Encoding has more than two codings" : NULL)
               : 0;
}

int stook__body_sink_head(struct stook__attempt *attempt)
{
    struct stook__body_sink *sink = attempt->sink;
    int file = sink->file != NULL ? stook__download_head(sink->file, attempt) : 0;
    sink->to_file = file > 0;
    return file < 0 ? STOOK__EASY_END : choose_decoder(attempt);
}

int stook__body_sink_to_file(const struct stook__attempt *attempt)
{
    return attempt->sink != NULL && attempt->sink->to_file;
}

void stook__body_sink_restart(struct stook__attempt *attempt)
{
    stook__decoder_free(attempt->sink->decoder);
    attempt->sink->decoder = NULL;
    attempt->sink->to_file = 0;
}

/* Whether so many more bytes are allowed. */
static int count(struct stook__attempt *attempt, size_t size)
{
    int64_t max = max_body_bytes(attempt);
    if (max >= 0 && size > (uint64_t)(max - attempt->received))
        return fail(attempt, STOOK_ETOOLARGE, "the body is over max_body_bytes");
    attempt->received += (int64_t)size;
    return 0;
}

/* Decoded bytes; the decoder counts what it produces. */
static int pull(struct stook__attempt *attempt, void *room, size_t size, int64_t *budget,
                size_t *ret_size)
{
    struct stook__decoder *decoder = attempt->sink->decoder;
    int error = stook__decoder_pull(decoder, room, size, budget, ret_size);
    if (error != 0)
        return fail(attempt, error, stook__decoder_why(decoder));
    attempt->received += (int64_t)*ret_size;
    return 0;
}

/* What waits is fed to the decoder, which has nothing left. 0: there was nothing. */
static int source(struct stook__body_sink *sink)
{
    struct stook__buffer empty = sink->fed;
    empty.size = 0;
    sink->fed = sink->waiting;
    sink->waiting = empty;
    if (sink->fed.size > 0)
        stook__decoder_feed(sink->decoder, sink->fed.data, sink->fed.size);
    return sink->fed.size > 0;
}

/* Some decoded bytes: 1; 0: there are none, or the budget is used up; -1: the attempt is to end. */
static int decode(struct stook__attempt *attempt, void *room, size_t size, int64_t *budget,
                  size_t *ret_size)
{
    *ret_size = 0;
    while (*budget > 0) {
        if (pull(attempt, room, size, budget, ret_size) != 0)
            return -1;
        if (*ret_size > 0)
            return 1;
        if (*budget > 0 && !source(attempt->sink))
            return 0;
    }
    return 0;
}

/* ------------------------------------------------------------------ to memory, to a file */

static int keep(struct stook__attempt *attempt, const char *data, size_t size)
{
    struct stook__body_sink *sink = attempt->sink;
    if (!sink->to_file) {
        int error = stook__buffer_append(&attempt->answer.body, attempt->allocator, data, size);
        return error != 0 ? fail(attempt, error, NULL) : 0;
    }
    int error = stook__download_write(sink->file, data, size);
    if (error == 0)
        return 0;
    return fail(attempt, error,
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
    /* What is kept in memory is held against the batch's ceiling as it comes out. */
    while (answer == 0 && !stook__body_sink_full(attempt) &&
           (sink->to_file ||
            stook__body_flow_may_take(&attempt->flow, sizeof piece, *attempt->clock)) &&
           decode(attempt, piece, sizeof piece, budget, &size) > 0) {
        answer = keep(attempt, piece, size);
        stook__body_flow_count(&attempt->flow, attempt->answer.body.size);
    }
    return attempt->error != 0 ? -1 : 0;
}

/* -------------------------------------------------------------------------- to the program */

/* A pause costs a second copy and a turn of the loop, and one that reads on sleeps less often. But all
   that is read in one turn must not hold the loop, nor what the program holds fill the memory. */
static size_t may_wait(const struct stook__attempt *attempt)
{
    if ((attempt->flow.paused & STOOK__PAUSE_PROGRAM) != 0 || attempt->sink->decoder != NULL)
        return WAITING_MIN;
    size_t share = WAITING_ALL / attempt->defaults->n_to_program;
    if (share < WAITING_MIN)
        return WAITING_MIN;
    return share < WAITING_MAX ? share : WAITING_MAX;
}

static int put_by(struct stook__attempt *attempt, const char *data, size_t size)
{
    struct stook__buffer *waiting = &attempt->sink->waiting;
    size_t max = may_wait(attempt);
    int error = waiting->size + size > WAITING_MIN
                    ? stook__buffer_reserve(waiting, attempt->allocator, max + size)
                    : 0;
    if (error == 0)
        error = stook__buffer_append(waiting, attempt->allocator, data, size);
    stook__stream_mark_ready(attempt);
    return error != 0 ? fail(attempt, error, NULL) : 0;
}

int stook__body_sink_waiting(const struct stook__attempt *attempt)
{
    return attempt->sink->waiting.size > 0 || attempt->sink->fed.size > 0;
}

static int take_decoded(struct stook__attempt *attempt, int64_t *budget,
                        struct stook__buffer *ret_piece)
{
    struct stook__body_sink *sink = attempt->sink;
    *ret_piece = sink->spare;
    sink->spare = (struct stook__buffer){0};
    if (stook__buffer_reserve(ret_piece, attempt->allocator, PIECE) != 0) {
        fail(attempt, STOOK_ENOMEM, NULL);
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
    *ret_piece = sink->waiting;
    sink->waiting = (struct stook__buffer){0};
    return count(attempt, ret_piece->size) != 0 ? -1 : 1;
}

void stook__body_sink_give_back(struct stook__attempt *attempt, struct stook__buffer *piece)
{
    struct stook__buffer *place =
        attempt->sink->decoder != NULL ? &attempt->sink->spare : &attempt->sink->waiting;
    if (place->data != NULL) { /* the program ran its loop meanwhile */
        stook__buffer_free(piece, attempt->allocator);
        return;
    }
    *place = *piece;
    place->size = 0;
}

/* ------------------------------------------------------------------------------- all of it */

/* Whether its bytes are only put aside inside libcurl. */
static int is_put_by(const struct stook__attempt *attempt)
{
    return stook__body_sink_for_program(attempt) || attempt->sink->decoder != NULL;
}

int stook__body_sink_pauses(struct stook__attempt *attempt)
{
    int full = is_put_by(attempt) ? attempt->sink->waiting.size >= may_wait(attempt)
                                  : stook__body_sink_full(attempt);
    return full && stook__stream_pause(attempt) != 0;
}

int stook__body_sink_body(struct stook__attempt *attempt, const char *data, size_t size)
{
    int answer;
    if (is_put_by(attempt))
        answer = put_by(attempt, data, size);
    else
        answer = count(attempt, size) != 0 ? STOOK__EASY_END : keep(attempt, data, size);
    if (answer == 0) {
        attempt->wire += (int64_t)size;
        stook__body_flow_count(&attempt->flow, attempt->answer.body.size);
        stook__stream_moved(attempt);
    }
    return answer;
}

int stook__body_sink_check(struct stook__attempt *attempt, const char **ret_why)
{
    struct stook__decoder *decoder = attempt->sink->decoder;
    if (decoder != NULL && !stook__decoder_ended(decoder)) {
        *ret_why = "the content coding has no end";
        return STOOK_ETRUNCATED;
    }
    if (attempt->sink->file != NULL && stook__download_check(attempt->sink->file, ret_why) != 0)
        return STOOK_ETRUNCATED;
    if (decoder == NULL || !stook__decoder_trailed(decoder))
        return 0;
    attempt->flags |= STOOK_FLAG_LENIENT;
    *ret_why = "there is more behind the end of the content coding";
    return attempt->policy->strict == 1 ? STOOK_EDECODE : 0;
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
