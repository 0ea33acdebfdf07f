/* SPDX-License-Identifier: MIT */
/*
 * The entry points of the reader, the status line and the end of a section; see reader.h.
 * http/receive.c and http/error_map.c call it.
 */
#include "http1/reader.h"

#include <string.h>

#include "http1/reader_chunks.h"
#include "http1/reader_fields.h"

void stook__reader_begin(struct stook__reader *reader, const struct stook__reader_rules *rules,
                         char *line, size_t line_capacity, size_t line_max)
{
    *reader = (struct stook__reader){.rules = *rules,
                                     .length = -1,
                                     .trailer_max = UINT64_MAX,
                                     .line = line,
                                     .line_capacity = line_capacity,
                                     .line_max = line_max};
}

/* -------------------------------------------------------------------- the status line */

/*
 * "1.0", "1.1" and other versions of HTTP/1; "2" and "3" only if the rules allow. 0: none of them.
 */
static uint8_t parse_protocol(const struct stook__reader *reader, const char **at, const char *end)
{
    const char *version = *at;
    if (end - version > 3 && version[0] == '1' && version[1] == '.' &&
        stook__is_digit(version[2]) && version[3] == ' ') {
        *at += 3;
        return version[2] == '0' ? 10 : 11;
    }
    if (!reader->rules.framed || end - version < 2 || (version[0] != '2' && version[0] != '3'))
        return 0;
    *at += version[1] == '.' ? 3 : 1;
    return *at < end ? (uint8_t)((version[0] - '0') * 10) : 0;
}

/* RFC 9112 4. "HTTP" is case-sensitive. */
static enum stook__reader_event take_status_line(struct stook__reader *reader, const char *line,
                                                 const char *end)
{
    const char *at = line + 5;
    if (end - line < 5 || memcmp(line, "HTTP/", 5) != 0)
        return stook__reader_fail(reader, STOOK_EPROTOCOL,
                                  "the status line does not begin with HTTP/");
    reader->protocol = parse_protocol(reader, &at, end);
    reader->status = 0;
    reader->length = -1;
    reader->coded = reader->chunked = reader->other_coding = 0;
    reader->close = reader->keep_alive = reader->any_field = 0;
    if (reader->protocol == 0)
        return stook__reader_fail(reader, STOOK_EPROTOCOL,
                                  "the status line has no known version of HTTP");
    if (end - at < 4 || *at != ' ' || !stook__is_digit(at[1]) || !stook__is_digit(at[2]) ||
        !stook__is_digit(at[3]) || (end - at > 4 && at[4] != ' ') || at[1] == '0')
        return stook__reader_fail(reader, STOOK_EPROTOCOL, "the status line is not valid");
    reader->status = (uint16_t)((at[1] - '0') * 100 + (at[2] - '0') * 10 + (at[3] - '0'));
    reader->informational = at[1] == '1';
    if (reader->status == 101)
        return stook__reader_fail(reader, STOOK_EPROTOCOL,
                                  "status 101, but the request asked for no upgrade");
    stook__reader_move(reader, STOOK__READER_FIELDS);
    return STOOK__READER_STATUS;
}

/* ------------------------------------------------------------ the end of a section */

static int has_no_body(const struct stook__reader *reader)
{
    return reader->rules.to_head || reader->status == 204 || reader->status == 304;
}

/* Decides what frames the body, in the order of RFC 9112 6.3. */
static enum stook__reader_event end_head(struct stook__reader *reader)
{
    enum stook__reader_state state = STOOK__READER_UNTIL_CLOSE;
    if (reader->informational) {
        stook__reader_move(reader, STOOK__READER_STATUS_LINE);
        return STOOK__READER_HEAD;
    }
    if (has_no_body(reader)) {
        stook__reader_move(reader, STOOK__READER_ENDED);
        return STOOK__READER_HEAD;
    }
    if (reader->other_coding)
        return stook__reader_fail(reader, STOOK_EPROTOCOL,
                                  "Transfer-Encoding names a coding that was not requested");
    /* A Transfer-Encoding overrides the length even if it names no coding; then libcurl reads until
       the connection is closed. A recipient that goes by the length reads another response. */
    if (reader->coded && reader->length >= 0)
        return stook__reader_fail(reader, STOOK_EPROTOCOL,
                                  "both Content-Length and Transfer-Encoding are given");
    if (reader->chunked > 0 && reader->protocol != 11 &&
        stook__reader_tolerate(reader, "chunked does not exist in this version of HTTP") != 0)
        return STOOK__READER_ERROR;
    if (reader->chunked > 0 && reader->protocol < 20) {
        stook__reader_begin_chunks(reader);
        reader->by_chunks = 1;
        state = STOOK__READER_CHUNKS;
    } else if (reader->length >= 0) {
        reader->remaining = (uint64_t)reader->length;
        state = STOOK__READER_LENGTH;
    }
    stook__reader_move(reader, state);
    return STOOK__READER_HEAD;
}

static enum stook__reader_event end_section(struct stook__reader *reader)
{
    if (reader->state == STOOK__READER_FIELDS)
        return end_head(reader);
    stook__reader_move(reader, STOOK__READER_ENDED);
    return STOOK__READER_END;
}

/* -------------------------------------------------------------------------------- a line */

static int in_section(const struct stook__reader *reader)
{
    return reader->state == STOOK__READER_FIELDS || reader->state == STOOK__READER_TRAILERS;
}

/* A line outside a section. */
static enum stook__reader_event take_first_line(struct stook__reader *reader, const char *line,
                                                size_t size)
{
    if (reader->state != STOOK__READER_STATUS_LINE)
        return STOOK__READER_ERROR;
    /* This comes before the checks of bytes: what does not begin like this is not HTTP. */
    if (size < 5 || memcmp(line, "HTTP/", 5) != 0)
        return take_status_line(reader, line, line + size);
    const char *end = stook__reader_check_line(reader, line, size);
    return end != NULL ? take_status_line(reader, line, end) : STOOK__READER_ERROR;
}

enum stook__reader_event stook__reader_line(struct stook__reader *reader, const char *line,
                                            size_t size, struct stook__reader_item *ret_item)
{
    if (!in_section(reader))
        return take_first_line(reader, line, size);
    enum stook__reader_event event = stook__reader_field_line(reader, line, size, ret_item);
    return event != STOOK__READER_NOTHING ? event : end_section(reader);
}

/* ------------------------------------------------------------------------- the stream */

/*
 * Whether a line is an error whatever follows the next `size` bytes of it. The ones before them,
 * which are in the block, were checked earlier. libcurl fails at a CR inside a trailer too, but its
 * message explains less.
 */
static int is_broken(const struct stook__reader *reader, const char *data, size_t size)
{
    size_t before = reader->line_size;
    if (reader->state == STOOK__READER_STATUS_LINE || size == 0)
        return 0;
    return (before > 0 && reader->line[before - 1] == '\r') ||
           stook__reader_find_control(data, data + size - (data[size - 1] == '\r')) < 0;
}

/* Keeps a piece of a line in the block. 0, or -1 if the block is too small. */
static int keep_piece(struct stook__reader *reader, const char *data, size_t size)
{
    size_t needed = reader->line_size + size;
    if (needed > reader->line_capacity) {
        reader->line_wanted = needed;
        return -1;
    }
    memcpy(reader->line + reader->line_size, data, size);
    reader->line_size = needed;
    return 0;
}

/* Takes a line that is complete here, alone or with the pieces before it; else keeps the piece. */
static enum stook__reader_event cut_line(struct stook__reader *reader, const char *data,
                                         size_t size, size_t *ret_used,
                                         struct stook__reader_item *ret_item)
{
    *ret_used = 0;
    if (size == 0)
        return STOOK__READER_NOTHING;
    const char *lf = memchr(data, '\n', size);
    size_t part = lf != NULL ? (size_t)(lf - data) + 1 : size,
           room = reader->line_max - reader->line_size;
    *ret_used = part;
    if (lf != NULL && reader->line_size == 0 && part <= room)
        return stook__reader_line(reader, data, part, ret_item);
    /* Both errors come before the block is looked at, so that its size decides nothing. */
    if ((lf == NULL || part > room) && is_broken(reader, data, part < room ? part : room))
        return stook__reader_fail(reader, STOOK_EPROTOCOL, STOOK__INVALID_BYTE);
    if (part > room)
        return stook__reader_fail(reader, STOOK_ETOOLARGE,
                                  "a line of the header section is too long");
    if (keep_piece(reader, data, part) != 0) {
        *ret_used = 0;
        return STOOK__READER_NOTHING;
    }
    if (lf == NULL)
        return STOOK__READER_NOTHING;
    part = reader->line_size;
    reader->line_size = 0;
    return stook__reader_line(reader, reader->line, part, ret_item);
}

/* Takes a line of the trailer section. Bytes beyond the bound are never looked at, so that the
   error is the same however the bytes are cut. */
static enum stook__reader_event take_trailers(struct stook__reader *reader, const char *data,
                                              size_t size, size_t *ret_used,
                                              struct stook__reader_item *ret_item)
{
    uint64_t room = reader->trailer_max - reader->trailer_bytes;
    size_t within = size > room ? (size_t)room : size;
    enum stook__reader_event event = cut_line(reader, data, within, ret_used, ret_item);
    reader->trailer_bytes += *ret_used;
    if (event != STOOK__READER_NOTHING || *ret_used < within || within == size)
        return event;
    return stook__reader_fail(reader, STOOK_ETOOLARGE, STOOK__WHY_HEADER_BYTES);
}

enum stook__reader_event stook__reader_body(struct stook__reader *reader, const char *data,
                                            size_t size, size_t *ret_used,
                                            struct stook__reader_item *ret_item)
{
    *ret_used = 0;
    if (reader->state == STOOK__READER_CHUNKS) {
        enum stook__reader_event event =
            stook__reader_take_chunks(reader, data, size, ret_used, ret_item);
        if (event != STOOK__READER_NOTHING || reader->state != STOOK__READER_TRAILERS ||
            *ret_used == size)
            return event;
    }
    size_t before = *ret_used;
    enum stook__reader_event event = STOOK__READER_ERROR;
    switch (reader->state) {
    case STOOK__READER_TRAILERS:
        event = take_trailers(reader, data + before, size - before, ret_used, ret_item);
        *ret_used += before;
        return event;
    case STOOK__READER_LENGTH:
        if (reader->remaining == 0) {
            stook__reader_move(reader, STOOK__READER_ENDED);
            return STOOK__READER_END;
        }
        return size > 0 ? stook__reader_take_bytes(reader, data, size, ret_used, ret_item)
                        : STOOK__READER_NOTHING;
    case STOOK__READER_UNTIL_CLOSE:
        *ret_used = size;
        *ret_item = (struct stook__reader_item){.value = data, .value_size = size};
        return size > 0 ? STOOK__READER_BYTES : STOOK__READER_NOTHING;
    case STOOK__READER_ENDED:
        return STOOK__READER_END;
    default:
        return STOOK__READER_ERROR;
    }
}

enum stook__reader_event stook__reader_feed(struct stook__reader *reader, const char *data,
                                            size_t size, size_t *ret_used,
                                            struct stook__reader_item *ret_item)
{
    *ret_used = 0;
    if (reader->state != STOOK__READER_STATUS_LINE && reader->state != STOOK__READER_FIELDS)
        return stook__reader_body(reader, data, size, ret_used, ret_item);
    return cut_line(reader, data, size, ret_used, ret_item);
}

int stook__reader_eof(const struct stook__reader *reader, const char **ret_why)
{
    *ret_why = reader->why;
    switch (reader->state) {
    case STOOK__READER_FAILED:
        return reader->error;
    case STOOK__READER_ENDED:
    case STOOK__READER_UNTIL_CLOSE:
        return 0;
    case STOOK__READER_LENGTH:
        *ret_why = "the connection ended before the body did";
        return reader->remaining == 0 ? 0 : STOOK_ETRUNCATED;
    case STOOK__READER_CHUNKS:
    case STOOK__READER_TRAILERS:
        *ret_why = "the connection ended before the last chunk did";
        return STOOK_ETRUNCATED;
    default:
        *ret_why = "the connection ended inside the header section";
        return STOOK_ETRUNCATED;
    }
}

/*
 * Two kinds of complete messages end their connection whatever they say of it: those of HTTP/1.0
 * with a Transfer-Encoding (RFC 9112 6.1), and a 204 that declares a body, which its server may
 * send.
 */
int stook__reader_keeps_connection(const struct stook__reader *reader)
{
    if (!stook__reader_is_over(reader) || reader->close ||
        (reader->status == 204 && (reader->coded || reader->length > 0)))
        return 0;
    return reader->protocol == 11 ||
           (reader->protocol == 10 && reader->keep_alive && !reader->coded);
}
