/* SPDX-License-Identifier: MIT */
/*
 * The callbacks of a transfer. They run inside libcurl, and only write into the attempt: header
 * sections and body, through the reader and within the limits of the settings. What libcurl is told
 * is 0, STOOK__EASY_PAUSE, or STOOK__EASY_END with attempt->error set.
 */
#include "http/receive.h"

#include <stdio.h>
#include <string.h>

#include "http/body_sink.h"
#include "http/easy_options.h"
#include "http/redirect.h"
#include "http/request_fields.h"
#include "http/request_head.h"
#include "http/resend.h"
#include "http/stream.h"
#include "http/upload_source.h"
#include "http1/reader.h"

enum {
    TRAILER_MAX = 64 << 10, /* bytes of one trailer line in a chunked body */
    HEAD_ROOM = 120         /* bytes reserved beside a field, if the head outgrows the last one */
};

/* ------------------------------------------------------------------- header sections */

/* Reserves as much as the client's last head had: heads of one client have similar sizes, so that
   one allocation is usually enough. */
static int reserve_head(struct stook__attempt *attempt, size_t needed)
{
    struct stook__buffer *head = &attempt->answer.head;
    size_t last = attempt->defaults->head_size;
    return stook__buffer_reserve(head, attempt->allocator,
                                 last >= needed ? last : needed + HEAD_ROOM);
}

/* Appends a field to the head as it was received, with NULs: "name\0 value\0". The strings that
   stook_result_header() returns point into the head. */
static int keep_field(struct stook__attempt *attempt, const struct stook__reader_item *item)
{
    struct stook__buffer *head = &attempt->answer.head;
    size_t size = (size_t)(item->value + item->value_size - item->name);
    size_t needed = head->size + size + 2;
    if (needed >= head->capacity && reserve_head(attempt, needed) != 0)
        return stook__attempt_stop(attempt, STOOK_ENOMEM, NULL);
    char *at = head->data + head->size;
    memcpy(at, item->name, size);
    at[item->name_size] = at[size] = at[size + 1] = '\0';
    head->size += size + 1;
    return 0;
}

/* Appends an obs-fold (RFC 9112 5.2) to the value before it. There may be none, because the reader
   drops fields that it cannot read. */
static int keep_fold(struct stook__attempt *attempt, const struct stook__reader_item *item)
{
    struct stook__buffer *head = &attempt->answer.head;
    size_t needed = head->size + item->value_size + 1;
    if (head->size == 0)
        return 0;
    if (needed >= head->capacity && reserve_head(attempt, needed) != 0)
        return stook__attempt_stop(attempt, STOOK_ENOMEM, NULL);
    char *at = head->data + head->size - 1;
    *at++ = ' ';
    memcpy(at, item->value, item->value_size);
    at[item->value_size] = at[item->value_size + 1] = '\0';
    head->size = needed;
    return 0;
}

/* The end of the body cannot be verified: an error with `strict`, else a flag of the result. */
static int note_unverified_end(struct stook__attempt *attempt, int flag, const char *why)
{
    if (attempt->settings->strict == 1)
        return stook__attempt_stop(attempt, STOOK_ETRUNCATED, why);
    attempt->flags |= flag;
    return 0;
}

/* Gives the reader of a chunked body a buffer for one trailer line, which may come in pieces. It is
   the largest that the reader can ask for, so that the reader takes all bytes of a call. */
static int allocate_line(struct stook__attempt *attempt)
{
    struct stook__reader *reader = &attempt->response;
    if (reader->state != STOOK__READER_CHUNKS)
        return 0;
    int64_t max = attempt->settings->max_header_bytes;
    reader->line_max = max >= 0 && max < TRAILER_MAX ? (size_t)max : TRAILER_MAX;
    if (max >= 0)
        reader->trailer_max = (uint64_t)(max - attempt->head_bytes);
    if (reader->line != NULL || attempt->direct) /* enlarge_line() does when it is needed */
        return 0;
    reader->line_capacity = reader->line_max;
    reader->line = stook__resize(attempt->allocator, NULL, reader->line_max + 1);
    return reader->line != NULL ? 0 : stook__attempt_stop(attempt, STOOK_ENOMEM, NULL);
}

/* Whether a response that would be shown to the program may be followed by another attempt: what
   can be known of that at its head. */
static int may_be_retried(const struct stook__attempt *attempt)
{
    const struct stook__optional *optional = attempt->spec->optional;
    return attempt->may_retry && optional != NULL &&
           (optional->on_head != NULL || optional->on_body != NULL) &&
           stook__defaults_retries(attempt->defaults, attempt->answer.status) &&
           (attempt->settings->idempotent == 1 || stook__method_idempotent(attempt->method)) &&
           stook__upload_source_may_repeat(attempt);
}

/* The final header section is complete. */
static int end_head(struct stook__attempt *attempt)
{
    int error = 0;
    stook__attempt_move(attempt, STOOK__ATTEMPT_BODY, "the header section is complete");
    if (attempt->source != NULL)
        stook__upload_source_answered(attempt);
    stook__resend_after_head(attempt);
    attempt->trailers_at = attempt->answer.head.size;
    attempt->passed_over = stook__redirect_is_followed(attempt)    ? STOOK__PASSED_OVER_REDIRECT
                           : stook__redirect_is_to_mirror(attempt) ? STOOK__PASSED_OVER_MIRROR
                           : may_be_retried(attempt)               ? STOOK__PASSED_OVER_RETRY
                                                                   : STOOK__PASSED_OVER_NOT;
    if (attempt->response.state == STOOK__READER_UNTIL_CLOSE &&
        !stook__redirect_is_skipped(attempt))
        error =
            attempt->answer.protocol < 20
                ? note_unverified_end(attempt, STOOK_FLAG_UNTIL_CLOSE,
                                      "the body has no length, its end is that of the connection")
                : note_unverified_end(
                      attempt, STOOK_FLAG_END_UNSEEN,
                      "the body has no length, and libcurl hides how its stream ends");
    if (error != 0 || allocate_line(attempt) != 0)
        return STOOK__EASY_END;
    if (stook__redirect_is_skipped(attempt))
        return 0;
    if (!attempt->passed_over)
        stook__stream_head(attempt);
    return attempt->sink != NULL ? stook__body_sink_head(attempt) : 0;
}

static int count_field(struct stook__attempt *attempt)
{
    int64_t max = attempt->settings->max_header_count;
    if (max >= 0 && ++attempt->head_fields > max)
        return stook__attempt_stop(attempt, STOOK_ETOOLARGE,
                                   "the head has more fields than max_header_count");
    return 0;
}

static int take_field(struct stook__attempt *attempt, const struct stook__reader_item *item)
{
    return count_field(attempt) != 0 ? STOOK__EASY_END : keep_field(attempt, item);
}

/* Handles what the reader has found in a header or trailer section. */
static int take_event(struct stook__attempt *attempt, enum stook__reader_event event,
                      const struct stook__reader_item *item)
{
    const struct stook__reader *reader = &attempt->response;
    if (reader->lenient != NULL)
        attempt->flags |= STOOK_FLAG_LENIENT;
    switch (event) {
    case STOOK__READER_ERROR:
        return stook__attempt_stop(attempt, reader->error, reader->why);
    case STOOK__READER_STATUS:
        if (reader->protocol >= 20 && stook__options_may_be_h2(attempt) == 0)
            return stook__attempt_stop(attempt, STOOK_EPROTOCOL,
                                       "the status line has a version that was not negotiated");
        attempt->answer.status = reader->status;
        attempt->answer.protocol = reader->protocol;
        attempt->answer.head.size = 0;
        return 0;
    case STOOK__READER_FIELD:
        return take_field(attempt, item);
    case STOOK__READER_FOLD:
        return count_field(attempt) != 0 ? STOOK__EASY_END : keep_fold(attempt, item);
    case STOOK__READER_ODD: /* libcurl up to 7.85 lets it pass, and no other recipient does */
        if (attempt->direct)
            return stook__attempt_stop(attempt, STOOK_EPROTOCOL,
                                       "a line of the header section has no colon");
        return count_field(attempt);
    case STOOK__READER_HEAD:
        return reader->informational ? 0 : end_head(attempt);
    default:
        return 0;
    }
}

/* Counts bytes of header and trailer sections against max_header_bytes. */
static int count_head(struct stook__attempt *attempt, size_t size)
{
    int64_t max = attempt->settings->max_header_bytes;
    attempt->head_bytes += (int64_t)size;
    return max >= 0 && attempt->head_bytes > max
               ? stook__attempt_stop(attempt, STOOK_ETOOLARGE, STOOK__WHY_HEADER_BYTES)
               : 0;
}

/* Takes a trailer line of HTTP/2 or HTTP/3. Those of HTTP/1.1 are in the chunked body. */
static int take_trailer(struct stook__attempt *attempt, const char *line, size_t size)
{
    struct stook__reader *reader = &attempt->response;
    struct stook__reader_item item;
    enum stook__reader_state state = reader->state;
    reader->state = STOOK__READER_TRAILERS;
    int status = take_event(attempt, stook__reader_line(reader, line, size, &item), &item);
    if (reader->state != STOOK__READER_FAILED)
        reader->state = state;
    return status;
}

/* libcurl passes every line of all header sections, those of 1xx responses too, and of the trailer
   sections of HTTP/2 and HTTP/3. */
static int take_head_line(void *owner, const char *line, size_t size)
{
    struct stook__attempt *attempt = owner;
    struct stook__reader_item item;
    attempt->moved_at = *attempt->clock;
    if (count_head(attempt, size) != 0)
        return STOOK__EASY_END;
    if (attempt->state != STOOK__ATTEMPT_HEAD) {
        if (stook__attempt_head_done(attempt))
            return take_trailer(attempt, line, size);
        if (attempt->state != STOOK__ATTEMPT_SENDING)
            return STOOK__EASY_END; /* the attempt has ended with an error */
        stook__attempt_move(attempt, STOOK__ATTEMPT_HEAD, "the first header line has come");
    }
    enum stook__reader_event event = stook__reader_line(&attempt->response, line, size, &item);
    return event == STOOK__READER_FIELD ? take_field(attempt, &item)
                                        : take_event(attempt, event, &item);
}

/* ------------------------------------------------------------------------------- body */

/* Allocates the body in one block if Content-Length is known and not too large to trust. */
static int reserve_body(struct stook__attempt *attempt)
{
    if (attempt->response.length <= 0 || attempt->response.length > 1 << 20 ||
        (size_t)attempt->response.length > stook__body_flow_room(&attempt->flow))
        return 0;
    return stook__buffer_reserve(&attempt->answer.body, attempt->allocator,
                                 (size_t)attempt->response.length);
}

/* Counts bytes of a body that is passed over. A short one is read, so that its connection stays. */
static int skip_body(struct stook__attempt *attempt, size_t size)
{
    attempt->wire += (int64_t)size;
    return stook__redirect_is_cut(attempt) ? STOOK__EASY_END : 0;
}

/* Returns 1 if there is no room for the bytes: libcurl keeps all of them. */
static int must_pause(struct stook__attempt *attempt, size_t size)
{
    if (stook__redirect_is_skipped(attempt))
        return 0;
    if (!stook__body_sink_to_file(attempt) &&
        !stook__body_flow_may_take(&attempt->flow, size, *attempt->clock))
        return 1;
    return attempt->sink != NULL && stook__body_sink_pauses(attempt);
}

/* Takes bytes of the body without the chunked framing. */
static int take_body(struct stook__attempt *attempt, const char *data, size_t size)
{
    struct stook__buffer *body = &attempt->answer.body;
    int64_t max = attempt->settings->max_body_bytes;
    if (stook__redirect_is_skipped(attempt))
        return skip_body(attempt, size);
    if (attempt->sink != NULL)
        return stook__body_sink_body(attempt, data, size);
    attempt->wire += (int64_t)size;
    if (max >= 0 && size > (uint64_t)max - body->size)
        return stook__attempt_stop(attempt, STOOK_ETOOLARGE, "the body is over max_body_bytes");
    if (body->data == NULL && reserve_body(attempt) != 0)
        return stook__attempt_stop(attempt, STOOK_ENOMEM, NULL);
    if (stook__buffer_append(body, attempt->allocator, data, size) != 0)
        return stook__attempt_stop(attempt, STOOK_ENOMEM, NULL);
    stook__body_flow_count(&attempt->flow, body->size);
    return 0;
}

/* Takes bytes of a chunked body with its framing and trailer section: libcurl passes them as they
   are (CURLOPT_HTTP_TRANSFER_DECODING is off). */
static int take_chunks(struct stook__attempt *attempt, const char *data, size_t size)
{
    struct stook__reader *reader = &attempt->response;
    int status = 0;
    while (status == 0 && size > 0 && reader->state != STOOK__READER_ENDED) {
        struct stook__reader_item item;
        size_t used;
        uint64_t trailer_bytes = reader->trailer_bytes; /* the reader bounds them */
        enum stook__reader_event event = stook__reader_body(reader, data, size, &used, &item);
        attempt->head_bytes += (int64_t)(reader->trailer_bytes - trailer_bytes);
        status = event == STOOK__READER_BYTES ? take_body(attempt, item.value, item.value_size)
                                              : take_event(attempt, event, &item);
        data += used;
        size -= used;
    }
    return status;
}

static int take_received(void *owner, const char *data, size_t size)
{
    struct stook__attempt *attempt = owner;
    attempt->moved_at = *attempt->clock;
    if (attempt->error != 0 || stook__redirect_is_cut(attempt) || stook__body_sink_is_cut(attempt))
        return STOOK__EASY_END; /* libcurl up to 8.7 may call once more after a pause */
    if (must_pause(attempt, size))
        return STOOK__EASY_PAUSE;
    return stook__attempt_is_chunked(attempt) ? take_chunks(attempt, data, size)
                                              : take_body(attempt, data, size);
}

/* --------------------------------------------------------------- bytes of a direct connection */

/* Enlarges the block for a line that comes in pieces. */
static int enlarge_line(struct stook__attempt *attempt)
{
    struct stook__reader *reader = &attempt->response;
    size_t capacity =
        2 * reader->line_wanted < reader->line_max ? 2 * reader->line_wanted : reader->line_max;
    char *line = stook__resize(attempt->allocator, reader->line, capacity);
    if (line == NULL)
        return stook__attempt_stop(attempt, STOOK_ENOMEM, NULL);
    reader->line = line;
    reader->line_capacity = capacity;
    return 0;
}

/* How many of so many bytes may be read: in a header section not more than max_header_bytes allows,
   so that the error is the same however they come. 0: it is too large. */
static size_t bound_of_head(struct stook__attempt *attempt, size_t size)
{
    int64_t room = attempt->settings->max_header_bytes - attempt->head_bytes;
    if (attempt->settings->max_header_bytes < 0 || size <= (uint64_t)room)
        return size;
    if (room <= 0)
        stook__attempt_stop(attempt, STOOK_ETOOLARGE, STOOK__WHY_HEADER_BYTES);
    return room > 0 ? (size_t)room : 0;
}

/* Takes the next event of the connection. Returns as the other functions of this file. */
static int take_next(struct stook__attempt *attempt, const char *data, size_t size,
                     size_t *ret_used)
{
    struct stook__reader *reader = &attempt->response;
    struct stook__reader_item item;
    int in_head = reader->state <= STOOK__READER_FIELDS;
    uint64_t trailer_bytes = reader->trailer_bytes; /* the reader bounds them */
    *ret_used = 0;
    if (in_head && (size = bound_of_head(attempt, size)) == 0)
        return STOOK__EASY_END;
    enum stook__reader_event event = stook__reader_feed(reader, data, size, ret_used, &item);
    attempt->head_bytes +=
        in_head ? (int64_t)*ret_used : (int64_t)(reader->trailer_bytes - trailer_bytes);
    switch (event) {
    case STOOK__READER_NOTHING:
        return *ret_used < size ? enlarge_line(attempt) : 0;
    case STOOK__READER_FIELD:
        return take_field(attempt, &item);
    case STOOK__READER_BYTES:
        return take_body(attempt, item.value, item.value_size);
    default:
        return take_event(attempt, event, &item);
    }
}

static enum stook__http1_step take_stream(void *owner, const char *data, size_t size,
                                          size_t *ret_used)
{
    struct stook__attempt *attempt = owner;
    struct stook__reader *reader = &attempt->response;
    const char *why;
    *ret_used = 0;
    attempt->moved_at = *attempt->clock;
    if (attempt->error != 0)
        return STOOK__HTTP1_STOP;
    if (size == 0) /* the end of the connection */
        return stook__attempt_head_done(attempt) && stook__reader_eof(reader, &why) == 0
                   ? STOOK__HTTP1_LAST
                   : STOOK__HTTP1_MORE;
    if (attempt->state == STOOK__ATTEMPT_SENDING)
        stook__attempt_move(attempt, STOOK__ATTEMPT_HEAD, "the first byte has come");
    while (*ret_used < size && !stook__reader_is_over(reader)) {
        size_t used, left = size - *ret_used;
        if (reader->state > STOOK__READER_FIELDS && must_pause(attempt, left))
            return STOOK__HTTP1_PAUSE;
        if (take_next(attempt, data + *ret_used, left, &used) != 0)
            return STOOK__HTTP1_STOP;
        *ret_used += used;
    }
    if (!stook__reader_is_over(reader)) /* now, so that the next block need not be kept */
        return reader->state > STOOK__READER_FIELDS && must_pause(attempt, 1) ? STOOK__HTTP1_PAUSE
                                                                              : STOOK__HTTP1_MORE;
    return stook__reader_keeps_connection(reader) && reader->lenient == NULL ? STOOK__HTTP1_NEXT
                                                                             : STOOK__HTTP1_LAST;
}

/* -------------------------------------------------------------------------- connection */

/* Writes "127.0.0.1:80" or "[::1]:80"; an empty text for a Unix socket. A pooled easy handle
   usually connects to the same peer again, and then the text stays. */
static void note_remote(struct stook__remote *remote, const char *ip, int port)
{
    size_t size = ip != NULL ? strlen(ip) : 0;
    int brackets = size > 0 && memchr(ip, ':', size) != NULL;
    if (size > 0 && port == remote->port && size == remote->ip_size &&
        memcmp(remote->text + brackets, ip, size) == 0)
        return;
    *remote = (struct stook__remote){.text = ""};
    if (size == 0 || port <= 0 || port > 65535 || size + 10 > sizeof remote->text)
        return;
    snprintf(remote->text, sizeof remote->text, brackets ? "[%s]:%d" : "%s:%d", ip, port);
    remote->port = port;
    remote->ip_size = size;
}

static void note_connected(void *owner, const char *ip, int port)
{
    struct stook__attempt *attempt = owner;
    note_remote(&stook__easy_settings(attempt->easy)->remote, ip, port);
    if (attempt->state == STOOK__ATTEMPT_OPENING) /* it is sent before its start returns */
        stook__attempt_move(attempt, STOOK__ATTEMPT_CONNECTING, "over a kept connection");
    if (attempt->state == STOOK__ATTEMPT_CONNECTING)
        stook__attempt_move(attempt, STOOK__ATTEMPT_SENDING, "connected");
    attempt->connected = 1;
    attempt->moved_at = *attempt->clock;
}

static void note_sent(void *owner, int64_t bytes)
{
    struct stook__attempt *attempt = owner;
    if (attempt->stream->sent != bytes)
        stook__stream_moved(attempt);
    attempt->stream->sent = bytes;
}

const struct stook__attempt_events stook__receive_events = {
    .head = take_head_line,
    .body = take_received,
    .may_resend = stook__resend_allowed,
    .resend = stook__resend_begin,
    .before_send = note_connected,
    .write = stook__request_head_write,
    .take = take_stream,
    .sent = note_sent,
};
