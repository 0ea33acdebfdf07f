/* SPDX-License-Identifier: MIT */
/* Bodies that are decoded, or go elsewhere than into memory; see intake.h. */
#include "transfer/intake.h"

#include <string.h>
#include <strings.h>

#include "transfer/decode.h"
#include "transfer/outfile.h"
#include "transfer/stream.h"

enum {
    WAITING_MIN = 256 << 10, /* bytes for the program, beyond which libcurl is paused: at least */
    WAITING_MAX = 1 << 20,   /* at most */
    WAITING_ALL = 4 << 20,   /* what all bodies of the client share between these two */
    PIECE = 64 << 10,        /* bytes decoded at a time for the program */
    ELSE_MAX = 64 << 20      /* bytes of what a server says instead of a file */
};

struct stook__intake {
    struct stook__decoder *decoder;    /* NULL: the body stays as it comes */
    struct stook__outfile *file;       /* NULL: there is none for it */
    int to_file;
    struct stook__buffer waiting, fed; /* not looked at yet; in the decoder */
    struct stook__buffer spare;        /* the block of the last decoded piece */
};

int stook__intake_for_program(const struct stook__attempt *attempt)
{
    return attempt->spec->extra != NULL && attempt->spec->extra->on_body != NULL;
}

int stook__intake_begin(struct stook__attempt *attempt)
{
    attempt->intake = stook__alloc(attempt->heap, sizeof *attempt->intake);
    if (attempt->intake == NULL)
        return STOOK_ENOMEM;
    attempt->usual->n_to_program += (size_t)stook__intake_for_program(attempt);
    if (attempt->spec->extra == NULL || attempt->spec->extra->output_file == NULL)
        return 0;
    return stook__outfile_new(attempt, &attempt->intake->file);
}

const char *const *stook__intake_fields(const struct stook__attempt *attempt)
{
    const struct stook__intake *intake = attempt->intake;
    return intake != NULL && intake->file != NULL ? stook__outfile_fields(intake->file) : NULL;
}

void stook__intake_end(struct stook__attempt *attempt)
{
    struct stook__intake *intake = attempt->intake;
    if (intake == NULL)
        return;
    attempt->usual->n_to_program -= (size_t)stook__intake_for_program(attempt);
    stook__decoder_free(intake->decoder);
    stook__outfile_end(intake->file);
    stook__buffer_free(&intake->waiting, attempt->heap);
    stook__buffer_free(&intake->fed, attempt->heap);
    stook__buffer_free(&intake->spare, attempt->heap);
    stook__free(attempt->heap, intake);
    attempt->intake = NULL;
}

static int fail(struct stook__attempt *attempt, int error, const char *why)
{
    if (attempt->error == 0) {
        attempt->error = error;
        attempt->why = why;
    }
    return STOOK__SLOT_END;
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
            error = stook__buffer_append(ret_list, attempt->heap, ",", 1);
        if (error == 0 && strcasecmp(at, "Content-Encoding") == 0)
            error = stook__buffer_append(ret_list, attempt->heap, value, strlen(value));
        at = value + strlen(value) + 1;
    }
    return error;
}

/* What is meant for a file has no bound of itself; what a server says instead of it has. */
static int64_t body_max(const struct stook__attempt *attempt)
{
    int64_t max = attempt->policy->body_max;
    return max < 0 && attempt->intake->file != NULL && !attempt->intake->to_file ? ELSE_MAX : max;
}

static int choose_decoder(struct stook__attempt *attempt)
{
    struct stook__intake *intake = attempt->intake;
    struct stook__decoder_limits limits = {body_max(attempt), attempt->policy->ratio_max};
    struct stook__buffer list = {0};
    /* The middle of an encoded body cannot be decoded. */
    if (attempt->policy->decode != 1 || attempt->answer.status == 206 || attempt->answer.head.data == NULL)
        return 0;
    int error = codings_of(attempt, &list);
    if (error == 0 && list.size > 0)
        error = stook__decoder_new(attempt->heap, list.data, &limits, &intake->decoder);
    stook__buffer_free(&list, attempt->heap);
    if (intake->decoder != NULL)
        attempt->flags |= STOOK_FLAG_DECODED;
    return error != 0 ? fail(attempt, error, error == STOOK_EDECODE ? "Content-Encoding has more than two codings" : NULL) : 0;
}

int stook__intake_head(struct stook__attempt *attempt)
{
    struct stook__intake *intake = attempt->intake;
    int file = intake->file != NULL ? stook__outfile_head(intake->file, attempt) : 0;
    intake->to_file = file > 0;
    return file < 0 ? STOOK__SLOT_END : choose_decoder(attempt);
}

int stook__intake_to_file(const struct stook__attempt *attempt)
{
    return attempt->intake != NULL && attempt->intake->to_file;
}

void stook__intake_anew(struct stook__attempt *attempt)
{
    stook__decoder_free(attempt->intake->decoder);
    attempt->intake->decoder = NULL;
    attempt->intake->to_file = 0;
}

/* Whether so many more bytes are allowed. */
static int count(struct stook__attempt *attempt, size_t size)
{
    int64_t max = body_max(attempt);
    if (max >= 0 && size > (uint64_t)(max - attempt->received))
        return fail(attempt, STOOK_ETOOLARGE, "the body is over body_max");
    attempt->received += (int64_t)size;
    return 0;
}

/* Decoded bytes; the decoder counts what it produces. */
static int pull(struct stook__attempt *attempt, void *room, size_t size, int64_t *budget, size_t *ret_size)
{
    struct stook__decoder *decoder = attempt->intake->decoder;
    int error = stook__decoder_pull(decoder, room, size, budget, ret_size);
    if (error != 0)
        return fail(attempt, error, stook__decoder_why(decoder));
    attempt->received += (int64_t)*ret_size;
    return 0;
}

/* What waits is fed to the decoder, which has nothing left. 0: there was nothing. */
static int feed(struct stook__intake *intake)
{
    struct stook__buffer empty = intake->fed;
    empty.size = 0;
    intake->fed = intake->waiting;
    intake->waiting = empty;
    if (intake->fed.size > 0)
        stook__decoder_feed(intake->decoder, intake->fed.data, intake->fed.size);
    return intake->fed.size > 0;
}

/* Some decoded bytes: 1; 0: there are none, or the budget is used up; -1: the attempt is to end. */
static int decode(struct stook__attempt *attempt, void *room, size_t size, int64_t *budget, size_t *ret_size)
{
    *ret_size = 0;
    while (*budget > 0) {
        if (pull(attempt, room, size, budget, ret_size) != 0)
            return -1;
        if (*ret_size > 0)
            return 1;
        if (*budget > 0 && !feed(attempt->intake))
            return 0;
    }
    return 0;
}

/* ------------------------------------------------------------------ to memory, to a file */

static int keep(struct stook__attempt *attempt, const char *data, size_t size)
{
    struct stook__intake *intake = attempt->intake;
    if (!intake->to_file) {
        int error = stook__buffer_append(&attempt->answer.body, attempt->heap, data, size);
        return error != 0 ? fail(attempt, error, NULL) : 0;
    }
    int error = stook__outfile_write(intake->file, data, size);
    if (error == 0)
        return 0;
    return fail(attempt, error, error == STOOK_EPROTOCOL ? "the server sent more than the rest of the file" : NULL);
}

int stook__intake_pump(struct stook__attempt *attempt, int64_t *budget)
{
    struct stook__intake *intake = attempt->intake;
    char piece[16384];
    size_t size;
    int answer = 0;
    if (intake->decoder == NULL || !stook__intake_waiting(attempt))
        return 0;
    /* What is kept in memory is held against the batch's ceiling as it comes out. */
    while (answer == 0 && !stook__intake_full(attempt) &&
           (intake->to_file || stook__brake_may_take(&attempt->brake, sizeof piece, *attempt->clock)) &&
           decode(attempt, piece, sizeof piece, budget, &size) > 0) {
        answer = keep(attempt, piece, size);
        stook__brake_count(&attempt->brake, attempt->answer.body.size);
    }
    return attempt->error != 0 ? -1 : 0;
}

/* -------------------------------------------------------------------------- to the program */

/* A pause costs a second copy and a turn of the loop, and one that reads on sleeps less often. But all
   that is read in one turn must not hold the loop, nor what the program holds fill the memory. */
static size_t may_wait(const struct stook__attempt *attempt)
{
    if (attempt->stream->held_at != 0 || attempt->intake->decoder != NULL)
        return WAITING_MIN;
    size_t share = WAITING_ALL / attempt->usual->n_to_program;
    if (share < WAITING_MIN)
        return WAITING_MIN;
    return share < WAITING_MAX ? share : WAITING_MAX;
}

static int put_by(struct stook__attempt *attempt, const char *data, size_t size)
{
    struct stook__buffer *waiting = &attempt->intake->waiting;
    size_t max = may_wait(attempt);
    int error = waiting->size + size > WAITING_MIN ? stook__buffer_reserve(waiting, attempt->heap, max + size) : 0;
    if (error == 0)
        error = stook__buffer_append(waiting, attempt->heap, data, size);
    stook__stream_stir(attempt);
    return error != 0 ? fail(attempt, error, NULL) : 0;
}

int stook__intake_waiting(const struct stook__attempt *attempt)
{
    return attempt->intake->waiting.size > 0 || attempt->intake->fed.size > 0;
}

static int take_decoded(struct stook__attempt *attempt, int64_t *budget, struct stook__buffer *ret_piece)
{
    struct stook__intake *intake = attempt->intake;
    *ret_piece = intake->spare;
    intake->spare = (struct stook__buffer){0};
    if (stook__buffer_reserve(ret_piece, attempt->heap, PIECE) != 0) {
        fail(attempt, STOOK_ENOMEM, NULL);
        return -1;
    }
    return decode(attempt, ret_piece->data, PIECE, budget, &ret_piece->size);
}

int stook__intake_take(struct stook__attempt *attempt, int64_t *budget, struct stook__buffer *ret_piece)
{
    struct stook__intake *intake = attempt->intake;
    if (!stook__intake_waiting(attempt))
        return 0;
    if (intake->decoder != NULL)
        return take_decoded(attempt, budget, ret_piece);
    *ret_piece = intake->waiting;
    intake->waiting = (struct stook__buffer){0};
    return count(attempt, ret_piece->size) != 0 ? -1 : 1;
}

void stook__intake_give_back(struct stook__attempt *attempt, struct stook__buffer *piece)
{
    struct stook__buffer *place = attempt->intake->decoder != NULL ? &attempt->intake->spare : &attempt->intake->waiting;
    if (place->data != NULL) { /* the program ran its loop meanwhile */
        stook__buffer_free(piece, attempt->heap);
        return;
    }
    *place = *piece;
    place->size = 0;
}

/* ------------------------------------------------------------------------------- all of it */

/* Whether its bytes are only put aside inside libcurl. */
static int is_put_by(const struct stook__attempt *attempt)
{
    return stook__intake_for_program(attempt) || attempt->intake->decoder != NULL;
}

int stook__intake_pauses(struct stook__attempt *attempt)
{
    int full = is_put_by(attempt) ? attempt->intake->waiting.size >= may_wait(attempt) : stook__intake_full(attempt);
    return full && stook__stream_pause(attempt) != 0;
}

int stook__intake_body(struct stook__attempt *attempt, const char *data, size_t size)
{
    int answer;
    if (is_put_by(attempt))
        answer = put_by(attempt, data, size);
    else
        answer = count(attempt, size) != 0 ? STOOK__SLOT_END : keep(attempt, data, size);
    if (answer == 0) {
        attempt->wire += (int64_t)size;
        stook__brake_count(&attempt->brake, attempt->answer.body.size);
        stook__stream_moved(attempt);
    }
    return answer;
}

int stook__intake_verdict(struct stook__attempt *attempt, const char **ret_why)
{
    struct stook__decoder *decoder = attempt->intake->decoder;
    if (decoder != NULL && !stook__decoder_ended(decoder)) {
        *ret_why = "the content coding has no end";
        return STOOK_ETRUNCATED;
    }
    if (attempt->intake->file != NULL && stook__outfile_verdict(attempt->intake->file, ret_why) != 0)
        return STOOK_ETRUNCATED;
    if (decoder == NULL || !stook__decoder_trailed(decoder))
        return 0;
    attempt->flags |= STOOK_FLAG_LENIENT;
    *ret_why = "there is more behind the end of the content coding";
    return attempt->policy->strict == 1 ? STOOK_EDECODE : 0;
}

int stook__intake_has_file(const struct stook__attempt *attempt)
{
    return attempt->intake != NULL && attempt->intake->file != NULL;
}

int stook__intake_opening(const struct stook__attempt *attempt)
{
    return stook__intake_has_file(attempt) && stook__outfile_opening(attempt->intake->file);
}

int stook__intake_settle(struct stook__attempt *attempt, int good)
{
    return stook__outfile_settle(attempt->intake->file, good);
}

int stook__intake_full(const struct stook__attempt *attempt)
{
    return stook__intake_to_file(attempt) && stook__outfile_full(attempt->intake->file);
}
