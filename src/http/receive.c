/* SPDX-License-Identifier: MIT */
/* What comes in: head lines and body, under caps. Runs inside libcurl: only writes down. */
#include <stdio.h>
#include <string.h>

#include "http/body_sink.h"
#include "http/upload_source.h"

enum { TRAILER_MAX = 64 << 10 };
enum { HEAD_ROOM = 120 }; /* for a head that is longer than the one before */

/* A client's answers have heads of much the same size, so the first block is the only one. */
static int make_room(struct stook__attempt *attempt, size_t needed)
{
    struct stook__buffer *head = &attempt->answer.head;
    size_t defaults = attempt->defaults->head_size;
    return stook__buffer_reserve(head, attempt->allocator,
                                 defaults >= needed ? defaults : needed + HEAD_ROOM);
}

/* As it came, from the name to the end of the value, but with NULs: "name\0 value\0". What
   stook_result_header() hands out points into it. */
static int keep_field(struct stook__attempt *attempt, const struct stook__response_item *item)
{
    struct stook__buffer *head = &attempt->answer.head;
    size_t size = (size_t)(item->value + item->value_size - item->name);
    size_t needed = head->size + size + 2;
    if (needed >= head->capacity && make_room(attempt, needed) != 0)
        return stook__attempt_stop(attempt, STOOK_ENOMEM, NULL);
    char *at = head->data + head->size;
    memcpy(at, item->name, size);
    at[item->name_size] = at[size] = at[size + 1] = '\0';
    head->size += size + 1;
    return 0;
}

/* Behind the value before it, which the parser has seen; one that was too odd to keep may leave none. */
static int keep_fold(struct stook__attempt *attempt, const struct stook__response_item *item)
{
    struct stook__buffer *head = &attempt->answer.head;
    size_t needed = head->size + item->value_size + 1;
    if (head->size == 0)
        return 0;
    if (needed >= head->capacity && make_room(attempt, needed) != 0)
        return stook__attempt_stop(attempt, STOOK_ENOMEM, NULL);
    char *at = head->data + head->size - 1;
    *at++ = ' ';
    memcpy(at, item->value, item->value_size);
    at[item->value_size] = at[item->value_size + 1] = '\0';
    head->size = needed;
    return 0;
}

static int unsure(struct stook__attempt *attempt, int flag, const char *why)
{
    if (attempt->policy->strict == 1)
        return stook__attempt_stop(attempt, STOOK_ETRUNCATED, why);
    attempt->flags |= flag;
    return 0;
}

/* Trailers may come in pieces. */
static int make_line(struct stook__attempt *attempt)
{
    struct stook__response_parser *parser = &attempt->response;
    if (parser->state != STOOK__RESPONSE_CHUNKS || parser->line != NULL)
        return 0;
    int64_t max = attempt->policy->max_header_bytes;
    parser->line_max = max >= 0 && max < TRAILER_MAX ? (size_t)max : TRAILER_MAX;
    parser->line = stook__resize(attempt->allocator, NULL, parser->line_max + 1);
    return parser->line != NULL ? 0 : stook__attempt_stop(attempt, STOOK_ENOMEM, NULL);
}

static int head_done(struct stook__attempt *attempt)
{
    int error = 0;
    attempt->head_done = 1;
    if (attempt->source != NULL)
        stook__upload_source_answered(attempt);
    stook__resend_answered(attempt);
    attempt->trailers_at = attempt->answer.head.size;
    if (attempt->response.state == STOOK__RESPONSE_UNTIL_CLOSE)
        error = attempt->answer.protocol < 20
                    ? unsure(attempt, STOOK_FLAG_UNTIL_CLOSE,
                             "the body has no length, its end is that of the connection")
                    : unsure(attempt, STOOK_FLAG_END_UNSEEN,
                             "the body has no length, and libcurl hides how its stream ends");
    if (error != 0 || make_line(attempt) != 0)
        return STOOK__EASY_END;
    stook__stream_head(attempt);
    return attempt->sink != NULL ? stook__body_sink_head(attempt) : 0;
}

static int count_field(struct stook__attempt *attempt)
{
    int64_t max = attempt->policy->max_header_count;
    if (max >= 0 && ++attempt->head_fields > max)
        return stook__attempt_stop(attempt, STOOK_ETOOLARGE,
                                   "the head has more fields than max_header_count");
    return 0;
}

static int take_field(struct stook__attempt *attempt, const struct stook__response_item *item)
{
    return count_field(attempt) != 0 ? STOOK__EASY_END : keep_field(attempt, item);
}

/* What the parser has found. 0, or as attempt_events. */
static int take_event(struct stook__attempt *attempt, enum stook__response_event event,
                      const struct stook__response_item *item)
{
    const struct stook__response_parser *parser = &attempt->response;
    if (parser->lenient != NULL)
        attempt->flags |= STOOK_FLAG_LENIENT;
    switch (event) {
    case STOOK__RESPONSE_ERROR:
        return stook__attempt_stop(attempt, parser->error, parser->why);
    case STOOK__RESPONSE_STATUS:
        if (parser->protocol >= 20 && stook__options_may_be_h2(attempt) == 0)
            return stook__attempt_stop(attempt, STOOK_EPROTOCOL,
                                       "the status line names no version that can be");
        attempt->answer.status = parser->status;
        attempt->answer.protocol = parser->protocol;
        attempt->answer.head.size = 0;
        return 0;
    case STOOK__RESPONSE_FIELD:
        return take_field(attempt, item);
    case STOOK__RESPONSE_FOLD:
        return count_field(attempt) != 0 ? STOOK__EASY_END : keep_fold(attempt, item);
    case STOOK__RESPONSE_ODD:
        return count_field(attempt);
    case STOOK__RESPONSE_HEAD:
        return parser->informational ? 0 : head_done(attempt);
    default:
        return 0;
    }
}

static int count_head(struct stook__attempt *attempt, size_t size)
{
    int64_t max = attempt->policy->max_header_bytes;
    attempt->head_bytes += (int64_t)size;
    return max >= 0 && attempt->head_bytes > max
               ? stook__attempt_stop(attempt, STOOK_ETOOLARGE, "the head is over max_header_bytes")
               : 0;
}

/* Of HTTP/2 and 3. Those of HTTP/1 are in the body, which comes as it is. */
static int take_trailer(struct stook__attempt *attempt, const char *line, size_t size)
{
    struct stook__response_parser *parser = &attempt->response;
    struct stook__response_item item;
    enum stook__response_state state = parser->state;
    parser->state = STOOK__RESPONSE_TRAILERS;
    int answer = take_event(attempt, stook__response_line(parser, line, size, &item), &item);
    if (parser->state != STOOK__RESPONSE_FAILED)
        parser->state = state;
    return answer;
}

/* libcurl gives every head: of 1xx, of the answer, and the trailer fields of HTTP/2 and 3. */
static int on_head(void *owner, const char *line, size_t size)
{
    struct stook__attempt *attempt = owner;
    struct stook__response_item item;
    attempt->moved_at = *attempt->clock;
    if (count_head(attempt, size) != 0)
        return STOOK__EASY_END;
    if (attempt->head_done)
        return take_trailer(attempt, line, size);
    enum stook__response_event event = stook__response_line(&attempt->response, line, size, &item);
    return event == STOOK__RESPONSE_FIELD ? take_field(attempt, &item)
                                          : take_event(attempt, event, &item);
}

/* One block of the right size instead of a growing one, where the length is said and believable. */
static int reserve(struct stook__attempt *attempt)
{
    if (attempt->response.length <= 0 || attempt->response.length > 1 << 20 ||
        (size_t)attempt->response.length > stook__body_flow_room(&attempt->flow))
        return 0;
    return stook__buffer_reserve(&attempt->answer.body, attempt->allocator,
                                 (size_t)attempt->response.length);
}

/* Whether libcurl has to keep its bytes: asked before any of them is looked at. */
static int must_pause(struct stook__attempt *attempt, size_t size)
{
    if (!stook__body_sink_to_file(attempt) &&
        !stook__body_flow_may_take(&attempt->flow, size, *attempt->clock))
        return 1;
    return attempt->sink != NULL && stook__body_sink_pauses(attempt);
}

/* Bytes of the body, without the framing of chunks. */
static int take_body(struct stook__attempt *attempt, const char *data, size_t size)
{
    struct stook__buffer *body = &attempt->answer.body;
    int64_t max = attempt->policy->max_body_bytes;
    if (attempt->sink != NULL)
        return stook__body_sink_body(attempt, data, size);
    attempt->wire += (int64_t)size;
    if (max >= 0 && size > (uint64_t)max - body->size)
        return stook__attempt_stop(attempt, STOOK_ETOOLARGE, "the body is over max_body_bytes");
    if (body->data == NULL && reserve(attempt) != 0)
        return stook__attempt_stop(attempt, STOOK_ENOMEM, NULL);
    if (stook__buffer_append(body, attempt->allocator, data, size) != 0)
        return stook__attempt_stop(attempt, STOOK_ENOMEM, NULL);
    stook__body_flow_count(&attempt->flow, body->size);
    return 0;
}

/* Chunks and trailers, as they came (CURLOPT_HTTP_TRANSFER_DECODING). */
static int take_chunks(struct stook__attempt *attempt, const char *data, size_t size)
{
    struct stook__response_parser *parser = &attempt->response;
    int answer = 0;
    while (answer == 0 && size > 0 && parser->state != STOOK__RESPONSE_ENDED) {
        struct stook__response_item item;
        size_t used;
        uint64_t trailer_bytes = parser->trailer_bytes;
        enum stook__response_event event = stook__response_body(parser, data, size, &used, &item);
        trailer_bytes = parser->trailer_bytes - trailer_bytes;
        if (trailer_bytes > 0 && count_head(attempt, (size_t)trailer_bytes) != 0)
            return STOOK__EASY_END;
        answer = event == STOOK__RESPONSE_BYTES ? take_body(attempt, item.value, item.value_size)
                                                : take_event(attempt, event, &item);
        data += used;
        size -= used;
    }
    return answer;
}

static int on_body(void *owner, const char *data, size_t size)
{
    struct stook__attempt *attempt = owner;
    attempt->moved_at = *attempt->clock;
    if (attempt->error != 0)
        return STOOK__EASY_END; /* libcurl up to 8.7 may call once more behind a pause */
    if (must_pause(attempt, size))
        return STOOK__EASY_PAUSE;
    return attempt->response.line != NULL ? take_chunks(attempt, data, size)
                                          : take_body(attempt, data, size);
}

/* "127.0.0.1:80" or "[::1]:80"; nothing for a socket of the file system. A easy handle that rested meets the
   same peer again, and there is nothing to write. */
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

static void before_send(void *owner, const char *ip, int port)
{
    struct stook__attempt *attempt = owner;
    note_remote(&stook__easy_settings(attempt->easy)->remote, ip, port);
    attempt->connected = 1;
    attempt->moved_at = *attempt->clock;
}

static void on_sent(void *owner, int64_t bytes)
{
    struct stook__attempt *attempt = owner;
    if (attempt->stream->sent != bytes)
        stook__stream_moved(attempt);
    attempt->stream->sent = bytes;
}

const struct stook__attempt_events stook__receive_events = {
    on_head, on_body, stook__resend_allowed, stook__resend_begin, before_send, on_sent};
