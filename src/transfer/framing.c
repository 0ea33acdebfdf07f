/* SPDX-License-Identifier: MIT */
/* What a head says of the message it is of; see framing.h. */
#include "transfer/framing.h"

#include <string.h>
#include <strings.h>

static const char NO_LENGTH[] = "Content-Length is not a number";

int stook__framing_stop(struct stook__attempt *attempt, int error, const char *why)
{
    if (attempt->error == 0) {
        attempt->error = error;
        attempt->why = why;
    }
    return STOOK__SLOT_END;
}

int stook__framing_lenient(struct stook__attempt *attempt, const char *why)
{
    if (attempt->policy->strict == 1)
        return stook__framing_stop(attempt, STOOK_EPROTOCOL, why);
    attempt->flags |= STOOK_FLAG_LENIENT;
    return 0;
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* -------------------------------------------------------------------- the status line */

/* libcurl writes "HTTP/2" and "HTTP/3" for versions that have no status line. */
static uint8_t protocol_of(const char *version, const char *end)
{
    if (end - version < 3 || !is_digit(version[0]))
        return 0;
    return (uint8_t)((version[0] - '0') * 10 + (version[1] == '.' && version[2] == '1'));
}

/* "HTTP/1.1 103 Early Hints": another head follows a 1xx (RFC 9110 15.2). libcurl reads what else
   looks like a status line in its own way, so what it would make of it is not known (RFC 9112 4). */
int stook__framing_status(struct stook__attempt *attempt, const char *line, const char *end)
{
    const char *at = line + 5;
    attempt->answer.protocol = protocol_of(at, end);
    attempt->length = -1;
    attempt->chunked = 0;
    attempt->answer.head.size = 0;
    while (at < end && (is_digit(*at) || *at == '.'))
        at++;
    if (end - at < 4 || *at != ' ' || !is_digit(at[1]) || !is_digit(at[2]) || !is_digit(at[3]) ||
        (end - at > 4 && at[4] != ' '))
        return stook__framing_stop(attempt, STOOK_EPROTOCOL, "the status line is not valid");
    attempt->answer.status = (uint16_t)((at[1] - '0') * 100 + (at[2] - '0') * 10 + (at[3] - '0'));
    attempt->informational = at[1] == '1';
    if (attempt->answer.status == 101)
        return stook__framing_stop(attempt, STOOK_EPROTOCOL, "101 came, and no upgrade was asked for");
    return 0;
}

/* ------------------------------------------------------------------------- fields */

static int note_length(struct stook__attempt *attempt, const char *digits, const char *end)
{
    int64_t length = 0;
    while (digits < end && is_blank(end[-1]))
        end--;
    if (digits == end)
        return stook__framing_stop(attempt, STOOK_EPROTOCOL, NO_LENGTH);
    for (; digits < end; digits++) {
        if (!is_digit(*digits) || length > (INT64_MAX - 9) / 10)
            return stook__framing_stop(attempt, STOOK_EPROTOCOL, NO_LENGTH);
        length = length * 10 + (*digits - '0');
    }
    if (attempt->length >= 0 && attempt->length != length)
        return stook__framing_stop(attempt, STOOK_EPROTOCOL, "two lengths in Content-Length differ");
    int again = attempt->length >= 0;
    attempt->length = length;
    return again ? stook__framing_lenient(attempt, "Content-Length is there twice") : 0;
}

/* RFC 9112 6.3: a length that is no number, or two that differ, leave open where the message ends.
   libcurl takes what it can get. A list is the same as several fields. */
static int note_lengths(struct stook__attempt *attempt, const char *value, const char *end)
{
    for (;; value++) {
        while (value < end && is_blank(*value))
            value++;
        const char *comma = value < end ? memchr(value, ',', (size_t)(end - value)) : NULL;
        if (note_length(attempt, value, comma != NULL ? comma : end) != 0)
            return STOOK__SLOT_END;
        if (comma == NULL)
            return 0;
        value = comma;
    }
}

/* We ask for no transfer coding (RFC 9112 7.4), so there is none but chunked. libcurl would take a few off,
   and call half of such a body a success. */
static int note_codings(struct stook__attempt *attempt, const char *value, const char *end)
{
    while (value < end) {
        const char *comma = memchr(value, ',', (size_t)(end - value)), *stop = comma != NULL ? comma : end;
        const char *next = comma != NULL ? comma + 1 : end;
        while (value < stop && is_blank(*value))
            value++;
        while (value < stop && is_blank(stop[-1]))
            stop--;
        if (stop - value != 7 || strncasecmp(value, "chunked", 7) != 0) {
            if (value < stop)
                return stook__framing_stop(attempt, STOOK_EPROTOCOL, "a transfer coding that nobody asked for");
            if (stook__framing_lenient(attempt, "Transfer-Encoding is an odd list") != 0)
                return STOOK__SLOT_END;
        } else if (attempt->chunked++ > 0 && stook__framing_lenient(attempt, "chunked is there twice") != 0) {
            return STOOK__SLOT_END;
        }
        value = next;
    }
    return 0;
}

static int is_named(const char *line, size_t size, const char *name, size_t name_size)
{
    return size == name_size && strncasecmp(line, name, size) == 0;
}

static int is_framing(const char *line, size_t size)
{
    return is_named(line, size, "Content-Length", 14) || is_named(line, size, "Transfer-Encoding", 17);
}

/* RFC 9112 5.1: no blank before the colon. libcurl does not know the field then. */
static int blank_before_colon(struct stook__attempt *attempt, const char *line, const char *colon)
{
    while (colon > line && is_blank(colon[-1]))
        colon--;
    if (is_framing(line, (size_t)(colon - line)))
        return stook__framing_stop(attempt, STOOK_EPROTOCOL, "a blank behind the name of a field that frames the body");
    return stook__framing_lenient(attempt, "a blank behind the name of a field");
}

int stook__framing_field(struct stook__attempt *attempt, const char *line, const char *colon, const char *end)
{
    size_t size = (size_t)(colon - line);
    if (size == 14 && strncasecmp(line, "Content-Length", 14) == 0)
        return note_lengths(attempt, colon + 1, end);
    if (size == 17 && strncasecmp(line, "Transfer-Encoding", 17) == 0)
        return note_codings(attempt, colon + 1, end);
    if (size > 0 && is_blank(colon[-1]))
        return blank_before_colon(attempt, line, colon);
    return 0;
}

int stook__framing_fold(struct stook__attempt *attempt, const char *line, const char *end)
{
    struct stook__buffer *head = &attempt->answer.head;
    size_t first = attempt->head_done ? attempt->trailers_at : 0;
    if (head->size == first)
        return stook__framing_stop(attempt, STOOK_EPROTOCOL, "a folded line has no field before it");
    const char *name = head->data, *stop = name + head->size;
    for (const char *at = name; at < stop; at += strlen(at) + 1) {
        name = at;
        at = stook__field_value(at);
    }
    if (is_framing(name, strlen(name)))
        return stook__framing_stop(attempt, STOOK_EPROTOCOL, "a field that frames the body is folded");
    if (memchr(line, '\0', (size_t)(end - line)) != NULL)
        return stook__framing_stop(attempt, STOOK_EPROTOCOL, "a NUL byte in a header field");
    while (line < end && is_blank(*line))
        line++;
    head->data[head->size - 1] = ' ';
    if (stook__buffer_append(head, attempt->heap, line, (size_t)(end - line)) != 0 ||
        stook__buffer_append(head, attempt->heap, "", 1) != 0)
        return stook__framing_stop(attempt, STOOK_ENOMEM, NULL);
    return stook__framing_lenient(attempt, "a field is folded");
}

/* ------------------------------------------------------------------------------ the end */

static int has_no_body(const struct stook__attempt *attempt)
{
    int status = attempt->answer.status;
    return status == 204 || status == 304 || strcmp(attempt->method, "HEAD") == 0;
}

static int unsure(struct stook__attempt *attempt, int flag, const char *why)
{
    if (attempt->policy->strict == 1)
        return stook__framing_stop(attempt, STOOK_ETRUNCATED, why);
    attempt->flags |= flag;
    return 0;
}

int stook__framing_done(struct stook__attempt *attempt)
{
    if (attempt->chunked > 0 && attempt->length >= 0 &&
        stook__framing_lenient(attempt, "Content-Length and Transfer-Encoding are both there") != 0)
        return STOOK__SLOT_END;
    if (attempt->chunked > 0 && attempt->answer.protocol != 11 &&
        stook__framing_lenient(attempt, "chunked is not of this version of HTTP") != 0)
        return STOOK__SLOT_END;
    if (attempt->length >= 0 || attempt->chunked > 0 || has_no_body(attempt))
        return 0;
    if (attempt->answer.protocol < 20)
        return unsure(attempt, STOOK_FLAG_UNTIL_CLOSE, "the body has no length, its end is that of the connection");
    return unsure(attempt, STOOK_FLAG_END_UNSEEN, "the body has no length, and libcurl hides how its stream ends");
}
