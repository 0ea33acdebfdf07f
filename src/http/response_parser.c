/* SPDX-License-Identifier: MIT */
/* The parser of responses; see response_parser.h. */
#include "http/response_parser.h"

#include <string.h>
#include <strings.h>

#include <stook.h>

enum { EXTENSION_MAX = 64 << 10, DIGITS_MAX = 40 };
enum { EIGHT_AND_CRLF = 10 }; /* bytes: shorter lines are rare */

/* Where in the framing of a chunk (RFC 9112 7.1). */
enum { SIZE, BLANK, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF };

static enum stook__response_event fail(struct stook__response_parser *parser, int error,
                                       const char *why)
{
    if (parser->error == 0) {
        parser->error = error;
        parser->why = why;
    }
    parser->state = STOOK__RESPONSE_FAILED;
    return STOOK__RESPONSE_ERROR;
}

/* A rule is broken, and it is known what is meant. 0; -1: that is an error here. */
static int overlook(struct stook__response_parser *parser, const char *why)
{
    if (parser->lenient == NULL)
        parser->lenient = why;
    if (!parser->rules.strict)
        return 0;
    fail(parser, STOOK_EPROTOCOL, why);
    return -1;
}

void stook__response_begin(struct stook__response_parser *parser,
                           const struct stook__response_rules *rules, char *line, size_t line_max)
{
    *parser = (struct stook__response_parser){
        .rules = *rules, .length = -1, .line = line, .line_max = line_max};
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* RFC 9110 5.6.2: what a token consists of. */
#define T(c) [c] = 1
static const char token[256] = {
    T('!'), T('#'), T('$'), T('%'), T('&'), T('\''), T('*'), T('+'), T('-'), T('.'), T('^'),
    T('_'), T('`'), T('|'), T('~'), T('0'), T('1'),  T('2'), T('3'), T('4'), T('5'), T('6'),
    T('7'), T('8'), T('9'), T('a'), T('b'), T('c'),  T('d'), T('e'), T('f'), T('g'), T('h'),
    T('i'), T('j'), T('k'), T('l'), T('m'), T('n'),  T('o'), T('p'), T('q'), T('r'), T('s'),
    T('t'), T('u'), T('v'), T('w'), T('x'), T('y'),  T('z'), T('A'), T('B'), T('C'), T('D'),
    T('E'), T('F'), T('G'), T('H'), T('I'), T('J'),  T('K'), T('L'), T('M'), T('N'), T('O'),
    T('P'), T('Q'), T('R'), T('S'), T('T'), T('U'),  T('V'), T('W'), T('X'), T('Y'), T('Z')};
#undef T

static int is_named(const char *name, size_t size, const char *wanted)
{
    return size == strlen(wanted) && strncasecmp(name, wanted, size) == 0;
}

static int is_framing(const char *name, size_t size)
{
    return is_named(name, size, "Content-Length") || is_named(name, size, "Transfer-Encoding");
}

/* -------------------------------------------------------------------- the status line */

/* "1.1" and "1.0" and others of HTTP/1; "2" and "3" only where libcurl makes the line up. 0: none. */
static uint8_t protocol_of(const struct stook__response_parser *parser, const char **at,
                           const char *end)
{
    const char *version = *at;
    if (end - version > 3 && version[0] == '1' && version[1] == '.' && is_digit(version[2]) &&
        version[3] == ' ') {
        *at += 3;
        return version[2] == '0' ? 10 : 11;
    }
    if (!parser->rules.framed || end - version < 2 || (version[0] != '2' && version[0] != '3'))
        return 0;
    *at += version[1] == '.' ? 3 : 1;
    return *at < end ? (uint8_t)((version[0] - '0') * 10) : 0;
}

/* RFC 9112 4, where "HTTP" is in capital messages. */
static enum stook__response_event status_line(struct stook__response_parser *parser,
                                              const char *line, const char *end)
{
    const char *at = line + 5;
    if (end - line < 5 || memcmp(line, "HTTP/", 5) != 0)
        return fail(parser, STOOK_EPROTOCOL, "the status line does not begin with HTTP/");
    parser->protocol = protocol_of(parser, &at, end);
    parser->status = 0;
    parser->length = -1;
    parser->coded = parser->chunked = parser->other_coding = 0;
    parser->any_field = 0;
    if (parser->protocol == 0)
        return fail(parser, STOOK_EPROTOCOL, "the status line names no version that can be");
    if (end - at < 4 || *at != ' ' || !is_digit(at[1]) || !is_digit(at[2]) || !is_digit(at[3]) ||
        (end - at > 4 && at[4] != ' ') || at[1] == '0')
        return fail(parser, STOOK_EPROTOCOL, "the status line is not valid");
    parser->status = (uint16_t)((at[1] - '0') * 100 + (at[2] - '0') * 10 + (at[3] - '0'));
    parser->informational = at[1] == '1';
    if (parser->status == 101)
        return fail(parser, STOOK_EPROTOCOL, "101 came, and no upgrade was asked for");
    parser->state = STOOK__RESPONSE_FIELDS;
    return STOOK__RESPONSE_STATUS;
}

/* ------------------------------------------------------------------------ field lines */

/* Digits without an end in sight may be more than there can be; zeros before them may not. */
static int parse_length(const char *digits, const char *end, int64_t *ret_length)
{
    int64_t length = 0;
    if (digits == end)
        return -1;
    for (; digits < end; digits++) {
        if (!is_digit(*digits) || length > (INT64_MAX - (*digits - '0')) / 10)
            return -1;
        length = length * 10 + (*digits - '0');
    }
    *ret_length = length;
    return 0;
}

/* RFC 9112 6.3: a length that is no number, or two that differ, leave open where the message ends. A
   list is the same as several fields. */
static int note_lengths(struct stook__response_parser *parser, const char *value, const char *end)
{
    for (;;) {
        const char *comma = memchr(value, ',', (size_t)(end - value)),
                   *stop = comma != NULL ? comma : end;
        int64_t length = 0;
        while (value < stop && is_blank(*value))
            value++;
        while (value < stop && is_blank(stop[-1]))
            stop--;
        if (parse_length(value, stop, &length) != 0)
            return fail(parser, STOOK_EPROTOCOL, "Content-Length is not a number"), -1;
        if (parser->length >= 0 && parser->length != length)
            return fail(parser, STOOK_EPROTOCOL, "two lengths in Content-Length differ"), -1;
        if (parser->length >= 0 && overlook(parser, "Content-Length is there twice") != 0)
            return -1;
        parser->length = length;
        if (comma == NULL)
            return 0;
        value = comma + 1;
    }
}

/* We ask for no transfer coding (RFC 9112 7.4), so there is none but chunked. Whether another matters is
   known when the section is complete: where there is no body it does not. */
static int note_codings(struct stook__response_parser *parser, const char *value, const char *end)
{
    parser->coded = 1;
    for (int more = 1; more;) {
        const char *comma = memchr(value, ',', (size_t)(end - value)),
                   *stop = comma != NULL ? comma : end;
        const char *next = comma != NULL ? comma + 1 : end;
        more = comma != NULL;
        while (value < stop && is_blank(*value))
            value++;
        while (value < stop && is_blank(stop[-1]))
            stop--;
        size_t size = (size_t)(stop - value);
        if (is_named(value, size, "chunked")) {
            if (parser->chunked++ > 0 && overlook(parser, "chunked is there twice") != 0)
                return -1;
        } else if (is_named(value, size, "identity") || size == 0) {
            if (overlook(parser, size == 0 ? "Transfer-Encoding is an odd list"
                                           : "identity is no transfer coding any more") != 0)
                return -1;
        } else {
            parser->other_coding = 1;
        }
        value = next;
    }
    return 0;
}

/* Whether one of eight bytes may be below 0x20 or 0x7f: all of a response is looked at, so this is quick, and
   may be wrong where bytes above 0x7f are among them. */
static int may_have_control(const char *bytes)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t eight;
    memcpy(&eight, bytes, 8);
    return (((eight - ones * 0x20) | (eight + ones)) & ~eight & ones << 7) != 0;
}

/* Whether there is none for certain, in eight bytes at least. The last eight may overlap with those before. */
static int is_clean(const char *value, const char *end)
{
    const char *last = end - 8;
    for (; value < last; value += 8)
        if (may_have_control(value))
            return 0;
    return !may_have_control(last);
}

/* What may not stand in a value (RFC 9110 5.5): 0: none; 1: a control byte, which has one reading;
   -1: a NUL or a CR, at which others may end the value or the line. */
static int control_in(const char *value, const char *end)
{
    int found = 0;
    if (end - value >= 8 && is_clean(value, end))
        return 0;
    for (; value < end; value++) {
        unsigned char c = (unsigned char)*value;
        if (c == '\0' || c == '\r')
            return -1;
        found |= (c < 0x20 && c != '\t') || c == 0x7f;
    }
    return found;
}

static const char CONTROL[] = "a NUL byte or a CR in a line of the head";

static enum stook__response_event fold(struct stook__response_parser *parser, const char *line,
                                       const char *end, struct stook__response_item *ret_item)
{
    if (!parser->any_field)
        return fail(parser, STOOK_EPROTOCOL, "a folded line has no field before it");
    if (parser->last_frames)
        return fail(parser, STOOK_EPROTOCOL, "a field that frames the body is folded");
    if (overlook(parser, "a field is folded") != 0)
        return STOOK__RESPONSE_ERROR;
    while (line < end && is_blank(*line))
        line++;
    *ret_item = (struct stook__response_item){.value = line, .value_size = (size_t)(end - line)};
    return STOOK__RESPONSE_FOLD;
}

/* RFC 9112 5.1: a token, and no blank behind it. 0, or -1. */
static int check_name(struct stook__response_parser *parser, const char *name, const char *colon)
{
    const char *end = colon;
    while (end > name && is_blank(end[-1]))
        end--;
    if (end < colon && is_framing(name, (size_t)(end - name)))
        return fail(parser, STOOK_EPROTOCOL,
                    "a blank behind the name of a field that frames the body"),
               -1;
    if (end < colon)
        return overlook(parser, "a blank behind the name of a field");
    if (end == name)
        return overlook(parser, "a field without a name");
    while (token[(unsigned char)*name])
        name++; /* the colon is not of a token */
    return name == colon ? 0 : overlook(parser, "the name of a field is not valid");
}

/* Out of line: few fields have a name of that length, and a field is to cost few registers. */
static __attribute__((noinline)) int note_framing(struct stook__response_parser *parser,
                                                  const struct stook__response_item *field)
{
    const char *value = field->value, *end = value + field->value_size;
    if (!is_framing(field->name, field->name_size))
        return 0;
    parser->last_frames = 1;
    return field->name_size == 14 ? note_lengths(parser, value, end)
                                  : note_codings(parser, value, end);
}

/* Trailers frame nothing any more. */
static enum stook__response_event take_field(struct stook__response_parser *parser,
                                             const char *line, const char *colon, const char *end,
                                             struct stook__response_item *ret_item)
{
    const char *value = colon + 1;
    size_t size = (size_t)(colon - line);
    while (value < end && is_blank(*value))
        value++;
    parser->any_field = 1;
    parser->last_frames = 0;
    *ret_item = (struct stook__response_item){line, value, size, (size_t)(end - value)};
    if ((size == 14 || size == 17) && parser->state == STOOK__RESPONSE_FIELDS &&
        note_framing(parser, ret_item) != 0)
        return STOOK__RESPONSE_ERROR;
    return STOOK__RESPONSE_FIELD;
}

static enum stook__response_event field(struct stook__response_parser *parser, const char *line,
                                        const char *end, struct stook__response_item *ret_item)
{
    const char *colon = memchr(line, ':', (size_t)(end - line));
    if (colon != NULL && check_name(parser, line, colon) == 0)
        return take_field(parser, line, colon, end, ret_item);
    if (colon != NULL)
        return STOOK__RESPONSE_ERROR;
    parser->last_frames = 0;
    return overlook(parser, "a line of the head is no field") != 0 ? STOOK__RESPONSE_ERROR
                                                                   : STOOK__RESPONSE_ODD;
}

/* ------------------------------------------------------------ the end of a section */

static int has_no_body(const struct stook__response_parser *parser)
{
    return parser->rules.to_head || parser->informational || parser->status == 204 ||
           parser->status == 304;
}

/* RFC 9112 6.3, in its order. */
static enum stook__response_event head_done(struct stook__response_parser *parser)
{
    if (parser->informational) {
        parser->state = STOOK__RESPONSE_STATUS_LINE;
        return STOOK__RESPONSE_HEAD;
    }
    if (has_no_body(parser)) {
        parser->state = STOOK__RESPONSE_ENDED;
        return STOOK__RESPONSE_HEAD;
    }
    if (parser->other_coding)
        return fail(parser, STOOK_EPROTOCOL, "a transfer coding that nobody asked for");
    /* A Transfer-Encoding overrides the length even where it names no coding, and libcurl reads on until the
       connection is closed then: this may be another response for whoever goes by the length. */
    if (parser->coded && parser->length >= 0)
        return fail(parser, STOOK_EPROTOCOL,
                    "Content-Length and Transfer-Encoding are both there, which has two readings");
    if (parser->chunked > 0 && parser->protocol != 11 &&
        overlook(parser, "chunked is not of this version of HTTP") != 0)
        return STOOK__RESPONSE_ERROR;
    parser->chunk = SIZE;
    parser->digits = 0;
    parser->left = parser->length > 0 ? (uint64_t)parser->length : 0;
    if (parser->chunked > 0 && parser->protocol < 20)
        parser->state = STOOK__RESPONSE_CHUNKS;
    else if (parser->length >= 0)
        parser->state = STOOK__RESPONSE_LENGTH;
    else
        parser->state = STOOK__RESPONSE_UNTIL_CLOSE;
    return STOOK__RESPONSE_HEAD;
}

static enum stook__response_event section_done(struct stook__response_parser *parser)
{
    if (parser->state == STOOK__RESPONSE_FIELDS)
        return head_done(parser);
    parser->state = STOOK__RESPONSE_ENDED;
    return STOOK__RESPONSE_END;
}

/* The colon of a line that is as it should be, as nearly all are; else NULL, and all has to be looked at. */
static const char *colon_of(const char *line, const char *end)
{
    const char *at = line;
    if (end[0] != '\r' || end[1] != '\n')
        return NULL;
    while (token[(unsigned char)*at])
        at++; /* the end of the line is not of a token */
    return at != line && *at == ':' && is_clean(at, end) ? at : NULL;
}

static const char *trim(const char *line, const char *end)
{
    while (end > line && is_blank(end[-1]))
        end--;
    return end;
}

static int in_section(const struct stook__response_parser *parser)
{
    return parser->state == STOOK__RESPONSE_FIELDS || parser->state == STOOK__RESPONSE_TRAILERS;
}

/* A line of any kind; out of line, as note_framing(). */
static __attribute__((noinline)) enum stook__response_event any_line(
    struct stook__response_parser *parser, const char *line, size_t size,
    struct stook__response_item *ret_item)
{
    if (!in_section(parser)) {
        if (parser->state != STOOK__RESPONSE_STATUS_LINE)
            return STOOK__RESPONSE_ERROR;
        /* What does not begin like a status line is no HTTP at all. */
        if (size < 5 || memcmp(line, "HTTP/", 5) != 0)
            return status_line(parser, line, line + size);
    }
    if (size == 0 || line[size - 1] != '\n')
        return fail(parser, STOOK_EPROTOCOL, "a line of the head has no end");
    const char *end = line + size - 1;
    int whole = end > line && end[-1] == '\r';
    end -= whole;
    int control = control_in(line, end);
    if (control < 0)
        return fail(parser, STOOK_EPROTOCOL, CONTROL);
    if (!whole && overlook(parser, "a line of the head ends without a CR") !=
                      0) /* one reading: RFC 9112 2.2 */
        return STOOK__RESPONSE_ERROR;
    if (control > 0 && overlook(parser, "a control byte in a line of the head") != 0)
        return STOOK__RESPONSE_ERROR;
    if (parser->state == STOOK__RESPONSE_STATUS_LINE)
        return status_line(parser, line, end);
    if (end == line)
        return section_done(parser);
    end = trim(line, end);
    if (is_blank(line[0]) || end == line)
        return fold(parser, line, end, ret_item);
    return field(parser, line, end, ret_item);
}

enum stook__response_event stook__response_line(struct stook__response_parser *parser,
                                                const char *line, size_t size,
                                                struct stook__response_item *ret_item)
{
    if (size < EIGHT_AND_CRLF || !in_section(parser))
        return any_line(parser, line, size, ret_item);
    const char *end = line + size - 2, *colon = colon_of(line, end);
    if (colon == NULL)
        return any_line(parser, line, size, ret_item);
    return take_field(parser, line, colon, trim(colon, end), ret_item);
}

/* ----------------------------------------------------------------------------- chunks */

static int digit_of(char c)
{
    if (is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char SIZE_LINE[] = "the size of a chunk is not valid";

/* One byte of the line with a chunk's size. 0, or -1. What others read as another size, or as the end of the line,
   is an error; blanks behind the size, which old servers put there, are not. */
static int size_byte(struct stook__response_parser *parser, char c)
{
    int digit = parser->chunk == SIZE ? digit_of(c) : -1;
    if (digit >= 0) {
        if (parser->left > UINT64_MAX >> 5 || ++parser->digits > DIGITS_MAX)
            return fail(parser, STOOK_EPROTOCOL, "the size of a chunk is too large"), -1;
        parser->left = parser->left * 16 + (unsigned)digit;
        return 0;
    }
    if (parser->digits == 0 || (c != '\t' && ((unsigned char)c < 0x20 || c == 0x7f) && c != '\r'))
        return fail(parser, STOOK_EPROTOCOL, SIZE_LINE), -1;
    if (c == '\r') {
        if (parser->chunk == BLANK && overlook(parser, "a blank behind the size of a chunk") != 0)
            return -1;
        parser->chunk = SIZE_LF;
    } else if (parser->chunk == EXTENSION) {
        if (++parser->extension > EXTENSION_MAX)
            return fail(parser, STOOK_ETOOLARGE, "chunk extensions of more than 64 KiB"), -1;
    } else if (c == ';') {
        parser->chunk = EXTENSION;
    } else if (is_blank(c) && ++parser->extension <= EXTENSION_MAX) {
        parser->chunk = BLANK;
    } else {
        return fail(parser, STOOK_EPROTOCOL, SIZE_LINE), -1;
    }
    return 0;
}

/* One byte of a chunk's framing. */
static int chunk_byte(struct stook__response_parser *parser, char c)
{
    switch (parser->chunk) {
    case SIZE_LF:
        if (c != '\n')
            return fail(parser, STOOK_EPROTOCOL, SIZE_LINE), -1;
        if (parser->left == 0) {
            parser->state = STOOK__RESPONSE_TRAILERS;
            parser->any_field = 0;
        }
        parser->chunk = DATA;
        return 0;
    case DATA_CR:
    case DATA_LF:
        if (c != (parser->chunk == DATA_CR ? '\r' : '\n'))
            return fail(parser, STOOK_EPROTOCOL, "a chunk does not end where its size says"), -1;
        parser->chunk = parser->chunk == DATA_CR ? DATA_LF : SIZE;
        parser->digits = 0;
        return 0;
    default:
        return size_byte(parser, c);
    }
}

/* Some of the bytes that are left, at the end of which comes `next`. */
static enum stook__response_event take(struct stook__response_parser *parser, const char *data,
                                       size_t size, size_t *ret_used,
                                       struct stook__response_item *ret_item)
{
    *ret_used = size < parser->left ? size : (size_t)parser->left;
    parser->left -= *ret_used;
    *ret_item = (struct stook__response_item){.value = data, .value_size = *ret_used};
    return STOOK__RESPONSE_BYTES;
}

static enum stook__response_event chunks(struct stook__response_parser *parser, const char *data,
                                         size_t size, size_t *ret_used,
                                         struct stook__response_item *ret_item)
{
    size_t used = 0;
    while (used < size && parser->state == STOOK__RESPONSE_CHUNKS) {
        if (parser->chunk == DATA) {
            enum stook__response_event event =
                take(parser, data + used, size - used, ret_used, ret_item);
            *ret_used += used;
            if (parser->left == 0)
                parser->chunk = DATA_CR;
            return event;
        }
        if (chunk_byte(parser, data[used++]) != 0) {
            *ret_used = used;
            return STOOK__RESPONSE_ERROR;
        }
    }
    *ret_used = used;
    return STOOK__RESPONSE_NOTHING;
}

/* ------------------------------------------------------------------------- the stream */

/* The beginning of a line that is an error whatever comes behind it. libcurl too ends at a CR inside a trailer, and
   what it says of that is less than what is said here. */
static int is_broken(const struct stook__response_parser *parser, size_t before)
{
    const char *line = parser->line, *end = line + parser->line_size;
    if (parser->state == STOOK__RESPONSE_STATUS_LINE || parser->line_size == before)
        return 0;
    return control_in(line + (before > 0 ? before - 1 : 0), end[-1] == '\r' ? end - 1 : end) < 0;
}

/* A line that is complete here, or together with what came of it before; else it is put by. */
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
        return fail(parser, STOOK_EPROTOCOL, CONTROL);
    if (part > room)
        return fail(parser, STOOK_ETOOLARGE, "a line of the head is too long");
    if (lf == NULL)
        return STOOK__RESPONSE_NOTHING;
    part = parser->line_size;
    parser->line_size = 0;
    return stook__response_line(parser, parser->line, part, ret_item);
}

enum stook__response_event stook__response_body(struct stook__response_parser *parser,
                                                const char *data, size_t size, size_t *ret_used,
                                                struct stook__response_item *ret_item)
{
    *ret_used = 0;
    if (parser->state == STOOK__RESPONSE_CHUNKS) {
        enum stook__response_event event = chunks(parser, data, size, ret_used, ret_item);
        if (event != STOOK__RESPONSE_NOTHING || parser->state != STOOK__RESPONSE_TRAILERS ||
            *ret_used == size)
            return event;
    }
    size_t before = *ret_used;
    enum stook__response_event event = STOOK__RESPONSE_ERROR;
    switch (parser->state) {
    case STOOK__RESPONSE_TRAILERS:
        event = cut_line(parser, data + before, size - before, ret_used, ret_item);
        parser->trailer_bytes += *ret_used;
        *ret_used += before;
        return event;
    case STOOK__RESPONSE_LENGTH:
        if (parser->left == 0) {
            parser->state = STOOK__RESPONSE_ENDED;
            return STOOK__RESPONSE_END;
        }
        return size > 0 ? take(parser, data, size, ret_used, ret_item) : STOOK__RESPONSE_NOTHING;
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
        return parser->left == 0 ? 0 : STOOK_ETRUNCATED;
    case STOOK__RESPONSE_CHUNKS:
    case STOOK__RESPONSE_TRAILERS:
        *ret_why = "the connection ended before the last chunk did";
        return STOOK_ETRUNCATED;
    default:
        *ret_why = "the connection ended inside the head";
        return STOOK_ETRUNCATED;
    }
}
