/* SPDX-License-Identifier: MIT */
/*
 * The entry points of the response parser, the status line and the end of a section; see
 * response_parser.h. receive.c and error_map.c call it.
 */
#include "http/response_parser.h"

#include <string.h>

#include "http/response_chunks.h"
#include "http/response_fields.h"

void stook__response_begin(struct stook__response_parser *parser,
                           const struct stook__response_rules *rules, char *line, size_t line_max)
{
    *parser = (struct stook__response_parser){.rules = *rules,
                                              .length = -1,
                                              .trailer_max = UINT64_MAX,
                                              .line = line,
                                              .line_max = line_max};
}

/* -------------------------------------------------------------------- the status line */

/*
 * "1.0", "1.1" and other versions of HTTP/1; "2" and "3" only if the rules allow. 0: none of them.
 */
static uint8_t parse_protocol(const struct stook__response_parser *parser, const char **at,
                              const char *end)
{
    const char *version = *at;
    if (end - version > 3 && version[0] == '1' && version[1] == '.' &&
        stook__is_digit(version[2]) && version[3] == ' ') {
        *at += 3;
        return version[2] == '0' ? 10 : 11;
    }
    if (!parser->rules.framed || end - version < 2 || (version[0] != '2' && version[0] != '3'))
        return 0;
    *at += version[1] == '.' ? 3 : 1;
    return *at < end ? (uint8_t)((version[0] - '0') * 10) : 0;
}

/* RFC 9112 4. "HTTP" is case-sensitive. */
static enum stook__response_event take_status_line(struct stook__response_parser *parser,
                                                   const char *line, const char *end)
{
    const char *at = line + 5;
    if (end - line < 5 || memcmp(line, "HTTP/", 5) != 0)
        return stook__response_fail(parser, STOOK_EPROTOCOL,
                                    "the status line does not begin with HTTP/");
    parser->protocol = parse_protocol(parser, &at, end);
    parser->status = 0;
    parser->length = -1;
    parser->coded = parser->chunked = parser->other_coding = 0;
    parser->any_field = 0;
    if (parser->protocol == 0)
        return stook__response_fail(parser, STOOK_EPROTOCOL,
                                    "the status line has no known version of HTTP");
    if (end - at < 4 || *at != ' ' || !stook__is_digit(at[1]) || !stook__is_digit(at[2]) ||
        !stook__is_digit(at[3]) || (end - at > 4 && at[4] != ' ') || at[1] == '0')
        return stook__response_fail(parser, STOOK_EPROTOCOL, "the status line is not valid");
    parser->status = (uint16_t)((at[1] - '0') * 100 + (at[2] - '0') * 10 + (at[3] - '0'));
    parser->informational = at[1] == '1';
    if (parser->status == 101)
        return stook__response_fail(parser, STOOK_EPROTOCOL,
                                    "status 101, but the request asked for no upgrade");
    stook__response_move(parser, STOOK__RESPONSE_FIELDS);
    return STOOK__RESPONSE_STATUS;
}

/* ------------------------------------------------------------ the end of a section */

static int has_no_body(const struct stook__response_parser *parser)
{
    return parser->rules.to_head || parser->status == 204 || parser->status == 304;
}

/* Decides what frames the body, in the order of RFC 9112 6.3. */
static enum stook__response_event end_head(struct stook__response_parser *parser)
{
    enum stook__response_state state = STOOK__RESPONSE_UNTIL_CLOSE;
    if (parser->informational) {
        stook__response_move(parser, STOOK__RESPONSE_STATUS_LINE);
        return STOOK__RESPONSE_HEAD;
    }
    if (has_no_body(parser)) {
        stook__response_move(parser, STOOK__RESPONSE_ENDED);
        return STOOK__RESPONSE_HEAD;
    }
    if (parser->other_coding)
        return stook__response_fail(parser, STOOK_EPROTOCOL,
                                    "Transfer-Encoding names a coding that was not requested");
    /* A Transfer-Encoding overrides the length even if it names no coding; then libcurl reads until
       the connection is closed. A recipient that goes by the length reads another response. */
    if (parser->coded && parser->length >= 0)
        return stook__response_fail(parser, STOOK_EPROTOCOL,
                                    "both Content-Length and Transfer-Encoding are given");
    if (parser->chunked > 0 && parser->protocol != 11 &&
        stook__response_tolerate(parser, "chunked does not exist in this version of HTTP") != 0)
        return STOOK__RESPONSE_ERROR;
    if (parser->chunked > 0 && parser->protocol < 20) {
        stook__response_begin_chunks(parser);
        state = STOOK__RESPONSE_CHUNKS;
    } else if (parser->length >= 0) {
        parser->remaining = (uint64_t)parser->length;
        state = STOOK__RESPONSE_LENGTH;
    }
    stook__response_move(parser, state);
    return STOOK__RESPONSE_HEAD;
}

static enum stook__response_event end_section(struct stook__response_parser *parser)
{
    if (parser->state == STOOK__RESPONSE_FIELDS)
        return end_head(parser);
    stook__response_move(parser, STOOK__RESPONSE_ENDED);
    return STOOK__RESPONSE_END;
}

/* -------------------------------------------------------------------------------- a line */

static int in_section(const struct stook__response_parser *parser)
{
    return parser->state == STOOK__RESPONSE_FIELDS || parser->state == STOOK__RESPONSE_TRAILERS;
}

/* A line outside a section. */
static enum stook__response_event take_first_line(struct stook__response_parser *parser,
                                                  const char *line, size_t size)
{
    if (parser->state != STOOK__RESPONSE_STATUS_LINE)
        return STOOK__RESPONSE_ERROR;
    /* This comes before the checks of bytes: what does not begin like this is not HTTP. */
    if (size < 5 || memcmp(line, "HTTP/", 5) != 0)
        return take_status_line(parser, line, line + size);
    const char *end = stook__response_check_line(parser, line, size);
    return end != NULL ? take_status_line(parser, line, end) : STOOK__RESPONSE_ERROR;
}

enum stook__response_event stook__response_line(struct stook__response_parser *parser,
                                                const char *line, size_t size,
                                                struct stook__response_item *ret_item)
{
    if (!in_section(parser))
        return take_first_line(parser, line, size);
    enum stook__response_event event = stook__response_field_line(parser, line, size, ret_item);
    return event != STOOK__RESPONSE_NOTHING ? event : end_section(parser);
}

/* ------------------------------------------------------------------------- the stream */

/*
 * Whether a line is an error whatever follows it: the first `before` bytes were checked earlier.
 * libcurl fails at a CR inside a trailer too, but its message explains less.
 */
static int is_broken(const struct stook__response_parser *parser, size_t before)
{
    const char *line = parser->line, *end = line + parser->line_size;
    if (parser->state == STOOK__RESPONSE_STATUS_LINE || parser->line_size == before)
        return 0;
    return stook__response_find_control(line + (before > 0 ? before - 1 : 0),
                                        end[-1] == '\r' ? end - 1 : end) < 0;
}

/* Takes a line that is complete here, alone or with the pieces before it; else stores the piece. */
static enum stook__response_event cut_line(struct stook__response_parser *parser, const char *data,
                                           size_t size, size_t *ret_used,
                                           struct stook__response_item *ret_item)
{
    const char *lf = memchr(data, '\n', size);
    size_t part = lf != NULL ? (size_t)(lf - data) + 1 : size, before = parser->line_size,
           room = parser->line_max - before;
    *ret_used = part;
    if (lf != NULL && before == 0 && part <= room)
        return stook__response_line(parser, data, part, ret_item);
    memcpy(parser->line + before, data, part < room ? part : room);
    parser->line_size += part < room ? part : room;
    if ((lf == NULL || part > room) && is_broken(parser, before))
        return stook__response_fail(parser, STOOK_EPROTOCOL, STOOK__INVALID_BYTE);
    if (part > room)
        return stook__response_fail(parser, STOOK_ETOOLARGE,
                                    "a line of the header section is too long");
    if (lf == NULL)
        return STOOK__RESPONSE_NOTHING;
    part = parser->line_size;
    parser->line_size = 0;
    return stook__response_line(parser, parser->line, part, ret_item);
}

/* Takes a line of the trailer section. Bytes beyond the bound are never looked at, so that the
   error is the same however the bytes are cut. */
static enum stook__response_event take_trailers(struct stook__response_parser *parser,
                                                const char *data, size_t size, size_t *ret_used,
                                                struct stook__response_item *ret_item)
{
    uint64_t room = parser->trailer_max - parser->trailer_bytes;
    int is_beyond = size > room;
    enum stook__response_event event =
        cut_line(parser, data, is_beyond ? (size_t)room : size, ret_used, ret_item);
    parser->trailer_bytes += *ret_used;
    if (event != STOOK__RESPONSE_NOTHING || !is_beyond)
        return event;
    return stook__response_fail(parser, STOOK_ETOOLARGE, STOOK__WHY_HEADER_BYTES);
}

enum stook__response_event stook__response_body(struct stook__response_parser *parser,
                                                const char *data, size_t size, size_t *ret_used,
                                                struct stook__response_item *ret_item)
{
    *ret_used = 0;
    if (parser->state == STOOK__RESPONSE_CHUNKS) {
        enum stook__response_event event =
            stook__response_take_chunks(parser, data, size, ret_used, ret_item);
        if (event != STOOK__RESPONSE_NOTHING || parser->state != STOOK__RESPONSE_TRAILERS ||
            *ret_used == size)
            return event;
    }
    size_t before = *ret_used;
    enum stook__response_event event = STOOK__RESPONSE_ERROR;
    switch (parser->state) {
    case STOOK__RESPONSE_TRAILERS:
        event = take_trailers(parser, data + before, size - before, ret_used, ret_item);
        *ret_used += before;
        return event;
    case STOOK__RESPONSE_LENGTH:
        if (parser->remaining == 0) {
            stook__response_move(parser, STOOK__RESPONSE_ENDED);
            return STOOK__RESPONSE_END;
        }
        return size > 0 ? stook__response_take_bytes(parser, data, size, ret_used, ret_item)
                        : STOOK__RESPONSE_NOTHING;
    case STOOK__RESPONSE_UNTIL_CLOSE:
        *ret_used = size;
        *ret_item = (struct stook__response_item){.value = data, .value_size = size};
        return size > 0 ? STOOK__RESPONSE_BYTES : STOOK__RESPONSE_NOTHING;
    case STOOK__RESPONSE_ENDED:
        return STOOK__RESPONSE_END;
    default:
        return STOOK__RESPONSE_ERROR;
    }
}

enum stook__response_event stook__response_feed(struct stook__response_parser *parser,
                                                const char *data, size_t size, size_t *ret_used,
                                                struct stook__response_item *ret_item)
{
    *ret_used = 0;
    if (parser->state != STOOK__RESPONSE_STATUS_LINE && parser->state != STOOK__RESPONSE_FIELDS)
        return stook__response_body(parser, data, size, ret_used, ret_item);
    return size > 0 ? cut_line(parser, data, size, ret_used, ret_item) : STOOK__RESPONSE_NOTHING;
}

int stook__response_eof(const struct stook__response_parser *parser, const char **ret_why)
{
    *ret_why = parser->why;
    switch (parser->state) {
    case STOOK__RESPONSE_FAILED:
        return parser->error;
    case STOOK__RESPONSE_ENDED:
    case STOOK__RESPONSE_UNTIL_CLOSE:
        return 0;
    case STOOK__RESPONSE_LENGTH:
        *ret_why = "the connection ended before the body did";
        return parser->remaining == 0 ? 0 : STOOK_ETRUNCATED;
    case STOOK__RESPONSE_CHUNKS:
    case STOOK__RESPONSE_TRAILERS:
        *ret_why = "the connection ended before the last chunk did";
        return STOOK_ETRUNCATED;
    default:
        *ret_why = "the connection ended inside the header section";
        return STOOK_ETRUNCATED;
    }
}
