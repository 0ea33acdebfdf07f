/* SPDX-License-Identifier: MIT */
/* What comes in: head lines and body, under caps. Runs inside libcurl: only writes down. */
#include <string.h>
#include <strings.h>

#include "transfer/brake.h"
#include "transfer/feed.h"
#include "transfer/intake.h"

enum { HEAD_ROOM = 120 }; /* for a head that is longer than the one before */
static const char NO_LENGTH[] = "Content-Length is not a number";

static int stop(struct stook__attempt *attempt, int error, const char *why)
{
    if (attempt->error == 0) {
        attempt->error = error;
        attempt->why = why;
    }
    return 1;
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static size_t trimmed(const char *line, size_t size)
{
    if (size > 2 && line[size - 1] == '\n' && line[size - 2] == '\r')
        size -= 2; /* nearly always, and nearly always there is no more */
    while (size > 0 && (line[size - 1] == '\n' || line[size - 1] == '\r' || is_blank(line[size - 1])))
        size--;
    return size;
}

static int note_length(struct stook__attempt *attempt, const char *digits, const char *end)
{
    int64_t length = 0;
    if (digits == end)
        return stop(attempt, STOOK_EPROTOCOL, NO_LENGTH);
    for (; digits < end; digits++) {
        if (*digits < '0' || *digits > '9' || length > (INT64_MAX - 9) / 10)
            return stop(attempt, STOOK_EPROTOCOL, NO_LENGTH);
        length = length * 10 + (*digits - '0');
    }
    if (attempt->length >= 0 && attempt->length != length)
        return stop(attempt, STOOK_EPROTOCOL, "two lengths in Content-Length differ");
    attempt->length = length;
    return 0;
}

/* RFC 9112 6.3: a length that is no number, or two that differ, leave open where the message ends.
   libcurl takes what it can get. A list is the same as several fields. */
static int check_length(struct stook__attempt *attempt, const char *value, const char *end)
{
    for (;; value++) {
        while (value < end && is_blank(*value))
            value++;
        const char *comma = memchr(value, ',', (size_t)(end - value));
        const char *stop_at = comma != NULL ? comma : end;
        if (note_length(attempt, value, value + trimmed(value, (size_t)(stop_at - value))) != 0)
            return 1;
        if (comma == NULL)
            return 0;
        value = comma;
    }
}

/* A client's answers have heads of much the same size, so the first block is the only one. */
static int make_room(struct stook__attempt *attempt, size_t needed)
{
    struct stook__buffer *head = &attempt->answer.head;
    size_t usual = attempt->usual->head_size;
    return stook__buffer_reserve(head, attempt->heap, usual >= needed ? usual : needed + HEAD_ROOM);
}

/* Kept as it came, but with NULs: "name\0 value\0". What stook_result_header() hands out points into it. */
static int keep_field(struct stook__attempt *attempt, const char *line, size_t size)
{
    struct stook__buffer *head = &attempt->answer.head;
    const char *colon = memchr(line, ':', size);
    /* A line that is folded (RFC 9112 5.2) begins with white space and is no field of its own. */
    if (colon == NULL || is_blank(line[0]))
        return 0;
    /* A NUL inside would end the value early for the program, and shift every field behind it. */
    if (memchr(line, '\0', size) != NULL)
        return stop(attempt, STOOK_EPROTOCOL, "a NUL byte in a header field");
    if (attempt->in_head && colon - line == 14 && strncasecmp(line, "Content-Length", 14) == 0 &&
        check_length(attempt, colon + 1, line + size) != 0)
        return 1;
    size_t needed = head->size + size + 2;
    if (needed >= head->capacity && make_room(attempt, needed) != 0)
        return stop(attempt, STOOK_ENOMEM, NULL);
    char *at = head->data + head->size;
    memcpy(at, line, size);
    at[colon - line] = at[size] = at[size + 1] = '\0';
    head->size += size + 1;
    return 0;
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* libcurl writes "HTTP/2" and "HTTP/3" for versions that have no status line. */
static uint8_t protocol_of(const char *version, const char *end)
{
    if (end - version < 3 || !is_digit(version[0]))
        return 0;
    return (uint8_t)((version[0] - '0') * 10 + (version[1] == '.' && version[2] == '1'));
}

/* "HTTP/1.1 103 Early Hints": another head follows a 1xx (RFC 9110 15.2). libcurl reads what else
   looks like a status line in its own way, so what it would make of it is not known (RFC 9112 4). */
static int check_status_line(struct stook__attempt *attempt, const char *line, size_t size)
{
    const char *at = line + 5, *end = line + trimmed(line, size);
    attempt->answer.protocol = protocol_of(at, end);
    while (at < end && (is_digit(*at) || *at == '.'))
        at++;
    if (end - at < 4 || *at != ' ' || !is_digit(at[1]) || !is_digit(at[2]) || !is_digit(at[3]) ||
        (end - at > 4 && at[4] != ' '))
        return stop(attempt, STOOK_EPROTOCOL, "the status line is not valid");
    attempt->answer.status = (uint16_t)((at[1] - '0') * 100 + (at[2] - '0') * 10 + (at[3] - '0'));
    attempt->informational = at[1] == '1';
    return 0;
}

/* libcurl gives every head: of 1xx, of the answer, and the trailer fields behind the body. */
static int on_head(void *owner, const char *line, size_t size)
{
    struct stook__attempt *attempt = owner;
    const struct stook__policy *policy = attempt->policy;
    attempt->moved_at = *attempt->clock;
    attempt->head_bytes += (int64_t)size;
    if (policy->head_max >= 0 && attempt->head_bytes > policy->head_max)
        return stop(attempt, STOOK_ETOOLARGE, "the head is over head_max");
    if (!attempt->in_head && !attempt->head_done && size >= 5 && strncmp(line, "HTTP/", 5) == 0) {
        attempt->in_head = 1;
        attempt->answer.head.size = 0;
        attempt->length = -1;
        return check_status_line(attempt, line, size);
    }
    size = trimmed(line, size);
    if (size == 0) {
        attempt->in_head = 0;
        if (!attempt->head_done && !attempt->informational) {
            attempt->head_done = 1;
            if (attempt->feed != NULL)
                stook__feed_answered(attempt);
            attempt->trailers_at = attempt->answer.head.size;
            stook__stream_head(attempt);
            return attempt->intake != NULL ? stook__intake_head(attempt) : 0;
        }
        return 0;
    }
    if (policy->fields_max >= 0 && ++attempt->head_fields > policy->fields_max)
        return stop(attempt, STOOK_ETOOLARGE, "the head has more fields than fields_max");
    return attempt->in_head || attempt->head_done ? keep_field(attempt, line, size) : 0;
}

/* One block of the right size instead of a growing one, where the length is said and believable. */
static int reserve(struct stook__attempt *attempt)
{
    const struct stook__gauge *gauge = attempt->brake.gauge;
    if (attempt->length <= 0 || attempt->length > 1 << 20 || (gauge != NULL && (size_t)attempt->length > gauge->room))
        return 0;
    return stook__buffer_reserve(&attempt->answer.body, attempt->heap, (size_t)attempt->length);
}

static int on_body(void *owner, const char *data, size_t size)
{
    struct stook__attempt *attempt = owner;
    struct stook__buffer *body = &attempt->answer.body;
    int64_t max = attempt->policy->body_max;
    attempt->moved_at = *attempt->clock;
    if (!stook__brake_take(attempt, size))
        return STOOK__SLOT_PAUSE;
    if (attempt->intake != NULL)
        return stook__intake_body(attempt, data, size);
    attempt->wire += (int64_t)size;
    if (max >= 0 && size > (uint64_t)max - body->size)
        return stop(attempt, STOOK_ETOOLARGE, "the body is over body_max");
    if (body->data == NULL && reserve(attempt) != 0)
        return stop(attempt, STOOK_ENOMEM, NULL);
    if (stook__buffer_append(body, attempt->heap, data, size) != 0)
        return stop(attempt, STOOK_ENOMEM, NULL);
    return 0;
}

/* "127.0.0.1:80" or "[::1]:80"; nothing for a socket of the file system. */
static void note_remote(struct stook__attempt *attempt, const char *ip, int port)
{
    char digits[8], *at = attempt->remote;
    size_t size = ip != NULL ? strlen(ip) : 0;
    int n = 0, brackets = size > 0 && memchr(ip, ':', size) != NULL;
    if (size == 0 || port <= 0 || port > 65535 || size + 10 > sizeof attempt->remote)
        return;
    if (brackets)
        *at++ = '[';
    at = (char *)memcpy(at, ip, size) + size;
    if (brackets)
        *at++ = ']';
    *at++ = ':';
    for (; port > 0; port /= 10)
        digits[n++] = (char)('0' + port % 10);
    while (n > 0)
        *at++ = digits[--n];
    *at = '\0';
}

static void before_send(void *owner, const char *ip, int port)
{
    struct stook__attempt *attempt = owner;
    note_remote(attempt, ip, port);
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
    on_head, on_body, stook__rounds_may_resend, stook__rounds_resend, before_send, on_sent};
