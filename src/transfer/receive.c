/* SPDX-License-Identifier: MIT */
/* What comes in: head lines and body, under caps. Runs inside libcurl: only writes down. */
#include <stdio.h>
#include <string.h>

#include "transfer/feed.h"
#include "transfer/framing.h"
#include "transfer/intake.h"

enum { HEAD_ROOM = 120 }; /* for a head that is longer than the one before */

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
    if (is_blank(line[0]))
        return stook__framing_fold(attempt, line, line + size);
    if (colon == NULL)
        return stook__framing_lenient(attempt, "a line of the head is no field");
    /* A NUL inside would end the value early for the program, and shift every field behind it. */
    if (memchr(line, '\0', size) != NULL)
        return stook__framing_stop(attempt, STOOK_EPROTOCOL, "a NUL byte in a header field");
    if (attempt->in_head && stook__framing_field(attempt, line, colon, line + size) != 0)
        return STOOK__SLOT_END;
    size_t needed = head->size + size + 2;
    if (needed >= head->capacity && make_room(attempt, needed) != 0)
        return stook__framing_stop(attempt, STOOK_ENOMEM, NULL);
    char *at = head->data + head->size;
    memcpy(at, line, size);
    at[colon - line] = at[size] = at[size + 1] = '\0';
    head->size += size + 1;
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
        return stook__framing_stop(attempt, STOOK_ETOOLARGE, "the head is over head_max");
    if (!attempt->in_head && !attempt->head_done && size >= 5 && strncmp(line, "HTTP/", 5) == 0) {
        attempt->in_head = 1;
        return stook__framing_status(attempt, line, line + trimmed(line, size));
    }
    if ((size < 2 || line[size - 2] != '\r') && stook__framing_lenient(attempt, "a line of the head ends without a CR") != 0)
        return STOOK__SLOT_END;
    size = size > 2 && line[size - 2] == '\r' && line[size - 3] > ' ' ? size - 2 : trimmed(line, size);
    if (size == 0) {
        attempt->in_head = 0;
        if (!attempt->head_done && !attempt->informational) {
            attempt->head_done = 1;
            if (attempt->feed != NULL)
                stook__feed_answered(attempt);
            attempt->trailers_at = attempt->answer.head.size;
            if (stook__framing_done(attempt) != 0)
                return STOOK__SLOT_END;
            stook__stream_head(attempt);
            return attempt->intake != NULL ? stook__intake_head(attempt) : 0;
        }
        return 0;
    }
    if (policy->fields_max >= 0 && ++attempt->head_fields > policy->fields_max)
        return stook__framing_stop(attempt, STOOK_ETOOLARGE, "the head has more fields than fields_max");
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
    if (!stook__intake_to_file(attempt) && !stook__brake_may_take(&attempt->brake, size, *attempt->clock))
        return STOOK__SLOT_PAUSE;
    if (attempt->intake != NULL)
        return stook__intake_body(attempt, data, size);
    attempt->wire += (int64_t)size;
    if (max >= 0 && size > (uint64_t)max - body->size)
        return stook__framing_stop(attempt, STOOK_ETOOLARGE, "the body is over body_max");
    if (body->data == NULL && reserve(attempt) != 0)
        return stook__framing_stop(attempt, STOOK_ENOMEM, NULL);
    if (stook__buffer_append(body, attempt->heap, data, size) != 0)
        return stook__framing_stop(attempt, STOOK_ENOMEM, NULL);
    stook__brake_count(&attempt->brake, body->size);
    return 0;
}

/* "127.0.0.1:80" or "[::1]:80"; nothing for a socket of the file system. A slot that rested meets the
   same peer again, and there is nothing to write. */
static void note_remote(struct stook__remote *remote, const char *ip, int port)
{
    size_t size = ip != NULL ? strlen(ip) : 0;
    int brackets = size > 0 && memchr(ip, ':', size) != NULL;
    if (size > 0 && port == remote->port && size == remote->ip_size && memcmp(remote->text + brackets, ip, size) == 0)
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
    note_remote(&stook__slot_kit(attempt->slot)->remote, ip, port);
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
